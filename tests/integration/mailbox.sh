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
# As most have it: the directory names its domains.
LAB_CONF_DIRECTORY='domains = [ "example.org" ];'
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
# The daemon writes of wrong passwords some seconds later, so not its events.
last_event() {
    lab_sql "SELECT kind, who FROM event WHERE address = '$1' AND kind <> 'wrong' ORDER BY id DESC LIMIT 1" | tr '\t' ' '
}
me=admin:$(id -un)
# typed PROMPT|... ANSWER COMMAND...: at a terminal, each prompt is answered.
typed() {
    "$LAB_PYTHON" - "$PROVOST_BUILD/tools/provostctl" "$LAB/provost.conf" "$@" >"$LAB/out" 2>&1 <<'PYTHON'
import os, pty, sys
program, settings, prompts, answer = sys.argv[1:5]
pid, fd = pty.fork()
if pid == 0:
    os.execv(program, [program, "-c", settings] + sys.argv[5:])
seen = b""
try:
    for prompt in prompts.split("|"):
        while prompt.encode() not in seen:
            seen += os.read(fd, 1024)
        os.write(fd, answer.encode() + b"\n")
    while True:
        part = os.read(fd, 1024)
        if not part:
            break
        seen += part
except OSError:
    pass
print(seen.decode())
print("ends with", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PYTHON
}

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

# At once, more than the domain has room for: as many as fit, no more.
lab_domain small.example --max-mailboxes 3
for n in 1 2 3 4 5 6 7 8; do
    lab_provostctl mailbox add "p$n@small.example" >>"$LAB/log/crowd.log" 2>&1 &
    echo $! >>"$LAB/crowd"
done
while read -r n; do
    wait "$n"
done <"$LAB/crowd"
is "of eight at once three fit" "$(counters small.example) $(lab_sql "SELECT COUNT(*) FROM mailbox WHERE domain = 'small.example'")" "3 15 0 3"
for n in $(lab_sql "SELECT address FROM mailbox WHERE domain = 'small.example'"); do
    lab_provostctl --yes mailbox remove "$n" >"$LAB/out"
done
is "and all can be removed" "$(counters small.example)" "0 0 0"

# ---------------------------------------------------------------- password --

set_password() {
    printf '%b' "$2" | ctl password set "$1" --password-stdin >"$LAB/out"
}
set_password lou@example.org 'correct horse\n'
is "a password is set from standard input" $? 0
is "as yescrypt" "$(lab_sql "SELECT LEFT(password, 10) FROM mailbox WHERE address = 'lou@example.org'")" '{CRYPT}$y$'
is "it logs in" "$(lab_auth lou@example.org 'correct horse')" "OK lou@example.org"
set_password lou@example.org 'another one\n'
like "the old one is dead at once, though authd had remembered it" "$(lab_auth lou@example.org 'correct horse')" '^NO'
is "a new one replaces it" "$(lab_auth lou@example.org 'another one')" "OK lou@example.org"
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
typed "Password: |Once more: " 'typed twice' password set lou@example.org
said "a terminal asks twice" 'ends with 0'
unlike "and shows nothing" "$(cat "$LAB/out")" 'typed'
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
code 0 mailbox edit ada@example.org --quota 3G
is "what is pinned can be edited again" "$(counters example.org) $(column ada@example.org "quota DIV 1073741824")" "4 34 0 3"
code 0 mailbox edit ada@example.org --quota 1G

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
other=$(lab_provostctl app-password add ada@example.org --name laptop 2>/dev/null)
is "a third one is used at the same service" "$(lab_auth ada@example.org "$other" --client 192.0.2.10)" "OK ada@example.org"
lab_authd_stop
is "each keeps its last use" "$(lab_sql "SELECT id, last_used IS NOT NULL, IF(id = 3, last_client, '') FROM app_password WHERE id <> 2")" "$(printf '1\t1\t\n3\t1\t192.0.2.10')"
ctl app-password list ada@example.org --json >"$LAB/out"
is "the list tells use and state" "$("$LAB_PYTHON" -c 'import json, sys
for p in json.load(open(sys.argv[1])): print(p["id"], p["name"], p["services"], p["state"], p["last_used"] is not None, p["expires"] is not None)' "$LAB/out")" \
    "$(printf '1 my phone smtp,imap ok True False\n2  smtp,imap,pop3,sieve expired True True\n3 laptop smtp,imap,pop3,sieve ok True False')"
unlike "and no hash" "$(cat "$LAB/out")" 'SSHA'
lab_authd
code 67 app-password revoke lou@example.org 1 --yes
code 0 app-password revoke ada@example.org 1 --yes
like "revoked, it is dead" "$(lab_auth ada@example.org "$app")" '^NO'
is "an event tells it" "$(last_event ada@example.org)" "app_password_revoke $me"
is "no event has an app password in it" "$(lab_sql "SELECT COUNT(*) FROM event WHERE CONCAT_WS('|', before_json, after_json) LIKE '%pv-%'")" 0
code 65 app-password add ada@example.org --service telnet
code 65 app-password add ada@example.org --expires soon
code 67 app-password add nobody@example.org
lab_sql "INSERT INTO app_password (address, hash, services) SELECT 'max@example.org', '{PLAIN}x', 1 FROM seq_1_to_100"
code 77 app-password add max@example.org
said "there is a bound" 'has 100 app passwords: revoke some'

# ------------------------------------------------------------- list, show --

# field ADDRESS ITEM FIELD: of "mailbox show".
field() {
    lab_provostctl mailbox show "$1" --json | "$LAB_PYTHON" -c 'import json, sys
print("|".join(str(r[sys.argv[2]]) for r in json.load(sys.stdin) if r["item"] == sys.argv[1]))' "$2" "$3"
}
lab_sql "INSERT INTO quota2 (username, bytes, messages) VALUES ('lou@example.org', 5000, 3)"
code 0 mailbox list
is "everybody is listed" "$(sed 1d "$LAB/out" | cut -d' ' -f1 | tr '\n' ' ')" "ada@example.org grace@example.org lou@example.org max@example.org "
like "with what is used" "$(ctl --format csv mailbox list)" '^lou@example.org,Lou Reed,local,,default,open,5000,6442450944,3,2'
listed() {
    ctl --no-headers mailbox list "$@" | cut -d' ' -f1 | tr '\n' ' '
}
is "by source" "$(listed --source local)" "lou@example.org max@example.org "
is "by template" "$(listed --template vip)" "ada@example.org grace@example.org "
is "by domain" "$(listed --domain OTHER.example)" ""
ctl mailbox block max@example.org
is "by state" "$(listed --state blocked)/$(listed --state closed)/$(listed --state off)" "max@example.org /max@example.org /"
ctl mailbox unblock max@example.org
code 64 mailbox list --state sleepy
code 64 mailbox list --source nowhere
like "show tells who pinned a setting and when" "$(field ada@example.org quota from)" "^pinned by $me at 20[0-9-]*T[0-9:]*Z$"
is "what comes from the template" "$(field ada@example.org imap_access from)" "template vip"
is "and from the directory" "$(field ada@example.org name from)" "directory corp, displayName"
is "sizes are bytes for programs" "$(field ada@example.org quota value)/$(field lou@example.org used value)" "1073741824/5000"
like "and for people in a table" "$(ctl mailbox show ada@example.org)" '^quota  *1G '
is "usage, app passwords, logins" "$(field lou@example.org messages value)|$(field ada@example.org app_passwords value)" "3|1"
like "the last logins" "$(field ada@example.org last_login value)" 'smtp at 20.*Z'
ctl mailbox block --all lou@example.org
is "who blocked it is told" "$(field lou@example.org open_to value)/$(field lou@example.org admin_state value)" "no logins, no mail/block_all"
like "with the time" "$(field lou@example.org admin_state from)" "^by $me at 20"
ctl mailbox unblock lou@example.org
code 67 mailbox show nobody@example.org
code 67 mailbox show ada@nowhere.example
unlike "no hash is shown" "$(ctl mailbox show lou@example.org)" 'CRYPT'
lab_sql "UPDATE mailbox SET name = CONCAT('x', CHAR(27), '[2J') WHERE address = 'max@example.org'"
for format in table csv json; do
    unlike "no control byte leaves it as $format" "$(ctl --format "$format" mailbox list --source local | cat -v; ctl --format "$format" mailbox show max@example.org | cat -v)" '\^\['
done
lab_sql "UPDATE mailbox SET name = '' WHERE address = 'max@example.org'"

# ----------------------------------------------------------------- preview --

# foreseen ADDRESS: "item:now>next" of each row.
foreseen() {
    lab_provostctl mailbox preview "$1" --json 2>&1 | "$LAB_PYTHON" -c 'import json, sys
for r in json.load(sys.stdin): print("%s:%s>%s" % (r["item"], r["now"], r["next"]))' | tr '\n' ' '
}
writes() {
    lab_sql "SELECT COUNT(*) FROM event; SELECT GROUP_CONCAT(address, fingerprint, modified) FROM mailbox; SELECT mailboxes_used, quota_allotted FROM domain"
}
lab_ldap_set ada otherMailbox default
lab_ldap_set ada displayName 'Countess of Lovelace'
before=$(writes)
is "preview tells what the next login changes, and no pins" "$(foreseen ada@example.org)" \
    "plan:None>update template:vip>default name:Ada King>Countess of Lovelace "
like "and why" "$(ctl mailbox preview ada@example.org)" 'displayName of the entry'
is "whom it would make" "$(foreseen bob@example.org | cut -d' ' -f1-2)" "plan:None>create address:None>bob@example.org"
is "whom nobody maps" "$(foreseen frank@example.org)" "plan:None>refused "
is "what nobody changes" "$(foreseen lou@example.org)" "plan:None>nothing "
code 67 mailbox preview nobody@example.org
said "who is nobody" 'knows nobody of the name'
lab_provostctl domain edit example.org --max-mailboxes 4
is "a limit that would say no" "$(foreseen bob@example.org | cut -d' ' -f1)" "plan:None>max_mailboxes"
like "with its numbers" "$(ctl mailbox preview bob@example.org)" '4 of 4 mailboxes'
lab_provostctl domain edit example.org --max-mailboxes 8
lab_sql "DELETE FROM event WHERE kind = 'domain_edit'"
is "and none of that writes anything" "$(writes)" "$before"
lab_authd_stop
lab_authd
lab_auth ada@example.org ada-secret >"$LAB/out"
is "the login does what was foreseen" "$(column ada@example.org "template, name")/$(foreseen ada@example.org)" \
    "$(printf 'default\tCountess of Lovelace')/plan:None>nothing "
lab_slapd_stop
code 75 mailbox preview ada@example.org
lab_slapd_start

# --------------------------------------------------------------- templates --

lab_sql "UPDATE mailbox SET template = 'gone' WHERE address = 'max@example.org'"
like "a template that is gone from the settings is told of" "$(ctl template list)" '1 mailboxes have template gone'
lab_sql "UPDATE mailbox SET template = 'default' WHERE address = 'max@example.org'"
is "templates are listed with their mailboxes" "$(ctl --format csv template list | cut -d, -f1-3 | tr -d '\r' | tr '\n' ' ')" \
    "template,mailboxes,quota default,3,5368709120 vip,1,21474836480 "
like "one is shown with who is given it" "$(ctl template show vip)" 'directory corp: otherMailbox like cn=vip,\*'
is "two are compared" "$(ctl --format csv template diff default vip | sed 1d | tr -d '\r')" "quota,5368709120,21474836480,false"
like "a template with a mailbox" "$(ctl --format csv template diff default ada@example.org)" '^quota,5368709120,1073741824,true'
code 67 template show none
code 67 template diff default none
code 0 mailbox edit max@example.org --template vip
is "a local mailbox is given another template" "$(column max@example.org "template, quota DIV 1073741824") $(counters example.org)" "$(printf 'vip\t20') 4 47 0"
code 77 mailbox edit ada@example.org --template vip
said "one of a directory has it from there" 'directory corp maps ada@example.org'
code 78 mailbox edit max@example.org --template none
code 0 mailbox edit max@example.org --template default
sed -i 's/{ name = "default"; quota = "5G";/{ name = "default"; quota = "4G"; imap_access = false;/' "$LAB/provost.conf"
is "who is affected by a change of a template, and with what" "$(ctl --format csv template affected default | sed 1d | tr -d '\r' | sort)" \
    "$(printf 'ada@example.org,ldap,imap_access,yes,no\nlou@example.org,local,imap_access,yes,no\nmax@example.org,local,imap_access,yes,no\nmax@example.org,local,quota,5368709120,4294967296')"
lab_ldap_set bob mailQuota 3G
lab_auth bob@example.org bob-secret >"$LAB/out"
sed -i 's/quota = "4G"; imap_access = false;/quota = "5G";/' "$LAB/provost.conf"
is "a quota that the directory gave is not the template's to change" "$(ctl template affected default | grep bob)" ""
ctl mailbox remove bob@example.org --yes >"$LAB/out"

# ------------------------------------------------------------------ rename --

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
lab_sql "INSERT INTO alias (address, domain, local_part, targets, kind) VALUES ('info@example.org', 'example.org', 'info', 'max@example.org,ada@example.org', 'admin')"
like "an alias that leads to her among others is shown" "$(field ada@example.org alias value)" 'info@example.org'
code 77 mailbox remove ada@example.org
said "a removal asks" 'Remove mailbox ada@example.org.* Not done: say --yes'
typed 'Type it again: ' max@example.org mailbox remove ada@example.org
said "another address is no answer" 'nothing was done'
said "and ends so" 'ends with 77'
code 0 mailbox remove ada@example.org --yes
said "it tells where the mail is left" 'mail is left in example.org/ada/'
said "and what still leads to it" 'alias info@example.org still leads to ada@example.org'
is "its rows are gone" "$(lab_sql "SELECT (SELECT COUNT(*) FROM mailbox WHERE address = 'ada@example.org') + (SELECT COUNT(*) FROM alias WHERE owner = 'ada@example.org') + (SELECT COUNT(*) FROM app_password WHERE address = 'ada@example.org') + (SELECT COUNT(*) FROM last_login WHERE address = 'ada@example.org') + (SELECT COUNT(*) FROM quota2 WHERE username = 'ada@example.org')")" 0
is "the counters were given back" "$(counters example.org)" "2 25 0"
is "an event tells what it was" "$(lab_sql "SELECT JSON_VALUE(before_json, '$.mail_path'), JSON_VALUE(before_json, '$.aliases') FROM event WHERE kind = 'remove' AND address LIKE 'ada@%'")" "$(printf 'example.org/ada/\tcountess@example.org')"
code 67 mailbox remove ada@example.org --yes
typed 'Type it again: ' lewis@other.example mailbox remove lewis@other.example
said "the address again is one" 'ends with 0'
is "an alias left by a rename goes along" "$(lab_sql "SELECT COUNT(*) FROM alias WHERE address = 'lou@example.org'")" 0

# --------------------------------------------------------------- the store --

lab_mariadb_stop
code 75 mailbox block max@example.org
code 75 password set max@example.org
code 75 app-password list max@example.org
lab_done
