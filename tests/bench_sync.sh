#!/bin/sh
# bench_sync.sh - how fast provost-sync is: the limit and its runs, by turns
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: sudo sh tests/bench_sync.sh [--quick] [--million] [--rounds N]
#            [--rows FILE]
#
# A private slapd with 100,000 people in 20 domains, and one MariaDB. The limit
# is what any import has to do: a plain loop of libldap that reads the same
# entries and attributes in the same pages, and LOAD DATA LOCAL of the same rows
# of mailbox, alias and event into the same tables of another database. Each
# round runs each of them and each run of provost-sync once, so that what
# disturbs the machine disturbs all; the report shows medians, and ratios of one
# round's neighbours. --million does all of it again for 1,000,000 people, once,
# and gives MariaDB memory for them.
# --quick is a smoke test: a few people, no time is judged.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/lab.sh
. "$here/lib/lab.sh"

ROUNDS=5 SIZES=100000 ROWS=''
while [ $# -gt 0 ]; do
    case $1 in
    --quick) ROUNDS=1 SIZES=2000 ;;
    --million) SIZES="$SIZES 1000000" DB_POOL=4G ;;
    --rounds) ROUNDS=$2 && shift ;;
    --rows) ROWS=$2 && shift ;;
    *) sed -n '/^# usage/,/^$/s/^# *//p' "$0" >&2 && exit 64 ;;
    esac
    shift
done

lab_begin bench_sync
BENCH=$PROVOST_BUILD/tests/bench
WORKERS=4
# shellcheck source=tests/bench/servers.sh
. "$here/bench/servers.sh"
ROWS=${ROWS:-$LAB/rows}
: >"$ROWS"
SYNC="$PROVOST_BUILD/tools/provost-sync -c $LAB/provost.conf"

say() {
    echo "# $*"
}

# ------------------------------------------------------------------- data --

sync_conf() {
    lab_secret store "$LAB_STORE_PASSWORD"
    lab_secret corp service
    cat >"$LAB/provost.conf" <<CONF
store = {
  socket = "$DB_SOCKET"; user = "provost"; database = "provost";
  password_file = "$LAB/secrets/store"; timeout = "60s";
};
directories = (
  { name = "bench"; host = "$SLAPD_SOCKET"; base_dn = "$BASE";
    bind_dn = "cn=mail,$BASE"; bind_password_file = "$LAB/secrets/corp";
    username_field = "mail"; login_fields = [ "mail" ]; filter = "";
    attribute_field = "employeeType"; name_field = "displayName";
    attribute_mapping = ( { attribute = "default"; template = "default"; } );
    import_users = true; periodic_full_sync = true; }
);
templates = ( { name = "default"; quota = "1G"; } );
CONF
}

