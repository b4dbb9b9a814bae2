# lab.sh - private servers for one test; sourced, POSIX sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2119,SC2120 # the directory's name is optional
#
#   . "$(dirname "$0")/../lib/lab.sh"
#   lab_begin NAME          one temporary directory, $LAB; everything that is
#                           started is stopped, by its pid, when the script ends
#   lab_slapd; lab_mariadb; lab_config; lab_schema; lab_domain example.org
#   lab_authd; lab_postfix
#   check "a sentence" command...     is "a sentence" GOT WANTED
#   lab_done                the count, and the exit status
#
# Nothing outside $LAB is written, no port but on 127.0.0.1 is opened.
# Programs come from $PROVOST_BUILD, the build directory (default: the tree).
# LAB_KEEP=1 leaves the directory (not the servers) for a look.

lab_tree=${PROVOST_TREE:-$(cd "$(dirname "$0")" && while [ ! -f configure.ac ] && [ "$PWD" != / ]; do cd ..; done && pwd)}
PROVOST_BUILD=${PROVOST_BUILD:-$lab_tree}
LAB_PYTHON=${LAB_PYTHON:-/usr/bin/python3}
PATH=/usr/local/sbin:/usr/sbin:/sbin:$PATH
export PATH PROVOST_BUILD

LAB_SUFFIX=dc=example,dc=org
LAB_PEOPLE=ou=people,$LAB_SUFFIX
LAB_ADMIN_DN=cn=admin,$LAB_SUFFIX
LAB_ADMIN_PASSWORD=lab-admin
LAB_SERVICE_DN=cn=mail,$LAB_SUFFIX
LAB_SERVICE_PASSWORD=lab-service
LAB_STORE_PASSWORD=lab-store

# ---------------------------------------------------------------- verdicts --

lab_passed=0
lab_failed=0

ok() {
    lab_passed=$((lab_passed + 1))
    echo "ok - $1"
}

# not_ok SENTENCE [WHY]
not_ok() {
    lab_failed=$((lab_failed + 1))
    echo "not ok - $1"
    [ -z "${2:-}" ] || printf '%s\n' "$2" | sed 's/^/#   /'
}

# check SENTENCE COMMAND...: the command's status decides.
check() {
    lab_sentence=$1
    shift
    if lab_output=$("$@" 2>&1); then
        ok "$lab_sentence"
    else
        not_ok "$lab_sentence" "$lab_output"
    fi
}

# is SENTENCE GOT WANTED
is() {
    if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got:    $2
wanted: $3"; fi
}

# like SENTENCE GOT PATTERN: some line of GOT matches the extended pattern.
like() {
    if printf '%s\n' "$2" | grep -Eq -e "$3"; then ok "$1"; else not_ok "$1" "got:    $2
wanted: /$3/"; fi
}

# unlike SENTENCE GOT PATTERN: no line of GOT matches.
unlike() {
    if printf '%s\n' "$2" | grep -Eq -e "$3"; then not_ok "$1" "got:    $2
not:    /$3/"; else ok "$1"; fi
}

# wait_for SECONDS COMMAND...: until it succeeds; 1 when it never did.
wait_for() {
    lab_turns=$(($1 * 20))
    shift
    while [ "$lab_turns" -gt 0 ]; do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.05
        lab_turns=$((lab_turns - 1))
    done
    return 1
}

# lab_die SENTENCE: the test cannot go on.
lab_die() {
    not_ok "$1"
    exit 1
}

# now_ms: milliseconds since 1970.
now_ms() {
    echo $(($(date +%s%N) / 1000000))
}

# --------------------------------------------------- the lab, its processes --

