#!/bin/sh
# sync_robust.sh - servers that die, answer late, or are not ours; two runs at
# once; a lease that was lost; a domain that is full; an older dump
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
# shellcheck source=tests/lib/sync.sh
. "$(dirname "$0")/../lib/sync.sh"
lab_begin sync_robust

sync_people >"$LAB/people.ldif"
sync_crowd 1001 2200 >>"$LAB/people.ldif"
everybody=1206
LAB_SLAPD_LDIF=$LAB/people.ldif
lab_slapd
lab_mariadb
LAB_CONF_DIRECTORY='import_users = true; periodic_full_sync = true; disabled_filter = "(description=locked)"; operation_timeout = "2s";'
# shellcheck disable=SC2034 # lab.sh's
LAB_LDAP="host = \"$LAB/run/relay\";"
lab_config
sed -i "s,^store = {,&  timeout = \"3s\";," "$LAB/provost.conf"
lab_schema
lab_domain example.org --max-mailboxes 100000
order() { echo "$*" >"$LAB/order"; }
order pass
lab_start relay "$LAB_PYTHON" -u "$lab_tree/tests/lib/ldap_relay.py" "$LAB/run/relay" "$(lab_slapd_path)" "$LAB/order"
wait_for 10 grep -q ready "$LAB/log/relay.log" || lab_die "the relay listens"

mailboxes() { lab_sql "SELECT COUNT(*) FROM mailbox"; }
# nothing WHAT WORDS: the run ended with 75, wrote nothing, and says why.
nothing() {
    is "$1: nothing is written" "$(everything)$(events)" "$before"
    like "$1: it is said" "$(cat "$LAB/err")" "$2"
    is "$1: so does the run's row" "$(lab_sql "SELECT exit_code, reason <> '' FROM sync_run ORDER BY id DESC LIMIT 1")" "$(printf '75\t1')"
    is "$1: the lease is free again" "$(lab_sql "SELECT COUNT(*) FROM lease WHERE holder <> ''")" 0
}
note() { before=$(everything)$(events); }

# ------------------------------------------------- a directory that goes away --

note
order cut 150000
is "the connection breaks in the middle: 75" "$(sync)" 75
nothing "the connection breaks" 'reading ou=people'
order hold 150000
sync_start
wait_for 20 test -e "$LAB/order.held" || lab_die "the run reads"
lab_slapd_stop main KILL
order pass
rm -f "$LAB/order.held"
sync_end
is "slapd is killed in the middle: 75" "$sync_code" 75
cp "$LAB/err.back" "$LAB/err"
nothing "slapd is killed" '^provost-sync: corp: .'
is "slapd is down from the start: 75" "$(sync)" 75
nothing "slapd is down" '^provost-sync: corp: .'
lab_slapd_start main
order hold 150000
sync_start
wait_for 20 test -e "$LAB/order.held" || lab_die "the run reads"
lab_slapd_signal STOP
order pass
rm -f "$LAB/order.held"
sync_end
lab_slapd_signal CONT
is "slapd falls silent in the middle: 75" "$sync_code" 75
cp "$LAB/err.back" "$LAB/err"
nothing "slapd falls silent" 'time'
lab_secret corp not-the-password
is "the service password is wrong: 75" "$(sync)" 75
nothing "the password is wrong" 'service|credentials|password'
like "a plan says it too" "$(sync plan)" 75
lab_secret corp "$LAB_SERVICE_PASSWORD"
order late 3
is "a directory that is too slow: 75" "$(sync)" 75
nothing "a directory that is too slow" 'time'
order late 0.2
is "one that is slow, but answers each page in time, is read" "$(sync)$(sync_count created)" "0$everybody"
order pass
whole=$(everything)
is "whole" "$(mailboxes)" "$everybody"
is "and a run after it has nothing to do" "$(sync)$(sync_count unchanged)" "0$everybody"

# ----------------------------------------------------- a store that goes away --

