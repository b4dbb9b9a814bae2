#!/bin/sh
# mailcow.sh - README's table for mailcow administrators says what there is
# SPDX-License-Identifier: BSD-2-Clause
#
# Every field of mailcow's identity provider has a row; every key of a row is
# an option of a directory, and every command one that provostctl has.
set -eu
build=$(cd "${PROVOST_BUILD:-.}" && pwd)
cd "${srcdir:-$(dirname "$0")/../..}"
faults=0
fault() {
    echo "README, For mailcow administrators: $1"
    faults=1
}

table=$(awk '/^For mailcow administrators$/ { inside = 1 }
    /^When something is wrong$/ { inside = 0 }
    inside && /^    [A-Z"]/ && /   / { sub(/^    /, ""); sub(/   +/, "\t"); sub(/ +\(not yet\)$/, ""); print }' README)

for field in Host Port 'Use SSL' 'Use TLS' 'Ignore SSL Errors' 'Base DN' \
    'Username Field' Filter 'Attribute Field' 'Bind DN' 'Bind Password' \
    'Attribute Mapping' Attribute Template 'Default Template' \
    'Auto-create users on login' 'Periodic Full Sync' 'Import Users' \
    'Sync / Import Interval (min)'; do
    printf '%s\n' "$table" | cut -f 1 | grep -qxF "$field" || fault "no row for \"$field\""
done

options=$("$build/tests/gates/settings_tool" describe | cut -f 1)
commands=$("$build/tools/provostctl" help | sed -n 's/^  \([a-z]\)/provostctl \1/p')
while IFS="$(printf '\t')" read -r field here; do
    case $here in
    'provostctl '*)
        printf '%s\n' "$commands" | grep -q "^$here\( \|\$\)" ||
            fault "\"$field\": there is no command \"$here\"" ;;
    *' '*) ;;
    *)
        printf '%s\n' "$options" | grep -q "^directories\\.$here\(\.\|\$\)" ||
            fault "\"$field\": there is no option \"$here\"" ;;
    esac
done <<TABLE
$table
TABLE
exit "$faults"
