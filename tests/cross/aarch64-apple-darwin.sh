#!/bin/sh
# macOS on Apple silicon. Built and linked, not run: no Mac is here.
set -eu

triple=aarch64-apple-darwin
. tests/cross/macos/cells.sh
