# Sourced by the scripts of the targets with musl, after programs.sh.
. packages/toolchains/musl.sh
cargo_build="cargo build --target $triple"
export "CARGO_TARGET_$(echo "$triple" | tr a-z- A-Z_)_RUSTFLAGS=$rust_flags"

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
