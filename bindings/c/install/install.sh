#!/bin/sh
# Installs what was built: the library with its links, the static archive as one object, the headers, and the files for
# pkg-config and CMake. `cargo cinstall` installs the same files, as Cargo.toml declares, except that its archive is the one that
# cargo builds. bindings/c/tests/cinstall.sh compares both.
#
#   install.sh BUILD_DIR PREFIX [DESTDIR [LIBDIR]]
#
# LIBDIR is the directory of the libraries, below PREFIX or absolute. Default: lib. A system with several architectures has
# lib/x86_64-linux-gnu, for example.
#
# BUILD_DIR has a library for Linux, macOS or Windows. For Windows no static archive is installed, because the one object
# of GNU ld 2.40 does not link: its relocations overflow. For macOS it may be missing, because only Apple's linker makes the object.
# RELOCATABLE=yes in the environment: the tree may lie anywhere. nomyo.pc finds the libraries beside itself, and programs of macOS by their rpath.
set -eu

build=$1 prefix=$2 destdir=${3:-} libdir=${4:-lib}
case $prefix in
/*) ;;
*) echo "install: the prefix \"$prefix\" is not absolute, and nomyo.pc would lead nowhere: begin it with /" >&2; exit 1 ;;
esac
libdir=${libdir#"${prefix%/}/"}
case /$libdir/ in
//* | */../*) echo "install: the directory \"$libdir\" of the libraries is not below the prefix \"$prefix\"; name one that is" >&2; exit 1 ;;
esac
here=$(dirname "$0")
root=$here/../../..
from_manifest() { sed -n "s/^$1 = \"\(.*\)\"/\1/p" "$root/Cargo.toml" | head -n 1; }
version=$(from_manifest version)
abi=$(sed -n 's/^#define NOMYO_ABI_VERSION \([0-9]*\)$/\1/p' "$root/include/nomyo.h")
[ -n "$version" ] && [ -n "$abi" ] || { echo "install: no version in Cargo.toml, or no ABI in the header" >&2; exit 1; }

lib=$destdir$prefix/$libdir include=$destdir$prefix/include share=$destdir$prefix/share
install -d "$lib/pkgconfig" "$include" "$share/cmake/nomyo" "$share/nomyo"
private="-lm -ldl -lpthread"
if [ -e "$build/nomyo.dll" ]; then
    private=
    install -d "$destdir$prefix/bin"
    install -m 755 "$build/nomyo.dll" "$destdir$prefix/bin"
    install -m 644 "$build/libnomyo.dll.a" "$lib"
else
    name=libnomyo.so versioned=libnomyo.so.$version of_abi=libnomyo.so.$abi
    if [ -e "$build/libnomyo.dylib" ]; then # macOS: not run yet
        name=libnomyo.dylib versioned=libnomyo.$version.dylib of_abi=libnomyo.$abi.dylib
        private="-framework Security -framework CoreFoundation -liconv -lm"
    fi
    install -m 755 "$build/$name" "$lib/$versioned"
    # Programs of macOS look for a library where it said at their link that it is.
    [ "$name" != libnomyo.dylib ] || [ "${RELOCATABLE:-}" = yes ] || install_name_tool -id "$prefix/$libdir/$of_abi" "$lib/$versioned"
    ln -sf "$versioned" "$lib/$of_abi"
    ln -sf "$versioned" "$lib/$name"
    [ "$name" = libnomyo.dylib ] && [ ! -e "$build/libnomyo.a" ] || "$here/one_object.sh" "$build/libnomyo.a" "$lib/libnomyo.a"
fi
install -m 644 "$root/include/nomyo.h" "$root"/bindings/c/*.hpp "$include"
install -m 644 "$root/bindings/c/tsan.supp" "$share/nomyo"
install -m 644 "$here/nomyoConfig.cmake" "$here/nomyoConfigVersion.cmake" "$share/cmake/nomyo"
# With a directory of its own, CMake finds this library and no other that lies in lib.
if [ "$libdir" != lib ]; then
    sed "s|^foreach(_nomyo_directory .*|foreach(_nomyo_directory \"$libdir\")|" "$here/nomyoConfig.cmake" >"$share/cmake/nomyo/nomyoConfig.cmake"
fi
sed -e "s|@PREFIX@|$prefix|" -e "s|@LIBDIR@|$libdir|" -e "s|@VERSION@|$version|" -e "s|@PRIVATE@|$private|" -e "s|@DESCRIPTION@|$(from_manifest description)|" \
    "$here/nomyo.pc.in" >"$lib/pkgconfig/nomyo.pc"
if [ "${RELOCATABLE:-}" = yes ]; then
    # shellcheck disable=SC2016 # the text is pkg-config's
    sed -i 's|^prefix=.*|prefix=${pcfiledir}/../..|' "$lib/pkgconfig/nomyo.pc"
fi
chmod 644 "$lib/pkgconfig/nomyo.pc"
