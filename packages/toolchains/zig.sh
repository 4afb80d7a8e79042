# Sourced: installs zig once. It brings a compiler, the headers of Apple's systems, and the symbols of each version of glibc.
zig_directory=$PWD/target/zig
if [ ! -e "$zig_directory/ready" ]; then
    python3 -m venv --clear "$zig_directory"
    "$zig_directory/bin/pip" install -q --disable-pip-version-check -r packages/toolchains/requirements.txt
    touch "$zig_directory/ready"
fi
ziglang=$("$zig_directory/bin/python" -c 'import pathlib, ziglang; print(pathlib.Path(ziglang.__file__).parent)')
ZIG=$ziglang/zig ZIG_GLOBAL_CACHE_DIR=$PWD/target/zig-cache ZIG_LOCAL_CACHE_DIR=$PWD/target/zig-cache
export ZIG ZIG_GLOBAL_CACHE_DIR ZIG_LOCAL_CACHE_DIR
