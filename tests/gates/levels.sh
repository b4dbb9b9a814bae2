#!/bin/sh
# levels.sh - who may know whom: the #include lines against HACKING's table
# SPDX-License-Identifier: BSD-2-Clause
#
# A file includes its own header and headers of strictly lower levels; a
# library's header appears only in the room that knows the library. Files of
# one module (directory.c, directory_pool.c) count as one, and so does level 0.
set -eu
cd "${srcdir:-$(dirname "$0")/../..}"

# The rules of libraries: header pattern, where it may appear.
libraries='^(ldap|lber)[._]|^ldap_ common/directory
^(mysql|mariadb) common/store
^libconfig common/settings
^sasl/ saslplugin/
^jansson tools/'

table=$(awk '/^    level [0-9]+ / { for (i = 3; i <= NF; i++) print $2, $i }' HACKING)
[ -n "$table" ] || { echo "HACKING has no table of levels"; exit 1; }

find common saslplugin authd policyd tools -name '*.[ch]' 2>/dev/null | sort |
    xargs awk -v table="$table" -v libraries="$libraries" '
function stem(path) {
    sub(/.*\//, "", path)
    sub(/\.[ch]$/, "", path)
    return path
}
function folder(path) {
    return substr(path, 1, index(path, "/"))
}
# The module a file belongs to: the longest name of the table it starts with.
function module(path,    name, best, m) {
    if (folder(path) != "common/")
        return folder(path)
    name = stem(path)
    best = ""
    for (m in level)
        if ((name == m || index(name, m "_") == 1) && length(m) > length(best))
            best = m
    return best
}
function fault(text) {
    printf "%s:%d: %s\n", FILENAME, FNR, text
    faults++
}
BEGIN {
    rows = split(table, row, "\n")
    for (i = 1; i <= rows; i++) {
        split(row[i], part, " ")
        name = part[2]
        sub(/\*$/, "", name)
        level[name] = part[1]
    }
    rules = split(libraries, row, "\n")
    for (i = 1; i <= rules; i++) {
        split(row[i], part, " ")
        header[i] = part[1]
        home[i] = part[2]
    }
}
FNR == 1 {
    mine = module(FILENAME)
    includes = 0
    if (mine == "" || !(mine in level))
        fault("no level for this file in HACKING")
}
/^[ \t]*#[ \t]*include[ \t]*</ {
    match($0, /<[^>]*>/)
    name = substr($0, RSTART + 1, RLENGTH - 2)
    for (i = 1; i <= rules; i++)
        if (name ~ header[i] && index(FILENAME, home[i]) != 1)
            fault("<" name "> belongs to " home[i] "* alone")
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    match($0, /"[^"]*"/)
    name = substr($0, RSTART + 1, RLENGTH - 2)
    if (name == "config.h")
        next
    includes++
    # The first local header of a .c file is its own, where it has one.
    own = FILENAME
    if (sub(/\.c$/, ".h", own) && includes == 1 && (getline line < own) >= 0) {
        close(own)
        if (name != stem(FILENAME) ".h")
            fault("its own header comes first")
    }
    path = folder(FILENAME) name
    if ((getline line < path) < 0)
        path = "common/" name
    close(path)
    theirs = module(path)
    if (theirs == "" || !(theirs in level))
        fault("\"" name "\" has no level in HACKING")
    else if (theirs != mine && level[theirs] >= level[mine] &&
             level[theirs] > 0)
        fault("level " level[mine] " (" mine ") may not know level " \
              level[theirs] " (" theirs ")")
    else if (mine == "saslplugin/" && theirs != mine && theirs != "wire" &&
             level[theirs] > 0)
        fault("the plugin knows level 0 and wire, not " theirs)
}
END { exit faults > 0 }'