# lab_begin NAME
lab_begin() {
    LAB=$(mktemp -d "${TMPDIR:-/tmp}/provost-$1.XXXXXX") || exit 1
    # Servers drop their rights and still have to reach their directories.
    chmod 755 "$LAB"
    mkdir "$LAB/run" "$LAB/log" "$LAB/pid"
    export LAB
    trap 'lab_end $?' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

# lab_start NAME COMMAND...: in the background; log in $LAB/log/NAME.log.
lab_start() {
    lab_name=$1
    shift
    # shellcheck disable=SC2086
    ${LAB_SETSID:-} "$@" </dev/null >>"$LAB/log/$lab_name.log" 2>&1 &
    echo $! >"$LAB/pid/$lab_name"
}

# lab_pid NAME
lab_pid() {
    cat "$LAB/pid/$1" 2>/dev/null
}

# lab_alive NAME: it runs (a zombie does not).
lab_alive() {
    lab_pid_=$(lab_pid "$1") && [ -n "$lab_pid_" ] &&
        case $(cut -d' ' -f3 "/proc/$lab_pid_/stat" 2>/dev/null) in
        '' | Z | X) false ;;
        *) true ;;
        esac
}

lab_gone() {
    ! lab_alive "$1"
}

# lab_signal NAME SIGNAL: and nothing else.
lab_signal() {
    kill -s "$2" "$(lab_pid "$1")"
}

# lab_stop NAME [SIGNAL]: TERM, or the signal, then waits; KILL in the end.
lab_stop() {
    lab_pid_=$(lab_pid "$1") || return 0
    kill -s "${2:-TERM}" "$lab_pid_" 2>/dev/null || :
    kill -s CONT "$lab_pid_" 2>/dev/null || :
    wait_for "${LAB_STOP_SECONDS:-10}" lab_gone "$1" ||
        kill -s KILL "$lab_pid_" 2>/dev/null || :
    wait "$lab_pid_" 2>/dev/null || :
    rm -f "$LAB/pid/$1"
}

# lab_leftovers: pids of processes that still live in the lab's directory.
lab_leftovers() {
    for lab_proc in /proc/[0-9]*; do
        [ "${lab_proc#/proc/}" != $$ ] || continue
        case $(readlink "$lab_proc/cwd" 2>/dev/null) in
        "$LAB" | "$LAB"/*) echo "${lab_proc#/proc/}" ;;
        *) tr '\0' '\n' 2>/dev/null <"$lab_proc/cmdline" |
            grep -qF "$LAB/" && echo "${lab_proc#/proc/}" ;;
        esac
    done
}

# What the EXIT trap runs.
lab_end() {
    trap - EXIT INT TERM HUP
    cd /
    [ "$1$lab_failed" = 00 ] || lab_logs
    # Those that talk to servers first, so that they may say good-bye.
    for lab_file in "$LAB"/pid/postfix* "$LAB"/pid/authd* "$LAB"/pid/*; do
        [ -f "$lab_file" ] && lab_stop "${lab_file##*/}"
    done
    lab_left=$(lab_leftovers)
    if [ -n "$lab_left" ]; then
        sleep 0.5
        for lab_pid_ in $(lab_leftovers); do
            echo "# left over: $(tr '\0' ' ' <"/proc/$lab_pid_/cmdline")"
            kill -s KILL "$lab_pid_" 2>/dev/null || :
        done
    fi
    if [ -n "${LAB_KEEP:-}" ]; then echo "# kept: $LAB"; else rm -rf "$LAB"; fi
    [ "$1" -ne 0 ] || [ "$lab_failed" -eq 0 ] || exit 1
    exit "$1"
}

# The end of every log, as comments: what one wants to see after a failure.
lab_logs() {
    for lab_file in "$LAB"/log/*.log; do
        [ -s "$lab_file" ] || continue
        echo "# --- ${lab_file##*/}"
        tail -n "${LAB_LOG_LINES:-25}" "$lab_file" | sed 's/^/# /'
    done
}

# lab_done: prints the count; the script's exit status.
lab_done() {
    echo "1..$((lab_passed + lab_failed))"
    [ "$lab_failed" -eq 0 ] && [ "$lab_passed" -gt 0 ]
    exit $?
}

