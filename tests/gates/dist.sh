#!/bin/sh
# dist.sh - everything in the repository is in the tarball that make dist made
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: dist.sh TARBALL LIST (of the repository's files)
set -eu
missing=$(tar -tf "$1" | sed 's,^[^/]*/,,' | sort | comm -13 - "$2" |
    grep -vE '^(\.ci/|\.clang-|\.git)' || :)
[ -z "$missing" ] || {
    echo "not in the tarball (EXTRA_DIST):"
    printf '%s\n' "$missing"
    exit 1
}
