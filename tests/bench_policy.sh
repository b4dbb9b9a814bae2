#!/bin/sh
# bench_policy.sh - how fast policy requests are: limits, peers, provost-policyd
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: sudo sh tests/bench_policy.sh [--quick] [--rounds N] [--seconds S]
#            [--only NAME,NAME...] [--rows FILE]
#
# One MariaDB with 10,000 mailboxes in 20 domains serves all, one load generator
# asks all, with every attribute of Postfix 3.7; it shares the processors with
# who is asked. Each round runs each server once, so that what disturbs the
# machine disturbs all of them; the report shows medians, and ratios of one
# round's neighbours. A message is two requests, RCPT and END-OF-MESSAGE; for
# Dovecot, which does not look at the second, RCPT alone. Cold: mail from
# outside for everybody once, after it was told to forget all accounts.
# --quick is a smoke test: no time is judged. The peers are Debian's:
# tests/lib/packages.sh bench.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/lab.sh
. "$here/lib/lab.sh"

QUICK='' ROUNDS=3 SECONDS_EACH=1.5 ONLY='' ROWS='' PEOPLE=10000 COUNTERS=100000
while [ $# -gt 0 ]; do
    case $1 in
    --quick) QUICK=1 ;;
    --rounds) ROUNDS=$2 && shift ;;
    --seconds) SECONDS_EACH=$2 && shift ;;
    --only) ONLY=$2 && shift ;;
    --rows) ROWS=$2 && shift ;;
    *) sed -n '/^# usage/,/^$/s/^# *//p' "$0" >&2 && exit 64 ;;
    esac
    shift
done
[ -z "$QUICK" ] || { ROUNDS=1 SECONDS_EACH=0.3 COUNTERS=2000; }

lab_begin bench_policy
BENCH=$PROVOST_BUILD/tests/bench
ROWS=${ROWS:-$LAB/rows}
: >"$ROWS"
# shellcheck source=tests/bench/policy_servers.sh
. "$here/bench/policy_servers.sh"
RULES='recipient_state mailbox_quota domain_quota message_size send_rate
 sender_login tls_in provision_recipient mailbox_limit'

# wanted NAME: is it to be measured?
wanted() {
    case ,${ONLY:-$1}, in *",$1,"*) ;; *) return 1 ;; esac
}

has() {
    [ -n "$(lab_pid "$1")" ]
}

say() {
    echo "# $*"
}

# run NAME OPTION...: one run of the load generator; prints its line.
run() {
    run_name=$1
    shift
    "$BENCH/policy_load" -s "$(where "$run_name")" -p "$PEOPLE" \
        -C "$(pids_of "$run_name")" "$@"
}

# mode NAME: what a message is to it.
mode() {
    case $1 in dovecot) echo rcpt ;; policyd-cold) echo inbound ;; *) echo mail ;; esac
}

# make_cold: policyd-cold has forgotten all it knew of accounts.
make_cold() {
    "$LAB_PYTHON" -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(b"flush all\n")
sys.exit(not s.makefile().read().startswith("ok"))' "$LAB/run/policyd-cold.control" ||
        lab_die "policyd-cold forgets its accounts"
}

# row KIND NAME CONNECTIONS ROUND LINE
row() {
    echo "kind=$1 name=$2 connections=$3 round=$4 $5" >>"$ROWS"
}

# ------------------------------------------------------------------- data --

echo "## $(date -u +%Y-%m-%d), policy requests"
echo
echo "- $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)," \
    "$(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo), $(uname -sr);" \
    "load of the last minute $(cut -d' ' -f1 /proc/loadavg)"
echo "- $(mariadbd --version | grep -o '[0-9.]*-MariaDB'), Dovecot $(dovecot --version | cut -d' ' -f1)," \
    "$(dpkg-query -W -f '${Package} ${Version}, ' postfwd policyd-rate-limit | sed 's/, $//')"
echo "- $ROUNDS rounds of $SECONDS_EACH s for each server and number of connections"
say "making $PEOPLE mailboxes"
lab_mariadb
LAB_LDAP='host = "127.0.0.1";' lab_config
lab_schema
lab_sql "SET GLOBAL innodb_flush_log_at_trx_commit = 2;
INSERT INTO domain (name, name_unicode, quota, rate_messages, rate_messages_period,
        rate_recipients, rate_recipients_period)
    SELECT CONCAT('d', LPAD(seq, 2, '0'), '.example'),
           CONCAT('d', LPAD(seq, 2, '0'), '.example'), 1 << 50,
           100000000, 3600, 100000000, 3600 FROM seq_0_to_19;
