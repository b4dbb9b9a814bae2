#!/bin/sh
# kill_points.sh - kill -9 of authd and of MariaDB leaves whole mailboxes or none
# SPDX-License-Identifier: BSD-2-Clause
#
# First logins are under way when the program is killed, each time a little
# later. Then the books are audited, everybody logs in again, and succeeds.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin kill
points=10
[ -z "${PROVOST_LONG:-}" ] || points=60
people=20 # at each point

lab_ldif >"$LAB/people.ldif"
"$LAB_PYTHON" - "$points" "$people" >>"$LAB/people.ldif" <<'PYTHON'
import sys
points, people = int(sys.argv[1]), int(sys.argv[2])
for server in "am":
    for point in range(points):
        for person in range(people):
            uid = "%s%d-%d" % (server, point, person)
            number = (1 + (server == "m")) * 10**8 + point * 1000 + person
            print("dn: uid=%s,ou=people,dc=example,dc=org" % uid)
            print("objectClass: inetOrgPerson\nobjectClass: labMailPerson")
            print("uid: %s\ncn: %s\nsn: %s\ndisplayName: %s" % (uid, uid, uid, uid))
            print("mail: %s@example.org\nuserPassword: %s-secret" % (uid, uid))
            print("mailAlternateAddress: alias-%s@example.org" % uid)
            print("otherMailbox: default\nentryUUID: 00000000-0000-4000-8000-%012d\n" % number)
PYTHON
LAB_SLAPD_LDIF=$LAB/people.ldif
lab_slapd
lab_mariadb
LAB_LDAP=ldapi LAB_CONF_AUTH='throttle_failures = 0;'
lab_config
lab_schema
lab_domain example.org --max-mailboxes 100000 --quota 100000T
lab_authd

# storm PREFIX: all people of one point log in at once; in the background.
storm() {
    person=0
    : >"$LAB/pairs"
    while [ "$person" -lt "$people" ]; do
        printf '%s-%s@example.org\t%s-%s-secret\n' "$1" "$person" "$1" "$person" >>"$LAB/pairs"
        person=$((person + 1))
    done
    "$LAB_PYTHON" "$lab_tree/tests/lib/saslauthd.py" --socket "$LAB/run/authd" \
        --pairs "$LAB/pairs" --parallel 8 --count --timeout 20
}

# What is wrong with the books, one line a fault; nothing when they are right.
audit() {
    lab_sql "
SELECT 'mailboxes_used', d.name, d.mailboxes_used, COUNT(m.address)
  FROM domain d LEFT JOIN mailbox m ON m.domain = d.name
 GROUP BY d.name HAVING d.mailboxes_used <> COUNT(m.address);
SELECT 'quota_allotted', d.name, d.quota_allotted, SUM(m.quota)
  FROM domain d JOIN mailbox m ON m.domain = d.name
 GROUP BY d.name HAVING d.quota_allotted <> SUM(m.quota);
SELECT 'no alias to itself', m.address FROM mailbox m
  LEFT JOIN alias a ON a.address = m.address WHERE a.address IS NULL;
SELECT 'no alias from the directory', m.address FROM mailbox m
  LEFT JOIN alias a ON a.address = CONCAT('alias-', m.address) WHERE a.address IS NULL;
SELECT 'alias without a mailbox', a.address FROM alias a
  LEFT JOIN mailbox m ON m.address = a.owner WHERE a.owner IS NOT NULL AND m.address IS NULL;
SELECT 'created', m.address, COUNT(e.id) FROM mailbox m
  LEFT JOIN event e ON e.address = m.address AND e.kind = 'create'
 GROUP BY m.address HAVING COUNT(e.id) <> 1;
SELECT 'event without a mailbox', e.address FROM event e
  LEFT JOIN mailbox m ON m.address = e.address WHERE e.kind = 'create' AND m.address IS NULL;
SELECT 'no id', address FROM mailbox WHERE directory_id IS NULL OR template IS NULL;"
}

# after WHAT PREFIX: the verdict on one point.
after() {
    faults=$(audit)
    is "$1: every mailbox is whole" "$faults" ""
    is "$1: and everybody gets in afterwards" "$(storm "$2")" "OK $people"
}

found() {
    lab_sql "SELECT COUNT(*) FROM mailbox WHERE address LIKE '$1-%'"
}

halfway=0
point=0
while [ "$point" -lt "$points" ]; do
    storm "a$point" >"$LAB/out" &
    storming=$!
    sleep "$(printf '0.%03d' $((10 + point * 12 % 180)))"
    lab_authd_stop KILL
    wait "$storming"
    there=$(found "a$point")
    [ "$there" -eq 0 ] || [ "$there" -eq "$people" ] || halfway=$((halfway + 1))
    check "authd killed, point $point ($there of $people made): nobody was refused" sh -c "! grep -q '^NO' '$LAB/out'"
    lab_authd
    after "authd killed, point $point" "a$point"
    point=$((point + 1))
done
check "some of these kills came in the middle of the work ($halfway)" [ "$halfway" -gt 0 ]

point=0
halfway=0
while [ "$point" -lt "$points" ]; do
    storm "m$point" >"$LAB/out" &
    storming=$!
    sleep "$(printf '0.%03d' $((10 + point * 12 % 180)))"
    lab_mariadb_stop KILL
    lab_mariadb_start
    wait "$storming"
    there=$(found "m$point")
    [ "$there" -eq 0 ] || [ "$there" -eq "$people" ] || halfway=$((halfway + 1))
    check "MariaDB killed, point $point ($there of $people made): nobody was refused" sh -c "! grep -q '^NO' '$LAB/out'"
    after "MariaDB killed, point $point" "m$point"
    point=$((point + 1))
done
lab_done
