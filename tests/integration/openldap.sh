#!/bin/sh
# openldap.sh - OpenLDAP with its overlays, with conf/directories' page
# SPDX-License-Identifier: BSD-2-Clause
#
# In a box (see box.sh): the page, pasted as it is, names ldap1.example.org and
# its port 389. Password policies with and without ppolicy_use_lockout, syncprov
# or not, memberof, size limits; StartTLS, LDAPS and the local socket.
set -u
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${BOX:-}" ]; then
    PROVOST_TREE=${PROVOST_TREE:-$(cd "$here/../.." && pwd)}
    export PROVOST_TREE
    exec sh "$here/../lib/box.sh" "$here/${0##*/}" "$@"
fi
# shellcheck source=tests/lib/lab.sh
. "$here/../lib/lab.sh"
lab_begin openldap
echo '127.0.0.1 localhost mail.example.org ldap1.example.org
127.0.0.7 ldap2.example.org' >/etc/hosts

# policy NAME LINE...: a password policy; person lines come behind lab_ldif.
policy() {
    printf 'dn: cn=%s,ou=policies,%s\nobjectClass: device\nobjectClass: pwdPolicy\ncn: %s\npwdAttribute: userPassword\n' \
        "$1" "$LAB_SUFFIX" "$1"
    shift
    printf '%s\n' "$@" ''
}
# person NUMBER UID [LINE...]
person() {
    person_number=$1 person_uid=$2
    shift 2
    lab_person_ldif "$person_number" "$person_uid" "$person_uid@example.org" "$person_uid of Example" | sed '/^$/d'
    printf '%s\n' "$@" ''
}
# under NAME: the line that puts a person under a policy.
under() {
    echo "pwdPolicySubentry: cn=$1,ou=policies,$LAB_SUFFIX"
}
long_ago='pwdChangedTime: 20200101000000Z'
{
    lab_ldif
    printf 'dn: ou=policies,%s\nobjectClass: organizationalUnit\nou: policies\n\n' "$LAB_SUFFIX"
    printf 'dn: ou=groups,%s\nobjectClass: organizationalUnit\nou: groups\n\n' "$LAB_SUFFIX"
    policy default 'pwdLockout: TRUE' 'pwdMaxFailure: 3' 'pwdMustChange: TRUE'
    policy expires 'pwdMaxAge: 86400'
    policy grace 'pwdMaxAge: 86400' 'pwdGraceAuthNLimit: 2'
    policy warns 'pwdMaxAge: 999999999' 'pwdExpireWarning: 999999998'
    person 101 lena
    person 102 mona 'pwdAccountLockedTime: 000001010000Z'
    person 103 nils "$(under expires)" "$long_ago"
    person 104 olga "$(under default)" 'pwdReset: TRUE'
    person 105 paul "$(under grace)" "$long_ago"
    person 106 rita "$(under warns)" "$long_ago"
    person 107 sven
} >"$LAB/people.ldif"

# slapd NAME LINES: one of them; the main one stands on port 389.
slapd_with() {
    LAB_SLAPD_LDIF=$LAB/people.ldif
    LAB_SLAPD_CONF="moduleload ppolicy
moduleload memberof
overlay ppolicy
ppolicy_default cn=default,ou=policies,$LAB_SUFFIX
overlay memberof
$2"
    lab_slapd_make "$1"
    [ "$1" != main ] || echo 389 >"$LAB/slapd-main/port"
    lab_slapd_start "$1"
}
slapd_with main ppolicy_use_lockout
# Another without it, with syncprov, and with limits for everybody.
slapd_with other 'moduleload syncprov
overlay syncprov
limits dn.exact="'"$LAB_SERVICE_DN"'" size=5'
sed -i '/size=unlimited/d' "$LAB/slapd-other/slapd.conf"
lab_slapd_stop other
lab_slapd_start other
printf 'dn: cn=vip,ou=groups,%s\nobjectClass: groupOfNames\ncn: vip\nmember: uid=ada,%s\n\n' \
    "$LAB_SUFFIX" "$LAB_PEOPLE" | lab_ldap_add main || lab_die "a group can be made"

lab_mariadb
lab_config
# The page instead of the lab's own directory.
sed -i '/^directories = (/,/^);/d' "$LAB/provost.conf"
mkdir -p "$LAB/conf.d" /etc/provost/secrets
cp "$lab_tree/conf/directories/openldap.conf" "$LAB/conf.d/"
cp "$LAB/tls/ca.pem" /etc/provost/ca.pem
(umask 077 && echo "$LAB_SERVICE_PASSWORD" >/etc/provost/secrets/corp)
lab_schema
lab_domain example.org
lab_authd

