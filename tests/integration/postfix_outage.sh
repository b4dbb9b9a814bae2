#!/bin/sh
# postfix_outage.sh - a server that is down is 454, never 535, and then 235
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin outage
slow=${PROVOST_SLOW:-1}

lab_slapd
lab_mariadb
lab_config
lab_schema
lab_domain example.org
lab_authd
lab_postfix

# Every attempt ends by the deadline (8 s), whatever happens.
limit_ms=$((9000 * slow))

# answers SENTENCE CODE PASSWORD: through both doors, and in time.
answers() {
    for door in plugin stock; do
        start=$(now_ms)
        is "$1: $2 ($door)" "$(lab_smtp_code $door ada@example.org "$3")" "$2"
        took=$(($(now_ms) - start))
        check "and in time ($took ms)" [ "$took" -le "$limit_ms" ]
    done
}
works() {
    [ "$(lab_smtp_code plugin ada@example.org ada-secret)" = 235 ]
}
# back SENTENCE: it works again, for both doors.
back() {
    check "$1: logins work again" wait_for $((20 * slow)) works
    answers "$1, right password" 235 ada-secret
}

answers "all is well, right password" 235 ada-secret
answers "all is well, wrong password" 535 wrong

lab_slapd_stop
answers "directory stopped, right password" 454 ada-secret
answers "directory stopped, another wrong password" 454 wrong2
like "Postfix's log names a temporary failure" "$(cat "$LAB/log/postfix.log")" 'authentication failed: (remote authentication server unavailable|generic failure)'
like "authd's log says temporary and why" "$(cat "$LAB/log/authd.log")" '^warning: temporary: .*reason=no_answer|^warning: temporary: .*reason=directory'
lab_slapd_start
back "directory started"

lab_slapd_signal STOP
answers "directory mute, right password" 454 ada-secret
answers "directory mute, another wrong password" 454 wrong3
is "32 at once are all 454" "$(lab_smtp plugin ada@example.org ada-secret --sessions 32 --parallel 32 --count)" "454 32"
lab_slapd_signal CONT
back "directory awake"

lab_mariadb_stop
answers "MariaDB stopped, right password" 454 ada-secret
answers "MariaDB stopped, another wrong password" 454 wrong4
lab_mariadb_start
back "MariaDB started"

lab_signal mariadb STOP
answers "MariaDB mute, right password" 454 ada-secret
lab_signal mariadb CONT
back "MariaDB awake"

lab_authd_stop KILL
answers "authd killed" 454 ada-secret
lab_authd
back "authd started"

is "no outage was called a wrong password" \
    "$(grep -c '^wrong password: .*user=ada@example.org' "$LAB/log/authd.log")" 2
is "one person, one mailbox" "$(lab_sql "SELECT COUNT(*) FROM mailbox")" 1
lab_done
