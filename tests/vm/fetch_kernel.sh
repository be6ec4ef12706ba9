#!/bin/bash
# fetch_kernel.sh CACHE SUITE VERSION   prints the path of the suite's cloud kernel image, downloaded if need be.
#
# VERSION is a prefix of the kernel's release, or - for the one the suite's metapackage points at. Uses the archive and
# the settings this machine's apt is configured with, but lists and downloads of its own under CACHE: the machine's
# package state stays as it is. Lists are a day old at most; with the archive out of reach older ones serve.
set -euo pipefail

cache=$(realpath -m "$1") suite=$2 version=$3
state=$cache/apt/$suite
mkdir -p "$state/lists/partial" "$state/cache/archives/partial"

# Two rows of the matrix may name one suite at the same time.
exec 9>"$state/lock"
flock 9

die() {
  echo "fetch_kernel: $*" >&2
  exit 1
}

archive_uri() {
  apt-get indextargets --format "\$(REPO_URI)" \
    "Created-By: Packages" "Component: main" "Origin: Debian" "Label: Debian" | sort -u | head -n 1
}

uri=$(archive_uri)
if [ -z "$uri" ] && [ "$(id -u)" -eq 0 ]; then
  # apt knows an archive's origin only once it has read it.
  apt-get -qq update >&2 || true
  uri=$(archive_uri)
fi
[ -n "$uri" ] || die "apt has no Debian archive configured, or has not read it yet: run apt-get update"

printf 'deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$uri" "$suite" \
  >"$state/sources.list"
options=(
  -qq
  -o "Dir::Etc::SourceList=$state/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o "Dir::State::Lists=$state/lists" -o "Dir::Cache=$state/cache"
  -o APT::Architecture=amd64 -o APT::Sandbox::User= -o Acquire::Languages=none -o Acquire::Retries=3
)

if [ -z "$(find "$state/lists" -maxdepth 1 -name '*Packages*' -mtime -1)" ]; then
  apt-get "${options[@]}" update >&2 || echo "fetch_kernel: $suite: using package lists of an earlier day" >&2
fi

if [ "$version" = - ]; then
  release=$(apt-cache "${options[@]}" depends linux-image-cloud-amd64 2>/dev/null |
    sed -n 's/^ *Depends: linux-image-\([0-9].*\)/\1/p' | sort -V | tail -n 1)
else
  release=$(apt-cache "${options[@]}" pkgnames "linux-image-$version" |
    sed -n 's/^linux-image-\(.*-cloud-amd64\)$/\1/p' | sort -V | tail -n 1)
fi
[ -n "$release" ] || die "$suite has no cloud kernel${version:+ (version $version)}; see tests/vm/kernels.tsv"

image=$cache/vmlinuz-$release
if [ ! -s "$image" ]; then
  # The image moved: up to 6.x boot/vmlinuz-RELEASE in linux-image-RELEASE, since then a file in linux-binary-RELEASE.
  package=linux-image-$release
  if apt-cache "${options[@]}" show "linux-binary-$release" >/dev/null 2>&1; then package=linux-binary-$release; fi
  work=$(mktemp -d "$cache/fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  (cd "$work" && apt-get "${options[@]}" download "$package" >&2) || die "downloading $package failed"
  dpkg-deb --fsys-tarfile "$work"/*.deb >"$work/files.tar"
  member=$(tar -tf "$work/files.tar" | grep -E '/vmlinuz[^/]*$' | head -n 1)
  [ -n "$member" ] || die "$package holds no kernel image"
  tar -xOf "$work/files.tar" "$member" >"$work/image"
  mv "$work/image" "$image"
fi
echo "$image"
