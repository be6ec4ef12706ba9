#!/bin/bash
# bundle.sh BINARY PREFIX LICENCES   puts a program and its libraries into a tree, stripped; says which glibc it needs.
#
#   PREFIX/bin/nslookout, PREFIX/lib/nslookout/*.so.*   every library but glibc's; the program finds them by its rpath
#   LICENCES/PACKAGE                                    the licences of the libraries, where this machine has them
#
# glibc is the machine's, since it has to fit the loader and the name service modules there: its least version, such as 2.36,
# is all that is written to standard output.
set -euo pipefail

binary=$(realpath "$1") prefix=$(realpath -m "$2") licences=$(realpath -m "$3")
found=$(mktemp)
trap 'rm -f "$found"' EXIT
rm -rf "$prefix/lib/nslookout"
install -D -m 755 "$binary" "$prefix/bin/nslookout"
install -d -m 755 "$prefix/lib/nslookout"

# Those that come with glibc.
glibc='^(ld-linux.*|libc|libm|libdl|librt|libpthread|libresolv|libanl|libutil|libnsl|libnss_.*)\.so'
ldd "$binary" | awk '$2 == "=>" && $3 ~ /^\// { print $1, $3 } $0 ~ /not found/ { exit 1 }' >"$found"
while read -r library path; do
  if [[ $library =~ $glibc ]]; then continue; fi
  install -m 644 "$path" "$prefix/lib/nslookout/$library"
  package=$(dpkg-query -S "$(realpath "$path")" 2>/dev/null | head -n 1 | cut -d: -f1) || continue
  if [ -r "/usr/share/doc/$package/copyright" ]; then
    install -D -m 644 "/usr/share/doc/$package/copyright" "$licences/$package"
  fi
done <"$found"
strip --strip-unneeded "$prefix/bin/nslookout" "$prefix"/lib/nslookout/*

objdump -T "$prefix/bin/nslookout" "$prefix"/lib/nslookout/* | grep -o 'GLIBC_2\.[0-9]*' | sort -uV | tail -n 1 | sed 's/GLIBC_//'
