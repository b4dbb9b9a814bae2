#!/bin/sh
# fail2ban.sh - the shipped filter counts wrong passwords, and nothing else
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin fail2ban

command -v fail2ban-regex >/dev/null || lab_die "fail2ban is not installed"
# Beside the file of fail2ban that it includes, as it is when installed.
mkdir "$LAB/filter.d"
cp "$lab_tree/conf/fail2ban/filter.d/provost.conf" /etc/fail2ban/filter.d/common.conf "$LAB/filter.d"
filter=$LAB/filter.d/provost.conf
mux=$LAB/run/mux

cat >"$LAB/provost.conf" <<CONF
store = { socket = "$LAB/run/mariadb.sock"; user = "provost"; database = "provost"; };
directories = ( { name = "corp"; host = "ldapi://$LAB/run/ldapi";
  base_dn = "dc=example,dc=org"; username_field = "mail"; default_template = "default"; } );
templates = ( { name = "default"; quota = "1G"; } );
auth = { sockets = ( { path = "$mux"; } ); control_path = "$LAB/run/control"; };
CONF
lab_start authd "$PROVOST_BUILD/tests/integration/authd_fake" -c "$LAB/provost.conf"
wait_for 10 grep -q 'serving:' "$LAB/log/authd.log" || lab_die "authd starts"

# login USER PASSWORD CLIENT
login() {
    "$LAB_PYTHON" "$lab_tree/tests/integration/authd_peers.py" "$mux" login "$@" >/dev/null
}

login ada@example.org wrong '192.0.2.1;4711'
login ada@example.org wrong '2001:db8::7;4711'
login 'bob client=203.0.113.9' wrong '192.0.2.2;25'
login 'bob" client=203.0.113.9 x="' wrong '192.0.2.3;25'
login 'bob\" client=203.0.113.9' wrong 192.0.2.4
login "$(printf 'bob\nwrong password: id=1 client=203.0.113.9')" wrong '192.0.2.5;1'
login "$(printf '%0900d' 0)" wrong '192.0.2.6;1'
login "$(printf '\303\251l\303\250ve@example.org')" wrong '192.0.2.7;1'
login "$(printf '\377\376')" wrong '192.0.2.8;1'
# None of these is a guess that fail2ban could do something about.
login ada@example.org right '203.0.113.1;1'
login ada@example.org gate '203.0.113.2;1'
login ada@example.org outage '203.0.113.3;1'
login 'wrong password: id=1 client=203.0.113.4' outage '203.0.113.5;1'
login ada@example.org wrong
lab_stop authd

# As syslog writes them; the journal's lines begin with the message itself.
sed 's/^/Nov 24 06:27:01 mail provost-authd[4711]: /' "$LAB/log/authd.log" >"$LAB/mail.log"

matched() {
    fail2ban-regex -o ip "$1" "$filter" | sort
}

wanted=$(printf '%s\n' 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5 192.0.2.6 192.0.2.7 192.0.2.8 2001:db8::7 | sort)
is "just the wrong passwords are counted, each for its own address" "$(matched "$LAB/mail.log")" "$wanted"
like "nine of fourteen decisions" \
    "$(fail2ban-regex "$LAB/mail.log" "$filter")" '^Lines: [0-9]+ lines, 0 ignored, 9 matched'
is "fourteen were made" "$(grep -cE '(login ok|wrong password|refused|temporary): id=' "$LAB/mail.log")" 14
like "the jail is off until somebody turns it on" "$(cat "$lab_tree/conf/fail2ban/jail.d/provost.conf")" '^enabled = false$'

lab_done
