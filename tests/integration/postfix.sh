#!/bin/sh
# postfix.sh - people log in to a chrooted submission smtpd, through both doors
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin postfix

# A second directory serves partner.example: corp may not make mailboxes there.
lab_slapd
lab_mariadb
lab_secret partner "$LAB_SERVICE_PASSWORD"
LAB_CONF_DIRECTORY='domains = [ "example.org", "exämple.org" ];'
LAB_CONF_DIRECTORIES=", { name = \"partner\"; host = \"$(lab_slapd_path)\";
    base_dn = \"ou=partner,$LAB_SUFFIX\"; bind_dn = \"$LAB_SERVICE_DN\";
    bind_password_file = \"$LAB/secrets/partner\"; default_template = \"default\";
    domains = [ \"partner.example\" ]; }"
lab_config
lab_schema
lab_domain example.org --max-mailboxes 100 --quota 1000G
lab_domain exämple.org
lab_domain partner.example
lab_authd
lab_postfix

rows() {
    lab_sql "SELECT address, source, directory, template, quota, mail_path FROM mailbox ORDER BY address"
}
# But for the history of who was not let in, which is written behind.
everything() {
    lab_sql "SELECT * FROM mailbox; SELECT * FROM alias; SELECT * FROM domain;
        SELECT * FROM event WHERE kind NOT IN ('wrong', 'refused', 'temporary') ORDER BY id"
}

# ------------------------------------------------------------- the jail, TLS --

like "no AUTH is offered before TLS" \
    "$(lab_smtp plugin x x --features --no-tls | grep -c AUTH)" '^0$'
is "AUTH before TLS is refused" \
    "$(lab_smtp_code plugin ada@example.org ada-secret --no-tls)" 530
is "and nothing was asked of the directory" "$(lab_slapd_count 'BIND dn="uid=')" 0
is "with TLS, PLAIN and LOGIN are offered once each by the plugin" \
    "$(lab_smtp plugin x x --features | grep AUTH)" "AUTH PLAIN LOGIN"
is "and by the stock modules" \
    "$(lab_smtp stock x x --features | grep AUTH)" "AUTH PLAIN LOGIN"
for pid in $(pgrep -P "$(lab_pid postfix)" -x smtpd); do
    is "smtpd lives in its jail" "$(readlink "/proc/$pid/root")" "$LAB/spool"
done

# ---------------------------------------------------------- wrong passwords --

for door in plugin stock; do
    for mech in PLAIN PLAIN-2 LOGIN; do
        is "$door, $mech: a wrong password is 535" \
            "$(lab_smtp_code $door bob@example.org "wrong-$door-$mech" --mech $mech)" 535
        before=$(lab_slapd_count 'BIND dn="uid=')
        is "$door, $mech: an empty password is 535" \
            "$(lab_smtp_code $door bob@example.org '' --mech $mech)" 535
        is "$door, $mech: and the directory, which would say yes, is not asked" \
            "$(lab_slapd_count 'BIND dn="uid=')" "$before"
    done
    is "$door: an unknown person is 535" \
        "$(lab_smtp_code $door nobody@example.org x)" 535
    is "$door: an unknown domain is 535" \
        "$(lab_smtp_code $door ada@elsewhere.example ada-secret)" 535
done
is "the slapd of this test does accept unauthenticated binds" \
    "$(ldapwhoami -x -H "$(lab_slapd_uri)" -D "uid=bob,$LAB_PEOPLE" -w '' 2>&1)" anonymous
is "nobody got a mailbox by that" "$(rows)" ""

# -------------------------------------------------------------- first login --

is "a first login is 235" "$(lab_smtp plugin ada@example.org ada-secret)" \
    "235 2.7.0 Authentication successful"
is "and the mailbox is there, made from its template" "$(rows)" \
    "$(printf 'ada@example.org\tldap\tcorp\tdefault\t5368709120\texample.org/ada/')"
is "with the directory's id" "$(lab_sql "SELECT directory_id FROM mailbox")" \
    00000000-0000-4000-8000-000000000001
is "with its counters" "$(lab_sql "SELECT mailboxes_used, quota_allotted FROM domain WHERE name = 'example.org'")" \
    "$(printf '1\t5368709120')"
is "with one event" "$(lab_sql "SELECT kind, address FROM event WHERE kind = 'create'")" \
    "$(printf 'create\tada@example.org')"
before=$(everything)
is "a second login is 235" "$(lab_smtp_code plugin ada@example.org ada-secret --mech LOGIN)" 235
is "through the other door too" "$(lab_smtp_code stock ada@example.org ada-secret)" 235
is "and they changed nothing" "$(everything)" "$before"
is "a first login through the stock modules makes a mailbox" \
    "$(lab_smtp_code stock dan@example.org dan-secret --mech LOGIN)" 235
like "and the log has the whole name that was typed" "$(cat "$LAB/log/authd.log")" "login ok: .*user=dan@example.org .*made=create"
like "of the same kind" "$(rows)" "^dan@example.org	ldap	corp	default	5368709120	example.org/dan/"
is "a mapping by pattern gives another template" \
    "$(lab_smtp_code plugin grace@example.org grace-secret)" 235
like "with its quota" "$(rows)" '^grace@example.org	ldap	corp	vip	21474836480	'
is "no mapping and no default template is temporary" \
    "$(lab_smtp_code plugin frank@example.org frank-secret)" 454
like "and authd says why" "$(cat "$LAB/log/authd.log")" 'user=frank@example.org .*reason=no_template'
unlike "and there is no mailbox" "$(rows)" frank

# ------------------------------------------------------------ mail goes out --

is "her mail is accepted" \
    "$(lab_smtp plugin ada@example.org ada-secret --send ada@example.org dan@example.org --text 'good morning' | tail -1 | cut -c1-3)" 250
delivered() {
    grep -rqs 'good morning' "$LAB/mail/example.org/dan/new"
}
check "and delivered to the mailbox that a login made" wait_for 15 delivered
is "she may not send as somebody else" \
    "$(lab_smtp plugin ada@example.org ada-secret --send dan@example.org ada@example.org | tail -1 | cut -c1-3)" 553
is "mail for nobody is refused" \
    "$(lab_smtp plugin ada@example.org ada-secret --send ada@example.org nobody@example.org | tail -1 | cut -c1-3)" 550

# ------------------------------------------------------------- names, typed --

is "the plugin lets people in by uid" "$(lab_smtp_code plugin carol carol-secret)" 235
like "and the mailbox has the lower-case address" "$(rows)" '^carol@example.org	'
is "a door that keeps the typed name does not" "$(lab_smtp_code stock carol carol-secret)" 535
is "mixed case is the same person" "$(lab_smtp_code plugin CaRoL@ExAmPlE.oRg carol-secret)" 235
is "for the stock modules, too" "$(lab_smtp_code stock CAROL@example.org carol-secret)" 235
is "blanks around the name do not matter or are refused, never deferred" \
    "$(lab_smtp_code plugin ' carol@example.org ' carol-secret | sed 's/235/535/')" 535
is "nobody got a second mailbox" "$(lab_sql "SELECT COUNT(*) FROM mailbox WHERE address LIKE '%carol%'")" 1
is "smtpd is told the canonical address" \
    "$(lab_smtp plugin carol carol-secret --send carol@example.org ada@example.org | tail -1 | cut -c1-3)" 250
is "two mail values: by the first" "$(lab_smtp_code plugin eve@example.org eve-secret)" 235
is "two mail values: by the second" "$(lab_smtp_code plugin e.ve@example.org eve-secret)" 235
is "are one mailbox, the bytewise first" "$(lab_sql "SELECT address FROM mailbox WHERE address LIKE 'e%ve@%'")" e.ve@example.org
is "a domain written with an umlaut" "$(lab_smtp_code plugin 'heidi@exämple.org' heidi-secret)" 235
is "in capitals" "$(lab_smtp_code plugin 'HEIDI@EXÄMPLE.ORG' heidi-secret)" 235
is "and as an A-label are one mailbox" "$(lab_smtp_code plugin heidi@xn--exmple-cua.org heidi-secret)$(lab_sql "SELECT address FROM mailbox WHERE address LIKE 'heidi@%'")" \
    235heidi@xn--exmple-cua.org

# ------------------------------------------------------ names, made to harm --

before=$(everything)
binds=$(lab_slapd_count 'BIND dn="uid=')
harm() {
    for door in plugin stock; do
        is "$door: $1 is refused" \
            "$(lab_smtp_code $door "$2" "${3:-ada-secret}" --escapes)" 535
    done
}
harm "an asterisk" '*'
harm "an asterisk in a name" 'a*@example.org'
harm "a filter" 'ada)(uid=*'
harm "a filter with a domain" '*)(uid=*@example.org'
harm "a filter's end" ')(uid=*'
harm "a backslash" 'ada\\\\2a@example.org'
harm "a quote" "ada'@example.org"
harm "a double quote" 'ada"@example.org'
harm "SQL" "' OR '1'='1"
harm "SQL with a domain" "x' UNION SELECT 1 -- @example.org"
harm "a name of UTF-8" 'zo\xc3\xab@example.org'
harm "what is not UTF-8" 'zo\xff\xfe@example.org'
harm "a NUL in the name" 'ada@example.org\x00x'
harm "a NUL in the password" 'ada@example.org' 'ada-secret\x00x'
harm "a newline" 'ada@example.org\nx'
harm "a control byte" 'ada\x1b[2J@example.org'
harm "an at sign alone" '@'
harm "no local part" '@example.org'
harm "no domain" 'ada@'
harm "two at signs" 'ada@example.org@example.org'
harm "a DN" "uid=ada,$LAB_PEOPLE"
is "plugin: an empty name is refused" "$(lab_smtp_code plugin '' ada-secret)" 535
unlike "stock: an empty name, which libsasl2 answers by itself, is not let in" \
    "$(lab_smtp_code stock '' ada-secret)" 235
for door in plugin stock; do
    for length in 1000 1025 9000 65536; do
        like "$door: a name of $length bytes is refused" \
            "$(lab_smtp_code $door u x --user-length $length --mech LOGIN)" '^5[0-9][0-9]$'
        like "$door: a password of $length bytes is refused" \
            "$(lab_smtp_code $door ada@example.org p --password-length $length --mech LOGIN)" '^5[0-9][0-9]$'
    done
done
is "somebody else's authzid is refused" \
    "$(lab_smtp_code plugin ada@example.org ada-secret --authzid dan@example.org)" 535
is "one's own is not" \
    "$(lab_smtp_code plugin ada@example.org ada-secret --authzid ada@example.org)" 235
is "none of that wrote anything" "$(everything)" "$before"
unlike "nobody's log has control bytes" "$(cat -v "$LAB/log/authd.log")" '\^\['
like "and nobody but ada was bound" "$(lab_slapd_count 'BIND dn="uid=[^a]')" "^$(lab_slapd_count 'BIND dn="uid=(bob|dan|carol|eve|grace|heidi|frank)')\$"
check "and few binds were made ($binds before)" [ "$(lab_slapd_count 'BIND dn="uid=')" -le $((binds + 12)) ]

# ------------------------------------------------------------ whose mailbox --

is "an address in a domain that another directory serves is refused" \
    "$(lab_smtp_code plugin mallory mallory-secret)" 535
is "by the address, too" "$(lab_smtp_code plugin victim@partner.example mallory-secret)" 535
unlike "and makes no mailbox" "$(rows)" partner.example
is "two entries with one address are refused" "$(lab_smtp_code plugin twin@example.org twin1-secret)" 535
like "and both are named" "$(cat "$LAB/log/authd.log")" 'uid=twin1.*uid=twin2|uid=twin2.*uid=twin1'
is "no mail attribute is refused" "$(lab_smtp_code plugin nomail nomail-secret)" 535

ldapdelete -x -H "$(lab_slapd_uri)" -D "$LAB_ADMIN_DN" -w "$LAB_ADMIN_PASSWORD" "uid=dan,$LAB_PEOPLE"
lab_person 99 danny dan@example.org "Danny Kaye" default
before=$(rows)
forget() { # what authd remembers of entries lives for entry_ttl
    lab_authd_stop
    lab_authd
}
forget
is "a new person with an old address does not get the old mailbox" \
    "$(lab_smtp_code plugin dan@example.org danny-secret)" 535
like "the log says that it is another's" "$(cat "$LAB/log/authd.log")" 'dan@example.org .*reason=other_id'
is "and the mailbox is as it was" "$(rows)" "$before"

# ---------------------------------------------------------- a stale password --

binds=$(lab_slapd_count 'BIND dn="uid=bob')
is "50 attempts with one stale password are 50 refusals" \
    "$(lab_smtp plugin bob@example.org stale --sessions 50 --parallel 5 --count)" "535 50"
is "and one bind" "$(lab_slapd_count 'BIND dn="uid=bob')" $((binds + 1))
is "the right password is still let in" "$(lab_smtp_code plugin bob@example.org bob-secret)" 235

# -------------------------------------------------------------- limits, 454 --

lab_provostctl domain edit example.org --max-mailboxes 6 >/dev/null 2>&1
lab_person 100 late late@example.org "Late" default
full=$(lab_sql "SELECT max_mailboxes, mailboxes_used FROM domain WHERE name = 'example.org'")
lab_provostctl domain edit example.org --max-mailboxes "$(echo "$full" | cut -f2)" >/dev/null
is "a full domain is 454" "$(lab_smtp_code plugin late@example.org late-secret)" 454
like "and the log has the limit and its numbers" "$(cat "$LAB/log/authd.log")" \
    'temporary: .*late@example.org.*max_mailboxes|temporary: .*late@example.org.*mailboxes'
unlike "no mailbox" "$(rows)" late@
is "who has a mailbox is let in" "$(lab_smtp_code plugin ada@example.org ada-secret)" 235
lab_provostctl domain edit example.org --max-mailboxes 100 >/dev/null
is "with more room it is 235" "$(lab_smtp_code plugin late@example.org late-secret)" 235
is "the counters are exact" "$(lab_sql "SELECT d.mailboxes_used = COUNT(m.address), d.quota_allotted = SUM(m.quota) FROM domain d JOIN mailbox m ON m.domain = d.name WHERE d.name = 'example.org'")" \
    "$(printf '1\t1')"

# ---------------------------------------------------------- never a password --

check "no log holds a password" sh -c "! grep -rE '(ada|bob|carol|dan|eve|grace|heidi|late)-secret' '$LAB/log'"
lab_done
