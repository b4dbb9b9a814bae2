#!/bin/sh
# store_find.sh - mailboxes are found together, and each caller gets its own
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin store_find
lab_mariadb
for file in "$lab_tree"/conf/schema/*.sql; do
    mariadb --no-defaults --socket="$LAB/run/mariadb.sock" --user=root provost <"$file" ||
        lab_die "the schema can be made"
done
lab_sql "INSERT INTO domain (name, name_unicode) VALUES ('d.example', 'd.example');
INSERT INTO alias_domain (name, name_unicode, target)
    VALUES ('a.example', 'a.example', 'd.example');
INSERT INTO mailbox (address, domain, local_part, source, mail_path)
    SELECT CONCAT('u', seq, '@d.example'), 'd.example', CONCAT('u', seq),
           'local', CONCAT('d.example/u', seq, '/') FROM seq_0_to_999" ||
    lab_die "mailboxes can be made"

find_many() {
    "$PROVOST_BUILD/tests/integration/store_find" "$LAB/run/mariadb.sock" "$@"
}

check "one caller alone gets its answers" find_many right 1 500
check "32 callers at a time get their own answers" find_many right 32 2000
before=$(lab_sql "SHOW GLOBAL STATUS LIKE 'Com_stmt_execute'" | cut -f2)
lines=$(find_many right 64 2000)
after=$(lab_sql "SHOW GLOBAL STATUS LIKE 'Com_stmt_execute'" | cut -f2)
asked=$((after - before))
check "callers ask together (${lines%% *} calls, $asked statements)" \
    test "$((asked * 2))" -lt "${lines%% *}"
lab_signal mariadb STOP
check "while the server hangs, nobody is told that there is no mailbox" find_many down 32 800
lab_signal mariadb CONT
check "and afterwards all is as before" find_many right 32 500
lab_mariadb_stop
check "without a server there is no answer, in time" find_many down 32 800
lab_done