# lab_port: a free port of 127.0.0.1, below the range the kernel gives away.
lab_port() {
    "$LAB_PYTHON" - <<'PYTHON'
import random, socket
while True:
    port = random.randrange(15000, 32000)
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            continue
    print(port)
    break
PYTHON
}

# lab_port_open PORT
lab_port_open() {
    "$LAB_PYTHON" -c 'import socket, sys
socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1).close()' "$1"
}

# lab_ca: a private CA in $LAB/tls: ca.pem, cert.pem and key.pem for 127.0.0.1,
# localhost, mail.example.org and ldap1.example.org.
lab_ca() {
    [ ! -f "$LAB/tls/cert.pem" ] || return 0
    mkdir -p "$LAB/tls"
    (
        cd "$LAB/tls" || exit 1
        openssl ecparam -name prime256v1 -genkey -noout -out ca.key
        openssl req -x509 -new -key ca.key -subj "/CN=Lab CA" -days 30 \
            -addext basicConstraints=critical,CA:TRUE \
            -addext keyUsage=critical,keyCertSign,cRLSign -out ca.pem
        openssl ecparam -name prime256v1 -genkey -noout -out key.pem
        openssl req -new -key key.pem -subj "/CN=mail.example.org" -out csr.pem
        printf '%s\n' 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:mail.example.org,DNS:ldap1.example.org' >ext
        openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -days 30 \
            -CAcreateserial -extfile ext -out cert.pem
    ) >>"$LAB/log/openssl.log" 2>&1 || lab_die "a private CA can be made"
    chmod 644 "$LAB/tls/key.pem"
}

# ------------------------------------------------------------------- slapd --

# lab_ldif: the people every test knows. Passwords are UID-secret.
# LDIF on stdout; entryUUID is fixed, so that tests can name it.
lab_ldif() {
    cat <<LDIF
dn: $LAB_SUFFIX
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: $LAB_SERVICE_DN
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: mail
userPassword: $LAB_SERVICE_PASSWORD

dn: $LAB_PEOPLE
objectClass: organizationalUnit
ou: people

dn: ou=partner,$LAB_SUFFIX
objectClass: organizationalUnit
ou: partner

LDIF
    # number uid mail name value-of-otherMailbox
    lab_person_ldif 1 ada ada@example.org "Ada Lovelace" default
    lab_person_ldif 2 bob bob@example.org "Bob Hope" default
    # Stored in mixed case: the mailbox is lower-case all the same.
    lab_person_ldif 3 carol Carol@Example.ORG "Carol Shaw" default
    lab_person_ldif 4 dan dan@example.org "Dan Flavin" default
    # Two addresses: the bytewise first of a served domain names the mailbox.
    lab_person_ldif 5 eve "eve@example.org e.ve@example.org" "Eve Arden" default
    # Nothing maps.
    lab_person_ldif 6 frank frank@example.org "Frank Capra" unmapped
    lab_person_ldif 7 grace grace@example.org "Grace Hopper" "cn=vip,ou=groups,$LAB_SUFFIX"
    # Claims an address of a domain that another directory serves.
    lab_person_ldif 8 mallory victim@partner.example "Mallory" default
    # A domain with an umlaut, as people write it.
    lab_person_ldif 9 heidi "heidi@xn--exmple-cua.org" "Heidi" default
    # Two entries with one address.
    lab_person_ldif 10 twin1 twin@example.org "Twin One" default
    lab_person_ldif 11 twin2 twin@example.org "Twin Two" default
    # No mail at all.
    lab_person_ldif 12 nomail "" "No Mail" default
}

