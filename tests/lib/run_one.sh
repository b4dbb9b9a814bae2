#!/bin/sh
# run_one.sh - runs one integration test and writes down what came of it
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: run_one.sh WORK LABEL SCRIPT
# WORK/results gets a line "pass|fail LABEL: sentence" for each sentence. A test
# that says nothing, skips, runs too long or leaves a process behind fails.
set -u
work=$1 label=$2 script=$3
name=$(basename "$script" .sh)
log=$work/log/$label-$name
# Short: the path of a socket has 107 bytes.
TMPDIR=$work/t/$$
export TMPDIR
mkdir -p "$TMPDIR"

marked() {
    for proc in /proc/[0-9]*; do
        pid=${proc#/proc/}
        [ "$pid" != $$ ] || continue
        { tr '\0' '\n' <"$proc/environ" && tr '\0' '\n' <"$proc/cmdline"; readlink "$proc/cwd"; } 2>/dev/null |
            grep -qF "$TMPDIR" && echo "$pid"
    done
}

start=$(date +%s)
timeout -k 30 "${PROVOST_TEST_SECONDS:-240}" sh "$script" </dev/null >"$log" 2>&1
status=$?
case $status in
0) ;;
77) echo "not ok - it was skipped" >>"$log" ;;
124 | 137) echo "not ok - it ends within ${PROVOST_TEST_SECONDS:-240} s" >>"$log" ;;
*) grep -q '^not ok' "$log" || echo "not ok - it ends well (status $status)" >>"$log" ;;
esac
! grep -qiE '^(ok|not ok).*# *skip' "$log" || echo "not ok - nothing in it is skipped" >>"$log"
grep -qE '^(ok|not ok) ' "$log" || echo "not ok - it says what it tested" >>"$log"
# Processes that are told to end may still be at it.
for turn in 1 2 3 4 5 6; do
    left=$(marked | grep -vxF "$PPID" || :)
    # The pipeline above sees its own subshells; those are gone by now.
    alive=
    for pid in $left; do [ -d "/proc/$pid" ] && alive="$alive $pid"; done
    [ -n "$alive" ] || break
    [ "$turn" -eq 6 ] || sleep 0.5
done
for pid in $alive; do
    echo "not ok - it leaves no process ($pid: $(tr '\0' ' ' <"/proc/$pid/cmdline"))" >>"$log"
    kill -s KILL "$pid" 2>/dev/null || :
done
[ -z "$(ls -A "$TMPDIR")" ] ||
    echo "not ok - it leaves no file ($(ls -A "$TMPDIR" | tr '\n' ' '))" >>"$log"
rm -rf "$TMPDIR"

passed=$(grep -c '^ok ' "$log")
failed=$(grep -c '^not ok ' "$log")
sed -n "s|^ok -* *|pass $label/$name: |p; s|^not ok -* *|fail $label/$name: |p" "$log" >>"$work/results"
took=$(($(date +%s) - start))
if [ "$failed" -eq 0 ]; then
    printf 'ok    %s/%s: %s sentences (%s s)\n' "$label" "$name" "$passed" "$took"
else
    { printf 'FAIL  %s/%s: %s of %s sentences (%s s)\n' "$label" "$name" "$failed" $((passed + failed)) "$took"
        grep -A12 '^not ok ' "$log" | head -60 | sed 's/^/      /'
        echo "      ... and the end of what it said:"
        tail -n "${PROVOST_TAIL:-40}" "$log" | sed 's/^/      /'
    } >"$log.shown"
    cat "$log.shown"
fi
[ "$failed" -eq 0 ]
