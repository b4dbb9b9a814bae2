#!/bin/sh
# sync.sh - what cron runs every minute
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin sync
lab_slapd
lab_mariadb
LAB_CONF='event = { keep = "30d"; };'
lab_config
lab_schema

sync() {
    "$PROVOST_BUILD/tools/provost-sync" -c "$LAB/provost.conf" "$@" 2>&1
}
lab_sql "INSERT INTO event (at, kind, who, reason)
    SELECT UTC_TIMESTAMP() - INTERVAL 31 DAY, 'old', 'test', seq FROM seq_1_to_1234"
lab_sql "INSERT INTO event (at, kind, who, reason)
    SELECT UTC_TIMESTAMP() - INTERVAL 29 DAY, 'young', 'test', seq FROM seq_1_to_700"
lab_sql "INSERT INTO sync_run (directory, kind, host, started) VALUES ('corp', 'full', 'h', UTC_TIMESTAMP() - INTERVAL 31 DAY), ('corp', 'full', 'h', UTC_TIMESTAMP())"
is "what is due is done without a word" "$(sync --if-due)" ""
is "events older than event.keep are gone, the others are not" \
    "$(lab_sql "SELECT kind, COUNT(*) FROM event WHERE who = 'test' GROUP BY kind")" "$(printf 'young\t700')"
is "and so are runs" "$(lab_sql 'SELECT COUNT(*) FROM sync_run')" 1
lab_sql "INSERT INTO attempt VALUES ('a@example.org', 1, 'wrong', 'x', 'smtp', '', 1, '2020-01-01', '2020-01-01'),
    ('a@example.org', 2, 'wrong', 'x', 'smtp', '', 1, '2020-01-01', UTC_TIMESTAMP())"
like "by hand it says how many" "$(sync)" '^0 events and 1 attempts were older than event.keep$'
is "attempts go by their last one" "$(lab_sql "SELECT place FROM attempt")" 2
like "where nothing is old it looks at no more than the oldest rows" \
    "$(lab_sql "EXPLAIN SELECT MAX(id) FROM (SELECT id FROM event ORDER BY id LIMIT 500) AS oldest")" 'PRIMARY'
sync --nonsense >/dev/null
is "a wrong word is 64" "$?" 64
sed 's/keep = "30d"/keep = "soon"/' "$LAB/provost.conf" >"$LAB/bad.conf"
"$PROVOST_BUILD/tools/provost-sync" -c "$LAB/bad.conf" >"$LAB/out" 2>&1
is "bad settings are 78" "$?" 78
lab_mariadb_stop
said=$(sync --if-due)
is "a database that is down is 75" "$?" 75
like "and is named by who speaks" "$said" '^provost-sync: .*connect'
lab_done
