# Sourced by the scripts of the targets for macOS. There is no static archive: only Apple's linker makes one object of it.
. packages/toolchains/macos/sdk.sh
crate_types=cdylib

link() {
    cp "$built/libnomyo.dylib" "$result"
    cp "$built/libnomyo_node.dylib" "$result/nomyo.node"
}
