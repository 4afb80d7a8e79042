#!/bin/sh
# Builds the release library and Node's addon for one target. The result has the same bits, whatever the directory and the time.
#
#   packages/build.sh TRIPLE
#
# The result lies in target/dist/TRIPLE. packages/targets/TRIPLE.sh says which linker and which C compiler build for the target.
set -eu

triple=$1
root=$PWD
build=$root/target/dist-build
cargo_home=${CARGO_HOME:-$HOME/.cargo}
result=$root/target/dist/$triple

. "packages/targets/$triple.sh"

# Paths of this machine are replaced: in panics by rustc, in AWS-LC's errors by the C compiler. The definition is that of
# .cargo/config.toml, which the variable replaces.
RUSTFLAGS="--remap-path-prefix=$root=/libnomyo --remap-path-prefix=$cargo_home=/cargo"
AWS_LC_SYS_CFLAGS="-Ddestructor=unused -ffile-prefix-map=$build=/build -ffile-prefix-map=$cargo_home=/cargo -ffile-prefix-map=$root=/libnomyo"
export RUSTFLAGS AWS_LC_SYS_CFLAGS CARGO_INCREMENTAL=0
unset CARGO_ENCODED_RUSTFLAGS

rm -rf "$result"
mkdir -p "$result"
built=$build/$triple/release
for package in nomyo nomyo-node; do
    cargo rustc --locked --release --lib --package "$package" --crate-type staticlib --target "$triple" --target-dir "$build"
done
bindings/c/install/old_glibc.sh "$built/libnomyo.a" "$result/libnomyo.so"
bindings/c/install/old_glibc.sh "$built/libnomyo_node.a" "$result/nomyo.node"
strip --strip-unneeded "$result/nomyo.node" "$result/libnomyo.so"
bindings/c/install/one_object.sh "$built/libnomyo.a" "$result/libnomyo.a"
python3 packages/supply/licences.py nomyo "$triple" >"$result/LICENCES"
python3 packages/supply/licences.py nomyo "$triple" --debian >"$result/LICENCES-FOR-DEBIAN"
python3 packages/supply/licences.py nomyo-node "$triple" >"$result/LICENCES-OF-ADDON"
ls -l "$result"
