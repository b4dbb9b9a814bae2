#!/bin/sh
# import.sh - mailboxes of other programs are taken over
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin import
lab_slapd
lab_mariadb
# shellcheck disable=SC2034
LAB_LDAP=ldapi
# The directory does not serve the domains of the import, but for corp.example.
# shellcheck disable=SC2034
LAB_CONF_DIRECTORY='domains = [ "example.org", "corp.example" ];'
lab_config
lab_schema
lab_authd

ctl() {
    lab_provostctl "$@" 2>&1
}
# code WANTED COMMAND...: the exit status; what it said is in $LAB/out.
code() {
    code_wanted=$1
    shift
    ctl "$@" >"$LAB/out"
    code_got=$?
    [ "$code_got" = "$code_wanted" ] || sed 's/^/# /' "$LAB/out"
    is "provostctl $* ends with $code_wanted" "$code_got" "$code_wanted"
}
said() {
    like "$1" "$(cat "$LAB/out")" "$2"
}
row() {
    lab_sql "$1" | tr '\t' ' '
}
# dsn NAME DATABASE
dsn() {
    (umask 077 && printf '[client]\nsocket = "%s"\nuser = provost\npassword = "%s"\ndatabase = %s\n' \
        "$LAB/run/mariadb.sock" "$LAB_STORE_PASSWORD" "$2" >"$LAB/$1")
    LAB_DB='' lab_sql "GRANT SELECT ON $2.* TO provost@localhost"
}
# Every row, and what we did (authd tells of attempts when it comes to it).
everything() {
    lab_sql "SELECT * FROM domain ORDER BY name; SELECT * FROM alias_domain ORDER BY name;
        SELECT * FROM mailbox ORDER BY address; SELECT * FROM alias ORDER BY address;
        SELECT * FROM sender_acl ORDER BY login, sender; SELECT COUNT(*) FROM event WHERE who LIKE 'admin:%'"
}
hash_of() {
    openssl passwd -6 -salt importsalt "$1"
}

# ------------------------------------------------------------ PostfixAdmin --

LAB_DB='' lab_sql "CREATE DATABASE postfix CHARACTER SET utf8mb4"
LAB_DB=postfix lab_sql "SET NAMES utf8mb4;
CREATE TABLE domain (domain varchar(255) NOT NULL PRIMARY KEY, description varchar(255) NOT NULL,
    aliases int NOT NULL DEFAULT 0, mailboxes int NOT NULL DEFAULT 0, maxquota bigint NOT NULL DEFAULT 0,
    quota bigint NOT NULL DEFAULT 0, transport varchar(255) NOT NULL DEFAULT 'virtual',
    backupmx tinyint NOT NULL DEFAULT 0, created datetime, modified datetime, active tinyint NOT NULL DEFAULT 1);
CREATE TABLE mailbox (username varchar(255) NOT NULL PRIMARY KEY, password varchar(255) NOT NULL,
    name varchar(255) NOT NULL DEFAULT '', maildir varchar(255) NOT NULL, quota bigint NOT NULL DEFAULT 0,
    local_part varchar(255) NOT NULL DEFAULT '', domain varchar(255) NOT NULL, created datetime,
    modified datetime, active tinyint NOT NULL DEFAULT 1);
CREATE TABLE alias (address varchar(255) NOT NULL PRIMARY KEY, goto text NOT NULL,
    domain varchar(255) NOT NULL, created datetime, modified datetime, active tinyint NOT NULL DEFAULT 1);
CREATE TABLE alias_domain (alias_domain varchar(255) NOT NULL PRIMARY KEY,
    target_domain varchar(255) NOT NULL, created datetime, modified datetime, active tinyint NOT NULL DEFAULT 1);
INSERT INTO domain (domain, description, aliases, mailboxes, maxquota, quota, backupmx, active) VALUES
    ('ALL', '', 0, 0, 0, 0, 0, 1),
    ('old.example', 'main', 10, 5, 10240, 0, 0, 1),
    ('old.net', 'alias of old.example', 0, 0, 0, 0, 0, 1),
    ('closed.example', '', -1, -1, 0, 0, 0, 0),
    ('crowded.example', 'more than its limit', 0, 1, 0, 0, 0, 1),
    ('relay.example', '', 0, 0, 0, 0, 1, 1),
    ('bad domain', '', 0, 0, 0, 0, 0, 1),
    ('bücher.example', 'umlaut', 0, 0, 0, 0, 0, 1);
