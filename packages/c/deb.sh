#!/bin/sh
# Makes the Debian packages of one target:  packages/c/deb.sh TRIPLE
#
# dist/libnomyo0_VERSION-1_ARCH.deb has the shared library, dist/libnomyo-dev_VERSION-1_ARCH.deb everything to build with. One pair of
# packages serves every release of Debian and Ubuntu, because the library needs only the glibc that `Depends` names.
set -eu

triple=$1
. packages/version.sh
arch=$(packages/c/architecture.sh "$triple") multiarch=${triple%-unknown-linux-gnu}-linux-gnu
library=target/dist/$triple/libnomyo.so
glibc=$(readelf -VW "$library" | grep -o 'GLIBC_2[0-9.]*' | sort -Vu | tail -n 1 | sed 's/GLIBC_//')
maintainer="NOMYO AI <support@nomyo.ai>"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
made=$work/made runtime=$work/libnomyo$abi dev=$work/libnomyo-dev

bindings/c/install/install.sh "target/dist/$triple" /usr "$made" "lib/$multiarch"
mkdir -p "$runtime/usr/lib/$multiarch" "$dev"
mv "$made/usr/lib/$multiarch"/libnomyo.so.* "$runtime/usr/lib/$multiarch"
chmod 644 "$runtime/usr/lib/$multiarch"/libnomyo.so."$version"
mv "$made/usr" "$dev/usr"

documents() { # TREE PACKAGE
    mkdir -p "$1/usr/share/doc/$2" "$1/usr/share/lintian/overrides" "$1/DEBIAN"
    printf '# The package is not uploaded to Debian.\n%s: initial-upload-closes-no-bugs\n' "$2" >"$1/usr/share/lintian/overrides/$2"
    {
        echo 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/'
        echo 'Upstream-Name: libnomyo'
        echo
        echo 'Files: *'
        echo 'Copyright: NOMYO AI, and the authors of the crates in the library'
        echo 'License: Apache-2.0'
        echo ' On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.'
        echo ' .'
        echo ' The library contains other code, with these licences:'
        sed 's/^ *$/./; s/^/ /' "target/dist/$triple/LICENCES-FOR-DEBIAN"
    } >"$1/usr/share/doc/$2/copyright"
    printf 'libnomyo (%s-1) unstable; urgency=medium\n\n  * See CHANGELOG.md of libnomyo.\n\n -- %s  %s\n' "$version" "$maintainer" \
        "$(date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$1/usr/share/doc/$2/changelog.Debian.gz"
}
control() { # TREE PACKAGE SECTION DEPENDS SUMMARY
    {
        echo "Package: $2"
        echo "Source: libnomyo"
        echo "Version: $version-1"
        echo "Section: $3"
        echo "Priority: optional"
        echo "Architecture: $arch"
        echo "Multi-Arch: same"
        echo "Installed-Size: $(du -k -s --apparent-size "$1/usr" | cut -f1)"
        echo "Depends: $4"
        echo "Maintainer: $maintainer"
        echo "Homepage: https://nomyo.ai"
        echo "Description: $5"
        echo ' libnomyo sends OpenAI-style chat requests to NOMYO, encrypted end to end: it'
        echo ' encrypts each request for the server with AES-256-GCM and RSA-OAEP, and it'
        echo ' keeps prompts, answers and keys in locked memory that it wipes.'
    } >"$1/DEBIAN/control"
    (cd "$1" && find usr -type f -printf '%P\n' | sort | sed 's|^|usr/|' | xargs md5sum) >"$1/DEBIAN/md5sums"
    find "$1" -type d -exec chmod 755 {} +
    find "$1/usr" "$1/DEBIAN" -type f -exec chmod 644 {} +
    find "$1" -depth -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    dpkg-deb --root-owner-group -Zxz --build "$1" "dist/$2_$version-1_$arch.deb"
}

documents "$runtime" "libnomyo$abi"
{
    echo "libnomyo.so.$abi libnomyo$abi #MINVER#"
    nm -D --defined-only --format=posix "$library" | awk -v version="$version" '{ print " " $1 "@Base " version }' | LC_ALL=C sort
} >"$runtime/DEBIAN/symbols"
echo "libnomyo $abi libnomyo$abi (>= $version)" >"$runtime/DEBIAN/shlibs"
echo "activate-noawait ldconfig" >"$runtime/DEBIAN/triggers"
control "$runtime" "libnomyo$abi" libs "libc6 (>= $glibc)" "client of NOMYO's end-to-end encrypted inference (shared library)"

documents "$dev" libnomyo-dev
control "$dev" libnomyo-dev libdevel "libnomyo$abi (= $version-1), libc6-dev" \
    "client of NOMYO's end-to-end encrypted inference (development files)"
