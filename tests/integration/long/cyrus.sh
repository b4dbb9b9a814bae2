#!/bin/sh
# cyrus.sh - real clients at imapd, pop3d and timsieved of Cyrus IMAP
# SPDX-License-Identifier: BSD-2-Clause
#
# A box (see box.sh) with Debian's cyrus-imapd, on which README and
# conf/cyrus/cyrus.txt are typed as they stand: the plugin where a program uses
# mechanisms, saslauthd's protocol where it does not.
set -u
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${BOX:-}" ]; then
    PROVOST_TREE=${PROVOST_TREE:-$(cd "$here/../../.." && pwd)}
    export PROVOST_TREE
    exec sh "$here/../../lib/box.sh" "$here/${0##*/}" "$@"
fi
# shellcheck source=tests/lib/lab.sh
. "$here/../../lib/lab.sh"
# shellcheck source=tests/lib/host.sh
. "$here/../../lib/host.sh"
# shellcheck disable=SC2034 # lab_slapd's
LAB_SERVICE_PASSWORD=PASSWORD
lab_begin cyrus
host_protocol_people >"$LAB/people.ldif"
# shellcheck disable=SC2034 # lab_slapd's
LAB_SLAPD_LDIF=$LAB/people.ldif
host_bare
host_tree
host_install
host_protocol_templates
host_cyrus
for number in 1 2 3; do type_page conf/cyrus/cyrus.txt $number; done
like "the door lets in who asks as saslauthd's clients do" "$(cat "$LAB/out")" '^0: OK "Success'
# Cyrus pauses after who fails: not in a test.
echo 'failedloginpause: 0s' >>/etc/imapd.conf
systemctl restart cyrus-imapd
wait_for 10 lab_port_open 143

# at PROTOCOL USER [PASSWORD] [OPTION...]: what the client is told.
at() {
    at_protocol=$1 at_user=$2 at_password=${3-${2%@*}-secret}
    shift 2
    [ $# -eq 0 ] || shift
    "$LAB_PYTHON" "$PROVOST_TREE/tests/lib/mail_login.py" "$at_protocol" "$at_user" "$at_password" --clear "$@"
}
mailboxes() {
    mariadb -N provost -e "SELECT COUNT(*) FROM mailbox WHERE address = '$1'"
}
authd_log() {
    tail -n 1 /var/log/provost-authd.log
}
# way WAY: protocol and mechanism; what a client is told: right and wrong.
way() {
    case $1 in
    imap-plain) protocol=imap mech=PLAIN right='^OK ' wrong='^NO authentication failure$' away='^NO remote authentication server unavailable$' ;;
    imap-login) protocol=imap mech=LOGIN right='^OK ' wrong='^NO Login failed: authentication failure$' away='^NO Login failed: generic failure$' ;;
    pop3-plain) protocol=pop3 mech=PLAIN right='^\+OK ' wrong='^-ERR \[AUTH\] authenticating: authentication failure$' away='^-ERR \[AUTH\] authenticating: remote authentication server unavailable$' ;;
    pop3-user) protocol=pop3 mech=USER right='^\+OK ' wrong='^-ERR \[AUTH\] Invalid login$' away='^-ERR \[AUTH\] Invalid login$' ;;
    sieve-plain) protocol=sieve mech=PLAIN right='^OK$' wrong='^NO "Authentication Error"$' away='^NO "Authentication Error"$' ;;
    esac
}

first_sieve() {
    at sieve "$who" >/dev/null
    is "sieve-plain: the first login makes the mailbox" "$(mailboxes "$who")" 1
    at imap "$who" >/dev/null
}

