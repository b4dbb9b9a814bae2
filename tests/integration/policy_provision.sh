#!/bin/sh
# policy_provision.sh - mail for somebody new, from the first to one too many
# SPDX-License-Identifier: BSD-2-Clause
#
# slapd knows the person, authd makes the mailbox when mail comes, Dovecot
# delivers and counts with the files of conf/dovecot, and the rules refuse what
# no longer fits.
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
    mode = 0600
  }
}
!include quota.conf
CONF
lab_start dovecot dovecot -F -c "$home/dovecot.conf"
wait_for 15 test -S "$home/run/lmtp" || lab_die "Dovecot listens"

# ask REQUEST...: a line of answer each, with provision_recipient on.
ask() {
    printf '%s\n' "$@" | PROVISION_SOCKET=$LAB/run/provision \
        "$PROVOST_BUILD/tests/integration/policy_ask" "$LAB/run/mariadb.sock" 4000 \
        recipient_state=enforce mailbox_quota=enforce provision_recipient=enforce \
        mailbox_limit=enforce
}
# deliver TO KILOBYTES: through LMTP; prints the last reply.
deliver() {
    head -c "$(($2 * 768))" /dev/zero | base64 >"$LAB/body"
    swaks --protocol LMTP --socket "$home/run/lmtp" --from sender@elsewhere.example \
        --to "$1" --header "Subject: $2" --body "@$LAB/body" 2>&1 |
        grep -E '^<(~|-|\*\*)' | tail -n 2 | head -n 1
}
mailboxes() {
    lab_sql "SELECT COUNT(*) FROM mailbox WHERE address = '$1'"
}
used() {
    lab_sql "SELECT COALESCE(MAX(bytes), 0) FROM quota2 WHERE username = '$1'"
}

is "nobody has a mailbox yet" "$(lab_sql 'SELECT COUNT(*) FROM mailbox')" 0
is "mail to a person never seen before is let in" "$(ask recipient=ada@example.org)" DUNNO
is "who has a mailbox now" "$(mailboxes ada@example.org)" 1
is "with an extension and in capitals, too" "$(ask recipient=BOB+x@example.org)" DUNNO
is "it is the person's own" "$(mailboxes bob@example.org)" 1
is "somebody the directory does not know gets none" \
    "$(ask recipient=nobody@example.org; mailboxes nobody@example.org)" "DUNNO
0"
is "the log tells them apart, and counts no wrong password" \
    "$(grep -c 'login wrong\|result=wrong' "$LAB/log/authd.log")" 0
ask recipient=nobody2@example.org recipient=nobody2@example.org recipient=nobody2@example.org >/dev/null
is "and a no is remembered: authd is asked once" "$(grep -c nobody2 "$LAB/log/authd.log")" 1
ask recipient=x@elsewhere.example >/dev/null
is "nor for a domain that is not ours" "$(grep -c x@elsewhere "$LAB/log/authd.log")" 0
is "the first of a domain for one is let in" "$(ask recipient=nora@small.example)" DUNNO
like "the second is told that the domain is full" "$(ask recipient=olga@small.example)" "^450 4.2.1"
is "and has none" "$(mailboxes olga@small.example)" 0
unlike "who asks without a password at the other socket is not let in" \
    "$(lab_auth carol@example.org '')" "^OK"
is "nor made" "$(mailboxes carol@example.org)" 0

like "Dovecot delivers to the mailbox that mail made" "$(deliver ada@example.org 60)" "^<.* 250 "
counted() {
    [ "$(used ada@example.org)" -gt 60000 ]
}
wait_for 10 counted
first=$(used ada@example.org)
check "and counts it in quota2 ($first bytes)" test "$first" -gt 60000
is "there is room for more" "$(ask recipient=ada@example.org)" DUNNO
like "not for as much as a whole quota" "$(ask "recipient=ada@example.org size=300000")" "^552 5.2.3"
like "nor for what does not fit beside it" "$(ask "recipient=ada@example.org size=190000")" "^452 4.2.2"
messages=1
while [ "$messages" -lt 10 ]; do
    answer=$(ask "recipient=ada@example.org size=61440")
    [ "$answer" = DUNNO ] || break
    deliver ada@example.org 60 >/dev/null
    messages=$((messages + 1))
done
like "after $messages messages the door is closed" "$answer" "^452 4.2.2 .*used=[0-9]* size=61440 quota=204800"
is "by a mailbox that holds them all" \
    "$(find "$home/mail/example.org/ada/new" "$home/mail/example.org/ada/cur" -type f 2>/dev/null | wc -l)" "$messages"

lab_authd_stop
is "without authd, mail to somebody new is Postfix's to judge" "$(ask recipient=dan@example.org)" "DUNNO (away)"
is "and who has a mailbox gets it as before" "$(ask recipient=bob@example.org)" DUNNO
lab_stop dovecot
lab_done
