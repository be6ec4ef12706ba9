#!/bin/bash
# build.sh TARBALL FOLDER [IMAGE]   fills FOLDER with a Containerfile and the image's root, from the tarball that ./dev package
# made and this machine's glibc and certificates. With IMAGE, buildah makes the image of that name.
set -euo pipefail

tarball=$(realpath "$1") folder=$(realpath -m "$2") image=${3:-}
here=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
root=$folder/root
rm -rf "$root"
mkdir -p "$root"/{etc/nslookout,etc/ssl/certs,host/proc,rules,run,tmp,usr,var/lib/nslookout}
chmod 1777 "$root/tmp"

tar -xzf "$tarball" -C "$folder" --strip-components=1 --no-same-owner --one-top-level=unpacked
mv "$folder"/unpacked/{bin,lib,share} "$root/usr/"
rm -rf "$folder/unpacked/ci" "$root/usr/share/"{man,bash-completion}
mkdir -p "$root/usr/share/doc"
mv "$folder/unpacked" "$root/usr/share/doc/nslookout" # licences, README

# glibc: the loader where the program names it, the rest where the loader looks.
loader=$(readelf -lW "$root/usr/bin/nslookout" | sed -n 's/.*interpreter: \(.*\)]/\1/p')
install -D -m 755 "$(realpath "$loader")" "$root$loader"
for library in $(LD_LIBRARY_PATH=$root/usr/lib/nslookout ldd "$root/usr/bin/nslookout" "$root"/usr/lib/nslookout/* |
  awk -v own="$root" '$2 == "=>" && $3 ~ /^\// && index($3, own) != 1 { print $3 }' | sort -u); do
  install -D -m 755 "$(realpath "$library")" "$root$library"
done

cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
printf 'root:x:0:0:root:/:/usr/bin/nslookout\n' >"$root/etc/passwd"
printf 'root:x:0:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
printf 'rules: [/usr/share/nslookout/rules]\noutputs: [stdout]\n' >"$root/etc/nslookout/config.yaml"
install -m 644 "$here/Containerfile" "$folder/Containerfile"

[ -z "$image" ] || buildah bud --quiet --isolation chroot --tag "$image" "$folder"
