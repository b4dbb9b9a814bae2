# tree.sh - copies the source tree, so that builds leave it alone; sourced
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh

# tree_copy DIRECTORY: the files of the tree in $PWD, with their times; those
# that are up to date there are left. Without git, everything but builds.
tree_copy() {
    mkdir -p "$1" || return 1
    tree_files | xargs -0 cp -pu --parents -t "$1"
}

tree_files() {
    if git -c safe.directory='*' rev-parse --git-dir >/dev/null 2>&1; then
        git -c safe.directory='*' ls-files -z --cached --others --exclude-standard |
            xargs -0 sh -c 'for file; do [ ! -f "$file" ] || printf "%s\0" "$file"; done' sh
    else
        find . -type f -not -path './.git/*' -not -path './build*/*' \
            -not -name '*.o' -not -name '*.lo' -print0
    fi
}
