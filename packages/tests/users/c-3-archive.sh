# A C programmer with the archive, unpacked in the home directory. Both libraries are linked.
# Root: SUITE-c
# Answer: Hello from C
tar -xzf "/packages/libnomyo-$VERSION-$TRIPLE.tar.gz"
prefix=$PWD/libnomyo-$VERSION-$TRIPLE
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
cc hello.c $(pkg-config --cflags --libs nomyo) -Wl,-rpath,"$prefix/lib" -o hello
./hello
cc hello.c $(pkg-config --cflags nomyo) "$prefix/lib/libnomyo.a" -lm -ldl -lpthread -o static
rm -r "$prefix"
./static