INSERT INTO mailbox (username, password, name, maildir, quota, domain, active) VALUES
    ('ann@old.example', '$(hash_of ann-secret)', 'Ann Old', 'old.example/ann/', 1073741824, 'old.example', 1),
    ('ben@old.example', '{PLAIN-MD5}$(printf ben-secret | md5sum | cut -d' ' -f1)', '', 'ben-is-here/', 0, 'old.example', 1),
    ('off@old.example', '{PLAIN}off-secret', 'Off', 'old.example/off/', 1024, 'old.example', 0),
    ('clear@old.example', 'clear-secret', 'Clear', 'old.example/clear/', 0, 'old.example', 1),
    ('one@crowded.example', '{PLAIN}one-secret', '', 'crowded.example/one/', 0, 'crowded.example', 1),
    ('two@crowded.example', '{PLAIN}two-secret', '', 'crowded.example/two/', 0, 'crowded.example', 1),
    ('shut@closed.example', '{PLAIN}shut-secret', '', 'closed.example/shut/', 0, 'closed.example', 1),
    ('uwe@bücher.example', '{PLAIN}uwe-secret', 'Uäwe', 'b/uwe/', 0, 'bücher.example', 1),
    ('\"quoted us\"@old.example', '{PLAIN}x', '', 'old.example/q/', 0, 'old.example', 1),
    ('climb@old.example', '{PLAIN}x', '', '../../etc/', 0, 'old.example', 1),
    ('root@old.example', '{PLAIN}x', '', '/etc/', 0, 'old.example', 1),
    ('name@old.example', '{PLAIN}x', CONCAT('bad', CHAR(27), '[31m'), 'old.example/name/', 0, 'old.example', 1),
    ('lost@nowhere.example', '{PLAIN}x', '', 'n/lost/', 0, 'nowhere.example', 1);
INSERT INTO alias (address, goto, domain, active) VALUES
    ('ann@old.example', 'ann@old.example', 'old.example', 1),
    ('ben@old.example', 'ben@old.example,Ben@Elsewhere.example', 'old.example', 1),
    ('info@old.example', 'ann@old.example, BEN@old.example,ann@old.example', 'old.example', 1),
    ('asleep@old.example', 'ann@old.example', 'old.example', 0),
    ('@old.example', 'ann@old.example', 'old.example', 1),
    ('pipe@old.example', '|\"/bin/sh -c id\"', 'old.example', 1),
    ('file@old.example', '/etc/passwd', 'old.example', 1),
    ('info@nowhere.example', 'ann@old.example', 'nowhere.example', 1),
    ('a\nb@old.example', 'ann@old.example', 'old.example', 1);
INSERT INTO alias_domain (alias_domain, target_domain) VALUES
    ('old.net', 'old.example'), ('gone.net', 'nowhere.example')"
dsn pa.cnf postfix

