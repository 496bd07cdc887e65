#!/bin/sh
# Unpacks a private lab of real container runtimes into DIR. Installs nothing: packages are downloaded and extracted there.
# usage: setup.sh DIR        (root on Debian, amd64 or arm64, with a reachable package archive)
set -eu

version=3 # raise it when anything below changes what DIR holds; lab.ts reads it from this line

fail() {
  echo "test lab: $*" >&2
  exit 1
}

[ $# -eq 1 ] || fail 'usage: setup.sh DIR'
if [ -r "$1/stamp" ] && read -r found < "$1/stamp" && [ "$found" = "$version" ]; then exit 0; fi

[ "$(id -u)" = 0 ] || fail 'real containers need root, and this is not root'
grep -qs '^ID=debian' /etc/os-release || fail 'the runtimes come from the Debian archive, and this machine is not Debian'
for tool in apt-get apt-cache dpkg flock tar sha256sum; do
  command -v "$tool" > /dev/null || fail "$tool is missing"
done
arch=$(dpkg --print-architecture)
case $arch in amd64 | arm64) ;; *) fail "there is no lab for the architecture $arch" ;; esac

umask 022
mkdir -p "$1" || fail "cannot create $1"
dir=$(cd "$1" && pwd)
exec 9> "$dir/lock"
flock -w 300 9 || fail "another set-up has held $dir/lock for 5 minutes"
# Whoever waited for the lock usually finds the work done.
if [ -r "$dir/stamp" ] && read -r found < "$dir/stamp" && [ "$found" = "$version" ]; then exit 0; fi

# An interrupted run may have left anything behind: start over.
find "$dir" -mindepth 1 -maxdepth 1 ! -name lock -exec rm -rf {} +
work=$dir/work
log=$dir/log
mkdir -p "$work/debs" "$dir/bin" "$dir/cni"

# --- packages ---------------------------------------------------------------------------------------------------------

codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
# apt itself knows its sources, one-line or deb822, with or without downloaded lists.
archive=$(apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2>> "$log" |
  awk -v own="$codename" '$3 == "main" && ($2 == own || $2 ~ /^(stable|oldstable|testing|unstable|sid)$/) { print $1; exit }')
[ -n "$archive" ] || fail 'no Debian archive is configured in /etc/apt'
for keyring in /usr/share/keyrings/debian-archive-keyring.gpg /usr/share/keyrings/debian-archive-keyring.pgp; do
  [ ! -e "$keyring" ] || break
done
[ -e "$keyring" ] || fail 'the package debian-archive-keyring is missing'

# private_apt SUITE COMMAND...: apt with lists of its own, so that the machine's lists and pins are neither used nor changed.
private_apt() {
  suite=$1
  apt_dir=$work/apt-$1
  command=$2
  shift 2
  if [ ! -d "$apt_dir" ]; then
    mkdir -p "$apt_dir/lists/partial" "$apt_dir/cache/archives/partial"
    printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$archive" "$suite" > "$apt_dir/sources.list"
  fi
  "$command" -q -o "Dir::Etc::SourceList=$apt_dir/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null -o "Dir::State::Lists=$apt_dir/lists" \
    -o "Dir::Cache=$apt_dir/cache" -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false \
    -o APT::Sandbox::User=root -o Acquire::Retries=2 "$@"
}

private_update() {
  private_apt "$1" apt-get update >> "$log" 2>&1 || return 1
  # apt-get update succeeds with a warning when it could not fetch; an empty answer to a package tells.
  private_apt "$1" apt-cache show busybox-static 2> /dev/null | grep -q . || return 1
}

# private_download SUITE PACKAGE...: into the current directory. One bad package stops apt from fetching any: then one by
# one, so that `extract` misses the right one.
private_download() {
  from=$1
  shift
  private_apt "$from" apt-get download "$@" >> "$log" 2>&1 && return
  for package; do private_apt "$from" apt-get download "$package" >> "$log" 2>&1 || true; done
}