# lab_person_ldif NUMBER UID "MAIL..." NAME [VALUE...]: one entry as LDIF.
lab_person_ldif() {
    lab_number=$1 lab_uid=$2 lab_mails=$3 lab_display=$4
    shift 4
    cat <<LDIF
dn: uid=$lab_uid,$LAB_PEOPLE
objectClass: inetOrgPerson
objectClass: labMailPerson
uid: $lab_uid
cn: $lab_display
sn: $lab_display
displayName: $lab_display
userPassword: $lab_uid-secret
entryUUID: $(printf '00000000-0000-4000-8000-%012d' "$lab_number")
LDIF
    for lab_mail in $lab_mails; do echo "mail: $lab_mail"; done
    for lab_value; do echo "otherMailbox: $lab_value"; done
    echo
}

# lab_slapd [NAME]: starts a private slapd, "main" by default. It answers at
# $(lab_slapd_uri NAME) (ldapi), 127.0.0.1:$(lab_slapd_port NAME), and with TLS
# from the start at $(lab_slapd_ssl_port NAME); StartTLS works, CA in
# $LAB/tls/ca.pem. It accepts unauthenticated binds, as Active Directory does
# (LAB_SLAPD_ALLOW= for a strict one). LAB_SLAPD_LDIF: a file instead of
# lab_ldif. LAB_SLAPD_CONF: more lines for the end of slapd.conf.
lab_slapd() {
    lab_slapd_make "${1:-main}"
    lab_slapd_start "${1:-main}"
}

lab_slapd_make() {
    lab_home=$LAB/slapd-$1
    lab_ca
    mkdir -p "$lab_home/db"
    lab_port >"$lab_home/port"
    lab_port >"$lab_home/ssl_port"
    cat >"$lab_home/lab.schema" <<'SCHEMA'
attributetype ( 1.3.6.1.4.1.4203.666.1.901 NAME 'mailAlternateAddress'
    EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.4203.666.1.902 NAME 'mailQuota'
    EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.4203.666.1.903 NAME 'accountStatus'
    EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.4.1.4203.666.3.901 NAME 'labMailPerson' AUXILIARY
    MAY ( otherMailbox $ mailAlternateAddress $ mailQuota $ accountStatus ) )
SCHEMA
    cat >"$lab_home/slapd.conf" <<CONF
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include $lab_home/lab.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile $lab_home/slapd.pid
argsfile $lab_home/slapd.args
TLSCACertificateFile $LAB/tls/ca.pem
TLSCertificateFile $LAB/tls/cert.pem
TLSCertificateKeyFile $LAB/tls/key.pem
${LAB_SLAPD_ALLOW-allow bind_anon_cred bind_anon_dn}
threads 4
database mdb
maxsize 1073741824
suffix "$LAB_SUFFIX"
rootdn "$LAB_ADMIN_DN"
rootpw $LAB_ADMIN_PASSWORD
directory $lab_home/db
dbnosync
index objectClass,entryUUID,uid,mail eq
limits dn.exact="$LAB_SERVICE_DN" size=unlimited
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="$LAB_SERVICE_DN" read by * none
${LAB_SLAPD_CONF:-}
CONF
    if [ -n "${LAB_SLAPD_LDIF:-}" ]; then
        cp "$LAB_SLAPD_LDIF" "$lab_home/people.ldif"
    else
        lab_ldif >"$lab_home/people.ldif"
    fi
    slapadd -q -f "$lab_home/slapd.conf" -l "$lab_home/people.ldif" \
        >"$LAB/log/slapadd-$1.log" 2>&1 ||
        lab_die "slapadd loads the people of directory $1"
}

# lab_slapd_start [NAME]: again, after lab_slapd_stop.
lab_slapd_start() {
    lab_home=$LAB/slapd-${1:-main}
    # slapd sizes its tables by the limit, which may be a million.
    # shellcheck disable=SC2016
    lab_start "slapd-${1:-main}" sh -c 'ulimit -n 4096; exec "$@"' sh \
        slapd -d stats -f "$lab_home/slapd.conf" -h "$(lab_slapd_uri "${1:-main}") \
ldap://127.0.0.1:$(cat "$lab_home/port") ldaps://127.0.0.1:$(cat "$lab_home/ssl_port")"
    wait_for 15 lab_slapd_answers "${1:-main}" ||
        lab_die "slapd ${1:-main} answers within 15 s"
}

