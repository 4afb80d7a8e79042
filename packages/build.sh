#!/bin/sh
# Builds the release library and Node's addon for one target. The result has the same bits, whatever the directory and the time.
#
#   packages/build.sh TRIPLE
#
# The result lies in target/dist/TRIPLE. packages/targets/TRIPLE.sh says which compiler and which linker build for the target, sets the
# `crate_types` that cargo makes, and has the function `link`, which makes the result of them.
set -eu

triple=$1
root=$PWD
build=$root/target/dist-build
cargo_home=${CARGO_HOME:-$HOME/.cargo}
result=$root/target/dist/$triple

rm -rf "$result"
mkdir -p "$result"
rust_flags=
. "packages/targets/$triple.sh"

# Paths of this machine are replaced: in panics by rustc, in AWS-LC's errors by the C compiler. The definition is that of
# .cargo/config.toml, which the variable replaces.
RUSTFLAGS="--remap-path-prefix=$root=/libnomyo --remap-path-prefix=$cargo_home=/cargo $rust_flags"
AWS_LC_SYS_CFLAGS="-Ddestructor=unused -ffile-prefix-map=$build=/build -ffile-prefix-map=$cargo_home=/cargo -ffile-prefix-map=$root=/libnomyo"
export RUSTFLAGS AWS_LC_SYS_CFLAGS CARGO_INCREMENTAL=0
unset CARGO_ENCODED_RUSTFLAGS

built=$build/$triple/release
for package in nomyo nomyo-node; do
    cargo rustc --locked --release --lib --package "$package" --crate-type "$crate_types" --target "$triple" --target-dir "$build"
done
link
python3 packages/supply/licences.py nomyo "$triple" >"$result/LICENCES"
python3 packages/supply/licences.py nomyo "$triple" --debian >"$result/LICENCES-FOR-DEBIAN"
python3 packages/supply/licences.py nomyo-node "$triple" >"$result/LICENCES-OF-ADDON"
ls -l "$result"