chmod 644 "$LAB/pa.cnf"
code 78 import postfixadmin --dsn-file "$LAB/pa.cnf" --plan
said "a DSN file that everybody can read is refused, with the fix" 'chmod o= it'
chmod 600 "$LAB/pa.cnf"
code 64 import postfixadmin --plan
before=$(everything)
code 2 import postfixadmin --dsn-file "$LAB/pa.cnf" --plan
cp "$LAB/out" "$LAB/plan"
is "a plan writes nothing" "$(everything)" "$before"
said "it has the domain with its limits" '^\+ domain old.example: max-mailboxes 5, max-quota 10G, max-aliases 10$'
said "an umlaut is an A-label" '^\+ domain xn--bcher-kva.example: no limits$'
said "an alias domain" '^\+ alias domain old.net -> old.example$'
said "a mailbox with its path" '^\+ mailbox ben@old.example: local, unlimited, ben-is-here/$'
said "one that is off" '^\+ mailbox off@old.example: local, 1K, old.example/off/, block_all$'
said "an alias with its targets, each once" '^\+ alias info@old.example -> ann@old.example,ben@old.example$'
said "a catch-all" '^\+ alias @old.example -> ann@old.example$'
said "one that sleeps" '^\+ alias asleep@old.example -> ann@old.example, off$'
said "a mailbox that forwards" '^\+ forward ben@old.example -> ben@old.example,ben@elsewhere.example$'
said "a relayed domain is left alone" '^! domain relay.example: mail is only passed on'
said "so is one that is no domain" '^! domain bad domain: '
said "a password without a scheme is named" '^! mailbox clear@old.example: no password is carried over'
said "a path that climbs out is refused" '^! mailbox climb@old.example: its mail path has'
said "so is one from the root" '^! mailbox root@old.example: its mail path is not below'
said "a name with control bytes is left out" '^! mailbox name@old.example: its name is left out'
said "a quoted local part is refused" '^! mailbox "quoted us"@old.example: '
said "a mailbox without a domain" '^! mailbox lost@nowhere.example: nowhere.example is no domain here'
said "a command is no target" '^! alias pipe@old.example: its target .* is no address'
said "nor is a file" '^! alias file@old.example: its target "/etc/passwd" is no address'
said "a newline is shown escaped" '^! alias a\\x0ab@old.example: '
said "an alias domain of nothing" '^! alias domain gone.net: its target nowhere.example'
said "a limit of none is told of" '^! domain closed.example: no more mailboxes .* max-mailboxes 1 '
said "and summed up" '^plan: [0-9]+ to make, 0 to change, [0-9]+ left alone, 0 as they are$'
is "no control byte is shown" "$(tr -d '\n' <"$LAB/out" | LC_ALL=C grep -c '[[:cntrl:]]')" 0

code 0 import postfixadmin --dsn-file "$LAB/pa.cnf"
grep '^[+~!]' "$LAB/plan" >"$LAB/planned"
grep '^[+~!]' "$LAB/out" >"$LAB/done"
is "what is done is what was planned" "$(cat "$LAB/done")" "$(cat "$LAB/planned")"
is "the domain has its limits and counts" \
    "$(row "SELECT max_mailboxes, max_quota, max_aliases, mailboxes_used, quota_allotted, aliases_used, active FROM domain WHERE name = 'old.example'")" \
    "5 10737418240 10 5 1073742848 3 1"
is "more than the limit are all there" \
    "$(row "SELECT max_mailboxes, mailboxes_used FROM domain WHERE name = 'crowded.example'")" "1 2"
is "a domain that was off is off" "$(row "SELECT active, mailboxes_used FROM domain WHERE name = 'closed.example'")" "0 1"
is "counters are what there is" "$(row "SELECT COUNT(*) FROM domain d WHERE
    d.mailboxes_used <> (SELECT COUNT(*) FROM mailbox m WHERE m.domain = d.name) OR
    d.aliases_used <> (SELECT COUNT(*) FROM alias a WHERE a.domain = d.name AND a.kind IN ('directory', 'admin'))")" 0
is "the mail path is kept" "$(row "SELECT mail_path, source, name FROM mailbox WHERE address = 'ben@old.example'")" "ben-is-here/ local "
is "each change has its event and who did it" \
    "$(row "SELECT COUNT(DISTINCT who) FROM event WHERE kind IN ('create', 'domain_add', 'alias_add', 'forward')") $(row "SELECT who FROM event WHERE kind = 'alias_add' LIMIT 1")" \
    "1 admin:$(id -un)"
is "an imported crypt hash logs in" "$(lab_auth ann@old.example ann-secret)" "OK ann@old.example"
is "so does an MD5 one" "$(lab_auth ben@old.example ben-secret)" "OK ben@old.example"
like "another password does not" "$(lab_auth ann@old.example ben-secret)" '^NO'
like "who was off stays out" "$(lab_auth off@old.example off-secret)" '^NO'
like "nobody gets in without a hash" "$(lab_auth clear@old.example clear-secret)" '^(NO|TEMP)'
is "the alias domain leads there" "$(lab_auth ann@old.net ann-secret)" "OK ann@old.example"
is "Postfix finds a catch-all's target" \
    "$(row "SELECT targets FROM postfix_alias WHERE asked = 'old.net' AND local_part = ''")" ann@old.example
is "whose owner may not send as everybody" \
    "$(row "SELECT COUNT(*) FROM postfix_sender_login WHERE asked = 'old.example' AND local_part = '' AND login = 'ann@old.example'")" 0