# lab_slapd_stop [NAME] [SIGNAL]
lab_slapd_stop() {
    lab_stop "slapd-${1:-main}" "${2:-TERM}"
}

# lab_slapd_signal SIGNAL [NAME]: STOP makes it mute, CONT wakes it.
lab_slapd_signal() {
    lab_signal "slapd-${2:-main}" "$1"
}

lab_slapd_uri() {
    printf 'ldapi://%s\n' "$(printf '%s' "$LAB/run/ldapi-${1:-main}" | sed 's,/,%2F,g')"
}

lab_slapd_path() {
    echo "$LAB/run/ldapi-${1:-main}"
}

lab_slapd_port() {
    cat "$LAB/slapd-${1:-main}/port"
}

lab_slapd_ssl_port() {
    cat "$LAB/slapd-${1:-main}/ssl_port"
}

lab_slapd_answers() {
    ldapwhoami -x -o nettimeout=2 -H "$(lab_slapd_uri "$1")"
}

# lab_slapd_count [NAME] PATTERN: log lines, e.g. 'BIND dn="uid=ada,.*method'.
lab_slapd_count() {
    lab_where=main
    [ $# -eq 1 ] || { lab_where=$1 && shift; }
    grep -Ec -e "$1" "$LAB/log/slapd-$lab_where.log" || :
}

# lab_person NUMBER UID "MAIL..." NAME [VALUE...]: adds one to slapd main.
lab_person() {
    lab_person_ldif "$@" | lab_ldap_add
}

# lab_ldap_add [NAME] <LDIF, as slapd's administrator (entryUUID is dropped,
# slapd makes its own; only slapadd may set it).
lab_ldap_add() {
    grep -v '^entryUUID:' | ldapadd -x -H "$(lab_slapd_uri "${1:-main}")" \
        -D "$LAB_ADMIN_DN" -w "$LAB_ADMIN_PASSWORD" >>"$LAB/log/ldapadd.log" 2>&1
}

# lab_ldap_modify [NAME] <LDIF of changes
lab_ldap_modify() {
    ldapmodify -x -H "$(lab_slapd_uri "${1:-main}")" -D "$LAB_ADMIN_DN" \
        -w "$LAB_ADMIN_PASSWORD" >>"$LAB/log/ldapmodify.log" 2>&1
}

# lab_ldap_set UID ATTRIBUTE VALUE...: replaces the values (none: removes).
lab_ldap_set() {
    {
        printf 'dn: uid=%s,%s\nchangetype: modify\nreplace: %s\n' "$1" "$LAB_PEOPLE" "$2"
        lab_attribute=$2
        shift 2
        for lab_value; do echo "$lab_attribute: $lab_value"; done
    } | lab_ldap_modify
}

# ----------------------------------------------------------------- MariaDB --

# lab_mariadb: a private server on the socket $LAB/run/mariadb.sock, database
# and user "provost" (password in $LAB/secrets/store). LAB_MARIADB_TEMPLATE: a
# directory that keeps the fresh data directory for the next test of a run.
lab_mariadb() {
    lab_template=${LAB_MARIADB_TEMPLATE:-$LAB/mariadb-template}
    lab_mariadb_template "$lab_template" || lab_die "mariadb-install-db works"
    cp -a "$lab_template/data" "$LAB/mariadb"
    lab_mariadb_start
    lab_secret store "$LAB_STORE_PASSWORD"
    LAB_DB='' lab_sql "CREATE DATABASE provost CHARACTER SET utf8mb4;
        CREATE USER provost@localhost IDENTIFIED BY '$LAB_STORE_PASSWORD';
        GRANT ALL ON provost.* TO provost@localhost" ||
        lab_die "the database can be made"
}

# The first that needs the template makes it; others wait for the lock.
lab_mariadb_template() {
    mkdir -p "$1"
    (
        flock 9
        [ ! -d "$1/data" ] || exit 0
        rm -rf "$1/new"
        # shellcheck disable=SC2046
        mariadb-install-db --no-defaults $(lab_mariadb_user) --datadir="$1/new" \
            --auth-root-authentication-method=normal --skip-test-db \
            --skip-name-resolve --innodb-log-file-size=16M \
            >"$1/install.log" 2>&1 && mv "$1/new" "$1/data"
    ) 9>"$1/lock"
}

# mariadbd refuses to be root unless it is told so.
lab_mariadb_user() {
    [ "$(id -u)" -ne 0 ] || echo --user=root
}

lab_mariadb_start() {
    # shellcheck disable=SC2046
    lab_start mariadb mariadbd --no-defaults $(lab_mariadb_user) \
        --datadir="$LAB/mariadb" --socket="$LAB/run/mariadb.sock" \
        --pid-file="$LAB/run/mariadb.pid" --skip-networking --skip-name-resolve \
        --innodb-log-file-size=16M --innodb-buffer-pool-size=64M \
        --innodb-use-native-aio=OFF --performance-schema=OFF --max-connections=300
    LAB_DB='' wait_for 30 lab_sql "SELECT 1" || lab_die "MariaDB answers within 30 s"
}

lab_mariadb_stop() {
    lab_stop mariadb "${1:-TERM}"
}

# lab_sql STATEMENTS: rows on stdout, tab separated, no heading.
lab_sql() {
    # shellcheck disable=SC2086
    mariadb --no-defaults --socket="$LAB/run/mariadb.sock" --user=root \
        --connect-timeout=5 -N -B -e "$1" ${LAB_DB-provost}
}

# lab_secret NAME TEXT: $LAB/secrets/NAME, readable by nobody else.
lab_secret() {
    mkdir -p "$LAB/secrets"
    (umask 077 && printf '%s\n' "$2" >"$LAB/secrets/$1")
}

# ---------------------------------------------------------------- programs --

lab_provostctl() {
    "$PROVOST_BUILD/tools/provostctl" -c "$LAB/provost.conf" "$@"
}

# lab_schema: makes the tables.
lab_schema() {
    lab_provostctl db migrate --schema-dir "$lab_tree/conf/schema" >>"$LAB/log/migrate.log" 2>&1 ||
        lab_die "provostctl db migrate makes the schema"
    lab_grants
}

# lab_grants: lets Postfix read its views, as conf/postfix/grants.sql has it.
lab_grants() {
    lab_sql "$(cat "$lab_tree/conf/postfix/grants.sql")" ||
        lab_die "Postfix gets its rights in the database"
}

# lab_domain NAME [OPTION...]
lab_domain() {
    lab_provostctl domain add "$@" >>"$LAB/log/domain.log" 2>&1 ||
        lab_die "provostctl domain add $1"
}

# lab_config: writes $LAB/provost.conf for slapd main and MariaDB. More lines:
# LAB_CONF_DIRECTORY in the directory, LAB_CONF_DIRECTORIES after it (starting
# with a comma), LAB_CONF_TEMPLATES likewise, LAB_CONF_AUTH in auth,
# LAB_CONF_SOCKET in each socket, LAB_CONF at the end. LAB_LDAP = tls (default),
# ssl or ldapi says how slapd is reached.
lab_config() {
    lab_secret corp "$LAB_SERVICE_PASSWORD"
    case ${LAB_LDAP:-tls} in
    tls) lab_reach="host = \"127.0.0.1\"; port = $(lab_slapd_port); use_tls = true; ca_file = \"$LAB/tls/ca.pem\";" ;;
    ssl) lab_reach="host = \"127.0.0.1\"; port = $(lab_slapd_ssl_port); use_ssl = true; ca_file = \"$LAB/tls/ca.pem\";" ;;
    ldapi) lab_reach="host = \"$(lab_slapd_path)\";" ;;
    *) lab_reach=$LAB_LDAP ;;
    esac
    cat >"$LAB/provost.conf" <<CONF
