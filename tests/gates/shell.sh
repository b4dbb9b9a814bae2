#!/bin/sh
# shell.sh - shellcheck, and Python that at least compiles
# SPDX-License-Identifier: BSD-2-Clause
set -eu
cd "${srcdir:-$(dirname "$0")/../..}"
faults=0
scripts=$(find . -name '*.sh' -not -path './.git/*' -not -path './build*' -not -path './build-aux/*' -not -path './m4/*' | sort)
# shellcheck disable=SC2086
shellcheck -x $scripts .ci/run || faults=1
find . -name '*.py' -not -path './.git/*' | sort | while read -r script; do
    /usr/bin/python3 -c 'import ast, sys
ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$script" || exit 1
done || faults=1
exit "$faults"
