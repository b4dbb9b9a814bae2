# sync.sh - what the tests of provost-sync share; sourced behind lab.sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2034 # LAB_...: lab.sh's

LAB_LDAP=ldapi

# The people of the lab who can have a mailbox, and nobody else.
sync_people() {
    lab_ldif | sed '/^dn: ou=partner/,$d'
    lab_person_ldif 1 ada ada@example.org "Ada Lovelace" default
    lab_person_ldif 2 bob bob@example.org "Bob Hope" default
    lab_person_ldif 3 carol Carol@Example.ORG "Carol Shaw" default
    lab_person_ldif 4 dan dan@example.org "Dan Flavin" default
    lab_person_ldif 5 eve "eve@example.org e.ve@example.org" "Eve Arden" default
    lab_person_ldif 7 grace grace@example.org "Grace Hopper" "cn=vip,ou=groups,dc=example,dc=org"
    number=100
    while [ "$number" -lt "${1:-100}" ]; do
        lab_person_ldif "$number" "p$number" "p$number@example.org" "Person $number" default
        number=$((number + 1))
    done
}

# sync_begin PEOPLE: slapd, MariaDB, settings with both switches on.
sync_begin() {
    sync_people "${1:-100}" >"$LAB/people.ldif"
    LAB_SLAPD_LDIF=$LAB/people.ldif
    lab_slapd
    lab_mariadb
    LAB_CONF_DIRECTORY="${LAB_CONF_DIRECTORY:-import_users = true; periodic_full_sync = true;}"
    lab_config
    lab_schema
    lab_domain example.org --max-mailboxes 1000
}

# sync [WORD...]: what it prints is in $LAB/out, then its exit code is shown.
sync() {
    "$PROVOST_BUILD/tools/provost-sync" -c "$LAB/provost.conf" "$@" >"$LAB/out" 2>"$LAB/err"
    echo $?
}

# The summary's number in front of a word: "created".
sync_count() {
    sed -n "s/^corp:.* \([0-9]*\) $1.*/\1/p" "$LAB/out"
}

# What a plan says of an address.
sync_line() {
    grep -F " $1" "$LAB/out"
}

mailbox() { # ADDRESS COLUMNS
    lab_sql "SELECT $2 FROM mailbox WHERE address = '$1'"
}

last_event() { # ADDRESS [COLUMNS]
    lab_sql "SELECT ${2:-kind} FROM event WHERE address = '$1' ORDER BY id DESC LIMIT 1"
}

events() {
    lab_sql "SELECT COUNT(*) FROM event"
}

# Everything a run can write about people, but for times.
everything() {
    lab_sql "SELECT address, source, directory, directory_id, name, template, fingerprint, quota, directory_state,
        sync_print, mail_path FROM mailbox ORDER BY address;
        SELECT address, targets, kind, owner FROM alias ORDER BY address;
        SELECT name, mailboxes_used, quota_allotted, aliases_used FROM domain ORDER BY name;
        SELECT directory_id, problem FROM sync_person WHERE problem <> '' ORDER BY directory_id"
}

# sync_older SECONDS: everybody who is missing has been so for longer.
sync_older() {
    lab_sql "UPDATE sync_person SET missing_since = missing_since - INTERVAL $1 SECOND"
}

# sync_setting KEY VALUE: in the sync group of provost.conf.
sync_setting() {
    grep -q '^sync = {' "$LAB/provost.conf" || echo 'sync = { };' >>"$LAB/provost.conf"
    sed -i "/^sync = {/{ s/ $1 = [^;]*;//; s/sync = {/sync = { $1 = $2;/; }" "$LAB/provost.conf"
}

lab_ldap_delete() { # UID
    printf 'dn: uid=%s,%s\nchangetype: delete\n' "$1" "$LAB_PEOPLE" | lab_ldap_modify
}

# sync_crowd FIRST LAST [DOMAIN]: LDIF of many people, at once.
sync_crowd() {
    awk -v first="$1" -v last="$2" -v domain="${3:-example.org}" -v base="$LAB_PEOPLE" 'BEGIN {
        for (n = first; n <= last; n++) {
            printf "dn: uid=c%d,%s\nobjectClass: inetOrgPerson\nobjectClass: labMailPerson\n", n, base
            printf "uid: c%d\ncn: Crowd %d\nsn: Crowd\ndisplayName: Crowd %d\n", n, n, n
            printf "mail: c%d@%s\nmailAlternateAddress: also.c%d@%s\n", n, domain, n, domain
            printf "userPassword: c%d-secret\notherMailbox: default\n", n
            printf "entryUUID: 00000000-0000-4000-8000-%012d\n\n", n
        }
    }'
}

# sync_free: the lease of a run that was killed is over.
sync_free() {
    lab_sql "UPDATE lease SET until = UTC_TIMESTAMP() - INTERVAL 1 SECOND"
}

# sync_pause ADDRESS SECONDS: who writes this mailbox sits there so long, in the
# middle of the batch.
sync_pause() {
    lab_sql "CREATE OR REPLACE TRIGGER pause BEFORE INSERT ON mailbox FOR EACH ROW
        SET @pause = IF(NEW.address = '$1', SLEEP($2), 0)"
}

sync_pause_end() {
    lab_sql "DROP TRIGGER IF EXISTS pause"
}

sync_sits() { # the number of the connection that does
    lab_sql "SELECT id FROM information_schema.processlist WHERE state = 'User sleep'" | grep '[0-9]'
}

# sync_start: in the background, output as of sync, but its own; then
# sync_end: its exit code, 128 and the signal's number if it was killed.
sync_start() {
    "$PROVOST_BUILD/tools/provost-sync" -c "$LAB/provost.conf" >"$LAB/out.back" 2>"$LAB/err.back" &
    sync_pid=$!
}

sync_end() {
    wait "$sync_pid"
    sync_code=$?
}

# sync_keep: the store's rows in $LAB/kept.sql; sync_bring_back: as they were,
# without making a table anew.
sync_tables="domain mailbox alias event quota2 app_password sync_directory sync_person sync_run"
sync_keep() {
    # shellcheck disable=SC2086
    {
        echo "SET foreign_key_checks = 0;"
        for sync_table in $sync_tables; do echo "DELETE FROM $sync_table;"; done
        mariadb-dump --no-defaults --socket="$LAB/run/mariadb.sock" --user=root --no-create-info \
            --skip-comments --skip-triggers provost $sync_tables
        echo "UPDATE lease SET holder = '', until = UTC_TIMESTAMP();"
    } >"$LAB/kept.sql"
}

sync_bring_back() {
    mariadb --no-defaults --socket="$LAB/run/mariadb.sock" --user=root provost <"$LAB/kept.sql"
}
