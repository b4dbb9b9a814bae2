#!/bin/sh
# bench_protocols.sh - how long a login takes at each protocol's real server
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: sudo sh tests/bench_protocols.sh [--rounds N] [--people N] [--rows FILE]
#
# A box (see box.sh) in which README and conf/dovecot/dovecot.txt are typed.
# Beside that Postfix and Dovecot run others of the same settings, whose
# passwords are checked by Dovecot's own LDAP passdb, or by saslauthd. In each
# round new people log in for the first time, one after the other, and then
# again; what is timed is from the login's first byte to its answer, over TLS.
# One slapd serves all, over TLS. Rows for tests/bench/RESULTS.md come out.
set -u
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${BOX:-}" ]; then
    PROVOST_TREE=${PROVOST_TREE:-$(cd "$here/.." && pwd)}
    export PROVOST_TREE
    exec sh "$here/lib/box.sh" "$here/${0##*/}" "$@"
fi
ROUNDS=3 PEOPLE=60 ROWS=
while [ $# -gt 0 ]; do
    case $1 in
    --rounds) ROUNDS=$2 && shift ;;
    --people) PEOPLE=$2 && shift ;;
    --rows) ROWS=$2 && shift ;;
    *) sed -n '/^# usage/,/^$/s/^# *//p' "$0" >&2 && exit 64 ;;
    esac
    shift
done
# shellcheck source=tests/lib/lab.sh
. "$here/lib/lab.sh"
# shellcheck source=tests/lib/host.sh
. "$here/lib/host.sh"
# shellcheck disable=SC2034 # lab_slapd's
LAB_SERVICE_PASSWORD=PASSWORD
lab_begin bench_protocols
ROWS=${ROWS:-$LAB/rows}
: >"$ROWS"
WAYS="provost dovecot-ldap saslauthd saslauthd-c"
PROTOCOLS="smtp imap pop3 sieve"

# ------------------------------------------------------------------ servers --

{
    lab_ldif
    seq 1 $(((ROUNDS * 16 + 1) * PEOPLE)) | awk '{
        printf "dn: uid=p%d,ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\n", $1
        printf "objectClass: labMailPerson\nuid: p%d\ncn: P\nsn: P\nmail: p%d@example.org\n", $1, $1
        printf "otherMailbox: default\nuserPassword: secret\n\n" }'
} >"$LAB/people.ldif"
# shellcheck disable=SC2034 # lab_slapd's
LAB_SLAPD_LDIF=$LAB/people.ldif
host_bare
host_tree
host_install
type_step "Install on a host" 8
systemctl enable --now postfix >"$LAB/out" 2>&1
for number in 2 3 4; do type_page conf/dovecot/dovecot.txt $number; done
provostctl domain edit example.org --max-mailboxes 0 --quota unlimited >"$LAB/out" 2>&1 ||
    lab_die "the domain can be made large enough"
# Nobody fails here, and no client waits for another's failure.
printf '%s\n' 'log_path = /var/log/dovecot.log' 'service auth {' '  client_limit = 4096' \
    '  unix_listener auth-client {' '    mode = 0666' '  }' '}' >/etc/dovecot/conf.d/97-bench.conf

# port PROTOCOL WAY: where it is.
port() {
    port_number=0
    for port_way in $WAYS; do
        [ "$port_way" = "$2" ] && break
        port_number=$((port_number + 1))
    done
    case $1 in smtp) port_base=20000 ;; imap) port_base=20100 ;; pop3) port_base=20200 ;; sieve) port_base=20300 ;; esac
    echo $((port_base + port_number))
}

# dovecot_of WAY: settings of a Dovecot of its own below /etc/dovecot-WAY.
dovecot_of() {
    cp -a /etc/dovecot "/etc/dovecot-$1"
    cat >"/etc/dovecot-$1/conf.d/96-bench.conf" <<CONF
base_dir = /run/dovecot-$1
state_dir = /var/lib/dovecot-$1
instance_name = $1
service imap-login {
  inet_listener imap {
    port = $(port imap "$1")
  }
  inet_listener imaps {
    port = 0
  }
}
service pop3-login {
  inet_listener pop3 {
    port = $(port pop3 "$1")
  }
  inet_listener pop3s {
    port = 0
  }
}
service managesieve-login {
  inet_listener sieve {
    port = $(port sieve "$1")
  }
}
protocols = imap pop3 sieve
CONF
    find "/etc/dovecot-$1" -type f -exec sed -i "s|/etc/dovecot/|/etc/dovecot-$1/|g" {} +
    rm -f "/etc/dovecot-$1/conf.d/98-lmtp.conf"
    mkdir -p "/var/lib/dovecot-$1"
}

