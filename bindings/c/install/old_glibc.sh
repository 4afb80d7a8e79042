#!/bin/sh
# Links a shared library from a static archive that cargo built, so that an old glibc loads it:
#
#   old_glibc.sh RAW_ARCHIVE OUT
#
# RAW_ARCHIVE is the libnomyo.a or the libnomyo_node.a for x86_64-unknown-linux-gnu or aarch64-unknown-linux-gnu, and OUT the libnomyo.so or
# Node's addon. A linker of this system would take the newest version of each symbol that this system's glibc has. zig has the
# symbols of each version of glibc. The unwinder becomes part of OUT, so that OUT does not need libgcc_s. OUT must not need a symbol
# newer than GLIBC, or nothing is written.
#
# Environment: GLIBC is the oldest glibc, 2.28 if it is not set. ZIG is the command of zig as words, `python3 -m ziglang` if it is not
# set, which is PyPI's package ziglang. LD, OBJCOPY, AR and READELF are one_object.sh's.
set -eu

raw=$1 out=$2
here=$(dirname "$0")
glibc=${GLIBC:-2.28}
zig=${ZIG:-python3 -m ziglang}
readelf=${READELF:-readelf}

fail() {
    echo "old_glibc: $*" >&2
    exit 1
}

[ -f "$raw" ] || fail "there is no $raw: build it first, with cargo rustc --crate-type staticlib"
$zig version >/dev/null || fail "there is no zig: install PyPI's package ziglang, or name the command with ZIG"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

case $raw in
*_node.a)
    cp "$raw" "$work/whole.a"
    # Node looks up this function. Node's own functions stay undefined.
    exports='napi_register_module_v1' flags=-z,undefs
    ;;
*)
    "$here/one_object.sh" "$raw" "$work/whole.a"
    exports='nomyo_*' flags=-soname,libnomyo.so.$(sed -n 's/^#define NOMYO_ABI_VERSION //p' "$here/../../../include/nomyo.h")
    ;;
esac
machine=$("$readelf" -h "$work/whole.a" 2>/dev/null | sed -n 's/^ *Machine: *//p' | sort -u)
case $machine in
*X86-64) processor=x86_64 ;;
AArch64) processor=aarch64 ;;
*) fail "$raw is for $machine, and not for x86-64 or 64-bit ARM" ;;
esac

echo "{ global: $exports; local: *; };" >"$work/exports"
# glibc has this function in each program and library. zig would take a symbol of GLIBC_2.2.5, which is there only for old programs.
cat >"$work/atfork.c" <<'C'
extern void *__dso_handle;
extern int __register_atfork(void (*)(void), void (*)(void), void (*)(void), void *);
int pthread_atfork(void (*before)(void), void (*in_parent)(void), void (*in_child)(void)) {
    return __register_atfork(before, in_parent, in_child, &__dso_handle);
}
C
$zig cc -target "$processor-linux-gnu.$glibc" -shared -o "$work/library.so" \
    "$work/atfork.c" -Wl,--whole-archive "$work/whole.a" -Wl,--no-whole-archive -lunwind -lm -lpthread -ldl \
    -Wl,--gc-sections,$flags,-z,nodelete,-z,relro,-z,now,--version-script="$work/exports" || fail "zig could not link $raw"

"$readelf" -VW "$work/library.so" | grep -o 'GLIBC_[0-9][0-9.]*' | sort -Vu >"$work/versions"
newest=$(tail -n 1 "$work/versions")
[ -n "$newest" ] || fail "the result names no version of glibc"
[ "$(printf '%s\n' "$newest" "GLIBC_$glibc" | sort -V | tail -n 1)" = "GLIBC_$glibc" ] || fail "the result needs $newest, newer than GLIBC_$glibc"
install -m 755 "$work/library.so" "$out" || fail "$out could not be written"
echo "$out: for $processor, needs $newest"
