#!/bin/sh
# demo.sh - a person in the directory sends and reads mail, on private servers
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: sudo sh tests/demo.sh [--yes] [--keep]
#   --yes   installs packages also on a host that has a mail server
#   --keep  leaves the servers running, with commands to try
#
# A slapd, a MariaDB, a Dovecot and a Postfix with a chrooted submission service
# run below one temporary directory, on 127.0.0.1 and unix sockets. Nothing of
# the host's own configuration is read or written; at the end nothing is left.
# The build is kept in build-demo/, so that the second run starts at once.
set -u
umask 022
LC_ALL=C
export LC_ALL
unset LAB LAB_KEEP PROVOST_BUILD PROVOST_TREE PROVOST_PLUGIN CFLAGS MAKEFLAGS 2>/dev/null
cd "$(dirname "$0")/.." || exit 1
tree=$PWD

yes='' keep=''
for argument; do
    case $argument in
    --yes) yes=--yes ;;
    --keep) keep=1 ;;
    *)
        sed -n '5,7s/^# \{0,1\}//p' "$0"
        exit 64
        ;;
    esac
done
[ "$(id -u)" -eq 0 ] || {
    echo "demo.sh: Postfix needs root, also a private one; run: sudo sh tests/demo.sh"
    exit 1
}
began=$(date +%s)
# shellcheck disable=SC2086
sh tests/lib/packages.sh $yes demo || exit 1

# ------------------------------------------------------------------- build --

# shellcheck source=tests/lib/tree.sh
. tests/lib/tree.sh
build=$tree/build-demo
demo_build() {
    tree_copy "$build/src" && cd "$build/src" || return 1
    [ -x configure ] || ./autogen.sh || return 1
    [ -f Makefile ] || ./configure --quiet CFLAGS='-O1 -g' || return 1
    make -s -j"$(nproc)"
}
echo "Building Provost in build-demo/ ..."
mkdir -p "$build"
if ! (demo_build) >"$build/log" 2>&1; then
    tail -n 20 "$build/log"
    echo "demo.sh: the build failed (all of it: build-demo/log)"
    exit 1
fi
# What root builds in somebody's tree is theirs to remove.
chown -R "$(stat -c %u:%g "$tree")" "$build"

# ------------------------------------------------------- the story's tools --

PROVOST_BUILD=$build/src
PROVOST_TREE=$tree
# shellcheck source=tests/lib/lab.sh
. tests/lib/lab.sh
[ -z "$keep" ] || LAB_SETSID=setsid
lab_begin demo

steps=0
held=0
step_failed=0
marks=0

# step TITLE: the one before is over.
step() {
    end_step
    steps=$((steps + 1))
    step_failed=$lab_failed
    printf '\n%2d. %s\n' "$steps" "$1"
}

end_step() {
    [ "$steps" -gt 0 ] || return 0
    [ "$lab_failed" -ne "$step_failed" ] || held=$((held + 1))
}

# The lab's verdicts, the way a story tells them.
ok() {
    lab_passed=$((lab_passed + 1))
    printf '    held: %s\n' "$1"
}
not_ok() {
    lab_failed=$((lab_failed + 1))
    printf '    DID NOT HOLD: %s\n' "$1"
    [ -z "${2:-}" ] || printf '%s\n' "$2" | sed 's/^/        /'
}

tell() {
    printf '    %s\n' "$@"
}

# talk DOOR USER PASSWORD WANTED [OPTION...]: the dialogue, and its last code.
talk() {
    talk_door=$1 talk_user=$2 talk_password=$3 talk_wanted=$4
    shift 4
    said=$(lab_smtp "$talk_door" "$talk_user" "$talk_password" --transcript "$@" 2>"$LAB/dialogue")
    sed -n '/C: AUTH/,$p' "$LAB/dialogue" | grep -v -e 'C: QUIT' -e 'S: 221'
    is "$talk_user is answered $talk_wanted" "$(printf '%s\n' "$said" | tail -n 1 | cut -c1-3)" "$talk_wanted"
}

# rows SELECT: with a heading, indented.
rows() {
    mariadb --no-defaults --socket="$LAB/run/mariadb.sock" --user=root -t -e "$1" provost |
        sed 's/^/      /'
}
mailboxes() {
    rows "SELECT address, directory, template, quota DIV 1073741824 AS quota_gib, mail_path FROM mailbox"
}

# What authd wrote since the last look.
authd_says() {
    tail -n +$((marks + 1)) "$LAB/log/authd.log" | grep -E "$1" | tail -n "${2:-1}" |
        sed 's/^/      authd: /'
    marks=$(wc -l <"$LAB/log/authd.log")
}

