#!/bin/sh
# synopsis.sh - provostctl(8) has every command as the table of commands has it
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: synopsis.sh [--write]
#   --write  makes the SYNOPSIS anew from the table
#
# The SYNOPSIS has one entry for each row of the table, made from it; the
# section COMMANDS has a paragraph for each noun and verb.
set -eu
tool=$(cd "${PROVOST_BUILD:-.}" && pwd)/tools/provostctl
cd "${srcdir:-$(dirname "$0")/../..}"
manual=tools/provostctl.8
work=$(mktemp -d "${TMPDIR:-/tmp}/synopsis.XXXXXX")
trap 'rm -rf "$work"' EXIT

"$tool" help | sed -n 's/^  \([a-z]\)/\1/p' >"$work/table"
[ -s "$work/table" ] || { echo "the table is empty"; exit 1; }

# Each row in mdoc, a line for what is in brackets and what is between them;
# words that are typed, names of arguments, options.
awk '
function line(text, prefix, count, words, i, wanted, macro) {
    count = split(text, words, " ")
    if (count == 0)
        return
    i = 1
    if (words[1] == "|") {
        print "|"
        i = 2
    }
    for (; i <= count; i++) {
        wanted = "Cm"
        if (sub(/^-/, "", words[i])) wanted = "Fl"
        else if (words[i] ~ /^[A-Z]/) { wanted = "Ar"; words[i] = tolower(words[i]) }
        if (words[i] == "|") wanted = ""
        prefix = prefix (wanted == macro || wanted == "" ? "" : " " wanted) " " words[i]
        macro = wanted
    }
    print "." substr(prefix, 2)
}
{
    print ".Nm"
    rest = $0
    while (match(rest, /\[[^]]*\]/)) {
        line(substr(rest, 1, RSTART - 1), "")
        line(substr(rest, RSTART + 1, RLENGTH - 2), " Op")
        rest = substr(rest, RSTART + RLENGTH)
    }
    line(rest, "")
}' "$work/table" >"$work/synopsis"
cat >"$work/head" <<'SYNOPSIS'
.Nm
.Op Fl c Ar file
.Op Fl -format Cm table | json | csv
.Op Fl -no-headers
.Op Fl -yes
.Ar noun verb
.Op Ar argument ...
.Nm
.Cm help
.Op Ar noun
SYNOPSIS
cat "$work/head" "$work/synopsis" >"$work/wanted"

if [ "${1:-}" = --write ]; then
    awk -v wanted="$work/wanted" '
        /^\.Sh / { inside = 0 }
        !inside { print }
        /^\.Sh SYNOPSIS/ {
            inside = 1
            while ((getline line < wanted) > 0)
                print line
        }' "$manual" >"$work/manual"
    cat "$work/manual" >"$manual"
fi

faults=0
awk '/^\.Sh / { inside = $2 == "SYNOPSIS"; next } inside' "$manual" >"$work/found"
cmp -s "$work/wanted" "$work/found" || {
    diff "$work/wanted" "$work/found" | sed -n 's/^</the table has: /p; s/^>/the manual has:/p'
    echo "$manual: SYNOPSIS is not what the table says; run tests/gates/synopsis.sh --write"
    faults=1
}

# name FILE: "noun verb" of each row or paragraph.
name() {
    awk '{ print $1 ($2 ~ /^[a-z][a-z-]*$/ && $3 != "|" ? " " $2 : "") }' "$1" |
        sort -u
}
name "$work/table" >"$work/names"
awk '/^\.Sh / { inside = $2 == "COMMANDS" }
    inside && sub(/^\.It Cm /, "")' "$manual" >"$work/paragraphs"
name "$work/paragraphs" >"$work/told"
comm -3 "$work/names" "$work/told" >"$work/differ"
[ ! -s "$work/differ" ] || {
    comm -23 "$work/names" "$work/told" | sed "s|\$|: has no paragraph in $manual|"
    comm -13 "$work/names" "$work/told" | sed "s|\$|: $manual has it, the table does not|"
    faults=1
}
exit "$faults"
