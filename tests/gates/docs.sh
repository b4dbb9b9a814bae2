#!/bin/sh
# docs.sh - the sample and the manual have every option, as the table has it
# SPDX-License-Identifier: BSD-2-Clause
#
# settings_tool describes the option table. conf/provost.conf must have each
# option, commented, with its default; provost.conf.5 must have each with its
# type, range and default; neither may have another one.
set -eu
tool=$(cd "${PROVOST_BUILD:-.}" && pwd)/tests/gates/settings_tool
cd "${srcdir:-$(dirname "$0")/../..}"
sample=conf/provost.conf
manual=conf/provost.conf.5
work=$(mktemp -d "${TMPDIR:-/tmp}/docs.XXXXXX")
trap 'rm -rf "$work"' EXIT
faults=0
fault() {
    echo "$1"
    faults=1
}

"$tool" describe >"$work/table"
[ -s "$work/table" ] || { echo "the table is empty"; exit 1; }

# Takes two sorted lists and says what only one of them has.
compare() {
    comm -23 "$1" "$2" | sed "s|\$|	: missing in $3|" >"$work/missing"
    comm -13 "$1" "$2" | sed "s|\$|	: $3 has it, the option table does not|" >>"$work/missing"
    [ ! -s "$work/missing" ] || fault "$(cat "$work/missing")"
}

# The sample: "path	default", the default only where the table has one.
awk -F '\t' '{ print $1 "\t" ($3 == "required" ? "" : $3) }' "$work/table" |
    sort >"$work/table.sample"
awk -F '\t' '$3 == "required" { print $1 }' "$work/table" >"$work/required"
awk -v required="$work/required" '
BEGIN {
    while ((getline path < required) > 0)
        without[path] = 1
}
# "# text" explains; "#key = value;" is an option that is not set.
/^ *# / { next }
{ gsub(/^ *#?/, "") }
/^[a-z]+[a-z0-9_]* = [({]$/ { prefix[depth + 1] = prefix[depth] $1 "."; depth++; next }
/^[)}];$/ { depth--; next }
/^[a-z]+[a-z0-9_]* = .*;$/ {
    path = prefix[depth] $1
    sub(/^[a-z0-9_]+ = /, "")
    sub(/;$/, "")
    print path "\t" (path in without ? "" : $0)
}' "$sample" | sort >"$work/sample"
compare "$work/table.sample" "$work/sample" "$sample"

# The manual: "group key Pq type, range; default value".
awk -F '\t' '{
    group = $1
    if (!sub(/\.[^.]*$/, "", group))
        group = "top"
    key = $1
    sub(/.*\./, "", key)
    value = $3
    gsub(/"/, "\\(dq", value)
    gsub(/\[ /, "[", value)
    gsub(/ \]/, "]", value)
    printf "%s %s Pq %s%s; %s\n", group, key, $2, $4 == "-" ? "" : ", " $4, \
        value == "required" ? value : "default " value
}' "$work/table" | sort >"$work/table.manual"
awk '/^\.Sh / { group = "" }
/^\.Ss / { group = $2 }
group != "" && /^\.It Cm / { sub(/^\.It Cm /, ""); print group " " $0 }' "$manual" |
    sort >"$work/manual"
compare "$work/table.manual" "$work/manual" "$manual"

# The sample as it stands is the defaults, and so is all of it uncommented, but
# for a row of a mapping, which cannot have both its kinds of value.
"$tool" check "$sample" >/dev/null 2>"$work/faults" || fault "$(cat "$work/faults")"
differs=$("$tool" differs "$sample") || :
[ -z "$differs" ] || fault "$sample sets something: $differs"
sed -e '/#attribute_mapping = ($/,/#);$/d' -e 's/^\( *\)#\([^ ]\)/\1\2/' "$sample" >"$work/provost.conf"
"$tool" check "$work/provost.conf" >"$work/faults" 2>&1 || fault "$(cat "$work/faults")"

# The examples of the manual are settings, or the programs say otherwise.
mkdir "$work/secrets"
for secret in corp ad; do
    (umask 077 && echo password >"$work/secrets/$secret")
done
: >"$work/ad-ca.pem"
awk -v work="$work" '
/^\.Sh / { examples = $2 == "EXAMPLES" }
examples && /^\.Bd / { file = work "/example." ++n; next }
/^\.Ed/ { file = ""; next }
file != "" { print >file }' "$manual"
checked=0
for example in "$work"/example.*; do
    # Excerpts, and what is typed, are no files.
    case $(head -c 11 "$example") in
    directories | "auth = { so") ;;
    *) continue ;;
    esac
    "$tool" check "$example" >/dev/null 2>"$work/faults" || fault "$(cat "$work/faults")"
    checked=$((checked + 1))
done
[ "$checked" -ge 3 ] || fault "$manual: only $checked examples were found"
exit "$faults"
