#!/bin/sh
# packages.sh - installs Debian packages so that no service starts
# usage: packages.sh [--yes] build|servers
set -eu
[ "${1:-}" = --yes ] && shift
build="autoconf automake libtool pkg-config gcc make libsasl2-dev libldap-dev
 libmariadb-dev libssl-dev libconfig-dev libcunit1-dev libidn2-dev
 libunistring-dev uthash-dev libjansson-dev libsodium-dev libcrypt-dev"
case $1 in
build) wanted=$build ;;
*) exit 64 ;;
esac
missing=
for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0
echo "installing:$missing"
apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
