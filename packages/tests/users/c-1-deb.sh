# A C programmer on Debian, with the two packages.
# Root: SUITE-c
# Answer: Hello from C
# C library: gnu
arch=$(dpkg --print-architecture)
dpkg -i "/packages/libnomyo${ABI}_$VERSION-1_$arch.deb" "/packages/libnomyo-dev_$VERSION-1_$arch.deb"
cc hello.c $(pkg-config --cflags --libs nomyo) -o hello
./hello
