# policy_servers.sh - the servers of bench_policy.sh; sourced behind lib/lab.sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# Each NAME_start starts one server, which is asked at $LAB/run/NAME, or at the
# port in $LAB/port/NAME, and whose processes are those of $LAB/pid/NAME.

mkdir "$LAB/port"

# where NAME: a socket's path, or a port.
where() {
    cat "$LAB/port/$1" 2>/dev/null || echo "$LAB/run/$1"
}

# pids_of NAME: the process of that name and its children, "12,13,14".
pids_of() {
    children_of "$(lab_pid "$1")" | tr '\n' ',' | sed 's/,$//'
}

children_of() {
    echo "$1"
    # shellcheck disable=SC2013
    for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
        children_of "$child"
    done
}

# memory_of NAME: resident KiB, and KiB with its share of what is shared.
memory_of() {
    for pid in $(pids_of "$1" | tr , ' '); do
        cat "/proc/$pid/smaps_rollup" 2>/dev/null
    done | awk '/^Rss:/ { rss += $2 } /^Pss:/ { pss += $2 }
        END { printf "rss_kib=%d pss_kib=%d\n", rss, pss }'
}

limit_start() {
    lab_start "$1" "$BENCH/policy_limit" "$LAB/run/$1"
    wait_for 10 test -S "$LAB/run/$1" || lab_die "$1 listens within 10 s"
}

# policyd_start NAME RULES [POLICY-SETTING...]: RULES is "none" or "all".
policyd_start() {
    policyd_name=$1 policyd_rules=$2
    shift 2
    {
        sed '/^policy = {/,/^};/d' "$LAB/provost.conf"
        echo "log_level = \"warning\";"
        echo "policy = {"
        echo "  control_path = \"$LAB/run/$policyd_name.control\";"
        echo "  listen = ( { path = \"$LAB/run/$policyd_name\"; mode = \"0666\"; group = \"$(lab_group)\"; } );"
        echo "  node = \"$policyd_name\";"
        printf '  %s\n' "$@"
        echo "  rules = ("
        separator=
        for rule in $RULES; do
            mode=off
            [ "$policyd_rules" = none ] || mode=enforce
            # It asks authd, which is not here.
            [ "$rule" != provision_recipient ] || mode=off
            echo "    $separator{ rule = \"$rule\"; mode = \"$mode\"; }"
            separator=,
        done
        echo "  );"
        echo "};"
    } >"$LAB/$policyd_name.conf"
    lab_start "$policyd_name" "$PROVOST_BUILD/policyd/provost-policyd" -c "$LAB/$policyd_name.conf"
    wait_for 15 test -S "$LAB/run/$policyd_name" || lab_die "$policyd_name listens within 15 s"
}

# Dovecot's quota-status as its manual has it: userdb and quota in SQL.
dovecot_start() {
    dovecot_home=$LAB/$1
    mkdir "$dovecot_home"
    dovecot_connect="host=$LAB/run/mariadb.sock dbname=provost user=provost password=$LAB_STORE_PASSWORD"
    cat >"$dovecot_home/sql.conf" <<CONF
driver = mysql
connect = $dovecot_connect
user_query = SELECT '65534' AS uid, '65534' AS gid, '$dovecot_home/mail' AS home, quota_rule FROM dovecot_user WHERE asked = '%d' AND local_part = '%n'
CONF
    cat >"$dovecot_home/dict.conf" <<CONF
connect = $dovecot_connect
map {
  pattern = priv/quota/storage
  table = quota2
  username_field = username
  value_field = bytes
}
map {
  pattern = priv/quota/messages
  table = quota2
  username_field = username
  value_field = messages
}
CONF
    cat >"$dovecot_home/dovecot.conf" <<CONF
base_dir = $dovecot_home/run
state_dir = $dovecot_home/state
log_path = $LAB/log/$1.log
protocols =
ssl = no
first_valid_uid = 1
mail_location = maildir:$dovecot_home/mail/%d/%n
mail_plugins = quota
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = sql
  args = $dovecot_home/sql.conf
}
dict {
  sqlquota = mysql:$dovecot_home/dict.conf
}
plugin {
  quota = dict:User quota::proxy::sqlquota
  quota_status_success = DUNNO
  quota_status_nouser = DUNNO
  quota_status_overquota = 552 5.2.2 Mailbox is full
}
service quota-status {
  executable = quota-status -p postfix
  client_limit = 1
  unix_listener quota-status {
    mode = 0666
  }
}
service dict {
  unix_listener dict {
    mode = 0666
  }
}
service auth {
  unix_listener auth-userdb {
    mode = 0666
  }
}
CONF
    lab_start "$1" dovecot -F -c "$dovecot_home/dovecot.conf"
    wait_for 15 test -S "$dovecot_home/run/quota-status" || lab_die "Dovecot listens within 15 s"
    ln -s "$dovecot_home/run/quota-status" "$LAB/run/$1"
}

# postfwd with a rule for the size and two for rates, Debian's cache settings.
postfwd_start() {
    lab_port >"$LAB/port/$1"
    cat >"$LAB/$1.cf" <<'CONF'
id=SIZE; size=>104857600; action=552 5.3.4 Message too big
id=LOGIN; sasl_username=~.+; action=rate(sasl_username/1000000/3600/450 4.7.1 Too many messages)
id=DOMAIN; sasl_username=~.+; action=rate(sender_domain/10000000/3600/450 4.7.1 Too many messages)
CONF
    # Without its cache daemon, which comes with --daemon, it counts no rates.
    postfwd2 --daemon --file="$LAB/$1.cf" --interface=127.0.0.1 \
        --port="$(cat "$LAB/port/$1")" --user=nobody --group=nogroup --pidfile="$LAB/$1.pid" \
        --cache_socket="tcp:127.0.0.1:$(lab_port)" --summary=0 --cache=600 \
        --cache-rdomain-only --cache-no-size >>"$LAB/log/$1.log" 2>&1
    wait_for 10 test -s "$LAB/$1.pid" || lab_die "postfwd starts"
    cp "$LAB/$1.pid" "$LAB/pid/$1"
    wait_for 15 lab_port_open "$(cat "$LAB/port/$1")" || lab_die "postfwd listens within 15 s"
}

# policyd-rate-limit, limits by login, in its SQLite file.
prl_start() {
    mkdir "$LAB/$1"
    sed -e "s,^debug:.*,debug: False," -e "s,^user:.*,user: \"root\"," -e "s,^group:.*,group: \"root\"," \
        -e "s,^pidfile:.*,pidfile: \"$LAB/$1/pid\"," -e "s,^SOCKET:.*,SOCKET: \"$LAB/run/$1\"," \
        -e "s,^    database: \"/var.*,    database: \"$LAB/$1/db\"," \
        -e 's,^    - \[10\, 60\].*,    - [1000000\, 3600],' -e '/^    - \[150, 86400\]/d' \
        /etc/policyd-rate-limit.yaml >"$LAB/$1.yaml"
    lab_start "$1" policyd-rate-limit --file "$LAB/$1.yaml"
    wait_for 15 test -S "$LAB/run/$1" || lab_die "policyd-rate-limit listens within 15 s"
}
