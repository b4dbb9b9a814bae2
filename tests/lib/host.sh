# host.sh - a bare Debian mail host in a box, on which README is typed; sourced
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# After lab.sh and inside box.sh. README is read, not repeated: each numbered
# step of a chapter is typed into one shell.

# host_bare: Debian as its packages leave it, with MariaDB and slapd running.
host_bare() {
    # A Provost of the host's own is not in the box.
    rm -rf /etc/provost /var/lib/provost /run/provost /var/spool/postfix/var/run/provost
    find /usr/lib /usr/sbin /usr/local -name 'provost*' -prune -exec rm -rf {} +
    find /usr/lib -name 'libprovost*' -exec rm -f {} +
    userdel provost 2>/dev/null
    userdel vmail 2>/dev/null
    rm -rf /etc/postfix/main.cf /etc/postfix/master.cf /etc/postfix/sasl /var/lib/mysql/*
    rm -rf /var/spool/postfix/*
    rm -f /etc/dovecot/conf.d/9[89]-*
    cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
    cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf
    postconf -e 'myhostname = mail.example.org' 'mydestination = localhost' \
        'inet_interfaces = loopback-only' 'inet_protocols = ipv4' 'maillog_file = /var/log/mail.log' \
        'smtpd_tls_cert_file = /etc/ssl/certs/ssl-cert-snakeoil.pem' \
        'smtpd_tls_key_file = /etc/ssl/private/ssl-cert-snakeoil.key' 'smtpd_tls_security_level = may'
    make-ssl-cert generate-default-snakeoil >/dev/null 2>&1
    # As dovecot-core's own installation does.
    ln -sf /etc/ssl/certs/ssl-cert-snakeoil.pem /etc/dovecot/private/dovecot.pem
    ln -sf /etc/ssl/private/ssl-cert-snakeoil.key /etc/dovecot/private/dovecot.key
    newaliases
    : >/var/log/mail.log
    printf '127.0.0.1 localhost mail.example.org mail ldap1.example.org\n' >/etc/hosts
    mariadb-install-db --user=mysql --skip-test-db >"$LAB/log/install-db.log" 2>&1 ||
        lab_die "MariaDB's own files can be made"
    install -d -o mysql -g mysql /run/mysqld
    lab_start mariadb mariadbd --user=mysql --skip-networking
    wait_for 30 mariadb -e 'SELECT 1' || lab_die "the host's MariaDB answers"
    lab_slapd_make main
    echo 389 >"$LAB/slapd-main/port"
    lab_slapd_start main
    host_systemctl
}

# systemctl enable --now|reload|restart|stop NAME, from the installed unit.
host_systemctl() {
    cat >/usr/local/sbin/systemctl <<'SYSTEMCTL'
#!/bin/sh
set -eu
case " $* " in *" daemon-reload "*) exit 0 ;; esac
what='' names=''
for word; do
    case $word in
    -*) ;;
    *) if [ -z "$what" ]; then what=$word; else names="$names $word"; fi ;;
    esac
done
# One after the other.
set -- $names
if [ $# -gt 1 ]; then
    for name; do "$0" "$what" "$name"; done
    exit 0
fi
name=$1
case $name in
*.timer)
    [ -f "/usr/lib/systemd/system/$name" ] || { echo "Unit $name not found." >&2; exit 5; }
    [ "$what" != enable ] || exec "$0" start "${name%.timer}.service"
    exit 0
    ;;
mariadb) exit 0 ;; # it runs
dovecot)
    dovecot stop 2>/dev/null || :
    exec dovecot
    ;;
postfix)
    if postfix status 2>/dev/null; then exec postfix reload; else exec postfix start; fi
    ;;
*) [ ! -x "/usr/libexec/box/$name.service" ] || exec "/usr/libexec/box/$name.service" "$what" ;;
esac
name=${name%.service}
unit=/usr/lib/systemd/system/$name.service
[ -f "$unit" ] || { echo "Unit $name.service not found." >&2; exit 5; }
value() { sed -n "s/^$1=//p" "$unit" | tail -n 1; }
pid=$(cat "/run/$name.pid.box" 2>/dev/null || :)
case $what in
stop | disable | restart)
    [ -z "$pid" ] || { kill "$pid" 2>/dev/null || :; while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done; }
    rm -f "/run/$name.pid.box"
    [ "$what" = restart ] || exit 0
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
}

# host_tree: the sources, where README has them; sets tree.
host_tree() {
    tree=$LAB/provost
    mkdir "$tree"
    (cd "$PROVOST_TREE" && . tests/lib/tree.sh && tree_copy "$tree") || lab_die "the tree can be copied"
    cp "$LAB/tls/ca.pem" "$LAB/ca.pem"
}

# host_provost: Provost as it was built, as "make install" would install it.
host_provost() {
    install -D "$PROVOST_BUILD/tools/provostctl" /usr/libexec/box/provostctl
    install -D "$PROVOST_BUILD/authd/provost-authd" /usr/libexec/box/provost-authd
    install -D "$PROVOST_BUILD/policyd/provost-policyd" /usr/libexec/box/provost-policyd
    install -D "$PROVOST_BUILD/tools/provost-sync" /usr/libexec/box/provost-sync
    install -D "${PROVOST_PLUGIN:-$PROVOST_BUILD/saslplugin/.libs/libprovost.so}" "$(lab_sasl_dir)/libprovost.so"
    cat >/usr/sbin/provostctl <<CTL
#!/bin/sh
case "\$1 \$2" in
"db migrate") set -- "\$@" --schema-dir "$tree/conf/schema" ;;
esac
exec /usr/libexec/box/provostctl -c /etc/provost/provost.conf "\$@"
CTL
    mkdir -p /usr/lib/systemd/system /usr/lib/sysusers.d /usr/lib/tmpfiles.d
    for daemon in provost-authd provost-policyd provost-sync; do
        printf '#!/bin/sh\nexec /usr/libexec/box/%s -c /etc/provost/provost.conf "$@"\n' "$daemon" >"/usr/sbin/$daemon"
        sed 's,@sbindir@,/usr/sbin,g' "$tree/conf/systemd/$daemon.service.in" >"/usr/lib/systemd/system/$daemon.service"
    done
    chmod 755 /usr/sbin/provostctl /usr/sbin/provost-authd /usr/sbin/provost-policyd /usr/sbin/provost-sync
    cp "$tree/conf/systemd/provost-sync.timer" /usr/lib/systemd/system/
    cp "$tree/conf/systemd/provost.sysusers" /usr/lib/sysusers.d/provost.conf
    cp "$tree/conf/systemd/provost.tmpfiles" /usr/lib/tmpfiles.d/provost.conf
}

# host_install: README's steps 3 to 7, which leave Postfix alone.
host_install() {
    host_provost
    for number in 3 4 5 6 7; do
        [ "$number" != 5 ] || cp "$LAB/ca.pem" /etc/provost/ca.pem
        type_step "Install on a host" "$number"
    done
}

# host_beside PACKAGE...: what packages.sh has unpacked, where it belongs.
host_beside() {
    for host_package; do
        # /lib is a link here.
        tar -C "/var/lib/provost-tests/$host_package" -cf - . |
            tar -C / --keep-directory-symlink -xf - ||
            lab_die "$host_package was unpacked by packages.sh"
    done
    ldconfig
}

# host_cyrus: cyrus-imapd as its packages leave it, without services whose
# programs are in other packages; systemctl restart cyrus-imapd.
host_cyrus() {
    host_beside cyrus-common cyrus-imapd cyrus-pop3d
    useradd --system --gid mail --no-create-home --home-dir /var/spool/cyrus cyrus
    sed -i '/^\s*\(nntp\|http\)\s/d' /etc/cyrus.conf
    cyrus makedirs --cleansquat >"$LAB/log/makedirs.log" 2>&1
    install -d -o cyrus -g mail /var/lib/cyrus /var/spool/cyrus /run/cyrus
    install -d -m 0750 -o cyrus -g mail /run/cyrus/socket
    host_service cyrus-imapd <<'SERVICE'
exec /usr/lib/cyrus/bin/master -D
SERVICE
}

# host_exim: Exim as its packages leave it after the question for an "internet
# site" in many files; systemctl restart exim4.
host_exim() {
    host_beside exim4-base exim4-config exim4-daemon-heavy
    useradd --system --user-group --no-create-home --home-dir /var/spool/exim4 Debian-exim
    install -d -m 0750 -o Debian-exim -g Debian-exim /var/spool/exim4 /var/spool/exim4/db \
        /var/spool/exim4/input /var/spool/exim4/msglog /var/lib/exim4
    install -d -m 2750 -o Debian-exim -g adm /var/log/exim4
    cat >/etc/exim4/update-exim4.conf.conf <<'CONF'
dc_eximconfig_configtype='internet'
dc_other_hostnames='example.org'
dc_local_interfaces='127.0.0.1'
dc_readhost=''
dc_relay_domains=''
dc_minimaldns='false'
dc_relay_nets=''
dc_smarthost=''
CFILEMODE='644'
dc_use_split_config='true'
dc_hide_mailname=''
dc_mailname_in_oh='true'
dc_localdelivery='maildir_home'
CONF
    printf '%s\n' 'MAIN_TLS_ENABLE = true' 'MAIN_TLS_CERTIFICATE = /etc/ssl/certs/ssl-cert-snakeoil.pem' \
        'MAIN_TLS_PRIVATEKEY = /etc/exim4/exim.key' >/etc/exim4/conf.d/main/00_box
    install -m 0640 -o root -g Debian-exim /etc/ssl/private/ssl-cert-snakeoil.key /etc/exim4/exim.key
    host_service exim4 <<'SERVICE'
exec /usr/sbin/exim4 -bdf -q30m
SERVICE
}

# host_service NAME: systemctl stop|start|restart NAME runs what is read.
host_service() {
    { echo '#!/bin/sh' && cat; } >"/usr/libexec/box/$1.run"
    cat >"/usr/libexec/box/$1.service" <<SERVICE
#!/bin/sh
pid=\$(cat /run/$1.box 2>/dev/null) && kill "\$pid" &&
    while [ -d "/proc/\$pid" ]; do sleep 0.1; done
rm -f /run/$1.box
[ "\$1" != stop ] || exit 0
setsid /usr/libexec/box/$1.run </dev/null >>/var/log/$1.log 2>&1 &
echo \$! >/run/$1.box
SERVICE
    chmod 755 "/usr/libexec/box/$1.run" "/usr/libexec/box/$1.service"
}

# host_protocol_people: LDIF of people who may, and may not, use a protocol.
host_protocol_people() {
    lab_ldif
    host_number=200
    for host_protocol in smtp imap pop3 sieve; do
        host_number=$((host_number + 2))
        lab_person_ldif $host_number first$host_protocol first$host_protocol@example.org "First" default
        lab_person_ldif $((host_number + 1)) no$host_protocol no$host_protocol@example.org "None" no$host_protocol
    done
}

# host_protocol_templates: adds their templates to the settings of README.
host_protocol_templates() {
    host_rows='' host_templates=''
    for host_protocol in smtp imap pop3 sieve; do
        host_rows="$host_rows, { attribute = \"no$host_protocol\"; template = \"no$host_protocol\"; }"
        host_templates="$host_templates{ name = \"no$host_protocol\"; quota = \"1G\"; ${host_protocol}_access = false; },"
    done
    sed -i "s|{ attribute = \"default\"; template = \"default\"; }|&$host_rows|" /etc/provost/provost.conf
    mkdir -p /etc/provost/conf.d
    echo "templates = ( ${host_templates%,} );" >/etc/provost/conf.d/protocols.conf
    chown -R root:provost /etc/provost/conf.d
    chmod 0750 /etc/provost/conf.d
    systemctl reload provost-authd
}

# chapter TITLE: its lines.
chapter() {
    awk -v title="$1" '
    /^-+$/ && length(last) == length($0) { inside = last == title; last = ""; next }
    { if (inside && NR > 1 && started) print last; started = inside; last = $0 }' "$tree/README"
}

# typed NUMBER: the commands of one step of the page that is read.
typed() {
    awk -v number="$1" '
    /^ ?[0-9]+\. / { inside = $1 == number "."; next }
    /^[^ ]/ { inside = 0 }
    inside && (/^        / || /^$/) { sub(/^        /, ""); print }'
}

# type_step TITLE NUMBER: types a step of README; a failing line ends it.
type_step() {
    chapter "$1" | typed "$2" >"$LAB/step"
    type_lines "README, $1: step $2"
}

# type_page FILE NUMBER: likewise of another page.
type_page() {
    typed "$2" <"$tree/$1" >"$LAB/step"
    type_lines "$1: step $2"
}

# type_lines NAME: types $LAB/step.
type_lines() {
    grep -q . "$LAB/step" || { not_ok "$1 has something to type"; return; }
    (cd "$tree" && CFLAGS='-O0 -g' MAKEFLAGS="-s -j$(nproc)" DEBIAN_FRONTEND=noninteractive \
        sh -e "$LAB/step") </dev/null >"$LAB/out" 2>&1
    type_status=$?
    [ "$type_status" -eq 0 ] || sed 's/^/# /' "$LAB/out" | tail -n 30
    is "$1 can be typed" "$type_status" 0
}
