# Sourced by packages/build.sh. This machine's compiler builds the archives, and zig links them for glibc 2.28.
ZIG="$root/target/dist-tools/bin/python -m ziglang"
export ZIG
