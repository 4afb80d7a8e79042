# A compiler of this machine builds the archives, and zig links them for glibc 2.28.
. packages/targets/linux_gnu.sh
