#!/bin/sh
# Installs the archive of this machine by the recipes for Conan and for vcpkg, and sends a chat through each:
#
#   tests/with_endpoint.sh -- packages/tests/recipes.sh TRIPLE
#
# Conan is the real one. vcpkg is on no registry: vcpkg_functions.cmake has stand-ins for the functions that the port calls.
set -eu
triple=$1 here=$PWD
. packages/version.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log=$work/log
. tests/check.sh

mkdir "$work/consumer"
cp examples/c/chat.c "$work/consumer"
cat >"$work/consumer/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(consumer C)
find_package(nomyo REQUIRED)
add_executable(chat chat.c)
target_link_libraries(chat nomyo::nomyo)
CMAKE

chats() { # DIRECTORY CMAKE-FLAG...
    built=$1
    shift
    cmake -S "$work/consumer" -B "$built" -DCMAKE_BUILD_TYPE=Release "$@"
    cmake --build "$built"
    echo "Hello from a recipe" | "$built/chat" --url "$NOMYO_TEST_BASE_URL" --ca "$NOMYO_TEST_CA_FILE" >"$built/said"
    cat "$built/said"
    grep -q "Hello from a recipe" "$built/said"
}

# The archive comes from dist in place of the release page.
by_conan() { # True | False
    export CONAN_HOME="$work/conan-home"
    recipe=$work/conan-$1
    cp -r dist/recipes/conan "$recipe"
    sed -i "s|https://github.com/nomyo-ai/libnomyo/releases/download/v$version/|file://$here/dist/|" "$recipe/conandata.yml"
    conan=$here/target/dist-tools/bin/conan
    "$conan" profile detect --exist-ok
    "$conan" create "$recipe" --version "$version" -o "nomyo/*:shared=$1"
    "$conan" install --requires "nomyo/$version" -o "nomyo/*:shared=$1" -g CMakeDeps -g VirtualRunEnv --output-folder "$work/deps-$1"
    (. "$work/deps-$1/conanrun.sh" && chats "$work/built-conan-$1" -DCMAKE_PREFIX_PATH="$work/deps-$1")
}

by_port() { # dynamic | static
    prefix=$work/vcpkg-$1/installed
    mkdir -p "$prefix"
    case $(uname -m) in aarch64) machine=arm64 ;; *) machine=x64 ;; esac
    cmake -DPORT="$here/dist/recipes/vcpkg/nomyo" -DVERSION="$version" -DARCHIVES="$here/dist" -DCURRENT_PACKAGES_DIR="$prefix" \
        -DVCPKG_TARGET_ARCHITECTURE=$machine -DVCPKG_LIBRARY_LINKAGE="$1" -P "$here/packages/tests/vcpkg_functions.cmake"
    chats "$work/built-vcpkg-$1" -DCMAKE_PREFIX_PATH="$prefix"
}

for shared in True False; do check "Conan, shared=$shared" by_conan $shared; done
for linkage in dynamic static; do check "vcpkg's port, $linkage" by_port $linkage; done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
