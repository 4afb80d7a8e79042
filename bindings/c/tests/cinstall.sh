#!/bin/sh
# Compares what `cargo cinstall` installed with what `make install` did.
#
#   bindings/c/tests/cinstall.sh MADE CARGO      the two trees, installed for the same prefix
set -eu
made=$1 cargo=$2
root=$(cd "$(dirname "$0")/../../.." && pwd)
passed=0 failed=0

check() { # WHAT COMMAND...
    what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "ok: $what"
    else
        failed=$((failed + 1))
        echo "not ok: $what"
    fi
}
same() { # WHAT COMMAND: says the same of both trees, and not nothing
    check "$1" differ_not "$2"
}
differ_not() {
    of_made=$(cd "$made" && eval "$1") && of_cargo=$(cd "$cargo" && eval "$1") || return 1
    [ -n "$of_made" ] && [ "$of_made" = "$of_cargo" ] ||
        { printf 'by make\n%s\nby cargo\n%s\n' "$of_made" "$of_cargo"; false; }
}
pc() { PKG_CONFIG_PATH=$PWD/lib/pkgconfig PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 pkg-config "$@" nomyo; }
# What cc adds by itself, or is empty with today's glibc, may be named or not.
static_libs() { pc --libs --static | tr ' ' '\n' | grep -vx -e -lgcc_s -e -lutil -e -lrt -e -lc | sort -u; }

# Cargo.toml does not list tsan.supp.
same "files, directories, and where links lead" "find . ! -path './share/nomyo*' -printf '%P %y %l\n' | sort"
same "the headers" "sha256sum include/*"
same "what CMake reads" "sha256sum share/cmake/nomyo/*"
same "soname, what is needed, flags" "readelf -d lib/libnomyo.so | grep -E 'SONAME|NEEDED|FLAGS|RPATH|RUNPATH'"
same "the global symbols of the archive" "nm --defined-only --extern-only --format=posix lib/libnomyo.a | grep -o '^[^ ]* [A-Z]'"
same "how often there is a soname" "readelf -d lib/libnomyo.so | grep -c SONAME | grep -x 1"
same "nomyo.pc: version" "pc --modversion"
same "nomyo.pc: flags" "pc --cflags --libs"
same "nomyo.pc: flags of a static program" static_libs
same "nomyo.pc: directories" "grep -E '^(prefix|libdir|includedir)=' lib/pkgconfig/nomyo.pc | sort"
same "nomyo.pc: name and description" "grep -E '^(Name|Description):' lib/pkgconfig/nomyo.pc"
check "the header is the committed one" cmp "$cargo/include/nomyo.h" "$root/include/nomyo.h"
check "the symbols are the header's" "$root/tests/c/symbols.sh" "$cargo/lib/libnomyo.so" "$root/include/nomyo.h"
echo "cinstall: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