store = {
  socket = "$LAB/run/mariadb.sock"; user = "provost"; database = "provost";
  password_file = "$LAB/secrets/store";
};
directories = (
  { name = "corp";
    $lab_reach
    base_dn = "$LAB_PEOPLE";
    bind_dn = "$LAB_SERVICE_DN"; bind_password_file = "$LAB/secrets/corp";
    username_field = "mail"; login_fields = [ "mail", "uid" ];
    filter = "(objectClass=inetOrgPerson)"; attribute_field = "otherMailbox";
    attribute_mapping = ( { attribute = "default"; template = "default"; },
                          { pattern = "cn=vip,*"; template = "vip"; } );
    name_field = "displayName"; alias_field = "mailAlternateAddress";
    quota_field = "mailQuota"; retry_after = "${LAB_CONF_RETRY:-1s}";
    ${LAB_CONF_DIRECTORY:-}
  }${LAB_CONF_DIRECTORIES:-}
);
templates = (
  { name = "default"; quota = "5G"; ${LAB_CONF_DEFAULT:-} },
  { name = "vip"; quota = "20G"; }${LAB_CONF_TEMPLATES:-}
);
auth = {
  sockets = ( { path = "$LAB/run/authd"; mode = "0666"; canonical_only = false; ${LAB_CONF_SOCKET:-} },
              { path = "$(lab_jail_path stock)"; mode = "0660"; group = "$(lab_group)"; canonical_only = true; ${LAB_CONF_SOCKET:-} },
              { path = "$(lab_jail_path plugin)"; mode = "0660"; group = "$(lab_group)"; canonical_only = false; ${LAB_CONF_SOCKET:-} } );
  control_path = "$LAB/run/control";
  ${LAB_CONF_AUTH:-}
};
mail = { mail_uid = $(id -u nobody); mail_gid = $(id -g nobody); };
${LAB_CONF:-}
CONF
    mkdir -p "$LAB/spool/var/run/provost"
}

