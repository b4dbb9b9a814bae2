#!/bin/sh
# why.sh - each gate of a login closed in turn, and what provostctl why says
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin why
lab_slapd
lab_mariadb
lab_config
lab_schema
lab_domain example.org --max-mailboxes 5 --quota 100G
lab_authd

# why ARGUMENT...: its output in $LAB/out, its status in $status.
why() {
    lab_provostctl why "$@" >"$LAB/out" 2>&1
    status=$?
}
# gate SENTENCE PATTERN ARGUMENT...: one run finds it, and ends with 69.
gate() {
    gate_sentence=$1 gate_pattern=$2
    shift 2
    why "$@"
    like "$gate_sentence" "$(cat "$LAB/out")" "$gate_pattern"
    is "and it is an error" "$status" 69
}
verdict() {
    like "$1" "$(grep '^[a-z-]* *verdict' "$LAB/out")" "$2"
}

# ------------------------------------------------------------- nothing wrong --

why ada@example.org
is "a person who can log in is fine" "$status" 0
verdict "and would be let in" '235 .*would do: create'
for what in address throttle database domain mailbox directory 'name resolution' \
    connection TLS 'service bind' search account mapping template limits protocol password verdict; do
    like "it tells of $what" "$(cat "$LAB/out")" "^(ok|-) +$what "
done
like "the certificate is named, with its days" "$(cat "$LAB/out")" 'certificate for .*mail.example.org.* [0-9]+ days left'
is "nothing was written" "$(lab_sql "SELECT COUNT(*) FROM mailbox")$(lab_sql "SELECT COUNT(*) FROM event WHERE kind NOT LIKE 'domain%'")" 00
printf 'ada-secret\n' | lab_provostctl why ada@example.org --password-stdin >"$LAB/out" 2>&1
is "with the right password, too" "$?" 0
like "which the directory was asked for" "$(cat "$LAB/out")" '^ok +password +asked: bind'
printf 'wrong\n' | lab_provostctl why ada@example.org --password-stdin >"$LAB/out" 2>&1
is "a wrong one is an error" "$?" 69
verdict "that the client is told by 535" '535 .*wrong_password'
unlike "no password is printed" "$(cat "$LAB/out")" 'ada-secret'
lab_provostctl why ada@example.org --json >"$LAB/out" 2>&1
is "as JSON it can be parsed, with stable names" \
    "$("$LAB_PYTHON" -c 'import json, sys
rows = json.load(open(sys.argv[1]))
print(sorted(rows[0]), rows[-1]["what"] in ("verdict", "before"))' "$LAB/out")" \
    "['fix', 'ms', 'result', 'text', 'what'] True"

like "the filter is shown, and what it leaves out" "$(lab_provostctl why ada@example.org)" \
    '^ok +search +1 entry: uid=ada,.*; without the filter 1; searched for \(&\(objectClass=inetOrgPerson\)\(\|\(mail=ada@example.org\)\(uid=ada@example.org\)\)\)'
like "so are the template's numbers" "$(lab_provostctl why grace@example.org)" '^ok +template +vip: quota 20G, services smtp imap pop3 sieve'
is "an address is an IP address" "$(lab_provostctl why ada@example.org --client here 2>/dev/null; echo $?)" 64
# What libc, the store and one directory cost on this host, not what we add.
began=$(now_ms)
lab_provostctl why ada@example.org >/dev/null
took=$(($(now_ms) - began))
check "the walk takes no second ($took ms)" test "$took" -lt 1000
why ada
is "a bare name is searched in all directories" "$status" 0
verdict "and would be let in, too" '235 .*would do: create'
why nobody
like "a bare name that nobody has" "$(cat "$LAB/out")" '^error +search +no directory knows nobody'
verdict "is an unknown user" '535 .*unknown_user'
lab_provostctl domain alias add example.net example.org >/dev/null
why ada@example.net
is "an alias domain's name is searched as its target's" "$status" 0
like "and says so" "$(cat "$LAB/out")" 'ok +domain +example.net is another name of example.org'
like "with the name that is searched for" "$(cat "$LAB/out")" 'searched for .*\(mail=ada@example.org\)'

# -------------------------------------------------------- gate after gate --

# not_reached GATE...: the last run shows them as not reached.
not_reached() {
    for what in "$@"; do
        like "then $what is not reached" "$(cat "$LAB/out")" "^- +$what +not reached"
    done
}