before=$(everything)
code 0 import postfixadmin --dsn-file "$LAB/pa.cnf"
said "a second run makes and changes nothing" '^import: 0 made, 0 changed'
is "and writes nothing" "$(everything)" "$before"
code 0 import postfixadmin --dsn-file "$LAB/pa.cnf" --plan

code 0 import postfixadmin --dsn-file "$LAB/pa.cnf" --scheme PLAIN
said "a mailbox that has none gets no password by a second run" 'clear@old.example: it has another password here'
LAB_DB=postfix lab_sql "UPDATE mailbox SET quota = 2147483648, name = 'Ann New' WHERE username = 'ann@old.example';
    UPDATE mailbox SET maildir = 'elsewhere/', password = '{PLAIN}new' WHERE username = 'ben@old.example';
    UPDATE domain SET mailboxes = 50 WHERE domain = 'old.example';
    UPDATE alias SET goto = 'off@old.example' WHERE address = 'info@old.example';
    UPDATE mailbox SET quota = 20737418240 WHERE username = 'off@old.example'"
code 0 mailbox edit clear@old.example --quota 3G
code 2 import postfixadmin --dsn-file "$LAB/pa.cnf" --plan
cp "$LAB/out" "$LAB/plan"
said "a later change of an imported mailbox is one line" '^~ mailbox ann@old.example: name: Ann Old -> Ann New; quota: 1G -> 2G$'
said "another path here is named" '^! mailbox ben@old.example: its mail is in elsewhere/ there, in ben-is-here/ here$'
said "another password too, unseen" '^! mailbox ben@old.example: it has another password here$'
said "limits of ours are named" '^! domain old.example: max-mailboxes 50.* there, max-mailboxes 5.* here$'
said "other targets are named" '^! alias info@old.example: it leads to off@old.example there'
said "what an administrator pinned stays" '^! mailbox clear@old.example: quota: unlimited there, 3G here$'
said "a limit is named with its numbers" '^! mailbox off@old.example: .*max_quota 10G'
code 0 import postfixadmin --dsn-file "$LAB/pa.cnf"
is "done as planned, again" "$(grep '^[+~!]' "$LAB/out")" "$(grep '^[+~!]' "$LAB/plan")"
is "counters follow" "$(row "SELECT quota_allotted FROM domain WHERE name = 'old.example'")" \
    "$(row "SELECT SUM(quota) FROM mailbox WHERE domain = 'old.example'")"
is "nothing was pinned by it" "$(row "SELECT pinned FROM mailbox WHERE address = 'ann@old.example'")" 0
code 0 import postfixadmin --dsn-file "$LAB/pa.cnf"
said "and then there is peace" '^import: 0 made, 0 changed'

# ----------------------------------------------------------------- mailcow --

LAB_DB='' lab_sql "CREATE DATABASE mailcow CHARACTER SET utf8mb4"
LAB_DB=mailcow lab_sql "
CREATE TABLE domain (domain varchar(255) NOT NULL PRIMARY KEY, description varchar(255),
    aliases int NOT NULL DEFAULT 0, mailboxes int NOT NULL DEFAULT 0, defquota bigint NOT NULL DEFAULT 3072,
    maxquota bigint NOT NULL DEFAULT 102400, quota bigint NOT NULL DEFAULT 102400, relayhost varchar(255) NOT NULL DEFAULT '0',
    backupmx tinyint(1) NOT NULL DEFAULT 0, gal tinyint(1) NOT NULL DEFAULT 1, active tinyint(1) NOT NULL DEFAULT 1);
CREATE TABLE mailbox (username varchar(255) NOT NULL PRIMARY KEY, password varchar(255) NOT NULL, name varchar(255),
    mailbox_path_prefix varchar(150) DEFAULT '/var/vmail/', quota bigint NOT NULL DEFAULT 102400,
    local_part varchar(255) NOT NULL, domain varchar(255) NOT NULL, attributes JSON, kind varchar(100) NOT NULL DEFAULT '',
    authsource ENUM('mailcow', 'keycloak', 'generic-oidc', 'ldap') DEFAULT 'mailcow', active tinyint(1) NOT NULL DEFAULT 1);