# Where smtpd in its jail finds authd: $LAB/spool is the queue directory.
lab_jail_path() {
    echo "$LAB/spool/var/run/provost/$1"
}

lab_group() {
    if getent group postfix >/dev/null; then echo postfix; else id -gn; fi
}

# lab_authd: starts provost-authd with $LAB/provost.conf; log authd.log.
lab_authd() {
    rm -f "$LAB/run/authd"
    # shellcheck disable=SC2086
    lab_start authd ${LAB_AUTHD_RUN:-} "$PROVOST_BUILD/authd/provost-authd" -c "$LAB/provost.conf"
    wait_for "${LAB_AUTHD_SECONDS:-15}" test -S "$LAB/run/authd" ||
        lab_die "provost-authd opens its sockets"
}

lab_authd_stop() {
    lab_stop authd "${1:-TERM}"
}

# lab_auth USER PASSWORD [OPTION...]: one request to authd; prints "OK text",
# "NO text" or "TEMPORARY" (see saslauthd.py).
lab_auth() {
    lab_user_=$1 lab_password_=$2
    shift 2
    "$LAB_PYTHON" "$lab_tree/tests/lib/saslauthd.py" --socket "$LAB/run/authd" \
        --user "$lab_user_" --password "$lab_password_" "$@"
}

# ----------------------------------------------------------------- Postfix --

# shellcheck source=tests/lib/postfix.sh
. "$lab_tree/tests/lib/postfix.sh"
