#!/bin/sh
# musl 1.2, which Alpine Linux has. Everything runs natively.
set -eu

triple=x86_64-unknown-linux-musl
. tests/cross/cells.sh
. tests/cross/programs.sh

# musl-gcc leaves out /usr/include, with the kernel's headers, which have nothing of glibc.
mkdir -p "$out/kernel"
for headers in linux asm-generic "$(gcc -print-multiarch)/asm"; do
    ln -sfn "/usr/include/$headers" "$out/kernel/$(basename "$headers")"
done
printf '#!/bin/sh\nexec musl-gcc -idirafter "%s/kernel" "$@"\n' "$out" >"$out/cc"
chmod +x "$out/cc"
compiler=$out/cc
cargo_build="cargo build --target $triple"
CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER=$PWD/bindings/c/install/musl_cc.sh
CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS="-C target-feature=-crt-static -C linker-flavor=gcc"
# The archive contains the unwinder, because libgcc_eh of a compiler for glibc does not link with musl.
UNWINDER=$(rustc --print sysroot)/lib/rustlib/$triple/lib/self-contained/libunwind.a
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS UNWINDER

builds_for_musl() { # PROVIDER
    build "$1"
    readelf -d "$out/$1/libnomyo.so"
    readelf -d "$out/$1/libnomyo.so" | grep -q 'NEEDED.*\[libc\.so\]'
    ! readelf -d "$out/$1/libnomyo.so" | grep -q 'libc\.so\.6\|libgcc_s'
}

# The linker that cargo takes by itself would link glibc. musl_cc.sh must refuse such a result, here made with cc.
refuses_glibc() {
    echo 'int f(void) { return 0; }' >"$out/f.c"
    if MUSL_CC=cc bindings/c/install/musl_cc.sh -shared -Wl,--no-as-needed "$out/f.c" -o "$out/f.so" 2>"$out/said"; then
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

go_suite() {
    leaves_out TestAService "it builds a program with -race, which Go does not have for musl"
    leaves_out "TestWithoutTheLibraryTheBuildSaysWhatToDo, TestWithTheOtherCLibraryTheBuildSaysWhatToDo" "their flags are their own"
    CC=$compiler GOFLAGS=-tags=musl tests/cross/go.sh "target/cross/$triple" linux_amd64_musl "$out/aws-lc/libnomyo.a" \
        -skip '^TestAService$|^TestWithoutTheLibrary|^TestWithTheOtherCLibrary'
}

cell builds eval 'builds_for_musl aws-lc; refuses_glibc'
cell "builds pure" builds_for_musl rustcrypto
cell "C contract" contract
cell chat chats
cell "key directory" key_directory
cell "memory report" eval 'memory_report full; memory_scan'
not_run Python "needs a Python that is linked with musl, and Alpine's packages cannot be reached here"
cell Go go_suite
not_run Node "needs a Node that is linked with musl, and Alpine's packages cannot be reached here"
