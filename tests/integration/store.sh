#!/bin/sh
# store.sh - the store on a private MariaDB
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin store
lab_mariadb

STORE_PASSWORD=$LAB_STORE_PASSWORD
export STORE_PASSWORD

# part NAME...: runs parts of the test program and counts their lines.
part() {
    "$PROVOST_BUILD/tests/integration/store_test" "$LAB/run/mariadb.sock" \
        "$lab_tree/conf/schema" "$@" >"$LAB/log/part.log" 2>&1
    part_status=$?
    cat "$LAB/log/part.log"
    lab_passed=$((lab_passed + $(grep -c '^ok - ' "$LAB/log/part.log")))
    lab_failed=$((lab_failed + $(grep -c '^not ok - ' "$LAB/log/part.log")))
    [ "$part_status" -eq 0 ] || grep -q '^not ok - ' "$LAB/log/part.log" ||
        not_ok "store_test $* ends well" "status $part_status"
}

MARIADB_PID=$(lab_pid mariadb)
export MARIADB_PID
part migrate find create limits update aliases rename names race deadlock hang

lab_done
