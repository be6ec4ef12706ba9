#!/bin/bash
# fetch_node_managers.sh FOLDER   puts pnpm, yarn (1 and 4) and bun below FOLDER/node_modules, where they are not there yet.
#
# With npm and the registry that it is configured with; their install scripts do not run. Versions are pinned, and what came
# is compared with the checksums below. A FOLDER that is whole has the file `complete` with the list of what it holds.
set -euo pipefail

folder=$(realpath -m "$1")
# NAME@VERSION CHECKSUM (npm's `integrity`)
wanted='
@oven/bun-linux-x64@1.4.5 sha512-IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==
@yarnpkg/cli-dist@4.18.1 sha512-EH+A4TxAtBWXKE0DGQxW9Bo9crXHLJ73mfxjTQJuv8XonNWWTpei8BQ5JjczHJNU9GROTycwMFn8iOvRIZXUcA==
pnpm@9.15.9 sha512-aARhQYk8ZvrQHAeSMRKOmvuJ74fiaR1p5NQO7iKJiClf1GghgbrlW1hBjDolO95lpQXsfF+UA+zlzDzTfc8lMQ==
yarn@1.22.22 sha512-prL3kGtyG7o9Z9Sv8IPfBNrWTDmXB4Qbes8A9rEzt6wkJV8mUvoirjU0Mp3GGAU06Y0XQyA3/2/RQFVuK7MTfg=='

die() {
  echo "fetch_node_managers: $*" >&2
  exit 1
}

[ "$(cat "$folder/complete" 2>/dev/null)" != "$wanted" ] || exit 0
[ "$(uname -m)" = x86_64 ] || die "bun's package for $(uname -m) is not among the pinned ones"
rm -rf "$folder"
mkdir -p "$folder"
mapfile -t packages < <(awk 'NF { print $1 }' <<<"$wanted")
timeout 300 npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error \
  "${packages[@]}" </dev/null >&2 || die "npm could not fetch ${packages[*]}: is its registry within reach?"
while read -r package checksum; do
  [ -n "$package" ] || continue
  grep -qF "\"$checksum\"" "$folder/node_modules/.package-lock.json" ||
    die "$package is not what it was when its checksum was pinned"
done <<<"$wanted"
printf '%s\n' "$wanted" >"$folder/complete"
