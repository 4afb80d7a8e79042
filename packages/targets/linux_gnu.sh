# Sourced by the scripts of the targets with glibc.
. packages/toolchains/zig.sh
crate_types=staticlib

link() {
    bindings/c/install/old_glibc.sh "$built/libnomyo.a" "$result/libnomyo.so"
    bindings/c/install/old_glibc.sh "$built/libnomyo_node.a" "$result/nomyo.node"
    "${STRIP:-strip}" --strip-unneeded "$result/libnomyo.so" "$result/nomyo.node"
    bindings/c/install/one_object.sh "$built/libnomyo.a" "$result/libnomyo.a"
}
