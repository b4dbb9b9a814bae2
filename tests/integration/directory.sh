#!/bin/sh
# directory.sh - common/directory against a private slapd and hostile peers
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin directory

# Libldap must not read this: it would make everything wrong.
mkdir "$LAB/client"
cat >"$LAB/client/ldap.conf" <<CONF
URI ldap://127.0.0.1:1
SIZELIMIT 1
TIMELIMIT 1
DEREF always
REFERRALS on
TLS_REQCERT never
TLS_CACERT $LAB/client/nothing
CONF
LDAPCONF=$LAB/client/ldap.conf
export LDAPCONF

# The client, spoken to by two pipes; see directory_client.c.
client_start() {
    rm -f "$LAB/client/in" "$LAB/client/out"
    mkfifo "$LAB/client/in" "$LAB/client/out"
    (
        cd "$LAB/client" && exec ${CLIENT_RUN:-} \
            "$PROVOST_BUILD/tests/integration/directory_client" \
            <in >out 2>>"$LAB/log/client.log"
    ) &
    echo $! >"$LAB/pid/client"
    exec 3>"$LAB/client/in" 4<"$LAB/client/out"
}

client_stop() {
    echo quit >&3
    exec 3>&-
    wait "$(lab_pid client)"
    client_status=$?
    exec 4<&-
    rm -f "$LAB/pid/client"
}

# ask WORD...: one command; the answer is in $answer.
ask() {
    (
        IFS='	'
        printf '%s\n' "$*" >&3
    )
    answer='(the client is gone)'
    IFS= read -r answer <&4
}

# ms: the time the last answer took.
ms() {
    echo "$answer" | sed 's/.* ms=\([0-9]*\).*/\1/'
}

# within SENTENCE LEAST MOST: the last answer took that many milliseconds.
within() {
    if [ "$(ms)" -ge "$2" ] && [ "$(ms)" -le "$3" ]; then ok "$1"; else
        not_ok "$1" "$answer (wanted $2 to $3 ms)"
    fi
}

# says SENTENCE PATTERN: the last answer matches.
says() {
    like "$1" "$answer" "$2"
}

