#!/bin/sh
# Builds everything again from the committed files, in another directory and at another time, and compares:
#
#   packages/tests/reproducible.sh TRIPLE...
#
# `make dist` of the same targets must have run in this checkout. diffoscope shows what differs.
set -eu
[ -f dist/SHA256SUMS ] || { echo "reproducible: there is no dist: run make dist" >&2; exit 1; }
here=$PWD
other=$(mktemp -d)/a/place/of/another/length
trap 'rm -rf "${other%/a/place/*}"' EXIT
git clone -q "$here" "$other"
mkdir -p "$other/target"
cp -a target/dist-tools "$other/target"
cd "$other"
# The clock is the later one. rustc hangs under faketime, and cargo, which asks it, too.
for triple; do packages/build.sh "$triple"; done
packages/pack.sh "$@"
cd "$here"
if cmp dist/SHA256SUMS "$other/dist/SHA256SUMS"; then
    echo "reproducible: $(wc -l <dist/SHA256SUMS) files are the same in both builds"
else
    for file in $(diff dist/SHA256SUMS "$other/dist/SHA256SUMS" | sed -n 's/^< [0-9a-f]*  //p'); do
        echo "differs: $file"
        diffoscope --max-report-size 20000 "dist/$file" "$other/dist/$file" || true
    done
    exit 1
fi
