#!/bin/sh
# provisioning.sh - what logins make of mailboxes, and what they never touch
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin provisioning

# 500 more people, who all come at once in the end.
lab_ldif >"$LAB/people.ldif"
number=1000
while [ "$number" -lt 1500 ]; do
    lab_person_ldif "$number" "p$number" "p$number@crowd.example" "Person" default >>"$LAB/people.ldif"
    number=$((number + 1))
done
LAB_SLAPD_LDIF=$LAB/people.ldif
lab_slapd
lab_mariadb
LAB_LDAP=ldapi
LAB_CONF_TEMPLATES=', { name = "imap"; imap_access = true; smtp_access = false; quota = "1G"; },
  { name = "closed"; active = "nologin"; quota = "1G"; }, { name = "endless"; quota = "0"; },
  { name = "large"; quota = "50G"; }'
LAB_CONF_DIRECTORY='entry_ttl = "0";'
LAB_CONF_AUTH='throttle_failures = 0;'
lab_config
# More rows for the mapping: values are the templates' names.
mapping() {
    sed -i 's/{ pattern = "cn=vip,\*"; template = "vip"; }/&,\n { attribute = "imap"; template = "imap"; },\n { attribute = "closed"; template = "closed"; }, { attribute = "endless"; template = "endless"; }, { attribute = "large"; template = "large"; }/' "$LAB/provost.conf"
}
mapping
lab_schema
lab_domain example.org --max-mailboxes 50 --quota 200G --max-quota 30G --max-aliases 5
lab_domain crowd.example --max-mailboxes 100
lab_authd

mailbox() { # ADDRESS COLUMNS
    lab_sql "SELECT $2 FROM mailbox WHERE address = '$1'"
}
last_event() { # ADDRESS
    lab_sql "SELECT kind, reason FROM event WHERE address = '$1' ORDER BY id DESC LIMIT 1"
}
log_line() { # USER: the last line about a user
    grep "user=$1" "$LAB/log/authd.log" | tail -n 1
}
everything() {
    lab_sql "SELECT * FROM mailbox; SELECT * FROM alias; SELECT * FROM domain; SELECT * FROM event WHERE kind NOT IN ('wrong', 'refused', 'temporary') ORDER BY id"
}
make_person() { # NUMBER UID TEMPLATE
    lab_person "$1" "$2" "$2@example.org" "Person $2" "$3"
}

# ------------------------------------------------- what changed is written --

is "a first login is let in" "$(lab_auth ada@example.org ada-secret)" "OK ada@example.org"
before=$(everything)
is "a second one too" "$(lab_auth ada@example.org ada-secret)" "OK ada@example.org"
is "which writes nothing" "$(everything)" "$before"
seen() {
    [ "$(lab_sql "SELECT COUNT(*) FROM last_login WHERE address = 'ada@example.org' AND service = 'smtp'")" = 1 ]
}
check "but the last login, behind, to a table of its own" wait_for 20 seen
lab_ldap_set ada displayName "Ada King"
lab_auth ada@example.org ada-secret >/dev/null
is "a new name is taken" "$(mailbox ada@example.org name)" "Ada King"
is "and nothing else" "$(lab_sql "SELECT after_json FROM event WHERE address = 'ada@example.org' AND kind = 'update' ORDER BY id DESC LIMIT 1")" '{"name": "Ada King"}'
lab_ldap_set ada mailAlternateAddress countess@example.org a.king@example.org
lab_auth ada@example.org ada-secret >/dev/null
is "aliases are taken" "$(lab_sql "SELECT address, targets, kind FROM alias WHERE owner = 'ada@example.org' AND kind = 'directory' ORDER BY address")" \
    "$(printf 'a.king@example.org\tada@example.org\tdirectory\ncountess@example.org\tada@example.org\tdirectory')"
lab_ldap_set ada mailAlternateAddress countess@example.org
lab_auth ada@example.org ada-secret >/dev/null
is "and taken away" "$(lab_sql "SELECT COUNT(*) FROM alias WHERE owner = 'ada@example.org' AND kind = 'directory'")" 1
is "the domain counts them" "$(lab_sql "SELECT aliases_used FROM domain WHERE name = 'example.org'")" 1
lab_ldap_set ada mailQuota 7G
lab_auth ada@example.org ada-secret >/dev/null
is "a quota from the directory is taken" "$(mailbox ada@example.org quota)" 7516192768
lab_ldap_set ada otherMailbox nothing "cn=vip,ou=groups"
lab_ldap_set ada mailQuota
lab_auth ada@example.org ada-secret >/dev/null
is "another template is taken, by a second value" "$(mailbox ada@example.org template,quota)" "$(printf 'vip\t21474836480')"
lab_ldap_set ada otherMailbox nothing
lab_auth ada@example.org ada-secret >/dev/null
is "where nothing maps any more, settings stay" "$(mailbox ada@example.org template,quota)" "$(printf 'vip\t21474836480')"

