#!/bin/sh
# scram.sh - SCRAM at Postfix for people with a local password, and for no others
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin scram
lab_slapd
lab_mariadb
LAB_LDAP=ldapi
LAB_CONF_AUTH="keys_secret_file = \"$LAB/secrets/keys\";"
lab_secret keys 'random letters, the same on all hosts'
lab_config
# No answer is to come soon.
sed -i 's|^store = {|& timeout = "1s";|' "$LAB/provost.conf"
# Before there is a socket of keys, a password is hashed as usual.
cp "$LAB/provost.conf" "$LAB/without.conf"
sed -i "s|sockets = (|& { path = \"$(lab_jail_path keys)\"; kind = \"keys\"; mode = \"0666\"; allowed = [ \"postfix\" ]; },|" "$LAB/provost.conf"
lab_schema
lab_domain example.org --max-mailboxes 50
for who in lena otto; do
    lab_provostctl mailbox add "$who@example.org" --source local --password-stdin <<PASSWORD >>"$LAB/log/add.log" 2>&1 ||
$who-secret
PASSWORD
        lab_die "a local mailbox can be made"
done
hash_of() {
    lab_sql "SELECT password FROM mailbox WHERE address = '$1'"
}
set_password() { # ADDRESS PASSWORD [CONFIGURATION]
    printf '%s\n' "$2" | "$PROVOST_BUILD/tools/provostctl" -c "${3:-$LAB/provost.conf}" \
        password set "$1" --password-stdin >"$LAB/log/password.log" 2>&1
}
like "a mailbox that is made with a password has keys" "$(hash_of otto@example.org)" '^\{SCRAM-SHA-256\}15000,'
set_password lena@example.org lena-secret || lab_die "a password can be set"
like "a password that is set has keys" "$(hash_of lena@example.org)" '^\{SCRAM-SHA-256\}15000,'
set_password otto@example.org otto-secret "$LAB/without.conf"
like "where no socket gives keys away, none are made" "$(hash_of otto@example.org)" '^\{CRYPT\}\$y\$'

# ----------------------------------------------------- who gets the keys --

lab_authd
keys() { # USER WHO [OPTION...]: what the socket of keys says to the user of the host
    keys_user=$1 keys_who=$2
    shift 2
    setpriv --reuid="$keys_who" --regid="$(id -g "$keys_who")" --clear-groups "$LAB_PYTHON" "$lab_tree/tests/lib/saslauthd.py" \
        --socket "$(lab_jail_path keys)" --user "$keys_user" "$@"
}
like "smtpd's user gets keys" "$(keys lena@example.org postfix)" '^OK lena@example.org SCRAM-SHA-256\$15000:[A-Za-z0-9+/=]*\$[A-Za-z0-9+/=]*:[A-Za-z0-9+/=]*$'
unlike "another user of the host gets none" "$(keys lena@example.org nobody)" 'OK|SCRAM'
like "which the log says" "$(cat "$LAB/log/authd.log")" 'closing a connection of a user who is not allowed: .*uid='"$(id -u nobody)"
unlike "a socket of logins never gives them" "$(lab_auth lena@example.org ''; lab_auth lena@example.org lena-secret)" SCRAM
for who in otto@example.org ada@example.org nobody@example.org; do
    like "$who has a decoy" "$(keys $who postfix)" "^OK $who SCRAM-SHA-256\\\$15000:"
    is "$who always has the same" "$(keys $who postfix)" "$(keys $who postfix)"
done
unlike "nobody's password is in them" "$(keys lena@example.org postfix)" 'lena-secret'
is "the keys are those of the hash" "$(keys lena@example.org postfix | sed 's/.*\$15000:/{SCRAM-SHA-256}15000,/; s/[$:]/,/g')" "$(hash_of lena@example.org)"
# A reload takes no socket of logins for one of keys, which any peer could open.
cp "$LAB/provost.conf" "$LAB/before.conf"
sed -i "s|{ path = \"$LAB/run/authd\";|& kind = \"keys\"; allowed = [ \"postfix\" ];|" "$LAB/provost.conf"
lab_signal authd HUP
reloaded() { grep -q 'stay as they are until a restart' "$LAB/log/authd.log"; }
check "to give keys away takes a restart" wait_for 10 reloaded
unlike "until then the socket is one of logins" "$(lab_auth lena@example.org lena-secret; lab_auth lena@example.org '')" SCRAM
cp "$LAB/before.conf" "$LAB/provost.conf"
lab_signal authd HUP
sed 's/allowed = \[ "postfix" \]; //' "$LAB/provost.conf" >"$LAB/open.conf"
like "a socket of keys that names nobody is refused" "$(lab_provostctl -c "$LAB/open.conf" config check 2>&1)" 'auth.sockets.allowed: .*name who may have'

# ------------------------------------------------------------- at Postfix --

