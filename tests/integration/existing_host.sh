#!/bin/sh
# existing_host.sh - README's way from the mail a host has to Provost, and back
# SPDX-License-Identifier: BSD-2-Clause
#
# The commands are README's, typed in a box (see box.sh) on a Postfix that has
# mail: two domains in local maps, maildirs, a submission port with passwords of
# its own, and a PostfixAdmin database. A message is delivered after each step.
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
lab_begin existing_host
host_bare
host_tree

host_provost
install="Install on a host"
type_step "$install" 3

# --------------------------------------------------- a host that has mail --

for mailbox in old.example/ann second.example/pam; do
    install -d -o vmail -g vmail "/var/vmail/${mailbox%/*}" "/var/vmail/$mailbox"
    for part in cur new tmp; do install -d -o vmail -g vmail "/var/vmail/$mailbox/$part"; done
done
echo 'old.example x
second.example x' >/etc/postfix/vdomains
echo 'ann@old.example old.example/ann/
pam@second.example second.example/pam/' >/etc/postfix/vmailbox
echo 'hello@old.example ann@old.example' >/etc/postfix/virtual
for map in vdomains vmailbox virtual; do postmap "hash:/etc/postfix/$map"; done
postconf 'virtual_mailbox_domains = hash:/etc/postfix/vdomains' \
    'virtual_mailbox_maps = hash:/etc/postfix/vmailbox' 'virtual_alias_maps = hash:/etc/postfix/virtual' \
    virtual_mailbox_base=/var/vmail virtual_uid_maps=static:5000 virtual_gid_maps=static:5000
# The passwords of this host are in its sasldb, which its submission port asks.
mkdir -p /etc/postfix/sasl /var/spool/postfix/etc
rm -f /etc/sasldb2
for person in ann@old.example pam@second.example; do
    echo "${person%@*}-old" | saslpasswd2 -p -c -u "${person#*@}" "${person%@*}"
done
install -m 0644 /etc/sasldb2 /var/spool/postfix/etc/sasldb2
printf 'pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN\n' >/etc/postfix/sasl/smtpd.conf
postconf -M 'submission/inet=submission inet n - y - - smtpd'
postconf -P submission/inet/smtpd_tls_security_level=encrypt submission/inet/smtpd_sasl_auth_enable=yes \
    submission/inet/smtpd_relay_restrictions=permit_sasl_authenticated,reject
mariadb -e "CREATE DATABASE postfixadmin CHARACTER SET utf8mb4"
mariadb postfixadmin -e "
CREATE TABLE domain (domain varchar(255) NOT NULL PRIMARY KEY, aliases int, mailboxes int, maxquota bigint, quota bigint,
    backupmx tinyint DEFAULT 0, active tinyint DEFAULT 1);
CREATE TABLE mailbox (username varchar(255) NOT NULL PRIMARY KEY, password varchar(255) NOT NULL, name varchar(255) NOT NULL,
    maildir varchar(255) NOT NULL, quota bigint, domain varchar(255) NOT NULL, active tinyint DEFAULT 1);
CREATE TABLE alias (address varchar(255) NOT NULL PRIMARY KEY, goto text NOT NULL, domain varchar(255) NOT NULL, active tinyint DEFAULT 1);
CREATE TABLE alias_domain (alias_domain varchar(255) NOT NULL PRIMARY KEY, target_domain varchar(255) NOT NULL, active tinyint DEFAULT 1);
INSERT INTO domain VALUES ('second.example', 10, 10, 0, 0, 0, 1);
INSERT INTO mailbox VALUES ('pam@second.example', '$(openssl passwd -6 pam-secret)', 'Pam', 'second.example/pam/', 0, 'second.example', 1);
INSERT INTO alias VALUES ('pam@second.example', 'pam@second.example', 'second.example', 1),
    ('@second.example', 'pam@second.example', 'second.example', 1)"
postfix start >"$LAB/out" 2>&1
wait_for 15 lab_port_open 587
before=$(postconf -n; postconf -M; postconf -P)

