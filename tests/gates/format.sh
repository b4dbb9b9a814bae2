#!/bin/sh
# format.sh - clang-format decides, nobody discusses; rooms stay small
# SPDX-License-Identifier: BSD-2-Clause
set -eu
cd "${srcdir:-$(dirname "$0")/../..}"
faults=0
files=$(find common saslplugin authd policyd tools tests -name '*.[ch]' 2>/dev/null | sort)
# shellcheck disable=SC2086
clang-format --dry-run --Werror $files || faults=1
for file in $files; do
    lines=$(wc -l <"$file")
    [ "$lines" -le 700 ] || { echo "$file: $lines lines; is it still one thing?"; faults=1; }
    grep -q 'SPDX-License-Identifier: BSD-2-Clause' "$file" ||
        { echo "$file: no SPDX line"; faults=1; }
done
trailing=$(grep -rnIE '[[:space:]]+$' --include='*.[ch]' --include='*.sh' --include='*.py' \
    --include='*.sql' --include='*.cf' --include='*.conf' \
    common saslplugin authd policyd tools tests conf 2>/dev/null || :)
[ -z "$trailing" ] || { printf '%s\n' "$trailing"; echo "blanks at the end of a line"; faults=1; }
exit "$faults"
