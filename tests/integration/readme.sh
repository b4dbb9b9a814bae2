#!/bin/sh
# readme.sh - types what README tells to type, on a copy of this host
# SPDX-License-Identifier: BSD-2-Clause
#
# README is read, not repeated: each numbered step of a chapter is typed into
# one shell, and what a reader would expect after it is looked at. The host is
# Debian as its packages leave it; see box.sh. systemctl(1), which needs a
# running systemd, starts what the real unit files name.
set -u
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${BOX:-}" ]; then
    PROVOST_TREE=${PROVOST_TREE:-$(cd "$here/../.." && pwd)}
    export PROVOST_TREE
    exec sh "$here/../lib/box.sh" "$here/${0##*/}" "$@"
fi
# shellcheck source=tests/lib/lab.sh
. "$here/../lib/lab.sh"
# shellcheck source=tests/lib/host.sh
. "$here/../lib/host.sh"
# shellcheck disable=SC2034 # lab_slapd's
LAB_SERVICE_PASSWORD=PASSWORD
lab_begin readme
host_bare
host_tree

host="Install on a host"
type_step "$host" 1
type_step "$host" 2
type_step "$host" 3
type_step "$host" 4
cp "$LAB/ca.pem" /etc/provost/ca.pem
type_step "$host" 5
is "its settings are right" "$(tail -n 1 "$LAB/out")" ok
type_step "$host" 6
type_step "$host" 7
type_step "$host" 8
type_step "$host" 9
sleep 1
type_step "$host" 10
like "the first login is let in" "$(cat "$LAB/out")" '^<~* *235 '
like "its mail is taken" "$(cat "$LAB/out")" '250 2.0.0 Ok: queued'
like "Dovecot lets in who was let in to send" "$(cat "$LAB/out")" 'ada@example.org auth succeeded'
like "the mailbox is listed" "$(cat "$LAB/out")" '^ada@example.org '
like "why finds nothing wrong" "$(cat "$LAB/out")" '^ok +verdict +235 '
like "the doctor finds Postfix in order" "$(cat "$LAB/out")" '^ok +smtpd.conf '
delivered() { find /var/vmail/example.org/ada -type f -path '*/new/*' | grep -q .; }
wait_for 15 delivered
is "the message is in it" $? 0

for step in 1 2 3 4 5; do
    type_step "Every day" "$step"
done
like "an edit is pinned" "$(provostctl mailbox show ada@example.org)" 'quota +6G +pinned'
like "metrics are printed" "$(cat "$LAB/out")" '^provost_up'

# The list of what to run when something is wrong, journalctl(1) aside.
chapter "When something is wrong" |
    sed -n 's/^    \(\(provost\|sasl\)[^ ]*\( [-A-Za-z]*\)*\)  .*/\1/p' | sed 's/ ADDRESS/ ada@example.org/' >"$LAB/trouble"
check "there are commands for when something is wrong" test "$(wc -l <"$LAB/trouble")" -ge 7
while read -r line; do
    # shellcheck disable=SC2086
    $line >"$LAB/out" 2>&1 </dev/null
    is "\"$line\" runs, and finds nothing wrong" "$?" 0
done <"$LAB/trouble"
cron=$(sed -n 's/^\* \* \* \* \*  provost  //p' "$tree/conf/cron/provost")
# shellcheck disable=SC2086
is "so does the line for cron" "$(setpriv --reuid provost --regid provost --clear-groups $cron 2>&1; echo $?)" 0

backup="Backup and restore"
type_step "$backup" 1
mariadb provost -e "DELETE FROM mailbox"
rm -r /etc/provost
type_step "$backup" 2
is "the mailbox is back" "$(mariadb -N provost -e 'SELECT address FROM mailbox')" ada@example.org
provostctl config check >"$LAB/out" 2>&1
is "so are the settings" "$(cat "$LAB/out")" ok

type_step Upgrade 1
type_step Upgrade 2
type_step "$host" 10
like "after it people log in as before" "$(cat "$LAB/out")" '^<~* *235 '

type_step Uninstall 1
type_step Uninstall 2
is "no program is left" "$(find /usr/sbin /usr/lib /usr/share /etc -type f -name '*provost*' -not -path '/etc/provost*' | head)" ""
is "the tables stay" "$(mariadb -N provost -e 'SELECT address FROM mailbox')" ada@example.org
is "so does the mail" "$(delivered && echo yes)" yes
is "Postfix finds no fault in what is left" "$(postfix check 2>&1)" ""
type_step Uninstall 3

tail -n 25 /var/log/mail.log | sed 's/^/# /' >"$LAB/log/mail.log"
cp /var/log/provost-*.log "$LAB/log/" 2>/dev/null
postfix stop >/dev/null 2>&1
systemctl stop provost-authd provost-policyd 2>/dev/null
dovecot stop 2>/dev/null
lab_done
