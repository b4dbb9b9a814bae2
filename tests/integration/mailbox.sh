#!/bin/sh
# mailbox.sh - mailboxes, passwords and app passwords, as an operator has them
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin mailbox
lab_slapd
lab_mariadb
LAB_LDAP=ldapi
# Logins are remembered, so that it is seen when they are not.
LAB_CONF_AUTH='cache_ttl = "600s";'
lab_config
lab_schema
lab_domain example.org --max-mailboxes 8 --quota 100G --max-quota 30G --max-aliases 9
lab_domain other.example --quota 7G
lab_authd

ctl() {
    lab_provostctl "$@" 2>&1
}
# code WANTED COMMAND...: the exit status; what it said is in $LAB/out.
code() {
    code_wanted=$1
    shift
    ctl "$@" >"$LAB/out"
    is "provostctl $* ends with $code_wanted" $? "$code_wanted"
}
said() {
    like "$1" "$(cat "$LAB/out")" "$2"
}
# column ADDRESS COLUMN: of the mailbox's row.
column() {
    lab_sql "SELECT $2 FROM mailbox WHERE address = '$1'"
}
# counters DOMAIN: mailboxes, quota in G, aliases.
counters() {
    lab_sql "SELECT mailboxes_used, quota_allotted DIV 1073741824, aliases_used FROM domain WHERE name = '$1'" | tr '\t' ' '
}
last_event() {
    lab_sql "SELECT kind, who FROM event WHERE address = '$1' ORDER BY id DESC LIMIT 1" | tr '\t' ' '
}
me=admin:$(id -un)

# --------------------------------------------------------------------- add --

code 0 mailbox add Lou@Example.ORG --quota 6G --name 'Lou Reed' --tags b,a,b
said "a local mailbox without a password says so" 'no password yet: provostctl password set'
is "it is as its template and the words say" \
    "$(column lou@example.org "source, name, template, quota DIV 1073741824, tags, mail_path")" \
    "$(printf 'local\tLou Reed\tdefault\t6\ta,b\texample.org/lou/')"
is "it has its self-alias" "$(lab_sql "SELECT kind FROM alias WHERE address = 'lou@example.org'")" self
is "and counts" "$(counters example.org)" "1 6 0"
is "with an event and who did it" "$(last_event lou@example.org)" "create $me"
code 77 mailbox add lou@example.org
said "one that is there is told of" 'lou@example.org is a mailbox already'
code 77 mailbox add big@example.org --quota 31G
said "a limit is named with its numbers" '31G is over max_quota 30G'
code 77 mailbox add big@other.example --quota 8G
said "so is the domain's" '8G wanted, 7G of 7G left in other.example'
code 77 mailbox add somebody@nowhere.example
code 65 mailbox add lou
code 65 mailbox add new@example.org --quota many
said "a bad value names its option" '--quota: '
code 65 mailbox add new@example.org --name "$(printf 'a\033b')"
code 78 mailbox add new@example.org --template none
said "a template that is none" 'no template "none"'
code 64 mailbox add new@example.org --source elsewhere
is "nothing of these was made" "$(counters example.org) $(lab_sql 'SELECT COUNT(*) FROM mailbox')" "1 6 0 1"
code 0 mailbox add grace@example.org --source ldap --template vip
is "a directory's mailbox waits for its person" \
    "$(column grace@example.org "source, directory, directory_id IS NULL")" "$(printf 'ldap\tcorp\t1')"
is "whose first login adopts it" "$(lab_auth grace@example.org grace-secret)" "OK grace@example.org"
is "by the directory's id" "$(column grace@example.org directory_id)" 00000000-0000-4000-8000-000000000007
printf 'first secret\n' | ctl mailbox add max@example.org --password-stdin >"$LAB/out"
is "a mailbox can come with a password" "$(lab_auth max@example.org 'first secret')" "OK max@example.org"

# ---------------------------------------------------------------- password --

