#!/bin/sh
# dovecot.sh - real clients at Dovecot's IMAP, POP3, ManageSieve and LMTP
# SPDX-License-Identifier: BSD-2-Clause
#
# A box (see box.sh) with Debian's Dovecot as its packages leave it, on which
# README and conf/dovecot/dovecot.txt are typed as they stand.
set -u
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${BOX:-}" ]; then
    PROVOST_TREE=${PROVOST_TREE:-$(cd "$here/../.." && pwd)}
    export PROVOST_TREE
    exec sh "$here/../lib/box.sh" "$here/${0##*/}" "$@"
fi
# shellcheck source=tests/lib/lab.sh
. "$here/../lib/lab.sh"
# shellcheck source=tests/lib/host.sh
. "$here/../lib/host.sh"
# shellcheck disable=SC2034 # lab_slapd's
LAB_SERVICE_PASSWORD=PASSWORD
lab_begin dovecot
host_protocol_people >"$LAB/people.ldif"
# shellcheck disable=SC2034 # lab_slapd's
LAB_SLAPD_LDIF=$LAB/people.ldif
host_bare
host_tree
host_install
host_protocol_templates
type_step "Install on a host" 8
systemctl enable --now postfix >"$LAB/out" 2>&1
page=conf/dovecot/dovecot.txt
for number in 1 2 3 4 5; do type_page $page $number; done
like "the door's settings are right" "$(provostctl config check 2>&1)" '^ok$'
# Dovecot delays who fails: not in a test.
printf '%s\n' 'log_path = /var/log/dovecot.log' 'auth_failure_delay = 0' >/etc/dovecot/conf.d/97-test.conf
type_page $page 6
like "doveadm logs in" "$(cat "$LAB/out")" 'ada@example.org auth succeeded'
like "and finds the mailbox" "$(cat "$LAB/out")" '^home[[:space:]]+/var/vmail/example.org/ada/'
like "with its quota" "$(cat "$LAB/out")" 'STORAGE +[0-9]+ +5242880'
is "the mailbox is iterated over" "$(doveadm user '*')" ada@example.org

# at PROTOCOL USER [PASSWORD] [OPTION...]: what the client is told.
at() {
    at_protocol=$1 at_user=$2 at_password=${3-${2%@*}-secret}
    shift 2
    [ $# -eq 0 ] || shift
    "$LAB_PYTHON" "$PROVOST_TREE/tests/lib/mail_login.py" "$at_protocol" "$at_user" "$at_password" "$@"
}
mailboxes() {
    mariadb -N provost -e "SELECT COUNT(*) FROM mailbox WHERE address = '$1'"
}
authd_log() {
    tail -n 1 /var/log/provost-authd.log
}
# The words of each protocol for right, wrong and nobody can tell now.
word() {
    case $1-$2 in
    imap-right) echo '^OK ' ;;
    imap-wrong) echo '^NO \[AUTHENTICATIONFAILED\]' ;;
    imap-away) echo '^NO \[UNAVAILABLE\]' ;;
    pop3-right) echo '^\+OK' ;;
    pop3-wrong) echo '^-ERR \[AUTH\]' ;;
    pop3-away) echo '^-ERR \[SYS/TEMP\]' ;;
    sieve-right) echo '^OK ' ;;
    sieve-wrong) echo '^NO ("|\(?[^T]|$)' ;;
    sieve-away) echo '^NO \(TRYLATER\)' ;;
    esac
}

# ------------------------------------------------------------------ logins --

for protocol in imap pop3 sieve; do
    who=first$protocol@example.org
    is "$protocol: somebody new has no mailbox" "$(mailboxes $who)" 0
    like "$protocol: a wrong password is called one" "$(at $protocol $who wrong)" "$(word $protocol wrong)"
    is "$protocol: and makes none" "$(mailboxes $who)" 0
    like "$protocol: the first login is let in" "$(at $protocol $who)" "$(word $protocol right)"
    is "$protocol: and makes the mailbox" "$(mailboxes $who)" 1
    like "$protocol: authd was told protocol and client" "$(authd_log)" \
        "login ok: .*mailbox=$who service=$protocol client=127\.0\.0\.1.*made=create"
    like "$protocol: the next is let in, too" "$(at $protocol $who)" "$(word $protocol right)"
    like "$protocol: somebody unknown is told what a wrong password is" "$(at $protocol nobody@example.org x)" "$(word $protocol wrong)"
    like "$protocol: an empty password is one" "$(at $protocol $who '' 2>&1)" '^(NO|-ERR)'
    like "$protocol: so is an over-long one" "$(at $protocol $who "$(head -c 5000 /dev/zero | tr '\0' x)")" '^(NO|-ERR|BAD|CLOSED|BYE)'
    # At this protocol alone.
    who=no$protocol@example.org
    like "$protocol: who may not use it is refused as by a wrong password" "$(at $protocol $who)" "$(word $protocol wrong)"
    is "$protocol: before anything is made" "$(mailboxes $who)" 0
    like "$protocol: the reason is in authd's log" "$(authd_log)" 'refused: .*reason=service_not_allowed'
    for other in imap pop3 sieve; do
        [ $other = $protocol ] || like "$protocol: and let in by $other" "$(at $other $who)" "$(word $other right)"
    done
    like "$protocol: still not by $protocol" "$(at $protocol $who)" "$(word $protocol wrong)"