# extract SUITE PACKAGE...: from the debs downloaded for a suite into a tree of the same name.
extract() {
  suite=$1
  shift
  mkdir -p "$work/$suite"
  for package; do
    deb=$(find "$work/debs/$suite" -name "${package}_*.deb" | head -n 1)
    [ -n "$deb" ] || fail "the package $package of Debian $suite could not be downloaded (see $log)"
    dpkg -x "$deb" "$work/$suite" 2>> "$log" || fail "the package $package of Debian $suite could not be unpacked (see $log)"
    # The log of versions is what a failing test is compared with.
    basename "$deb" >> "$dir/packages"
  done
}

old='runc containerd busybox-static patchelf containernetworking-plugins'
new='runc containerd golang-k8s-cri-api-dev'
mkdir -p "$work/debs/bookworm" "$work/debs/sid"

# Both archives at once: the time is spent waiting for the network.
(
  cd "$work/debs/bookworm"
  # The machine's own lists serve when they are there and still match the archive.
  if [ "$codename" = bookworm ] && apt-get -q -o APT::Sandbox::User=root download $old >> "$log" 2>&1; then exit 0; fi
  private_update bookworm || fail "the package list of Debian bookworm could not be fetched from $archive (see $log)"
  private_download bookworm $old
) &
bookworm_job=$!
if ! private_update sid; then
  wait "$bookworm_job" || exit 1 # it has said why
  fail "the package list of Debian sid could not be fetched from $archive (see $log)"
fi
# The C library and whatever else sid's runtimes are linked with: sid moves, so ask instead of listing.
libraries=$(private_apt sid apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
  --no-enhances runc containerd 2>> "$log" | grep -E '^lib[a-z0-9.+-]+$' | sort -u)
(cd "$work/debs/sid" && private_download sid $new $libraries)
wait "$bookworm_job" || exit 1 # it has said why
extract bookworm $old
extract sid $new $libraries

# --- programs ---------------------------------------------------------------------------------------------------------

# first FILE...: the first that exists (a package's files move between /bin, /sbin and /usr over the years).
first() {
  for file; do
    if [ -e "$file" ]; then
      echo "$file"
      return
    fi
  done
  fail "no package brought $1"
}

