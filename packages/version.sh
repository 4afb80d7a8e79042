# Sourced by the scripts of this room: the one version number, the number of the ABI, and the time that every artefact carries.
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
abi=$(sed -n 's/^#define NOMYO_ABI_VERSION \([0-9]*\)$/\1/p' include/nomyo.h)
[ -n "$version" ] && [ -n "$abi" ] || { echo "no version in Cargo.toml, or no ABI in the header" >&2; exit 1; }
# 1980-01-01, the earliest that zip knows. SOURCE_DATE_EPOCH in the environment has no effect, so that artefacts do not depend on it.
SOURCE_DATE_EPOCH=315532800
export SOURCE_DATE_EPOCH
mkdir -p dist
# The packages of the languages carry the same number.
for file in bindings/node/Cargo.toml bindings/node/package.json bindings/node/native/package.json bindings/python/nomyo_native/_version.py; do
    grep -qE "^ *\"?(version|__version__)\"?( =|:) \"$version\",?$" "$file" ||
        { echo "$file has another version than Cargo.toml, which has $version: write one number into both" >&2; exit 1; }
done
