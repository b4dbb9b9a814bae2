#!/bin/sh
# symbols.sh - what the built plugin shows, and what it leans on
# SPDX-License-Identifier: BSD-2-Clause
set -eu
cd "${srcdir:-$(dirname "$0")/../..}"
plugin=${PROVOST_BUILD:-.}/saslplugin/.libs/libprovost.so
[ -f "$plugin" ] || { echo "$plugin has not been built"; exit 1; }
faults=0

shown=$(nm -D --defined-only "$plugin" | awk '{ print $3 }' | sort | tr '\n' ' ')
[ "$shown" = "sasl_auxprop_plug_init sasl_server_plug_init " ] ||
    { echo "exported: $shown(wanted: sasl_auxprop_plug_init, sasl_server_plug_init)"; faults=1; }

needed=$(objdump -p "$plugin" | awk '$1 == "NEEDED" { print $2 }' | sort | tr '\n' ' ')
[ "$needed" = "libc.so.6 " ] ||
    { echo "linked with: $needed(wanted: libc alone)"; faults=1; }

# Modules above level 0, but wire, must not be inside.
modules=$(awk '/^    level [1-9][0-9]* / { for (i = 3; i <= NF; i++) print $i }' HACKING |
    sed 's/\*$//' | grep -vE '/$|^wire$')
symbols=$(nm "$plugin" | awk '$2 ~ /^[tT]$/ { print $3 }')
for module in $modules; do
    inside=$(printf '%s\n' "$symbols" | grep "^${module}_" || :)
    [ -z "$inside" ] || { echo "the plugin holds a part of $module:" "$inside"; faults=1; }
done
exit "$faults"
