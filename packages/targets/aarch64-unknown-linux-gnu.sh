# Debian's compiler for ARM builds the archives, and zig links them for glibc 2.28.
. packages/toolchains/arm64.sh
. packages/targets/linux_gnu.sh
CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER
