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
    # shellcheck disable=SC2013
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
rootdn "cn=root,$BASE"
rootpw root
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

# mariadb_start DIR: a data directory, made if it is not there; with $DB_POOL of
# memory for pages.
mariadb_start() {
    lab_mariadb_template "$1" || lab_die "mariadb-install-db works"
    # shellcheck disable=SC2046
    lab_start mariadb mariadbd --no-defaults $(lab_mariadb_user) \
        --datadir="$1/data" --socket="$DB_SOCKET" \
        --pid-file="$LAB/run/mariadb.pid" --skip-networking \
        --skip-name-resolve --innodb-buffer-pool-size="${DB_POOL:-512M}" \
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

# saslauthd_start NAME PROCESSES [OPTION...]
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
    saslauthd_name=$1 saslauthd_processes=$2
    shift 2
    # Without -d, which logs every request, it goes to the background.
    saslauthd -a ldap -n "$saslauthd_processes" -m "$saslauthd_home" \
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

# ------------------------------------------------------------------ authd --

# authd_start NAME DIRECTORY-SETTINGS AUTH-SETTINGS
authd_start() {
    authd_home=$LAB/$1
    mkdir "$authd_home"
    (umask 077 && echo service >"$authd_home/corp")
    cat >"$authd_home/provost.conf" <<CONF
store = {
  socket = "$DB_SOCKET"; user = "provost"; database = "provost";
  password_file = "$LAB/secrets/store";
};
directories = (
  { name = "bench"; host = "$SLAPD_SOCKET"; base_dn = "$BASE";
    bind_dn = "cn=mail,$BASE"; bind_password_file = "$authd_home/corp";
    username_field = "mail"; login_fields = [ "mail" ]; filter = "";
    attribute_field = "employeeType"; name_field = "displayName";
    attribute_mapping = ( { attribute = "default"; template = "default"; } );
    max_connections = $WORKERS; $2 }
);
templates = ( { name = "default"; quota = "1G"; } );
auth = {
  sockets = ( { path = "$LAB/run/$1"; mode = "0666"; canonical_only = false; } );
  control_path = "$authd_home/control"; workers = $WORKERS; $3
};
CONF
    lab_start "$1" "$PROVOST_BUILD/authd/provost-authd" -c "$authd_home/provost.conf"
    wait_for 15 test -S "$LAB/run/$1" || lab_die "provost-authd $1 listens within 15 s"
}

# ------------------------------------------------------------------- rows --

# Mailboxes for the people 1 to $1 - 1, made as authd made the one of person 0
# (without authd, one is made up). The next login of each completes its row.
fill_mailboxes() {
    lab_sql "
INSERT IGNORE INTO mailbox (address, domain, local_part, source, directory,
       directory_id, name, template, fingerprint, mail_path)
    VALUES ('u000000@d00.example', 'd00.example', 'u000000', 'ldap', 'bench',
       '5eed0000-0000-4000-8000-000000000000', 'Person', 'default',
       SHA2('', 256), 'd00.example/u000000/');
CREATE OR REPLACE TEMPORARY TABLE person (PRIMARY KEY (address))
    CHARACTER SET utf8mb4 COLLATE utf8mb4_bin AS
    SELECT CONCAT('u', LPAD(seq, 6, '0'), '@d', LPAD(seq % 20, 2, '0'),
                  '.example') AS address,
           CONCAT('u', LPAD(seq, 6, '0')) AS local_part,
           CONCAT('d', LPAD(seq % 20, 2, '0'), '.example') AS domain,
           CONCAT('5eed0000-0000-4000-8000-', LPAD(seq, 12, '0')) AS id
      FROM seq_1_to_$(($1 - 1));
INSERT INTO mailbox (address, domain, local_part, source, directory,
       directory_id, name, template, fingerprint, quota, message_size,
       rate_messages, rate_messages_period, rate_recipients,
       rate_recipients_period, smtp_access, imap_access, pop3_access,
       sieve_access, tls_enforce_in, tls_enforce_out, tags, template_state,
       mail_path)
    SELECT p.address, p.domain, p.local_part, m.source, m.directory,
           p.id, m.name, m.template, m.fingerprint, m.quota, m.message_size,
           m.rate_messages, m.rate_messages_period, m.rate_recipients,
           m.rate_recipients_period, m.smtp_access, m.imap_access,
           m.pop3_access, m.sieve_access, m.tls_enforce_in, m.tls_enforce_out,
           m.tags, m.template_state,
           REPLACE(REPLACE(m.mail_path, m.domain, p.domain), m.local_part,
                   p.local_part)
      FROM person p JOIN mailbox m ON m.address = 'u000000@d00.example';
INSERT INTO alias (address, domain, local_part, targets, kind, owner)
    SELECT p.address, p.domain, p.local_part, p.address, 'self', p.address
      FROM person p;
UPDATE domain d SET
    mailboxes_used = (SELECT COUNT(*) FROM mailbox m WHERE m.domain = d.name),
    quota_allotted = (SELECT COALESCE(SUM(m.quota), 0) FROM mailbox m
                       WHERE m.domain = d.name)"
}
