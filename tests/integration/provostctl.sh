#!/bin/sh
# provostctl.sh - the operator's tool, as one types it
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin provostctl
lab_slapd
lab_mariadb
LAB_LDAP=ldapi
lab_config

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

# ------------------------------------------------------------ help and words --

like "help names the commands" "$(ctl help)" '^  domain add NAME '
code 64
code 64 nonsense
like "which it says" "$(cat "$LAB/out")" 'unknown command "nonsense"'
code 64 domain nonsense
like "with the verbs there are" "$(cat "$LAB/out")" 'provostctl domain remove NAME'
code 64 domain add
code 64 domain add example.org --nonsense
code 64 --format xml domain list
like "a format there is not is named" "$(cat "$LAB/out")" 'not "xml"'
code 64 domain list --format=xml
like "the version is told" "$(ctl --version)" '^provostctl [0-9]'

# ---------------------------------------------------------------- settings --

is "good settings are ok" "$(ctl config check)" ok
like "they are shown" "$(ctl config show)" 'username_field = "mail"'
unlike "without secrets" "$(ctl config show)" "$LAB_SERVICE_PASSWORD|$LAB_STORE_PASSWORD"
like "secrets are stars" "$(ctl config show)" '\*\*\*'
unlike "what is default can be left out" "$(ctl config show --non-default)" 'connect_timeout'
ctl config show >"$LAB/shown.conf"
sed -i 's/attribute_field/atribute_field/' "$LAB/provost.conf"
code 78 config check
like "an unknown key is named with file and line" "$(cat "$LAB/out")" 'provost\.conf:[0-9]+: .*atribute_field'
like "as by the daemon" "$("$PROVOST_BUILD/authd/provost-authd" -t -c "$LAB/provost.conf" 2>&1)" 'provost\.conf:[0-9]+: .*atribute_field'
sed -i 's/atribute_field/attribute_field/' "$LAB/provost.conf"

# ------------------------------------------------------------------ schema --

code 78 domain list
like "without a schema it says what to run" "$(cat "$LAB/out")" 'provostctl db migrate'
schema=$lab_tree/conf/schema
like "a plan names the files" "$(ctl db migrate --plan --schema-dir "$schema")" '001-tables'
is "and writes nothing" "$(lab_sql "SHOW TABLES")" ""
code 0 db migrate --schema-dir "$schema"
code 0 db migrate --schema-dir "$schema"
lab_sql "INSERT INTO schema_version VALUES (900, 900, UTC_TIMESTAMP())"
code 78 domain list
like "a schema that is too new says so" "$(cat "$LAB/out")" '900'
lab_sql "UPDATE schema_version SET oldest_program = 1 WHERE version = 900"
code 0 domain list
lab_sql "DELETE FROM schema_version WHERE version = 900"

# ----------------------------------------------------------------- domains --

code 0 domain add Example.ORG --max-mailboxes 50 --quota 500G --max-quota=10G --max-aliases 7
code 0 domain add bücher.example
code 77 domain add example.org
code 65 domain add 'not a domain'
code 65 domain add example.net --quota 5X
code 65 domain add example.net --max-mailboxes -1
is "a table for people" "$(ctl domain list | sed -n 2p | tr -s ' ')" 'example.org example.org yes 0 50 0 500G 10G - 0 7 unlimited unlimited'
is "without titles" "$(ctl --no-headers domain list | wc -l)" 2
is "JSON is in bytes, and a parser reads it" \
    "$(ctl domain list --json | "$LAB_PYTHON" -c 'import json, sys
for d in json.load(sys.stdin): print(d["domain"], d["unicode"], d["active"], d["max_mailboxes"], d["quota"])')" \
    "$(printf 'example.org example.org True 50 536870912000\nxn--bcher-kva.example b\303\274cher.example True 0 0')"
is "--json stands before the command as well" "$(ctl --json domain list)" "$(ctl domain list --format=json)"
is "CSV too" "$(ctl --format csv domain list | "$LAB_PYTHON" -c 'import csv, sys
for d in csv.DictReader(sys.stdin): print(d["domain"], d["quota"])' | head -n 1)" 'example.org 536870912000'
code 64 domain edit example.org
code 0 domain edit example.org --quota 1T --active no
is "an edit changes what was named" "$(lab_sql "SELECT quota, active, max_mailboxes FROM domain WHERE name = 'example.org'")" "$(printf '1099511627776\t0\t50')"
code 67 domain edit nowhere.example --quota 1T
code 64 domain edit example.org --active maybe
code 0 domain edit example.org --active yes
like "every change is an event with who did it" "$(lab_sql "SELECT kind, who, domain FROM event WHERE domain = 'example.org'")" "^domain_edit	admin:$(id -un)	example.org"
is "sudo's user is the one who did it" \
    "$(SUDO_USER=alice ctl domain edit example.org --max-aliases 8; lab_sql "SELECT who FROM event ORDER BY id DESC LIMIT 1")" admin:alice

# ------------------------------------------------------- mailboxes' sources --

lab_authd
is "somebody has a mailbox" "$(lab_auth ada@example.org ada-secret)" "OK ada@example.org"
code 77 --yes domain remove example.org
like "a domain with mailboxes stays" "$(cat "$LAB/out")" '1 mailbox'
code 77 domain remove bücher.example
like "removal asks" "$(cat "$LAB/out")" 'say --yes'
code 0 domain remove bücher.example --yes
code 67 domain remove bücher.example --yes
code 0 mailbox source ada@example.org local
is "the source is local" "$(lab_sql "SELECT source FROM mailbox")" local
code 0 mailbox source ADA@example.org ldap
is "and the directory's again" "$(lab_sql "SELECT source, directory FROM mailbox")" "$(printf 'ldap\tcorp')"
code 64 mailbox source ada@example.org elsewhere
code 67 mailbox source nobody@example.org local
code 65 mailbox source ada local

# ---------------------------------------------------------- hostile content --

lab_sql "UPDATE domain SET name_unicode = CONCAT('x', CHAR(27), '[2Jy', CHAR(10), 'z')"
for format in table csv json; do
    unlike "no control byte leaves it as $format" "$(ctl --format "$format" domain list | cat -v)" '\^\['
done

# ------------------------------------------------- root, without a password --

lab_sql "CREATE USER nobody@localhost IDENTIFIED VIA unix_socket;
    GRANT ALL ON provost.* TO nobody@localhost"
sed '/user = "provost"/s/"provost"/"nobody"/; /password_file = .*store/d' "$LAB/provost.conf" >"$LAB/socket.conf"
is "root is let in as the user that unix_socket knows" \
    "$("$PROVOST_BUILD/tools/provostctl" -c "$LAB/socket.conf" --format csv --no-headers domain list 2>&1 | cut -d, -f1 | head -n 1)" \
    "$(lab_sql "SELECT MIN(name) FROM domain")"

# --------------------------------------------------------------- the store --

lab_mariadb_stop
code 75 domain list
like "a store that is down is temporary, and named" "$(cat "$LAB/out")" 'connect to local server'
lab_done
