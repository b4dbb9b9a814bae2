#!/bin/sh
# sync_guard.sh - half an answer closes nobody's mailbox: the guards, one by one
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2034 # LAB_...: lab.sh's
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/sync.sh
. "$(dirname "$0")/../lib/sync.sh"
lab_begin sync_guard
LAB_CONF_DIRECTORY='import_users = true; periodic_full_sync = true; disabled_filter = "(description=locked)";'
# The reader is the service identity, whose size limit can be set.
LAB_SLAPD_CONF='limits dn.exact="cn=mail,dc=example,dc=org" size=unlimited'
sync_begin 160
sync_setting missing_runs 1
sync_setting missing_for '"0"'
sync_setting on_missing '"suspend"'
is "the first run makes the mailboxes" "$(sync)$(sync_count created)" 066

closed() { lab_sql "SELECT COUNT(*) FROM mailbox WHERE directory_state <> 'present'"; }
why() { lab_sql "SELECT reason FROM event WHERE kind = 'withheld' ORDER BY id DESC LIMIT 1"; }
rerun() { # forgets what was told and how far somebody is missing
    lab_sql "DELETE FROM sync_person; UPDATE mailbox SET directory_state = 'present'"
}
# withheld WHAT WORDS: a run exits 3, closes nobody, and says why.
withheld() {
    is "$1: exit 3" "$(sync)" 3
    is "$1: nobody is closed" "$(closed)" 0
    like "$1: an event says why" "$(why)" "$2"
    like "$1: so does the run's row" "$(lab_sql 'SELECT exit_code, reason FROM sync_run ORDER BY id DESC LIMIT 1')" "^3.*$2"
}
conf() { sed -i "$1" "$LAB/provost.conf"; }

# --------------------------------------------------------------- the control --

lab_ldap_delete p100
is "with nothing in the way, who left is suspended" "$(sync)$(closed)" 01
rerun

# ------------------------------------------------------------- not all was read --

lab_slapd_stop main
sed -i 's/size=unlimited/size=40/' "$LAB/slapd-main/slapd.conf"
lab_slapd_start main
lab_ldap_set p101 displayName "Changed"
withheld "a size limit in the middle" 'not read whole: .*no more entries'
is "changes are applied all the same" "$(lab_sql "SELECT COUNT(*) FROM mailbox WHERE name = 'Changed'")" 1
lab_slapd_stop main
sed -i 's/size=40/size=unlimited/' "$LAB/slapd-main/slapd.conf"
lab_slapd_start main
printf 'dn: ou=away,%s\nobjectClass: referral\nobjectClass: extensibleObject\nou: away\nref: ldap://127.0.0.1:1/ou=away,dc=example,dc=org\n' "$LAB_PEOPLE" | lab_ldap_add
withheld "a reference to another server" 'not read whole: .*reference'
printf 'dn: ou=away,%s\nchangetype: delete\n' "$LAB_PEOPLE" |
    ldapmodify -M -x -H "$(lab_slapd_uri main)" -D "$LAB_ADMIN_DN" -w "$LAB_ADMIN_PASSWORD" >>"$LAB/log/ldapmodify.log" 2>&1
rerun
printf 'dn: uid=p150,%s\nchangetype: modify\nreplace: displayName\ndisplayName:: %s\n' "$LAB_PEOPLE" "$(head -c 5000 /dev/zero | tr '\0' x | base64 -w0)" | lab_ldap_modify
lab_sql "UPDATE sync_directory SET started = NULL"
is "an entry that cannot be used: its person is there all the same" "$(sync)$(lab_sql "SELECT directory_state FROM mailbox WHERE address = 'p150@example.org'")" 1present
like "and is named" "$(lab_sql "SELECT reason FROM event WHERE reason LIKE 'unusable%' ORDER BY id DESC LIMIT 1")" 'uid=p150'
lab_ldap_set p150 displayName "Person 150"
rerun
sync >/dev/null
rerun

# --------------------------------------------- a wrong answer that looks whole --

