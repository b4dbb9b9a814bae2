#!/bin/sh
# cluster.sh - three hosts on a Galera cluster of three nodes, and what breaks
# SPDX-License-Identifier: BSD-2-Clause
#
# Each host has an authd and a policyd of its own that ask the host's own node
# first: all nodes are written to. A login that meets a limit is answered NO
# here, so that the limit's refusals differ from stalls, which are temporary.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../../lib/lab.sh"
# shellcheck source=tests/lib/cluster.sh
. "$lab_tree/tests/lib/cluster.sh"
lab_begin cluster
slow=${PROVOST_SLOW:-1}
# No answer may take longer than auth.deadline and what a busy machine adds.
deadline_ms=$((8000 + 3000 * slow))

# people DOMAIN FIRST COUNT: entries, and a file of logins for each host.
people() {
    people_number=$2
    while [ "$people_number" -lt $(($2 + $3)) ]; do
        lab_person_ldif "$people_number" "p$people_number" "p$people_number@$1" Person default >>"$LAB/people.ldif"
        printf 'p%s@%s\tp%s-secret\n' "$people_number" "$1" "$people_number" >>"$LAB/$1.$((people_number % 3 + 1))"
        people_number=$((people_number + 1))
    done
}

# newcomers DOMAIN FIRST COUNT: people for provost-sync, who are in the
# directory from now on, and a file of logins.
newcomers() {
    awk -v domain="$1" -v first="$2" -v count="$3" -v base="$LAB_PEOPLE" 'BEGIN {
        for (n = first; n < first + count; n++) {
            printf "dn: uid=s%d,%s\nobjectClass: inetOrgPerson\nobjectClass: labMailPerson\n", n, base
            printf "uid: s%d\ncn: S %d\nsn: S\ndisplayName: S %d\n", n, n, n
            printf "mail: s%d@%s\nuserPassword: s%d-secret\notherMailbox: default\n", n, domain, n
            printf "entryUUID: 00000000-0000-4000-9000-%012d\n\n", n
        }
    }' >"$LAB/newcomers.ldif"
    lab_ldap_add <"$LAB/newcomers.ldif" || lab_die "newcomers can be added"
    seq "$2" $(($2 + $3 - 1)) | sed "s/.*/s&@$1\ts&-secret/" >"$LAB/$1.all"
}

