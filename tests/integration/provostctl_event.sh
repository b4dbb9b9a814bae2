#!/bin/sh
# provostctl_event.sh - domains' other names, their bars, and the history
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin provostctl_event
lab_mariadb
LAB_LDAP='host = "127.0.0.1"; use_tls = true;'
lab_config
lab_schema

ctl() {
    lab_provostctl "$@" 2>&1
}
# code WANTED COMMAND...: the exit status.
code() {
    code_wanted=$1
    shift
    ctl "$@" >"$LAB/out"
    is "provostctl $* ends with $code_wanted" $? "$code_wanted"
}
# parsed PYTHON COMMAND...: what a Python expression makes of the JSON, as d.
parsed() {
    parsed_as=$1
    shift
    ctl --format json "$@" | "$LAB_PYTHON" -c "import json, sys
d = json.load(sys.stdin); print($parsed_as)"
}
# csv PYTHON COMMAND...: likewise of CSV, as a list of rows.
csv() {
    parsed_as=$1
    shift
    ctl --format csv "$@" | "$LAB_PYTHON" -c "import csv, sys
d = list(csv.DictReader(sys.stdin, strict=True)); print($parsed_as)"
}

# ------------------------------------------------------------- other names --

lab_domain example.org --max-mailboxes 50 --quota 500G --max-quota 10G
lab_domain example.net
code 0 domain alias add Example.COM example.org
code 0 domain alias add bücher.example EXAMPLE.org
like "the event tells who and of what" "$(lab_sql "SELECT kind, who, domain, reason FROM event ORDER BY id DESC LIMIT 1")" \
    "^alias_domain_add	admin:.*	xn--bcher-kva.example	example.org$"
code 77 domain alias add example.com example.net
code 77 domain alias add example.net example.org
like "a domain is no other's name" "$(cat "$LAB/out")" 'example.net is a domain or an alias domain already'
code 77 domain alias add example.org example.org
code 67 domain alias add other.example example.com
like "an alias of an alias is refused, so there are no loops" "$(cat "$LAB/out")" 'example.com is an alias domain itself'
code 67 domain alias add other.example nowhere.example
code 77 domain add example.com
code 65 domain alias add 'not a domain' example.org
code 64 domain alias add example.com
code 64 domain alias nonsense
code 64 domain alias
is "they are listed" "$(ctl --no-headers domain alias list example.org | tr -s ' ')" \
    "$(printf 'example.com example.com example.org yes\nxn--bcher-kva.example bücher.example example.org yes')"
is "of another domain there are none" "$(ctl --no-headers domain alias list example.net)" ""
code 67 domain alias list example.com
is "as JSON" "$(parsed '[(x["alias_domain"], x["domain"], x["active"]) for x in d][0]' domain alias list)" \
    "('example.com', 'example.org', True)"
is "as CSV" "$(csv 'd[1]["unicode"]' domain alias list)" bücher.example
code 77 domain remove example.org --yes
like "a domain with other names stays" "$(cat "$LAB/out")" '2 alias domains'
code 77 domain alias remove example.com
code 0 domain alias remove example.com --yes
code 67 domain alias remove example.com --yes
is "removal is an event" "$(lab_sql "SELECT kind FROM event WHERE domain = 'example.com' ORDER BY id DESC LIMIT 1")" alias_domain_remove

# -------------------------------------------------------------------- bars --

lab_sql "UPDATE domain SET mailboxes_used = 12, quota_allotted = 64424509440 WHERE name = 'example.org';
    INSERT INTO quota2 (username, bytes, messages) VALUES ('a@example.org', 1073741824, 7), ('b@example.org', 2147483648, 5), ('c@example.net', 99, 1)"