for way in imap-plain imap-login pop3-plain pop3-user sieve-plain; do
    way $way
    who=first$protocol@example.org
    first=$(mailboxes "$who")
    like "$way: a wrong password is called one" "$(at "$protocol" "$who" wrong --mech "$mech")" "$wrong"
    is "$way: and makes nothing" "$(mailboxes "$who")" "$first"
    # timsieved opens for nobody who has no INBOX; imapd makes it.
    [ $way != sieve-plain ] || first_sieve
    like "$way: the right one is let in" "$(at "$protocol" "$who" "first$protocol-secret" --mech "$mech")" "$right"
    is "$way: and there is a mailbox" "$(mailboxes "$who")" 1
    [ "$first" = 1 ] || like "$way: the first login made it" "$(grep "mailbox=$who" /var/log/provost-authd.log)" "service=${protocol%3} .*made=create"
    like "$way: somebody unknown is told what a wrong password is" "$(at "$protocol" nobody@example.org x --mech "$mech")" "$wrong"
    like "$way: an empty password lets nobody in" "$(at "$protocol" "$who" '' --mech "$mech")" '^(NO|-ERR|BAD)'
    who=no$protocol@example.org
    first=$(mailboxes "$who")
    like "$way: who may not use it is refused as by a wrong password" "$(at "$protocol" "$who" "no$protocol-secret" --mech "$mech")" "$wrong"
    like "$way: authd's log has the reason" "$(authd_log)" 'refused: .*reason=service_not_allowed'
    is "$way: nothing was made before" "$(mailboxes "$who")" "$first"
    other=imap
    [ "$protocol" != imap ] || other=pop3
    like "$way: and is let in elsewhere" "$(at $other "$who" "no$protocol-secret")" '^(OK|\+OK)'
done
like "the plugin tells authd the client's address" "$(grep service=sieve /var/log/provost-authd.log | tail -n 1)" 'client=127\.0\.0\.1'
like "Cyrus opens the mailbox of the address, whatever was typed" \
    "$(at imap ada ada-secret --mech PLAIN --do 'GETQUOTAROOT INBOX' --do 'SELECT INBOX')" '^OK \[READ-WRITE\]'
is "under the address alone" "$(setpriv --reuid cyrus --regid mail --clear-groups \
    /usr/lib/cyrus/bin/ctl_mboxlist -d 2>/dev/null | grep -o '^[^[:space:]]*ada[^[:space:]]*')" '"example.org!user.ada":'
like "where no plugin is asked, the name has to be the address" "$(at imap ada ada-secret)" '^NO Login failed'
like "authd's log says so" "$(authd_log)" 'reason=not_canonical'

who=ada@example.org
provostctl mailbox block $who >/dev/null
for way in imap-plain imap-login pop3-plain pop3-user sieve-plain; do
    way $way
    like "$way: a mailbox whose logins are closed refuses at once" "$(at "$protocol" $who ada-secret --mech "$mech")" "$wrong"
done
provostctl mailbox unblock $who >/dev/null

systemctl stop provost-authd
for way in imap-plain imap-login pop3-plain pop3-user sieve-plain; do
    way $way
    like "$way: authd is down: nobody is let in, in the words the page has" "$(at "$protocol" $who ada-secret --mech "$mech")" "$away"
done
systemctl restart provost-authd
lab_slapd_stop main
for way in imap-plain imap-login; do
    way $way
    like "$way: slapd is down: in the words the page has" "$(at "$protocol" $who ada-secret --mech "$mech")" "$away"
done
like "authd calls it temporary" "$(authd_log)" 'temporary: .*reason=no_answer'
lab_slapd_start main
back() { at imap "$who" ada-secret | grep -q '^OK '; }
wait_for 30 back
is "slapd is back: people are let in" $? 0

# The second way alone: stock mechanisms, and saslauthd's protocol for all.
sed -i '/^sasl_provost_path/d' /etc/imapd.conf
systemctl restart cyrus-imapd
wait_for 10 lab_port_open 143
for way in imap-plain imap-login pop3-plain pop3-user sieve-plain; do
    way $way
    like "$way: without the plugin: a right password" "$(at "$protocol" $who ada-secret --mech "$mech")" "$right"
    like "$way: without the plugin: a wrong one" "$(at "$protocol" $who wrong --mech "$mech")" '^(NO|-ERR)'
done
unlike "without the plugin authd learns no address of clients" "$(authd_log)" 'client='

cp /var/log/cyrus-imapd.log /var/log/provost-*.log "$LAB/log/" 2>/dev/null
systemctl stop cyrus-imapd provost-authd provost-policyd
lab_done
