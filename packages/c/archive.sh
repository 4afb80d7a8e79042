#!/bin/sh
# Packs the C library of one target:  packages/c/archive.sh TRIPLE
#
# The archive is dist/libnomyo-VERSION-TRIPLE.tar.gz. It unpacks into one directory, which works wherever it lies: nomyo.pc and CMake's
# files find the libraries beside themselves.
set -eu

triple=$1
. packages/version.sh
name=libnomyo-$version-$triple
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

RELOCATABLE=yes bindings/c/install/install.sh "target/dist/$triple" /prefix "$work"
mv "$work/prefix" "$work/$name"
cp LICENSE "$work/$name"
cp "target/dist/$triple/LICENCES" "$work/$name/LICENCES-OF-DEPENDENCIES"
packages/tar.sh "$work" "$name" "dist/$name.tar.gz"
