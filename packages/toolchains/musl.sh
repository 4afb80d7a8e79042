# Sourced: a C compiler and a linker for musl, on a system with glibc. `triple` is the target, and `out` a directory for what is made here.
#
# Sets `compiler`, `gcc_for_glibc` (a compiler of the same machine for glibc) and `rust_flags`. Exports what cargo and one_object.sh read.
case $triple in
x86_64-*)
    tests/require.sh musl-gcc=musl-tools
    gcc=musl-gcc gcc_for_glibc=cc kernel="/usr/include /usr/include/$(gcc -print-multiarch)"
    ;;
aarch64-*)
    . packages/toolchains/arm64.sh
    # The compiler is Debian's for ARM with glibc, and musl is Debian's for arm64.
    musl=$PWD/target/musl-arm64
    DEBIAN_ALONE=yes packages/toolchains/debian.sh arm64 "$musl" musl musl-dev
    # The specs name the directories of a system in which musl is installed.
    sed "s|/usr/include/aarch64-linux-musl|$musl&|g; s|-L/usr/lib/aarch64-linux-musl|-L$musl/lib/aarch64-linux-musl -L$musl/usr/lib/aarch64-linux-musl|
        s| /usr/lib/aarch64-linux-musl/| $musl/usr/lib/aarch64-linux-musl/|g" "$musl/usr/lib/aarch64-linux-musl/musl-gcc.specs" >"$out/musl-gcc.specs"
    # The atomics of libgcc ask __getauxval() of glibc for the processor's features.
    gcc="aarch64-linux-gnu-gcc -mno-outline-atomics -specs \"$out/musl-gcc.specs\"" gcc_for_glibc=aarch64-linux-gnu-gcc
    kernel=/usr/aarch64-linux-gnu/include
    ;;
esac
# musl's specs leave out the directories of glibc, where the kernel's headers lie, too. These have nothing of glibc.
mkdir -p "$out/kernel"
for directory in $kernel; do
    for headers in linux asm asm-generic; do
        [ ! -d "$directory/$headers" ] || ln -sfn "$directory/$headers" "$out/kernel/$headers"
    done
done
printf '#!/bin/sh\nexec %s -idirafter "%s/kernel" "$@"\n' "$gcc" "$out" >"$out/cc"
chmod +x "$out/cc"
compiler=$out/cc
rust_flags="-C target-feature=-crt-static -C linker-flavor=gcc"
lower=$(echo "$triple" | tr - _)
export "CARGO_TARGET_$(echo "$lower" | tr a-z A-Z)_LINKER=$PWD/bindings/c/install/musl_cc.sh" MUSL_CC="$compiler" RUST_TARGET="$triple"
export "CC_$lower=$compiler" "AR_$lower=${AR:-ar}"
# The archive contains the unwinder, because libgcc_eh of a compiler for glibc does not link with musl.
UNWINDER=$(rustc --print sysroot)/lib/rustlib/$triple/lib/self-contained/libunwind.a
export UNWINDER
