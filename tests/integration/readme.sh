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
# shellcheck disable=SC2034 # lab_slapd's
LAB_SERVICE_PASSWORD=PASSWORD
lab_begin readme

# ---------------------------------------------------------- a bare Debian --

# A Provost of the host's own is not in the box.
rm -rf /etc/provost /var/lib/provost /run/provost /var/spool/postfix/var/run/provost
find /usr/lib /usr/sbin /usr/local -name 'provost*' -prune -exec rm -rf {} +
find /usr/lib -name 'libprovost*' -exec rm -f {} +
userdel provost 2>/dev/null
userdel vmail 2>/dev/null
rm -rf /etc/postfix/main.cf /etc/postfix/master.cf /etc/postfix/sasl /var/lib/mysql/*
rm -rf /var/spool/postfix/*
cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf
postconf -e 'myhostname = mail.example.org' 'mydestination = localhost' \
    'inet_interfaces = loopback-only' 'inet_protocols = ipv4' 'maillog_file = /var/log/mail.log' \
    'smtpd_tls_cert_file = /etc/ssl/certs/ssl-cert-snakeoil.pem' \
    'smtpd_tls_key_file = /etc/ssl/private/ssl-cert-snakeoil.key' 'smtpd_tls_security_level = may'
make-ssl-cert generate-default-snakeoil >/dev/null 2>&1
newaliases
: >/var/log/mail.log
printf '127.0.0.1 localhost mail.example.org mail ldap1.example.org\n' >/etc/hosts
mariadb-install-db --user=mysql >"$LAB/log/install-db.log" 2>&1 ||
    lab_die "MariaDB's own files can be made"
install -d -o mysql -g mysql /run/mysqld
lab_start mariadb mariadbd --user=mysql --skip-networking
wait_for 30 mariadb -e 'SELECT 1' || lab_die "the host's MariaDB answers"
lab_slapd_make main
echo 389 >"$LAB/slapd-main/port"
lab_slapd_start main

# systemctl enable --now|reload|restart|stop NAME, from the installed unit.
cat >/usr/local/sbin/systemctl <<'SYSTEMCTL'
#!/bin/sh
set -eu
for word; do name=$word; done
case " $* " in *" daemon-reload "*) exit 0 ;; esac
case $name in
postfix)
    if postfix status 2>/dev/null; then exec postfix reload; else exec postfix start; fi ;;
esac
name=${name%.service}
unit=/usr/lib/systemd/system/$name.service
[ -f "$unit" ] || { echo "Unit $name.service not found." >&2; exit 5; }
value() { sed -n "s/^$1=//p" "$unit" | tail -n 1; }
pid=$(cat "/run/$name.pid.box" 2>/dev/null || :)
case $1 in
stop | disable | restart)
    [ -z "$pid" ] || { kill "$pid" 2>/dev/null || :; while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done; }
    rm -f "/run/$name.pid.box"
    [ "$1" = restart ] || exit 0
    ;;
reload) exec kill -HUP "$pid" ;;
esac
user=$(value User)
groups=$(id -g "$user")
for group in $(value SupplementaryGroups); do
    groups=$groups,$(getent group "$group" | cut -d: -f3)
done
if [ "$(value Type)" = oneshot ]; then
    # shellcheck disable=SC2046
    exec setpriv --reuid "$user" --regid "$user" --groups "$groups" $(value ExecStart)
fi
# shellcheck disable=SC2046
setpriv --reuid "$user" --regid "$user" --groups "$groups" $(value ExecStart) \
    </dev/null >>"/var/log/$name.log" 2>&1 &
echo $! >"/run/$name.pid.box"
sleep 1
kill -0 $!
SYSTEMCTL
chmod 755 /usr/local/sbin/systemctl

# ------------------------------------------------------- README, as typed --

tree=$LAB/provost
mkdir "$tree"
(cd "$PROVOST_TREE" && . tests/lib/tree.sh && tree_copy "$tree") || lab_die "the tree can be copied"
cp "$LAB/tls/ca.pem" "$LAB/ca.pem"

# chapter TITLE: its lines.
chapter() {
    awk -v title="$1" '
    /^-+$/ && length(last) == length($0) { inside = last == title; last = ""; next }
    { if (inside && NR > 1 && started) print last; started = inside; last = $0 }' "$tree/README"
}

# typed TITLE NUMBER: the commands of one step.
typed() {
    chapter "$1" | awk -v number="$2" '
    /^ ?[0-9]+\. / { inside = $1 == number "."; next }
    /^[^ ]/ { inside = 0 }
    inside && (/^        / || /^$/) { sub(/^        /, ""); print }'
}

# type TITLE NUMBER: types them; a failing line ends the step.
type_step() {
    typed "$1" "$2" >"$LAB/step"
    grep -q . "$LAB/step" || { not_ok "README, $1: step $2 has something to type"; return; }
    (cd "$tree" && CFLAGS='-O0 -g' MAKEFLAGS="-s -j$(nproc)" DEBIAN_FRONTEND=noninteractive \
        sh -e "$LAB/step") </dev/null >"$LAB/out" 2>&1
    type_status=$?
    [ "$type_status" -eq 0 ] || sed 's/^/# /' "$LAB/out" | tail -n 30
    is "README, $1: step $2 can be typed" "$type_status" 0
}

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
postfix start >"$LAB/out" 2>&1
type_step "$host" 8
type_step "$host" 9
sleep 1
type_step "$host" 10
like "the first login is let in" "$(cat "$LAB/out")" '^<~* *235 '
like "its mail is taken" "$(cat "$LAB/out")" '250 2.0.0 Ok: queued'
like "the mailbox counts" "$(tail -n 1 "$LAB/out")" '^example.org .* 1 '
delivered() { find /var/vmail/example.org/ada -type f -path '*/new/*' | grep -q .; }
wait_for 15 delivered
is "the message is in it" $? 0

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
cp /var/log/provost-authd.log "$LAB/log/" 2>/dev/null
postfix stop >/dev/null 2>&1
systemctl stop provost-authd 2>/dev/null
lab_done
