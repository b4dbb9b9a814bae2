#!/bin/sh
# canary.sh - no password stays in authd: not in its log, its store, its memory
# SPDX-License-Identifier: BSD-2-Clause
#
# At the highest verbosity, with people let in, turned away and left without an
# answer. What is searched for is a password that occurs nowhere else.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin canary

canary="cAnary$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')"
right=${canary}right
wrong=${canary}wrong

lab_slapd
lab_mariadb
LAB_CONF_AUTH='cache_ttl = "60s"; deadline = "2s";' LAB_CONF='log_level = "debug";' lab_config
lab_schema
lab_domain example.org
lab_ldap_set ada userPassword "$right" || lab_die "the canary gets into the directory"
: >"$LAB/log/authd.log"
lab_start authd "$PROVOST_BUILD/authd/provost-authd" -d -c "$LAB/provost.conf"
wait_for 15 grep -q 'serving:' "$LAB/log/authd.log" || lab_die "authd starts"

# held SENTENCE: looks a moment after the last login; a text that is in the
# memory must be found, or the search itself is broken.
held() {
    sleep 0.5
    is "$1" "$(printf %s "$canary" | "$PROVOST_BUILD/tests/integration/memory_find" "$(lab_pid authd)")" 0
}

is "the search finds what is there" \
    "$(printf %s "$LAB/provost.conf" | "$PROVOST_BUILD/tests/integration/memory_find" "$(lab_pid authd)" | grep -c '^[1-9]')" 1
held "there is no canary before the first login"

is "a first login is let in" "$(lab_auth ada@example.org "$right")" 'OK ada@example.org'
held "a first login leaves no password in memory"
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    lab_auth ada@example.org "$right" >/dev/null
    lab_auth ada "$right" --service imap >/dev/null
done
held "remembered logins leave none"
like "a wrong password is refused" "$(lab_auth ada@example.org "$wrong")" '^NO'
lab_auth ada@example.org "$wrong" >/dev/null
held "a wrong password leaves none"
like "nobody is refused, too" "$(lab_auth nobody@example.org "$wrong")" '^NO'
held "a person nobody knows leaves none"
lab_auth "$(printf 'a%01000d' 0)b" "$wrong" >/dev/null
lab_auth ada@example.org "$wrong\\x00" --escapes >/dev/null
held "what is no request leaves none"
lab_slapd_signal STOP
is "a directory that is stopped is temporary" "$(lab_auth bob@example.org "$wrong")" TEMPORARY
lab_slapd_signal CONT
held "no answer leaves none"
lab_signal authd HUP
sleep 0.5
is "after a reload a login is let in" "$(lab_auth ada@example.org "$right")" 'OK ada@example.org'
held "a reload leaves none"

is "no password is in the log" "$(grep -c "$canary" "$LAB/log/authd.log")" 0
is "or in what ps shows" "$(tr '\0' '\n' <"/proc/$(lab_pid authd)/cmdline" | grep -c "$canary")" 0
is "or in the database" "$(find "$LAB" -path '*mariadb*' -type f -exec grep -lF "$canary" {} + | wc -l)" 0
is "memory of the process is root's" "$(stat -c %U "/proc/$(lab_pid authd)/mem")" root
is "no core would be written" "$(awk '/core file/ {print $5, $6}' "/proc/$(lab_pid authd)/limits")" '0 0'
lab_stop authd
is "nothing more comes to light at the end" "$(grep -c "$canary" "$LAB/log/authd.log")" 0

lab_done
