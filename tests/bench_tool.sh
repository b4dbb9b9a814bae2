#!/bin/sh
# bench_tool.sh - how fast provostctl lists a large host
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: sudo sh tests/bench_tool.sh [--quick] [--rounds N]
#
# One private MariaDB with 100,000 mailboxes, their quota and last logins, and a
# million events. Each command runs N times (3); the table has the median of
# its seconds, the processor's share of the command itself in them (the rest is
# the server's, or waiting for it) and the largest memory. --quick is a smoke test: few rows, no
# time is judged. Without it, more than 2 s or 32 MiB for mailboxes, or more
# than 50 ms for one person's events, is a failure.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/lab.sh
. "$here/lib/lab.sh"

QUICK='' ROUNDS=3 PEOPLE=100000 EVENTS=1000000
while [ $# -gt 0 ]; do
    case $1 in
    --quick) QUICK=1 ;;
    --rounds) ROUNDS=$2 && shift ;;
    *) sed -n '/^# usage/,/^$/s/^# *//p' "$0" >&2 && exit 64 ;;
    esac
    shift
done
[ -z "$QUICK" ] || { ROUNDS=1 PEOPLE=3000 EVENTS=30000; }

lab_begin bench_tool
lab_mariadb
LAB_LDAP='host = "127.0.0.1"; use_tls = true;'
lab_config
lab_schema

for number in 0 1 2 3 4 5 6 7 8 9; do
    lab_domain "d$number.example"
done
lab_sql "
INSERT INTO mailbox (address, domain, local_part, source, directory,
    directory_id, name, template, quota, mail_path)
  SELECT CONCAT('p', seq, '@d', seq % 10, '.example'),
    CONCAT('d', seq % 10, '.example'), CONCAT('p', seq), 'ldap', 'corp', seq,
    CONCAT('Person Number ', seq), 'default', 5368709120,
    CONCAT('d', seq % 10, '.example/p', seq, '/') FROM seq_1_to_$PEOPLE;
INSERT INTO quota2 (username, bytes, messages)
  SELECT address, 1000000 + CHAR_LENGTH(address) * 12345, 77 FROM mailbox;
INSERT INTO last_login (address, service, at, client)
  SELECT address, 'imap', UTC_TIMESTAMP(), '192.0.2.7' FROM mailbox;
INSERT INTO event (at, kind, who, address, domain, directory, reason,
    before_json, after_json)
  SELECT UTC_TIMESTAMP() - INTERVAL $EVENTS - seq SECOND,
    ELT(1 + seq % 3, 'update', 'create', 'refused'), 'authd',
    CONCAT('p', seq % $PEOPLE, '@d', seq % 10, '.example'),
    CONCAT('d', seq % 10, '.example'), 'corp', 'the template changed',
    '{\"quota\": \"5G\"}', '{\"quota\": \"10G\"}' FROM seq_1_to_$EVENTS
  ORDER BY seq;
ANALYZE TABLE mailbox, quota2, last_login, event" >"$LAB/log/fill.log" 2>&1 ||
    lab_die "the tables can be filled"

# measure COMMAND...: prints "seconds own KiB"; what it wrote is in $LAB/lines.
measure() {
    "$LAB_PYTHON" - "$ROUNDS" "$LAB/lines" "$PROVOST_BUILD/tools/provostctl" \
        -c "$LAB/provost.conf" --no-headers "$@" <<'PYTHON'
import os, statistics, subprocess, sys, time
rounds, lines, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
seconds, own, largest = [], [], 0
for _ in range(rounds):
    with open(lines, "wb") as file:
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=file)
        _, status, usage = os.wait4(process.pid, 0)
        seconds.append(time.monotonic() - began)
        own.append(usage.ru_utime + usage.ru_stime)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{command}: {process.returncode}")
    largest = max(largest, usage.ru_maxrss)
print(f"{statistics.median(seconds):.3f} {statistics.median(own):.3f} {largest}")
PYTHON
}

# row NAME LINES SECONDS KIB COMMAND...: a row of the table, and its judgement.
row() {
    row_name=$1 row_lines=$2 row_seconds=$3 row_kib=$4
    shift 4
    row_got=$(measure "$@")
    is "$row_name is whole" "$(wc -l <"$LAB/lines")" "$row_lines"
    echo "| $row_name | $(echo "$row_got" | sed 's/ / | /g') |"
    [ -z "$QUICK" ] || row_seconds=60
    check "$row_name takes at most $row_seconds s and $row_kib KiB" \
        awk -v got="$row_got" -v s="$row_seconds" -v k="$row_kib" \
        'BEGIN { split(got, a, " "); exit !(got != "" && a[1] <= s && a[3] <= k) }'
}

echo "| command | seconds | own seconds | peak KiB |"
echo "|---|---|---|---|"
row "mailbox list" "$PEOPLE" 2 32768 mailbox list
row "mailbox list, JSON" $((PEOPLE + 2)) 2 32768 --format json mailbox list
row "mailbox list, CSV" "$PEOPLE" 2 32768 --format csv mailbox list
row "event list --user" $((EVENTS / PEOPLE)) 0.05 32768 event list --user p7@d7.example
since=$(lab_sql "SELECT DATE_FORMAT(MAX(at) - INTERVAL 3599 SECOND, '%Y-%m-%dT%H:%i:%sZ') FROM event WHERE who = 'authd'")
row "event list --since" 1200 1 32768 event list --since "$since" --kind update
row "domain list" 10 1 32768 domain list
row "domain show" 8 1 32768 domain show d3.example
lab_done
