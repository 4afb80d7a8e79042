# Sourced: a C compiler, a linker and a directory as Apple's SDK is, for macOS. `triple` is the target.
#
# zig compiles the C code: it brings Apple's headers. The linker is the lld of the Rust toolchain, because zig's wants symbols that
# only dead code names. It links against stubs: libSystem's from zig, those of the frameworks and of libiconv from stubs/.
# Sets `compiler`, `processor` and `oldest`. Exports what cargo and both programs read.
. packages/toolchains/zig.sh
here=$PWD/packages/toolchains/macos
lower=$(echo "$triple" | tr - _)
export "CARGO_TARGET_$(echo "$lower" | tr a-z A-Z)_LINKER=$here/lld_cc.sh"
LLD=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin/rust-lld
compiler=$here/zig_cc.sh
export "CC_$lower=$compiler" "CXX_$lower=$compiler"
# The oldest macOS that Rust's targets are for.
case $triple in
aarch64-*) processor=arm64 oldest=11.0 ;;
x86_64-*) processor=x86_64 oldest=10.12 ;;
esac
SDKROOT=$PWD/target/macos-sdk
export LLD SDKROOT OLDEST="$oldest" ZIG_TARGET="${triple%%-*}-macos.$oldest"
# zig's stub of libSystem is for arm64e, whose functions are those of arm64.
rm -rf "$SDKROOT"
mkdir -p "$SDKROOT/usr/lib" "$SDKROOT/System/Library"
sed -E 's/arm64e\.x1-[a-z]+,? ?//g; s/arm64e-/arm64-/g' "$ziglang/lib/libc/darwin/libSystem.tbd" >"$SDKROOT/usr/lib/libSystem.tbd"
for name in c m; do ln -s libSystem.tbd "$SDKROOT/usr/lib/lib$name.tbd"; done
ln -s "$here/stubs/libiconv.tbd" "$SDKROOT/usr/lib/"
ln -s "$here/stubs" "$SDKROOT/System/Library/Frameworks"
