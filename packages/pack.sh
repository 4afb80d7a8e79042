#!/bin/sh
# Packs all artefacts from what packages/build.sh built:  packages/pack.sh TRIPLE...
set -eu
. packages/version.sh
python=target/dist-tools/bin/python
here=$PWD

# A bill of materials for each file that has compiled code in it.
describe() { # ARTEFACT PACKAGE TRIPLE...
    artefact=$1
    shift
    mkdir -p dist/sbom
    "$python" packages/supply/sbom.py "$artefact" "dist/sbom/$(basename "$artefact").cdx.json" "$@"
}

for triple; do
    packages/c/archive.sh "$triple"
    describe "dist/libnomyo-$version-$triple.tar.gz" nomyo "$triple"
    case $triple in
    *-linux-gnu)
        packages/c/deb.sh "$triple"
        for package in "dist/libnomyo$abi" dist/libnomyo-dev; do
            describe "$package"_"$version-1_$(packages/c/architecture.sh "$triple").deb" nomyo "$triple"
        done
        ;;
    esac
    # The wheel has the bill of the library inside, as PEP 770 says, and another one describes the wheel.
    for library in libnomyo.so nomyo.dll libnomyo.dylib; do
        [ ! -e "target/dist/$triple/$library" ] ||
            "$python" packages/supply/sbom.py "target/dist/$triple/$library" "target/dist/$triple/SBOM" nomyo "$triple"
    done
    wheel=$("$python" packages/python/wheel.py "target/dist/$triple")
    describe "dist/python/$wheel" nomyo "$triple"
done
"$python" packages/python/wheel.py --source
node packages/node/pack.js "$version" "$@"
for triple; do
    name=$(node -p "require('./bindings/node/prebuild.js').prebuild('$triple').package")
    describe "dist/npm/$name-$version.tgz" nomyo-node "$triple"
done
python3 packages/go/module.py "$version" "$SOURCE_DATE_EPOCH" "$@"
describe "dist/go/github.com/nomyo-ai/libnomyo/bindings/go/@v/v$version.zip" nomyo "$@"
python3 packages/recipes/write.py "$version" "$@"
mkdir -p dist/rust
cargo package --locked --no-verify --package nomyo --target-dir target/dist-build
cp "target/dist-build/package/nomyo-$version.crate" dist/rust

"$python" packages/supply/tripwire.py dist "$here" "${CARGO_HOME:-$HOME/.cargo}" "$HOME"
(cd dist && find . -type f ! -name SHA256SUMS -printf '%P\n' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
python3 packages/table.py "$@"
