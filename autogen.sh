#!/bin/sh
# autogen.sh - makes configure and Makefile.in; needs autoconf, automake, libtool
set -eu
cd "$(dirname "$0")"
mkdir -p build-aux m4
exec autoreconf --install --force --warnings=all,no-obsolete