# setting KEY VALUE...: settings of the next directory.
setting() {
    while [ $# -gt 1 ]; do
        ask set "$1" "$2"
        shift 2
    done
}

# usual: the settings most tests start from, on slapd main in cleartext.
usual() {
    setting hosts 127.0.0.1 port "$(lab_slapd_port)" use_ssl 0 use_tls 0 \
        ignore_ssl_errors 0 ca_file "$LAB/tls/ca.pem" base_dns "$LAB_PEOPLE" \
        bind_dn "$LAB_SERVICE_DN" bind_password "$LAB_SERVICE_PASSWORD" \
        filter '(objectClass=inetOrgPerson)' disabled_filter '' \
        username_field mail login_fields 'mail|uid' id_field auto \
        connect_timeout 1000 operation_timeout 1000 retry_after 2000 \
        entry_ttl 0 entry_max 0 max_connections 8
    ask deadline 8000
}

# open [KEY VALUE...]: a new directory with the usual settings and these.
open_with() {
    usual
    setting "$@"
    ask open 0
}

peer() {
    sed -n "s/^$1 //p" "$LAB/client/peers"
}

count() {
    ask counts
    echo "$answer" | sed "s/.* $1=\([0-9]*\).*/\1/"
}

LAB_SLAPD_CONF="index mailAlternateAddress eq"
lab_slapd
lab_start peers "$LAB_PYTHON" "$lab_tree/tests/lib/ldap_peer.py" \
    "$LAB/client/peers" "$(lab_slapd_port)" "$(lab_slapd_ssl_port)"
wait_for 10 test -f "$LAB/client/peers" || lab_die "the hostile peers are up"
client_start

# A directory that nobody uses from here on; see the end.
ask descriptors
unused_before=${answer#descriptors }
usual
ask open 3
ask login ada ada-secret
unused_since=$(now_ms)

# ------------------------------------------------------------- one person --

open_with
ask find ada
says "a person is found by uid, with everything an account needs" \
    'find ok .*remembered=0 disabled=0 dn=uid=ada,.* id=00000000-0000-4000-8000-000000000001 name=Ada Lovelace quota=- usernames=ada@example.org values=default aliases= '
ask find ada@example.org
says "and by mail" 'find ok .*dn=uid=ada,'
ask find ADA@EXAMPLE.ORG
says "whatever the case" 'find ok .*dn=uid=ada,'
ask find nobody
says "nobody is an answer" 'find not_found'
ask find ''
says "so is an empty name, which is not asked for" 'find not_found ms=0 '
for login in '*' 'a*' ')(uid=*' '*)(|(uid=*' 'ada)' '\2a' 'ada\00' '%s' '"'; do
    ask find "$login"
    says "a login of $login finds nobody" 'find not_found'
done
ask find twin@example.org
says "two entries with one address are refused, both named" \
    'find denied .*uid=twin1,.* and uid=twin2,'
ask verify "uid=ada,$LAB_PEOPLE" ada-secret
says "the right password is right" 'verify ok '
ask verify "uid=ada,$LAB_PEOPLE" wrong
says "a wrong one is wrong" 'verify denied .*reason=bad_password'
ask verify "uid=nobody,$LAB_PEOPLE" wrong
says "nobody's password is wrong" 'verify denied'
binds=$(lab_slapd_count ' BIND ')
ask verify "uid=ada,$LAB_PEOPLE" ''
says "an empty password never reaches a server that would accept it" \
    'verify invalid ms=0 .*password is empty'
ask verify '' ada-secret
says "nor does an empty DN" 'verify invalid ms=0 .*DN is empty'
is "slapd saw neither" "$(lab_slapd_count ' BIND ')" "$binds"
is "slapd accepts unauthenticated binds, so the refusals are ours" \
    "$(ldapwhoami -x -H "$(lab_slapd_uri main)" -D "uid=ada,$LAB_PEOPLE" -w '' 2>&1)" anonymous

# ----------------------------------------------------------- one operation --

open_with
ask login ada ada-secret
searches=$(lab_slapd_count ' SRCH base=')
binds=$(lab_slapd_count ' BIND dn=.* method=128')
opened=$(lab_slapd_count ' ACCEPT from')
for _ in 1 2 3 4 5 6 7 8 9 10; do ask login ada ada-secret; done
is "ten logins cost ten searches" $(($(lab_slapd_count ' SRCH base=') - searches)) 10
is "ten binds" $(($(lab_slapd_count ' BIND dn=.* method=128') - binds)) 10
is "and no new connection" $(($(lab_slapd_count ' ACCEPT from') - opened)) 0
is "no control was sent that slapd does not know" \
    "$(lab_slapd_count 'unrecognized control')" 0
ask login ada wrong
ask login bob bob-secret
says "after a wrong password the connection serves the next" 'login ok'
is "still on the same connections" $(($(lab_slapd_count ' ACCEPT from') - opened)) 0
is "our own counts agree" "$(count searches) $(count binds) $(count connects)" "13 13 2"

# ------------------------------------------------------- several bases etc --

open_with base_dns "ou=people,$LAB_SUFFIX|$LAB_SUFFIX"
ask find ada
says "an entry under two overlapping bases is one" 'find ok .*dn=uid=ada,'
open_with base_dns "ou=nothing,$LAB_SUFFIX|$LAB_PEOPLE"
ask find ada
says "a base that is not there is a fault of ours, not an unknown person" \
    "find tempfail .*base_dn ou=nothing,$LAB_SUFFIX is not there"
ask hosts
says "and no fault of the host's" '127.0.0.1 up'
open_with disabled_filter '(accountStatus=off)'
lab_ldap_set ada accountStatus off
ask find ada
says "who matches disabled_filter is disabled" 'find ok .*disabled=1 '
ask find bob
says "who does not is not" 'find ok .*disabled=0 '
lab_ldap_set ada accountStatus
open_with username_field uid login_fields ''
ask find ada
says "without login_fields it is username_field" 'find ok .*usernames=ada '
open_with filter ''
ask find ada@example.org
says "a filter is not needed" 'find ok'
open_with id_field uid
ask find ada
says "any attribute can be the id" 'find ok .* id=ada '
open_with bind_dn '' bind_password ''
ask find ada
says "an anonymous search is a search; this slapd shows it no base" \
    'find tempfail .*base_dn'

# ------------------------------------------------------- service identity --

open_with bind_password wrong
ask login ada ada-secret
says "a wrong service password is temporary, never a wrong password" \
    "login tempfail .*service bind as $LAB_SERVICE_DN: Invalid credentials"
binds=$(lab_slapd_count " BIND dn=\"$LAB_SERVICE_DN\" method=128")
for _ in 1 2 3; do ask login ada ada-secret; done
is "and is not tried at each login" $(($(lab_slapd_count " BIND dn=\"$LAB_SERVICE_DN\" method=128") - binds)) 0
open_with bind_password ''
says "a service identity without a password is refused at once" 'open invalid'

# ------------------------------------------------------------------- memory --

open_with entry_ttl 600 entry_max 2
ask find ada
ask find ada
says "a person is remembered" 'remembered=1 disabled=0 dn=uid=ada,.* id=00000000-0000-4000-8000-000000000001 name=Ada Lovelace quota=- usernames=ada@example.org values=default aliases= '
is "which costs no search" "$(count searches)" 1
ask forget ada
is "until forgotten" "$answer" "forget 1"
ask find ada
says "and asked for again" 'remembered=0'
ask find bob
ask find carol
is "the memory is bounded" "$(count remembered)" 2
ask find ada
says "and the oldest goes first" 'remembered=0'
sleep 0.7
ask find ada
says "and in time" 'remembered=0'

# -------------------------------------------------------------- the host --

open_with
ask login ada ada-secret
lab_slapd_stop
lab_slapd_start
ask login ada ada-secret
says "a server that restarted is not noticed" 'login ok'
ask hosts
says "nor held against it" '127.0.0.1 up'
lab_slapd_stop
ask login ada ada-secret
says "a server that is down is temporary" 'login tempfail .*Connection refused'
within "at once" 0 200
ask login ada ada-secret
says "the next attempt does not even try" 'login tempfail .*no host answers .127.0.0.1: connect: Connection refused'
within "and is as quick" 0 50
ask hosts
says "the host rests" '127.0.0.1 resting retry=[0-9]'
lab_slapd_start
sleep 2
ask login ada ada-secret
says "it is back when its rest is over" 'login ok'
lab_slapd_signal STOP
wait_for 2 grep -q '^State:.T' "/proc/$(lab_pid slapd-main)/status"
ask login ada ada-secret
says "a server that hangs is temporary" 'login tempfail .*no answer in time'
within "after operation_timeout" 900 1300
ask login ada ada-secret
within "and at once from then on" 0 50
lab_slapd_signal CONT
sleep 2.1
ask login ada ada-secret
says "until it is well again" 'login ok'

# ----------------------------------------- the first host of two misbehaves --

# first KIND LEAST MOST [KEY VALUE...]: a login costs once what the first host
# takes, then nothing; the second host serves.
first() {
    first_kind=$1 first_least=$2 first_most=$3
    shift 3
    open_with hosts "$(peer "$first_kind")|127.0.0.1" "$@"
    ask login ada ada-secret
    says "behind a first host of kind $first_kind, the second serves" 'login ok'
    within "the first such login takes $first_least to $first_most ms" "$first_least" "$first_most"
    ask login ada ada-secret
    within "the second one takes no longer than ever" 0 100
    ask hosts
    says "the first host rests, the second is up" '\[127.0.1.* resting .*\] \[127.0.0.1 up'
}

ssl="port $(lab_slapd_ssl_port) use_ssl 1"
first refuse 0 200
first blackhole 900 1400
first mute 900 1400
first drip 900 1400
first half 900 1400
first slow 900 1400
first close 0 200
first garbage 0 1400
first notice 0 200
first busy 0 200
first wrong-id 0 1400
ask cpu
cpu_before=${answer#cpu }
# shellcheck disable=SC2086
first mute 900 1400 $ssl
# shellcheck disable=SC2086
first drip-tls 900 1400 $ssl
# shellcheck disable=SC2086
first stall-tls 900 1400 $ssl
first mute 900 1400 use_tls 1
first starttls-mute 900 1400 use_tls 1
first starttls-inject 0 200 use_tls 1
first starttls-no 0 200 use_tls 1
ask cpu
check "nobody spins while waiting for them (CPU $((${answer#cpu } - cpu_before)) ms)" \
    test $((${answer#cpu } - cpu_before)) -lt 700
open_with hosts "$LAB/run/nothing|127.0.0.1"
ask login ada ada-secret
says "behind a socket that is not there too" 'login ok'

# Nobody else to ask.
for kind in mute drip blackhole; do
    open_with hosts "$(peer $kind)" operation_timeout 60000 connect_timeout 60000
    ask deadline 1500
    ask find ada
    says "alone, a host of kind $kind is temporary" 'find tempfail'
    within "by the caller's deadline" 1400 1800
done
open_with hosts "$(peer mute)" operation_timeout 60000 connect_timeout 60000
ask deadline 300
ask find ada
ask hosts
says "who had little time blames nobody" ' up '
open_with hosts "$(peer blackhole)|$(peer mute)|$(peer refuse)|$(peer close)" retry_after 60000
ask login ada ada-secret
says "with no good host at all it is temporary" 'login tempfail'
within "by then" 0 3000
ask login ada ada-secret
says "and from then on at once, each host's fault named" \
    'login tempfail .*127.0.1.2: connect: .*; 127.0.1.3: .*; 127.0.1.1: '
within "at once" 0 50

# One probe at a time: eight callers, one of them waits for the mute host.
open_with hosts "$(peer mute)|127.0.0.1" retry_after 500
ask login ada ada-secret
sleep 0.6
ask storm 8 400 ada ada-secret
says "while one caller probes, the others are served" 'ok=[0-9]{2,} not_found=0 denied=0 invalid=0 tempfail=0 '
check "and only one waited for it" test "$(count failures)" -le 3

# ---------------------------------------------------------------------- TLS --

for how in "use_tls 1" "$ssl"; do
    # shellcheck disable=SC2086
    open_with $how
    ask login ada ada-secret
    says "$how: a login over TLS" 'login ok'
    # shellcheck disable=SC2086
    open_with $how ca_file ''
    ask login ada ada-secret
    says "$how: a certificate of an unknown CA is refused (the system's CAs; ldap.conf is not read)" \
        'login tempfail .*TLS handshake'
    # shellcheck disable=SC2086
    open_with $how hosts mail.example.org
    ask login ada ada-secret
    says "$how: the name has to resolve" 'login tempfail .*name not resolved'
    # shellcheck disable=SC2086
    open_with $how hosts 127.0.0.2
    ask login ada ada-secret
    says "$how: a host that is not listening is no host" 'login tempfail .*refused'
    # shellcheck disable=SC2086
    open_with $how ca_file "$LAB/client/nothing"
    says "$how: a CA file that is not there is refused at once" 'open invalid .*CA file'
done

# Names and addresses: 2130706433 is a name to libldap and 127.0.0.1 to us.
sed "s,^TLSCertificateFile .*,TLSCertificateFile $LAB/tls/other.pem," \
    "$LAB/slapd-main/slapd.conf" >"$LAB/client/other.conf"
(
    cd "$LAB/tls" || exit 1
    echo subjectAltName=DNS:2130706433,IP:::1 >other.ext
    openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -days 2 \
        -CAcreateserial -extfile other.ext -out other.pem
) >>"$LAB/log/openssl.log" 2>&1
sed "s,slapd-main,slapd-other,g" "$LAB/client/other.conf" >"$LAB/client/slapd.conf"
cp -a "$LAB/slapd-main" "$LAB/slapd-other"
cp "$LAB/client/slapd.conf" "$LAB/slapd-other/slapd.conf"
other=$(lab_port)
six=
grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null && six="ldaps://[::1]:$other"
lab_start slapd-other slapd -d stats -f "$LAB/slapd-other/slapd.conf" \
    -h "ldaps://127.0.0.1:$other $six"
wait_for 15 lab_port_open "$other" || lab_die "a slapd with another certificate answers"

open_with port "$other" use_ssl 1 hosts 2130706433
ask login ada ada-secret
says "the certificate has to name the host as configured, and does" 'login ok'
open_with port "$other" use_ssl 1 hosts 127.0.0.1
ask login ada ada-secret
says "one that names another is refused" 'login tempfail .*TLS handshake'
open_with port "$other" use_ssl 1 hosts 127.0.0.1 ignore_ssl_errors 1
ask login ada ada-secret
says "unless ignore_ssl_errors says so" 'login ok'
open_with port "$other" use_ssl 1 hosts 127.0.0.1 ignore_ssl_errors 1 ca_file "$LAB/client/nothing"
ask login ada ada-secret
says "which needs no CA file" 'login ok'
if [ -n "$six" ]; then
    open_with port "$other" use_ssl 1 hosts ::1
    ask login ada ada-secret
    says "an IPv6 address is a host, and is checked" 'login ok'
fi

# One directory's leniency is no other's, whichever is opened first.
for order in '0 1' '1 0'; do
    for slot in $order; do
        usual
        setting port "$other" use_ssl 1 hosts 127.0.0.1 ignore_ssl_errors "$slot"
        ask open "$slot"
    done
    for slot in $order $order; do
        ask use "$slot"
        ask login ada ada-secret
        if [ "$slot" -eq 1 ]; then
            says "opened in order $order: the lenient directory accepts" 'login ok'
        else
            says "opened in order $order: the strict directory refuses" 'login tempfail'
        fi
    done
    ask use 1
    ask close
    ask use 0
done
lab_stop slapd-other

# ------------------------------------------------------------ other reaches --

open_with hosts "$(lab_slapd_path)" use_tls 1
ask login ada ada-secret
says "a unix socket needs no TLS" 'login ok'
open_with hosts localhost
ask login ada ada-secret
says "a name with an IPv6 address nobody listens on is tried by IPv4 too" 'login ok'
open_with hosts "$LAB/run/$(printf '%0120d' 0)"
ask login ada ada-secret
says "a path that is too long is temporary" 'login tempfail .*socket path over'

# ----------------------------------------------------------------- the pool --

open_with max_connections 1
ask storm 8 500 ada ada-secret
says "eight callers share one connection of each kind" 'not_found=0 denied=0 invalid=0 tempfail=0 '
is "and no more" "$(count connects)" 2
open_with max_connections 1 hosts "$(peer slow)" operation_timeout 5000
ask deadline 1000
ask storm 3 100 ada ada-secret
says "who waits for a connection waits no longer than it may" \
    'storm ok=0 not_found=0 denied=0 invalid=0 tempfail=3 rate=[0-9]+ slowest=1[0-9]{3} '
open_with max_connections 4
ask storm 16 500 nobody x
says "nobody is never mistaken for a failure under load" 'storm ok=0 not_found=[0-9]{3,} denied=0 invalid=0 tempfail=0 '
ask descriptors
before=$answer
for _ in 1 2 3; do
    open_with hosts "$(peer refuse)|$(peer close)|$(peer garbage)|127.0.0.1" retry_after 0 max_connections 4
    ask storm 4 200 ada ada-secret
done
open_with max_connections 4
ask storm 16 500 nobody x
ask descriptors
is "failures leave no descriptor behind" "$answer" "$before"

# Restarts under load: only temporary failures, and none when it is back.
open_with retry_after 100
{
    sleep 0.5
    lab_slapd_stop
    lab_slapd_start
} &
restarter=$!
ask storm 8 3000 ada ada-secret
says "a restart under load refuses nobody" 'storm ok=[0-9]+ not_found=0 denied=0 invalid=0 '
wait "$restarter"
ask login ada ada-secret
says "and it is over when it is over" 'login ok'

# ---------------------------------------------------------- what is sent us --

open_with hosts "$(peer fake)" disabled_filter ''
# sent CASE PATTERN SENTENCE: the answer to a search that was answered so.
sent() {
    ask find "case-$1"
    says "$3" "$2"
}
sent nul 'find invalid .*attribute mail of uid=case,.*NUL' "a value with NUL is refused, attribute and DN named"
sent latin1 'find invalid .*attribute displayName of uid=case,.*not UTF-8' "so is one that is not UTF-8"
sent long-ok 'find ok ' "a value of 4096 bytes is taken"
sent long 'find invalid .*attribute displayName .*too long' "one more is refused"
sent values-ok 'find ok .*\|v4999 ' "5000 values are taken"
sent values 'find invalid .*attribute otherMailbox .*too many values' "one more is refused"
sent range 'find ok .*values=a\|b\|c\|d ' "of a list that comes in parts (Active Directory's range) all are asked for"
sent range-gone 'find ok .*values=a\|b ' "a list that became shorter meanwhile ends there"
sent range-stuck 'find invalid .*too many values' "parts that never end are no list"
sent range-long 'find invalid .*too many values' "nor is one that goes beyond 5000 values"
sent range-far 'find invalid .*too many values' "or farther"
sent range-most 'find ok .*\|v4998\|last ' "5000 values in parts are taken"
sent range-over 'find invalid .*too many values' "one more is refused"
sent range-odd 'find ok .*name=A Part .*values=a ' "an option that is no range ends nothing"
sent range-mute 'find tempfail .*more of uid=case-range-mute,.* no answer in time' "one that is silent then has not, either"
ask hosts
says "but it found the person, and need not rest" ' up '
sent range-busy 'find tempfail .*more of uid=case-range-busy' "a server that does not answer for a part has not answered"
open_with hosts "$(peer fake)"
sent guid 'find ok .* id=03020100-0504-0706-0809-0a0b0c0d0e0f ' "objectGUID gets its usual text"
sent guid-short 'find invalid .*not a GUID' "one that is too short is refused"
sent id-order 'find ok .* id=uuid ' "entryUUID is the first choice, whatever the order"
sent id-ns 'find ok .* id=ns ' "nsUniqueId comes before ipaUniqueID"
sent id-ipa 'find ok .* id=ipa ' "which is the last"
sent id-none 'find ok .* id=- ' "no id is no id"
sent id-empty 'find ok .* id=- ' "neither is an empty one"
sent id-two 'find invalid .*attribute entryUUID .*one value' "two values are no id"
sent capitals 'find ok .* id=uuid name= .*usernames=case@example.org ' "attribute names have no case"
sent subtypes 'find ok .*name=A Case .*usernames=case@example.org ' "subtypes are other attributes"
sent unasked 'find ok ' "what we did not ask for is not read"
sent long-dn 'find invalid .*DN' "a DN that is too long is refused"
sent empty-dn 'find invalid .*DN' "so is an empty one"
sent latin1-dn 'find invalid .*DN' "and one that is not UTF-8"
sent twice 'find ok ' "the same entry twice is one"
sent several 'find denied ' "two are several"
sent none 'find not_found ' "none is none"
sent reference 'find ok ' "references (Active Directory's) are left aside"
sent undecodable 'find tempfail .*decoded' "an entry that cannot be decoded is no answer"
sent referral 'find tempfail .*Referral' "a referral is no answer, and is not followed"
sent two-code-4 'find denied ' "two entries and our own size limit are several"
sent one-code-4 'find tempfail .*size limit' "one entry and a size limit is no answer"
for code in 3 4 11 53 80 1 2 12 8 13 50; do
    sent "code-$code" "find tempfail .*the server's own words" "a search that ends in code $code is no answer"
done
for code in 51 52; do
    open_with hosts "$(peer fake)"
    sent "code-$code" "find tempfail .*the server's own words" "a search that ends in code $code is no answer"
    ask hosts
    says "and the host rests" 'resting'
done
open_with hosts "$(peer fake)"
sent code-32 'find tempfail .*base_dn .* is not there' "noSuchObject is a fault of the settings"

# bound CASE PATTERN SENTENCE: the answer to a bind that was answered so.
bound() {
    ask verify "uid=case-$1,dc=example" secret
    says "$3" "$2"
}
bound code-49 'verify denied .*reason=bad_password .*own words' "49 is a wrong password"
bound ad-52e 'verify denied .*reason=bad_password' "so is Active Directory's 52e"
bound ad-775 'verify denied .*reason=account_locked' "775 is a locked account"
bound ad-773 'verify denied .*reason=must_change_password' "773 wants a new password"
bound ppolicy-1 'verify denied .*reason=account_locked' "a password policy's control says locked"
bound ppolicy-0 'verify denied .*reason=password_expired' "or expired"
for code in 1 2 8 10 13 19 53 80; do
    bound "code-$code" "verify tempfail .*the server's own words" "a bind that ends in code $code is no answer"
done
ask hosts
says "nor a reason to leave the host" ' up '

open_with hosts "$(peer flood)" operation_timeout 20000
ask deadline 20000
ask find ada
says "entries without end are cut off" 'find tempfail'
within "by their size, not by time alone" 0 15000

# ------------------------------------------------------------- the password --

open_with use_tls 1
ask login ada canary-password-that-is-long
ask login ada ada-secret
ask secret gnol-si-taht-drowssap-yranac
# A sanitizer keeps what was freed, GnuTLS's buffer among it, which provost-authd
# wipes and this program does not.
kept=0
nm "$PROVOST_BUILD/tests/integration/directory_client" | grep -q __asan_init && kept='[01]'
says "no password stays in memory after a login" "secret $kept\$"

ask close
ask use 3
ask descriptors
is "a directory that nobody uses holds two connections" \
    $((${answer#descriptors } - unused_before)) 2
while [ $(($(now_ms) - unused_since)) -lt 78000 ]; do sleep 1; done
ask descriptors
is "but not for long" $((${answer#descriptors } - unused_before)) 0
ask login ada ada-secret
says "and opens others when it is needed" 'login ok'

client_stop
is "the client ended well" "$client_status" 0

lab_done
