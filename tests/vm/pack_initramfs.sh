#!/bin/bash
# pack_initramfs.sh OUT INIT FILE[=PATH_IN_GUEST]…
# An initial file system for the matrix: busybox as /bin, INIT as /init, and the files with the libraries they link to.
# Everything runs from memory and no kernel module is loaded, so one file serves every kernel.
set -euo pipefail

out=$(realpath -m "$1") init=$2
shift 2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# put SOURCE PATH_IN_GUEST
put() { [ -e "$root$2" ] || install -D -m "$(stat -L -c %a "$1")" "$1" "$root$2"; }

# The loader and libraries, at the paths the loader looks for them.
libraries() { ldd "$1" 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' || true; }

mkdir -p "$root"/{bin,dev,etc,proc,run,sys,tmp}
put /bin/busybox /bin/busybox
install -m 755 "$init" "$root/init"
for file in "$@"; do
  source=${file%%=*} target=${file#*=}
  put "$source" "$target"
  while read -r library; do put "$library" "$library"; done < <(libraries "$source")
done

printf 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
printf 'nameserver 127.0.0.1\n' >"$root/etc/resolv.conf"

(cd "$root" && find . -print0 | LC_ALL=C sort -z | cpio --null --create --format=newc --quiet) >"$out.new"
mv "$out.new" "$out"