ctl domain show Example.org >"$LAB/out"
like "mailboxes have a bar" "$(cat "$LAB/out")" 'mailboxes +12 +50  \[##\.\.\.\.\.\.\.\.\]  24%'
like "and what is allotted" "$(cat "$LAB/out")" 'quota allotted +60G +500G  \[#\.\.\.\.\.\.\.\.\.\]  12%'
like "and what is used" "$(cat "$LAB/out")" 'quota used +3G +500G  \[#\.\.\.\.\.\.\.\.\.\]   0%'
like "where there is no limit there is none" "$(cat "$LAB/out")" 'aliases +0 +-  -'
like "the other names are told" "$(cat "$LAB/out")" 'alias domains +xn--bcher-kva.example'
code 0 domain edit example.org --max-usage 3G
like "what is used has a limit of its own" "$(ctl domain show example.org)" 'quota used +3G +3G  \[##########\] 100%'
is "JSON has numbers" "$(parsed '[d[0][x] for x in ("mailboxes_used", "max_mailboxes", "quota_allotted", "quota", "used", "max_usage", "messages", "alias_domains")]' domain show example.org)" \
    "[12, 50, 64424509440, 536870912000, 3221225472, 3221225472, 12, 'xn--bcher-kva.example']"
is "so has CSV" "$(csv 'd[0]["used"]' domain show example.org)" 3221225472
lab_sql "INSERT INTO alias_domain (name, name_unicode, target) SELECT CONCAT(REPEAT('a', 60), '.', REPEAT('b', 60), seq, '.example'),
    CONCAT(REPEAT('a', 60), '.', REPEAT('b', 60), seq, '.example'), 'example.org' FROM seq_1_to_700"
is "all of many other names are told" "$(parsed 'd[0]["alias_domains"].count(",")' domain show example.org)" 700
is "and listed" "$(ctl --no-headers domain alias list example.org | wc -l)" 701
lab_sql "DELETE FROM alias_domain WHERE name LIKE 'a%'"
code 67 domain show nowhere.example
code 67 domain show example.com

# ------------------------------------------------------------------ history --

# event KIND ADDRESS|NULL DOMAIN AGE_DAYS
event() {
    lab_sql "INSERT INTO event (at, kind, who, address, domain, run, reason, before_json, after_json)
        VALUES (UTC_TIMESTAMP() - INTERVAL $4 DAY, '$1', 'authd', $2, '$3', 7, 'because', '{\"quota\": \"5G\"}', '{\"quota\": \"10G\", \"tags\": \"x\"}')"
}
lab_sql "DELETE FROM event"
event update "'old@example.org'" example.org 10
event update "'ada@example.org'" example.org 2
event refused "'ada@example.org'" example.org 1
event create "'bob@example.net'" example.net 0
is "oldest first" "$(ctl --no-headers event list | awk '{ print $2 }' | tr '\n' ' ')" "update update refused create "
like "people read what was changed" "$(ctl event list --user ADA@example.org | sed -n 2p)" \
    '^[0-9-]+T[0-9:]+Z  update +ada@example.org  authd  because  quota 5G -> 10G, tags -> x$'
is "of one person" "$(parsed '[x["kind"] for x in d]' event list --user ada@example.org)" "['update', 'refused']"
is "of one domain" "$(parsed '[x["user"] for x in d]' event list --domain EXAMPLE.net)" "['bob@example.net']"
is "of one kind" "$(parsed '[x["domain"] for x in d]' event list --kind create)" "['example.net']"
is "of both" "$(parsed 'len(d)' event list --kind update --user ada@example.org)" 1
is "of one run" "$(parsed 'len(d)' event list --run 8)" 0
is "since days" "$(parsed 'len(d)' event list --since 3d)" 3
is "since a date" "$(parsed 'len(d)' event list --since "$(date -u -d '24 hours ago' +%Y-%m-%d)" --run 7)" 2
is "since a moment" "$(parsed 'len(d)' event list --since "$(date -u -d '30 hours ago' +%Y-%m-%dT%H:%M:%SZ)" --domain example.org)" 1
is "before and after are objects in JSON" "$(parsed 'd[0]["before"]["quota"], d[0]["after"]' event list)" \
    "5G {'quota': '10G', 'tags': 'x'}"
is "and text in CSV" "$(csv 'd[0]["before"], d[0]["run"], d[0]["who"]' event list)" "{\"quota\": \"5G\"} 7 authd"
code 65 event list --since yesterday
code 65 event list --since 2026-02-30
code 65 event list --since 2026-11-24T25:00:00Z
code 65 event list --since 2026-11-24x
code 65 event list --run 0
code 65 event list --run seven
code 65 event list --user ada
code 64 event list ada@example.org
code 64 event list --nonsense

