#!/bin/sh
# policyd.sh - the policy service: its protocol, its process, its outages
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin policyd
lab_slapd
lab_mariadb
port=$(lab_port)
LAB_CONF="policy = {
  listen = ( { path = \"$LAB/run/policy\"; mode = \"0666\"; group = \"$(lab_group)\"; },
             { host = \"127.0.0.1\"; port = $port; } );
  control_path = \"$LAB/run/policyd.control\"; deadline = \"1s\"; account_ttl = \"0\";
  max_connections = 1200;
};"
lab_config
lab_schema
lab_domain example.org --max-mailboxes 50
lab_authd
is "somebody has a mailbox" "$(lab_auth ada@example.org ada-secret)" "OK ada@example.org"
lab_authd_stop

policyd=$PROVOST_BUILD/policyd/provost-policyd
socket=$LAB/run/policy
client() {
    "$LAB_PYTHON" "$lab_tree/tests/lib/policy.py" "$@"
}
ask() {
    client "$socket" ask "$@"
}
answers() {
    ask sender= recipient=nobody@elsewhere.example >/dev/null 2>&1
}
policyd_start() {
    lab_start policyd "$policyd" -c "$LAB/provost.conf"
    wait_for 10 answers || lab_die "policyd answers"
}
mail_size() {
    lab_sql "REPLACE INTO quota2 (username, bytes, messages) VALUES ('ada@example.org', $1, 1)"
}

is "its settings can be checked" "$("$policyd" -t -c "$LAB/provost.conf")" ok
sed 's/deadline = "1s"/deadlime = "1s"/' "$LAB/provost.conf" >"$LAB/bad.conf"
"$policyd" -t -c "$LAB/bad.conf" >"$LAB/out" 2>&1
is "bad ones end it with 78" "$?" 78
like "with line and key" "$(cat "$LAB/out")" 'bad.conf:[0-9]+: policy.deadlime: .*deadline'
policyd_start
is "its socket has the mode and the group of its settings" "$(stat -c '%a %G' "$socket")" "666 $(lab_group)"

# ---------------------------------------------------------------- protocol --

is "a recipient of ours is no matter" "$(ask)" DUNNO
is "nor one of others" "$(ask recipient=x@elsewhere.example)" DUNNO
is "neither are attributes of a later Postfix" "$(ask tls_sni=a compatibility_level=3.8 mail_version=9 later=x=y)" DUNNO
is "another request is no matter" "$(ask request=other)" DUNNO
is "at an address, too" "$(client "127.0.0.1:$port" ask)" DUNNO
is "byte after byte" "$(client "$socket" slow)" DUNNO
for state in CONNECT EHLO HELO MAIL RCPT DATA END-OF-MESSAGE VRFY ETRN ''; do
    is "state \"$state\" is answered" "$(ask protocol_state=$state)" DUNNO
done
full='request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient=ada@example.org\n\n'
# shellcheck disable=SC2059
{
    printf "$full$full$full" >"$LAB/three"
    printf 'request=smtpd_access_policy\nno equals sign\n\n' >"$LAB/odd"
    printf 'request=smtpd_access_policy\nsender=a\000b\n\n' >"$LAB/nul"
    { printf 'request=smtpd_access_policy\nsender='; head -c 16400 /dev/zero | tr '\0' a; printf '\n\n'; } >"$LAB/huge"
    { printf 'request=smtpd_access_policy\nsender='; head -c 16300 /dev/zero | tr '\0' a; printf '\n\n'; } >"$LAB/large"
    printf 'request=smtpd_access_policy\nrecipient=\303\244\303\266@example.org\n\n' >"$LAB/utf8"
}
is "three requests in one packet have three answers" "$(client "$socket" raw "$LAB/three")" "action=DUNNO||action=DUNNO||action=DUNNO||"
cat "$LAB/utf8" "$LAB/odd" >"$LAB/both"
is "what came before something odd is answered" "$(client "$socket" raw "$LAB/both")" "action=DUNNO||"
is "a line without = is not answered" "$(client "$socket" raw "$LAB/odd")" ""
is "neither is a NUL" "$(client "$socket" raw "$LAB/nul")" ""
is "nor 16 KiB and more" "$(client "$socket" raw "$LAB/huge")" ""
is "a little less is" "$(client "$socket" raw "$LAB/large")" "action=DUNNO||"
is "UTF-8 is" "$(client "$socket" raw "$LAB/utf8")" "action=DUNNO||"
like "the log says what was closed" "$(cat "$LAB/log/policyd.log")" 'closing a connection that sent no policy request: error='
is "1,000 connections are held" "$(client "$socket" idle 1000)" "held 1000, DUNNO"
rss=$(awk '/^VmRSS/ { print $2 }' "/proc/$(lab_pid policyd)/status")
# A sanitizer's own memory is not counted.
check "which cost less than 64 MiB ($rss kB)" test "$rss" -lt $((65536 * ${PROVOST_SLOW:-1}))
crowd=$(client "$socket" crowd 1200)
like "one more than max_connections is closed at once" "$crowd" '^closed number (1[01]..|120[01])$'
like "and those who are there are answered on" "$crowd" '^the first DUNNO, the last DUNNO$'
like "who leaves makes room" "$crowd" '^another DUNNO$'
like "which is logged" "$(cat "$LAB/log/policyd.log")" 'turning a connection away: reason=crowded'
wait_for 5 answers

# ------------------------------------------------------------ what it says --

mail_size 6000000000
like "a full mailbox is said" "$(ask queue_id=7F3A)" '^452 4\.2\.2 '
like "with a line in the log" "$(cat "$LAB/log/policyd.log")" 'deferred: rule=mailbox_quota state=RCPT client=192\.0\.2\.1 queue_id=7F3A .*recipient=ada@example.org .*numbers=".*used'
is "and one alone" "$(grep -c 'rule=mailbox_quota' "$LAB/log/policyd.log")" 1
mail_size 10
is "an empty one is not" "$(ask)" DUNNO
like "provostctl asks the service" "$(lab_provostctl policy test --recipient ada@example.org --size 6G)" '(452|552) '
like "and has it explain each rule" "$(lab_provostctl policy explain --recipient ada@example.org --size 6G)" 'mailbox_quota'
is "as JSON, too" "$(lab_provostctl policy explain --recipient ada@example.org --json | "$LAB_PYTHON" -c 'import json, sys; print(len(json.load(sys.stdin)) >= 9)')" True
mail_size 6000000000
sed 's/deadline = "1s";/deadline = "1s"; rules = ( { rule = "mailbox_quota"; mode = "warn"; } );/' "$LAB/provost.conf" >"$LAB/warn.conf"
cp "$LAB/provost.conf" "$LAB/keep.conf"
cp "$LAB/warn.conf" "$LAB/provost.conf"
lab_signal policyd HUP
warned() { [ "$(ask)" = DUNNO ]; }
wait_for 5 warned
is "after a reload it only warns" "$?" 0
like "and logs what it would refuse" "$(cat "$LAB/log/policyd.log")" 'would refuse: rule=mailbox_quota '
cp "$LAB/bad.conf" "$LAB/provost.conf"
lab_signal policyd HUP
kept() { grep -q 'bad settings, keeping the old ones' "$LAB/log/policyd.log"; }
wait_for 5 kept
is "bad settings keep the old ones, and are logged" "$?$(ask)" 0DUNNO

# Reads the settings in FILE, and comes back when they count.
reload_from() {
    reloads=$(grep -c 'reloaded' "$LAB/log/policyd.log")
    cp "$1" "$LAB/provost.conf"
    lab_signal policyd HUP
    wait_for 5 reloaded
}
reloaded() { [ "$(grep -c 'reloaded' "$LAB/log/policyd.log")" -gt "$reloads" ]; }
reload_from "$LAB/keep.conf"
mail_size 10
is "nothing is logged of what is let in" "$(grep -c 'dunno' "$LAB/log/policyd.log")" 0
sed 's/account_ttl = "0"/account_ttl = "1h"/; s/^policy = {/log_level = "debug";\n&/' "$LAB/keep.conf" >"$LAB/remember.conf"
reload_from "$LAB/remember.conf"
is "a mailbox with room is remembered" "$(ask queue_id=8A4B)" DUNNO
like "at debug what is let in is logged" "$(cat "$LAB/log/policyd.log")" 'debug: dunno: state=RCPT .*queue_id=8A4B .*recipient=ada@example.org'
mail_size 6000000000
is "as long as account_ttl says" "$(ask)" DUNNO
reload_from "$LAB/remember.conf"
like "or until SIGHUP" "$(ask)" '^452 4\.2\.2 '
reload_from "$LAB/keep.conf"
mail_size 10

# What RCPT told is needed at the end, where Postfix names no recipient.
for who in ada ada+list; do
    is "a message for $who is under way" "$(ask recipient=$who@example.org instance=under.way)" DUNNO
done
reload_from "$LAB/keep.conf"
like "a reload knows it still" "$(ask protocol_state=END-OF-MESSAGE recipient= recipient_count=2 instance=under.way size=6000000000)" '^552 5\.2\.3 '

# -------------------------------------------------------------------- rates --

lab_sql "UPDATE mailbox SET rate_messages = 2, rate_messages_period = 3600,
    rate_recipients = 5, rate_recipients_period = 3600 WHERE address = 'ada@example.org'"
sed 's/deadline = "1s";/& rules = ( { rule = "send_rate"; mode = "enforce"; } );/' "$LAB/keep.conf" >"$LAB/rate.conf"
reload_from "$LAB/rate.conf"
# sends STATE RECIPIENTS [LOGIN]: as Postfix asks of somebody who has logged in.
sends() {
    ask "protocol_state=$1" "recipient_count=$2" recipient= sender= "sasl_username=${3:-ADA@example.org}"
}
is "who has sent nothing may begin" "$(sends RCPT 0) $(sends DATA 1)" "DUNNO DUNNO"
is "a message with one recipient is charged at its end" "$(sends END-OF-MESSAGE 1)" DUNNO
for _ in 1 2 3; do
    lab_provostctl policy test --login ada@example.org --sender ada@example.org --recipient x@elsewhere.example >/dev/null
done
like "one with more recipients than are left is refused there" "$(sends END-OF-MESSAGE 5)" '^450 4\.7\.1 Too many recipients, the sender.s limit is 5/1h'
is "neither that nor a test cost anything" "$(sends END-OF-MESSAGE 4)" DUNNO
for state in RCPT DATA END-OF-MESSAGE; do
    like "then all is used up, at $state" "$(sends $state 1)" '^450 4\.7\.1 Too many messages, the sender.s limit is 2/1h'
done
like "which provostctl tells, too" "$(lab_provostctl policy test --login ada@example.org --sender ada@example.org --recipient x@elsewhere.example)" '450 4\.7\.1 '
is "no login, no limit" "$(ask sender=ada@example.org)" DUNNO
lab_sql "UPDATE domain SET rate_messages = 1, rate_messages_period = 3600 WHERE name = 'example.org'"
is "one of the domain may send what the domain may" "$(sends END-OF-MESSAGE 1 bob@example.org)" DUNNO
like "and the next one is one too many" "$(sends END-OF-MESSAGE 1 carol@example.org)" '^450 4\.7\.1 Too many messages, the domain.s limit is 1/1h'
lab_sql "UPDATE domain SET rate_messages = 0 WHERE name = 'example.org'"
reload_from "$LAB/keep.conf"

# ------------------------------------------------------------ under a load --

(
    turn=0
    while [ "$turn" -lt 30 ]; do
        lab_signal policyd HUP
        sleep 0.1
        turn=$((turn + 1))
    done
) &
hups=$!
load=$(client "$socket" load 8 3)
wait "$hups"
like "a reload ten times a second loses no answer" "$load" '^answers [1-9][0-9]* wrong 0 lost 0 retried 0 '
metrics=$(lab_provostctl metrics 2>/dev/null)
like "counters are there, by rule and action" "$metrics" '^provost_policy_actions_total\{rule="mailbox_quota",action="defer"\} [1-9]'
like "for what was only warned of, too" "$metrics" '^provost_policy_actions_total\{rule="mailbox_quota",action="warn"\} [1-9]'

# ------------------------------------------------------------------ outages --

lab_signal mariadb STOP
began=$(now_ms)
got=$(ask sasl_username=ada@example.org sender=ada@example.org)
took=$(($(now_ms) - began))
check "a store that is stopped in mid-query delays an answer to the deadline ($took ms)" test "$took" -lt $((2000 * ${PROVOST_SLOW:-1}))
is "as shipped the rules that would defer only warn" "$got" DUNNO
load=$(client "$socket" load 40 3 sender= recipient=bob@example.org)
like "40 at once are answered, too" "$load" '^answers [1-9][0-9]* .* lost 0 retried 0 '
# One rule alone, enforced, and what it is asked; the database is still stopped.
chooses() {
    one=$1 mode=$2 want=$3
    shift 3
    rules=
    for rule in recipient_state mailbox_quota domain_quota message_size send_rate sender_login tls_in; do
        [ "$rule" = "$one" ] && word=$mode || word=off
        rules="$rules${rules:+, }{ rule = \"$rule\"; mode = \"$word\"; }"
    done
    sed "s/deadline = \"1s\";/deadline = \"300ms\"; rules = ( $rules );/" "$LAB/keep.conf" >"$LAB/one.conf"
    reload_from "$LAB/one.conf"
    like "without the database $one ($mode) says $want" "$(ask "$@")" "^$want"
}
for rule in recipient_state mailbox_quota domain_quota message_size; do
    chooses $rule enforce 'DUNNO$'
done
chooses send_rate enforce '451 4\.3\.0 ' protocol_state=END-OF-MESSAGE sasl_username=ada@example.org
chooses send_rate warn 'DUNNO$' protocol_state=END-OF-MESSAGE sasl_username=ada@example.org
chooses sender_login enforce '451 4\.3\.0 ' sasl_username=ada@example.org sender=ada@example.org
chooses tls_in enforce '451 4\.3\.0 '
like "with a line that says so" "$(cat "$LAB/log/policyd.log")" 'deferred, no answer: rule=tls_in '
lab_signal mariadb CONT
reload_from "$LAB/keep.conf"
back() { [ "$(ask)" = DUNNO ]; }
wait_for 10 back
lab_signal mariadb STOP
ask protocol_state=MAIL sasl_username=ada@example.org >"$LAB/last" &
last=$!
sleep 0.4
lab_signal policyd TERM
wait "$last"
lab_signal mariadb CONT
is "who has asked before a SIGTERM is answered after it" "$(cat "$LAB/last")" DUNNO
lab_stop policyd
is "it stops at SIGTERM, and its socket is gone" "$([ -e "$socket" ] && echo there)" ""

lab_start holder "$LAB_PYTHON" "$lab_tree/tests/lib/policy.py" "$socket" hold "$policyd" -c "$LAB/provost.conf"
wait_for 10 answers || lab_die "policyd answers on a socket it was given"
(
    turn=0
    while [ "$turn" -lt 3 ]; do
        sleep 2.3
        kill -s KILL "$(cat "$socket.pid")"
        turn=$((turn + 1))
    done
) &
kills=$!
load=$(client "$socket" load 8 8)
wait "$kills"
like "kill -9 costs a retry, and no answer" "$load" '^answers [1-9][0-9]* wrong 0 lost 0 '
unlike "which was needed" "$load" ' retried 0 '
lab_stop holder
lab_done
