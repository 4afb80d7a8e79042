#!/bin/sh
# The libraries go where LIBDIR says, and pkg-config and CMake find them there, beside other libraries of the same name in lib.
#
#   tests/with_endpoint.sh bindings/c/tests/libdir.sh PREFIX SCRATCH_DIR
#
# PREFIX has an installed library, which this script installs again.
set -eu

root=$(cd "$(dirname "$0")/../../.." && pwd)
built=$(cd "$1" && pwd)/lib scratch=$2
rm -rf "$scratch"
mkdir -p "$scratch"
scratch=$(cd "$scratch" && pwd)
cd "$scratch"
libdir=lib/some-linux-gnu prefix=$scratch/prefix
. "$root/tests/check.sh"
refused() { # PREFIX LIBDIR
    ! "$root/bindings/c/install/install.sh" "$built" "$1" "" "$2" 2>said && grep -q 'not below the prefix' said && [ ! -e "$1" ]
}
chats() { # PROGRAM
    echo "Hello from there" | "$1" --url "$NOMYO_TEST_BASE_URL" --ca "$NOMYO_TEST_CA_FILE" | grep -q "Hello from there"
}

# The Makefile passes LIBDIR on. It finds a cargo that gives what was built before.
mkdir -p stubs target/release
cp "$built/libnomyo.so" "$built/libnomyo.a" target/release/
printf '#!/bin/sh\n[ "$*" = "build --release --lib" ]\n' >stubs/cargo
chmod +x stubs/cargo
check "make install takes LIBDIR" env PATH="$scratch/stubs:$PATH" MAKEFLAGS= \
    make -C "$root" install TARGET="$scratch/target" PREFIX="$prefix" LIBDIR="$libdir"
check "no library is in lib" test ! -e "$prefix/lib/libnomyo.so" -a -e "$prefix/$libdir/libnomyo.a" -a -e "$prefix/$libdir/libnomyo.so.0"
check "LIBDIR may be absolute" "$root/bindings/c/install/install.sh" "$built" "$scratch/other" "" "$scratch/other/$libdir"
check "an absolute LIBDIR installs the same files" sh -c "(cd prefix && find . | sort) >a && (cd other && find . | sort) >b && cmp a b"
check "LIBDIR is below DESTDIR" sh -c "'$root/bindings/c/install/install.sh' '$built' /opt/nomyo '$scratch/staged' '$libdir' &&
    grep -x 'libdir=\${prefix}/$libdir' 'staged/opt/nomyo/$libdir/pkgconfig/nomyo.pc' && [ -e 'staged/opt/nomyo/$libdir/libnomyo.so' ]"
check "a LIBDIR elsewhere is refused" refused "$scratch/none" /usr/lib
check "a LIBDIR that leads out is refused" refused "$scratch/none" lib/../..

# A library of the same name that is no library lies where CMake would look first without LIBDIR.
echo "this is no library" >"$prefix/lib/libnomyo.so"
cp "$prefix/lib/libnomyo.so" "$prefix/lib/libnomyo.a"
cp "$root/examples/cpp/chat.cpp" .
export PKG_CONFIG_PATH="$prefix/$libdir/pkgconfig" PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1
check "pkg-config knows LIBDIR" test "$(pkg-config --variable=libdir nomyo)" = "$prefix/$libdir"
check "a program links by pkg-config" sh -c "c++ -std=c++17 chat.cpp \$(pkg-config --cflags --libs nomyo) -Wl,-rpath,'$prefix/$libdir' -o by_pkg_config"
check "the program chats" chats ./by_pkg_config
cat >CMakeLists.txt <<'END_OF_FILE'
cmake_minimum_required(VERSION 3.16)
project(consumer CXX)
find_package(nomyo 0.1 REQUIRED)
set(CMAKE_CXX_STANDARD 17)
add_executable(shared chat.cpp)
target_link_libraries(shared nomyo::nomyo)
add_executable(static chat.cpp)
target_link_libraries(static nomyo::static)
END_OF_FILE
check "CMake finds LIBDIR" cmake -S . -B cmake -DCMAKE_PREFIX_PATH="$prefix"
check "CMake builds" cmake --build cmake
check "the program of CMake chats" chats cmake/shared
check "the static program of CMake chats" chats cmake/static
cd "$root"
rm -rf "$scratch"
echo "libdir: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