ctl() {
    lab_provostctl "$@" 2>&1
}
# changed SED ARGUMENT...: provostctl with the page changed so.
mkdir -p "$LAB/changed/conf.d"
changed() {
    changed_how=$1
    shift
    cp "$LAB/provost.conf" "$LAB/changed/"
    sed "$changed_how" "$lab_tree/conf/directories/openldap.conf" >"$LAB/changed/conf.d/page.conf"
    "$PROVOST_BUILD/tools/provostctl" -c "$LAB/changed/provost.conf" "$@" 2>&1
}
# The last line of the log about somebody's attempts.
last_of() {
    grep "user=$1 " "$LAB/log/authd.log" | tail -n 1
}
# says SENTENCE UID PATTERN: the log's last word about somebody.
says() {
    like "$1" "$(last_of "$2@example.org")" "$3"
}

# ------------------------------------------------------ the page, and memberof --

is "a first login makes the mailbox" "$(lab_auth bob@example.org bob-secret)" "OK bob@example.org"
is "also by uid" "$(lab_auth carol carol-secret)" "OK carol@example.org"
is "who is in a group gets its template" \
    "$(lab_auth ada@example.org ada-secret; lab_sql "SELECT address, template FROM mailbox ORDER BY 1")" \
    "$(printf 'OK ada@example.org\nada@example.org\tvip\nbob@example.org\tdefault\ncarol@example.org\tdefault')"
printf 'dn: cn=vip,ou=groups,%s\nchangetype: modify\nadd: member\nmember: uid=bob,%s\n-\ndelete: member\nmember: uid=ada,%s\n' \
    "$LAB_SUFFIX" "$LAB_PEOPLE" "$LAB_PEOPLE" | lab_ldap_modify
ctl cache flush --all >/dev/null
is "the next login follows the group" \
    "$(lab_auth ada@example.org ada-secret; lab_auth bob@example.org bob-secret
        lab_sql "SELECT address, template FROM mailbox WHERE address < 'c' ORDER BY 1")" \
    "$(printf 'OK ada@example.org\nOK bob@example.org\nada@example.org\tdefault\nbob@example.org\tvip')"
ctl directory test corp >"$LAB/out"
is "everybody can be read" "$?" 0
like "and is found" "$(cat "$LAB/out")" '^ok +people +18 match'
like "whose locks count" "$(cat "$LAB/out")" '^ok +disabled_filter +1 are disabled'
like "the server is one without syncprov" "$(cat "$LAB/out")" '^ok +paging +paged results yes, syncrepl no'

# ------------------------------------------------------------ how it is reached --

# by SENTENCE SED [PATTERN]: the right password is right, a wrong one is wrong.
by() {
    printf 'ada-secret\n' | changed "$2" why ada@example.org --password-stdin >"$LAB/out"
    is "$1" "$?" 0
    printf 'wrong\n' | changed "$2" why ada@example.org --password-stdin >"$LAB/out"
    like "and a wrong password is wrong there, too" "$(cat "$LAB/out")" '^error +verdict +535 .*wrong_password'
}
ssl=$(lab_slapd_ssl_port main)
tls_before=$(lab_slapd_count 'TLS established')
by "by StartTLS, as the page has it" ''
by "by LDAPS" "s/use_tls = true;/use_ssl = true; port = $ssl;/"
check "each of these was TLS" test $(($(lab_slapd_count 'TLS established') - tls_before)) -ge 4
tls_before=$(lab_slapd_count 'TLS established')
socket="s,host = .*,host = \"ldapi://$(lab_slapd_path main)\";,; s/use_tls = true;//; /ca_file/d"
by "by the local socket" "$socket"
is "which needs no TLS" "$(($(lab_slapd_count 'TLS established') - tls_before))" 0
like "in cleartext it is refused, unless it is allowed" \
    "$(changed 's/use_tls = true;/use_tls = false;/' config check)" 'allow_cleartext'
sed -i 's/^database mdb/security simple_bind=128\nlocalSSF 128\n&/' "$LAB/slapd-main/slapd.conf"
lab_slapd_stop
lab_slapd_start
cleartext='s/use_tls = true;/use_tls = false; allow_cleartext = true;/'
like "a server that wants TLS says so" "$(changed "$cleartext" why ada@example.org)" \
    '^error +service bind .*Confidentiality required'
like "which is temporary, and no wrong password" "$(changed "$cleartext" why ada@example.org)" '^error +verdict +454 '
printf 'ada-secret\n' | changed '' why ada@example.org --password-stdin >"$LAB/out"
is "with StartTLS it lets in" "$?" 0

# ---------------------------------------------------------- password policies --

