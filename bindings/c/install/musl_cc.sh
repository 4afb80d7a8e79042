#!/bin/sh
# Links for musl on a system of glibc. rustc and cargo take it as their linker:
#
#   CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER=$PWD/bindings/c/install/musl_cc.sh \
#   RUSTFLAGS="-C target-feature=-crt-static -C linker-flavor=gcc" \
#       cargo build --release --lib --target x86_64-unknown-linux-musl
#
# Without -crt-static, cargo builds no shared library. With it, rustc asks for libgcc_s. The compiler of musl has none, or finds
# glibc's. The unwinder of the Rust toolchain takes its place.
#
# A plain `cc` as linker exits with 0, and its library needs glibc's libc.so.6. This script removes such a result and fails.
#
# Environment: MUSL_CC is the compiler, RUST_TARGET the target, READELF the tool that reads the result.
set -eu

compiler=${MUSL_CC:-musl-gcc} target=${RUST_TARGET:-x86_64-unknown-linux-musl} readelf=${READELF:-readelf}

fail() {
    echo "musl_cc: $*" >&2
    exit 1
}
for tool in "$compiler" "$readelf"; do
    command -v "$tool" >/dev/null || fail "$tool is missing: install musl-tools and binutils, or set MUSL_CC or READELF"
done
unwinder=$("${RUSTC:-rustc}" --print sysroot)/lib/rustlib/$target/lib/self-contained/libunwind.a
[ -f "$unwinder" ] || fail "there is no $unwinder: run rustup target add $target"

output=a.out before=
for argument; do
    shift
    case $argument in
    -lgcc_s) argument=$unwinder ;;
    @*) fail "arguments in a file are not read: link in a directory with a shorter path" ;;
    esac
    [ "$before" != -o ] || output=$argument
    before=$argument
    set -- "$@" "$argument"
done
"$compiler" "$@" || exit

# The program or library needs the C library of musl or none, and never a library that needs glibc.
[ -f "$output" ] || exit 0 # only asked for its version, for example
dynamic=$("$readelf" -dW "$output") || fail "$readelf could not read $output"
for library in $(echo "$dynamic" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
    case $library in
    libc.so | libc.musl-*.so.1) ;;
    *)
        rm -f "$output"
        fail "$output would need $library, which musl does not have; it was removed"
        ;;
    esac
done
