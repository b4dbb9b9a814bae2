#!/bin/sh
# exim.sh - Exim's ${if saslauthd{...}} asks provost-authd
# SPDX-License-Identifier: BSD-2-Clause
#
# A box (see box.sh) with Debian's exim4-daemon-heavy, on which README and
# conf/exim/exim.txt are typed as they stand.
set -u
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${BOX:-}" ]; then
    PROVOST_TREE=${PROVOST_TREE:-$(cd "$here/../../.." && pwd)}
    export PROVOST_TREE
    exec sh "$here/../../lib/box.sh" "$here/${0##*/}" "$@"
fi
# shellcheck source=tests/lib/lab.sh
. "$here/../../lib/lab.sh"
# shellcheck source=tests/lib/host.sh
. "$here/../../lib/host.sh"
# shellcheck disable=SC2034 # lab_slapd's
LAB_SERVICE_PASSWORD=PASSWORD
lab_begin exim
host_protocol_people >"$LAB/people.ldif"
# shellcheck disable=SC2034 # lab_slapd's
LAB_SLAPD_LDIF=$LAB/people.ldif
host_bare
host_tree
host_install
host_protocol_templates
host_exim
echo mail.example.org >/etc/mailname
update-exim4.conf >"$LAB/log/update-exim.log" 2>&1
systemctl restart exim4
for number in 1 2 3; do type_page conf/exim/exim.txt $number; done
like "a first login is let in" "$(cat "$LAB/out")" '^<~* *235 '
is "and makes the mailbox" "$(mariadb -N provost -e 'SELECT address FROM mailbox')" ada@example.org

# at USER [PASSWORD] [OPTION...]: what the client is told.
at() {
    at_user=$1 at_password=${2-${1%@*}-secret}
    shift
    [ $# -eq 0 ] || shift
    "$LAB_PYTHON" "$PROVOST_TREE/tests/lib/mail_login.py" smtp "$at_user" "$at_password" --port 25 "$@"
}
authd_log() {
    tail -n 1 /var/log/provost-authd.log
}
for mechanism in PLAIN LOGIN; do
    like "$mechanism: a right password is 235" "$(at ada@example.org ada-secret --mech $mechanism)" '^235 '
    like "$mechanism: a wrong one is 535" "$(at ada@example.org wrong --mech $mechanism)" '^535 '
    like "$mechanism: somebody unknown, too" "$(at nobody@example.org x --mech $mechanism)" '^535 '
    like "$mechanism: and an empty password" "$(at ada@example.org '' --mech $mechanism)" '^5'
    like "$mechanism: who may not send is refused" "$(at nosmtp@example.org nosmtp-secret --mech $mechanism)" '^535 '
    like "$mechanism: authd's log has the reason" "$(authd_log)" 'refused: .*service=smtp .*reason=service_not_allowed'
    like "$mechanism: a short name is refused, since Exim would keep it" "$(at ada ada-secret --mech $mechanism)" '^535 '
    like "$mechanism: authd's log says so" "$(authd_log)" 'reason=not_canonical'
done
is "nothing was made for who may not send" "$(mariadb -N provost -e "SELECT COUNT(*) FROM mailbox WHERE address = 'nosmtp@example.org'")" 0
like "braces and blanks of a password are no expansion of Exim's" "$(at ada@example.org '}{ ${x} ')" '^535 '
unlike "AUTH is not offered outside TLS" "$(at ada@example.org ada-secret --clear)" '^[23]'
# The name is what "authenticated_id" says, also to the log.
like "a message is taken from who logged in" "$(at ada@example.org ada-secret --do 'MAIL FROM:<ada@example.org>')" '^250 '
provostctl mailbox block ada@example.org >/dev/null
like "a mailbox whose logins are closed is refused at once" "$(at ada@example.org)" '^535 '
provostctl mailbox unblock ada@example.org >/dev/null

systemctl stop provost-authd
like "authd is down: that is temporary" "$(at ada@example.org)" '^4[0-9][0-9] '
like "and wrong passwords are, too" "$(at ada@example.org wrong)" '^4[0-9][0-9] '
systemctl restart provost-authd
like "authd is back" "$(at ada@example.org)" '^235 '
lab_slapd_stop main
like "slapd is down: that is temporary" "$(at ada@example.org)" '^435 '
lab_slapd_start main
lab_slapd_signal STOP
start=$(now_ms)
like "slapd is mute: that is temporary" "$(at bob@example.org)" '^435 '
check "and said within authd's deadline" test $(($(now_ms) - start)) -lt $((11000 * ${PROVOST_SLOW:-1}))
lab_slapd_signal CONT
back() { at ada@example.org | grep -q '^235 '; }
wait_for 30 back
is "slapd speaks again: people are let in" $? 0
unlike "Exim has no fault to report" "$(cat /var/log/exim4/paniclog 2>/dev/null)" .

cp /var/log/exim4/mainlog "$LAB/log/exim.log"
cp /var/log/provost-*.log "$LAB/log/" 2>/dev/null
systemctl stop exim4 provost-authd provost-policyd
lab_done
