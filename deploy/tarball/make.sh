#!/bin/bash
# make.sh BINARY VERSION OUT   makes OUT/nslookout-VERSION-linux-ARCH.tar.gz: the program and its libraries, for machines
# where nothing is installed, such as the runners of a CI system.
#
#   bin/nslookout, lib/nslookout/*.so   every library but glibc's (bundle.sh), with their licences in licenses/
#   share/nslookout/rules, share/man, share/bash-completion, ci/ (GitHub Action, GitLab template), README.md, LICENSE
#
# NEEDS_GLIBC says from which version on the machine's glibc will do.
set -euo pipefail

binary=$(realpath "$1") version=$2 out=$(realpath -m "$3")
top=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
machine=$(uname -m)
name=nslookout-$version-linux-$machine
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/$name
mkdir -p "$out"
"$top/deploy/tarball/bundle.sh" "$binary" "$root" "$root/licenses" >"$work/glibc"
mv "$work/glibc" "$root/NEEDS_GLIBC"

mkdir -p "$root/share/nslookout/rules"
cp "$top"/rules/*.yml "$root/share/nslookout/rules/"
install -D -m 644 "$top/docs/man/nslookout.8" "$root/share/man/man8/nslookout.8"
install -D -m 644 "$top/deploy/completions/nslookout.bash" "$root/share/bash-completion/completions/nslookout"
mkdir -p "$root/ci"
cp -r "$top"/deploy/ci/. "$root/ci/"
install -m 644 "$top/README.md" "$top/SECURITY.md" "$top/LICENSE" "$root/"

tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@${SOURCE_DATE_EPOCH:-$(date +%s)}" -cf - "$name" |
  gzip -9n >"$out/$name.tar.gz"
