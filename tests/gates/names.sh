#!/bin/sh
# names.sh - the repository speaks of Provost alone, not of a machine
# SPDX-License-Identifier: BSD-2-Clause
set -eu
cd "${srcdir:-$(dirname "$0")/../..}"
# Written so that this file does not match itself.
pattern='/wor[k]/|/hom[e]/[a-z]|/far[m]/|/roo[t]/|[.]librar[y]/|/tmp/b[-]|registry[.]npmj[s]|deb[.]de[b]ian[.]org|pypi[.]or[g]'
hits=$(grep -rnIE "$pattern" . --exclude-dir=.git --exclude=.git --exclude-dir=autom4te.cache \
    --exclude-dir=build-aux --exclude-dir=m4 --exclude='configure*' --exclude=aclocal.m4 \
    --exclude=config.log --exclude=config.status --exclude=libtool \
    --exclude=Makefile --exclude=Makefile.in || :)
[ -z "$hits" ] || { printf '%s\n' "$hits"; exit 1; }
