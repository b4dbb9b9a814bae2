#!/bin/sh
# sync_full.sh - 5,000 people and a domain for 3,000; an older dump; names and
# addresses that are not plain
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2034 # LAB_...: lab.sh's
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/sync.sh
. "$(dirname "$0")/../lib/sync.sh"
lab_begin sync_full

sync_people >"$LAB/people.ldif"
sync_crowd 10001 15000 big.example >>"$LAB/people.ldif"
LAB_SLAPD_LDIF=$LAB/people.ldif
lab_slapd
lab_mariadb
LAB_CONF_DIRECTORY='import_users = true; periodic_full_sync = true; disabled_filter = "(description=locked)";'
LAB_CONF_AUTH='throttle_failures = 0;'
lab_config
lab_schema
lab_domain example.org --max-mailboxes 1000
lab_domain big.example --max-mailboxes 3000 --quota 100000T
big() { lab_sql "SELECT COUNT(*), (SELECT mailboxes_used FROM domain WHERE name = 'big.example') FROM mailbox WHERE domain = 'big.example'"; }

# --------------------------------------------------------- 5,000 people for 3,000 --

sync plan >/dev/null
is "a plan knows that not all fit" "$(grep -c '^! ' "$LAB/out")" 2000
is "the run serves whom it can" "$(sync)$(sync_count refused)" 12000
is "the domain has exactly as many as it may" "$(big)" "$(printf '3000\t3000')"
is "each of the others is told why" "$(lab_sql "SELECT COUNT(DISTINCT address), COUNT(*), SUM(reason LIKE 'max_mailboxes: %') FROM event WHERE kind = 'refused'")" "$(printf '2000\t2000\t2000')"
is "and not again by the next run" "$(sync)$(lab_sql "SELECT COUNT(*) FROM event WHERE kind = 'refused'")" 12000
lab_provostctl domain edit big.example --max-mailboxes 3010 >>"$LAB/log/domain.log" 2>&1
is "ten places more are ten mailboxes more" "$(sync)$(sync_count created)$(big)" "110$(printf '3010\t3010')"
lab_provostctl domain edit big.example --max-mailboxes 3000 >>"$LAB/log/domain.log" 2>&1
lab_sql "SET foreign_key_checks = 0; DELETE FROM alias WHERE domain = 'big.example'; DELETE FROM mailbox WHERE domain = 'big.example';
    UPDATE domain SET mailboxes_used = 0, quota_allotted = 0, aliases_used = 0 WHERE name = 'big.example'"
lab_authd
awk 'BEGIN { for (n = 1; n <= 200; n++) { i = 10001 + n * 24; printf "c%d@big.example\tc%d-secret\n", i, i } }' >"$LAB/pairs"
"$LAB_PYTHON" "$lab_tree/tests/lib/saslauthd.py" --socket "$LAB/run/authd" --pairs "$LAB/pairs" \
    --parallel 4 --count --timeout 30 >"$LAB/logins" &
logins=$!
is "with logins at the same time" "$(sync)" 1
wait "$logins"
is "there are as many" "$(big)" "$(printf '3000\t3000')"
check "some had been made by logins" test "$(lab_sql "SELECT COUNT(*) FROM event WHERE kind = 'create' AND who = 'authd'")" -gt 0
lab_authd_stop

# ---------------------------------------------------------------- an older dump --

