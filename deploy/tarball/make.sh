#!/bin/bash
# make.sh BINARY VERSION OUT   makes OUT/nslookout-VERSION-linux-ARCH.tar.gz: the program and its libraries, for machines
# where nothing is installed, such as the runners of a CI system.
#
#   bin/nslookout, lib/nslookout/*.so   every library but glibc's; the program has the rpath $ORIGIN/../lib/nslookout
#   share/nslookout/rules, share/man, share/bash-completion, ci/ (GitHub Action, GitLab template), README.md, LICENSE
#
# glibc is the machine's, since it has to fit the loader and the name service modules there: NEEDS_GLIBC says from which
# version on.
set -euo pipefail

binary=$(realpath "$1") version=$2 out=$(realpath -m "$3")
top=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
machine=$(uname -m)
name=nslookout-$version-linux-$machine
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/$name
install -D -m 755 "$binary" "$root/bin/nslookout"
mkdir -p "$root/lib/nslookout" "$out"

# Those that come with glibc.
glibc='^(ld-linux.*|libc|libm|libdl|librt|libpthread|libresolv|libanl|libutil|libnsl|libnss_.*)\.so'
ldd "$binary" | awk '$2 == "=>" && $3 ~ /^\// { print $1, $3 } $0 ~ /not found/ { exit 1 }' >"$work/libraries"
while read -r library path; do
  [[ $library =~ $glibc ]] || install -m 644 "$path" "$root/lib/nslookout/$library"
done <"$work/libraries"
strip --strip-unneeded "$root/bin/nslookout" "$root"/lib/nslookout/*

objdump -T "$root/bin/nslookout" "$root"/lib/nslookout/* | grep -o 'GLIBC_2\.[0-9]*' | sort -uV | tail -n 1 |
  sed 's/GLIBC_//' >"$root/NEEDS_GLIBC"

mkdir -p "$root/share/nslookout/rules"
cp "$top"/rules/*.yml "$root/share/nslookout/rules/"
install -D -m 644 "$top/docs/man/nslookout.8" "$root/share/man/man8/nslookout.8"
install -D -m 644 "$top/deploy/completions/nslookout.bash" "$root/share/bash-completion/completions/nslookout"
mkdir -p "$root/ci"
cp -r "$top"/deploy/ci/. "$root/ci/"
install -m 644 "$top/README.md" "$top/SECURITY.md" "$top/LICENSE" "$root/"

# Libraries of others keep their licences beside them, where this machine has them.
while read -r library path; do
  [ -e "$root/lib/nslookout/$library" ] || continue
  package=$(dpkg-query -S "$(realpath "$path")" 2>/dev/null | head -n 1 | cut -d: -f1) || continue
  [ -r "/usr/share/doc/$package/copyright" ] && install -D -m 644 "/usr/share/doc/$package/copyright" "$root/licenses/$package"
done <"$work/libraries"

tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@${SOURCE_DATE_EPOCH:-$(date +%s)}" -cf - "$name" |
  gzip -9n >"$out/$name.tar.gz"
