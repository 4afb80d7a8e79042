# MinGW builds and links. The DLL needs no library of MinGW.
tests/require.sh x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64 x86_64-w64-mingw32-dlltool=binutils-mingw-w64-x86-64
# The functions of Node are looked up when the addon is loaded. napi-build wants an import library for MinGW, and an empty one serves.
mkdir -p "$result/node"
printf 'LIBRARY node.exe\nEXPORTS\n' >"$result/node/node.def"
x86_64-w64-mingw32-dlltool -d "$result/node/node.def" -l "$result/node/libnode.dll"
LIBNODE_PATH=$result/node AWS_LC_SYS_PREBUILT_NASM=1
export LIBNODE_PATH AWS_LC_SYS_PREBUILT_NASM
crate_types=cdylib,staticlib
# The time of the link would be in the DLL.
rust_flags="-C link-arg=-Wl,--no-insert-timestamp"

link() {
    cp "$built/nomyo.dll" "$built/libnomyo.dll.a" "$built/libnomyo.a" "$result"
    # Go's alone: install.sh says why the C archive has no static library. It is without debugging information.
    x86_64-w64-mingw32-ar t "$result/libnomyo.a" | grep '\.dwo$' | xargs x86_64-w64-mingw32-ar dD "$result/libnomyo.a"
    x86_64-w64-mingw32-objcopy --strip-debug --remove-section=.llvmbc --remove-section=.llvmcmd "$result/libnomyo.a"
    cp "$built/nomyo_node.dll" "$result/nomyo.node"
    x86_64-w64-mingw32-strip --strip-unneeded "$result/nomyo.dll" "$result/nomyo.node"
}
