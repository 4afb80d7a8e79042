#!/bin/sh
# Runs the Go package's tests for another target:
#
#   CC=COMPILER [GOARCH=ARCH] [GOFLAGS=-tags=musl] go.sh OUT PLATFORM ARCHIVE SKIPPED
#
# SKIPPED is the pattern of the tests that cannot run there.
# The archive goes where the package looks for it, lib/PLATFORM, and stays there. There is no -race: Go's race detector runs
# neither with musl nor in an emulator.
set -eu

out=$PWD/$1 platform=$2 archive=$3 skipped=$4
key=go-test-key
# It interrupts the generation of a pair, so that it has no ready-made one.
generating='^TestADeadlineEndsTheKeyGenerationOfAFirstCall$'
bindings/c/install/one_object.sh "$archive" "bindings/go/lib/$platform/libnomyo.a"
cp include/nomyo.h bindings/go/
export CGO_ENABLED=1 GOCACHE="$out/go-cache" GODEBUG=cgocheck=1
go -C bindings/go vet .
tests_go() { # GO-TEST-FLAG...
    NOMYO_TEST_API_KEY=$key tests/with_endpoint.sh --api-key $key -- go -C bindings/go test -short -count=1 -timeout=60m -v "$@" .
}
tests_go -skip "$skipped|$generating"
NOMYO_TEST_PAIRS= tests_go -run "$generating"
