#!/bin/sh
# active_directory.sh - a real domain controller, with conf/directories' page
# SPDX-License-Identifier: BSD-2-Clause
#
# Samba's, in a box (see box.sh), because its ports are 389 and 636. The page is
# pasted as it is. An OpenLDAP for another domain stands beside it.
set -u
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${BOX:-}" ]; then
    PROVOST_TREE=${PROVOST_TREE:-$(cd "$here/../.." && pwd)}
    export PROVOST_TREE
    exec sh "$here/../lib/box.sh" "$here/${0##*/}" "$@"
fi
# shellcheck source=tests/lib/lab.sh
. "$here/../lib/lab.sh"
# shellcheck source=tests/lib/samba.sh
. "$here/../lib/samba.sh"
slow=${PROVOST_SLOW:-1}
lab_begin active_directory
# The first domain controller of the page is down: nothing listens on it.
echo '127.0.0.1 localhost mail.example.org dc2.ad.example
127.0.0.7 dc1.ad.example' >/etc/hosts

samba_make &
making=$!
samba_certificate
lab_slapd
lab_mariadb
LAB_CONF_DIRECTORY='domains = [ "example.org" ];'
LAB_CONF_AUTH='cache_ttl = "2s"; throttle_failures = 0; throttle_failures_per_client = 0;'
lab_config
mkdir -p "$LAB/conf.d" /etc/provost/secrets
cp "$lab_tree/conf/directories/active-directory.conf" "$LAB/conf.d/"
cp "$LAB/tls/ca.pem" /etc/provost/ad-ca.pem
(umask 077 && echo Secret-provost-1 >/etc/provost/secrets/ad)
lab_schema
lab_domain example.org
lab_domain ad.example
wait "$making" || lab_die "a domain can be made ($(tail -n 1 "$LAB/log/samba-tool.log"))"
samba_start

{
    for unit in Staff Groups; do
        printf 'dn: OU=%s,%s\nobjectClass: organizationalUnit\n\n' "$unit" "$AD_SUFFIX"
    done
    samba_user provost
    samba_user anna 'proxyAddresses: SMTP:anna@ad.example' 'proxyAddresses: smtp:A.Nna@ad.example' \
        'proxyAddresses: X500:/o=Ex/cn=anna' 'proxyAddresses: smtp:anna@elsewhere.example' \
        'proxyAddresses: smtp:an@ad.example'
    samba_user ben | sed 's/^\(userPrincipalName: ben@\).*/\1corp.local/'
    samba_user cora 'userAccountControl: 514'
    samba_user dirk 'accountExpires: 132000000000000000'
    samba_user edda 'pwdLastSet: 0'
    samba_user finn "logonHours:: AAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    samba_user gesa 'userWorkstations: ELSEWHERE'
    samba_user hans
    samba_user inga
    samba_user jens
    samba_user kaja 'mail: kaja@elsewhere.example'
    samba_user lutz
    # A name with a comma and an umlaut.
    mia=$(printf 'CN=Öz\\, Mia,OU=Staff,%s' "$AD_SUFFIX" | base64 -w 0)
    printf 'dn:: %s\nobjectClass: user\nsAMAccountName: mia\nmail: mia@ad.example\nuserAccountControl: 512\nunicodePwd:: %s\n\n' \
        "$mia" "$(samba_password Secret-mia-1)"
    # anna is in "Mail VIP" by way of two others, which are in a ring.
    samba_group 'Inner' 'CN=anna,OU=Staff'
    samba_group 'Middle' 'CN=Inner,OU=Groups'
    samba_group 'Mail VIP' 'CN=Middle,OU=Groups'
    set -- 'CN=Mail VIP,OU=Groups'
    for name in ben cora dirk edda finn gesa hans inga jens kaja lutz; do
        set -- "$@" "CN=$name,OU=Staff"
    done
    samba_group 'Mail Staff' "$@" | sed '/^$/d'
    printf 'member:: %s\n\n' "$mia"
    printf 'dn: CN=Inner,OU=Groups,%s\nchangetype: modify\nadd: member\nmember: CN=Mail VIP,OU=Groups,%s\n\n' \
        "$AD_SUFFIX" "$AD_SUFFIX"
} >"$LAB/people.ldif"
samba_ldif <"$LAB/people.ldif" || lab_die "the people can be made ($(tail -n 2 "$LAB/log/samba-ldif.log"))"
samba_raw hans pwdLastSet 130000000000000000
lab_authd

