#!/bin/sh
# One program of a Go module, built into DIR: minutes the first time, at once when DIR has it.
# usage: go-tool.sh NAME MODULE PACKAGE DIR
set -eu

fail() {
  echo "${name:-go-tool}: $*" >&2
  exit 1
}

[ $# -eq 4 ] || fail 'usage: go-tool.sh NAME MODULE PACKAGE DIR'
name=$1 module=$2 package=$3
[ ! -e "$4/stamp" ] || exit 0
command -v go > /dev/null || fail 'Go 1.26 or later is needed to build it'
command -v flock > /dev/null || fail 'flock is missing (util-linux)'

mkdir -p "$4" || fail "cannot create $4"
dir=$(cd "$4" && pwd)
cd "$module"
exec 9> "$dir/lock"
flock 9
# Whoever waited for the lock finds the work done.
[ ! -e "$dir/stamp" ] || exit 0

log=$dir/log
CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath -ldflags '-s -w' -o "$dir/$name" "$package" > "$log" 2>&1 ||
  fail "the build failed (see $log)"
touch "$dir/stamp"