done
like "smtp: the first login is let in" "$(at smtp firstsmtp@example.org)" '^235 '
is "smtp: and makes the mailbox" "$(mailboxes firstsmtp@example.org)" 1
like "smtp: who may not use it is refused" "$(at smtp nosmtp@example.org)" '^535 '
is "smtp: before anything is made" "$(mailboxes nosmtp@example.org)" 0
like "smtp: and let in by IMAP" "$(at imap nosmtp@example.org)" '^OK '
like "POP3 takes AUTH PLAIN as well as USER" "$(at pop3 ada@example.org ada-secret --mech PLAIN)" '^\+OK'
like "IMAP takes AUTHENTICATE as well as LOGIN" "$(at imap ada@example.org ada-secret --mech PLAIN)" '^OK'
like "a short name opens the mailbox of the person" "$(at imap ada ada-secret --do 'GETQUOTAROOT INBOX')" '^\* QUOTA.*STORAGE [0-9]+ 5242880'
like "so does one in capitals" "$(at imap ADA@Example.ORG ada-secret)" '^OK'
like "a name with an umlaut is authd's to judge" "$(at imap 'ädä@example.org' x)" "$(word imap wrong)"
is "no other mailbox came of it" "$(find /var/vmail/example.org -maxdepth 1 -iname 'ada*' | tr '\n' ' ')" "/var/vmail/example.org/ada "

# -------------------------------------------------------------------- mail --

# send RECIPIENT [BYTES]: from outside, through Postfix and LMTP.
send() {
    "$LAB_PYTHON" "$PROVOST_TREE/tests/lib/smtp_send.py" 25 --data "${2:-100}" "$1" 2>&1
}
# holds ADDRESS NUMBER: that many messages are in the INBOX.
holds() {
    [ "$(doveadm mailbox status -u "$1" messages INBOX 2>/dev/null)" = "INBOX messages=$2" ]
}
bytes_of() {
    mariadb -N provost -e "SELECT COALESCE(MAX(bytes), 0) FROM quota2 WHERE username = '$1'"
}
like "mail is taken" "$(send ada@example.org)" 'end 250 '
wait_for 15 holds ada@example.org 1
like "and read over IMAP" "$(at imap ada@example.org ada-secret --do 'SELECT INBOX' --do 'FETCH 1 BODY[TEXT]')" '^x{70}$'
like "and over POP3" "$(at pop3 ada@example.org ada-secret --do 'RETR 1')" '^x{70}$'
check "the quota is counted where policyd reads it" test "$(bytes_of ada@example.org)" -gt 100
provostctl domain alias add alias.example example.org >"$LAB/out" 2>&1
like "mail for an alias domain is the same mailbox's" "$(send ADA@alias.example)" 'end 250 '
wait_for 15 holds ada@example.org 2
is "it is there" $? 0

like "a filter is stored over ManageSieve" "$(at sieve ada@example.org ada-secret --do 'PUTSCRIPT "f" {62+}\r\nrequire "fileinto"; if header "Subject" "test" {fileinto "T";}' --do 'SETACTIVE "f"')" '^OK "Setactive'
doveadm mailbox create -u ada@example.org T
like "mail comes that it concerns" "$(send ada@example.org)" 'end 250 '
filtered() { [ "$(doveadm mailbox status -u ada@example.org messages T)" = "T messages=1" ]; }
wait_for 15 filtered
is "and is filed by it" $? 0