gate "1. an address that is none" 'error +address ' 'ada@exa mple..org'
not_reached throttle database domain mailbox directory host search account mapping template limits protocol
verdict "and is told by 535" '535 .*malformed_user'
gate "2. a domain that is not ours" 'error +domain +elsewhere.example is not a domain of this host' ada@elsewhere.example
like "the fix is named" "$(cat "$LAB/out")" 'to do: +provostctl domain add'
lab_provostctl domain edit example.org --active no
gate "3. a domain that is off" 'error +domain +example.org is switched off' ada@example.org
lab_provostctl domain edit example.org --active yes
gate "4. nobody of that name" 'error +search +no entry under base_dn has mail=nobody@example.org' nobody@example.org
verdict "which the client is told by 535" '535 .*unknown_user'
not_reached account mapping template protocol
gate "5. two entries with one address" 'error +search .*several entries match: uid=twin1.*uid=twin2' twin@example.org
gate "6. nothing maps to a template" 'error +mapping +nothing maps: otherMailbox is "unmapped"' frank@example.org
verdict "which is temporary, the cure being ours" '454 .*no_template'
lab_sql "UPDATE domain SET max_mailboxes = 1, mailboxes_used = 1"
not_reached template protocol
gate "7. a full domain, with its numbers" 'error +limits +example.org: mailboxes 1 of 1' ada@example.org
verdict "and the limit by name" '454 .*max_mailboxes.* 1 of 1 mailboxes'
like "and what to do" "$(cat "$LAB/out")" 'domain edit NAME --max-mailboxes'
lab_sql "UPDATE domain SET max_mailboxes = 5, mailboxes_used = 0, quota = 1024"
gate "8. a domain without room" 'verdict .*454 .*domain_quota' ada@example.org
lab_sql "UPDATE domain SET quota = 0, max_quota = 1024"
gate "9. a template over the domain's largest mailbox" 'verdict .*454 .*max_quota' ada@example.org
lab_sql "UPDATE domain SET max_quota = 0"
lab_sql "INSERT INTO alias (address, domain, local_part, targets, kind) VALUES ('bob@example.org', 'example.org', 'bob', 'ada@example.org', 'admin')"
gate "10. the address is an alias" 'verdict .*454 .*address_taken.*bob@example.org is an alias of ada@example.org' bob@example.org
lab_sql "DELETE FROM alias"

is "somebody has a mailbox" "$(lab_auth ada@example.org ada-secret)" "OK ada@example.org"
lab_sql "UPDATE mailbox SET admin_state = 'block_login'"
gate "11. blocked by an administrator" 'error +mailbox +an administrator has closed it \(block_login\)' ada@example.org
lab_sql "UPDATE mailbox SET admin_state = '-', template_state = 'nologin', fingerprint = fingerprint"
gate "12. closed by the template" 'error +mailbox +template default says: nologin' ada@example.org
lab_sql "UPDATE mailbox SET template_state = 'active', directory_state = 'disabled'"
like "13. disabled, as the directory said" "$(lab_provostctl why ada@example.org)" 'error +mailbox +the directory says: disabled'
lab_sql "UPDATE mailbox SET directory_state = 'present', imap_access = 0"
gate "14. no right for the protocol" 'error +protocol +imap: the mailbox has no right to it' ada@example.org --service imap
verdict "which the client is told by 535" '535 .*service_not_allowed'
lab_sql "UPDATE mailbox SET imap_access = 1, source = 'local', password = NULL"
gate "15. local, without a password" 'error +source +the mailbox is local and has no password' ada@example.org
verdict "the directory is not asked" '535 .*no_local_password'
lab_sql "UPDATE mailbox SET source = 'ldap', directory = 'gone'"
gate "16. of a directory that is not configured" 'error +directory +gone is the mailbox.s, and is not in the settings' ada@example.org
lab_sql "UPDATE mailbox SET directory = 'corp', directory_id = 'another'"
gate "17. the mailbox of another person" 'verdict .*535 .*(other_id|another)' ada@example.org
lab_sql "UPDATE mailbox SET directory_id = '00000000-0000-4000-8000-000000000001'"
gate "18. an address in a domain of another directory" 'domain +partner.example is not a domain' victim@partner.example

wrong=0
while [ "$wrong" -lt 25 ]; do
    lab_auth ada@example.org "wrong-$wrong" --client 198.51.100.7 >/dev/null
    wrong=$((wrong + 1))
done
gate "19. too many wrong passwords" 'error +throttle +[0-9]+ wrong passwords from 198.51.100.7: closed for [0-9]+ s' \
    ada@example.org --client 198.51.100.7
