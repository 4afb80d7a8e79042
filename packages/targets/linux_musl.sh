# Sourced by the scripts of the targets with musl: musl_cc.sh links, and refuses a library that needs glibc.
out=$result/toolchain
mkdir -p "$out"
. packages/toolchains/musl.sh
crate_types=cdylib,staticlib

link() {
    for pair in libnomyo.so=libnomyo.so libnomyo_node.so=nomyo.node; do
        cp "$built/${pair%=*}" "$result/${pair#*=}"
        "${STRIP:-strip}" --strip-unneeded "$result/${pair#*=}"
        # Alpine's name of the C library, which wheels must name (PEP 656). Every musl takes it for itself.
        "$root/target/dist-tools/bin/patchelf" --page-size 65536 --replace-needed libc.so "libc.musl-${triple%%-*}.so.1" "$result/${pair#*=}"
    done
    bindings/c/install/one_object.sh "$built/libnomyo.a" "$result/libnomyo.a"
}