conf 's/base_dn = "ou=people,/base_dn = "ou=nowhere,ou=people,/'
withheld "a base that is not there" 'not read whole: .*not there'
conf 's/base_dn = "ou=nowhere,ou=people,/base_dn = "ou=people,/'
conf 's/filter = "(objectClass=inetOrgPerson)"/filter = "(objectClass=device)"/'
withheld "an empty answer" 'nobody who matches'
conf 's/filter = "(objectClass=device)"/filter = "(displayName=Person 11*)"/'
withheld "another filter" 'filter, username_field or id_field is another one'
withheld "in the run after it too" 'is another one'
conf 's/filter = "(displayName=Person 11\*)"/filter = "(objectClass=inetOrgPerson)"/'
rerun
is "with the old filter all is well" "$(sync)$(closed)" 01
rerun
conf 's/base_dn = "ou=people,dc=example,dc=org"/base_dn = [ "ou=people,dc=example,dc=org", "ou=partner,dc=example,dc=org" ]/'
printf 'dn: ou=partner,dc=example,dc=org\nobjectClass: organizationalUnit\nou: partner\n' | lab_ldap_add
withheld "another base" 'base_dn, filter'
is "--allow-removals accepts it" "$(sync --allow-removals 1)$(closed)" 01
rerun
is "and once is enough" "$(sync)$(closed)" 01
rerun
sync_setting canary '"canary@example.org"'
withheld "no canary" 'canary'
sync_setting canary '"ada@example.org"'
is "the canary is there" "$(sync)$(closed)" 01
rerun
lab_sql "UPDATE sync_directory SET store_made = 'another one'"
withheld "a store that was made anew" 'database was made anew'
sync --allow-removals 1 >/dev/null
rerun

# -------------------------------------------------------------------- too many --

for number in 101 102 103; do lab_ldap_delete "p$number"; done
withheld "four of 66 in a day" '4 of 66 mailboxes in a day is over sync.max_removals, 3'
is "the plan is kept" "$(lab_sql 'SELECT plan FROM sync_run ORDER BY id DESC LIMIT 1' | grep -o 'p10[0-3]@example.org' | sort | tr '\n' ' ')" \
    "p100@example.org p101@example.org p102@example.org p103@example.org "
like "and shown" "$(lab_provostctl sync show "$(lab_sql 'SELECT MAX(id) FROM sync_run')")" 'p103@example.org'
rerun
is "--allow-removals with a smaller number does not do" "$(sync --allow-removals 3)$(closed)" 30
rerun
is "with this one it does, once" "$(sync --allow-removals 4)$(closed)" 04
lab_ldap_delete p104
is "those of a day count together" "$(sync)$(closed)" 34
lab_sql "UPDATE sync_person SET removed = removed - INTERVAL 25 HOUR"
is "a day later it goes on" "$(sync)$(closed)" 05
rerun
sync_setting max_removals '"0"'
is "max_removals = 0 is none" "$(sync)$(closed)" 30
sync_setting max_removals '"50"'
rerun
is "a number is taken as it is" "$(sync)$(closed)" 05
rerun
lab_domain small.example
for number in 1 2 3; do lab_person "20$number" "s$number" "s$number@small.example" "Small" default; done
sync >/dev/null
rerun
lab_ldap_delete s1
lab_ldap_delete s2
is "more than half of a domain" "$(sync)$(closed)" 30
like "is named" "$(why)" '2 of 3 mailboxes of small.example'
lab_person 210 s2 s2@small.example Small default
rerun
for uid in ada bob dan; do lab_ldap_set "$uid" description locked; done
sync_setting max_removals '"2"'
is "who is locked counts as well" "$(sync)$(lab_sql "SELECT COUNT(*) FROM mailbox WHERE directory_state = 'disabled'")" 30
is "and is shown" "$(grep -c ' withheld (' "$LAB/out")$(lab_sql 'SELECT plan FROM sync_run ORDER BY id DESC LIMIT 1' | grep -o 'disabled in the directory' | wc -l)" 13
lab_sql "UPDATE mailbox SET directory_id = NULL, fingerprint = NULL WHERE address = 'bob@example.org'"
sync >/dev/null
is "also where the mailbox had no id yet" "$(lab_sql "SELECT directory_id IS NOT NULL, directory_state FROM mailbox WHERE address = 'bob@example.org'")" "$(printf '1\tpresent')"
lab_done