lab_ldif >"$LAB/people.ldif"
people crowd.example 1000 500
people killed.example 2000 500
people lost.example 3000 9
people hung.example 5000 60
people proxy.example 4000 10
LAB_SLAPD_LDIF=$LAB/people.ldif
lab_slapd
lab_cluster
LAB_LDAP=ldapi
LAB_CONF_DEFAULT='rate_limit = "5/1h";'
LAB_CONF_AUTH='throttle_failures = 0; on_provisioning_refused = "refuse";'
LAB_CONF="policy = {
  listen = ( { path = \"$LAB/run/policy\"; mode = \"0666\"; } );
  control_path = \"$LAB/run/policy.control\"; account_ttl = \"0\"; rate_flush = \"500ms\";
  share_rates = true; node = \"\"; rules = ( { rule = \"send_rate\"; } );
};"
lab_config
lab_schema
for domain in crowd.example:300 both.example:250 turn.example:0 killed.example:300 same.example:0 lost.example:0 hung.example:0 proxy.example:0 example.org:0; do
    lab_domain "${domain%:*}" --max-mailboxes "${domain#*:}"
done
cluster_config
for node in $CLUSTER_NODES; do
    cluster_authd "$node"
    cluster_policyd "$node"
done

# crowd DOMAIN PARALLEL [OPTION...]: each host gets its people at once; the
# sums of all answers in $LAB/answers, the slowest answer in $slowest.
crowd() {
    crowd_domain=$1 crowd_parallel=$2
    shift 2
    crowd_pids=
    for node in $CLUSTER_NODES; do
        cluster_auth "$node" --pairs "$LAB/$crowd_domain.$node" --parallel "$crowd_parallel" \
            --count --took "$@" >"$LAB/answers.$node" 2>"$LAB/took.$node" &
        crowd_pids="$crowd_pids $!"
    done
    # shellcheck disable=SC2086
    wait $crowd_pids
    cat "$LAB"/answers.? | awk '{ n[$1] += $2 } END { for (a in n) print a, n[a] }' | sort >"$LAB/answers"
    slowest=$(sort -n "$LAB"/took.? | tail -n 1)
    echo "# $(tr '\n' ' ' <"$LAB/answers")slowest $slowest ms"
}
answers() {
    sed -n "s/^$1 //p" "$LAB/answers"
}
# in_time SENTENCE
in_time() {
    check "$1" test "$slowest" -le "$deadline_ms"
}
# whole DOMAIN COUNT SENTENCE: mailboxes, their own aliases and events, and the
# domain's counters, the same on each of the nodes.
whole() {
    for node in ${whole_nodes:-$CLUSTER_NODES}; do
        is "$3, says node $node" "$(cluster_sql "$node" "SET wsrep_sync_wait = 1;
            SELECT COUNT(*) FROM mailbox WHERE domain = '$1';
            SELECT COUNT(*) FROM alias JOIN mailbox ON mailbox.address = alias.address WHERE alias.domain = '$1';
            SELECT COUNT(DISTINCT address), COUNT(*) FROM event WHERE domain = '$1' AND kind = 'create';
            SELECT mailboxes_used, quota_allotted DIV (5 * 1024 * 1024 * 1024) FROM domain WHERE name = '$1'" | tr '\n\t' '  ')" \
            "$2 $2 $2 $2 $2 $2 "
    done
}
# Node 2 does not apply what the others write while it holds this lock.
hold() {
    cluster_sql 2 "FLUSH TABLES WITH READ LOCK; SELECT SLEEP($1); UNLOCK TABLES"
}
# refusals DOMAIN: lines of the three logs that refuse somebody of it, by reason.
refusals() {
    cat "$LAB"/log/authd-?.log | grep "user=p[0-9]*@$1 " | grep '^[^ ]* *refused: \| refused: ' |
        sed -n 's/.* reason=\([a-z_]*\).*/\1/p' | sort | uniq -c | sed 's/^ *//'
}

# ------------------------------------------------------------ many at once --

crowd crowd.example 16
is "500 first logins at three hosts at once: 300 are let in" "$(answers OK)" 300
is "and 200 refused" "$(answers NO)" 200
is "nobody is left without an answer" "$(answers TEMPORARY)" ""
is "each refusal is the limit's" "$(refusals crowd.example)" "200 max_mailboxes"
whole crowd.example 300 "300 mailboxes, whole and counted"

# One person at three hosts at once, again and again.
lab_sql "UPDATE domain SET max_mailboxes = 0 WHERE name = 'crowd.example'"
for node in $CLUSTER_NODES; do cat "$LAB/crowd.example.$node"; done >"$LAB/all"
for node in $CLUSTER_NODES; do cp "$LAB/all" "$LAB/same.$node"; done
crowd same 12
is "each person at three hosts at once: every login is let in" "$(cat "$LAB/answers")" "OK 1500"
whole crowd.example 500 "one mailbox a person"

# ---------------------------------------------------------- provost-sync --

# Its people are those of this section, so that the other domains stay empty.
for node in $CLUSTER_NODES; do
    sed -e 's|filter = "(objectClass=inetOrgPerson)"|filter = "(uid=s*)"; import_users = true; periodic_full_sync = true|' \
        "$LAB/provost-$node.conf" >"$LAB/sync-$node.conf"
done
sync() { # HOST: its exit code; what it says is in $LAB/sync.HOST
    "$PROVOST_BUILD/tools/provost-sync" -c "$LAB/sync-$1.conf" >"$LAB/sync.$1" 2>&1
    echo $?
}
# syncs HOST...: one at each at once; their exit codes, sorted.
syncs() {
    syncs_pids=
    for node; do
        sync "$node" >"$LAB/code.$node" &
        syncs_pids="$syncs_pids $!"
    done
    # shellcheck disable=SC2086
    wait $syncs_pids
    for node; do cat "$LAB/code.$node"; done | sort -n | tr '\n' ' '
}

newcomers both.example 6000 400
for node in $CLUSTER_NODES; do cp "$LAB/both.example.all" "$LAB/both.example.$node"; done
sync 2 >"$LAB/code.2" &
syncer=$!
crowd both.example 4 --again $((60 * slow))
wait "$syncer"
echo "# $(tail -n 1 "$LAB/sync.2")"
is "provost-sync while the same people log in at three hosts: it ends, and tells of the limit" "$(cat "$LAB/code.2")" 1
is "each login has its answer" "$(($(answers OK) + $(answers NO)))" 1200
whole both.example 250 "as many mailboxes as the limit, whole and counted"
is "one a person" "$(cluster_sql 3 "SET wsrep_sync_wait = 1; SELECT COUNT(DISTINCT directory_id) FROM mailbox WHERE domain = 'both.example'")" 250
cluster_ctl 3 doctor >"$LAB/doctor.sync" 2>&1
like "doctor finds the counters right" "$(cat "$LAB/doctor.sync")" 'ok .*counters'

# Whoever writes the first of the newcomers sits there, so that the runs of the
# other hosts begin meanwhile. The first time nobody ever had the lease; the
# last time node 2 does not know yet that another has it.
turn=1
while [ "$turn" -le 3 ]; do
    newcomers turn.example $((6900 + turn * 100)) 100
    cluster_sql 1 "CREATE OR REPLACE TRIGGER pause BEFORE INSERT ON mailbox FOR EACH ROW
        SET @pause = IF(NEW.address = 's$((6900 + turn * 100))@turn.example', SLEEP($((slow + 1))), 0)"
    [ "$turn" -gt 1 ] || cluster_sql 1 "DELETE FROM lease"
    [ "$turn" -lt 3 ] || {
        hold 1 >/dev/null &
        holder=$!
        sleep 0.3
    }
    is "provost-sync at three hosts at once: one works, turn $turn" "$(syncs 1 2 3)" "1 75 75 "
    is "the others say why" "$(grep -l 'another run is at work' "$LAB"/sync.[123] | wc -l)" 2
    whole turn.example $((turn * 100)) "everybody has a mailbox"
    turn=$((turn + 1))
done
wait "$holder"
cluster_sql 1 "DROP TRIGGER pause"
for node in $CLUSTER_NODES; do
    is "a run on node $node finds nobody changed" "$(sync "$node")" 1
    is "all mailboxes are as they were" "$(sed -n 's/^corp:.* \([0-9]*\) unchanged.*/\1/p' "$LAB/sync.$node")" 550
done

# --------------------------------------------------- a node dies under load --

made() { # DOMAIN COUNT: as many mailboxes are there
    [ "$(cluster_sql 1 "SELECT COUNT(*) FROM mailbox WHERE domain = '$1'")" -ge "$2" ]
}
kill_and_return() {
    wait_for 60 made killed.example 50
    lab_signal node-3 KILL
    sleep 2
    cluster_stop 3
    sleep 6
    cluster_run 3
}
kill_and_return &
killer=$!
crowd killed.example 8 --again $((60 * slow))
wait "$killer"
is "a node killed under 500 logins: 300 are let in" "$(answers OK)" 300
is "200 refused, in the end" "$(answers NO)" 200
is "and nobody left without an answer" "$(answers TEMPORARY)" ""
is "no refusal but the limit's own" "$(refusals killed.example)" "200 max_mailboxes"
in_time "no answer was late"
check "logins stalled, and were told to come again" test "$(answers again)" -gt 0
check "the node comes back" wait_for 60 cluster_synced 3
whole killed.example 300 "no more mailboxes than the limit, none of them half"

# ------------------------------------------------------- a node that hangs --

hang_and_wake() {
    lab_signal node-2 STOP
    sleep 12
    lab_signal node-2 CONT
}
hang_and_wake &
killer=$!
sleep 0.5
crowd hung.example 4 --again $((60 * slow))
is "a node that hangs: everybody is let in, in the end" "$(grep -v again "$LAB/answers")" "OK 60"
in_time "no answer was late"
wait "$killer"
# It takes a moment until it sees that the others went on without it.
caught_up() {
    cluster_sql 2 "SET wsrep_sync_wait = 1; SELECT COUNT(*) FROM domain"
}
check "the node that woke is part of the cluster again" wait_for 60 caught_up
whole hung.example 60 "one mailbox each"

# ------------------------------------------------------- seen on other nodes --

is "somebody is let in at host 2" "$(cluster_auth 2 --user p1000@crowd.example --password p1000-secret)" "OK p1000@crowd.example"
hold 2 >/dev/null &
holder=$!
sleep 0.5
cluster_ctl 1 mailbox block p1000@crowd.example >"$LAB/log/block.log" 2>&1
like "a login that follows a block on another node is refused, though its node is late" \
    "$(cluster_auth 2 --user p1000@crowd.example --password p1000-secret)" '^NO'
wait "$holder"
turn=0 wrong=
while [ "$turn" -lt 15 ]; do
    cluster_ctl $((turn % 3 + 1)) mailbox unblock p1000@crowd.example >>"$LAB/log/block.log" 2>&1
    [ "$(cluster_auth $(((turn + 1) % 3 + 1)) --user p1000@crowd.example --password p1000-secret)" = "OK p1000@crowd.example" ] || wrong="$wrong $turn"
    cluster_ctl $((turn % 3 + 1)) mailbox block p1000@crowd.example >>"$LAB/log/block.log" 2>&1
    [ "$(cluster_auth $(((turn + 2) % 3 + 1)) --user p1000@crowd.example --password p1000-secret | cut -c1-2)" = NO ] || wrong="$wrong $turn"
    turn=$((turn + 1))
done
is "each of 30 logins sees what another node was just told" "$wrong" ""

# -------------------------------------------------------------- policyd --

send() { # HOST COUNT: the last of so many messages
    send_left=$2
    while [ "$send_left" -gt 0 ]; do
        send_last=$("$LAB_PYTHON" "$lab_tree/tests/lib/policy.py" "$LAB/run/policy-$1" ask \
            protocol_state=END-OF-MESSAGE sasl_username=p1001@crowd.example sender=p1001@crowd.example \
            recipient_count=1 instance="$1.$send_left")
        send_left=$((send_left - 1))
    done
    echo "$send_last"
}
is "host 1 lets messages of a sender through" "$(send 1 3)" DUNNO
is "and host 2" "$(send 2 2)" DUNNO
shared() {
    send 3 1 | grep -q 'DEFER\|REJECT\|45'
}
check "host 3 refuses the sixth of five: the hosts count together" wait_for $((10 * slow)) shared
is "the others of the domain send on" "$("$LAB_PYTHON" "$lab_tree/tests/lib/policy.py" "$LAB/run/policy-3" ask \
    protocol_state=END-OF-MESSAGE sasl_username=p1002@crowd.example sender=p1002@crowd.example recipient_count=1)" DUNNO

home() {
    [ "$(cluster_sql 3 "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'provost'")" -gt 0 ] ||
        { cluster_auth 3 --user p1001@crowd.example --password p1001-secret >/dev/null; false; }
}
away() {
    grep -q 'hosts of the store do not answer, using the next: hosts="*127.0.0.3' "$LAB/log/authd-3.log"
}
check "the log of host 3 says that its own node was away" wait_for 20 away
check "host 3 returns to its own node" wait_for $((60 * slow)) home

# ------------------------------------------------------------ quorum lost --

lab_signal node-2 KILL
lab_signal node-3 KILL
cluster_stop 2
cluster_stop 3
before=$(cluster_sql 1 "SET wsrep_dirty_reads = 1; SELECT COUNT(*) FROM mailbox; SELECT COUNT(*) FROM event")
crowd lost.example 3
is "without a quorum everybody is told to come again" "$(cat "$LAB/answers")" "TEMPORARY 9"
in_time "in time"
alone() {
    LAB_DB='' cluster_sql 1 "SHOW STATUS LIKE 'wsrep_cluster_status'" | grep -q non-Primary
}
check "the node that is left knows that it is alone" wait_for 30 alone
crowd lost.example 3
is "also then" "$(cat "$LAB/answers")" "TEMPORARY 9"
is "those who have a mailbox too" "$(cluster_auth 1 --user p1001@crowd.example --password p1001-secret)" TEMPORARY
is "and nothing is written" "$(cluster_sql 1 "SET wsrep_dirty_reads = 1; SELECT COUNT(*) FROM mailbox; SELECT COUNT(*) FROM event")" "$before"
like "policyd answers as its rule says for a store that is away" "$(send 2 1)" '^451 4\.3\.0 '
LAB_DB='' cluster_sql 1 "SET GLOBAL wsrep_provider_options = 'pc.bootstrap=true'"
cluster_start 2
cluster_start 3
crowd lost.example 3 --again $((30 * slow))
is "with a quorum they are let in, by the same daemons" "$(answers OK)" 9
whole lost.example 9 "one mailbox each"

# ------------------------------------------------- HAProxy, one node at a time --

# The others write last logins and rates behind.
for node in $CLUSTER_NODES; do
    lab_stop "authd-$node"
    lab_stop "policyd-$node"
done
proxy_port=$(lab_port)
sed -e "s|127.0.0.1:3307|127.0.0.1:$proxy_port|" -e "s|192.0.2.1\([123]\):3306|127.0.0.\1:$CLUSTER_PORT|" \
    "$lab_tree/conf/haproxy/provost.cfg" >"$LAB/haproxy.cfg"
eval "$(sed -n 's/^# *\(CREATE USER haproxy_check.*\)/LAB_DB="" cluster_sql 1 "\1"/p' "$LAB/haproxy.cfg")" ||
    lab_die "the user of the check can be made"
check "HAProxy takes conf/haproxy/provost.cfg as it is" haproxy -c -q -f "$LAB/haproxy.cfg"
lab_start haproxy haproxy -db -f "$LAB/haproxy.cfg"
wait_for 15 lab_port_open "$proxy_port" || lab_die "HAProxy listens"
cluster_config_store proxy 127.0.0.1 "$proxy_port"
cluster_authd proxy
# first NUMBER...: first logins through HAProxy; what was answered, a line each.
first() {
    for number; do
        cluster_auth proxy --user "p$number@proxy.example" --password "p$number-secret" --again $((30 * slow))
    done
}
# written NODE: how many rows the node has written for clients of its own.
written() {
    cluster_sql "$1" "SHOW STATUS LIKE 'wsrep_replicated'" | cut -f2
}
two=$(written 2) three=$(written 3)
is "first logins go through HAProxy" "$(first 4000 4001 4002 4003 4004 | grep -c '^OK')" 5
is "all of them to one node" "$(written 2) $(written 3)" "$two $three"
lab_signal node-1 KILL
cluster_stop 1
is "when it dies, to the next" "$(first 4005 4006 4007 | grep -c '^OK')" 3
check "which is one" test "$(written 2) $(written 3)" != "$two $three"
three=$(written 3)
first 4008 >/dev/null
is "and no other" "$(written 3)" "$three"
cluster_start 1
wait_for 30 grep -q 'node1 is UP' "$LAB/log/haproxy.log" || lab_die "HAProxy sees node 1 come back"
two=$(written 2)
is "and back to the first once that is synced" "$(first 4009) $(written 2)" "OK p4009@proxy.example $two"
check "which is written to again" test "$(written 1)" -gt 0
whole proxy.example 10 "each has a mailbox"

# ---------------------------------------------------------------- the end --

for node in $CLUSTER_NODES; do
    cluster_ctl "$node" doctor >"$LAB/doctor.$node" 2>&1
    like "doctor finds the counters right, on node $node" "$(cat "$LAB/doctor.$node")" 'ok .*counters'
    like "and a cluster of three" "$(cat "$LAB/doctor.$node")" 'ok .*Galera.*a cluster of 3'
done
lab_done