# dovecot_peer WAY: another passdb, and a userdb that knows everybody.
dovecot_peer() {
    dovecot_of "$1"
    awk '/^userdb {/ { print "userdb {\n  driver = static\n  args = uid=5000 gid=5000 home=/var/vmail/%d/%n\n}"; skip = 1 }
        !skip { print } /^}/ { skip = 0 }' /etc/dovecot/conf.d/99-provost.conf >"/etc/dovecot-$1/conf.d/99-provost.conf"
    cat >"/etc/dovecot-$1/conf.d/98-provost.conf"
}

dovecot_of provost
dovecot_peer dovecot-ldap <<'CONF'
auth_mechanisms = plain login
passdb {
  driver = ldap
  args = /etc/dovecot-dovecot-ldap/ldap.conf.ext
}
CONF
cat >/etc/dovecot-dovecot-ldap/ldap.conf.ext <<CONF
uris = ldap://ldap1.example.org
tls = yes
tls_ca_cert_file = /etc/provost/ca.pem
tls_require_cert = demand
dn = $LAB_SERVICE_DN
dnpass = $LAB_SERVICE_PASSWORD
base = $LAB_PEOPLE
auth_bind = yes
pass_filter = (mail=%u)
pass_attrs = mail=user
CONF
chmod 644 /etc/provost/ca.pem
chmod 755 /etc/provost
# saslauthd has no passdb of Dovecot's; our file asks it, as libsasl2 does: the
# domain is the realm, and OK is bare.
for way in saslauthd saslauthd-c; do
    dovecot_peer $way <<CONF
auth_mechanisms = plain login
passdb {
  driver = lua
  args = file=/etc/dovecot-$way/provost.lua blocking=yes
}
CONF
    sed -e "s|/run/provost/dovecot|/run/$way/mux|" -e 's|reply:match.*|request.user|' \
        -e 's|field(request.user)|field(request.user:match("[^@]*"))|' \
        -e 's|field("")|field(request.user:match("@(.*)"))|' \
        "$tree/conf/dovecot/provost.lua" >/etc/dovecot-$way/provost.lua
    mkdir -p /run/$way
    cat >"$LAB/$way.conf" <<CONF
ldap_servers: ldap://ldap1.example.org
ldap_start_tls: yes
ldap_tls_cacert_file: /etc/provost/ca.pem
ldap_tls_check_peer: yes
ldap_bind_dn: $LAB_SERVICE_DN
ldap_bind_pw: $LAB_SERVICE_PASSWORD
ldap_auth_method: bind
ldap_search_base: $LAB_PEOPLE
ldap_filter: (mail=%u@%r)
CONF
    options=
    [ $way = saslauthd ] || options=-c
    # shellcheck disable=SC2086
    saslauthd -a ldap -n 5 -m /run/$way -O "$LAB/$way.conf" $options >>"$LAB/log/saslauthd.log" 2>&1 ||
        lab_die "saslauthd starts"
    chmod 755 /run/$way
    chmod 777 /run/$way/mux
    printf '%s\n' 'pwcheck_method: saslauthd' "saslauthd_path: /run/$way/mux" 'mech_list: PLAIN LOGIN' \
        'auxprop_plugin: none' >/etc/postfix/sasl/$way.conf
done
for way in $WAYS; do
    dovecot -c "/etc/dovecot-$way/dovecot.conf" || lab_die "Dovecot starts for $way"
    service=127.0.0.1:$(port smtp "$way")/inet
    chroot=n
    [ "$way" != provost ] || chroot=y
    postconf -M "$service=127.0.0.1:$(port smtp "$way") inet n - $chroot - - smtpd"
    postconf -P "$service/smtpd_tls_security_level=may" "$service/smtpd_sasl_auth_enable=yes"
    case $way in
    provost) ;;
    dovecot-ldap)
        postconf -P "$service/smtpd_sasl_type=dovecot" "$service/smtpd_sasl_path=/run/dovecot-$way/auth-client"
        ;;
    *) postconf -P "$service/smtpd_sasl_path=$way" ;;
    esac
