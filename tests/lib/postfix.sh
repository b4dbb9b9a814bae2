# postfix.sh - a private Postfix for one test; part of lab.sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2154 # lab_tree is lab.sh's
#
# lab_postfix starts an instance of its own (configuration, queue and data in
# $LAB) with two submission services on 127.0.0.1, both chrooted, both with TLS
# required and AUTH only inside it:
#
#   $LAB_PLUGIN_PORT   smtpd.conf has provost_path: our plugin is the door
#   $LAB_STOCK_PORT    stock modules, pwcheck_method saslauthd: authd's socket
#
# The map files and the settings around them are those of conf/postfix; only the
# socket and paths are put in. Mail is delivered by virtual(8) below $LAB/mail.

# lab_postfix: starts it; the log is $LAB/log/postfix.log.
lab_postfix() {
    lab_postfix_make
    lab_postfix_start
}

lab_postfix_start() {
    # master(8) by itself: postfix(1) would look after the host's files too.
    SASL_PATH=$LAB/sasl2:$(lab_sasl_dir) lab_start postfix \
        "$(lab_postfix_daemons)/master" -s -c "$LAB/postfix"
    wait_for 15 lab_port_open "$LAB_STOCK_PORT" || lab_die "Postfix opens its ports"
}

lab_postfix_stop() {
    lab_stop postfix
}

# lab_postfix_reload: new smtpd processes at the next connection.
lab_postfix_reload() {
    lab_signal postfix HUP
    sleep 0.3
}

lab_postfix_daemons() {
    postconf -dh daemon_directory
}

# Where the stock modules are.
lab_sasl_dir() {
    lab_multiarch=$(gcc -print-multiarch 2>/dev/null || dpkg-architecture -qDEB_HOST_MULTIARCH)
    echo "/usr/lib/$lab_multiarch/sasl2"
}

lab_postfix_make() {
    lab_ca
    LAB_PLUGIN_PORT=$(lab_port)
    LAB_STOCK_PORT=$(lab_port)
    export LAB_PLUGIN_PORT LAB_STOCK_PORT
    mkdir -p "$LAB/postfix/sasl" "$LAB/postfix-data" "$LAB/mail" "$LAB/sasl2"
    chown postfix "$LAB/postfix-data"
    chown nobody "$LAB/mail"
    lab_postfix_queue
    cp "${PROVOST_PLUGIN:-$PROVOST_BUILD/saslplugin/.libs/libprovost.so}" "$LAB/sasl2/" ||
        lab_die "the plugin has been built"
    lab_postfix_sasl
    lab_postfix_master >"$LAB/postfix/master.cf"
    lab_postfix_main >"$LAB/postfix/main.cf"
    lab_postfix_maps
}

lab_postfix_queue() {
    mkdir -p "$LAB/spool"
    (
        cd "$LAB/spool" || exit 1
        mkdir -p active bounce corrupt defer deferred flush hold incoming \
            maildrop pid private public saved trace var/run/provost
        chown postfix active bounce corrupt defer deferred flush hold incoming \
            maildrop private public saved trace
        chmod 700 active bounce corrupt defer deferred flush hold incoming \
            private saved trace
        chgrp postdrop maildrop public
        chmod 1730 maildrop
        chmod 2710 public
    ) || lab_die "a queue directory can be made"
}

# One configuration file for each door, as conf/ has them, paths put in.
lab_postfix_sasl() {
    lab_snippet conf/postfix/sasl/plugin.conf >"$LAB/postfix/sasl/smtpd.conf"
    lab_snippet conf/postfix/sasl/saslauthd.conf >"$LAB/postfix/sasl/stock.conf"
}

# lab_snippet FILE: a file of conf/ with this lab's paths.
lab_snippet() {
    sed -e "s,/var/run/provost/mux,/var/run/provost/plugin,g" \
        -e "s,/run/mysqld/mysqld.sock,$LAB/run/mariadb.sock,g" \
        -e "s,/etc/postfix/,$LAB/postfix/,g" \
        "$lab_tree/$1"
}

lab_postfix_master() {
    cat <<CONF
postlog    unix-dgram n - n - 1 postlogd
127.0.0.1:$LAB_PLUGIN_PORT inet n - y - - smtpd
  -o smtpd_sasl_path=smtpd
127.0.0.1:$LAB_STOCK_PORT inet n - y - - smtpd
  -o smtpd_sasl_path=stock
cleanup    unix n - y - 0 cleanup
qmgr       unix n - n 300 1 qmgr
tlsmgr     unix - - y 1000? 1 tlsmgr
rewrite    unix - - y - - trivial-rewrite
bounce     unix - - y - 0 bounce
defer      unix - - y - 0 bounce
trace      unix - - y - 0 bounce
proxymap   unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
error      unix - - y - - error
retry      unix - - y - - error
discard    unix - - y - - discard
# virtual(8) takes no map that another process looks up.
virtual    unix - n n - - virtual
  -o virtual_mailbox_maps=mysql:$LAB/postfix/virtual_mailbox_maps.cf
anvil      unix - - y - 1 anvil
CONF
}

