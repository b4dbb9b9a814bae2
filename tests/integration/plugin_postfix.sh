#!/bin/sh
# plugin_postfix.sh - both doors in a chrooted smtpd, and a peer that misbehaves
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin ppx
lab_postfix_make

# peer DOOR: where smtpd finds the login service, a peer as scripted.
peer() {
    lab_start "peer-$1" "$PROVOST_BUILD/tests/integration/sasl_peer" "$LAB/spool/var/run/provost/$1"
    wait_for 5 grep -q ready "$LAB/log/peer-$1.log" || lab_die "the peer starts"
}
peer plugin
peer stock
echo 'provost_timeout: 2' >>"$LAB/postfix/sasl/smtpd.conf"
# No MariaDB here: one mailbox, and one sender that the person owns.
# postconf(1) replaces: a second entry would be a warning in each process, and
# postlogd(8), one of them, would wait for itself.
postconf -c "$LAB/postfix" -e 'virtual_mailbox_domains = example.org' \
    'virtual_mailbox_maps = static:ada/' 'virtual_alias_maps =' \
    'smtpd_sender_login_maps = inline:{ada@example.org=ada@example.org}' \
    'sender_dependent_default_transport_maps =' \
    'smtpd_recipient_restrictions = reject_unauth_destination'
lab_postfix_start

log=$LAB/log/postfix.log
lines() {
    wc -l <"$log"
}
# since LINES: what was logged after that many lines.
since() {
    tail -n +$(($1 + 1)) "$log"
}

is "the plugin's door offers PLAIN and LOGIN, once each" \
    "$(lab_smtp plugin ada x --features | grep '^AUTH')" "AUTH PLAIN LOGIN"
is "and so does the stock modules'" \
    "$(lab_smtp stock ada x --features | grep '^AUTH')" "AUTH PLAIN LOGIN"

for mechanism in PLAIN PLAIN-2 LOGIN; do
    from=$(lines)
    is "plugin, $mechanism: a right password is 235" \
        "$(lab_smtp_code plugin Ada@Example.ORG good --mech $mechanism)" 235
    is "plugin, $mechanism: a wrong one is 535" \
        "$(lab_smtp_code plugin Ada@Example.ORG bad --mech $mechanism)" 535
    like "and the log says who it was ($mechanism)" "$(since "$from")" \
        "SASL ${mechanism%-2} authentication failed: authentication failure.*sasl_username=Ada@Example.ORG"
    unlike "and blames no server ($mechanism)" "$(since "$from")" 'provost:'
    is "plugin, $mechanism: no answer is 454" \
        "$(lab_smtp_code plugin Ada@Example.ORG none --mech $mechanism)" 454
    like "and the log says why ($mechanism)" "$(since "$from")" \
        'warning: SASL authentication problem: provost: the service has no answer at present'
done
like "the service learns the client's address" \
    "$(tail -n 1 "$LAB/log/peer-plugin.log")" 'service=smtp realm= client=127.0.0.1;[0-9]+ reads=1$'

from=$(lines)
is "the person may send under the canonical address, whatever was typed" \
    "$(lab_smtp plugin Ada@Example.ORG good --send ada@example.org ada@example.org | cut -c1-3 | tr '\n' ' ')" "235 250 "
like "and Postfix knows the person by it" "$(since "$from")" 'sasl_username=ada@example.org$'
is "and not under another" \
    "$(lab_smtp plugin Ada@Example.ORG good --send bob@example.org ada@example.org | cut -c1-3 | tr '\n' ' ')" "235 553 "

for password in silent drip close partial over-long huge no-name word newline; do
    is "plugin: 454 when the reply is of the kind \"$password\"" \
        "$(lab_smtp_code plugin ada "$password")" 454
done
for mechanism in PLAIN LOGIN; do
    is "stock, $mechanism: 235, 535 and 454" \
        "$(for password in good bad none; do lab_smtp_code stock ada@example.org $password --mech $mechanism; done | tr '\n' ' ')" \
        "235 535 454 "
done

is "plugin: 535 for another person's name" "$(lab_smtp_code plugin ada good --authzid bob@example.org)" 535
is "plugin: 235 for the own" "$(lab_smtp_code plugin ada good --authzid ada@example.org)" 235
is "plugin: 535 for an empty password" "$(lab_smtp_code plugin ada '')" 535
is "plugin: 535 for NUL in a LOGIN user" "$(lab_smtp_code plugin 'a\x00b' good --mech LOGIN --escapes)" 535
is "plugin: 535 for NUL in a password" "$(lab_smtp_code plugin ada 'a\x00b' --escapes)" 535
is "plugin: a user of 1025 bytes is 535" "$(lab_smtp_code plugin a good --mech LOGIN --user-length 1025)" 535
is "plugin: 64 KiB are survived" \
    "$(lab_smtp_code plugin ada x --mech LOGIN --password-length 65536 | grep -cE '^5')" 1
is "plugin: 20 refusals in one session, then 235 in the next" \
    "$(lab_smtp plugin ada bad --repeat 20 | cut -c1-3 | sort | uniq -c | tr -s ' ') $(lab_smtp_code plugin ada good)" \
    " 20 535 235"

lab_stop peer-plugin
is "plugin: nobody listens: 454" "$(lab_smtp_code plugin ada good)" 454
like "and the log names the socket" "$(tail -n 5 "$log")" 'provost: connect to /var/run/provost/plugin: Connection refused'
rm -f "$LAB/spool/var/run/provost/plugin"
is "plugin: no socket: 454" "$(lab_smtp_code plugin ada good)" 454
peer plugin
is "plugin: the service is back: 235, without a reload" "$(lab_smtp_code plugin ada good)" 235
chmod 0600 "$LAB/spool/var/run/provost/plugin"
is "plugin: the socket is closed to Postfix: 454" "$(lab_smtp_code plugin ada good)" 454

unlike "no smtpd was killed, none gave up" "$(cat "$log")" 'killed by signal|fatal:|panic:'
lab_done
