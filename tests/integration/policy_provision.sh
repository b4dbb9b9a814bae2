#!/bin/sh
# policy_provision.sh - mail for somebody new, from the first to one too many
# SPDX-License-Identifier: BSD-2-Clause
#
# slapd knows the person, Postfix asks the policy service when mail comes, that
# one asks authd, who makes the mailbox; Dovecot delivers and counts with the
# files of conf/dovecot, and the rules refuse what no longer fits.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin policy_provision
lab_ldif >"$LAB/people.ldif"
lab_person_ldif 100 nora nora@small.example "Nora" default >>"$LAB/people.ldif"
lab_person_ldif 101 olga olga@small.example "Olga" default >>"$LAB/people.ldif"
LAB_SLAPD_LDIF=$LAB/people.ldif
lab_slapd
lab_mariadb
LAB_LDAP=ldapi
LAB_CONF_DEFAULT='active = "active";'
LAB_CONF="policy = {
  $(lab_policy_listen) account_ttl = \"0\"; usage_ttl = \"0\";
  provision_socket = \"$LAB/run/provision\";
  rules = ( { rule = \"recipient_state\"; }, { rule = \"mailbox_quota\"; },
            { rule = \"provision_recipient\"; }, { rule = \"mailbox_limit\"; } );
};"
lab_config
sed -i "s|{ path = \"$LAB/run/authd\";|{ path = \"$LAB/run/provision\"; kind = \"provision\"; mode = \"0600\"; }, &|
s|quota = \"5G\"|quota = \"200K\"|" "$LAB/provost.conf"
lab_schema
lab_domain example.org
lab_domain small.example --max-mailboxes 1
lab_authd
lab_sql "$(cat "$lab_tree/conf/dovecot/grants.sql")" || lab_die "Dovecot gets its rights"

# The files of conf/dovecot as they are pasted, in the lab's places.
home=$LAB/dovecot
mkdir -p "$home/mail"
chown nobody:nogroup "$home/mail"
for file in quota.conf dovecot-dict-sql.conf.ext dovecot-sql.conf.ext; do
    sed "s|/etc/dovecot/|$home/|; s|/run/mysqld/mysqld.sock|$LAB/run/mariadb.sock|
s|/var/vmail/|$home/mail/|; s|5000 AS uid, 5000 AS gid|65534 AS uid, 65534 AS gid|
s|group = vmail|group = nogroup|" "$lab_tree/conf/dovecot/$file" >"$home/$file"
done
cat >"$home/dovecot.conf" <<CONF
base_dir = $home/run
state_dir = $home/state
log_path = $LAB/log/dovecot.log
protocols = lmtp
ssl = no
first_valid_uid = 1
postmaster_address = postmaster@example.org
passdb {
  driver = static
  args = nopassword=y
}
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
}
!include quota.conf
CONF
lab_start dovecot dovecot -F -c "$home/dovecot.conf"
wait_for 15 test -S "$home/run/lmtp" || lab_die "Dovecot listens"

lab_postfix_make
lab_postfix_policy
printf '%s\n' "virtual_transport = lmtp:unix:$home/run/lmtp" 'recipient_delimiter = +' >>"$LAB/postfix/main.cf"
echo 'lmtp unix - - n - - lmtp' >>"$LAB/postfix/master.cf"
lab_policyd
lab_postfix_start

mailboxes() {
    lab_sql "SELECT COUNT(*) FROM mailbox WHERE address = '$1'"
}
used() {
    lab_sql "SELECT COALESCE(MAX(bytes), 0) FROM quota2 WHERE username = '$1'"
}
# messages NAME: how many are in the mailbox.
messages() {
    find "$home/mail/example.org/$1/new" "$home/mail/example.org/$1/cur" -type f 2>/dev/null | wc -l
}
has_messages() {
    [ "$(messages "$1")" = "$2" ]
}

# ------------------------------------------------------------- somebody new --

is "nobody has a mailbox yet" "$(lab_sql 'SELECT COUNT(*) FROM mailbox')" 0
like "provostctl tells that the directory would be asked" \
    "$(lab_provostctl policy explain --recipient ada@example.org)" 'provision_recipient.*would ask'
is "and asks nobody" "$(mailboxes ada@example.org)" 0
like "mail to a person never seen before is taken" "$(lab_send ada@example.org)" '^end 250 '
is "who has a mailbox now" "$(mailboxes ada@example.org)" 1
check "and the mail in it" wait_for 15 has_messages ada 1
like "with an extension and in capitals, too" "$(lab_send BOB+x@example.org)" '^end 250 '
is "it is the person's own" "$(mailboxes bob@example.org)" 1
check "and the mail, too" wait_for 15 has_messages bob 1
unknown='550 5\.1\.1 .*User unknown'
like "somebody the directory does not know is unknown to Postfix" "$(lab_send nobody@example.org)" "$unknown"
is "and gets no mailbox" "$(mailboxes nobody@example.org)" 0
is "the log tells them apart, and counts no wrong password" \
    "$(grep -c 'login wrong\|result=wrong' "$LAB/log/authd.log")" 0
for _ in 1 2 3; do
    lab_send nobody2@example.org >/dev/null
done
is "and a no is remembered: authd is asked once" "$(grep -c nobody2 "$LAB/log/authd.log")" 1
like "mail for a domain that is not ours is refused" "$(lab_send x@elsewhere.example)" 'Relay access denied'
is "and not asked about" "$(grep -c x@elsewhere "$LAB/log/authd.log")" 0
like "the first of a domain for one is let in" "$(lab_send nora@small.example)" '^end 250 '
like "the second is told that the domain is full" "$(lab_send olga@small.example)" '^rcpt olga@small.example 450 4\.2\.1 '
is "and has none" "$(mailboxes olga@small.example)" 0
unlike "who asks without a password at the other socket is not let in" \
    "$(lab_auth carol@example.org '')" "^OK"
is "nor made" "$(mailboxes carol@example.org)" 0

# ----------------------------------------------------------------- until full --

like "sixty kilobytes are taken" "$(lab_send --data 60000 ada@example.org)" '^end 250 '
counted() {
    [ "$(used ada@example.org)" -gt 60000 ]
}
check "and counted in quota2 when Dovecot has delivered them" wait_for 15 counted
like "there is room for more" "$(lab_send --declare 60000 ada@example.org)" '^end 250 '
like "not for as much as a whole quota" "$(lab_send --declare 300000 ada@example.org)" '^rcpt ada@example.org 552 5\.2\.3 '
like "nor for what does not fit beside it" "$(lab_send --declare 190000 ada@example.org)" '^rcpt ada@example.org 452 4\.2\.2 '
like "nor for that without a declared size" "$(lab_send --data 190000 ada@example.org)" '^end 452 4\.2\.2 '
taken=3
wait_for 15 has_messages ada "$taken"
while [ "$taken" -lt 10 ]; do
    answer=$(lab_send --declare 61000 --data 60000 ada@example.org | tail -n 1)
    case $answer in "end 250 "*) ;; *) break ;; esac
    taken=$((taken + 1))
    wait_for 15 has_messages ada "$taken" || break