INSERT INTO mailbox (address, domain, local_part, source, mail_path, quota,
        message_size, rate_messages, rate_messages_period, rate_recipients,
        rate_recipients_period)
    SELECT CONCAT(u, '@', d), d, u, 'local', CONCAT(d, '/', u, '/'), 1 << 30,
           1 << 26, 1000000, 3600, 1000000, 3600
      FROM (SELECT CONCAT('u', LPAD(seq, 5, '0')) AS u,
                   CONCAT('d', LPAD(seq % 20, 2, '0'), '.example') AS d
              FROM seq_0_to_9999) AS people;
INSERT INTO alias (address, domain, local_part, targets, kind, owner)
    SELECT address, domain, local_part, address, 'self', address FROM mailbox;
INSERT INTO quota2 (username, bytes, messages)
    SELECT address, IF(local_part LIKE '%7', 2 << 30, 1 << 20), 10 FROM mailbox;
ANALYZE TABLE domain, mailbox, alias, quota2" >"$LAB/log/data.log" ||
    lab_die "the mailboxes can be made"

# ---------------------------------------------------------------- servers --

! wanted limit || limit_start limit
! wanted dovecot || dovecot_start dovecot
! wanted postfwd || postfwd_start postfwd
! wanted policyd-rate-limit || prl_start policyd-rate-limit
if [ -x "$PROVOST_BUILD/policyd/provost-policyd" ]; then
    ! wanted policyd-none || policyd_start policyd-none none
    ! wanted policyd-all || policyd_start policyd-all all 'account_ttl = "1h";' 'usage_ttl = "1h";'
    ! wanted policyd-cold || policyd_start policyd-cold all 'account_ttl = "1h";' 'usage_ttl = "1h";'
fi
NAMES='limit policyd-none policyd-all select policyd-cold dovecot postfwd policyd-rate-limit'

# Processes and connections that are made when they are needed; who remembers
# has seen everybody.
for name in $NAMES; do
    has "$name" || continue
    case $name in
    policyd-all) line=$(run "$name" -c 8 -o -m mail) ;;
    *) line=$(run "$name" -c 64 -t 0.5 -m "$(mode "$name")") ;;
    esac
    say "$name: $line"
done

# ------------------------------------------------------------------- runs --

for connections in 1 8 64; do
    say "$connections connections"
    for round in $(seq "$ROUNDS"); do
        for name in $NAMES; do
            if [ "$name" = select ]; then
                # As many connections to the store as the daemon opens.
                store=$((connections < 8 ? connections : 8))
                ! wanted select || row run select "$connections" "$round" \
                    "$("$BENCH/policy_select" -q "$LAB/run/mariadb.sock" -c "$store" -t "$SECONDS_EACH" -p "$PEOPLE")"
                continue
            fi
            has "$name" || continue
            if [ "$name" = policyd-cold ]; then
                make_cold
                row run policyd-cold "$connections" "$round" \
                    "$(run policyd-cold -c "$connections" -o -m inbound)"
                continue
            fi
            row run "$name" "$connections" "$round" \
                "$(run "$name" -c "$connections" -t "$SECONDS_EACH" -m "$(mode "$name")")"
        done
    done
done

# A thousand connections and a hundred thousand counters, which were charged in
# another life.
if has policyd-all; then
    lab_stop policyd-all
    lab_sql "DELETE FROM rate_usage; INSERT INTO rate_usage
        SELECT 'policyd-all', seq % 2, CONCAT('v', LPAD(seq DIV 2, 6, '0'), '@d00.example'), 3600,
               (UNIX_TIMESTAMP() * 1000) DIV 112500 - 1, 5, 1 + seq DIV 500, UNIX_TIMESTAMP() + 3600
          FROM seq_0_to_$((COUNTERS - 1)) ON DUPLICATE KEY UPDATE count = 5" ||
        lab_die "counters can be made"
    policyd_start policyd-all all 'account_ttl = "1h";' 'usage_ttl = "1h";'
    run policyd-all -c 1000 -H 6 >"$LAB/log/hold.log" &
    hold=$!
    wait_for 5 grep -q rate= "$LAB/log/hold.log"
    row memory policyd-all 1000 0 "$(memory_of policyd-all) $(cat "$LAB/log/hold.log")"
    say "with 1000 connections and $COUNTERS counters: $(memory_of policyd-all)"
    wait "$hold"
fi

awk -f "$here/bench/rows.awk" -f "$here/bench/policy.awk" "$ROWS"

# ---------------------------------------------------------------- verdict --

is "no request of any run was left without an answer" "$(grep 'failed=[1-9]' "$ROWS")" ""
for name in $NAMES; do
    if [ "$name" != select ] && ! has "$name"; then continue; fi
    wanted "$name" || continue
    like "$name was measured" "$(grep -m 1 "name=$name .*dunno=[1-9]" "$ROWS")" dunno=
done
lab_done
