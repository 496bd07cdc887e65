#!/bin/sh
# Grafana's schema of dashboards as a program, from the Go module of go.mod, into DIR: half a minute the first time, at once when DIR has it.
# usage: build.sh DIR
set -eu

fail() {
  echo "dashboard-schema: $*" >&2
  exit 1
}

[ $# -eq 1 ] || fail 'usage: build.sh DIR'
[ ! -e "$1/stamp" ] || exit 0
command -v go > /dev/null || fail 'Go is needed to build it'
command -v flock > /dev/null || fail 'flock is missing (util-linux)'

mkdir -p "$1" || fail "cannot create $1"
dir=$(cd "$1" && pwd)
cd "$(dirname "$0")"
exec 9> "$dir/lock"
flock 9
# Whoever waited for the lock finds the work done.
[ ! -e "$dir/stamp" ] || exit 0

log=$dir/log
CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath -ldflags '-s -w' -o "$dir/dashboard-schema" . \
  > "$log" 2>&1 || fail "the build failed (see $log)"
touch "$dir/stamp"