for guess in 1 2 3; do lab_auth lena@example.org "guess-$guess" >/dev/null; done
like "after three wrong passwords the right one is refused" "$(lab_auth lena@example.org lena-secret)" '^NO '
says "because the account is locked" lena 'reason=account_locked .*Account locked'
printf 'lena-secret\n' | ctl why lena@example.org --password-stdin >"$LAB/out"
like "why names it, and what to do" "$(cat "$LAB/out")" '^error +account +the directory says: the account is locked'
printf 'dn: uid=lena,%s\nchangetype: modify\ndelete: pwdAccountLockedTime\n' "$LAB_PEOPLE" | lab_ldap_modify
is "unlocked, it is let in" "$(lab_auth lena@example.org lena-secret)" "OK lena@example.org"
like "locked by an administrator, it is refused" "$(lab_auth mona@example.org mona-secret)" '^NO '
says "by the same name" mona 'reason=account_locked '
like "an expired password is refused" "$(lab_auth nils@example.org nils-secret)" '^NO '
says "because it has expired" nils 'reason=password_expired .*Password expired'
like "one that has to be changed is refused, though the bind succeeds" "$(lab_auth olga@example.org olga-secret)" '^NO '
says "because it has to be changed" olga 'reason=must_change_password .*Password must be changed'
like "a wrong one in its place is a wrong one" "$(lab_auth olga@example.org wrong)" '^NO '
says "by name" olga 'reason=wrong_password '
is "a grace login is let in" "$(lab_auth paul@example.org paul-secret)" "OK paul@example.org"
says "and the log says how many are left" paul 'login ok: .*grace logins left: 1"'
is "the last one is, too" "$(lab_auth paul@example.org paul-secret)" "OK paul@example.org"
says "and then none is left" paul 'grace logins left: 0"'
like "then it is over" "$(lab_auth paul@example.org paul-secret)" '^NO '
says "because it has expired" paul 'reason=password_expired '
is "a password that expires some day is let in" "$(lab_auth rita@example.org rita-secret)" "OK rita@example.org"
says "and the log says when" rita 'login ok: .*the password expires in [0-9]+ s"'
told() { [ "$(lab_sql "SELECT COUNT(DISTINCT address, reason) FROM event WHERE kind = 'refused'")" -ge 5 ]; }
wait_for 30 told
is "each refusal left an event with its reason" \
    "$(lab_sql "SELECT DISTINCT address, reason FROM event WHERE kind = 'refused' ORDER BY 1")" \
    "$(printf '%s\t%s\n' lena@example.org account_locked mona@example.org account_locked \
        nils@example.org password_expired olga@example.org must_change_password paul@example.org password_expired)"

# ------------------------------- without ppolicy_use_lockout, with size limits --

other="s,host = .*,host = \"127.0.0.1\"; port = $(lab_slapd_port other);,"
# On the other server, as `why` sees it.
on_other() {
    on_other_who=$1
    printf '%s\n' "$2" | changed "$other" why "$on_other_who@example.org" --password-stdin
}
for guess in 1 2 3; do on_other sven "guess-$guess" >/dev/null; done
like "a server that hides the lock calls the right password wrong" "$(on_other sven sven-secret)" \
    '^error +verdict +535 .*wrong_password'
like "that an administrator has locked somebody is seen all the same" "$(on_other mona mona-secret)" \
    '^error +account +disabled_filter .* matches'
like "expired passwords are told without it" "$(on_other nils nils-secret)" '^error +verdict +535 .*password_expired'
is "a person is found whatever the size limit" "$(on_other ada ada-secret >/dev/null; echo $?)" 0
changed "$other" directory test corp >"$LAB/out"
is "everybody cannot be read" "$?" 69
like "which is no small directory, but a limit, with the cure" "$(cat "$LAB/out")" \
    '^error +size limit +not everybody could be read: .* gives cn=mail,.* no more entries'
like "with syncprov the server says so" "$(cat "$LAB/out")" 'syncrepl yes'

# ------------------------------------------------------------------ provost-sync --

# synced SED: a run on a server with the page changed so; its exit status.
synced() {
    cp "$LAB/provost.conf" "$LAB/changed/"
    sed "$1; s/name = \"corp\";/& import_users = true; periodic_full_sync = true;/" \
        "$lab_tree/conf/directories/openldap.conf" >"$LAB/changed/conf.d/page.conf"
    "$PROVOST_BUILD/tools/provost-sync" -c "$LAB/changed/provost.conf" --directory corp >"$LAB/out" 2>&1
    echo $?
}
states() {
    lab_sql "SELECT directory_state, COUNT(*) FROM mailbox GROUP BY 1"
}
is "without syncprov a run makes the mailboxes there are none of" "$(synced '')" 1
like "all people are seen, and those refused who have no good address" "$(cat "$LAB/out")" '^corp: 18 seen, .* refused'
before=$(states)
is "under a size limit a run says that it has not seen all" "$(synced "$other")" 3
is "and nobody is missing for that" "$(states)" "$before"
sed -i 's/^limits .* size=5$/limits dn.exact="'"$LAB_SERVICE_DN"'" size=unlimited/' "$LAB/slapd-other/slapd.conf"
lab_slapd_stop other
lab_slapd_start other
is "with syncprov a run comes to the same" "$(synced "$other")" 1
is "for all" "$(states)" "$before"
like "and sees all" "$(cat "$LAB/out")" '^corp: 18 seen, 0 created, '
lab_done