verdict "the client is told to come again" '454 .*throttled.*later: 235'
why ada@example.org --client 192.0.2.99
is "another client may try" "$status" 0
why ada@example.org --client ::ffff:198.51.100.7
is "an address in another spelling is the same client" "$status" 69
why ada@example.org
like "without a client it is a warning" "$(cat "$LAB/out")" '^warning +throttle +[0-9]+ wrong passwords from 198.51.100.7'
is "not an error" "$status" 0
seen() { lab_provostctl why ada@example.org | grep -q 'before .*wrong: wrong_password'; }
wait_for 15 seen
is "the person's last refusals are shown" $? 0
like "with the client, and how many there were" "$(lab_provostctl why ada@example.org)" \
    'before +20.*Z wrong: wrong_password by smtp from 198.51.100.7, [0-9]+ times since 20.*Z'
client=1
while [ "$client" -le 12 ]; do
    lab_auth ada@example.org guessed-secret --client "203.0.113.$client" >/dev/null
    client=$((client + 1))
done
attempts() { lab_sql "SELECT COUNT(*) FROM attempt WHERE $1"; }
guessed() { [ "$(attempts "client LIKE '203.0.113.%'")" -gt 0 ]; }
wait_for 15 guessed
check "a dozen guessing clients take four rows of a person at most" test "$(attempts "address = 'ada@example.org' AND reason = 'wrong_password'")" -le 4
is "no password is in them" "$(lab_sql "SELECT * FROM attempt" | grep -c 'secret\|wrong-[0-9]')" 0
lab_auth guess@example.org guessed-secret >/dev/null
lab_auth ada@example.org guessed-again --client 203.0.113.99 >/dev/null
again() { [ "$(attempts "client = '203.0.113.99'")" = 1 ]; }
wait_for 15 again
is "a name that nobody has leaves none" "$(attempts "address = 'guess@example.org'")" 0

# What the reference documentation lets people look for, point by point.
reference() {
    reference_point=$1 reference_pattern=$2
    shift 2
    why "$@"
    like "one why finds: $reference_point" "$(cat "$LAB/out")" "$reference_pattern"
}
lab_authd_stop
reference "the log of the attempt" 'before .*wrong: wrong_password by smtp' ada@example.org
like "and without authd the throttle is a warning" "$(cat "$LAB/out")" '^warning +provost-authd +it cannot be asked: '
lab_authd
reference "the connection's test" '^ok +service bind +127.0.0.1: bound as' bob@example.org
reference "the mail domain is not there" '^error +domain +nowhere.example is not a domain' bob@nowhere.example
lab_sql "UPDATE domain SET max_mailboxes = 1"
reference "no mailbox is left of the domain" '^error +limits .*mailboxes 1 of 1' bob@example.org
lab_sql "UPDATE domain SET max_mailboxes = 5, quota = 1024"
reference "the domain's quota is used up" '^error +limits .*not so much quota left' bob@example.org
lab_sql "UPDATE domain SET quota = 0"
reference "no attribute maps" '^error +mapping +nothing maps: otherMailbox is "unmapped"' frank@example.org
# The filter is number 20 below.

turn=0
while [ "$turn" -lt 25 ]; do
    lab_auth dan@example.org "wrong-$turn" --client 2001:db8:1::5 >/dev/null
    turn=$((turn + 1))
done
gate "19b. an IPv6 client counts with its /64" 'error +throttle +[0-9]+ wrong passwords from 2001:db8:1::/64: closed for' \
    dan@example.org --client 2001:db8:1::77

# ----------------------------------------------------- the directory itself --

# edit SED-EXPRESSION: other settings, for the next runs alone.
edit() {
    sed "$1" "$LAB/provost.conf" >"$LAB/other.conf"
}
other() {
    other_sentence=$1 other_pattern=$2
    shift 2
    "$PROVOST_BUILD/tools/provostctl" -c "$LAB/other.conf" "$@" >"$LAB/out" 2>&1
    status=$?
    like "$other_sentence" "$(cat "$LAB/out")" "$other_pattern"
    is "and it is an error" "$status" 69
}

