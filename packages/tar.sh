#!/bin/sh
# Packs a directory so that the same files give the same bytes:  packages/tar.sh PARENT NAME OUT.tar.gz
set -eu
tar -C "$1" --sort=name --owner=0 --group=0 --numeric-owner --mode='u+rw,go+r-w,a-s' --mtime="@$SOURCE_DATE_EPOCH" --format=ustar \
    -cf - "$2" | gzip -9n >"$3"
