#!/bin/sh
# Runs the checks of each registry over dist/:  packages/check.sh
set -eu
bin=target/dist-tools/bin
"$bin/twine" check --strict dist/python/*
"$bin/check-wheel-contents" dist/python/*.whl
for wheel in dist/python/*-manylinux_*.whl dist/python/*-musllinux_*.whl; do
    [ -f "$wheel" ] || continue
    # The tag that auditwheel finds is the one in the wheel's name.
    "$bin/auditwheel" show "$wheel" | tr '\n' ' ' | grep -q "following platform tag: \"$(basename -s .whl "$wheel" | sed 's/.*-none-//')\"" ||
        { "$bin/auditwheel" show "$wheel" >&2; exit 1; }
done
lintian --allow-root --fail-on error,warning dist/*.deb
for archive in dist/npm/*.tgz; do
    tar -xzOf "$archive" package/package.json |
        node -e 'const { scripts } = JSON.parse(require("node:fs").readFileSync(0)); if (scripts) throw new Error("a published package has scripts")'
done
cargo package --locked --package nomyo --target-dir target/dist-build
echo "packages: checked"
