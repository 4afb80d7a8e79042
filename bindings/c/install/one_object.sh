#!/bin/sh
# Makes libnomyo.a one object whose only global symbols are nomyo_*.
#
#   one_object.sh RAW_ARCHIVE OUT
#
# RAW_ARCHIVE is the libnomyo.a that cargo builds. It defines Rust's allocator, AWS-LC and the standard library as global
# symbols. A program with a second Rust archive then does not link, or the second archive allocates in the vault.
#
# Environment: LD, OBJCOPY, AR and READELF name the tools, for cross builds. Debugging information is left out. UNWINDER names an
# archive that becomes part of the object. A program for musl needs it if its compiler has no unwinder for musl, as musl-gcc on
# a system with glibc. It is in the Rust toolchain, lib/rustlib/TARGET/lib/self-contained/libunwind.a.
#
# The tools of other systems:
#   GNU ld   version 2.29 or newer, for --force-group-allocation.
#   lld      version 19 or newer, for the same option. It has no --gc-sections with -r, so the archive is larger.
#   gold     has no --force-group-allocation: use GNU ld. Programs may be linked with gold.
#   Apple    used on macOS, through cc; CC names another compiler. Written from ld(1), and not run yet.
set -eu

raw=$1 out=$2
header=$(dirname "$0")/../../../include/nomyo.h
ld=${LD:-ld} objcopy=${OBJCOPY:-objcopy} ar=${AR:-ar} readelf=${READELF:-readelf}

fail() {
    echo "one_object: $*" >&2
    exit 1
}

unwinder=${UNWINDER:-}
[ -z "$unwinder" ] || [ -f "$unwinder" ] || fail "there is no $unwinder, which UNWINDER names"
[ -f "$raw" ] || fail "there is no $raw: build the library first, with cargo build --lib"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The functions of the header.
grep -oE '^(NOMYO_MUST_USE )?[a-z].*[ *]nomyo_[a-z0-9_]+\(' "$header" | sed 's/.*[ *]\(nomyo_[a-z0-9_]*\)($/\1/' | sort -u >"$work/functions"
[ "$(wc -l <"$work/functions")" -gt 40 ] || fail "$header declares only $(wc -l <"$work/functions") functions"

if [ "$(uname -s)" = Darwin ]; then
    globals() { nm -gUj "$1" 2>/dev/null | sed -n 's/^_//p' | sort; }
    if [ "$("$ar" t "$raw" 2>/dev/null | grep -v '^__.SYMDEF')" = nomyo.o ] && globals "$raw" | cmp -s "$work/functions" -; then
        [ "$raw" -ef "$out" ] || install -m 644 "$raw" "$out" || fail "$out could not be written"
        exit 0
    fi
    sed 's/^/_/' "$work/functions" >"$work/exports"
    sed 's/^/-Wl,-u,/' "$work/exports" >"$work/arguments"
    # The other global symbols become private, and ld -r makes private symbols local.
    ${CC:-cc} -arch "$(lipo -archs "$raw")" -r -nostdlib @"$work/arguments" -Wl,-exported_symbols_list,"$work/exports" -Wl,-x "$raw" \
        -o "$work/nomyo.o" || fail "the linker could not link $raw into one object; is it the archive that cargo built, for one processor?"
    globals "$work/nomyo.o" >"$work/globals"
    cmp -s "$work/functions" "$work/globals" ||
        fail "the global symbols are not the header's functions: $(diff "$work/functions" "$work/globals" | grep '^[<>]' | head -n 5 | tr '\n' ' ')"
    rm -f "$work/libnomyo.a"
    ZERO_AR_DATE=1 "$ar" crs "$work/libnomyo.a" "$work/nomyo.o" || fail "$ar could not write the archive"
    mv "$work/libnomyo.a" "$out" || fail "$out could not be written"
    chmod 644 "$out"
    exit 0
fi
for tool in "$ld" "$objcopy" "$ar" "$readelf"; do
    command -v "$tool" >/dev/null || fail "$tool is missing: install binutils, or name the tool with LD, OBJCOPY, AR or READELF"
done
"$ld" --help | grep -q -- '--force-group-allocation' ||
    fail "$ld has no --force-group-allocation: set LD to GNU ld 2.29 or newer, or to lld 19 or newer"

# The global symbols of a file. $8 is the name, $7 the section of a definition.
globals() { "$readelf" --syms --wide "$1" | awk '$5 != "LOCAL" && $7 ~ /^[0-9]|COM/ { print $8 }' | sort; }

# An archive that this script made stays as it is.
if [ "$("$ar" t "$raw" 2>/dev/null)" = nomyo.o ] && globals "$raw" | cmp -s "$work/functions" -; then
    [ "$raw" -ef "$out" ] || install -m 644 "$raw" "$out" || fail "$out could not be written"
    exit 0
fi

# Each function of the header is a root.
sed 's/^/--undefined=/' "$work/functions" >"$work/arguments"
case $("$ld" --version) in
*LLD*) ;;
*) echo --gc-sections >>"$work/arguments" ;;
esac

# Groups must be dissolved. Otherwise the linker of a program keeps one of two equal groups, and local references into the
# dropped group break.
"$ld" -r --force-group-allocation @"$work/arguments" "$raw" ${unwinder:+"$unwinder"} -o "$work/nomyo.o" ||
    fail "$ld could not link $raw into one object; is it the archive that cargo built, for this machine?"
# The standard library's bitcode is removed, because tools with an older LLVM plug-in abort when they read it.
# GNU ld leaves the weak references of collected sections behind, as strong ones. --strip-unneeded removes them.
"$objcopy" --remove-section=.llvmbc --remove-section=.llvmcmd --strip-unneeded --wildcard --keep-global-symbol='nomyo_*' "$work/nomyo.o" ||
    fail "$objcopy could not make the symbols of $raw local"
globals "$work/nomyo.o" >"$work/globals"
cmp -s "$work/functions" "$work/globals" ||
    fail "the global symbols are not the header's functions: $(diff "$work/functions" "$work/globals" | grep '^[<>]' | head -n 5 | tr '\n' ' ')"
rm -f "$work/libnomyo.a"
"$ar" crsD "$work/libnomyo.a" "$work/nomyo.o" || fail "$ar could not write the archive"
mv "$work/libnomyo.a" "$out" || fail "$out could not be written"
chmod 644 "$out"
