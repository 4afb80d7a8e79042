#!/bin/bash
# Installs the artefacts for Windows as users do, and sends a chat under Wine:
#
#   tests/with_endpoint.sh --api-key dist-key -- packages/tests/windows.sh
#
# Wine runs the programs. pip, npm and the C compiler of this machine install and compile for Windows.
set -euo pipefail
here=$PWD out=$PWD/target/cross/windows-users triple=x86_64-pc-windows-gnu
rm -rf "$out"
mkdir -p "$out"
. packages/version.sh
log=$out/log
. tests/check.sh
. packages/tests/page.sh
. tests/cross/windows/wine.sh
downloads=$PWD/target/cross/windows-downloads
. tests/cross/windows/downloads.sh
wine_is_ready >"$out/wine.log" 2>&1
python3 packages/tests/registry.py dist/npm "$out/registry" &
trap 'kill %1; wineserver --kill 2>/dev/null || true' EXIT
export NOMYO_BASE_URL=$NOMYO_TEST_BASE_URL NOMYO_API_KEY=dist-key SSL_CERT_FILE=$NOMYO_TEST_CA_FILE
# Windows looks for DLLs in the directories of PATH, too.
export WINEPATH="$out"
cd "$out"

# Under Wine, Python writes to a pipe and not to a file, and Node the other way round.
says() { # ANSWER COMMAND...
    "${@:2}" </dev/null 2>&1 | tee said
    tr -d '\r' <said | grep -x "$1" >/dev/null
}

program "$here/bindings/c/README.md" c >hello.c
c_archive() {
    tar -xzf "$here/dist/libnomyo-$version-$triple.tar.gz"
    prefix=$out/libnomyo-$version-$triple
    # shellcheck disable=SC2046 # flags are words
    x86_64-w64-mingw32-gcc hello.c $(PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --cflags --libs nomyo) -o hello.exe
    WINEPATH="$out;$prefix/bin" says "Hello from C" wine hello.exe
}
check "C, the archive" c_archive

go_module() (
    mkdir -p go
    program "$here/bindings/go/README.md" go >go/main.go
    cd go
    export GOPROXY=file://$here/dist/go GONOSUMDB=github.com/nomyo-ai GOTOOLCHAIN=local GOMODCACHE=$out/go-cache GOFLAGS=-modcacherw
    go mod init example.com/app
    go get "github.com/nomyo-ai/libnomyo/bindings/go@v$version"
    GOOS=windows GOARCH=amd64 CGO_ENABLED=1 CC=x86_64-w64-mingw32-gcc go build -o app.exe .
    printf "Hello from Go" | wine app.exe | tr -d "\r" | grep -x "Hello from Go" >/dev/null
)
check "Go, the module" go_module

python_wheel() {
    "$here/target/dist-tools/bin/pip" install -q --target python --platform win_amd64 --only-binary=:all: --no-index --find-links "$here/dist/python" nomyo-native
    sed -n '/^from nomyo/,/^    *print/p' "$here/packages/tests/users/python-wheel.sh" >hello.py
    cp bcryptprimitives.dll python/nomyo_native
    PYTHONPATH=$out/python says "Hello from Python" wine "$downloads/python/python.exe" hello.py
}
if get_python >get-python.log 2>&1; then check "Python, the wheel" python_wheel; else echo "not run: Python for Windows could not be downloaded (mvn)"; fi

node_package() {
    mkdir -p node
    npm_config_registry=$(cat registry) npm install --silent --prefix node --os=win32 --cpu=x64 nomyo-native
    sed -n '/^import/,/^chat.dispose/p' "$here/packages/tests/users/node-npm.sh" >node/program.mjs
    cp bcryptprimitives.dll node/node_modules/nomyo-native-win32-x64/
    NODE_SKIP_PLATFORM_CHECK=1 wine "$downloads/node/package/bin/node.exe" node/program.mjs </dev/null >said 2>&1
    cat said
    tr -d '\r' <said | grep -x "Hello from Node" >/dev/null
}
if get_node >get-node.log 2>&1; then check "Node, the package" node_package; else echo "not run: Node for Windows could not be downloaded (npm)"; fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