ctl() {
    lab_provostctl "$@" 2>&1
}
# in_as SENTENCE NAME: anna's password lets NAME in, as anna.
in_as() {
    is "$1" "$(lab_auth "$2" Secret-anna-1)" "OK anna@ad.example"
}
# The last line of the log about somebody's attempts.
last_of() {
    grep "user=$1 \|user=\"$1\" " "$LAB/log/authd.log" | tail -n 1
}

# ----------------------------------------------------------- who, and as whom --

in_as "a first login by mail makes the mailbox" anna@ad.example
in_as "by sAMAccountName it is the same one" anna
in_as "with the domain before it, too" 'AD\anna'
in_as "whatever the case" 'ad\Anna'
like "a name of another Windows domain is unknown" "$(lab_auth 'OTHER\anna' Secret-anna-1)" '^NO '
like "and is told so" "$(grep -F 'OTHER' "$LAB/log/authd.log")" 'unknown_user'
ctl why 'AD\anna' >"$LAB/out"
is "why walks such a name to its end" "$?" 0
like "past the directory that has none of the kind" "$(cat "$LAB/out")" \
    '^- +search +directory corp has no names of this Windows domain'
like "a wrong password is wrong" "$(lab_auth 'AD\anna' wrong)" '^NO '
guid=$(samba_search '(sAMAccountName=anna)' objectGUID | sed -n 's/^objectGUID:: //p' |
    "$LAB_PYTHON" -c 'import base64, sys, uuid
print(uuid.UUID(bytes_le=base64.b64decode(sys.stdin.read())))')
is "the mailbox has the objectGUID as its text" \
    "$(lab_sql "SELECT directory, directory_id FROM mailbox")" "$(printf 'ad\t%s' "$guid")"
is "proxyAddresses became aliases, but for the primary, X500 and foreign ones" \
    "$(lab_sql "SELECT GROUP_CONCAT(address ORDER BY address) FROM alias WHERE address <> 'anna@ad.example'")" \
    "a.nna@ad.example,an@ad.example"
is "a group by way of two others chose the template" \
    "$(lab_sql "SELECT template FROM mailbox WHERE address = 'anna@ad.example'")" vip
is "a direct group another's" "$(lab_auth ben Secret-ben-1; lab_sql "SELECT template FROM mailbox WHERE address = 'ben@ad.example'")" \
    "OK ben@ad.example
default"
is "somebody whose userPrincipalName ends otherwise logs in by it" \
    "$(lab_auth ben@corp.local Secret-ben-1)" "OK ben@ad.example"
like "a name in no domain of anybody is unknown" "$(lab_auth ben@strange.local Secret-ben-1)" '^NO '
is "a name with comma and umlaut has groups, too" \
    "$(lab_auth mia@ad.example Secret-mia-1; lab_sql "SELECT template FROM mailbox WHERE address = 'mia@ad.example'")" \
    "OK mia@ad.example
default"
like "an address in another domain makes no mailbox" "$(lab_auth kaja@ad.example Secret-kaja-1)" '^NO '
like "and the log names it" "$(last_of kaja@ad.example)" 'reason=foreign_address .*kaja@elsewhere.example'

# ---------------------------------------------------- what the bind says --

printf 'dn: %s\nchangetype: modify\nreplace: lockoutThreshold\nlockoutThreshold: 3\n' "$AD_SUFFIX" | samba_ldif
for number in 1 2 3 4; do
    lab_auth inga@ad.example "guess-$number" >/dev/null
done
while read -r name data reason; do
    password=Secret-$name-1
    [ "$data" != 52e ] || password=wrong
    like "$name's bind is refused ($data)" "$(lab_auth "$name@ad.example" "$password")" '^NO '
    like "the log says $reason, and $data" "$(last_of "$name@ad.example")" " reason=$reason .* data $data,"
    printf '%s\n' "$password" | ctl why "$name@ad.example" --password-stdin >"$LAB/out"
    is "why finds an error" "$?" 69
    like "which is $reason" "$(cat "$LAB/out")" "^error .*535 .*$reason"
done <<'CODES'
ben 52e wrong_password
finn 530 not_at_this_time
gesa 531 not_from_here
hans 532 password_expired
cora 533 account_disabled
dirk 701 account_expired
edda 773 must_change_password
inga 775 account_locked
CODES
reasons() {
    lab_sql "SELECT GROUP_CONCAT(DISTINCT reason ORDER BY reason SEPARATOR ' ') FROM event
        WHERE kind IN ('wrong', 'refused') AND address <> 'kaja@ad.example'"
}
all_reasons='account_disabled account_expired account_locked must_change_password not_at_this_time not_from_here password_expired wrong_password'
told() { [ "$(reasons)" = "$all_reasons" ]; }
wait_for 30 told
is "each of them left an event with its reason" "$(reasons)" "$all_reasons"

# ------------------------------------------- a stale password, 50 times over --

is "a stale password is wrong 50 times" \
    "$(lab_auth jens@ad.example stale-password --times 50 | sort | uniq -c | tr -s ' ' | cut -d ' ' -f 2,3)" "50 NO"
is "a client that repeats one stale password 50 times moves badPwdCount by 1" \
    "$(samba_value '(sAMAccountName=jens)' badPwdCount)" 1
is "so the right one is let in" "$(lab_auth jens@ad.example Secret-jens-1)" "OK jens@ad.example"

# -------------------------------------- disabled and expired in the meantime --

# refused_within SENTENCE NAME MS: polls until NO comes; never later than that.
refused_within() {
    refused_began=$(now_ms)
    refused() { case $(lab_auth "$1@ad.example" "Secret-$1-1") in NO*) true ;; *) false ;; esac; }
    wait_for 30 refused "$2"
    refused_took=$(($(now_ms) - refused_began))
    check "$1 ($refused_took ms)" test "$refused_took" -le "$3"
}
is "two people log in" "$(lab_auth lutz@ad.example Secret-lutz-1; lab_auth mia@ad.example Secret-mia-1)" \
    "OK lutz@ad.example
