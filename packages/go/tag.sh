#!/bin/sh
# Makes the commit that Go's tag names:  packages/go/tag.sh
#
# Prints a commit whose parent is HEAD, and which adds the static libraries and the header to bindings/go. They are on no branch. The go command
# reads the tag alone, so that `go get` finds a whole module. The archive of dist/go is made of the same files. Run `make dist` before.
set -eu
. packages/version.sh
archive=$PWD/dist/go/github.com/nomyo-ai/libnomyo/bindings/go/@v/v$version.zip
[ -f "$archive" ] || { echo "tag: there is no $archive: run make dist" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && python3 -m zipfile -e "$archive" .)
GIT_INDEX_FILE=$work/index
export GIT_INDEX_FILE
git read-tree HEAD
git rm -r -q --cached bindings/go
for file in $(cd "$work/github.com/nomyo-ai/libnomyo/bindings/go@v$version" && find . -type f -printf '%P\n' | sort); do
    object=$(git hash-object -w --no-filters "$work/github.com/nomyo-ai/libnomyo/bindings/go@v$version/$file")
    git update-index --add --cacheinfo "100644,$object,bindings/go/$file"
done
git commit-tree "$(git write-tree)" -p HEAD -m "go: the module of version $version, with its libraries"
