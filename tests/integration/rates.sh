#!/bin/sh
# rates.sh - limits that survive restarts, outages, renames, and other clocks
# SPDX-License-Identifier: BSD-2-Clause
#
# Each node is a process with the counters and their keeper, as in the daemon.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin rates
lab_mariadb
LAB_LDAP='host = "127.0.0.1";' lab_config
lab_schema

# node NAME FLUSH_MS share|alone [VARIABLE=VALUE...]: starts one. Commands come
# through a pipe; the answers are in NAME.out.
node() {
    node_name=$1 node_flush=$2 node_share=$3
    shift 3
    rm -f "$LAB/run/$node_name"
    mkfifo "$LAB/run/$node_name"
    : >"$LAB/log/$node_name.out"
    : >"$LAB/log/$node_name.log"
    # Open for both, the pipe has no end when one writer has gone.
    # shellcheck disable=SC2016
    lab_start "$node_name" sh -c 'pipe=$1 out=$2; shift 2; exec "$@" <>"$pipe" >>"$out"' sh \
        "$LAB/run/$node_name" "$LAB/log/$node_name.out" env "$@" \
        "$PROVOST_BUILD/tests/integration/rate_node" "$LAB/run/mariadb.sock" \
        "$LAB_STORE_PASSWORD" "$node_name" "$node_flush" "$node_share"
    wait_for 10 grep -q ready "$LAB/log/$node_name.out" ||
        lab_die "node $node_name starts"
}

# tell NAME COMMAND: does not wait for the answer.
tell() {
    tell_name=$1
    shift
    echo "$*" >"$LAB/run/$tell_name"
}

answers() {
    [ "$(wc -l <"$LAB/log/$1.out")" -gt "$2" ]
}

# ask NAME COMMAND: prints the last word of the answer's second column.
ask() {
    ask_name=$1
    ask_lines=$(wc -l <"$LAB/log/$ask_name.out")
    tell "$@"
    wait_for 20 answers "$ask_name" "$ask_lines" || echo "no answer"
    tail -n 1 "$LAB/log/$ask_name.out" | cut -d' ' -f2
}

quit() {
    tell "$1" quit
    wait_for 10 lab_gone "$1" || not_ok "node $1 ends by itself"
    lab_stop "$1"
}

# stored NODE [SUBJECT]: the sum of its rows.
stored() {
    lab_sql "SELECT COALESCE(SUM(count), 0) FROM rate_usage
        WHERE node = '$1' AND subject = '${2:-ada@example.org}'"
}

stored_is() {
    [ "$(stored "$1")" = "$2" ]
}

