#!/bin/sh
# bench_cluster.sh - how fast first logins are made, on one node and on three
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: sudo sh tests/bench_cluster.sh [--rounds N] [--people N] [--clients N]
#
# People log in for the first time, each once: at one authd whose MariaDB is no
# cluster; at one whose node is one of three; at three that all write to one
# node, as with conf/haproxy; at three that each write to a node of their own.
# All have the same number of clients in total. Rows for tests/bench/RESULTS.md.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/lab.sh
. "$here/lib/lab.sh"
# shellcheck source=tests/lib/cluster.sh
. "$lab_tree/tests/lib/cluster.sh"
ROUNDS=3 PEOPLE=900 CLIENTS=24
while [ $# -gt 0 ]; do
    case $1 in
    --rounds) ROUNDS=$2 && shift ;;
    --people) PEOPLE=$2 && shift ;;
    --clients) CLIENTS=$2 && shift ;;
    *) sed -n '/^# usage/,/^$/s/^# *//p' "$0" >&2 && exit 64 ;;
    esac
    shift
done
lab_begin bench_cluster
BENCH=$PROVOST_BUILD/tests/bench WORKERS=16
# shellcheck source=tests/bench/servers.sh
. "$here/bench/servers.sh"

# The person of a number is in one of twenty domains.
next=0
slapd_data $((4 * ROUNDS * PEOPLE)) "$LAB/slapd" >>"$LAB/log/slapadd.log" 2>&1 ||
    lab_die "slapadd makes the directory"
slapd_start "$LAB/slapd"

# settings NAME STORE: provost-NAME.conf, whose store is there.
settings() {
    cat >"$LAB/provost-$1.conf" <<CONF
store = { $2 user = "provost"; database = "provost"; password_file = "$LAB/secrets/store"; };
directories = (
  { name = "bench"; host = "$SLAPD_SOCKET"; base_dn = "$BASE";
    bind_dn = "cn=mail,$BASE"; bind_password_file = "$LAB/secrets/corp";
    username_field = "mail"; login_fields = [ "mail" ]; filter = "";
    attribute_field = "employeeType"; name_field = "displayName";
    attribute_mapping = ( { attribute = "default"; template = "default"; } ); }
);
templates = ( { name = "default"; quota = "1G"; } );
auth = {
  sockets = ( { path = "$LAB/run/authd-$1"; mode = "0666"; canonical_only = false; } );
  control_path = "$LAB/run/control-$1"; workers = $WORKERS;
};
CONF
}

fill() {
    lab_secret corp service
    settings "$1" "$2"
    cluster_ctl "$1" db migrate --schema-dir "$lab_tree/conf/schema" >>"$LAB/log/migrate.log" 2>&1 ||
        lab_die "provostctl db migrate makes the schema"
    lab_sql "INSERT INTO domain (name, name_unicode)
        SELECT CONCAT('d', LPAD(seq, 2, '0'), '.example'),
               CONCAT('d', LPAD(seq, 2, '0'), '.example') FROM seq_0_to_19" ||
        lab_die "the domains can be made"
}

# measure NAME AUTHD...: PEOPLE first logins, shared out; a row for the table.
measure() {
    measure_name=$1
    shift
    measure_rates=
    measure_errors=0
    # shellcheck disable=SC2034
    for round in $(seq "$ROUNDS"); do
        measure_pids=
        rm -f "$LAB"/load.*
        measure_start=$(now_ms)
        for host; do
            "$BENCH/load" -s "$LAB/run/authd-$host" -c $((CLIENTS / $#)) -n $((PEOPLE / $#)) \
                -o -p $((PEOPLE / $#)) -f "$next" >"$LAB/load.$host" 2>&1 &
            measure_pids="$measure_pids $!"
            next=$((next + PEOPLE / $#))
        done
        # shellcheck disable=SC2086
        wait $measure_pids
        measure_rates="$measure_rates $((PEOPLE * 1000 / ($(now_ms) - measure_start)))"
        measure_errors=$((measure_errors + $(cat "$LAB"/load.* | grep -c ' \(no\|temporary\|failed\)=[1-9]')))
    done
    measure_p99=$(sed -n 's/.*p99_us=\([0-9]*\).*/\1/p' "$LAB"/load.* | sort -n | awk '{ ms = $1 / 1000 } END { printf "%.0f", ms }')
    # shellcheck disable=SC2086
    printf '| %s | %s | %s |\n' "$measure_name" \
        "$(printf '%s\n' $measure_rates | sort -n | awk '{ n[NR] = $1 } END { print n[int((NR + 1) / 2)] " (" n[1] " to " n[NR] ")" }')" \
        "$measure_p99"
    is "$measure_name: every first login was let in" "$measure_errors" 0
}

rows() {
    lab_mariadb_template "${LAB_MARIADB_TEMPLATE:-$LAB/mariadb-template}"
    lab_mariadb >/dev/null
    fill alone "socket = \"$LAB/run/mariadb.sock\";"
    cluster_authd alone
    measure "one server, no cluster" alone
    lab_stop authd-alone
    lab_mariadb_stop
    rm -f "$LAB/run/mariadb.sock"
    lab_cluster
    fill 1 "host = \"127.0.0.1\"; port = $CLUSTER_PORT;"
    for host in 2 3; do
        settings "$host" "host = \"127.0.0.$host\"; port = $CLUSTER_PORT;"
    done
    for host in 4 5; do
        settings "$host" "host = \"127.0.0.1\"; port = $CLUSTER_PORT;"
    done
    for host in 1 2 3 4 5; do
        cluster_authd "$host"
    done
    measure "a node of three, one host" 1
    measure "a node of three, three hosts that write to it" 1 4 5
    measure "three nodes, three hosts that write to their own" 1 2 3
}

echo "| $PEOPLE first logins, $CLIENTS clients in total | logins/s, median of $ROUNDS | 99th percentile, ms |"
echo "|---|---|---|"
rows
lab_done