snapshot() {
    lab_sql "SELECT * FROM mailbox; SELECT * FROM alias; SELECT * FROM domain; SELECT * FROM event WHERE kind NOT IN ('wrong', 'refused', 'temporary') ORDER BY id"
}

touched() {
    find /etc/postfix /etc/ldap /etc/mysql /etc/dovecot /etc/sasldb2 /var/spool/postfix \
        /var/lib/mysql /var/lib/ldap /var/lib/dovecot /run/dovecot -newer "$LAB/began" 2>/dev/null
}

# ----------------------------------------------------------------- Dovecot --

# A file of conf/dovecot with this lab's paths and owner of mailboxes.
dovecot_snippet() {
    sed -e "s,/run/provost/dovecot,$LAB/run/authd,g" \
        -e "s,/run/mysqld/mysqld.sock,$LAB/run/mariadb.sock,g" \
        -e "s,/etc/dovecot/,$LAB/dovecot/,g" -e "s,/var/vmail/,$LAB/mail/,g" \
        -e "s,5000 AS uid,$(id -u nobody) AS uid," \
        -e "s,5000 AS gid,$(id -g nobody) AS gid," "$tree/conf/dovecot/$1"
}

dovecot_main() {
    cat <<CONF
base_dir = $LAB/run/dovecot
state_dir = $LAB/dovecot/state
log_path = $LAB/log/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <$LAB/tls/cert.pem
ssl_key = <$LAB/tls/key.pem
# Dovecot delays who fails: not in a demo.
auth_failure_delay = 0
mail_location = maildir:~
service imap-login {
  inet_listener imap {
    port = $imap_port
  }
  inet_listener imaps {
    port = 0
  }
}
userdb {
  driver = sql
  args = $LAB/dovecot/dovecot-sql.conf.ext
}
# MariaDB knows the user dovecot, and no other, as one that may ask.
service auth-worker {
  user = dovecot
}
!include auth.conf
CONF
}

demo_dovecot() {
    imap_port=$(lab_port)
    mkdir -p "$LAB/dovecot/state" "$LAB/run/dovecot"
    dovecot_main >"$LAB/dovecot/dovecot.conf"
    for file in auth.conf provost.lua dovecot-sql.conf.ext; do
        dovecot_snippet $file >"$LAB/dovecot/$file"
    done
    lab_sql "$(cat "$tree/conf/dovecot/grants.sql")" || lab_die "Dovecot gets its rights in the database"
    lab_start dovecot dovecot -F -c "$LAB/dovecot/dovecot.conf"
    wait_for 15 lab_port_open "$imap_port" || lab_die "Dovecot opens its port"
}

# imap USER PASSWORD [OPTION...]: the reply to the login, and to each --do.
imap() {
    "$LAB_PYTHON" "$tree/tests/lib/mail_login.py" imap "$@" --port "$imap_port" | tr -d '\r'
}

# --------------------------------------------------------------- the story --

echo
echo "A person in the directory sends and reads mail. Everything is below $LAB."
touch "$LAB/began"