# between SENTENCE NUMBER LOW HIGH
between() {
    if [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then
        ok "$1 ($2 of $3 to $4)"
    else
        not_ok "$1" "$2 is not in $3 to $4"
    fi
}

forget() {
    lab_sql "DELETE FROM rate_usage; DELETE FROM event"
}

# --------------------------------------------------------------- restarts --

node a 1000 alone
is "a hundred fit into a limit of a hundred" "$(ask a charge ada@example.org 100 3600 150 0)" 100
quit a
is "a stop writes all that was charged" "$(stored a)" 100
node a 1000 alone
is "after a restart nothing more fits" "$(ask a charge ada@example.org 100 3600 1 0)" 0
is "a larger limit has room for the rest" "$(ask a charge ada@example.org 120 3600 50 0)" 20
quit a
is "old and new charges are one count" "$(stored a)" 120
forget

# Killed in mid-burst: of what was charged, at most the last interval is gone.
# The node notes each charge with its time; the margin is a busy machine's.
node a 1000 alone
tell a charge ada@example.org 100000 3600 100000 2
sleep 3.2
lab_stop a KILL
wanted=$(awk '$2 ~ /^[0-9]+$/ { last = $1; at[NR] = $1; n[NR] = $2 }
    END { for (i = NR; i > 0; i--) if (at[i] <= last - 1500) { print n[i]; exit } print 0 }' "$LAB/log/a.log")
passed=$(awk '$2 ~ /^[0-9]+$/ { n = $2 } END { print n + 0 }' "$LAB/log/a.log")
node a 1000 alone
between "kill -9 in mid-burst forgives no more than a flush interval" \
    "$(ask a used ada@example.org 3600)" "$wanted" "$passed"
quit a
check "and the burst was long enough to tell" test "$wanted" -gt 100
forget

# ----------------------------------------------------------------- outage --

node a 400 alone
is "charged while the store is there" "$(ask a charge ada@example.org 1000 3600 10 0)" 10
wait_for 5 stored_is a 10 || not_ok "the first ten are written" "$(stored a)"
lab_signal mariadb STOP
is "charged while the store hangs" "$(ask a charge ada@example.org 1000 3600 20 0)" 20
lab_signal mariadb CONT
lab_stop mariadb KILL
is "charged while the store is gone" "$(ask a charge ada@example.org 1000 3600 30 0)" 30
check "the log says that they are counted in memory" wait_for 10 \
    grep -q 'rates are counted in memory alone, trying again: error=' "$LAB/log/a.log"
is "the counters go on" "$(ask a used ada@example.org 3600)" 60
lab_mariadb_start
check "all of it is written when the store is back" wait_for 10 stored_is a 60
quit a
forget

# Started without a store: what was stored counts once it answers.
node a 400 alone
is "some are stored" "$(ask a charge ada@example.org 1000 3600 7 0)" 7
quit a
lab_mariadb_stop
node a 400 alone
is "a node starts without a store" "$(ask a charge ada@example.org 1000 3600 5 0)" 5
lab_mariadb_start
check "and adds what it charged to what was there" wait_for 10 stored_is a 12
is "in its memory too" "$(ask a used ada@example.org 3600)" 12
quit a
forget

# ------------------------------------------------------------ three nodes --

# Each lets 200 a second through at most. By itself each would pass 400.
for name in a b c; do node "$name" 500 share; done
for name in a b c; do tell "$name" until ada@example.org 400 3600 5; done
total=0
for name in a b c; do
    wait_for 30 grep -q passed "$LAB/log/$name.out" || not_ok "node $name meets the limit"
    passed=$(tail -n 1 "$LAB/log/$name.out" | cut -d' ' -f2)
    total=$((total + passed))
done
# 3 nodes x 0.5 s x 200/s; the margin of a busy machine is as much again, and
# still far from the 1200 of nodes that share nothing.
between "three nodes share a limit of 400" "$total" 400 $((400 + 2 * 300))
sleep 1.5
for name in a b c; do
    is "and node $name knows the whole" "$(ask "$name" used ada@example.org 3600)" "$total"
done
is "nothing more fits anywhere" "$(ask b charge ada@example.org 400 3600 1 0)" 0
for name in a b c; do quit "$name"; done
is "the first refusal of the period is one event, of all nodes" \
    "$(lab_sql "SELECT COUNT(*), MIN(who), MIN(reason) FROM event WHERE kind = 'rate_limit' AND address = 'ada@example.org'")" \
    "$(printf '1\tpolicyd\tmailbox_messages 400/1h of ada@example.org')"
node d 500 share
is "a node that comes later knows it too" "$(ask d charge ada@example.org 400 3600 1 0)" 0
quit d
node d 500 alone
is "a node that shares nothing does not" "$(ask d charge ada@example.org 400 3600 1 0)" 1
quit d
forget

# The same by three daemons, each with its socket, as Postfix asks them.
daemon() {
    sed '/^policy = {/,/^};/d' "$LAB/provost.conf" >"$LAB/daemon-$1.conf"
    cat >>"$LAB/daemon-$1.conf" <<CONF
policy = {
  control_path = "$LAB/run/daemon-$1.control"; share_rates = true; node = "daemon-$1"; rate_flush = "500ms";
  listen = ( { path = "$LAB/run/daemon-$1"; mode = "0666"; group = "$(lab_group)"; } );
  rules = ( { rule = "send_rate"; mode = "enforce"; } );
};
CONF
    lab_start "daemon-$1" "$PROVOST_BUILD/policyd/provost-policyd" -c "$LAB/daemon-$1.conf"
    wait_for 15 test -S "$LAB/run/daemon-$1" || lab_die "daemon $1 opens its socket"
}

# burst NAME: messages of one login, at most 200 a second, until one is refused;
# prints how many were let through.
burst() {
    "$LAB_PYTHON" - "$LAB/run/daemon-$1" <<'PYTHON'
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
f = s.makefile("rw")
for n in range(100000):
    f.write("request=smtpd_access_policy\nprotocol_state=END-OF-MESSAGE\n"
            f"sender=\nrecipient=friend@elsewhere.example\nrecipient_count=1\ninstance={n}\n"
            "sasl_username=Bob@Example.org\nsize=100\n\n")
    f.flush()
    answer = f.readline()
    f.readline()
    if answer != "action=DUNNO\n":
        break
    time.sleep(0.005)
print(n, answer.strip())
PYTHON
}

lab_domain example.org
lab_provostctl mailbox add bob@example.org --source local --rate-messages 300/1h \
    >>"$LAB/log/add.log" 2>&1 </dev/null || not_ok "a mailbox can be made" "$(cat "$LAB/log/add.log")"
for name in a b c; do daemon "$name"; done
for name in a b c; do lab_start "burst-$name" burst "$name"; done
total=0
for name in a b c; do
    wait_for 30 lab_gone "burst-$name" || not_ok "daemon $name meets the limit"
    like "daemon $name refuses with the limit's name" "$(cat "$LAB/log/burst-$name.log")" \
        'action=450 4\.7\.1 .*300'
    total=$((total + $(cut -d' ' -f1 "$LAB/log/burst-$name.log")))
done
# 3 daemons x 0.5 s x 200/s, and half as much for a busy machine; 900 is what
# daemons let through that share nothing.
between "three daemons share a limit of 300" "$total" 300 $((300 + 300 + 150))
for name in a b c; do lab_stop "daemon-$name"; done
is "and it is one event" "$(lab_sql "SELECT COUNT(*) FROM event WHERE kind = 'rate_limit'
    AND address = 'bob@example.org'")" 1
lab_sql "DELETE FROM rate_usage; DELETE FROM event"

# ----------------------------------------------------------------- clocks --

# The wall clock of the node jumps; the store's and the monotonic one do not.
faketime=$(find /usr/lib -name libfaketimeMT.so.1 2>/dev/null | head -n 1)
check "libfaketime is there" test -n "$faketime"
# A sanitizer wants to be the first that is loaded, and is not faked.
if ! ldd "$PROVOST_BUILD/tests/integration/rate_node" 2>/dev/null | grep -q 'lib[at]san'; then
    echo "+0" >"$LAB/faketime"
    node a 400 alone "LD_PRELOAD=$faketime" "FAKETIME_TIMESTAMP_FILE=$LAB/faketime" \
        FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1
    is "the limit is reached" "$(ask a until ada@example.org 50 3600 0)" 50
    for jump in +3d -400d; do
        echo "$jump" >"$LAB/faketime"
        sleep 0.6
        is "a jump of the wall clock by $jump forgives nothing" \
            "$(ask a charge ada@example.org 50 3600 1 0)" 0
    done
    quit a
    node a 400 alone "LD_PRELOAD=$faketime" FAKETIME=-30d FAKETIME_DONT_FAKE_MONOTONIC=1
    is "nor does a restart with a wrong clock" "$(ask a charge ada@example.org 50 3600 1 0)" 0
    quit a
fi
forget

# ------------------------------------------------------- renames, old rows --

lab_sql "INSERT INTO rate_usage SELECT 'a', 0, CONCAT('u', seq, '@example.org'), 60, 1, 1, 1, 100
    FROM seq_1_to_1200"
node a 400 alone
check "rows that expired are removed" wait_for 10 \
    test "$(lab_sql "SELECT COUNT(*) FROM rate_usage")" = 0
lab_provostctl mailbox add ada@example.org --source local >>"$LAB/log/add.log" 2>&1 </dev/null ||
    not_ok "a mailbox can be made" "$(cat "$LAB/log/add.log")"
is "charged before the rename" "$(ask a charge ada@example.org 50 3600 40 0)" 40
lab_provostctl --yes mailbox rename ada@example.org ada.lovelace@example.org >>"$LAB/log/rename.log" 2>&1 ||
    not_ok "a mailbox can be renamed" "$(cat "$LAB/log/rename.log")"
renamed() {
    [ "$(ask a used ada.lovelace@example.org 3600)" = 40 ]
}
check "a renamed mailbox takes its count along" wait_for 10 renamed
is "only the rest fits" "$(ask a charge ada.lovelace@example.org 50 3600 40 0)" 10
quit a
is "the rows moved as well" "$(stored a) $(stored a ada.lovelace@example.org)" "0 50"
lab_done
