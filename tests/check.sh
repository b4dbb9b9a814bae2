#!/bin/sh
# check.sh - installs what is missing, builds, runs every test
# usage: sudo sh tests/check.sh [--all]
set -eu
cd "$(dirname "$0")/.."
top=$PWD
sh tests/lib/packages.sh --yes build
build=$(mktemp -d "${TMPDIR:-/tmp}/provost-check.XXXXXX")
trap 'rm -rf "$build"' EXIT
./autogen.sh
cd "$build"
"$top/configure" --enable-werror --quiet
make -s -j"$(nproc)" check
passed=$(cat tests/unit/*.log | grep -c '\.\.\.passed$' || true)
echo "$passed passed, 0 failed"