set_password() {
    printf '%b' "$2" | ctl password set "$1" --password-stdin >"$LAB/out"
}
set_password lou@example.org 'correct horse\n'
is "a password is set from standard input" $? 0
is "as yescrypt" "$(lab_sql "SELECT LEFT(password, 10) FROM mailbox WHERE address = 'lou@example.org'")" '{CRYPT}$y$'
is "it logs in" "$(lab_auth lou@example.org 'correct horse')" "OK lou@example.org"
set_password lou@example.org 'another one\n'
is "a new one replaces it" "$(lab_auth lou@example.org 'another one')" "OK lou@example.org"
like "at once, though authd had remembered the old one" "$(lab_auth lou@example.org 'correct horse')" '^NO'
is "an event tells it" "$(last_event lou@example.org)" "password $me"
is "without the password or its hash" "$(lab_sql "SELECT COUNT(*) FROM event WHERE CONCAT_WS('|', reason, before_json, after_json) LIKE '%another one%' OR CONCAT_WS('|', reason, before_json, after_json) LIKE '%\$y\$%'")" 0
before=$(column lou@example.org password)
set_password lou@example.org ''
is "an empty one is refused" $? 65
set_password lou@example.org 'a\0000b\n'
is "one with NUL" $? 65
said "for that" 'NUL'
head -c 512 /dev/zero | tr '\0' x | ctl password set lou@example.org --password-stdin >"$LAB/out"
is "one that is over-long" $? 65
is "and the old one stays" "$(column lou@example.org password)" "$before"
code 64 password set lou@example.org
said "without a terminal it says what to type" '--password-stdin'
set_password grace@example.org 'mine\n'
is "of a directory's mailbox it is not set here" $? 77
said "and why" 'directory corp checks the password'
set_password nobody@example.org 'mine\n'
is "nor of nobody's" $? 67
"$LAB_PYTHON" - "$PROVOST_BUILD/tools/provostctl" "$LAB/provost.conf" >"$LAB/out" 2>&1 <<'PYTHON'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "-c", sys.argv[2], "password", "set", "lou@example.org"])
seen = b""
for prompt in (b"Password: ", b"Once more: "):
    while prompt not in seen:
        seen += os.read(fd, 1024)
    os.write(fd, b"typed twice\n")
try:
    while True:
        part = os.read(fd, 1024)
        if not part:
            break
        seen += part
except OSError:
    pass
