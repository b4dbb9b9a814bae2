#!/bin/sh
# bench_auth.sh - how fast logins are: limits, peers and provost-authd in one run
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: sudo sh tests/bench_auth.sh [--quick] [--rounds N] [--seconds S]
#            [--workers N] [--only NAME,NAME...] [--data DIR] [--rows FILE]
#
# One private slapd and one MariaDB serve all; everybody has the same number of
# workers; everything is on unix sockets in one temporary directory. Each round
# runs each server once, so that what disturbs the machine disturbs all of
# them; the report shows medians, and ratios of one round's neighbours.
# --data keeps directory and database for the next run; --rows keeps the rows.
# --quick is a smoke test: a few people, short runs, no time is judged.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/lab.sh
. "$here/lib/lab.sh"

QUICK='' ROUNDS=3 SECONDS_EACH=1.5 WORKERS=16 ONLY='' DATA='' ROWS=''
PEOPLE=100000 FEW=1000 FIRSTS=200 FIRST_ROUNDS=5
while [ $# -gt 0 ]; do
    case $1 in
    --quick) QUICK=1 ;;
    --rounds) ROUNDS=$2 && shift ;;
    --seconds) SECONDS_EACH=$2 && shift ;;
    --workers) WORKERS=$2 && shift ;;
    --only) ONLY=$2 && shift ;;
    --data) DATA=$2 && shift ;;
    --rows) ROWS=$2 && shift ;;
    *) sed -n '/^# usage/,/^$/s/^# *//p' "$0" >&2 && exit 64 ;;
    esac
    shift
done
[ -z "$QUICK" ] || { ROUNDS=1 SECONDS_EACH=0.3 PEOPLE=2000 FEW=100 FIRSTS=20 FIRST_ROUNDS=2; }

lab_begin bench
BENCH=$PROVOST_BUILD/tests/bench
# shellcheck source=tests/bench/servers.sh
. "$here/bench/servers.sh"
DATA=${DATA:-$LAB/data}
ROWS=${ROWS:-$LAB/rows}
mkdir -p "$DATA"
: >"$ROWS"

# has NAME: is it there, and wanted?
has() {
    [ -e "$LAB/run/$1" ]
}

wanted() {
    case ,${ONLY:-$1}, in *",$1,"*) ;; *) return 1 ;; esac
}

say() {
    echo "# $*"
}

# run NAME OPTION...: one run of the load generator; prints its line.
run() {
    run_name=$1
    shift
    case $run_name in dovecot*) set -- -d "$@" ;; esac
    "$BENCH/load" -s "$LAB/run/$run_name" \
        -C "daemon=$(pids_of "$run_name")" -C "slapd=$(pids_of slapd)" \
        -C "mariadbd=$(pids_of mariadb)" "$@"
}

# row KIND NAME PEOPLE CLIENTS ROUND LINE: keeps a line for the report.
row() {
    echo "kind=$1 name=$2 people=$3 clients=$4 round=$5 $6" >>"$ROWS"
}

# ------------------------------------------------------------------- data --

# What the figures depend on; no name of a host, no path.
describe() {
    echo "## $(date -u +%Y-%m-%d)"
    echo
    echo "- $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)," \
        "$(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo), $(uname -sr);" \
        "load of the last minute $(cut -d' ' -f1 /proc/loadavg)"
    echo "- $(slapd -VV 2>&1 | grep -o 'OpenLDAP: slapd [0-9.]*'), $(mariadbd --version | grep -o '[0-9.]*-MariaDB')," \
        "saslauthd $(saslauthd -v 2>&1 | grep -o 'saslauthd [0-9.]*' | cut -d' ' -f2), Dovecot $(dovecot --version | cut -d' ' -f1)"
    echo "- $WORKERS workers everywhere, $ROUNDS rounds of $SECONDS_EACH s for each server"
}

describe
say "making $PEOPLE people"
slapd_data $((PEOPLE + FIRSTS * FIRST_ROUNDS)) "$DATA/slapd" >>"$LAB/log/slapadd.log" 2>&1 ||
    lab_die "slapadd makes the directory"
slapd_start "$DATA/slapd"
mariadb_start "$DATA/mariadb"
lab_secret store "$LAB_STORE_PASSWORD"
LAB_DB='' lab_sql "DROP DATABASE IF EXISTS provost;
    CREATE DATABASE provost CHARACTER SET utf8mb4;
    CREATE OR REPLACE USER provost@localhost IDENTIFIED BY '$LAB_STORE_PASSWORD';
    GRANT ALL ON provost.* TO provost@localhost" || lab_die "the database can be made"