CREATE TABLE tags_mailbox (tag_name varchar(255) NOT NULL, username varchar(255) NOT NULL, UNIQUE (tag_name, username));
CREATE TABLE alias (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, address varchar(255) NOT NULL UNIQUE, goto text NOT NULL,
    domain varchar(255) NOT NULL, internal tinyint(1) NOT NULL DEFAULT 0, active tinyint(1) NOT NULL DEFAULT 1);
CREATE TABLE alias_domain (alias_domain varchar(255) NOT NULL PRIMARY KEY, target_domain varchar(255) NOT NULL,
    active tinyint(1) NOT NULL DEFAULT 1);
CREATE TABLE sender_acl (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, logged_in_as varchar(255) NOT NULL,
    send_as varchar(255) NOT NULL, external tinyint(1) NOT NULL DEFAULT 0);
CREATE TABLE app_passwd (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, name varchar(255) NOT NULL, mailbox varchar(255) NOT NULL,
    domain varchar(255) NOT NULL, password varchar(255) NOT NULL, active tinyint(1) NOT NULL DEFAULT 1);
INSERT INTO domain (domain, aliases, mailboxes, maxquota, quota, backupmx, active) VALUES
    ('cow.example', 400, 10, 10240, 102400, 0, 1), ('corp.example', 0, 10, 10240, 10240, 0, 1);
INSERT INTO mailbox (username, password, name, quota, local_part, domain, attributes, kind, authsource, active) VALUES
    ('mia@cow.example', '{SSHA256}$(printf 'mia-secret1234' | openssl dgst -sha256 -binary | { cat; printf 1234; } | base64)', 'Mia', 3221225472,
     'mia', 'cow.example', '{\"smtp_access\":\"1\",\"imap_access\":\"0\",\"pop3_access\":false,\"sieve_access\":\"1\",\"tls_enforce_in\":\"1\",\"tls_enforce_out\":\"0\"}', '', 'mailcow', 1),
    ('nologin@cow.example', '{PLAIN}nologin-secret', '', 1073741824, 'nologin', 'cow.example', NULL, '', 'mailcow', 2),
    ('broken@cow.example', '{PLAIN}broken-secret', '', 1073741824, 'broken', 'cow.example', '{}', '', 'mailcow', 1),
    ('room@cow.example', '', 'Room', 0, 'room', 'cow.example', '{}', 'location', 'mailcow', 1),
    ('kim@cow.example', '{PLAIN}kim-secret', '', 1073741824, 'kim', 'cow.example', '{}', '', 'keycloak', 1),
    ('ada@corp.example', '{PLAIN}random', 'Ada', 1073741824, 'ada', 'corp.example', '{}', '', 'ldap', 1);
INSERT INTO tags_mailbox VALUES ('staff', 'mia@cow.example'), ('a', 'mia@cow.example');
INSERT INTO alias (address, goto, domain, internal, active) VALUES
    ('mia@cow.example', 'mia@cow.example', 'cow.example', 0, 1), ('hi@cow.example', 'mia@cow.example', 'cow.example', 0, 1),
    ('@cow.example', 'mia@cow.example', 'cow.example', 0, 1), ('staff@cow.example', 'mia@cow.example', 'cow.example', 1, 1),
    ('drop@cow.example', 'null@localhost', 'cow.example', 0, 1);
INSERT INTO alias_domain VALUES ('cow.net', 'cow.example', 1), ('sleepy.net', 'cow.example', 0);
INSERT INTO sender_acl (logged_in_as, send_as, external) VALUES ('mia@cow.example', 'nologin@cow.example', 0),
    ('mia@cow.example', '@corp.example', 0), ('mia@cow.example', '*', 0), ('mia@cow.example', 'x@outside.example', 1),
    ('nobody@cow.example', 'hi@cow.example', 0);
INSERT INTO app_passwd (name, mailbox, domain, password) VALUES ('phone', 'mia@cow.example', 'cow.example', '{PLAIN}x')"
dsn cow.cnf mailcow
printf 'mia@cow.example\n100 / 1h\ncow.example\n9 / 1d\n' >"$LAB/rates"

