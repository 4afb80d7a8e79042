#!/bin/sh
# Installs what was built: the library with its links, both headers, and what pkg-config and CMake look for. The metadata in
# Cargo.toml makes `cargo cinstall` do the same; bindings/c/tests/cinstall.sh compares.
#
#   install.sh BUILD_DIR PREFIX [DESTDIR]
set -eu

build=$1 prefix=$2 destdir=${3:-}
case $prefix in
/*) ;;
*) echo "install: the prefix \"$prefix\" is not absolute, and nomyo.pc would lead nowhere: begin it with /" >&2; exit 1 ;;
esac
here=$(dirname "$0")
root=$here/../../..
from_manifest() { sed -n "s/^$1 = \"\(.*\)\"/\1/p" "$root/Cargo.toml" | head -n 1; }
version=$(from_manifest version)
abi=$(sed -n 's/^#define NOMYO_ABI_VERSION \([0-9]*\)$/\1/p' "$root/include/nomyo.h")
[ -n "$version" ] && [ -n "$abi" ] || { echo "install: no version in Cargo.toml, or no ABI in the header" >&2; exit 1; }

lib=$destdir$prefix/lib include=$destdir$prefix/include cmake=$destdir$prefix/share/cmake/nomyo
install -d "$lib/pkgconfig" "$include" "$cmake"
install -m 755 "$build/libnomyo.so" "$lib/libnomyo.so.$version"
ln -sf "libnomyo.so.$version" "$lib/libnomyo.so.$abi"
ln -sf "libnomyo.so.$version" "$lib/libnomyo.so"
install -m 644 "$build/libnomyo.a" "$lib/libnomyo.a"
install -m 644 "$root/include/nomyo.h" "$root/bindings/c/nomyo.hpp" "$include"
install -m 644 "$here/nomyoConfig.cmake" "$here/nomyoConfigVersion.cmake" "$cmake"
sed -e "s|@PREFIX@|$prefix|" -e "s|@VERSION@|$version|" -e "s|@DESCRIPTION@|$(from_manifest description)|" \
    "$here/nomyo.pc.in" >"$lib/pkgconfig/nomyo.pc"
chmod 644 "$lib/pkgconfig/nomyo.pc"