# A name that was made to mislead a terminal, in every format. The last of
# these would show what follows it from right to left.
lab_sql "INSERT INTO event (at, kind, who, reason, after_json) VALUES (UTC_TIMESTAMP(), 'create', 'authd',
    CONCAT('x', CHAR(27), '[2J', CHAR(10), 'y', CHAR(0xc2, 0x9b USING utf8mb4), '\",=z', CHAR(0xe2, 0x80, 0xae USING utf8mb4)),
    JSON_OBJECT('name', CONCAT('q', CHAR(27), '[31m', CHAR(0xe2, 0x80, 0xae USING utf8mb4))))"
for format in table csv json; do
    ctl --format "$format" event list --kind create >"$LAB/out"
    is "no control byte leaves it as $format" "$(LC_ALL=C tr -d '\n\r' <"$LAB/out" | LC_ALL=C tr -d ' -~\200-\377' | wc -c)" 0
    is "nor a C1 control, nor a bidirectional one" "$(LC_ALL=C grep -c "$(printf '\302\233\\|\342\200\256')" "$LAB/out")" 0
done
is "JSON gives it back whole" "$(parsed 'ascii(d[1]["reason"])' event list --kind create)" \
    "'x\\x1b[2J\\ny\\x9b\",=z\\u202e'"
is "CSV is one field of one row" "$(csv 'len(d), d[1]["reason"]' event list --kind create)" \
    '2 x\x1b[2J\x0ay\u009b",=z\u202e'

# What a sync changed at once may be long: all of it is there, and people see
# that there is more.
lab_sql "INSERT INTO event (at, kind, who, after_json) VALUES (UTC_TIMESTAMP(), 'long', 'sync', JSON_OBJECT('aliases', REPEAT(CONCAT(CHAR(0xc3, 0xa4 USING utf8mb4), 'b@example.org '), 50000)))"
is "a long change is whole in JSON" "$(parsed 'len(d[0]["after"]["aliases"])' event list --kind long)" 750000
is "and in CSV" "$("$PROVOST_BUILD/tools/provostctl" -c "$LAB/provost.conf" event list --format=csv --kind long | wc -c | awk '{ print ($1 > 800000) }')" 1
like "and cut in a table" "$(ctl event list --kind long | tail -n 1)" ' \.\.\.$'
is "to a line" "$(ctl --no-headers event list --kind long | wc -c | awk '{ print ($1 < 1200) }')" 1

# Colour is for a terminal alone, and not for who asked for none.
# on_terminal COMMAND...: how often what it prints to a terminal has an escape.
on_terminal() {
    TERM=xterm "$LAB_PYTHON" - "$@" <<'PYTHON' | grep -c "$(printf '\033')"
import os, pty, sys
pty.spawn(sys.argv[1:], lambda fd: os.read(fd, 65536))
PYTHON
}
set -- "$PROVOST_BUILD/tools/provostctl" -c "$LAB/provost.conf"
is "titles have colour on a terminal" "$(on_terminal "$@" domain list)" 2
is "not with NO_COLOR" "$(NO_COLOR=1 on_terminal "$@" domain list)" 0
is "NO_COLOR that is empty does not count" "$(NO_COLOR='' on_terminal "$@" domain list)" 2
is "nor as JSON" "$(on_terminal "$@" domain list --json)" 0
is "nor in a pipe" "$(ctl domain list | grep -c "$(printf '\033')")" 0

# ------------------------------------------------------------- by an index --

# The server's own words for what was asked, explained.
lab_sql "INSERT INTO event (at, kind, who, address, domain)
    SELECT UTC_TIMESTAMP() - INTERVAL 20001 - seq SECOND, 'update', 'sync', CONCAT('p', seq % 500, '@example.org'), 'example.org' FROM seq_1_to_20000;
    ANALYZE TABLE event" >/dev/null
