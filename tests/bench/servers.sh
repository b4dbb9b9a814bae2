# servers.sh - the servers of the benchmark; sourced behind lib/lab.sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# Everybody uses the same slapd and the same MariaDB, over unix sockets, with
# $WORKERS workers. Every service listens at $LAB/run/NAME.

BASE=dc=bench
SLAPD_SOCKET=$LAB/run/ldapi
SLAPD_URI=ldapi://$(printf '%s' "$SLAPD_SOCKET" | sed 's,/,%2F,g')
DB_SOCKET=$LAB/run/mariadb.sock

# pids_of NAME: the process of that name and its children, "12,13,14".
pids_of() {
    children_of "$(lab_pid "$1")" | tr '\n' ',' | sed 's/,$//'
}

children_of() {
    echo "$1"
    for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
        children_of "$child"
    done
}

# ------------------------------------------------------------------ slapd --

# slapd_data PEOPLE DIR: makes the directory in DIR unless it is there.
slapd_data() {
    mkdir -p "$2"
    [ ! -f "$2/made" ] || [ "$(cat "$2/made")" != "$1" ] || return 0
    rm -rf "$2/db"
    mkdir "$2/db"
    slapd_conf "$2"
    "$BENCH/ldif" "$1" >"$2/people.ldif" || return 1
    slapadd -q -f "$2/slapd.conf" -l "$2/people.ldif" || return 1
    rm "$2/people.ldif"
    echo "$1" >"$2/made"
}

slapd_conf() {
    cat >"$1/slapd.conf" <<CONF
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload syncprov
pidfile $1/slapd.pid
argsfile $1/slapd.args
threads 8
loglevel 0
database mdb
maxsize 4294967296
suffix "$BASE"
directory $1/db
index objectClass eq
index uid,mail eq,sub
index employeeType,entryUUID,entryCSN eq
limits dn.exact="cn=mail,$BASE" size=unlimited
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=mail,$BASE" read by * none
overlay syncprov
syncprov-sessionlog 10000
CONF
}

# slapd_start DIR
slapd_start() {
    # slapd sizes its tables by the limit, which may be a million.
    # shellcheck disable=SC2016
    lab_start slapd sh -c 'ulimit -n 4096; exec "$@"' sh \
        slapd -d 0 -f "$1/slapd.conf" -h "$SLAPD_URI"
    wait_for 20 ldapwhoami -x -H "$SLAPD_URI" -D "cn=mail,$BASE" -w service ||
        lab_die "slapd answers within 20 s"
    # Dovecot's auth is not root.
    chmod 777 "$SLAPD_SOCKET"
}

# ---------------------------------------------------------------- MariaDB --

# mariadb_start DIR: a data directory, made if it is not there.
mariadb_start() {
    lab_mariadb_template "$1" || lab_die "mariadb-install-db works"
    # shellcheck disable=SC2046
    lab_start mariadb mariadbd --no-defaults $(lab_mariadb_user) \
        --datadir="$1/data" --socket="$DB_SOCKET" \
        --pid-file="$LAB/run/mariadb.pid" --skip-networking \
        --skip-name-resolve --innodb-buffer-pool-size=512M \
        --innodb-log-file-size=128M --max-connections=500
    LAB_DB='' wait_for 30 lab_sql "SELECT 1" ||
        lab_die "MariaDB answers within 30 s"
}

# ------------------------------------------------------------------ limit --

# limit_start NAME MODE
limit_start() {
    lab_start "$1" "$BENCH/limit" -s "$LAB/run/$1" -m "$2" -w "$WORKERS" \
        -l "$SLAPD_URI" -q "$DB_SOCKET"
    wait_for 10 test -S "$LAB/run/$1" || lab_die "$1 listens within 10 s"
}

# -------------------------------------------------------------- saslauthd --

# saslauthd_start NAME [OPTION...]
saslauthd_start() {
    saslauthd_home=$LAB/$1
    mkdir "$saslauthd_home"
    cat >"$saslauthd_home/conf" <<CONF
ldap_servers: $SLAPD_URI
ldap_bind_dn: cn=mail,$BASE
ldap_bind_pw: service
ldap_auth_method: bind
ldap_search_base: $BASE
ldap_filter: (mail=%u@%r)
CONF
    saslauthd_name=$1
    shift
    # Without -d, which logs every request, it goes to the background.
    saslauthd -a ldap -n "$WORKERS" -m "$saslauthd_home" \
        -O "$saslauthd_home/conf" "$@" >>"$LAB/log/$saslauthd_name.log" 2>&1 ||
        lab_die "saslauthd starts"
    wait_for 10 test -S "$saslauthd_home/mux" -a -s "$saslauthd_home/saslauthd.pid" ||
        lab_die "saslauthd listens within 10 s"
    cp "$saslauthd_home/saslauthd.pid" "$LAB/pid/$saslauthd_name"
    ln -s "$saslauthd_home/mux" "$LAB/run/$saslauthd_name"
}

# ---------------------------------------------------------------- Dovecot --

# dovecot_start NAME yes|no: its auth service, with LDAP in workers or not.
dovecot_start() {
    dovecot_home=$LAB/$1
    mkdir "$dovecot_home"
    cat >"$dovecot_home/ldap.conf" <<CONF
uris = $SLAPD_URI
dn = cn=mail,$BASE
dnpass = service
base = $BASE
auth_bind = yes
pass_filter = (mail=%u)
pass_attrs = mail=user
blocking = $2
CONF
    cat >"$dovecot_home/dovecot.conf" <<CONF
base_dir = $dovecot_home/run
state_dir = $dovecot_home/state
log_path = $LAB/log/$1.log
protocols =
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain
auth_failure_delay = 0
auth_worker_max_count = $WORKERS
passdb {
  driver = ldap
  args = $dovecot_home/ldap.conf
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=/nonexistent
}
service auth {
  client_limit = 4096
  unix_listener auth-client {
    mode = 0666
  }
}
service anvil {
  client_limit = 4096
  # Answers to clients that failed are not delayed: no penalty.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
CONF
    chmod 644 "$dovecot_home/ldap.conf"
    lab_start "$1" dovecot -F -c "$dovecot_home/dovecot.conf"
    wait_for 10 test -S "$dovecot_home/run/auth-client" ||
        lab_die "Dovecot listens within 10 s"
    ln -s "$dovecot_home/run/auth-client" "$LAB/run/$1"
}
