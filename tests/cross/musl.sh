# Sourced by the scripts of the targets with musl, after programs.sh.
#
# `gcc` is the command of a compiler with musl's specs, `gcc_for_glibc` a compiler of the same machine for glibc, and `kernel` the
# directories that have the kernel's headers.

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
cargo_build="cargo build --target $triple"
variable=CARGO_TARGET_$(echo "$triple" | tr a-z- A-Z_)
export "${variable}_LINKER=$PWD/bindings/c/install/musl_cc.sh" MUSL_CC="$compiler" RUST_TARGET="$triple"
export "${variable}_RUSTFLAGS=-C target-feature=-crt-static -C linker-flavor=gcc"
# The archive contains the unwinder, because libgcc_eh of a compiler for glibc does not link with musl.
UNWINDER=$(rustc --print sysroot)/lib/rustlib/$triple/lib/self-contained/libunwind.a
export UNWINDER

builds_for_musl() { # PROVIDER
    build "$1"
    needs_musl "$out/$1/libnomyo.so"
}

needs_musl() { # FILE
    readelf -dW "$1"
    readelf -dW "$1" | grep -q 'NEEDED.*\[libc\.so\]'
    ! readelf -dW "$1" | grep -q 'libc\.so\.6\|libgcc_s'
}

# The linker that cargo takes by itself would link glibc. musl_cc.sh must refuse such a result, here made with a compiler for glibc.
refuses_glibc() {
    echo 'int f(void) { return 0; }' >"$out/f.c"
    if MUSL_CC=$gcc_for_glibc bindings/c/install/musl_cc.sh -shared -Wl,--no-as-needed "$out/f.c" -o "$out/f.so" 2>"$out/said"; then
        echo "failed: musl_cc.sh made a library that needs glibc"
        return 1
    fi
    cat "$out/said"
    grep -q 'would need libc.so.6' "$out/said"
    [ ! -e "$out/f.so" ]
}

contract() {
    for provider in $providers; do
        make -C tests/c CC=cc LIB_DIR="../../target/cross/$triple/$provider" check-symbols
        c_programs "$provider" shared
        # Programs that replace functions of the C library find the real ones by dlsym(), which a static program does not have.
        c_programs "$provider" static CFLAGS=-static PROGRAMS="library sealed chat fork small_stack"
    done
}