OK mia@ad.example"
samba_set lutz userAccountControl 514
samba_set mia accountExpires 132000000000000000
refused_within "one is disabled: refused within cache_ttl" lutz $((2000 + 2000 * slow))
like "by name" "$(last_of lutz@ad.example)" 'reason=account_disabled .*data 533'
refused_within "one has expired: refused within cache_ttl" mia $((2000 + 2000 * slow))
like "by name" "$(last_of mia@ad.example)" 'reason=account_expired .*data 701'
samba_set lutz userAccountControl 512
samba_set mia accountExpires 0
is "enabled again, let in" "$(lab_auth lutz@ad.example Secret-lutz-1)" "OK lutz@ad.example"
is "extended, let in" "$(lab_auth mia@ad.example Secret-mia-1)" "OK mia@ad.example"
samba_set lutz userAccountControl 514
ctl cache flush lutz@ad.example >/dev/null
like "after a cache flush, at once" "$(lab_auth lutz@ad.example Secret-lutz-1)" '^NO '
samba_set lutz userAccountControl 512

# ------------------------------------------------- everybody, and long lists --

ctl directory test ad >"$LAB/out"
like "a look at everybody finds them all, without a reference" "$(cat "$LAB/out")" '^ok +people +14 '
like "disabled and expired ones are told" "$(cat "$LAB/out")" '^ok +disabled_filter +2 are disabled'
like "groups in groups choose the same template as at a login" "$(cat "$LAB/out")" '^ok +template +1 map to vip'