# -------------------------------------------- limits, at an update: no harm --

lab_ldap_set ada otherMailbox large
before=$(mailbox ada@example.org '*')
is "a template over max_quota lets the login in" "$(lab_auth ada@example.org ada-secret)" "OK ada@example.org"
is "and changes nothing" "$(mailbox ada@example.org '*')" "$before"
like "and leaves an event with the numbers" "$(last_event ada@example.org)" 'max_quota.*50G'
count=$(lab_sql "SELECT COUNT(*) FROM event")
lab_auth ada@example.org ada-secret >/dev/null
is "one, not one a login" "$(lab_sql "SELECT COUNT(*) FROM event")" "$count"

# ----------------------------------------------- limits, at a first login --

first() { # NUMBER UID TEMPLATE SENTENCE ANSWER REASON
    make_person "$1" "$2" "$3"
    is "$4" "$(lab_auth "$2@example.org" "$2-secret" | cut -d' ' -f1)" "$5"
    like "$4: the log says so" "$(log_line "$2@example.org")" "$6"
    is "$4: no mailbox" "$(mailbox "$2@example.org" address)" ""
}
first 201 big large "a quota over max_quota is temporary" TEMPORARY 'reason=max_quota text=.*50G.*30G'
first 202 endless endless "an unlimited template in a limited domain is temporary" TEMPORARY 'reason=unlimited'
first 203 nomap nothing "no template is temporary" TEMPORARY 'reason=no_template'
like "with an event" "$(last_event nomap@example.org)" '^refused	no_template: '
first 204 imap imap "a protocol that is not allowed is refused before anything is made" NO 'refused: .*reason=service_not_allowed'
is "and let in where it is allowed" "$(lab_auth imap@example.org imap-secret --service imap)" "OK imap@example.org"
first 205 closed closed "a template without logins is refused" NO 'reason=closed_by_template'
lab_sql "INSERT INTO alias (address, domain, local_part, targets, kind) VALUES ('taken@example.org', 'example.org', 'taken', 'ada@example.org', 'admin')"
first 206 taken default "an address that is an alias is temporary" TEMPORARY 'reason=address_taken text=.*ada@example.org'
lab_provostctl domain edit example.org --quota 25G
make_person 207 full default
is "a domain whose quota is used up is temporary" "$(lab_auth full@example.org full-secret)" TEMPORARY
like "with the numbers" "$(log_line full@example.org)" 'reason=domain_quota text=.*5G.*25G'
lab_provostctl domain edit example.org --quota 200G
lab_provostctl domain edit example.org --active no
is "an inactive domain is refused" "$(lab_auth full@example.org full-secret | cut -d' ' -f1)" NO
like "and said so" "$(log_line full@example.org)" 'refused: .*reason=domain_inactive'
lab_provostctl domain edit example.org --active yes
sed -i 's/throttle_failures = 0;/& on_provisioning_refused = "refuse";/' "$LAB/provost.conf"
lab_signal authd HUP
sleep 0.5
is "on_provisioning_refused = refuse makes a limit a refusal" "$(lab_auth nomap@example.org nomap-secret | cut -d' ' -f1)" NO
sed -i 's/ on_provisioning_refused = "refuse";//' "$LAB/provost.conf"
lab_signal authd HUP
sleep 0.5
sed -i 's/base_dn = /login_provisioning = false; &/' "$LAB/provost.conf"
lab_signal authd HUP
sleep 0.5
is "login_provisioning = false refuses who has no mailbox" "$(lab_auth full@example.org full-secret | cut -d' ' -f1)" NO
like "for that reason" "$(log_line full@example.org)" 'reason=provisioning_off'
is "and lets in who has one" "$(lab_auth ada@example.org ada-secret)" "OK ada@example.org"
sed -i 's/login_provisioning = false; //' "$LAB/provost.conf"
lab_signal authd HUP
sleep 0.5
is "with room it is let in" "$(lab_auth full@example.org full-secret)" "OK full@example.org"

# --------------------------------------------- what an administrator decides --