lab_postfix_make
lab_snippet conf/postfix/sasl/scram.conf >"$LAB/postfix/sasl/smtpd.conf"
lab_postfix_start
scram() { # USER PASSWORD [OPTION...]
    scram_user=$1 scram_password=$2
    shift 2
    lab_smtp plugin "$scram_user" "$scram_password" --mech SCRAM-SHA-256 "$@"
}
code() {
    scram "$@" | cut -c1-3
}
is "Postfix offers it with the page of conf/" "$(lab_smtp plugin lena x --features | grep '^AUTH' | tr ' ' '\n' | sort | tr '\n' ' ')" "AUTH LOGIN PLAIN SCRAM-SHA-256 "
is "a local person logs in by SCRAM" "$(code lena@example.org lena-secret)" 235
is "a wrong password is 535" "$(code lena@example.org other-secret)" 535
is "PLAIN takes the same password" "$(lab_smtp_code plugin lena@example.org lena-secret)" 235
is "and no other" "$(lab_smtp_code plugin lena@example.org other-secret)" 535
is "who sends is known by the name" "$(scram lena@example.org lena-secret --send lena@example.org lena@example.org | cut -c1-3 | tr '\n' ' ')" "235 250 "
is "a person of the directory does not, with the right password" "$(code ada@example.org ada-secret)" 535
is "whose bind is not bypassed: PLAIN asks the directory" "$(lab_smtp_code plugin ada@example.org ada-secret)" 235
is "nor does one whose password has no keys" "$(code otto@example.org otto-secret)" 535
is "nor nobody" "$(code nobody@example.org x)" 535
for who in lena ada otto nobody; do
    scram $who@example.org x --challenge | sed 's/s=.*/s=/' >"$LAB/$who"
done
is "known and unknown people look alike: the same steps, rounds and code" \
    "$(cat "$LAB/ada" "$LAB/otto" "$LAB/nobody" | sort -u)" "$(sort -u "$LAB/lena")"
is "and the salt is always the same" "$(scram nobody@example.org x --challenge)" "$(scram nobody@example.org y --challenge)"
is "also in the words of the refusal" "$(scram nobody@example.org x)" "$(scram lena@example.org x)"
is "also after a restart of authd" "$(a=$(scram nobody@example.org x --challenge); lab_authd_stop; lab_authd; [ "$a" = "$(scram nobody@example.org x --challenge)" ] && echo same)" same

lab_provostctl mailbox block lena@example.org >>"$LAB/log/add.log" 2>&1
is "who is blocked is refused" "$(code lena@example.org lena-secret)" 535
lab_provostctl mailbox unblock lena@example.org >>"$LAB/log/add.log" 2>&1
is "until the block is lifted" "$(code lena@example.org lena-secret)" 235
set_password lena@example.org new-secret
is "an old password is refused at once" "$(code lena@example.org lena-secret)" 535
is "the new one is taken" "$(code lena@example.org new-secret)" 235
set_password lena@example.org 'pässword'
like "letters of which clients make different bytes have no keys, and it is said" "$(cat "$LAB/log/password.log")" 'no SCRAM keys'
is "PLAIN takes them" "$(lab_smtp_code plugin lena@example.org 'pässword')" 235
set_password lena@example.org lena-secret

lab_mariadb_stop
is "without the database it is 454" "$(code lena@example.org lena-secret)" 454
is "for nobody, too" "$(code nobody@example.org x)" 454
lab_mariadb_start
wait_for 10 test "$(code lena@example.org lena-secret)" = 235
is "and 235 when it is back" "$(code lena@example.org lena-secret)" 235
lab_authd_stop
is "without authd it is 454" "$(code lena@example.org lena-secret)" 454
lab_authd

# --------------------------------------------------------- turned off again --

sed -i '/provost_auxprop/d' "$LAB/postfix/sasl/smtpd.conf"
lab_postfix_reload
is "without provost_auxprop there are no keys" "$(code lena@example.org lena-secret)" 535
is "and PLAIN goes on" "$(lab_smtp_code plugin lena@example.org lena-secret)" 235

# Another program, with a database of its own, and the plugin in its directory.
printf 'carl-secret' | saslpasswd2 -p -c -f "$LAB/sasldb" -u example.net carl >>"$LAB/log/sasldb.log" 2>&1 ||
    lab_die "saslpasswd2 makes a database"
neighbour() { # OPTION...: a login of carl at a program that knows nothing of Provost
    printf '%s\n' "$(printf '\0carl@example.net\0carl-secret' | base64)" |
        "$PROVOST_BUILD/tests/integration/sasl_host" -p "$1" -o pwcheck_method=auxprop \
            -o sasldb_path="$LAB/sasldb" PLAIN 2>&1 | grep -v ^took_ms
}
like "another program still finds people in its own database" "$(neighbour "$LAB/sasl2:$(lab_sasl_dir)")" '^result OK|^result 0'
is "and sees no change at all" "$(neighbour "$LAB/sasl2:$(lab_sasl_dir)")" "$(neighbour "$(lab_sasl_dir)")"

unlike "no password and no key is in any log" "$(cat "$LAB"/log/*.log)" "lena-secret|new-secret|$(hash_of lena@example.org | cut -d, -f3 | tr '+' '.')"
lab_done
