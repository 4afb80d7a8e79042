# The program of c-1-deb on a machine without a compiler. Only the shared library is installed.
# Root: SUITE
# Answer: Hello from C
# C library: gnu
! command -v cc
dpkg -i "/packages/libnomyo${ABI}_$VERSION-1_$(dpkg --print-architecture).deb"
./hello
