#!/bin/sh
# Uses the Go package as somebody else's program does: outside this checkout, from an empty module, vendored.
#
#   tests/with_endpoint.sh ... tests/go_install.sh LIBRARY-DIR OUT-DIR
#
# Every Go program in the package's README is built and run, with the static library and with the shared one, after the
# README's own commands have put the package into the module.
set -eu
lib=$1 out=$2 here=$PWD module=github.com/nomyo-ai/libnomyo/bindings/go
export GOPROXY=off GOWORK=off GOFLAGS=-buildvcs=false
rm -rf "$out"
mkdir -p "$out"
outside=$(mktemp -d)
trap 'rm -rf "$outside"' EXIT INT TERM

log=$out/log
. tests/check.sh

# A published module has the library in it, and nothing of the checkout around it.
mkdir -p "$outside/libnomyo/bindings"
published=$outside/libnomyo/bindings/go
cp -r bindings/go "$published"
find "$published" -name '*_test.go' -delete

# One program per code block that is one.
awk -v dir="$outside/programs" '
    /^```go$/ { inside = 1; next }
    /^```$/ { inside = 0 }
    inside && /^package main$/ { n++; system("mkdir -p " dir "/" n) }
    inside && n { print > (dir "/" n "/main.go") }' bindings/go/README.md
check "the README has programs" test -s "$outside/programs/1/main.go"
sed -n '/^```sh$/,/^```$/p' bindings/go/README.md | sed "/^\`\`\`/d; s#/path/to/libnomyo#$outside/libnomyo#" >"$outside/commands.sh"
check "the README has commands" grep -q '^go get ' "$outside/commands.sh"

app() { # DIR: an empty module that requires the package, with the README's programs
    mkdir "$1" && cp -r "$outside"/programs/* "$1" && cd "$1" && go mod init example.com/app && sh -e "$outside/commands.sh" &&
        go mod vendor
}

runs() { # PROGRAM [ENVIRONMENT...]: says what it is told, or shows the server's fingerprints
    program=$1
    shift
    echo "Hello from outside" | env NOMYO_BASE_URL="$NOMYO_TEST_BASE_URL" SSL_CERT_FILE="$NOMYO_TEST_CA_FILE" \
        NOMYO_API_KEY="$NOMYO_TEST_API_KEY" "$@" "$program" "$outside/key" "$outside/request.json" >"$out/said"
    cat "$out/said"
    grep -q '^Hello\|^leaf sha256/' "$out/said"
}

echo "$NOMYO_TEST_API_KEY" >"$outside/key"
echo '{"model":"m","messages":[{"role":"user","content":"Hello from a file"}]}' >"$outside/request.json"

links() { ldd "$1" | grep -q 'libnomyo\.so\.0 => '; }
links_not() { ! links "$1"; }

# The libraries of glibc: until version 2.33, libm, libpthread and libdl were libraries of their own.
needs_glibc_alone() {
    readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' >"$out/needed"
    cat "$out/needed"
    grep -q '^libc\.so\.6$' "$out/needed" && ! grep -v '^libc\.so\.6$\|^ld-linux\|^libm\.so\.6$\|^libpthread\.so\.0$\|^libdl\.so\.2$' "$out/needed"
}

for linked in static dynamic; do
    check "the README's commands put the package into a module ($linked)" app "$outside/$linked"
    cd "$here"
done
platform=$(go env GOOS)_$(go env GOARCH)
for file in nomyo.h library.h "lib/$platform/libnomyo.a"; do
    check "vendoring keeps $file" test -s "$outside/static/vendor/$module/$file"
done
# From here on there is what was vendored, and nothing else; the shared library comes with a header of its own.
rm -r "$published" "$outside/dynamic/vendor/$module/nomyo.h" "$outside/dynamic/vendor/$module/lib/$platform/libnomyo.a"
mkdir -p "$outside/installed/lib/pkgconfig" "$outside/installed/include"
cp include/nomyo.h "$outside/installed/include"
cp "$lib/libnomyo.so" "$outside/installed/lib/libnomyo.so.0"
ln -s libnomyo.so.0 "$outside/installed/lib/libnomyo.so"
cat >"$outside/installed/lib/pkgconfig/nomyo.pc" <<PC
prefix=$outside/installed
Name: nomyo
Description: client for NOMYO's end-to-end-encrypted chat endpoint
Version: 0.1.0
Cflags: -I\${prefix}/include
Libs: -L\${prefix}/lib -lnomyo
PC
export PKG_CONFIG_PATH="$outside/installed/lib/pkgconfig"

cd "$outside/static"
for n in *; do
    [ -f "$n/main.go" ] || continue
    check "program $n of the README builds" go build -mod=vendor -o "$outside/program-$n" "./$n"
    check "program $n needs no libnomyo.so" links_not "$outside/program-$n"
    check "program $n needs no shared library but glibc's" needs_glibc_alone "$outside/program-$n"
    check "program $n does what it says" runs "$outside/program-$n"
done

cd "$outside/dynamic"
check "with the shared library it builds" go build -mod=vendor -tags nomyo_dynamic -o "$outside/program-shared" ./1
check "and needs libnomyo.so.0" links "$outside/program-shared"
check "and says what it is told" runs "$outside/program-shared" LD_LIBRARY_PATH="$outside/installed/lib"

without_library() {
    ! go build -mod=vendor -o "$out/none" ./1 2>"$out/said" && cat "$out/said" && grep -q "run .make go-lib. in libnomyo's checkout" "$out/said"
}
check "without either library the error says what to do" without_library

cd "$here"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
