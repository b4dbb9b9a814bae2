#!/bin/sh
# failover.sh - a first host that refuses, drops, or is mute does not stop logins
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin failover
slow=${PROVOST_SLOW:-1}

lab_slapd
lab_mariadb
good="127.0.0.1"

# peer ADDRESS PORT FAULT...
peer() {
    lab_start "peer-$1-$2" "$LAB_PYTHON" "$lab_tree/tests/lib/tcp_peer.py" "$@"
    wait_for 5 grep -q ready "$LAB/log/peer-$1-$2.log" || lab_die "the peer $* starts"
}

# reach MODE HOSTS: settings of a directory at these hosts.
reach() {
    case $1 in
    tls) echo "host = \"$2\"; port = $(lab_slapd_port); use_tls = true; ca_file = \"$LAB/tls/ca.pem\";" ;;
    ssl) echo "host = \"$2\"; port = $(lab_slapd_ssl_port); use_ssl = true; ca_file = \"$LAB/tls/ca.pem\";" ;;
    clear) echo "host = \"$2\"; port = $(lab_slapd_port); use_tls = false; allow_cleartext = true;" ;;
    esac
}

cpu_ticks() {
    cut -d' ' -f14,15 "/proc/$(lab_pid authd)/stat" | tr ' ' '+'
}

# timed PASSWORD: the verdict; $took gets its milliseconds.
timed() {
    start=$(now_ms)
    verdict=$(lab_auth "$1@example.org" "$2" | cut -d' ' -f1)
    took=$(($(now_ms) - start))
}

for port in $(lab_slapd_port) $(lab_slapd_ssl_port); do
    # Nobody listens at 127.0.0.2: it refuses.
    peer 127.0.0.3 "$port" mute
    peer 127.0.0.4 "$port" blackhole
done

first=1
for mode in tls ssl clear; do
    for fault in refusing:127.0.0.2 mute:127.0.0.3 black-holed:127.0.0.4; do
        host=${fault#*:}
        what="$mode, a ${fault%:*} first host"
        LAB_CONF_RETRY=30s
        LAB_LDAP=$(reach $mode "$host, $good")
        lab_config
        [ -z "$first" ] || { lab_schema && lab_domain example.org; }
        first=
        lab_authd
        ticks=$(($(cpu_ticks)))
        timed ada ada-secret
        is "$what: the second is used" "$verdict" OK
        check "$what: within the deadline ($took ms)" [ "$took" -le $((8500 * slow)) ]
        timed ada wrong
        is "$what: a wrong password is wrong" "$verdict" NO
        check "$what: it is remembered, and costs no time again ($took ms)" [ "$took" -le $((1000 * slow)) ]
        ticks=$(($(cpu_ticks) - ticks))
        check "$what: waiting does not burn the processor ($ticks ticks)" [ "$ticks" -le $((50 * slow)) ]
        lab_authd_stop
    done
    what="$mode, every host broken"
    LAB_LDAP=$(reach $mode "127.0.0.4, 127.0.0.3, 127.0.0.2")
    lab_config
    lab_authd
    timed ada ada-secret
    is "$what: temporary" "$verdict" TEMPORARY
    check "$what: within the deadline ($took ms)" [ "$took" -le $((8500 * slow)) ]
    timed ada ada-secret
    is "$what: still" "$verdict" TEMPORARY
    check "$what: the breaker answers at once ($took ms)" [ "$took" -le $((1000 * slow)) ]
    lab_authd_stop
done

# A directory that is slow, but answers, is used; one that is too slow is not.
slow_port=$(lab_port)
peer 127.0.0.1 "$slow_port" slow 200 "$(lab_slapd_port)"
LAB_LDAP="host = \"127.0.0.1\"; port = $slow_port; use_tls = true; ca_file = \"$LAB/tls/ca.pem\";"
lab_config
lab_authd
timed ada ada-secret
is "a slow directory is waited for" "$verdict" OK
check "within the deadline ($took ms)" [ "$took" -le $((8500 * slow)) ]
lab_authd_stop
lab_stop "peer-127.0.0.1-$slow_port"
peer 127.0.0.1 "$slow_port" slow 5000 "$(lab_slapd_port)"
lab_authd
timed ada ada-secret
is "one that takes 5 s for each answer is no answer" "$verdict" TEMPORARY
check "and the deadline holds ($took ms)" [ "$took" -le $((8500 * slow)) ]
lab_done
