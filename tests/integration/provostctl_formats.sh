#!/bin/sh
# provostctl_formats.sh - every listing in every format, with names made to harm
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin provostctl_formats
lab_slapd
lab_mariadb
LAB_LDAP=ldapi
lab_config
lab_schema
lab_domain example.org --max-mailboxes 50 --quota 500G

# A name that clears the screen, begins a line, ends a field of CSV and of JSON,
# writes from right to left, and has a C1 control.
evil=$(printf 'x\033[2Jy\nz",=1\302\233q\342\200\256r\342\201\246s')
in_sql=$(printf '%s' "$evil" | od -An -tx1 | tr -d ' \n')
lab_provostctl mailbox add lou@example.org --quota 6G >/dev/null || lab_die "a mailbox is made"
lab_provostctl mailbox add ada@example.org --source ldap --template default >/dev/null ||
    lab_die "another one is made"
lab_provostctl app-password add lou@example.org >/dev/null 2>&1 || lab_die "an app password is made"
lab_sql "
UPDATE domain SET name_unicode = CONVERT(0x$in_sql USING utf8mb4);
INSERT INTO alias_domain (name, name_unicode, target) VALUES ('example.com', CONVERT(0x$in_sql USING utf8mb4), 'example.org');
UPDATE mailbox SET name = CONVERT(0x$in_sql USING utf8mb4), mail_path = CONVERT(0x$in_sql USING utf8mb4), quota = 7;
UPDATE app_password SET name = CONVERT(0x$in_sql USING utf8mb4);
INSERT INTO last_login (address, service, at, client) SELECT address, 'imap', UTC_TIMESTAMP(), CONVERT(0x$in_sql USING utf8mb4) FROM mailbox;
INSERT INTO sync_run (directory, kind, host, started, reason, plan)
    VALUES ('corp', 'full', CONVERT(0x$in_sql USING utf8mb4), UTC_TIMESTAMP(), CONVERT(0x$in_sql USING utf8mb4),
    CONCAT('- lou@example.org  ', CONVERT(0x$in_sql USING utf8mb4), CHAR(10)));
INSERT INTO event (at, kind, who, address, domain, reason, before_json, after_json)
    SELECT UTC_TIMESTAMP(), 'refused', CONVERT(0x$in_sql USING utf8mb4), address, domain, CONVERT(0x$in_sql USING utf8mb4),
    JSON_OBJECT('name', 'x'), JSON_OBJECT('name', CONVERT(0x$in_sql USING utf8mb4)) FROM mailbox"
printf 'dn: uid=ada,%s\nchangetype: modify\nreplace: displayName\ndisplayName:: %s\n' "$LAB_PEOPLE" \
    "$(printf '%s' "$evil" | base64 -w 0)" | lab_ldap_modify || lab_die "the directory has the name"

cat >"$LAB/parse.py" <<'PYTHON'
import csv, io, json, re, sys

def strange(text):
    """Bytes that a terminal would obey."""
    return re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f]", text)

folder = sys.argv[1]
text = {}
for name in ("table", "json", "csv"):
    with open(f"{folder}/{name}", encoding="utf-8", newline="") as file:
        text[name] = file.read()
if strange(text["csv"].replace("\r\n", "\n")) or strange(text["json"]) or strange(text["table"]):
    sys.exit("a control is in it")
rows = json.loads(text["json"])
if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
    sys.exit("JSON is not an array of objects")
fields = list(rows[0])
if any(list(row) != fields for row in rows):
    sys.exit("JSON has rows of other fields")
if not all(re.fullmatch("[a-z][a-z0-9_]*", field) for field in fields):
    sys.exit(f"fields are {fields}")
table = list(csv.reader(io.StringIO(text["csv"]), strict=True))
if table[0] != fields:
    sys.exit(f"CSV has {table[0]}, JSON has {fields}")
if any(len(row) != len(fields) for row in table):
    sys.exit("CSV has rows of another length")
if len(table) - 1 != len(rows):
    sys.exit(f"CSV has {len(table) - 1} rows, JSON has {len(rows)}")
if not text["csv"].endswith("\r\n"):
    sys.exit("CSV ends without CR LF")
print("fine")
PYTHON

# listing COMMAND...: in each format, as independent parsers read it.
listing() {
    for format in table json csv; do
        lab_provostctl --format "$format" "$@" >"$LAB/$format" 2>"$LAB/log/$format.log" </dev/null
    done
    is "$* is a listing in every format" "$("$LAB_PYTHON" "$LAB/parse.py" "$LAB" 2>&1)" fine
    # Warnings and faults are for people.
    unlike "$* says nothing that a terminal obeys" "$(cat "$LAB"/log/table.log "$LAB"/log/json.log | cat -v)" '\^\[|M-B'
}

# Each row of the table of commands is a listing, or is told here to be none: a
# new command has to choose.
# tried NOUN VERB: prints the words of a listing, or "-".
tried() {
    case $1:$2 in
    app-password:list) echo app-password list lou@example.org ;;
    directory:show) echo directory show ada@example.org ;;
    domain:alias) echo domain alias list ;;
    domain:show) echo domain show example.org ;;
    mailbox:preview) echo mailbox preview ada@example.org ;;
    mailbox:show) echo mailbox show lou@example.org ;;
    template:affected) echo template affected default ;;
    template:diff) echo template diff default vip ;;
    sync:show) echo sync show 1 ;;
    template:show) echo template show default ;;
    why:) echo why ada@example.org ;;
    directory:test | doctor:) echo "$1" ${2:+"$2"} ;;
    # What follows does not end, and has an object a line.
    event:follow) echo - ;;
    # Settings and metrics are text, in a form of their own.
    config:show | metrics:) echo - ;;
    # A daemon that does not run here is asked: see policy.sh.
    policy:*) echo - ;;
    *:list) echo "$1" list ;;
    *:add | *:edit | *:remove | *:set | *:block | *:unblock | *:pin | *:unpin | *:revoke | *:rename | *:source | *:flush | *:migrate | *:check | *:import | import:* | completion:*) echo - ;;
    *) echo "has no test of its formats" ;;
    esac
}
lab_provostctl help | sed -n 's/^  \([a-z]\)/\1/p' >"$LAB/help"
while read -r noun verb rest; do
    case $verb in [a-z]*[a-z]) ;; *) verb= ;; esac
    case $verb in *"|"*) verb= ;; esac
    words=$(tried "$noun" "$verb")
    # shellcheck disable=SC2086
    case $words in
    -) ;;
    has*) not_ok "$noun $verb $words" ;;
    *) listing $words ;;
    esac
done <"$LAB/help"
: "$rest"

# The same in the other direction: what was in the store comes out whole.
is "JSON gives a name back as it was" \
    "$(lab_provostctl --format json mailbox list | "$LAB_PYTHON" -c 'import json, sys
print({row["name"] for row in json.load(sys.stdin)} == {sys.argv[1]})' "$evil")" True
lab_done