mariadb-dump --no-defaults --socket="$LAB/run/mariadb.sock" --user=root provost >"$LAB/dump.sql"
sync_setting missing_runs 1
sync_setting missing_for '"0"'
sync_setting on_missing '"suspend"'
lab_ldap_set ada displayName "Ada King"
lab_ldap_set bob mail robert@example.org
lab_ldap_set eve mailAlternateAddress e@example.org
lab_ldap_set grace description locked
lab_ldap_delete dan
lab_person 30 new new@example.org "New" default
sync >/dev/null
whole=$(everything)
is "a run brings what has changed" "$(sync_count created) $(sync_count changed) $(sync_count renamed) $(sync_count suspended)" "1 2 1 2"
mariadb --no-defaults --socket="$LAB/run/mariadb.sock" --user=root provost <"$LAB/dump.sql"
is "after an older dump nobody is closed before an administrator says so" "$(sync)$(sync_count suspended)" 30
is "all else is done" "$(sync_count created) $(sync_count changed) $(sync_count renamed)" "1 2 1"
like "the reason is told" "$(lab_sql "SELECT reason FROM event WHERE kind = 'withheld' ORDER BY id DESC LIMIT 1")" 'database was made anew'
is "then it ends as if there had been no dump" "$(sync --allow-removals 2)$(everything)" "1$whole"

# ------------------------------------------- names and addresses that are not plain --

lab_domain xn--exmple-cua.org
printf '%s\n' "dn: uid=zoe,$LAB_PEOPLE" "changetype: add" "objectClass: inetOrgPerson" "objectClass: labMailPerson" \
    "uid: zoe" "cn: Zoe" "sn: Zoe" "displayName: Zoë \"Ångström\" 東京 🚀" "mail: ZOE@XN--EXMPLE-CUA.ORG" \
    "otherMailbox: default" "mailAlternateAddress: Zoë.Å@exämple.org" "mailAlternateAddress: Z.Angstrom@EXÄMPLE.org" | lab_ldap_modify
lab_person 41 kay1 "KAY@example.org" "Kay One" default
lab_person 42 kay2 "kay@Example.org" "Kay Two" default
lab_person 43 info "e@example.org" "Not Eve" default
sync plan >/dev/null
is "a plan shows an internationalised domain" "$(grep -c 'zoe@xn--exmple-cua.org' "$LAB/out")" 1
sync plan --json >/dev/null
check "as JSON too" "$LAB_PYTHON" -c 'import json, sys; json.load(open(sys.argv[1], encoding="utf-8"))' "$LAB/out"
is "some are refused" "$(sync)" 1
is "a name keeps every letter" "$(lab_sql "SET NAMES utf8mb4; SELECT name FROM mailbox WHERE address = 'zoe@xn--exmple-cua.org'")" "Zoë \"Ångström\" 東京 🚀"
is "an alias in letters of its own and capitals is one address" "$(lab_sql "SELECT COUNT(*) FROM alias WHERE address = 'z.angstrom@xn--exmple-cua.org' AND owner = 'zoe@xn--exmple-cua.org'")" 1
is "two who differ in case alone have one address, and none gets it" "$(lab_sql "SELECT COUNT(*) FROM mailbox WHERE address = 'kay@example.org'; SELECT COUNT(*) FROM event WHERE reason LIKE 'same_address%' AND address = 'kay@example.org'")" "$(printf '0\n2')"
is "an address that is somebody's alias is no mailbox" "$(mailbox e@example.org name)" ""
like "and it is said whose address it is" "$(last_event e@example.org kind,reason)" 'refused.*address_taken: e@example.org is .*alias'
count=$(events)
lab_ldap_set zoe mail zoe@xn--exmple-cua.org
lab_ldap_set ada mail ADA@Example.Org
is "capitals elsewhere are no change" "$(sync)$(sync_count renamed)$(sync_count changed)$(events)" "100$count"
lab_ldap_delete info
lab_ldap_set ada mail e@example.org
is "nobody is renamed to somebody's alias" "$(sync)$(sync_count renamed)$(mailbox ada@example.org name)" "10Ada King"
like "it is refused by name" "$(lab_sql "SELECT reason FROM event WHERE kind = 'update_refused' ORDER BY id DESC LIMIT 1")" 'e@example.org is .*alias'
lab_ldap_set eve mailAlternateAddress
is "when the alias is free, it is a rename" "$(sync)$(sync_count renamed)$(mailbox e@example.org name)" "11Ada King"
lab_done
