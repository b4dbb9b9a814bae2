#!/bin/sh
# store.sh - the store on a private MariaDB
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin store
lab_mariadb

STORE_PASSWORD=$LAB_STORE_PASSWORD
export STORE_PASSWORD

# part NAME...: runs parts of the test program and counts their lines.
part() {
    "$PROVOST_BUILD/tests/integration/store_test" "$LAB/run/mariadb.sock" \
        "$lab_tree/conf/schema" "$@" >"$LAB/log/part.log" 2>&1
    part_status=$?
    cat "$LAB/log/part.log"
    lab_passed=$((lab_passed + $(grep -c '^ok - ' "$LAB/log/part.log")))
    lab_failed=$((lab_failed + $(grep -c '^not ok - ' "$LAB/log/part.log")))
    [ "$part_status" -eq 0 ] || grep -q '^not ok - ' "$LAB/log/part.log" ||
        not_ok "store_test $* ends well" "status $part_status"
}

MARIADB_PID=$(lab_pid mariadb)
export MARIADB_PID
part migrate find create limits update aliases rename names domains events history \
    logins versions lost_commit race deadlock busy hang

# Postfix's lookups, by Postfix's own program and user, with the files of
# conf/postfix. look MAP KEY: what it answers, "" for nothing.
look() {
    lab_snippet "conf/postfix/$1.cf" >"$LAB/postfix/$1.cf"
    setpriv --reuid=postfix --regid=postfix --clear-groups \
        postmap -c "$LAB/postfix" -q "$2" "mysql:$LAB/postfix/$1.cf" || :
}

mkdir "$LAB/postfix"
printf 'compatibility_level = 3.6\nmyhostname = mail.example.org\nsmtputf8_enable = yes\n' >"$LAB/postfix/main.cf"
lab_grants
part views
idn=xn--bcher-kva.example
for domain in views.example alias-of-views.example "$idn" bücher.example; do
    is "$domain is ours" "$(look virtual_mailbox_domains "$domain")" \
        "$(echo "$domain" | sed "s/alias-of-//; s/bücher.*/$idn/")"
done
is "a strange domain is not" "$(look virtual_mailbox_domains other.example)" ""
is "a mailbox has a path" "$(look virtual_mailbox_maps anna@views.example)" "somewhere/"
is "also by an alias domain" "$(look virtual_mailbox_maps anna@alias-of-views.example)" "somewhere/"
is "also by the U-label" "$(look virtual_mailbox_maps "jürgen@bücher.example")" "somewhere/"
is "a quote in a name does no harm" "$(look virtual_mailbox_maps "o'hara@views.example")" "somewhere/"
is "nor does an injection" "$(look virtual_mailbox_maps "x' OR '1'='1@views.example")" ""
is "nobody has no path" "$(look virtual_mailbox_maps nobody@views.example)" ""
is "a mailbox that is off takes no mail" "$(look virtual_mailbox_maps off@views.example)" ""
is "nor does its alias" "$(look virtual_alias_maps off.alias@views.example)" ""
is "one that is blocked for logins does" "$(look virtual_mailbox_maps blocked@views.example)" "somewhere/"
is "a mailbox leads to itself" "$(look virtual_alias_maps anna@views.example)" "anna@views.example"
is "an alias leads to the mailbox" "$(look virtual_alias_maps a@views.example)" "anna@views.example"
is "in the alias domain as well" "$(look virtual_alias_maps a@alias-of-views.example)" "anna@views.example"
is "UTF-8 comes back as it was" "$(look virtual_alias_maps "jürgen@$idn")" "jürgen@$idn"
is "an expired alias leads nowhere" "$(look virtual_alias_maps expired@views.example)" ""
is "the owner may send as the mailbox" "$(look smtpd_sender_login_maps anna@views.example)" "anna@views.example"
is "and as the alias, and who was given the domain" \
    "$(look smtpd_sender_login_maps a@views.example | tr , '\n' | sort | tr '\n' ' ')" \
    "anna@views.example "
is "a right for a whole domain counts for each address" \
    "$(look smtpd_sender_login_maps "any@$idn")" "anna@views.example"
is "nobody may send as a stranger" "$(look smtpd_sender_login_maps x@other.example)" ""
is "tls_enforce_out chooses the transport" "$(look tls_enforce_out tls@views.example)" "smtp_enforced_tls:"
is "tls_enforce_out leaves others alone" "$(look tls_enforce_out anna@views.example)" ""
is "tls_enforce_in refuses plain text" "$(look tls_enforce_in tls@views.example)" "reject_plaintext_session"
is "for an alias as well" "$(look tls_enforce_in tls.alias@views.example)" "reject_plaintext_session"
is "tls_enforce_in leaves others alone" "$(look tls_enforce_in anna@views.example)" ""
is "Postfix cannot read a hash" "$(mariadb --no-defaults \
    --socket="$LAB/run/mariadb.sock" --user=postfix -N -B -e 'SELECT 1' 2>&1 | grep -c denied)" 1
is "a mailbox has its Dovecot rule" "$(lab_sql "SELECT user, quota_rule FROM dovecot_user WHERE asked = 'alias-of-views.example' AND local_part = 'anna'")" \
    "$(printf 'anna@views.example\t*:bytes=1073741824')"

# Killed and started again, while mailboxes are being made. What was written is
# to be on the disk: the server syncs each commit, as it does by default.
kill_and_restart() {
    for seconds in 1.5 1 2; do
        sleep "$seconds"
        lab_stop mariadb KILL
        lab_mariadb_start
    done
}
kill_and_restart &
killer=$!
part outage
wait "$killer"

# By TCP: first a server without TLS, then one with it. The account wants TLS.
lab_sql "CREATE USER provost@127.0.0.1 IDENTIFIED BY '$LAB_STORE_PASSWORD';
    GRANT ALL ON provost.* TO provost@127.0.0.1"
lab_ca
STORE_PORT=$(lab_port)
STORE_CA=$LAB/tls/ca.pem
STORE_WRONG_CA=$LAB/tls/wrong.pem
export STORE_PORT STORE_CA STORE_WRONG_CA
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$LAB/tls/wrong.key" \
    -out "$STORE_WRONG_CA" -subj "/CN=Lab CA" -days 2 2>/dev/null

by_tcp() {
    lab_mariadb_stop
    # shellcheck disable=SC2046
    lab_start mariadb mariadbd --no-defaults $(lab_mariadb_user) \
        --datadir="$LAB/mariadb" --socket="$LAB/run/mariadb.sock" \
        --bind-address=127.0.0.1 --port="$STORE_PORT" --skip-name-resolve \
        --innodb-log-file-size=16M --innodb-use-native-aio=OFF "$@"
    LAB_DB='' wait_for 30 lab_sql "SELECT 1" || lab_die "MariaDB answers by TCP"
}

by_tcp --skip-ssl
part cleartext hosts
by_tcp --ssl-cert="$LAB/tls/cert.pem" --ssl-key="$LAB/tls/key.pem" --ssl-ca="$STORE_CA"
lab_sql "ALTER USER provost@127.0.0.1 REQUIRE SSL"
part tls

lab_done