cow="import mailcow --dsn-file $LAB/cow.cnf --maildir-sub Maildir --rates $LAB/rates"
# shellcheck disable=SC2086
code 2 $cow --plan
cp "$LAB/out" "$LAB/plan"
# shellcheck disable=SC2086
code 0 $cow
is "mailcow: what is done is what was planned" "$(grep '^[+~!]' "$LAB/out")" "$(grep '^[+~!]' "$LAB/plan")"
is "rights, TLS, rate, tags and path are mailcow's" \
    "$(row "SELECT smtp_access, imap_access, pop3_access, sieve_access, tls_enforce_in, tls_enforce_out, rate_messages, rate_messages_period, tags, mail_path FROM mailbox WHERE address = 'mia@cow.example'")" \
    "1 0 0 1 1 0 100 3600 a,staff cow.example/mia/Maildir/"
is "its hash logs in" "$(lab_auth mia@cow.example mia-secret)" "OK mia@cow.example"
like "but not where mailcow forbids it" "$(lab_auth mia@cow.example mia-secret --service imap)" '^NO'
like "active = 2 lets nobody in" "$(lab_auth nologin@cow.example nologin-secret)" '^NO'
is "and takes mail" "$(row "SELECT admin_state FROM mailbox WHERE address = 'nologin@cow.example'")" block_login
is "who is in the directory waits for the first login" \
    "$(row "SELECT source, directory, directory_id IS NULL, password FROM mailbox WHERE address = 'ada@corp.example'")" "ldap corp 1 {PLAIN}random"
said "where no directory serves the domain, it says so" '^! mailbox kim@cow.example: keycloak checks its password there'
said "resources are named" '^! mailbox room@cow.example: it is a "location"'
said "app passwords are named" '^! mailbox mia@cow.example: its app passwords \(1\)'
said "a rate of a domain is named" '^! rate of cow.example: '
said "an alias for insiders is not opened" '^! alias staff@cow.example: '
said "an alias domain that sleeps is named" '^! alias domain sleepy.net: '
said "to send as everybody is nobody's right" '^! sender mia@cow.example as \*: '
said "a foreign sender is named" '^! sender mia@cow.example as x@outside.example: outside.example is no domain'
said "a right of nobody is named" '^! sender nobody@cow.example as hi@cow.example: there is no such mailbox'
is "the rights to send are there" "$(row "SELECT sender FROM sender_acl WHERE login = 'mia@cow.example'" | tr '\n' ' ')" \
    "@corp.example nologin@cow.example "
before=$(everything)
# shellcheck disable=SC2086
code 0 $cow
said "a second run of mailcow makes nothing" '^import: 0 made, 0 changed'
is "mailcow: and writes nothing" "$(everything)" "$before"
# Rows come in pages of 500: one less, as many, one more, and two pages.
for rows in 499 500 501 1000; do
    LAB_DB=mailcow lab_sql "UPDATE domain SET aliases = 5000 WHERE domain = 'cow.example';
        DELETE FROM alias; INSERT INTO alias (address, goto, domain)
        SELECT CONCAT('many', seq, '@cow.example'), 'mia@cow.example', 'cow.example' FROM seq_1_to_$rows"
    ctl domain edit cow.example --max-aliases 5000 >/dev/null
    # shellcheck disable=SC2086
    ctl $cow --plan >"$LAB/out"
    is "$rows rows are each seen once" "$(grep -c '^+ alias many' "$LAB/out") $(grep '^+ alias many' "$LAB/out" | sort -u | wc -l)" "$rows $rows"
done
LAB_DB=mailcow lab_sql "DELETE FROM alias; INSERT INTO alias (address, goto, domain, internal)
    VALUES ('staff@cow.example', 'mia@cow.example', 'cow.example', 1)"
LAB_DB=mailcow lab_sql "ALTER TABLE mailbox DROP COLUMN authsource; ALTER TABLE alias DROP COLUMN internal"
# shellcheck disable=SC2086
code 2 $cow --plan
said "an older mailcow is read too" '^\+ alias staff@cow.example -> mia@cow.example$'
code 65 import postfixadmin --dsn-file "$LAB/cow.cnf" --plan
code 65 import mailcow --dsn-file "$LAB/pa.cnf" --plan
sed 's/^database.*/database = none/' "$LAB/pa.cnf" >"$LAB/none.cnf"
chmod 600 "$LAB/none.cnf"
code 75 import mailcow --dsn-file "$LAB/none.cnf" --plan

# ----------------------------------------------------------------- maildir --

