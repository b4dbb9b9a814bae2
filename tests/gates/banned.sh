#!/bin/sh
# banned.sh - functions that have a better sister, and TODOs without an issue
# SPDX-License-Identifier: BSD-2-Clause
set -eu
cd "${srcdir:-$(dirname "$0")/../..}"

banned='strcpy|strcat|sprintf|vsprintf|strncpy|strncat|strtok|gets|atoi|atol|atoll|sscanf|fscanf|scanf|alloca|system|popen|localtime|gmtime|ctime|asctime|strerror|rand|srand|mysql_query|mysql_real_query|mysql_escape_string|mysql_real_escape_string|mktemp|tmpnam'
faults=0

# Comments and texts are taken out first, the lines stay.
code() {
    awk '{
        line = $0
        gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
        while (1) {
            if (inside) {
                end = index(line, "*/")
                if (!end) { line = ""; break }
                line = substr(line, end + 2)
                inside = 0
            }
            start = index(line, "/*")
            if (!start) break
            rest = substr(line, start + 2)
            end = index(rest, "*/")
            if (!end) { line = substr(line, 1, start - 1); inside = 1; break }
            line = substr(line, 1, start - 1) " " substr(rest, end + 2)
        }
        print line
    }' "$1"
}

# report FILE PATTERN WHAT
report() {
    hits=$(code "$1" | grep -nE "$2" || :)
    [ -n "$hits" ] || return 0
    printf '%s\n' "$hits" | sed "s|^|$1:|; s|\$|   <- $3|"
    faults=1
}

for file in $(find common saslplugin authd policyd tools tests -name '*.[ch]' 2>/dev/null | sort); do
    report "$file" "(^|[^A-Za-z0-9_>.])($banned)[[:space:]]*\\(" "banned function"
    case $file in
    common/log.c) ;; # the one that writes logs for the programs
    common/daemon.c) ;; # the frame of a program: HACKING, Decisions
    common/*) report "$file" '(^|[^A-Za-z0-9_>.])(exit|_exit|abort|syslog|openlog|printf)[[:space:]]*\(' \
        "common/ neither exits nor prints" ;;
    saslplugin/*) report "$file" '(^|[^A-Za-z0-9_])(getenv|secure_getenv|alarm|signal|sigaction|fork|pthread_create)[[:space:]]*\(' \
        "not in a guest" ;;
    esac
done
todo=$(grep -rnE '(TODO|FIXME|XXX)' common saslplugin authd policyd tools 2>/dev/null |
    grep -E '\.[ch]:' | grep -vE '(TODO|FIXME|XXX)[^#]*#[0-9]+' || :)
[ -z "$todo" ] || { printf '%s\n' "$todo"; echo "a TODO names its issue"; faults=1; }
exit "$faults"