empty() {
    lab_sql "SET foreign_key_checks = 0; DELETE FROM mailbox; DELETE FROM alias; DELETE FROM event;
        DELETE FROM sync_person; UPDATE domain SET mailboxes_used = 0, quota_allotted = 0, aliases_used = 0"
}
empty
# It waits for a store that is gone to the end of its time, more than once.
sed -i 's/^store = {  timeout = "3s"/store = {  timeout = "2s"/' "$LAB/provost.conf"
sync_pause c1700@example.org 20
sync_start
wait_for 20 sync_sits || lab_die "the run writes"
lab_mariadb_stop KILL
sync_end
is "the store is killed in mid-batch: 75" "$sync_code" 75
like "it is said" "$(cat "$LAB/err.back")" '^provost-sync: corp: .*store'
lab_mariadb_start
sed -i 's/^store = {  timeout = "2s"/store = {  timeout = "3s"/' "$LAB/provost.conf"
sync_pause_end
is "what was committed is whole batches" "$(($(mailboxes) % 500))" 0
is "each of them whole" "$(lab_sql "SELECT mailboxes_used = (SELECT COUNT(*) FROM mailbox), aliases_used = (SELECT COUNT(*) FROM alias WHERE kind = 'directory'),
    (SELECT COUNT(*) FROM event WHERE kind = 'create') = mailboxes_used FROM domain")" "$(printf '1\t1\t1')"
sync_free
is "the next run ends it" "$(sync)" 0
is "as if nothing had been" "$(everything)" "$whole"
is "with one event for each mailbox" "$(lab_sql "SELECT COUNT(*), COUNT(DISTINCT address) FROM event WHERE kind = 'create'")" "$(printf '%s\t%s' $everybody $everybody)"
empty
sync_pause c1700@example.org 2
sync_start
wait_for 20 sync_sits || lab_die "the run writes"
lab_sql "KILL $(sync_sits)"
sync_end
sync_pause_end
is "a lost connection alone is no reason to give up" "$sync_code$(everything)" "0$whole"

# ------------------------------------------------------------ two runs at once --

empty
sync_pause c1700@example.org 2
sync_start
wait_for 20 sync_sits || lab_die "the run writes"
rows=$(lab_sql "SELECT COUNT(*) FROM sync_run")
is "a second run at the same time: 75" "$(sync)" 75
like "it says who is at work" "$(cat "$LAB/err")" "another run is at work: $(hostname) process $sync_pid "
is "and leaves no row" "$(lab_sql "SELECT COUNT(*) FROM sync_run")" "$rows"
is "--if-due is not due meanwhile, and silent" "$(sync --if-due)$(cat "$LAB/out" "$LAB/err")" 0
sync_end
sync_pause_end
is "the first one does it all" "$sync_code$(everything)" "0$whole"
is "then it is free for the next" "$(sync)" 0
empty
sync_start
other=$(sync)
sync_end
like "two that begin in the same moment: one does it, the other does not or comes later" "$sync_code $other" '^(0 0|0 75|75 0)$'
is "and all is there once" "$(everything)" "$whole"

# -------------------------------------------------------- a lease that was lost --

# Somebody who is refused comes behind the first batch.
lab_ldap_set c1600 mailAlternateAddress ada@example.org
lab_ldap_set c1601 otherMailbox nothing
empty
sync_pause c1100@example.org 2
sync_start
wait_for 20 sync_sits || lab_die "the run writes"
lab_sql "UPDATE lease SET epoch = epoch + 1"
sync_end
sync_pause_end
is "another one takes the lease in mid-run: 75" "$sync_code" 75
like "it says so" "$(cat "$LAB/err.back")" 'another run took the lease'
is "the batch that was under way is the last" "$(mailboxes)" 500
is "and nothing else is written" "$(lab_sql "SELECT kind, COUNT(*) FROM event GROUP BY kind; SELECT COUNT(*) FROM sync_person")" "$(printf 'create\t500\n0')"
is "the lease is still the other's" "$(lab_sql "SELECT COUNT(*) FROM lease WHERE holder <> '' AND until > UTC_TIMESTAMP()")" 1
lab_ldap_set c1600 mailAlternateAddress also.c1600@example.org
lab_ldap_set c1601 otherMailbox default
sync_free
is "a lease that is over is anybody's" "$(sync)$(everything)" "0$whole"
lab_done