edit 's/(objectClass=inetOrgPerson)/(objectClass=account)/'
other "20. a filter that leaves the person out" 'error +search +no entry matches with the filter \(objectClass=account\); without it 1' why ada@example.org
other "a directory's test says how many it leaves out" 'error +people +the filter \(objectClass=account\) leaves nobody; without it there are [1-9]' directory test
edit 's/base_dn = "[^"]*"/base_dn = "ou=nowhere,dc=example,dc=org"/'
other "21. a base that is not there" 'error +search .*base_dn ou=nowhere,dc=example,dc=org is not there' why ada@example.org
other "the test names it" 'error +base_dn .*base_dn ou=nowhere,dc=example,dc=org is not there' directory test
edit 's/host = "127.0.0.1"; port = [0-9]*/host = "127.0.0.1"; port = 1/'
other "22. a directory that is down" 'error +connection +127.0.0.1: ' why ada@example.org
verdict "which is temporary" '454 '
edit 's/host = "127.0.0.1"/host = "no-such-host.invalid"/'
other "23. a name without an address" 'error +name resolution +no-such-host.invalid: ' why ada@example.org
edit 's/host = "127.0.0.1"/host = "no-such-host.invalid, 127.0.0.1"/'
"$PROVOST_BUILD/tools/provostctl" -c "$LAB/other.conf" why ada@example.org >"$LAB/out" 2>&1
is "a host that is down is no error while another one serves" "$?" 0
like "but a warning" "$(cat "$LAB/out")" 'warning name resolution +no-such-host.invalid: '
lab_secret bad not-the-password
edit "s,secrets/corp,secrets/bad,"
other "24. a wrong service password" 'error +service bind +127.0.0.1: bind as .*Invalid credentials' why ada@example.org
other "the test says so, too" 'to do: +bind_dn or the password in .*secrets/bad is wrong' directory test
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$LAB/k" -subj /CN=else -days 2 -out "$LAB/else.pem" 2>/dev/null
edit "s,$LAB/tls/ca.pem,$LAB/else.pem,"
other "25. a certificate of an unknown CA" 'error +TLS +127.0.0.1: certificate for ' why ada@example.org
like "the fix names ca_file" "$(cat "$LAB/out")" 'to do: +let ca_file name'
edit 's/username_field = "mail"/username_field = "mailLocalAddress"/; s/login_fields = [^;]*;//'
other "an attribute that nobody has" 'error +people +no entry has mailLocalAddress; [1-9][0-9]* entries' directory test

edit 's/attribute_field = "otherMailbox"/attribute_field = "employeeType"/'
"$PROVOST_BUILD/tools/provostctl" -c "$LAB/other.conf" directory test >"$LAB/out" 2>&1
like "a mapped attribute that nobody has" "$(cat "$LAB/out")" '^warning +attribute_field +nobody has employeeType'
like "and then nobody has a template" "$(cat "$LAB/out")" '^warning +template +[0-9]+ map to no template'

# ------------------------------------- what a directory says of an account --

lab_start peers "$LAB_PYTHON" "$lab_tree/tests/lib/ldap_peer.py" "$LAB/peers" 10389
wait_for 10 test -f "$LAB/peers" || lab_die "the peers are up"
# account SENTENCE CODE PATTERN: the peer answers the person's bind by CODE.
account() {
    printf 'secret\n' | "$PROVOST_BUILD/tools/provostctl" -c "$LAB/other.conf" \
        why "case-bind-$2@example.org" --password-stdin >"$LAB/out" 2>&1
    status=$?
    like "$1" "$(cat "$LAB/out")" "$3"
    is "and it is an error" "$status" 69
}
sed "s/host = \"127.0.0.1\"; port = [0-9]*; use_tls = true/host = \"$(awk '$1 == "fake" { print $2 }' "$LAB/peers")\"; port = 10389; use_tls = false; allow_cleartext = true/" \
    "$LAB/provost.conf" >"$LAB/other.conf"
account "Active Directory's 775, in words" ad-775 'error +account +the directory says: the account is locked'
account "its 533" ad-533 'error +account +the directory says: the account is disabled'
account "its 532" ad-532 'error +account +the directory says: the password has expired'
account "its 773" ad-773 'error +account +the directory says: the password has to be changed'
account "its 701" ad-701 'error +account +the directory says: the account has expired'
account "its 530" ad-530 'error +account +the directory says: logon is not allowed at this hour'
account "its 531" ad-531 'error +account +the directory says: logon is not allowed from this workstation'
verdict "final for the client" '535 .*not_from_here'
account "its 52e is a wrong password" ad-52e 'error +password +wrong_password'
account "a password policy's word" ppolicy-1 'error +account +the directory says: the account is locked'
account "a bind without an answer is temporary" code-80 'verdict .*454 .*no_answer'
like "and the password is not judged" "$(cat "$LAB/out")" '^- +password +not reached'
lab_stop peers

# ------------------------------------------------------- a directory's test --