for file in "$here"/../conf/schema/*.sql; do
    mariadb --no-defaults --socket="$DB_SOCKET" --user=root provost <"$file" ||
        lab_die "the schema can be made"
done
lab_sql "INSERT INTO schema_version VALUES ($(find "$here/../conf/schema" -name '*.sql' | wc -l), 1, UTC_TIMESTAMP());
    INSERT INTO domain (name, name_unicode)
    SELECT CONCAT('d', LPAD(seq, 2, '0'), '.example'),
           CONCAT('d', LPAD(seq, 2, '0'), '.example') FROM seq_0_to_19" ||
    lab_die "the domains can be made"

# ---------------------------------------------------------------- servers --

LONG='entry_ttl = "3600s"; entry_max = 200000;'
! wanted authd || authd_start authd 'entry_ttl = "0s";' 'cache_ttl = "0s";'
! wanted authd-entries || authd_start authd-entries "$LONG" 'cache_ttl = "0s";'
! wanted authd-cache || authd_start authd-cache '' 'cache_ttl = "3600s"; cache_max = 200000;'
authd=$(for name in authd authd-entries authd-cache; do
    has "$name" && echo "$name" && break; done)
[ -z "$authd" ] || say "$authd: first login of person 0: $(run "$authd" -n 1 -p 1)"
fill_mailboxes "$PEOPLE" || lab_die "the mailboxes can be made"

! wanted hop || limit_start hop hop
! wanted limit-select-search-bind || limit_start limit-select-search-bind select+search+bind
! wanted limit-select-bind || limit_start limit-select-bind select+bind
! wanted limit-select || limit_start limit-select select
! wanted saslauthd || saslauthd_start saslauthd "$WORKERS"
! wanted saslauthd-5 || saslauthd_start saslauthd-5 5
! wanted saslauthd-c || saslauthd_start saslauthd-c "$WORKERS" -c -s 4096
! wanted saslauthd-C || saslauthd_start saslauthd-C "$WORKERS" -c -s 32768
! wanted dovecot || dovecot_start dovecot no
! wanted dovecot-workers || dovecot_start dovecot-workers yes

NAMES='hop limit-select-search-bind authd saslauthd saslauthd-5 dovecot dovecot-workers
 limit-select-bind authd-entries limit-select authd-cache saslauthd-c saslauthd-C'

# Processes and connections that are made when they are needed.
for name in $NAMES; do
    ! has "$name" || run "$name" -c 32 -n 500 -p "$PEOPLE" >/dev/null
done

# What remembers is asked once for everybody; the first authd completes the rows
# of the mailboxes on the way.
seen="authd-entries authd-cache saslauthd-c saslauthd-C"
[ "$authd" != authd ] || has authd-entries || seen="authd $seen"
for name in $seen; do
    has "$name" || continue
    line=$(run "$name" -c "$WORKERS" -o -n "$PEOPLE" -p "$PEOPLE")
    say "$name has seen everybody: $line"
    row fill "$name" "$PEOPLE" "$WORKERS" 0 "$line"
done

# ------------------------------------------------------------------- runs --

for people in $FEW $PEOPLE; do
    for clients in 1 8 32; do
        say "$clients clients, $people people"
        for round in $(seq "$ROUNDS"); do
            for name in $NAMES; do
                has "$name" || continue
                row run "$name" "$people" "$clients" "$round" \
                    "$(run "$name" -c "$clients" -p "$people" -t "$SECONDS_EACH")"
            done
        done
    done
done

if has authd; then
    say "first logins"
    for round in $(seq "$FIRST_ROUNDS"); do
        row run plain-login "$PEOPLE" 1 "$round" "$(run authd -n "$FIRSTS" -p "$PEOPLE")"
        row run first-login "$FIRSTS" 1 "$round" "$(run authd -n "$FIRSTS" -o -p "$FIRSTS" \
            -f $((PEOPLE + (round - 1) * FIRSTS)))"
    done
fi
# The plugin in a program, and the same frames sent by hand, by turns, to the
# server that only answers.
plugin=$PROVOST_BUILD/saslplugin/.libs/libprovost.so
if has hop && [ -f "$plugin" ]; then
    mkdir "$LAB/plugins"
    cp "$plugin" "$LAB/plugins/"
    added=$({ printf '\0ada@example.org\0good' | base64 -w0 && echo; } |
        "$PROVOST_BUILD/tests/integration/sasl_host" -p "$LAB/plugins:$(lab_sasl_dir)" \
            -o "provost_path=$LAB/run/hop" -o auxprop_plugin=none \
            -b "$LAB/run/hop" -n $((FIRSTS * 10)) PLAIN | sed -n 's/^added_us //p')
    [ -z "$added" ] || row plugin plugin 1 1 0 "added_us=$added"
fi
if has authd-cache; then
    pid=$(lab_pid authd-cache)
    row memory authd-cache "$PEOPLE" 0 0 "rss_kib=$(awk '/^Rss/ { print $2 }' "/proc/$pid/smaps_rollup") pss_kib=$(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup")"
fi

awk -v few="$FEW" -v many="$PEOPLE" -f "$here/bench/rows.awk" -f "$here/bench/report.awk" "$ROWS"

# ---------------------------------------------------------------- verdict --

errors=$(awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^(no|temporary|failed)=[1-9]/) { print; break } }' "$ROWS")
is "every answer of every run was OK" "$errors" ""
for name in $NAMES; do
    wanted "$name" || continue
    like "$name was measured" "$(grep -m 1 "name=$name .* ok=[1-9]" "$ROWS")" ok=
done
! wanted hop || like "the plugin was measured" "$(grep kind=plugin "$ROWS")" 'added_us=-?[0-9]'
lab_done