# login PORT USER PASSWORD: the code it is answered with.
login() {
    swaks --server "127.0.0.1:$1" --tls --auth PLAIN --auth-user "$2" --auth-password "$3" \
        --from "$2" --to "$2" --quit-after AUTH 2>&1 | sed -n 's/^<[~*-]* *\([235][0-9][0-9]\) .*/\1/p' | grep -E '^(235|535|454)' | tail -n 1
}
# arrives SENTENCE ADDRESS DIRECTORY: a message that is sent to port 25.
count=0
arrives() {
    count=$((count + 1))
    directory=$3
    swaks --server 127.0.0.1:25 --from somebody@elsewhere.example --to "$2" \
        --body "message number $count." >"$LAB/out" 2>&1 || sed 's/^/# /' "$LAB/out" | tail -n 5
    arrived() { grep -rqs "message number $count\." "/var/vmail/$directory/new"; }
    wait_for 15 arrived
    is "$1" $? 0
}
# flows WHEN: mail of both old domains, and an alias.
flows() {
    arrives "$1, a mailbox of the host gets its mail" ann@old.example old.example/ann
    arrives "$1, so does an alias" hello@old.example old.example/ann
    arrives "$1, so does a mailbox of PostfixAdmin's" pam@second.example second.example/pam
}
flows "before"
is "the host's own passwords work" "$(login 587 pam@second.example pam-old)" 235

for number in 4 5 6 7; do
    [ "$number" != 5 ] || cp "$LAB/ca.pem" /etc/provost/ca.pem
    type_step "$install" "$number"
done
is "nothing of Postfix was touched by that" "$(postconf -n; postconf -M; postconf -P)" "$before"

# ----------------------------------------------------------------- README --

chapter="On a host that already has mail"
type_step "$chapter" 1
like "the plan is shown before it is done" "$(cat "$LAB/out")" '^plan: 3 to make, 0 to change, 0 left alone'
like "the directories' too" "$(cat "$LAB/out")" '^\+ mailbox ann@old.example: local, 5G, old.example/ann/$'
is "both are in the tables, with their paths" "$(mariadb -N provost -e 'SELECT address, mail_path FROM mailbox ORDER BY address' | tr '\t\n' '  ')" \
    "ann@old.example old.example/ann/ pam@second.example second.example/pam/ "
flows "after the import"
is "Postfix is still as it was" "$(postconf -n; postconf -M; postconf -P)" "$before"

type_step "$chapter" 2
flows "with two kinds of maps"
arrives "with two kinds of maps, Provost's answer what the host's do not" anything@second.example second.example/pam

type_step "$chapter" 3
like "the port to try lets a person of the directory in" "$(cat "$LAB/out")" '^<~* *235 '
like "whose mail is taken" "$(cat "$LAB/out")" '250 2.0.0 Ok: queued'
ada() { find /var/vmail/example.org/ada -type f -path '*/new/*' | grep -q .; }
wait_for 15 ada
is "and delivered into a mailbox that was made" $? 0
is "an imported hash works there" "$(login 2587 pam@second.example pam-secret)" 235
is "the port that people use is as it was" "$(login 587 pam@second.example pam-old)" 235
flows "with the port to try"

type_step "$chapter" 4
sleep 1
is "the port that people use asks Provost" "$(login 587 ada@example.org ada-secret)" 235
is "and knows the imported hash" "$(login 587 pam@second.example pam-secret)" 235
is "the host's own password is none any more" "$(login 587 pam@second.example pam-old)" 535
arrives "after the switch, a mailbox of the host gets its mail" ann@old.example old.example/ann
arrives "after the switch, so does PostfixAdmin's" pam@second.example second.example/pam
arrives "after the switch, so does a catch-all" nobody@second.example second.example/pam
arrives "after the switch, so does the directory's" ada@example.org example.org/ada
is "the port to try is gone" "$(postconf -M | grep -c '^2587')" 0

type_step "$chapter" 5
sleep 1
is "all lines are taken back" "$(postconf -n; postconf -M; postconf -P)" "$before"
is "the host's own passwords work again" "$(login 587 pam@second.example pam-old)" 235
flows "after the way back"
is "Postfix finds no fault in what is left" "$(postfix check 2>&1)" ""

tail -n 40 /var/log/mail.log >"$LAB/log/mail.log"
cp /var/log/provost-authd.log "$LAB/log/" 2>/dev/null
postfix stop >/dev/null 2>&1
systemctl stop provost-authd provost-policyd 2>/dev/null
lab_done
