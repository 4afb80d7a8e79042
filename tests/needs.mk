# A need and the Debian package that has it, as tests/require.sh reads them. A single target asks for its own needs. `make test`
# asks for all of them before it builds anything.
BUILD_NEEDS := cc=build-essential make=build-essential cargo= rustc@1.89=
TEST_NEEDS := g++=g++ valgrind=valgrind gcore=gdb nm=binutils strace=strace openssl=openssl nsenter=util-linux setpriv=util-linux \
    go@1.22=golang-go pkg-config=pkgconf python3@3.11=python3 py:venv=python3-venv py:ensurepip=python3-venv swtpm=swtpm \
    node@18.0=nodejs npm=npm
# The TPM software stack, which the tests hold what we read and what the endpoint says against.
TSS_NEEDS := pkg-config=pkgconf pc:tss2-esys=libtss2-dev
# The libraries that C and C++ programs read JSON with.
JSON_NEEDS := /usr/include/cjson/cJSON.h=libcjson-dev /usr/include/nlohmann/json.hpp=nlohmann-json3-dev
# TLS and the event loop of the examples that send requests themselves.
LOOPS_NEEDS := /usr/include/openssl/ssl.h=libssl-dev /usr/include/asio.hpp=libasio-dev
FAULTS_NEEDS := nginx=nginx-light tinyproxy=tinyproxy-bin microsocks=microsocks ip=iproute2 unshare=util-linux openssl=openssl
LIMITS_NEEDS := flock=util-linux unshare=util-linux openssl=openssl ip=iproute2
ATTESTATION_NEEDS := tpm2_checkquote=tpm2-tools
CPP_NEEDS := cmake=cmake pkg-config=pkgconf clang++=clang setarch=util-linux
GO_NEEDS := musl-gcc=musl-tools readelf=binutils unshare=util-linux ip=iproute2
JAVA_NEEDS := setpriv=util-linux prlimit=util-linux
KEYS_NEEDS := bindfs=bindfs fusermount3=fuse3 mkntfs=ntfs-3g mkfs.vfat=dosfstools
