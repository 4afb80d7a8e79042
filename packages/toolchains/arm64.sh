# Sourced: Debian's tools for Linux on 64-bit ARM.
tests/require.sh aarch64-linux-gnu-gcc=gcc-aarch64-linux-gnu /usr/aarch64-linux-gnu/lib/libc.so.6=libc6-dev-arm64-cross
LD=aarch64-linux-gnu-ld OBJCOPY=aarch64-linux-gnu-objcopy AR=aarch64-linux-gnu-ar STRIP=aarch64-linux-gnu-strip
export LD OBJCOPY AR STRIP
