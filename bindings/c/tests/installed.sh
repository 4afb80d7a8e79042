#!/bin/sh
# Builds the examples from what was installed, as users do: with pkg-config, statically, and with CMake from C and C++. Each
# then chats with the endpoint that tests/with_endpoint.sh started.
#
#   tests/with_endpoint.sh bindings/c/tests/installed.sh PREFIX SCRATCH_DIR
set -eu

root=$(cd "$(dirname "$0")/../../.." && pwd)
prefix=$(cd "$1" && pwd) scratch=$2
rm -rf "$scratch"
mkdir -p "$scratch"
scratch=$(cd "$scratch" && pwd)
passed=0 failed=0

chats() {
    name=$1
    shift
    if reply=$(echo "Hello from there" | "$@" --url "$NOMYO_TEST_BASE_URL" --ca "$NOMYO_TEST_CA_FILE") &&
        echo "$reply" | grep -q "Hello from there"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$name does not chat: $reply" >&2
    fi
}

export PKG_CONFIG_PATH="$prefix/lib/pkgconfig" PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1
cd "$scratch"
cp "$root/examples/c/chat.c" "$root/examples/cpp/chat.cpp" .

# shellcheck disable=SC2046 # flags are words
cc chat.c $(pkg-config --cflags --libs nomyo) -Wl,-rpath,"$prefix/lib" -o by_pkg_config
chats pkg-config ./by_pkg_config
# shellcheck disable=SC2046
cc chat.c $(pkg-config --cflags nomyo) "$prefix/lib/libnomyo.a" $(pkg-config --libs --static nomyo | sed 's/-lnomyo//') -o static
chats "static link" ./static
if ldd static | grep -q libnomyo; then
    failed=$((failed + 1))
    echo "the static program asks for libnomyo.so" >&2
else
    passed=$((passed + 1))
fi

cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.16)
project(consumer C CXX)
find_package(nomyo 0.1 REQUIRED)
set(CMAKE_CXX_STANDARD 17)
add_executable(c_shared chat.c)
target_link_libraries(c_shared nomyo::nomyo)
add_executable(cpp_shared chat.cpp)
target_link_libraries(cpp_shared nomyo::nomyo)
add_executable(cpp_static chat.cpp)
target_link_libraries(cpp_static nomyo::static)
END
cmake -S . -B cmake -DCMAKE_PREFIX_PATH="$prefix" >cmake.log
cmake --build cmake >>cmake.log
for program in c_shared cpp_shared cpp_static; do
    chats "CMake $program" "cmake/$program"
done
cp -a "$prefix" without_shared
rm without_shared/lib/libnomyo.so*
cmake -S . -B static_alone -DCMAKE_PREFIX_PATH="$PWD/without_shared" >cmake.log
cmake --build static_alone >>cmake.log
chats "CMake, the static library alone" static_alone/c_shared
if cmake -S . -B refused -DCMAKE_PREFIX_PATH="$prefix" >/dev/null 2>&1 &&
    sed -i 's/nomyo 0.1 /nomyo 9.0 /' CMakeLists.txt && ! cmake -S . -B refused -DCMAKE_PREFIX_PATH="$prefix" >/dev/null 2>&1; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
    echo "another version than the one asked for is found" >&2
fi
# found VERSION WANTED: whether CMake finds a library of a version where another is wanted.
found() {
    cp "$prefix/include/nomyo.h" installed.h
    sed -i -E "s/^(#define NOMYO_VERSION_MAJOR) .*/\1 ${1%%.*}/; s/^(#define NOMYO_VERSION_MINOR) .*/\1 ${1##*.}/" "$prefix/include/nomyo.h"
    sed -i "s/^find_package(nomyo .*/find_package(nomyo $2 REQUIRED)/" CMakeLists.txt
    rm -rf refused && cmake -S . -B refused -DCMAKE_PREFIX_PATH="$prefix" >/dev/null 2>&1
    status=$?
    cp installed.h "$prefix/include/nomyo.h"
    return $status
}
if found 0.1 0.1 && found 0.2 0.1 && ! found 0.1 0.2 && ! found 1.0 0.1; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
    echo "find_package: a later version with the same first number is refused, or another one is accepted" >&2
fi
if ! "$root/bindings/c/install/install.sh" "$prefix/lib" some/where 2>refusal && grep -q 'is not absolute' refusal &&
    [ ! -e some ]; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
    echo "a prefix that is not absolute is installed to, or refused without a word" >&2
fi
rm -rf "$scratch"
echo "installed: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