done
postconf smtpd_client_connection_count_limit=0
postfix reload >/dev/null 2>&1
sleep 1

# --------------------------------------------------------------------- runs --

# logins PROTOCOL WAY FROM: PEOPLE of them, as "ok ms" lines.
logins() {
    seq "$3" $(($3 + PEOPLE - 1)) | sed 's/.*/p&@example.org\tsecret/' |
        "$LAB_PYTHON" "$PROVOST_TREE/tests/lib/mail_login.py" "$1" --mech PLAIN --timeout 20 --port "$(port "$1" "$2")" --time
}

echo "## $(date -u +%Y-%m-%d), logins at the protocols' servers"
echo
echo "- $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)," \
    "$(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo), Linux $(uname -r | cut -d. -f1,2);" \
    "load of the last minute $(cut -d' ' -f1 /proc/loadavg)"
echo "- Postfix $(postconf -dh mail_version), Dovecot $(dovecot --version | cut -d' ' -f1)," \
    "saslauthd $(saslauthd -v 2>&1 | grep -o 'saslauthd [0-9.]*' | cut -d' ' -f2)," \
    "$(slapd -VV 2>&1 | grep -o 'slapd [0-9.]*'), $(mariadbd --version 2>/dev/null | grep -o '[0-9.]*-MariaDB')"
echo "- $ROUNDS rounds of $PEOPLE people for each line, one client, settings as shipped"
# Processes and connections that are made when they are needed.
for way in $WAYS; do
    for protocol in $PROTOCOLS; do
        warm=$(logins "$protocol" "$way" 1 2>&1)
        like "$way lets in at $protocol" "$warm" '^ok '
    done
done
next=$((PEOPLE + 1))
[ "$ROUNDS" -gt 0 ] || lab_die "there are rounds"
for round in $(seq "$ROUNDS"); do
    for protocol in $PROTOCOLS; do
        for way in $WAYS; do
            for kind in first again; do
                logins "$protocol" "$way" $next | sed "s/^/$round $protocol $way $kind /" >>"$ROWS"
            done
            next=$((next + PEOPLE))
        done
    done
done

awk '
function percentile(list, n, part,    i, j, swap) {
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && list[j] < list[j - 1]; j--) {
            swap = list[j]; list[j] = list[j - 1]; list[j - 1] = swap
        }
    i = int(n * part + 0.999)
    return list[i < 1 ? 1 : i]
}
function figure(key, part,    i, list) {
    split("", list)
    for (i = 1; i <= count[key]; i++) list[i] = value[key, i]
    return percentile(list, count[key] + 0, part)
}
{
    key = $2 SUBSEP $3 SUBSEP $4
    if ($5 == "ok") value[key, ++count[key]] = $6 + 0
    else errors[$2, $3]++
    if (!(($2, $3) in seen)) { seen[$2, $3] = 1; order[++rows] = $2 SUBSEP $3 }
}
END {
    print "\n| protocol | password checked by | first login, median ms | 95 % | again, median ms | 95 % | errors |"
    print "|---|---|---|---|---|---|---|"
    for (i = 1; i <= rows; i++) {
        split(order[i], part, SUBSEP)
        printf "| %s | %s | %.1f | %.1f | %.1f | %.1f | %d |\n", part[1], part[2],
            figure(order[i] SUBSEP "first", 0.5), figure(order[i] SUBSEP "first", 0.95),
            figure(order[i] SUBSEP "again", 0.5), figure(order[i] SUBSEP "again", 0.95), errors[order[i]]
    }
}' "$ROWS"

is "every login was let in" "$(awk '$5 != "ok"' "$ROWS" | sort | uniq -c | head -n 5)" ""
is "every login was measured" "$(wc -l <"$ROWS")" $((ROUNDS * PEOPLE * 32))
for way in $WAYS; do
    doveadm -c "/etc/dovecot-$way/dovecot.conf" stop
    tail -n 20 /var/log/dovecot.log >"$LAB/log/dovecot.log"
done
for way in saslauthd saslauthd-c; do kill "$(cat /run/$way/saslauthd.pid)"; done
postfix stop >/dev/null 2>&1
systemctl stop provost-authd provost-policyd
lab_done