# asked COMMAND...: runs it and prints EXPLAIN's key, rows and extra of its
# last question for events.
asked() {
    lab_sql "SET GLOBAL log_output = 'TABLE'; TRUNCATE mysql.general_log; SET GLOBAL general_log = 1"
    ctl "$@" >/dev/null
    lab_sql "SET GLOBAL general_log = 0"
    lab_sql "SELECT argument FROM mysql.general_log WHERE command_type = 'Execute'
        AND argument LIKE '%before_json%LIMIT 200' ORDER BY event_time DESC LIMIT 1" >"$LAB/asked"
    lab_sql "EXPLAIN $(cat "$LAB/asked")" | cut -f 6,9,10
}
for question in 'address --user p7@example.org' 'domain --domain example.net' 'kind --kind refused' \
    'address --user p7@example.org --since 1h' 'PRIMARY --since 1h'; do
    # shellcheck disable=SC2086
    asked event list ${question#* } >"$LAB/plan"
    is "event list ${question#* } goes along its index" "$(cut -f 1 "$LAB/plan")" "${question%% *}"
    unlike "and sorts nothing" "$(cat "$LAB/plan")" 'filesort|temporary'
done
like "one person's events are few rows of many" "$(asked event list --user p7@example.org)" '^address	[0-9]{1,2}	'
is "a long list comes whole" "$(ctl --no-headers event list --domain example.org | wc -l)" 20003
is "without a transaction" "$(lab_sql "SET GLOBAL general_log = 1" && ctl event list >/dev/null
    lab_sql "SELECT COUNT(*) FROM mysql.general_log WHERE argument LIKE '%START TRANSACTION%' AND user_host LIKE 'provost%'; SET GLOBAL general_log = 0")" 0

# ------------------------------------------------------------------- follow --

# seen TEXT: what was followed has it.
seen() {
    grep -q -e "$1" "$LAB/log/$2.log"
}
lab_start follow "$PROVOST_BUILD/tools/provostctl" -c "$LAB/provost.conf" event follow --domain example.net
lab_start lines "$PROVOST_BUILD/tools/provostctl" -c "$LAB/provost.conf" --format json event follow --since 3d --user ada@example.org
check "what was before is shown if asked for" wait_for 10 seen '"kind":"refused"' lines
check "a follower shows its titles at once" wait_for 10 seen '^AT ' follow
lab_sql "INSERT INTO event (id, at, kind, who, address, domain)
    SELECT MAX(id) + 10, UTC_TIMESTAMP(), 'create', 'authd', 'carl@example.net', 'example.net' FROM event"
check "an event is followed" wait_for 10 seen carl@example.net follow
lab_sql "INSERT INTO event (id, at, kind, who, domain)
    SELECT MAX(id) - 5, UTC_TIMESTAMP(), 'late', 'authd', 'example.net' FROM event"
check "so is one that took its number before, and was committed after" wait_for 10 seen late follow
lab_mariadb_stop
check "a store that goes away is told of" wait_for 15 seen 'waiting for it' follow
lab_mariadb_start
check "so is its return" wait_for 15 seen 'the store answers again' follow
event create "'dora@example.net'" example.net 0
event update "'ada@example.org'" example.org 0
check "events of after that are followed too" wait_for 10 seen dora@example.net follow
check "each by its own question" wait_for 10 seen '"run":7,.*"user":"ada\|"user":"ada.*"run":7' lines
is "each of them once" "$(grep -c 'carl@example.net' "$LAB/log/follow.log")" 1
unlike "and no others" "$(cat "$LAB/log/follow.log")" 'ada@example.org'
lab_stop lines
is "an object a line" "$("$LAB_PYTHON" -c 'import json, sys
print({json.loads(x)["user"] for x in open(sys.argv[1]) if x.startswith("{")})' "$LAB/log/lines.log")" "{'ada@example.org'}"
lab_stop follow

# ------------------------------------------------------------- end of it all --

lab_mariadb_stop
code 75 event list
code 75 domain show example.org
code 75 domain alias add x.example example.org
like "no answer is not 'no such domain'" "$(cat "$LAB/out")" 'connect to local server'
lab_done
