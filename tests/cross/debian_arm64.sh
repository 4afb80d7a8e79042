#!/bin/sh
# Unpacks Debian's packages for arm64, with everything that they depend on, into a directory. The system stays as it is.
#
#   debian_arm64.sh ROOT PACKAGE...
#
# apt gets lists, a state and a cache of its own. The packages are those of the release that this machine's apt knows. Their
# scripts do not run. Without apt or a network the script fails.
set -eu

root=$1
shift
ready=$root/ready-$(echo "$*" | tr ' ' '-')
[ ! -e "$ready" ] || exit 0
rm -rf "$root"
mkdir -p "$root"
root=$(cd "$root" && pwd)
apt=$root/.apt
mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial"
touch "$apt/state/status"
cat >"$apt/apt.conf" <<CONF
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "";
Dir::State "$apt/state";
Dir::State::status "$apt/state/status";
Dir::Cache "$apt/cache";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
CONF
export APT_CONFIG="$apt/apt.conf"
apt-get -qq update
apt-get -qq --yes --download-only install "$@" >/dev/null
for package in "$apt"/cache/archives/*.deb; do
    dpkg -x "$package" "$root"
done
rm -rf "$apt"
touch "$ready"