# make_database NAME: empty tables, and the twenty domains.
make_database() {
    LAB_DB='' lab_sql "DROP DATABASE IF EXISTS $1;
        CREATE DATABASE $1 CHARACTER SET utf8mb4" || lab_die "the database $1 can be made"
    for schema_file in "$here"/../conf/schema/*.sql; do
        mariadb --no-defaults --socket="$DB_SOCKET" --user=root "$1" <"$schema_file" ||
            lab_die "the schema can be made"
    done
    LAB_DB=$1 lab_sql "INSERT INTO schema_version
        VALUES ($(find "$here/../conf/schema" -name '*.sql' | wc -l), 1, UTC_TIMESTAMP());
        INSERT INTO domain (name, name_unicode)
        SELECT CONCAT('d', LPAD(seq, 2, '0'), '.example'),
               CONCAT('d', LPAD(seq, 2, '0'), '.example') FROM seq_0_to_19" ||
        lab_die "the domains can be made"
}

# The rows of the import, as files for the bulk load.
export_rows() {
    rm -rf "$LAB/load"
    mkdir -m 777 "$LAB/load"
    chmod 711 "$LAB"
    for export_table in mailbox alias event; do
        lab_sql "SELECT * FROM $export_table ORDER BY 1 INTO OUTFILE '$LAB/load/$export_table'" ||
            lab_die "the rows of $export_table can be kept"
    done
}

load_rows() {
    for load_table in mailbox alias event; do
        printf "LOAD DATA LOCAL INFILE '%s' INTO TABLE %s CHARACTER SET utf8mb4;\n" \
            "$LAB/load/$load_table" "$load_table"
    done
}

# change FIRST COUNT TEXT: gives people another name.
change() {
    seq "$1" $(($1 + $2 - 1)) | while read -r change_number; do
        printf 'dn: uid=u%06d,ou=people,%s\nchangetype: modify\nreplace: displayName\ndisplayName: %s\n\n' \
            "$change_number" "$BASE" "$3"
    done | ldapmodify -x -H "$SLAPD_URI" -D "cn=root,$BASE" -w root >>"$LAB/log/modify.log" 2>&1 ||
        lab_die "people can be changed"
}

# --------------------------------------------------------------- measuring --

# measure NAME ROUND WANTED COMMAND...: a row; what it wrote has WANTED in it.
measure() {
    measure_name=$1 measure_round=$2 measure_wanted=$3
    shift 3
    measure_got=$("$LAB_PYTHON" - "$LAB/said" "$@" <<'PYTHON'
import os, subprocess, sys, time
with open(sys.argv[1], "wb") as said:
    began = time.monotonic()
    process = subprocess.Popen(sys.argv[2:], stdout=said, stderr=said)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
print(f"seconds={seconds:.4f} own={usage.ru_utime + usage.ru_stime:.4f} "
      f"kib={usage.ru_maxrss} code={process.returncode}")
PYTHON
    )
    case $measure_got in *" code=0") ;; *) cat "$LAB/said" ;; esac
    like "$measure_name of $PEOPLE, round $measure_round" \
        "$measure_got $(tr '\n' ' ' <"$LAB/said")" "code=0 .*$measure_wanted"
    echo "name=$measure_name people=$PEOPLE round=$measure_round $measure_got" >>"$ROWS"
    say "$measure_name: $measure_got"
}

plain_read() {
    measure "$1" "$2" "$PEOPLE entries" "$BENCH/sync_read" "$SLAPD_URI"
}

# written: rows that were inserted, changed and deleted since the server began.
written() {
    lab_sql "SELECT SUM(variable_value) FROM information_schema.global_status
        WHERE variable_name IN ('HANDLER_WRITE', 'HANDLER_UPDATE', 'HANDLER_DELETE')"
}

# How many the last run counted, and as what.
last_run() {
    lab_sql "SELECT CONCAT('created=', created, ' changed=', changed, ' unchanged=', unchanged,
        ' refused=', refused) FROM sync_run ORDER BY id DESC LIMIT 1"
}

# one_round ROUND
# shellcheck disable=SC2086 # SYNC is a command and its option
one_round() {
    make_database provost
    plain_read read "$1"
    measure import "$1" '' $SYNC
    is "everybody has a mailbox" "$(last_run)" "created=$PEOPLE changed=0 unchanged=0 refused=0"
    [ -d "$LAB/load" ] || export_rows
    make_database bulk
    measure load "$1" '' mariadb --no-defaults --socket="$DB_SOCKET" --user=root \
        --local-infile=1 bulk -e "$(load_rows)"
    is "the bulk load made as many" \
        "$(LAB_DB=bulk lab_sql "SELECT COUNT(*) FROM alias")" "$PEOPLE"
    plain_read read-again "$1"
    before=$(written)
    measure unchanged "$1" '' $SYNC
    check "a run without changes writes its own rows alone" test $(($(written) - before)) -le 12
    is "nothing changed" "$(last_run)" "created=0 changed=0 unchanged=$PEOPLE refused=0"
    change $(($1 * PEOPLE / 100)) $((PEOPLE / 100)) "Round $1"
    measure changed "$1" '' $SYNC
    is "one of a hundred changed" "$(last_run)" \
        "created=0 changed=$((PEOPLE / 100)) unchanged=$((PEOPLE - PEOPLE / 100)) refused=0"
    $SYNC --help | grep -q -e --changes || return 0
    # The first one begins with everybody.
    $SYNC --changes >>"$LAB/log/changes.log" 2>&1
    change 0 10 "Ten of round $1"
    measure changes "$1" '' $SYNC --changes
    is "ten changed" "$(lab_sql "SELECT COUNT(*) FROM mailbox WHERE name = 'Ten of round $1'")" 10
}

# -------------------------------------------------------------------- runs --

echo "## $(date -u +%Y-%m-%d), provost-sync"
echo
echo "- $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)," \
    "$(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo), $(uname -sr);" \
    "load of the last minute $(cut -d' ' -f1 /proc/loadavg)"
echo "- $(slapd -VV 2>&1 | grep -o 'OpenLDAP: slapd [0-9.]*'), $(mariadbd --version | grep -o '[0-9.]*-MariaDB');" \
    "$ROUNDS rounds"
sync_conf
mariadb_start "$LAB/mariadb"
LAB_DB='' lab_sql "CREATE USER provost@localhost IDENTIFIED BY '$LAB_STORE_PASSWORD';
    GRANT ALL ON provost.* TO provost@localhost" || lab_die "the account can be made"
for PEOPLE in $SIZES; do
    say "making $PEOPLE people"
    slapd_data "$PEOPLE" "$LAB/slapd-$PEOPLE" >>"$LAB/log/slapadd.log" 2>&1 ||
        lab_die "slapadd makes the directory"
    slapd_start "$LAB/slapd-$PEOPLE"
    rm -rf "$LAB/load"
    rounds=$ROUNDS
    [ "$PEOPLE" -lt 1000000 ] || rounds=1
    for round in $(seq "$rounds"); do
        one_round "$round"
    done
    lab_stop slapd
    rm -rf "$LAB/slapd-$PEOPLE"
done
awk -f "$here/bench/rows.awk" -f "$here/bench/sync.awk" "$ROWS"
lab_done