lab_ldap_set ada otherMailbox default
lab_sql "UPDATE mailbox SET admin_state = 'block_login' WHERE address = 'ada@example.org'"
is "a block holds" "$(lab_auth ada@example.org ada-secret | cut -d' ' -f1)" NO
is "a login does not undo it" "$(mailbox ada@example.org admin_state)" block_login
like "the log names it" "$(log_line ada@example.org)" 'refused: .*reason=blocked_by_administrator'
lab_sql "UPDATE mailbox SET admin_state = '-', pinned = 2, quota = 1073741824 WHERE address = 'ada@example.org';
    UPDATE domain SET quota_allotted = (SELECT SUM(quota) FROM mailbox WHERE domain = 'example.org') WHERE name = 'example.org'"
lab_ldap_set ada displayName "Ada Again"
lab_auth ada@example.org ada-secret >/dev/null
is "a pinned quota stays, the rest follows" "$(mailbox ada@example.org quota,name)" "$(printf '1073741824\tAda Again')"
lab_sql "INSERT INTO alias_domain (name, name_unicode, target) VALUES ('example.net', 'example.net', 'example.org')"
is "an alias domain is the domain" "$(lab_auth ada@example.net ada-secret)" "OK ada@example.org"

# ------------------------------------------------------------ whose password --

hash=$(openssl passwd -6 -salt abcdefgh local-secret)
lab_sql "UPDATE mailbox SET password = '{SHA512-CRYPT}$hash' WHERE address = 'ada@example.org'"
binds=$(lab_slapd_count 'BIND dn="uid=ada')
check "the source is switched to local" lab_provostctl mailbox source ada@example.org local
is "the local password is let in" "$(lab_auth ada@example.org local-secret)" "OK ada@example.org"
is "the directory's is wrong" "$(lab_auth ada@example.org ada-secret | cut -d' ' -f1)" NO
is "and the directory was not asked" "$(lab_slapd_count 'BIND dn="uid=ada')" "$binds"
lab_ldap_set ada displayName "Ada Local"
lab_auth ada@example.org local-secret >/dev/null
is "nor does it change a local mailbox" "$(mailbox ada@example.org name)" "Ada Again"
check "the source is switched back" lab_provostctl mailbox source ada@example.org ldap
is "the directory's password is let in" "$(lab_auth ada@example.org ada-secret)" "OK ada@example.org"
is "the local one is wrong" "$(lab_auth ada@example.org local-secret | cut -d' ' -f1)" NO
is "its hash was kept" "$(mailbox ada@example.org password)" "{SHA512-CRYPT}$hash"
check "switched to local again" lab_provostctl mailbox source ada@example.org local
is "it works again" "$(lab_auth ada@example.org local-secret)" "OK ada@example.org"
lab_sql "UPDATE mailbox SET password = '{SCRAM-SHA-256}x' WHERE address = 'ada@example.org'"
is "a scheme that cannot be verified is temporary" "$(lab_auth ada@example.org local-secret)" TEMPORARY
like "and an error in the log" "$(log_line ada@example.org)" 'error: temporary: .*reason=hash_unverifiable'

# ------------------------------------------------------- all at the same time --

audit() { # DOMAIN
    lab_sql "SELECT d.mailboxes_used, COUNT(m.address), d.quota_allotted = COALESCE(SUM(m.quota), 0)
        FROM domain d LEFT JOIN mailbox m ON m.domain = d.name WHERE d.name = '$1' GROUP BY d.name"
}
crowd() { # FROM TO: pairs of people
    number=$1
    while [ "$number" -lt "$2" ]; do
        printf 'p%s@crowd.example\tp%s-secret\n' "$number" "$number"
        number=$((number + 1))
    done
}
lab_provostctl domain edit crowd.example --max-mailboxes 1
is "64 first logins of one person with one place left are 64 successes" \
    "$(lab_auth p1000@crowd.example p1000-secret --times 64 --parallel 64 --count)" "OK 64"
is "and one mailbox" "$(audit crowd.example)" "$(printf '1\t1\t1')"
lab_provostctl domain edit crowd.example --max-mailboxes 101
crowd 1000 1500 | sed 1d >"$LAB/pairs"
crowd 1499 1500 >>"$LAB/pairs"
"$LAB_PYTHON" "$lab_tree/tests/lib/saslauthd.py" --socket "$LAB/run/authd" --pairs "$LAB/pairs" \
    --parallel 64 --count --timeout 60 >"$LAB/out"
is "500 first logins of different people into 100 places: 100 get in" "$(sed -n 's/^OK //p' "$LAB/out")" 100
is "400 are told to come again" "$(sed -n 's/^TEMPORARY //p' "$LAB/out")" 400
is "and the books say 101 with the first" "$(audit crowd.example)" "$(printf '101\t101\t1')"
is "the limit is named each time" "$(grep -c 'temporary: .*crowd.example.* reason=max_mailboxes' "$LAB/log/authd.log")" 400
lab_done
