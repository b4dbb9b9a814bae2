#!/bin/sh
# sync_kill.sh - kill -9 of provost-sync, and of the store under it, at random
# moments: the run after it ends in the same store as an undisturbed one
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2034,SC2119 # LAB_...: lab.sh's; sync without a word
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/sync.sh
. "$(dirname "$0")/../lib/sync.sh"
lab_begin sync_kill
points=6
[ -z "${PROVOST_LONG:-}" ] || points=50

# ------------------------------------------------- before, and what is to come --

sync_people >"$LAB/people.ldif"
sync_crowd 1001 1900 >>"$LAB/people.ldif"
LAB_SLAPD_LDIF=$LAB/people.ldif
lab_slapd
lab_mariadb
LAB_CONF_DIRECTORY='import_users = true; periodic_full_sync = true; disabled_filter = "(description=locked)";'
lab_config
lab_schema
lab_domain example.org --max-mailboxes 100000
sync_setting missing_runs 1
sync_setting missing_for '"0"'
sync_setting on_missing '"suspend"'
sync_setting max_removals '"50"'
is "the first run makes the mailboxes" "$(sync)$(sync_count created)" 0906
lab_sql "INSERT INTO quota2 (username, bytes, messages) SELECT address, 1000, 1 FROM mailbox;
    INSERT INTO app_password (address, hash, services) SELECT address, 'x', 15 FROM mailbox WHERE address LIKE 'c12%'"
sync_keep

# Everything that can happen to somebody, 1,700 changes in all.
awk -v base="$LAB_PEOPLE" '
function of(n) { printf "dn: uid=c%d,%s\nchangetype: modify\n", n, base }
function set(n, name, value) { of(n); printf "replace: %s\n%s: %s\n\n", name, name, value }
BEGIN {
    for (n = 1001; n <= 1200; n++) set(n, "displayName", "Changed " n)
    for (n = 1201; n <= 1240; n++) set(n, "mail", "married.c" n "@example.org")
    for (n = 1241; n <= 1280; n += 2) {
        set(n, "mail", "c" (n + 1) "@example.org")
        set(n + 1, "mail", "c" n "@example.org")
    }
    for (n = 1281; n <= 1290; n++) set(n, "mail", "c" (n < 1290 ? n + 1 : 1281) "@example.org")
    for (n = 1301; n <= 1315; n++) set(n, "description", "locked")
    for (n = 1321; n <= 1335; n++) printf "dn: uid=c%d,%s\nchangetype: delete\n\n", n, base
    for (n = 1341; n <= 1400; n++) set(n, "mailQuota", "7G")
    for (n = 1401; n <= 1450; n++) set(n, "mailAlternateAddress", "new.c" n "@example.org")
    for (n = 1451; n <= 1455; n++) set(n, "mailAlternateAddress", "ada@example.org")
}' | lab_ldap_modify || lab_die "the directory takes the changes"
sync_crowd 3001 4200 | lab_ldap_add || lab_die "the directory takes new people"

# What a run leaves behind, all but times, and how often a thing was told.
result() {
    everything
    lab_sql "SELECT username, bytes FROM quota2 ORDER BY username;
        SELECT address, COUNT(*) FROM app_password GROUP BY address ORDER BY address;
        SELECT directory_id, missing_since IS NOT NULL FROM sync_person WHERE removed IS NOT NULL ORDER BY directory_id;
        SELECT kind, address, COUNT(*) FROM event
         WHERE kind NOT LIKE '%refused' AND address NOT LIKE 'renamed-%' GROUP BY kind, address ORDER BY kind, address"
}
began=$(now_ms)
is "an undisturbed run does it all, but for whom it refuses" "$(sync)" 1
took=$(($(now_ms) - began))
is "it has something of everything" "$(sync_count created) $(sync_count changed) $(sync_count renamed) $(sync_count suspended) $(sync_count refused)" "1200 310 90 30 5"
result >"$LAB/undisturbed"
echo "# it took $took ms"

# ------------------------------------------------------------------ kill points --

# same WHAT: a run comes after it, and what is there is as in the undisturbed
# store.
same() {
    sync_free
    code=$(sync)
    result >"$LAB/disturbed"
    case $code in
    0 | 1) check "$1: the next run ends in the same store" diff "$LAB/undisturbed" "$LAB/disturbed" ;;
    *) not_ok "$1: the next run ends" "exit $code: $(cat "$LAB/err")" ;;
    esac
}

random() { # BELOW
    od -An -N4 -tu4 /dev/urandom | awk -v below="$1" '{ print $1 % below }'
}

cut=0 point=0
while [ "$point" -lt "$points" ]; do
    point=$((point + 1))
    moment=$(random $((took + 1)))
    sync_bring_back
    sync_start
    sleep "$(awk -v ms="$moment" 'BEGIN { printf "%.3f", ms / 1000 }')"
    kill -s KILL "$sync_pid" 2>/dev/null
    sync_end 2>/dev/null
    [ "$sync_code" -ne 137 ] || cut=$((cut + 1))
    same "kill -9 after $moment ms"
done
echo "# $cut of $points runs were cut off"
check "most of them were cut off" test $((cut * 2)) -gt "$points"
sync_bring_back
sync_start
sleep "$(awk -v ms="$took" 'BEGIN { printf "%.3f", ms / 3000 }')"
kill -s TERM "$sync_pid"
sync_end
case $sync_code in
0 | 1 | 75) ok "SIGTERM ends a run with what is whole" ;;
*) not_ok "SIGTERM ends a run with what is whole" "exit $sync_code" ;;
esac
same "after SIGTERM"
is "and the books are right" "$(lab_sql "SELECT d.mailboxes_used = COUNT(m.address), d.quota_allotted = SUM(m.quota),
    d.aliases_used = (SELECT COUNT(*) FROM alias WHERE kind = 'directory') FROM domain d JOIN mailbox m ON m.domain = d.name")" "$(printf '1\t1\t1')"
lab_done
