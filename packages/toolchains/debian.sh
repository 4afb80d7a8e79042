#!/bin/sh
# Unpacks packages of Debian, with everything that they depend on, into a directory. The system stays as it is.
#
#   debian.sh ARCHITECTURE ROOT PACKAGE...
#
# apt gets lists, a state and a cache of its own. The packages are those of the release that this machine's apt knows. Their
# scripts do not run. Without apt or a network the script fails.
#
# Environment: DEBIAN_RELEASE names another release, such as trixie. DEBIAN_ALONE=yes leaves out what the packages depend on.
set -eu

architecture=$1 root=$2
shift 2
ready=$root/ready-$(echo "$*" | tr ' ' '-')
[ ! -e "$ready" ] || exit 0
rm -rf "$root"
mkdir -p "$root"
root=$(cd "$root" && pwd)
apt=$root/.apt
mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$apt/sources.list.d"
touch "$apt/state/status"
cat >"$apt/apt.conf" <<CONF
APT::Architecture "$architecture";
APT::Architectures { "$architecture"; };
APT::Install-Recommends "false";
APT::Sandbox::User "";
Dir::State "$apt/state";
Dir::State::status "$apt/state/status";
Dir::Cache "$apt/cache";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
CONF
if [ -n "${DEBIAN_RELEASE:-}" ]; then
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)
    cat >"$apt/debian.sources" <<SOURCES
Types: deb
URIs: $mirror
Suites: $DEBIAN_RELEASE
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
    cat >>"$apt/apt.conf" <<CONF
Dir::Etc::SourceList "$apt/debian.sources";
Dir::Etc::SourceParts "$apt/sources.list.d";
CONF
fi
export APT_CONFIG="$apt/apt.conf"
apt-get -qq update
if [ "${DEBIAN_ALONE:-}" = yes ]; then
    (cd "$apt/cache/archives" && apt-get -qq download "$@")
else
    apt-get -qq --yes --download-only install "$@" >/dev/null
fi
for package in "$apt"/cache/archives/*.deb; do
    dpkg -x "$package" "$root"
done
rm -rf "$apt"
touch "$ready"