# A way round by a proxy that has all lists sent in parts of two, and people
# looked for from the root of the domain, which holds references.
ranges=$(lab_port)
lab_start ranges "$LAB_PYTHON" "$lab_tree/tests/lib/ldap_ranges.py" "$ranges" dc2.ad.example "$LAB/tls/ca.pem" 2
wait_for 10 lab_port_open "$ranges" || lab_die "the proxy listens"
mkdir -p "$LAB/parts/conf.d"
cp "$LAB/provost.conf" "$LAB/parts/"
sed "s/host = .*/host = \"127.0.0.1\"; port = $ranges;/; s/use_ssl = true;/use_tls = false; allow_cleartext = true;/; /ca_file = /d
    s/base_dn = .*/base_dn = \"DC=ad,DC=example\";/" \
    "$lab_tree/conf/directories/active-directory.conf" >"$LAB/parts/conf.d/ad.conf"
parts() {
    "$PROVOST_BUILD/tools/provostctl" -c "$LAB/parts/provost.conf" "$@" 2>&1
}
is "lists that come in parts are whole all the same" \
    "$(parts directory show anna@ad.example)" "$(ctl directory show anna@ad.example)"
like "they were asked for part by part" "$(cat "$LAB/log/ranges.log")" '^search proxyAddresses;range=4-5$'
# Times and hosts are not the same.
is "also when everybody is read" "$(parts directory test ad | grep -E ' (people|template|domains) ' | sed 's/ ([0-9]* ms)//')" \
    "$(sed 's/ ([0-9]* ms)//' "$LAB/out" | grep -E ' (people|template|domains) ')"
is "no reference to another server was sent, as was asked" "$(grep -c '^reference' "$LAB/log/ranges.log")" 0
lab_stop ranges

{
    printf 'dn: OU=Many,%s\nobjectClass: organizationalUnit\n\n' "$AD_SUFFIX"
    seq -f "dn: CN=Group %g,OU=Many,$AD_SUFFIX
objectClass: group
member: CN=jens,OU=Staff,$AD_SUFFIX
" 1 510
} | samba_ldif
is "who is in 511 groups is known to be in all of them, though a page has 500" \
    "$(ctl directory show jens@ad.example | grep -c '^memberOf')" 511
is "and may log in" "$(lab_auth jens Secret-jens-1)" "OK jens@ad.example"

# ------------------------------------------------------------ other settings --

mkdir -p "$LAB/other/conf.d"
cp "$LAB/provost.conf" "$LAB/other/"
# other SED: provostctl with the page changed so.
other() {
    other_change=$1
    shift
    sed "$other_change" "$lab_tree/conf/directories/active-directory.conf" >"$LAB/other/conf.d/ad.conf"
    "$PROVOST_BUILD/tools/provostctl" -c "$LAB/other/provost.conf" "$@" 2>&1
}
by_upn='s/username_field = "mail"/username_field = "userPrincipalName"/'
like "with username_field = userPrincipalName that names the mailbox" \
    "$(other "$by_upn" directory show kaja@ad.example)" '^mailbox +kaja@ad.example'
like "and a login makes it" "$(echo Secret-kaja-1 | other "$by_upn" why kaja --password-stdin)" \
    '^ok +verdict +235 .*would do: create'
like "a CA that did not sign the controller's certificate is not believed" \
    "$(other 's/ca_file = .*//' directory test ad)" '^error +TLS '

# ----------------------------------------------------------------- provost-sync --

# A long cache_ttl, so that nothing but the sync can be the reason.
sed -i 's/cache_ttl = "2s"/cache_ttl = "10m"/' "$LAB/provost.conf"
lab_authd_stop
lab_authd
mkdir -p "$LAB/synced/conf.d"
cp "$LAB/provost.conf" "$LAB/synced/"
sed 's/name = "ad";/& import_users = true; periodic_full_sync = true;/' \
    "$lab_tree/conf/directories/active-directory.conf" >"$LAB/synced/conf.d/ad.conf"
