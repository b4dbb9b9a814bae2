#!/bin/sh
# policy_outage.sh - what Postfix's clients see when the policy service is killed
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin policy_outage
lab_slapd
lab_mariadb
LAB_CONF="policy = { $(lab_policy_listen) account_ttl = \"0\"; usage_ttl = \"0\"; };"
lab_config
lab_schema
lab_domain example.org --max-mailboxes 50
lab_authd
is "somebody has a mailbox" "$(lab_auth ada@example.org ada-secret)" "OK ada@example.org"
lab_authd_stop
lab_postfix_make
lab_postfix_policy
echo 'virtual_transport = discard:' >>"$LAB/postfix/main.cf"
socket=$(lab_jail_path policy)
# It holds the socket as a socket unit does, and starts the service again.
lab_start holder "$LAB_PYTHON" "$lab_tree/tests/lib/policy.py" "$socket" hold \
    "$PROVOST_BUILD/policyd/provost-policyd" -c "$LAB/provost.conf"
wait_for 10 test -s "$socket.pid" || lab_die "the socket is held"
lab_postfix_start

# burst NAME: messages in eight sessions, any refusal of which ends it.
burst() {
    smtp-source -s 8 -m 100 -l 200 -f somebody@example.net -t ada@example.org \
        "127.0.0.1:$LAB_MX_PORT" >>"$LAB/log/$1.source" 2>&1
}
# bursts NAME PID: one after the other, and one at least, while PID is there.
bursts() {
    failed=0 count=0
    while :; do
        burst "$1" || failed=$((failed + 1))
        count=$((count + 1))
        kill -0 "$2" 2>/dev/null || break
    done
}
refusals() {
    grep -cE 'NOQUEUE: reject|: reject: ' "$LAB/log/postfix.log"
}
service_pid() {
    cat "$socket.pid"
}

is "mail goes through" "$(burst before && echo yes)" yes
first=$(service_pid)
(
    for _ in 1 2 3; do
        sleep 2.5
        kill -s KILL "$(service_pid)"
    done
) &
kills=$!
bursts killed "$kills"
wait "$kills"
unlike "the service was killed under load, three times" "$(service_pid)" "^$first\$"
is "and no client of Postfix saw it, in $count times 100 messages" "$failed" 0
is "nor does Postfix's log have a refusal" "$(refusals)" 0
like "but it tells that it had to ask again" "$(cat "$LAB/log/postfix.log")" 'smtpd.*(problem talking to server|timed out|Broken pipe|Connection reset|lost connection|premature)'

(
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        kill -s HUP "$(service_pid)"
        sleep 0.1
    done
) &
hups=$!
bursts reloaded "$hups"
wait "$hups"
is "neither is a reload seen, ten times a second" "$failed $(refusals)" "0 0"

# ------------------------------------------------------------ warn, enforce --

lab_sql "REPLACE INTO quota2 (username, bytes, messages) VALUES ('ada@example.org', 6000000000, 1)"
like "a full mailbox refuses" "$(lab_send ada@example.org)" 'rcpt ada@example.org 452 4\.2\.2 '
sed 's/usage_ttl = "0";/& rules = ( { rule = "mailbox_quota"; mode = "warn"; } );/' \
    "$LAB/provost.conf" >"$LAB/warn.conf"
cp "$LAB/warn.conf" "$LAB/provost.conf"
kill -s HUP "$(service_pid)"
warned() { lab_send ada@example.org | grep -q '^end 250 '; }
wait_for 5 warned
is "a rule that only warns lets mail through" "$?" 0
like "and logs what it would refuse, with the numbers" "$(cat "$LAB/log/holder.log")" \
    'would refuse: rule=mailbox_quota state=RCPT client=127\.0\.0\.1 .*recipient=ada@example.org .*numbers="used=6000000000 size=0 quota=[0-9]+" text="452 4\.2\.2 '

# ---------------------------------------------------------------- no service --

lab_stop holder
like "without the service mail is deferred" "$(lab_send ada@example.org)" 'rcpt ada@example.org 451 4\.3\.5 '
grep -o 'smtpd_policy_service_default_action = .*' "$lab_tree/conf/postfix/policy.txt" >>"$LAB/postfix/main.cf"
lab_postfix_reload
passed() { lab_send ada@example.org | grep -q '^end 250 '; }
wait_for 15 passed
is "or let through, with the line of policy.txt" "$?" 0
lab_done
