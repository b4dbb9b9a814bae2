#!/bin/sh
# manuals.sh - every program has a manual, and mandoc has nothing to say
# SPDX-License-Identifier: BSD-2-Clause
set -eu
cd "${srcdir:-$(dirname "$0")/../..}"
faults=0
manuals=$(find . -name '*.[1-8]' -not -path './.git/*' -not -path './build*' -not -path './autom4te.cache/*' | sort)
[ -n "$manuals" ] || { echo "there is no manual"; exit 1; }
for manual in $manuals; do
    # The operating system's name is filled in by the reader's mandoc.
    mandoc -Tlint -W warning "$manual" || faults=1
    case $manual in
    *.8) grep -q '^\.Sh EXIT STATUS' "$manual" || { echo "$manual: no EXIT STATUS"; faults=1; } ;;
    esac
    for section in NAME SYNOPSIS DESCRIPTION EXAMPLES DIAGNOSTICS; do
        case $manual:$section in *.5:SYNOPSIS) continue ;; esac
        grep -q "^\\.Sh $section" "$manual" || { echo "$manual: no $section"; faults=1; }
    done
done
for program in authd/provost-authd policyd/provost-policyd tools/provost-sync tools/provostctl; do
    grep -q "^[a-z_]*PROGRAMS.*$program" Makefile.am || continue
    printf '%s\n' "$manuals" | grep -q "/${program##*/}\.[18]\$" ||
        { echo "$program has no manual"; faults=1; }
done
exit "$faults"