step "A directory, a MariaDB, authd and a Postfix start, all private"
lab_slapd
lab_mariadb
LAB_CONF_DEFAULT='rate_limit = "20/1h";'
LAB_CONF="policy = {
  $(lab_policy_listen) account_ttl = \"0\";
  rules = ( { rule = \"send_rate\"; }, { rule = \"sender_login\"; } );
};"
lab_config
lab_schema
lab_domain example.org --max-mailboxes 2 --quota 20G --max-quota 10G
lab_authd
lab_policyd
lab_postfix_make
lab_postfix_policy
lab_postfix_start
tell "directory  ldap://127.0.0.1:$(lab_slapd_port) (StartTLS), people below $LAB_PEOPLE" \
    "MariaDB    $LAB/run/mariadb.sock" \
    "smtpd      127.0.0.1:$LAB_PLUGIN_PORT, logins through libprovost.so" \
    "smtpd      127.0.0.1:$LAB_STOCK_PORT, logins through libsasl2's own saslauthd client" \
    "smtpd      127.0.0.1:$LAB_MX_PORT, mail from outside, asks provost-policyd" \
    "$ provostctl domain list"
lab_provostctl domain list | sed 's/^/      /'
is "there is no mailbox yet" "$(lab_sql 'SELECT COUNT(*) FROM mailbox')" 0
tell "up after $(($(date +%s) - began)) s"

step "smtpd lives in a jail, and takes no password outside TLS"
check "a connection is answered" lab_smtp plugin x x --features
pid=$(pgrep -P "$(lab_pid postfix)" -x smtpd | head -n 1)
tell "smtpd's root is $(readlink "/proc/$pid/root")"
is "its root is the queue directory" "$(readlink "/proc/$pid/root")" "$LAB/spool"
tell "without TLS:"
is "AUTH before STARTTLS is refused" "$(lab_smtp_code plugin ada@example.org ada-secret --no-tls)" 530
tell "with TLS: $(lab_smtp plugin x x --features | grep '^AUTH')"

step "Ada mistypes her password"
talk plugin ada@example.org not-her-password 535
authd_says 'user=ada'
is "that made no mailbox" "$(lab_sql 'SELECT COUNT(*) FROM mailbox')" 0

step "Ada logs in for the first time, with her directory password"
talk plugin ada@example.org ada-secret 235
authd_says 'user=ada'
mailboxes
is "her mailbox exists, from the template \"default\", 5 GiB" \
    "$(lab_sql "SELECT address, template, quota FROM mailbox")" "$(printf 'ada@example.org\tdefault\t5368709120')"
is "the domain's limits count it" \
    "$(lab_sql "SELECT mailboxes_used, quota_allotted FROM domain")" "$(printf '1\t5368709120')"

step "Ada sends herself a message"
talk plugin ada@example.org ada-secret 250 --send ada@example.org ada@example.org --text "hello, me"
arrived() {
    grep -rqs 'hello, me' "$LAB/mail/example.org/ada/new"
}
check "it lies in her new mailbox" wait_for 15 arrived
tell "$(find "$LAB/mail/example.org/ada/new" -type f)"
is "she cannot send as somebody else" \
    "$(lab_smtp plugin ada@example.org ada-secret --send boss@example.org ada@example.org | tail -n 1 | cut -c1-3)" 553

step "A private Dovecot: Ada reads the message over IMAP, with the same password"
demo_dovecot
tell "IMAP       127.0.0.1:$imap_port (STARTTLS), logins by conf/dovecot/provost.lua"
said=$(imap ada@example.org not-her-password)
tell "wrong password: $said"
like "a wrong password is called one" "$said" '^NO \[AUTHENTICATIONFAILED\]'
said=$(imap ada@example.org ada-secret --do 'SELECT INBOX' \
    --do 'FETCH 1 (BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)] BODY[TEXT])')
printf '%s\n' "$said" | grep -E '^OK|EXISTS|^From|^Subject|hello' | sed 's/\[CAPABILITY[^]]*\] //; s/^/      /'
authd_says 'user=ada' 2
like "the right one is let in" "$said" '^OK .*Logged in'
like "there is one message" "$said" '^\* 1 EXISTS'
like "and it is the one that she sent" "$said" 'hello, me'

step "Ada logs in again, and by her uid: nothing is written"
before=$(snapshot)
talk plugin ada@example.org ada-secret 235
talk plugin ada ada-secret 235 --mech LOGIN
authd_says 'user=ada' 2
is "no row of mailbox, alias, domain or event changed" "$(snapshot)" "$before"

step "The administrator gives the template 8 GiB; the next login applies it"
sed -i 's/quota = "5G"/quota = "8G"/' "$LAB/provost.conf"
lab_signal authd HUP
sleep 1
talk plugin ada@example.org ada-secret 235
authd_says 'user=ada'
mailboxes
is "her quota is 8 GiB now" "$(lab_sql "SELECT quota FROM mailbox")" 8589934592
rows "SELECT at, kind, who, address, before_json, after_json FROM event WHERE kind = 'update'"

step "Bob takes the other door: libsasl2's own modules, no code of ours in smtpd"
talk stock bob@example.org wrong 535
talk stock bob@example.org bob-secret 235 --mech LOGIN
authd_says 'user=bob@example.org' 2
mailboxes
is "his mailbox exists" "$(lab_sql "SELECT COUNT(*) FROM mailbox WHERE address = 'bob@example.org'")" 1

step "The domain has two places, and both are taken: Carol is asked to wait"
talk plugin carol@example.org carol-secret 454
authd_says 'carol'
talk stock carol@example.org carol-secret 454
is "no mailbox for her" "$(lab_sql "SELECT COUNT(*) FROM mailbox")" 2
tell "$ provostctl domain edit example.org --max-mailboxes 10 --quota 100G"
check "the domain grows" lab_provostctl domain edit example.org --max-mailboxes 10 --quota 100G
talk plugin carol@example.org carol-secret 235
lab_provostctl domain list | sed 's/^/      /'

step "Frank cannot log in, and one command says why"
talk plugin frank@example.org frank-secret 454
tell "$ provostctl why frank@example.org"
lab_provostctl why frank@example.org 2>&1 | grep -E '^(error|warning)|to do:' | sed 's/^/      /'
like "nothing maps to a template" "$(lab_provostctl why frank@example.org)" 'error +mapping +nothing maps'

# What policyd wrote last of a rule.
policyd_says() {
    grep "rule=$1" "$LAB/log/policyd.log" | tail -n 1 | sed 's/^/      policyd: /'
}

step "Ada's mailbox is full: mail for her is refused while it is at the door"
lab_sql "REPLACE INTO quota2 (username, bytes, messages) VALUES ('ada@example.org', 8588000000, 9000)"
said=$(lab_send --declare 5000000 ada@example.org bob@example.org)
printf '%s\n' "$said" | sed 's/^/      /'
like "the message does not fit into hers" "$said" 'rcpt ada@example.org 452 4\.2\.2'
like "and is taken for Bob" "$said" 'rcpt bob@example.org 250'
policyd_says mailbox_quota
tell "$ provostctl policy explain --recipient ada@example.org --size 5M"
lab_provostctl policy explain --recipient ada@example.org --size 5M | grep -E 'RULE|_quota|answer' | sed 's/^/      /'
lab_sql "DELETE FROM quota2"

step "Somebody has Bob's password and sends in a burst: twenty an hour are twenty"
said=$(lab_submit bob --from bob@example.org --times 25 ada@example.org)
printf '%s\n' "$said" | sed 's/queued as.*/queued/' | uniq -c | sed 's/ last / times: /'
is "20 went out" "$(printf '%s\n' "$said" | grep -c 'last 250')" 20
like "the others wait" "$(printf '%s\n' "$said" | tail -n 1)" 'last 450 4\.7\.1'
policyd_says send_rate
like "nobody sends under another name" "$(lab_submit carol --from ada@example.org bob@example.org)" '553 5\.7\.1'

run_sync() {
    "$PROVOST_BUILD/tools/provost-sync" -c "$LAB/provost.conf" "$@" 2>&1
}

step "The others are in the directory too: a plan shows them, a run makes them"
sed -i 's/quota_field = "mailQuota";/& import_users = true; periodic_full_sync = true;/' "$LAB/provost.conf"
tell "$ provost-sync plan"
said=$(run_sync plan)
printf '%s\n' "$said" | sed 's/^/      /'
like "Dan would get a mailbox" "$said" '^\+ dan@example.org'
like "Frank is refused, with the reason" "$said" '^! frank@example.org.*no_template'
like "Grace's template is over a limit of the domain" "$said" '^! grace@example.org.*max_quota'
run_sync | sed 's/^/      /'
is "Dan and Eve have mailboxes, and never logged in" \
    "$(lab_sql "SELECT GROUP_CONCAT(address ORDER BY address) FROM mailbox WHERE address NOT LIKE 'ada@%' AND address NOT LIKE 'bob@%' AND address NOT LIKE 'carol@%'")" \
    "dan@example.org,e.ve@example.org"

step "Eve marries: her mailbox follows, and the old address leads to it"
lab_ldap_set eve mail eve.west@example.org
run_sync plan | grep '^>' | sed 's/^/      /'
run_sync >/dev/null
rows "SELECT address, name, mail_path FROM mailbox WHERE name = 'Eve Arden'"
is "mail to the old address reaches her" "$(lab_sql "SELECT targets FROM postfix_alias WHERE asked = 'example.org' AND local_part = 'e.ve'")" eve.west@example.org

step "Dan leaves: not at once, but then he cannot log in, and his mail is kept"
echo 'sync = { missing_runs = 2; missing_for = "0"; on_missing = "suspend"; canary = "ada@example.org"; };' >>"$LAB/provost.conf"
printf 'dn: uid=dan,%s\nchangetype: delete\n' "$LAB_PEOPLE" | lab_ldap_modify
run_sync >/dev/null
is "the first run without him changes nothing" "$(lab_sql "SELECT directory_state FROM mailbox WHERE address = 'dan@example.org'")" present
tell "$ provost-sync plan"
run_sync plan | grep '^-' | sed 's/^/      /'
run_sync >/dev/null
is "the second one suspends" "$(lab_sql "SELECT directory_state FROM mailbox WHERE address = 'dan@example.org'")" missing
is "mail for him is accepted" "$(lab_sql "SELECT COUNT(*) FROM mailbox_open WHERE address = 'dan@example.org'")" 1
lab_provostctl sync list | cut -c1-110 | sed 's/^/      /'

step "The directory stops: nobody is told that the password is wrong"
lab_slapd_stop
marks=$(wc -l <"$LAB/log/authd.log")
talk plugin ada@example.org ada-secret 454
talk stock ada@example.org ada-secret 454
authd_says 'temporary' 2
said=$(imap ada@example.org ada-secret)
tell "IMAP: $said"
like "IMAP says that nobody can tell now" "$said" '^NO \[UNAVAILABLE\]'

step "The directory is back"
lab_slapd_start
works() {
    [ "$(lab_smtp_code plugin ada@example.org ada-secret)" = 235 ]
}
check "logins work again by themselves" wait_for 20 works
talk plugin ada@example.org ada-secret 235
talk stock ada@example.org ada-secret 235
talk plugin ada@example.org not-her-password 535
like "IMAP lets Ada in" "$(imap ada@example.org ada-secret)" '^OK .*Logged in'

step "MariaDB stops, and comes back"
lab_mariadb_stop
talk plugin ada@example.org ada-secret 454
lab_mariadb_start
check "logins work again by themselves" wait_for 20 works
talk stock bob@example.org bob-secret 235

step "Nothing of this host was touched"
is "no file of its Postfix, Dovecot, OpenLDAP or MariaDB is newer than this demo" "$(touched)" ""
check "no log holds a password" sh -c "! grep -rE '(ada|bob|carol)-secret' '$LAB/log'"

# ----------------------------------------------------------------- the end --

# A script that stops what was kept, by pid, and checks that it is ours.
write_stop() {
    cat >"$LAB/stop" <<STOP
#!/bin/sh
# Stops the servers of this demo and removes its directory.
cd /
for turn in TERM KILL; do
    for file in $LAB/pid/dovecot $LAB/pid/postfix $LAB/pid/authd $LAB/pid/policyd $LAB/pid/*; do
        pid=\$(cat "\$file" 2>/dev/null) || continue
        grep -qF "$LAB" "/proc/\$pid/cmdline" 2>/dev/null && kill -s \$turn "\$pid"
    done
    for wait in 1 2 3 4 5 6 7 8; do
        grep -qsF "$LAB" /proc/[0-9]*/cmdline 2>/dev/null || break 2
        sleep 1
    done
done
rm -rf "$LAB"
STOP
}

if [ -n "$keep" ]; then
    end_step
    write_stop
    auth="$LAB_PYTHON $tree/tests/lib/smtp_auth.py --ca $LAB/tls/ca.pem --transcript"
    cat <<TEXT

It is all still running. People: ada, bob, carol, dan, eve, grace (password
UID-secret). To try:

  $auth --port $LAB_PLUGIN_PORT --user dan@example.org --password dan-secret
  $auth --port $LAB_STOCK_PORT --mech LOGIN --user dan@example.org --password dan-secret
  $auth --port $LAB_PLUGIN_PORT --user dan --password dan-secret --send dan@example.org ada@example.org
  $LAB_PYTHON $tree/tests/lib/mail_login.py imap ada@example.org ada-secret --port $imap_port --do 'SELECT INBOX'
  mariadb --no-defaults -S $LAB/run/mariadb.sock provost -e 'SELECT * FROM event'
  $PROVOST_BUILD/tools/provostctl -c $LAB/provost.conf domain list
  $PROVOST_BUILD/tools/provostctl -c $LAB/provost.conf config show
  $PROVOST_BUILD/tools/provostctl -c $LAB/provost.conf why frank@example.org
  $PROVOST_BUILD/tools/provostctl -c $LAB/provost.conf policy explain --recipient ada@example.org --size 20G
  tail -f $LAB/log/authd.log $LAB/log/policyd.log $LAB/log/postfix.log $LAB/log/dovecot.log

This stops it and removes everything:

  sudo sh $LAB/stop

TEXT
else
    step "The servers stop, and their ports are closed"
    ports="$LAB_PLUGIN_PORT $LAB_STOCK_PORT $LAB_MX_PORT $imap_port $(lab_slapd_port) $(lab_slapd_ssl_port)"
    for server in dovecot postfix policyd authd slapd-main mariadb; do lab_stop "$server"; done
    is "no process is left" "$(lab_leftovers)" ""
    for port in $ports; do
        check "port $port is closed" sh -c "! $LAB_PYTHON -c 'import socket; socket.create_connection((\"127.0.0.1\", $port), 1)' 2>/dev/null"
    done
    end_step
fi

echo
echo "took $(($(date +%s) - began)) s"
echo "$held of $steps steps held"
if [ -n "$keep" ]; then
    trap - EXIT INT TERM HUP
elif [ "$held" -ne "$steps" ]; then
    lab_failed=1
fi
[ "$held" -eq "$steps" ]
exit $?