synced() {
    "$PROVOST_BUILD/tools/provost-sync" -c "$LAB/synced/provost.conf" --directory ad "$@" >"$LAB/out" 2>&1
}
synced
is "provost-sync reads the domain, and refuses an address of none" "$?" 1
like "which it counts" "$(cat "$LAB/out")" '^ad: 14 seen, .*, 1 refused, '
is "everybody who is in a group, and not closed, has a mailbox, of the login's template" \
    "$(lab_sql "SELECT template, GROUP_CONCAT(SUBSTRING_INDEX(address, '@', 1) ORDER BY address) FROM mailbox
        WHERE domain = 'ad.example' GROUP BY template")" \
    "$(printf 'default\tben,edda,finn,gesa,hans,inga,jens,lutz,mia\nvip\tanna')"
samba_set lutz displayName "Lutz Anders"
synced --changes
is "only what changed is read" "$?$(lab_sql "SELECT name FROM mailbox WHERE address = 'lutz@ad.example'")" "0Lutz Anders"
like "by uSNChanged" "$(cat "$LAB/out")" '^ad: changes by uSNChanged'
like "and no more" "$(cat "$LAB/out")" '^ad: [0-5] seen'
lab_sql "UPDATE sync_directory SET cookie = CONCAT(cookie, ' of another server')"
samba_set lutz displayName "Lutz Wieder"
synced --changes
is "another server's cookie is a full run" "$?$(lab_sql "SELECT name FROM mailbox WHERE address = 'lutz@ad.example'; SELECT kind FROM sync_run ORDER BY id DESC LIMIT 1")" "1Lutz Wieder
full"
is "somebody logs in, and is remembered" "$(lab_auth lutz Secret-lutz-1; lab_auth lutz Secret-lutz-1)" \
    "OK lutz@ad.example
OK lutz@ad.example"
while read -r word attribute closed open; do
    samba_set lutz "$attribute" "$closed"
    synced
    like "$word, and refused at once after a sync" "$(lab_auth lutz Secret-lutz-1)" '^NO '
    like "though the login is remembered" "$(last_of lutz)" 'how=remembered .*reason=disabled_in_directory'
    samba_set lutz "$attribute" "$open"
    synced
    is "let in again after another" "$(lab_auth lutz Secret-lutz-1)" "OK lutz@ad.example"
done <<'STATES'
disabled userAccountControl 514 512
expired accountExpires 132000000000000000 0
STATES
sed -i 's/cache_ttl = "10m"/cache_ttl = "0"/' "$LAB/provost.conf"
lab_authd_stop
lab_authd

# --------------------------------------------------- one of two is down --

is "an OpenLDAP serves another domain" "$(lab_auth ada@example.org ada-secret)" "OK ada@example.org"
lab_slapd_stop
is "it is down: its own people are told to come again" "$(lab_auth ada@example.org ada-secret)" TEMPORARY
in_as "those of Active Directory are let in" anna@ad.example
in_as "also by DOMAIN and name, which is no name of the other" 'AD\anna'
is "a bare name might be in either" "$(lab_auth lutz Secret-lutz-1)" TEMPORARY
lab_slapd_start
back() { [ "$(lab_auth ada@example.org ada-secret)" = "OK ada@example.org" ]; }
wait_for 15 back
is "it is back, and so are its people" "$?" 0
lab_signal samba STOP
many=1
while [ "$many" -le 30 ]; do
    lab_auth "person$many@ad.example" x >"$LAB/waited.$many" 2>&1 &
    eval "waiting$many=$!"
    many=$((many + 1))
done
began=$(now_ms)
is "the domain controller hangs, and thirty wait for it: the others are let in" \
    "$(lab_auth bob@example.org bob-secret)" "OK bob@example.org"
took=$(last_of bob@example.org | sed 's/.*took_ms=//')
check "without a wait that is worth it ($took ms)" test "$took" -lt $((800 * slow))
while [ "$many" -gt 1 ]; do
    many=$((many - 1))
    eval "wait \$waiting$many"
done
is "its own people are told to come again, all of them" "$(cat "$LAB"/waited.* | sort | uniq -c | tr -s ' ')" " 30 TEMPORARY"
took=$(($(now_ms) - began))
check "by the deadline ($took ms)" test "$took" -lt $((8000 + 2000 * slow))
lab_signal samba CONT
lab_done
