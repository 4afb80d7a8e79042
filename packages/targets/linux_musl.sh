# Sourced by the scripts of the targets with musl: musl_cc.sh links, and refuses a library that needs glibc.
out=$result/toolchain
mkdir -p "$out"
. packages/toolchains/musl.sh
crate_types=cdylib,staticlib

link() {
    for pair in libnomyo.so=libnomyo.so libnomyo_node.so=nomyo.node; do
        cp "$built/${pair%=*}" "$result/${pair#*=}"
        "${STRIP:-strip}" --strip-unneeded "$result/${pair#*=}"
    done
    bindings/c/install/one_object.sh "$built/libnomyo.a" "$result/libnomyo.a"
}
