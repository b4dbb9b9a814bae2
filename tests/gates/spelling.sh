#!/bin/sh
# spelling.sh - codespell over everything people read
# SPDX-License-Identifier: BSD-2-Clause
set -eu
cd "${srcdir:-$(dirname "$0")/../..}"
# Words that are right here: people and domains of the examples, libldap's ld.
words=ser,te,nd,ans,exat,inout,bu,ue,ecret,defaul,ist
exec codespell -L "$words" --skip='./.git,./build-aux,./m4,./autom4te.cache,./configure,./configure~,./aclocal.m4,./Makefile.in,./tests/fuzz/corpus,./build*,./config.h.in' .
