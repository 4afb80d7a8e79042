#!/bin/sh
# Prints Debian's name of the architecture:  packages/c/architecture.sh TRIPLE
case $1 in
x86_64-unknown-linux-gnu) echo amd64 ;;
aarch64-unknown-linux-gnu) echo arm64 ;;
*) echo "Debian has no architecture for $1" >&2; exit 1 ;;
esac
