#!/bin/sh
# policy_store.sh - the rules over real tables: aliases, sums, senders, outages
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin policy_store
lab_mariadb
for file in "$lab_tree"/conf/schema/*.sql; do
    mariadb --no-defaults --socket="$LAB/run/mariadb.sock" --user=root provost <"$file" ||
        lab_die "the schema can be made"
done
lab_sql "INSERT INTO domain (name, name_unicode, max_usage, quota, active) VALUES
    ('d.example', 'd.example', 0, 0, 1), ('full.example', 'full.example', 1000, 5000, 1),
    ('quota.example', 'quota.example', 0, 1000, 1), ('off.example', 'off.example', 0, 0, 0),
    ('xn--bcher-kva.example', 'bücher.example', 0, 0, 1);
INSERT INTO alias_domain (name, name_unicode, target) VALUES ('a.example', 'a.example', 'd.example');
INSERT INTO mailbox (address, domain, local_part, source, mail_path, quota)
    SELECT CONCAT('u', seq, '@d.example'), 'd.example', CONCAT('u', seq), 'local', '-', 1000
      FROM seq_0_to_999;
INSERT INTO mailbox (address, domain, local_part, source, mail_path, template_state,
    admin_state, directory_state, message_size, tls_enforce_in) VALUES
    ('off@d.example', 'd.example', 'off', 'local', '-', 'off', '-', 'present', 0, 0),
    ('blocked@d.example', 'd.example', 'blocked', 'local', '-', 'active', 'block_all', 'present', 0, 0),
    ('nologin@d.example', 'd.example', 'nologin', 'local', '-', 'nologin', 'block_login', 'missing', 0, 0),
    ('small@d.example', 'd.example', 'small', 'local', '-', 'active', '-', 'present', 500, 0),
    ('tls@d.example', 'd.example', 'tls', 'local', '-', 'active', '-', 'present', 0, 1),
    ('eve@full.example', 'full.example', 'eve', 'local', '-', 'active', '-', 'present', 0, 0),
    ('eve@quota.example', 'quota.example', 'eve', 'local', '-', 'active', '-', 'present', 0, 0);
INSERT INTO alias (address, domain, local_part, targets, kind, owner)
    SELECT address, domain, local_part, address, 'self', address FROM mailbox;
INSERT INTO alias (address, domain, local_part, targets, kind, active, expires) VALUES
    ('one@d.example', 'd.example', 'one', 'u1@d.example', 'admin', 1, NULL),
    ('two@d.example', 'd.example', 'two', 'one@d.example', 'admin', 1, NULL),
    ('both@d.example', 'd.example', 'both', 'u1@d.example, u3@a.example', 'admin', 1, NULL),
    ('some@d.example', 'd.example', 'some', 'u1@d.example,u2@d.example', 'admin', 1, NULL),
    ('loop@d.example', 'd.example', 'loop', 'pool@d.example', 'admin', 1, NULL),
    ('pool@d.example', 'd.example', 'pool', 'loop@d.example,u1@d.example', 'admin', 1, NULL),
    ('gone@d.example', 'd.example', 'gone', 'u1@d.example', 'admin', 0, NULL),
    ('past@d.example', 'd.example', 'past', 'u1@d.example', 'admin', 1, '2020-01-01'),
    ('u5+lists@d.example', 'd.example', 'u5+lists', 'u2@d.example', 'admin', 1, NULL),
    ('u4@d.example', 'd.example', 'u4', 'u4@d.example,u1@d.example', 'self', 1, NULL),
    ('@xn--bcher-kva.example', 'xn--bcher-kva.example', '', 'u1@d.example', 'admin', 1, NULL)
    ON DUPLICATE KEY UPDATE targets = VALUES(targets);
INSERT INTO quota2 (username, bytes, messages)
    SELECT CONCAT('u', seq, '@d.example'), IF(seq % 2, 1000, 0), 1 FROM seq_0_to_999;
INSERT INTO quota2 (username, bytes, messages) VALUES ('eve@full.example', 990, 1),
    ('eve@quota.example', 990, 1), ('u0@d.example', -5, 0) ON DUPLICATE KEY UPDATE bytes = -5;
INSERT INTO sender_acl (login, sender) VALUES ('u0@d.example', '@full.example'),
    ('u0@d.example', 'tls@d.example')" || lab_die "rows can be made"

ask() {
    "$PROVOST_BUILD/tests/integration/policy_ask" "$LAB/run/mariadb.sock" "$@"
}
rules="recipient_state=enforce mailbox_quota=enforce domain_quota=enforce
    message_size=enforce sender_login=enforce tls_in=enforce"

# wanted ANSWER REQUEST: what a request begins to be answered, all in one run
: >"$LAB/requests"
: >"$LAB/wanted"
wanted() {
    printf '%s\n' "$1" >>"$LAB/wanted"
    printf '%s\n' "$2" >>"$LAB/requests"
}
wanted DUNNO "recipient=u0@d.example"
wanted "452 4.2.2" "recipient=u1@d.example"
wanted "452 4.2.2" "recipient=U1@D.Example"
wanted "452 4.2.2" "recipient=u1+news@d.example"
wanted "452 4.2.2" "recipient=u1@a.example"
wanted "452 4.2.2" "recipient=one@d.example"
wanted "452 4.2.2" "recipient=two+x@a.example"
wanted "452 4.2.2" "recipient=both@d.example"
wanted DUNNO "recipient=some@d.example"
wanted "452 4.2.2" "recipient=loop@d.example"
wanted DUNNO "recipient=gone@d.example"
wanted DUNNO "recipient=past@d.example"
wanted DUNNO "recipient=nobody@d.example"
wanted "452 4.2.2" "recipient=u5@d.example"
wanted DUNNO "recipient=u5+lists@d.example"
wanted DUNNO "recipient=u4@d.example"
wanted "452 4.2.2" "recipient=anything@bücher.example"
wanted "452 4.2.2" "recipient=any+thing@BÜCHER.example"
wanted DUNNO "recipient=x@elsewhere.example"
wanted DUNNO "recipient=u0@d.example size=1000"
wanted "552 5.2.3" "recipient=u0@d.example size=1001"
wanted "550 5.2.1" "recipient=off@d.example"
wanted "550 5.2.1" "recipient=blocked@d.example"
wanted DUNNO "recipient=nologin@d.example"
wanted "550 5.2.1" "recipient=x@off.example"
wanted DUNNO "recipient=eve@full.example size=10"
wanted "452 4.2.2" "recipient=eve@full.example size=11"
wanted "452 4.2.2" "recipient=eve@quota.example size=11"
wanted "552 5.3.4" "recipient=small@d.example size=501"
wanted "552 5.3.4" "login=small@d.example sender=small@d.example recipient=x@y.example size=501"
wanted "450 4.7.10" "recipient=tls@d.example"
wanted DUNNO "recipient=tls@d.example tls=1"
wanted DUNNO "login=u0@d.example sender=u0@a.example"
wanted DUNNO "login=U0@A.example sender=u0@d.example"
wanted DUNNO "login=u1@d.example sender=one@d.example"
wanted DUNNO "login=u0@d.example sender=any@full.example"
wanted DUNNO "login=u0@d.example sender=tls@d.example"
wanted "553 5.7.1" "login=u0@d.example sender=u1@d.example"
wanted "553 5.7.1" "login=u0@d.example sender=x@elsewhere.example"
wanted DUNNO "recipient=u0@d.example instance=i1"
wanted DUNNO "recipient=u2@d.example instance=i1"
wanted "552 5.2.3" "state=END-OF-MESSAGE instance=i1 size=5000"
wanted DUNNO "state=END-OF-MESSAGE instance=i1 size=500"
# shellcheck disable=SC2086 # several words
ask 2000 $rules <"$LAB/requests" >"$LAB/answers"
number=0
while IFS= read -r want; do
    number=$((number + 1))
    request=$(sed -n "${number}p" "$LAB/requests")
    like "$request: $want" "$(sed -n "${number}p" "$LAB/answers")" "^$want"
done <"$LAB/wanted"
like "the numbers that decided are told" "$(sed -n 2p "$LAB/answers")" \
    "mailbox_quota u1@d.example used=1000 size=0 quota=1000"

before=$(lab_sql "SHOW GLOBAL STATUS LIKE 'Com_stmt_execute'" | cut -f2)
lines=$(printf 'many 32 1500\nflush\nmany 64 1500\n' | ask 2000 "mailbox_quota=enforce")
after=$(lab_sql "SHOW GLOBAL STATUS LIKE 'Com_stmt_execute'" | cut -f2)
is "32 and 64 threads get the answers of their own recipients" "$(printf '%s\n' "$lines" |
    sed 's/.* //')" "wrong=0
wrong=0"
total=$(printf '%s\n' "$lines" | awk -F '[= ]' '{ sum += $2 } END { print sum }')
check "and the store is asked far less often ($((after - before)) statements, $total calls)" \
    test "$(((after - before) * 10))" -lt "$total"

# The question that adds a domain up, as the server was asked it.
lab_sql "SET GLOBAL log_output = 'TABLE'; TRUNCATE mysql.general_log; SET GLOBAL general_log = 1"
printf 'recipient=eve@full.example\n' | ask 2000 domain_quota=enforce >/dev/null
lab_sql "SET GLOBAL general_log = 0"
question=$(lab_sql "SELECT argument FROM mysql.general_log WHERE command_type = 'Execute'
    AND argument LIKE '%SUM(%quota2%' LIMIT 1")
like "the sum of a domain comes from its index alone" "$(lab_sql "EXPLAIN $question" | cut -f 6,10)" \
    '^domain	Using where; Using index$'

lab_signal mariadb STOP
begin=$(now_ms)
hung=$(printf 'recipient=u1@d.example\nrecipient=tls@d.example\nlogin=u0@d.example sender=u0@d.example\n' |
    ask 800 recipient_state=off mailbox_quota=enforce domain_quota=off message_size=off \
        send_rate=off sender_login=enforce tls_in=enforce)
took=$(($(now_ms) - begin))
lab_signal mariadb CONT
is "while the server hangs, mailbox_quota lets mail in, tls_in and sender_login defer" \
    "DUNNO (away)
451 4.3.0 Temporary lookup failure (away) [tls_in  ]
451 4.3.0 Temporary lookup failure (away) [sender_login  ]" \
    "$(printf '%s\n' "$hung" | sed '1s/^451.*/DUNNO (away)/')"
check "each within the deadline ($took ms)" test "$took" -lt 4000
lab_mariadb_stop
stopped=$(printf 'recipient=u1@d.example\n' | ask 800 mailbox_quota=enforce:defer)
like "without a server, a rule that says defer defers" "$stopped" "^451 4.3.0"
lab_done