patchelf=$(first "$work/bookworm/usr/bin/patchelf")
mkdir "$dir/lib"
for tree in "$work"/sid/usr/lib/*-linux-gnu "$work"/sid/lib/*-linux-gnu; do
  [ ! -d "$tree" ] || find "$tree" -maxdepth 1 -name '*.so*' -exec cp -d {} "$dir/lib/" \;
done
loader=$(find "$dir/lib" -name 'ld-linux-*' | head -n 1)

# program NAME SOURCE VERSION-FLAG: what needs a newer C library than the machine's gets the private one; the rest stays as Debian built it.
program() {
  cp "$2" "$dir/bin/$1"
  if "$dir/bin/$1" $3 > /dev/null 2>&1 9>&-; then return; fi
  "$patchelf" --set-interpreter "$loader" --force-rpath --set-rpath "$dir/lib" "$dir/bin/$1" >> "$log" 2>&1 || true
  "$dir/bin/$1" $3 >> "$log" 2>&1 9>&- || fail "$1 does not start, not even with its own C library (see $log)"
}

for suite in bookworm sid; do
  tree=$work/$suite
  mkdir -p "$dir/bin/$suite"
  program "$suite/runc" "$(first "$tree/usr/sbin/runc" "$tree/usr/bin/runc" "$tree/sbin/runc")" --version
  program "$suite/containerd" "$(first "$tree/usr/bin/containerd" "$tree/usr/sbin/containerd")" --version
  program "$suite/ctr" "$(first "$tree/usr/bin/ctr" "$tree/usr/sbin/ctr")" --version
  program "$suite/containerd-shim-runc-v2" "$(first "$tree/usr/bin/containerd-shim-runc-v2")" -v
done
cp "$(first "$work/sid/usr/share/gocode/src/k8s.io/cri-api/pkg/apis/runtime/v1/api.proto")" "$dir/api.proto"

# --- root file system and images --------------------------------------------------------------------------------------

rootfs=$dir/rootfs
# What is empty is a mount point: a container in a user namespace could not create them itself.
for path in bin dev etc proc sys tmp root run usr lib lib64 mnt agent opt host/proc host/sys; do mkdir -p "$rootfs/$path"; done
touch "$rootfs/opt/node"
chmod 1777 "$rootfs/tmp"
cp "$(first "$work/bookworm/bin/busybox" "$work/bookworm/usr/bin/busybox")" "$rootfs/bin/busybox"
for applet in $("$rootfs/bin/busybox" --list); do
  [ "$applet" = busybox ] || ln -s busybox "$rootfs/bin/$applet"
done
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' > "$rootfs/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' > "$rootfs/etc/group"

oci=$work/oci
mkdir -p "$oci/blobs/sha256"
# blob FILE: files it under its digest and prints the two members every descriptor needs.
blob() {
  digest=$(sha256sum "$1" | cut -d ' ' -f 1)
  size=$(wc -c < "$1")
  mv "$1" "$oci/blobs/sha256/$digest"
  printf '"digest":"sha256:%s","size":%d' "$digest" "$size"
}
# image NAME COMMAND-JSON: one image of the common layer; prints its descriptor for the index.
image() {
  printf '{"architecture":"%s","os":"linux","config":{"Cmd":%s,"Env":["PATH=/bin"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "$arch" "$2" "$layer_digest" > "$work/blob"
  config=$(blob "$work/blob")
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json",%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar",%s}]}' \
    "$config" "$layer" > "$work/blob"
  printf '{"mediaType":"application/vnd.oci.image.manifest.v1+json",%s,"annotations":{"io.containerd.image.name":"%s","org.opencontainers.image.ref.name":"%s"},"platform":{"architecture":"%s","os":"linux"}}' \
    "$(blob "$work/blob")" "$1" "${1##*:}" "$arch"
}
tar -C "$rootfs" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf "$work/blob" .
layer_digest=$(sha256sum "$work/blob" | cut -d ' ' -f 1)
layer=$(blob "$work/blob") # uncompressed, so that the layer's digest is also its diff id
pause=$(image localhost/pause:lab '["/bin/sleep","2147483"]')
busybox=$(image localhost/busybox:lab '["/bin/sleep","3600"]')
printf '{"schemaVersion":2,"manifests":[%s,%s]}' "$pause" "$busybox" > "$oci/index.json"
printf '{"imageLayoutVersion":"1.0.0"}' > "$oci/oci-layout"
tar -C "$oci" -cf "$dir/images.tar" oci-layout index.json blobs

# --- network ----------------------------------------------------------------------------------------------------------

# A plugin with a fixed answer: pods get a real network namespace, and the machine's network stays as it is.
cat > "$dir/cni/fixed" << 'PLUGIN'
#!/bin/sh
request=$(cat)
asked=$(printf '%s' "$request" | sed -n 's/.*"cniVersion": *"\([^"]*\)".*/\1/p')
case "$CNI_COMMAND" in
VERSION) echo '{"cniVersion":"1.0.0","supportedVersions":["0.3.0","0.3.1","0.4.0","1.0.0"]}' ;;
ADD)
  echo '{"cniVersion":"'"${asked:-1.0.0}"'","interfaces":[{"name":"'"$CNI_IFNAME"'","sandbox":"'"$CNI_NETNS"'"}],' \
    '"ips":[{"version":"4","address":"10.88.0.2/16","interface":0}]}'
  ;;
esac
PLUGIN
chmod 755 "$dir/cni/fixed"
# For clusters, which have a network namespace of their own: pods on a bridge.
for plugin in bridge host-local; do cp "$(first "$work/bookworm/usr/lib/cni/$plugin")" "$dir/cni/"; done
ln -s fixed "$dir/cni/loopback" # containerd 1.6 calls the loopback plugin by name

rm -rf "$work"
echo "$version" > "$dir/stamp"
