#!/bin/sh
# macOS on Intel. Built and linked, not run: no Mac is here.
set -eu

triple=x86_64-apple-darwin
. tests/cross/macos/cells.sh
