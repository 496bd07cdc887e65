#!/bin/sh
# The real control plane and kubelet, from the Go modules of go.mod, into DIR: about 5 minutes the first time on 2 cores, at once
# when DIR has them. Programs are built without cgo, so that a cached one runs on any machine of this architecture.
# usage: build.sh DIR
set -eu

fail() {
  echo "control plane: $*" >&2
  exit 1
}

[ $# -eq 1 ] || fail 'usage: build.sh DIR'
[ ! -e "$1/stamp" ] || exit 0
command -v go > /dev/null || fail 'Go 1.26 or later is needed to build it; or name the directory of a release in KUBEBUILDER_ASSETS'
command -v flock > /dev/null || fail 'flock is missing (util-linux)'

mkdir -p "$1" || fail "cannot create $1"
dir=$(cd "$1" && pwd)
cd "$(dirname "$0")"
exec 9> "$dir/lock"
flock 9
# Whoever waited for the lock finds the work done.
[ ! -e "$dir/stamp" ] || exit 0

log=$dir/log
: > "$log"
version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes 2>> "$log") || fail "the Go modules could not be fetched (see $log)"
minor=$(echo "$version" | cut -d . -f 2)
base=k8s.io/component-base/version
export GOFLAGS=-mod=readonly CGO_ENABLED=0
go build -trimpath -ldflags "-s -w -X $base.gitVersion=$version -X $base.gitMajor=1 -X $base.gitMinor=$minor" -o "$dir/" \
  k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-controller-manager k8s.io/kubernetes/cmd/kube-scheduler \
  k8s.io/kubernetes/cmd/kubectl k8s.io/kubernetes/cmd/kubelet >> "$log" 2>&1 || fail "the build failed (see $log)"
go build -trimpath -ldflags '-s -w' -o "$dir/etcd" go.etcd.io/etcd/server/v3 >> "$log" 2>&1 || fail "the build of etcd failed (see $log)"
touch "$dir/stamp"