maildir() { mkdir -p "$LAB/disk/$1/cur" "$LAB/disk/$1/new" "$LAB/disk/$1/tmp"; }
lab_domain example.org --max-mailboxes 4
code 0 domain edit old.example --max-mailboxes 20
maildir example.org/ada
maildir example.org/Zoe
maildir example.org/zoe
maildir old.example/ann
maildir old.example/disk
maildir nowhere.example/nell
maildir 'example.org/bad name'
maildir "example.org/$(printf 'l\374tz')"
mkdir -p "$LAB/disk/example.org/empty"
ln -s ../example.org/ada "$LAB/disk/example.org/link"
ln -s example.org "$LAB/disk/linked.example"
touch "$LAB/disk/a-file"
code 2 import maildir "$LAB/disk" --plan
cp "$LAB/out" "$LAB/plan"
said "a person of the directory" '^\+ mailbox ada@example.org: ldap, 5G, example.org/ada/$'
said "a local one, where no directory serves" '^\+ mailbox disk@old.example: local, 5G, old.example/disk/$'
said "a name in capitals keeps its path" '^\+ mailbox zoe@example.org: ldap, 5G, example.org/Zoe/$'
said "two that make one address" '^! example.org/zoe/: another directory makes the same'
said "no domain of ours" '^! mailbox nell@nowhere.example: nowhere.example is no domain here'
said "an unsafe name" '^! example.org/bad name/: '
said "one that is not UTF-8" '^! example.org/l\\xfctz/: '
said "no maildir" '^! example.org/empty/: it is no maildir'
said "a symbolic link" '^! example.org/link/: a symbolic link is not followed'
said "also of a domain" '^! linked.example/: a symbolic link is not followed'
said "one that is there is left out" '1 as they are$'
code 2 import maildir "$LAB/disk" --domain OLD.example --plan
is "one domain alone" "$(grep -c '^+' "$LAB/out")" 1
code 0 import maildir "$LAB/disk"
is "maildir: done as planned" "$(grep '^[+~!]' "$LAB/out")" "$(grep '^[+~!]' "$LAB/plan")"
is "the person's first login adopts it" "$(lab_auth ada@example.org ada-secret) $(row "SELECT mail_path FROM mailbox WHERE address = 'ada@example.org'")" \
    "OK ada@example.org example.org/ada/"
code 0 import maildir "$LAB/disk"
said "maildir: a second run makes nothing" '^import: 0 made, 0 changed'
code 67 import maildir "$LAB/missing"

# ---------------------------------------------------------- mailbox source --

code 0 mailbox source ada@corp.example local
counters=$(row "SELECT mailboxes_used, quota_allotted FROM domain WHERE name = 'corp.example'")
events=$(row "SELECT COUNT(*) FROM event WHERE kind = 'source'")
code 2 mailbox source --domain corp.example ldap --plan
said "a switch is planned" '^~ mailbox ada@corp.example: source ldap corp$'
is "and not done" "$(row "SELECT source FROM mailbox WHERE address = 'ada@corp.example'")" local
lab_sql "INSERT INTO mailbox (address, domain, local_part, source, password, mail_path)
    SELECT CONCAT('m', seq, '@corp.example'), 'corp.example', CONCAT('m', seq), 'local', '{PLAIN}kept', CONCAT('m', seq, '/') FROM seq_1_to_1200"
code 0 mailbox source --domain corp.example ldap
said "all are switched" '^1201 switched, 0 were so already$'
is "hashes are kept" "$(row "SELECT COUNT(*) FROM mailbox WHERE domain = 'corp.example' AND source = 'ldap' AND directory = 'corp' AND password IS NOT NULL")" 1201
is "counters are as they were" "$(row "SELECT mailboxes_used, quota_allotted FROM domain WHERE name = 'corp.example'")" "$counters"
is "each has its event" "$(row "SELECT COUNT(*) FROM event WHERE kind = 'source'")" "$((events + 1201))"
code 0 mailbox source --domain corp.example ldap
said "a second time does nothing" '^0 switched, 1201 were so already$'
code 0 mailbox source --domain corp.example local
is "and back" "$(row "SELECT COUNT(*) FROM mailbox WHERE domain = 'corp.example' AND source = 'local' AND password IS NOT NULL")" 1201
code 78 mailbox source --domain old.example ldap
code 64 mailbox source --domain old.example
code 64 mailbox source a@old.example --domain old.example local
code 67 mailbox source --domain nowhere.example local

