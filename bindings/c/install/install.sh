#!/bin/sh
# Installs what was built: the library with its links, both headers, and what pkg-config and CMake look for.
#
#   install.sh BUILD_DIR PREFIX [DESTDIR]
set -eu

build=$1 prefix=$2 destdir=${3:-}
here=$(dirname "$0")
root=$here/../../..
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
abi=$(sed -n 's/^#define NOMYO_ABI_VERSION \([0-9]*\)$/\1/p' "$root/include/nomyo.h")
[ -n "$version" ] && [ -n "$abi" ] || { echo "install: no version in Cargo.toml, or no ABI in the header" >&2; exit 1; }
static_libs="-lm -ldl -lpthread"
# The feature attestation decodes with libtss2-mu; a library without it does not need that.
if nm -u "$build/libnomyo.a" 2>/dev/null | grep -q 'Tss2_MU_'; then static_libs="$static_libs -ltss2-mu"; fi

lib=$destdir$prefix/lib include=$destdir$prefix/include
install -d "$lib/pkgconfig" "$lib/cmake/nomyo" "$include"
install -m 755 "$build/libnomyo.so" "$lib/libnomyo.so.$version"
ln -sf "libnomyo.so.$version" "$lib/libnomyo.so.$abi"
ln -sf "libnomyo.so.$abi" "$lib/libnomyo.so"
install -m 644 "$build/libnomyo.a" "$lib/libnomyo.a"
install -m 644 "$root/include/nomyo.h" "$root/bindings/c/nomyo.hpp" "$include"
fill() {
    sed -e "s|@PREFIX@|$prefix|" -e "s|@VERSION@|$version|" -e "s|@ABI@|$abi|" -e "s|@STATIC_LIBS@|$2|" "$here/$1.in" >"$3/$1"
    chmod 644 "$3/$1"
}
fill nomyo.pc "$static_libs" "$lib/pkgconfig"
fill nomyoConfig.cmake "$(echo "$static_libs" | sed 's/ /;/g')" "$lib/cmake/nomyo"
fill nomyoConfigVersion.cmake "" "$lib/cmake/nomyo"