who=firstimap@example.org
provostctl mailbox edit $who --quota 100K >/dev/null
doveadm quota recalc -u $who
send $who 85000 >/dev/null
warned() { doveadm fetch -u "$who" hdr.subject mailbox INBOX 2>/dev/null | grep -q "Your mailbox is $1% full"; }
wait_for 15 warned 80
is "a mailbox that passes 80 percent is told so" $? 0
check "and the warning was delivered as a message" holds $who 2
like "what does not fit is refused" "$(printf 'From: a@example.org\n\n%s\n' "$(head -c 90000 /dev/zero | base64)" | doveadm save -u $who 2>&1)" 'Quota exceeded'

# ------------------------------------------------------------------- state --

who=ada@example.org
provostctl mailbox block $who >/dev/null
for protocol in imap pop3 sieve; do
    like "$protocol: a mailbox whose logins are closed refuses at once" "$(at $protocol $who)" "$(word $protocol wrong)"
done
like "smtp: so it does" "$(at smtp $who)" '^535 '
before=$(doveadm mailbox status -u $who messages T)
like "its mail is taken" "$(send $who)" 'end 250 '
delivered() { [ "$(doveadm mailbox status -u "$who" messages T)" != "$before" ]; }
wait_for 15 delivered
is "and delivered" $? 0
provostctl mailbox block --all $who >/dev/null
like "a mailbox that is off takes none" "$(send $who)" 'rcpt ada@example.org 5[0-9][0-9] '
unlike "and is not iterated over" "$(doveadm user '*')" '^ada@'
provostctl mailbox unblock $who >/dev/null
like "unblocked, it is open at once" "$(at imap $who)" '^OK '

# ---------------------------------------------------------- something down --

# all_say WORD WHEN: each protocol, for a right password.
all_say() {
    for protocol in imap pop3 sieve; do
        like "$protocol: $2: a right password" "$(at $protocol bob@example.org)" "$(word $protocol "$1")"
    done
}
all_say right "before anything is down"
systemctl stop provost-authd
all_say away "authd is down"
like "authd is down: Dovecot's log names the socket" "$(tail -n 5 /var/log/dovecot.log)" 'provost: /run/provost/dovecot: (connection refused|No such file)'
counted=$(fail2ban-regex --print-all-matched /var/log/dovecot.log /etc/fail2ban/filter.d/dovecot.conf)
like "authd is down: fail2ban's own filter counts wrong passwords" "$counted" 'auth failed, 1 attempts'
unlike "and none of those that nobody could judge" "$counted" 'temporary failure'
systemctl restart provost-authd
start=$(now_ms)
all_say right "authd is back"
check "and nobody waits for what was no fault of theirs" test $(($(now_ms) - start)) -lt $((4000 * ${PROVOST_SLOW:-1}))

# Others that are down take time: with check.sh --all.
if [ -n "${PROVOST_LONG:-}" ]; then
    lab_slapd_stop main
    start=$(now_ms)
    all_say away "slapd is down"
    like "slapd is down: nobody is told that a password is wrong" "$(at imap bob@example.org wrong)" "$(word imap away)"
    check "slapd is down: it does not take long to say so" test $(($(now_ms) - start)) -lt $((16000 * ${PROVOST_SLOW:-1}))
    lab_slapd_start main
    back() { at imap bob@example.org | grep -q '^OK '; }
    wait_for 20 back
    all_say right "slapd is back"
    lab_slapd_signal STOP
    start=$(now_ms)
    like "slapd is mute: nobody can tell" "$(at imap carol@example.org)" "$(word imap away)"
    check "slapd is mute: the answer comes within authd's deadline" test $(($(now_ms) - start)) -lt $((11000 * ${PROVOST_SLOW:-1}))
    lab_slapd_signal CONT
    back() { at imap carol@example.org | grep -q '^OK '; }
    wait_for 30 back
    is "slapd speaks again: people are let in" $? 0
    lab_stop mariadb
    all_say away "MariaDB is down"
    like "MariaDB is down: a delivery is put off" "$(swaks --timeout 90 --protocol LMTP --socket /var/spool/postfix/private/dovecot-lmtp \
        --from a@elsewhere.example --to bob@example.org 2>&1)" '^<(~|\*\*|-)+ *4[0-9][0-9] '
fi

tail -n 40 /var/log/dovecot.log | sed 's/^/# /' >"$LAB/log/dovecot.log"
cp /var/log/provost-*.log "$LAB/log/" 2>/dev/null
unlike "no process of Dovecot crashed" "$(cat /var/log/dovecot.log)" '(Panic|Fatal|killed with signal)'
dovecot stop
postfix stop >/dev/null 2>&1
systemctl stop provost-authd provost-policyd
lab_done