# ----------------------------------------------------------- config import --

# block FORMAT FILE: pasted into the settings in place of the directory.
paste() {
    code 0 config import "$@"
    cp "$LAB/out" "$LAB/block"
    awk -v block="$LAB/block" '
        /^directories = \(/ { while ((getline line < block) > 0) print line; skip = 1 }
        !skip { print }
        /^\);/ { skip = 0 }' "$LAB/provost.conf" >"$LAB/pasted.conf"
    chmod 640 "$LAB/pasted.conf"
    cp "$LAB/provost.conf" "$LAB/kept.conf"
    cp "$LAB/pasted.conf" "$LAB/provost.conf"
    code 0 config check
    lab_authd_stop
    lab_authd
}
cat >"$LAB/saslauthd.conf" <<CONF
# of a host that runs
ldap_servers: $(lab_slapd_uri main)/
LDAP_Bind_DN: $LAB_SERVICE_DN
ldap_password: $LAB_SERVICE_PASSWORD
ldap_search_base: $LAB_PEOPLE
ldap_filter: (&(objectClass=inetOrgPerson)(|(mail=%u)(uid=%U)))
ldap_scope: one
ldap_use_sasl: no
ldap_group_dn: cn=mail,dc=example,dc=org
CONF
paste saslauthd "$LAB/saslauthd.conf" --name old --secret-file "$LAB/secrets/old"
said "saslauthd: its settings are right" ok
like "an option is named with its line" "$(cat "$LAB/block")" '# line 7, ldap_scope: the whole subtree'
like "each of them" "$(cat "$LAB/block")" '# line 9, ldap_group_dn: '
is "the password is not shown" "$(grep -c "$LAB_SERVICE_PASSWORD" "$LAB/block")" 0
is "it is in its file, for root alone" "$(cat "$LAB/secrets/old") $(stat -c %a "$LAB/secrets/old")" "$LAB_SERVICE_PASSWORD 600"
is "a login by address works with it" "$(lab_auth bob@example.org bob-secret)" "OK bob@example.org"
is "and by uid" "$(lab_auth carol carol-secret)" "OK carol@example.org"
like "and a wrong password does not" "$(lab_auth bob@example.org wrong)" '^NO'
code 73 config import saslauthd "$LAB/saslauthd.conf" --secret-file "$LAB/secrets/old"
cp "$LAB/kept.conf" "$LAB/provost.conf"
lab_sql "DELETE FROM mailbox WHERE domain = 'example.org'; DELETE FROM alias WHERE domain = 'example.org';
    UPDATE domain SET mailboxes_used = 0, quota_allotted = 0 WHERE name = 'example.org'"
cat >"$LAB/dovecot-ldap.conf.ext" <<CONF
hosts = 127.0.0.1:$(lab_slapd_port main)
dn = $LAB_SERVICE_DN
dnpass = "$LAB_SERVICE_PASSWORD"
tls = yes
tls_ca_cert_file = $LAB/tls/ca.pem   # ours
auth_bind = yes
base = \\
  $LAB_PEOPLE
pass_attrs = mail=user,userPassword=password,\\
  homeDirectory=userdb_home
pass_filter = (&(objectClass=inetOrgPerson)(uid=%n))
user_filter = (uid=%n)
CONF
paste dovecot-ldap "$LAB/dovecot-ldap.conf.ext" --name old2 --secret-file "$LAB/secrets/old2"
said "Dovecot: its settings are right" ok
like "Dovecot: an option is named with its line" "$(cat "$LAB/block")" '# line 12, user_filter: Dovecot reads the mailboxes'
is "Dovecot: the password is not shown" "$(grep -c "$LAB_SERVICE_PASSWORD" "$LAB/block")" 0
is "Dovecot: a login works with it, by StartTLS" "$(lab_auth bob bob-secret)" "OK bob@example.org"
printf 'nonsense\n' >"$LAB/bad.conf"
code 65 config import saslauthd "$LAB/bad.conf"
said "a line that is none is named" 'line 1: '
code 66 config import dovecot-ldap "$LAB/missing.conf"
code 64 config import postfix "$LAB/bad.conf"
code 0 config import saslauthd "$LAB/saslauthd.conf"
said "without --secret-file it says where the password goes" 'bind_password_file = "/etc/provost/secrets/imported"'

lab_done
