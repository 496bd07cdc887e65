#!/bin/sh
# Prometheus and promtool of the Debian archive, unpacked into DIR: nothing is installed. A few seconds, once.
# usage: setup.sh DIR
set -eu

fail() {
  echo "prometheus: $*" >&2
  exit 1
}

[ $# -eq 1 ] || fail 'usage: setup.sh DIR'
[ ! -e "$1/stamp" ] || exit 0
grep -qs '^ID=debian' /etc/os-release || fail 'it comes from the Debian archive, and this machine is not Debian'
for tool in apt-get dpkg flock; do
  command -v "$tool" > /dev/null || fail "$tool is missing"
done

mkdir -p "$1" || fail "cannot create $1"
dir=$(cd "$1" && pwd)
exec 9> "$dir/lock"
flock 9
# Whoever waited for the lock finds the work done.
[ ! -e "$dir/stamp" ] || exit 0

work=$(mktemp -d "$dir/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q -o APT::Sandbox::User=root download prometheus > "$dir/log" 2>&1 ||
  fail "the package prometheus could not be downloaded (see $dir/log; apt-get update may help)"
dpkg -x prometheus_*.deb tree 2>> "$dir/log" || fail "the package could not be unpacked (see $dir/log)"
mv tree/usr/bin/prometheus tree/usr/bin/promtool "$dir/"
"$dir/promtool" --version >> "$dir/log" 2>&1 || fail "promtool does not run here (see $dir/log)"
touch "$dir/stamp"