lab_provostctl directory test corp >"$LAB/out" 2>&1
is "a directory in order is in order" "$?" 0
like "it counts people" "$(cat "$LAB/out")" 'ok +people +1[0-9] match in 1 pages'
like "and templates" "$(cat "$LAB/out")" 'ok +template +[0-9]+ map to default'
like "and who gets none" "$(cat "$LAB/out")" 'warning +template +1 map to no template'
like "and who has no address here" "$(cat "$LAB/out")" 'warning +domains|ok +people'
like "it tells of paging" "$(cat "$LAB/out")" 'paged results yes, syncrepl (yes|no)'
is "its JSON can be parsed" "$(lab_provostctl directory test --json | "$LAB_PYTHON" -c 'import json, sys; print(len(json.load(sys.stdin)) > 5)')" True
lab_provostctl directory show ada@example.org >"$LAB/out"
like "an entry is shown" "$(cat "$LAB/out")" '^otherMailbox +default'
like "with its template" "$(cat "$LAB/out")" '^template +default'
lab_provostctl directory show nobody@example.org >"$LAB/out" 2>&1
is "who is not there is not there" "$?" 67
lab_ldap_set bob displayName "$(printf 'Bob\033[2J')"
unlike "no control byte of the directory gets through" "$(lab_provostctl directory show bob@example.org | cat -v)" '\^\['

unlike "nor through why" "$(lab_provostctl why bob@example.org | cat -v)" '\^\['
lab_ldap_set frank otherMailbox "$(printf 'un\033[2Jmapped')"
lab_provostctl why frank@example.org >"$LAB/out"
like "a hostile value is shown escaped" "$(cat "$LAB/out")" 'error +mapping +nothing maps: otherMailbox is "un\\\\?.*mapped"'
unlike "and not as it is" "$(cat -v "$LAB/out")" '\^\['
is "in JSON it is whole" "$(lab_provostctl why frank@example.org --json |
    "$LAB_PYTHON" -c 'import json, sys; print(any("un\33[2Jmapped" in row["text"] for row in json.load(sys.stdin)))')" True

# Certificates: over, and for another name. A size limit of the service.
lab_slapd_stop
(
    cd "$LAB/tls" || exit 1
    cp cert.pem good.pem
    printf 'subjectAltName=DNS:other.example.org\n' >ext2
    openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -days 2 -extfile ext2 -out cert.pem
) >/dev/null 2>&1
lab_slapd_start
lab_provostctl directory test >"$LAB/out" 2>&1
like "a certificate for another name" "$(cat "$LAB/out")" 'error +TLS +127.0.0.1: certificate for other.example.org.*mismatch'
like "the fix says which" "$(cat "$LAB/out")" "to do: +write one of the certificate's names"
lab_slapd_stop
(
    cd "$LAB/tls" || exit 1
    openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -days -1 -extfile ext -out cert.pem
) >/dev/null 2>&1
lab_slapd_start
lab_provostctl directory test >"$LAB/out" 2>&1
like "a certificate that is over" "$(cat "$LAB/out")" 'error +TLS +127.0.0.1: .*-[0-9]+ days left: certificate has expired'
lab_slapd_stop
cp "$LAB/tls/good.pem" "$LAB/tls/cert.pem"
sed -i 's/size=unlimited/size=3/' "$LAB/slapd-main/slapd.conf"
lab_slapd_start
lab_provostctl directory test >"$LAB/out" 2>&1
like "a size limit is found" "$(cat "$LAB/out")" 'error +size limit .*gives .* no more entries'
like "and what lifts it" "$(cat "$LAB/out")" 'to do: +lift the server.s size limit for bind_dn'

# Active Directory writes lengths in the long form.
cat >"$LAB/long.py" <<'PYTHON'
import socket, sys
s = socket.socket()
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(5)
while True:
    c, _ = s.accept()
    c.recv(1000)
    c.sendall(bytes.fromhex("308400000010020101788400000007" "0a01350400" "0400"))
    c.close()
PYTHON
long=$(lab_port)
lab_start long "$LAB_PYTHON" "$LAB/long.py" "$long"
wait_for 5 lab_port_open "$long"
edit "s/host = \"127.0.0.1\"; port = [0-9]*/host = \"127.0.0.1\"; port = $long/"
other "an answer in the long form is read" 'error +TLS +127.0.0.1: StartTLS is refused: Server is unwilling to perform' directory test

lab_mariadb_stop
gate "a database that is down" 'error +database +' ada@example.org
verdict "is temporary" '454 '
lab_done