done
like "after $taken messages the door is closed" "$answer" '^rcpt ada@example.org 452 4\.2\.2 '
like "which the log tells, with the numbers" "$(tail -n 1 "$LAB/log/policyd.log")" \
    'deferred: rule=mailbox_quota .*numbers="used=[0-9]{6} size=61000 quota=204800"'
is "by a mailbox that holds them all" "$(messages ada)" "$taken"

# -------------------------------------------------------------- authd stopped --

lab_authd_stop
like "without authd, mail to somebody new is Postfix's to judge" "$(lab_send dan@example.org)" "$unknown"
like "and who has a mailbox gets it as before" "$(lab_send bob@example.org)" '^end 250 '
sed -i 's/{ rule = "provision_recipient"; }/{ rule = "provision_recipient"; store_away = "defer"; }/' "$LAB/provost.conf"
lab_signal policyd HUP
wait_for 5 grep -q reloaded "$LAB/log/policyd.log"
is "or waits, if the settings say so" "$(lab_send dan@example.org | tail -n 1)" \
    "rcpt dan@example.org 451 4.3.0 <dan@example.org>: Recipient address rejected: Temporary lookup failure"
lab_authd
like "until authd is back" "$(lab_send dan@example.org)" '^end 250 '
lab_stop dovecot
lab_done