print("ends with", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print("echo" if b"typed" in seen else "no echo")
PYTHON
said "a terminal asks twice" 'ends with 0'
said "and shows nothing" 'no echo'
is "what was typed logs in" "$(lab_auth lou@example.org 'typed twice')" "OK lou@example.org"

# --------------------------------------------------------------- pin, edit --

is "ada has a mailbox" "$(lab_auth ada@example.org ada-secret)" "OK ada@example.org"
code 64 mailbox edit ada@example.org
code 65 mailbox edit ada@example.org --rate-messages often
code 0 mailbox edit ADA@example.org --quota 10G --pop3 no
said "an edit tells what it changed" 'quota: 5G -> 10G'
is "the counters move by the difference" "$(counters example.org)" "4 41 0"
is "an event tells before, after and the pins" \
    "$(lab_sql "SELECT JSON_VALUE(before_json, '$.quota'), JSON_VALUE(after_json, '$.quota'), JSON_VALUE(after_json, '$.pinned') FROM event WHERE address = 'ada@example.org' ORDER BY id DESC LIMIT 1")" \
    "$(printf '5G\t10G\tquota,pop3_access')"
lab_ldap_set ada otherMailbox 'cn=vip,x'
lab_ldap_set ada displayName 'Ada King'
ctl mailbox unblock ada@example.org
lab_provostctl mailbox pin ada@example.org tags
lab_authd_stop
lab_authd
is "the directory changes her template" "$(lab_auth ada@example.org ada-secret)" "OK ada@example.org"
is "what an administrator set survives it, the rest does not" \
    "$(column ada@example.org "template, quota DIV 1073741824, name, pop3_access")" "$(printf 'vip\t10\tAda King\t0')"
code 64 mailbox unpin ada@example.org nonsense
said "a setting that is none" '"nonsense" is no setting'
code 0 mailbox unpin ada@example.org quota
said "unpinning tells when it counts" 'next login'
lab_auth ada@example.org ada-secret >"$LAB/out"
lab_authd_stop
lab_authd
lab_auth ada@example.org ada-secret >"$LAB/out"
is "the next login takes the template's again" "$(column ada@example.org "quota DIV 1073741824, pop3_access")" "$(printf '20\t0')"
is "and counts it" "$(counters example.org)" "4 51 0"
code 77 mailbox edit ada@example.org --quota 31G
code 77 mailbox edit ada@example.org --quota unlimited
said "an unlimited one in a limited domain" 'unlimited mailbox in a limited domain'
code 0 mailbox edit ada@example.org --quota 1G
is "shrinking gives back" "$(counters example.org)" "4 32 0"

# ------------------------------------------------------------ block, unblock --

is "she is remembered" "$(lab_auth ada@example.org ada-secret)" "OK ada@example.org"
code 0 mailbox block ada@example.org
like "a block counts at once" "$(lab_auth ada@example.org ada-secret)" '^NO'
is "mail is still taken" "$(lab_sql "SELECT COUNT(*) FROM mailbox_open WHERE address = 'ada@example.org'")" 1
is "an event tells it" "$(last_event ada@example.org)" "block $me"
code 0 mailbox block --all ada@example.org
is "with --all it is not" "$(lab_sql "SELECT COUNT(*) FROM mailbox_open WHERE address = 'ada@example.org'")" 0
code 0 mailbox unblock ada@example.org
is "the end of a block too" "$(lab_auth ada@example.org ada-secret)" "OK ada@example.org"
code 67 mailbox block nobody@example.org

# ------------------------------------------------------------ app passwords --

app=$(lab_provostctl app-password add ada@example.org --service smtp,imap --name 'my phone' 2>"$LAB/out")
like "an app password has its form" "$app" '^pv(-[a-z2-9]{4}){8}$'
said "and is shown once" 'app password 1; it is not shown again'
is "the store has a hash of it" "$(lab_sql "SELECT LEFT(hash, 9) FROM app_password")" '{SSHA256}'
binds=$(lab_slapd_count 'BIND dn="uid=ada')
is "it logs in" "$(lab_auth ada@example.org "$app")" "OK ada@example.org"
is "at its other service" "$(lab_auth ada@example.org "$app" --service imap)" "OK ada@example.org"
like "not at others" "$(lab_auth ada@example.org "$app" --service pop3)" '^NO'
like "and nobody else" "$(lab_auth lou@example.org "$app")" '^NO'
is "no directory is asked" "$(lab_slapd_count 'BIND dn="uid=ada')" "$binds"
short=$(lab_provostctl app-password add ada@example.org --expires 90d --json | "$LAB_PYTHON" -c 'import json, sys; print(json.load(sys.stdin)["password"])')
is "another one for every service" "$(lab_auth ada@example.org "$short" --service sieve)" "OK ada@example.org"
lab_sql "UPDATE app_password SET expires = UTC_TIMESTAMP() - INTERVAL 1 SECOND WHERE id = 2"
like "expired, it is dead" "$(lab_auth ada@example.org "$short" --service sieve)" '^NO'
code 0 mailbox block ada@example.org
like "while the mailbox is blocked, it is refused" "$(lab_auth ada@example.org "$app")" '^NO'
code 0 mailbox unblock ada@example.org
lab_ldap_set ada otherMailbox default
is "then not" "$(lab_auth ada@example.org "$app" --client 192.0.2.9)" "OK ada@example.org"
lab_authd_stop
ctl app-password list ada@example.org --json >"$LAB/out"
is "the list tells use and state" "$("$LAB_PYTHON" -c 'import json, sys
for p in json.load(open(sys.argv[1])): print(p["id"], p["name"], p["services"], p["state"], p["last_used"] is not None, p["expires"] is not None)' "$LAB/out")" \
    "$(printf '1 my phone smtp,imap ok True False\n2  smtp,imap,pop3,sieve expired True True')"
unlike "and no hash" "$(cat "$LAB/out")" 'SSHA'
lab_authd
code 67 app-password revoke lou@example.org 1
code 0 app-password revoke ada@example.org 1
like "revoked, it is dead" "$(lab_auth ada@example.org "$app")" '^NO'
is "an event tells it" "$(last_event ada@example.org)" "app_password_revoke $me"
is "no event has an app password in it" "$(lab_sql "SELECT COUNT(*) FROM event WHERE CONCAT_WS('|', before_json, after_json) LIKE '%pv-%'")" 0
code 65 app-password add ada@example.org --service telnet
code 65 app-password add ada@example.org --expires soon
code 67 app-password add nobody@example.org
lab_sql "INSERT INTO app_password (address, hash, services) SELECT 'max@example.org', '{PLAIN}x', 1 FROM seq_1_to_100"
code 77 app-password add max@example.org
said "there is a bound" 'has 100 app passwords: revoke some'

# ------------------------------------------------------------------ rename --

lab_sql "INSERT INTO quota2 (username, bytes, messages) VALUES ('lou@example.org', 5000, 3)"
lou=$(lab_provostctl app-password add lou@example.org 2>/dev/null)
code 0 mailbox rename lou@example.org lewis@example.org
is "the old address is an alias" "$(lab_sql "SELECT kind, targets FROM alias WHERE address = 'lou@example.org'")" "$(printf 'rename\tlewis@example.org')"
is "the quota row moved" "$(lab_sql "SELECT bytes FROM quota2 WHERE username = 'lewis@example.org'")" 5000
is "the app password moved" "$(lab_auth lewis@example.org "$lou")" "OK lewis@example.org"
is "mail stays where it is" "$(column lewis@example.org mail_path)" example.org/lou/
is "an event tells it" "$(last_event lewis@example.org)" "rename $me"
code 77 mailbox rename lewis@example.org ada@example.org
code 77 mailbox rename max@example.org lou@example.org
said "an address that is somebody's alias" 'lou@example.org is an alias of lewis@example.org'
code 77 mailbox rename lewis@example.org lewis@nowhere.example
code 0 mailbox rename lewis@example.org lewis@other.example
is "a rename between domains moves the counters" "$(counters example.org)/$(counters other.example)" "3 26 0/1 6 0"
code 77 mailbox rename max@example.org max@other.example
said "inside the limits of the new one" '5G wanted, 1G of 7G left in other.example'

# ------------------------------------------------------------------ remove --

lab_ldap_set ada mailAlternateAddress countess@example.org
lab_auth ada@example.org ada-secret >"$LAB/out"
lab_authd_stop
lab_authd
is "ada has an alias by now" "$(lab_auth ada@example.org ada-secret) $(counters example.org)" "OK ada@example.org 3 26 1"
code 77 mailbox remove ada@example.org
said "a removal asks" 'Remove mailbox ada@example.org.* Not done: say --yes'
code 0 mailbox remove ada@example.org --yes
said "it tells where the mail is left" 'mail is left in example.org/ada/'
is "its rows are gone" "$(lab_sql "SELECT (SELECT COUNT(*) FROM mailbox WHERE address = 'ada@example.org') + (SELECT COUNT(*) FROM alias WHERE owner = 'ada@example.org') + (SELECT COUNT(*) FROM app_password WHERE address = 'ada@example.org') + (SELECT COUNT(*) FROM last_login WHERE address = 'ada@example.org') + (SELECT COUNT(*) FROM quota2 WHERE username = 'ada@example.org')")" 0
is "the counters were given back" "$(counters example.org)" "2 25 0"
is "an event tells what it was" "$(lab_sql "SELECT JSON_VALUE(before_json, '$.mail_path'), JSON_VALUE(before_json, '$.aliases') FROM event WHERE kind = 'remove'")" "$(printf 'example.org/ada/\tcountess@example.org')"
code 67 mailbox remove ada@example.org --yes
code 0 mailbox remove lewis@other.example --yes
is "an alias left by a rename goes along" "$(lab_sql "SELECT COUNT(*) FROM alias WHERE address = 'lou@example.org'")" 0

# --------------------------------------------------------------- the store --

lab_mariadb_stop
code 75 mailbox block max@example.org
code 75 password set max@example.org
code 75 app-password list max@example.org
lab_done