lab_postfix_main() {
    cat <<CONF
compatibility_level = 3.6
queue_directory = $LAB/spool
data_directory = $LAB/postfix-data
maillog_file = $LAB/log/postfix.log
maillog_file_prefixes = $LAB
import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME SASL_PATH
syslog_name = lab
myhostname = mail.example.org
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
default_transport = error:this lab sends nothing away
biff = no
# A test may fail as often as it likes.
smtpd_soft_error_limit = 9999
smtpd_hard_error_limit = 10000
smtpd_client_connection_count_limit = 0
smtpd_tls_cert_file = $LAB/tls/cert.pem
smtpd_tls_key_file = $LAB/tls/key.pem
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_sender_restrictions = reject_authenticated_sender_login_mismatch
smtputf8_enable = yes
virtual_mailbox_base = $LAB/mail
virtual_uid_maps = static:$(id -u nobody)
virtual_gid_maps = static:$(id -g nobody)
CONF
}

# lab_policy_restriction NAME: as conf/postfix/policy.txt has it in main.cf, in
# the form of a -o option.
lab_policy_restriction() {
    awk -v name="$1" '$1 == name { inside = 1; next }
        inside && /check_policy_service|permit|reject/ { gsub(/^ +/, ""); printf "%s", $0; if ($0 !~ /,$/) exit }
        inside && /=/ { exit }' "$lab_tree/conf/postfix/policy.txt" |
        sed 's/permit_mynetworks,//; s/, */,/g; s/ /,/g'
}

# The same of its line for the submission service.
lab_policy_submission() {
    sed -n 's/^ *-o \(smtpd_recipient_restrictions=check_policy.*\)/\1/p' \
        "$lab_tree/conf/postfix/policy.txt"
}

# lab_postfix_policy: between lab_postfix_make and lab_postfix_start. Adds a
# service for mail from outside, 127.0.0.1:$LAB_MX_PORT, and lets it and the
# plugin's door ask the policy service.
lab_postfix_policy() {
    LAB_MX_PORT=$(lab_port)
    export LAB_MX_PORT
    cat >>"$LAB/postfix/master.cf" <<CONF
127.0.0.1:$LAB_MX_PORT inet n - y - - smtpd
  -o smtpd_tls_security_level=may
  -o smtpd_sasl_auth_enable=no
  -o smtpd_relay_restrictions=reject_unauth_destination
  -o smtpd_sender_restrictions=
  -o smtpd_recipient_restrictions=$(lab_policy_restriction smtpd_recipient_restrictions)
  -o smtpd_end_of_data_restrictions=$(lab_policy_restriction smtpd_end_of_data_restrictions)
CONF
    lab_policy_ends="check_policy_service,unix:var/run/provost/policy"
    sed -i "s|^  -o smtpd_sasl_path=smtpd|&\n  -o $(lab_policy_submission)\n  -o smtpd_end_of_data_restrictions=$lab_policy_ends|" \
        "$LAB/postfix/master.cf"
}

# lab_policyd: starts it; its socket is where the pages say.
lab_policyd() {
    lab_start policyd "$PROVOST_BUILD/policyd/provost-policyd" -c "$LAB/provost.conf"
    wait_for 10 test -S "$(lab_jail_path policy)" ||
        lab_die "provost-policyd opens its socket"
}

# lab_policy_listen: the rows of provost.conf that let it listen there.
lab_policy_listen() {
    echo "listen = ( { path = \"$(lab_jail_path policy)\"; mode = \"0666\"; group = \"$(lab_group)\"; } );
  control_path = \"$LAB/run/policyd.control\";"
}

# lab_send OPTION...: one message to the service for mail from outside; see
# smtp_send.py.
lab_send() {
    "$LAB_PYTHON" "$lab_tree/tests/lib/smtp_send.py" "$LAB_MX_PORT" "$@" 2>&1
}

# lab_submit USER OPTION...: likewise of somebody who logs in, USER-secret.
lab_submit() {
    lab_user_=$1
    shift
    "$LAB_PYTHON" "$lab_tree/tests/lib/smtp_send.py" "$LAB_PLUGIN_PORT" --tls "$LAB/tls/ca.pem" \
        --user "$lab_user_@example.org" --password "$lab_user_-secret" "$@" 2>&1
}

# The lookups in MariaDB: conf/postfix/*.cf and the settings that name them.
lab_postfix_maps() {
    for lab_map in "$lab_tree"/conf/postfix/*.cf; do
        case $lab_map in */main.cf | */master.cf) continue ;; esac
        lab_snippet "conf/postfix/${lab_map##*/}" >"$LAB/postfix/${lab_map##*/}"
    done
    lab_snippet conf/postfix/main.cf >>"$LAB/postfix/main.cf"
    lab_snippet conf/postfix/master.cf >>"$LAB/postfix/master.cf"
}

# lab_smtp plugin|stock USER PASSWORD [OPTION...]: AUTH through that door;
# prints the replies (see smtp_auth.py).
lab_smtp() {
    lab_smtp_port=$LAB_PLUGIN_PORT
    [ "$1" = plugin ] || lab_smtp_port=$LAB_STOCK_PORT
    lab_user_=$2 lab_password_=$3
    shift 3
    "$LAB_PYTHON" "$lab_tree/tests/lib/smtp_auth.py" --port "$lab_smtp_port" \
        --ca "$LAB/tls/ca.pem" --user "$lab_user_" --password "$lab_password_" "$@"
}

# lab_smtp_code: the same, the first three digits alone.
lab_smtp_code() {
    lab_smtp "$@" | cut -c1-3
}
