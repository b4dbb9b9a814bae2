#!/bin/sh
# doctor.sh - a host broken line by line, and what provostctl doctor says
# SPDX-License-Identifier: BSD-2-Clause
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin doctor
LAB_SLAPD_CONF="
database monitor
access to * by dn.exact=\"$LAB_SERVICE_DN\" read by * none"
lab_ca
# The directory's certificate has hardly any days left.
(cd "$LAB/tls" && openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key \
    -days 2 -CAcreateserial -extfile ext -out cert.pem) \
    >>"$LAB/log/openssl.log" 2>&1 || lab_die "a certificate can be made"
lab_slapd
lab_mariadb
LAB_CONF_AUTH='cache_ttl = "600s";'
lab_config
# As README grants it.
needed='SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP, CREATE VIEW, SHOW VIEW'
as_readme() {
    lab_sql "REVOKE ALL PRIVILEGES, GRANT OPTION FROM provost@localhost;
        GRANT $needed ON provost.* TO provost@localhost"
}
as_readme
lab_schema
lab_domain example.org --max-mailboxes 50 --quota 100G
lab_domain other.example
# Its configuration alone: no master(8) is needed to be looked at.
lab_postfix_make
lab_authd
mkdir "$LAB/fail2ban" "$LAB/fail2ban/jail.d"
cat >"$LAB/fail2ban/jail.conf" <<'CONF'
[DEFAULT]
enabled = false
mode = normal
filter = %(__name__)s[mode=%(mode)s]
[postfix]
mode = more
[postfix-sasl]
filter = postfix[mode=auth]
CONF
SASL_PATH=$LAB/sasl2
export SASL_PATH
me=admin:$(id -un)

# doctor [ARGUMENT...]: its output in $LAB/out, its status in $status.
doctor() {
    # Or Postfix waits until what was just written is older than a second.
    touch -d '1 hour ago' "$LAB/postfix/main.cf" "$LAB/postfix/master.cf"
    lab_provostctl doctor --postfix-config "$LAB/postfix" --fail2ban-config "$LAB/fail2ban" "$@" >"$LAB/out" 2>&1 </dev/null
    status=$?
}
# says SENTENCE PATTERN
says() {
    like "$1" "$(cat "$LAB/out")" "$2"
}
# finds SENTENCE PATTERN: one look finds an error, and ends with 69.
finds() {
    doctor
    says "$1" "^error +$2"
    is "and ends with 69" "$status" 69
}
# warns SENTENCE PATTERN
warns() {
    doctor
    says "$1" "^warning +$2"
}
# agrees SENTENCE PATTERN
agrees() {
    doctor
    says "$1" "^ok +$2"
}

# ------------------------------------------------------------ nothing wrong --

doctor
is "a host as it should be ends with 0" "$status" 0
unlike "without an error" "$(cat "$LAB/out")" '^error'
for what in settings secret provost-authd socket Postfix smtpd.conf mech_list \
    virtual_mailbox_maps plugin database grants InnoDB clock counters libldap \
    'name resolution' connection TLS 'service bind' fail2ban; do
    says "it looks at $what" "^ok +$what "
done
says "postfix is let in, in its jail" "^ok +socket .*/plugin lets in postfix, also from Postfix's jail"
says "each door is tried as smtpd would" '^ok +smtpd.conf .*/smtpd.conf: provost_path /var/run/provost/plugin: answers'
says "also that of the stock modules" '^ok +smtpd.conf .*/stock.conf: saslauthd_path /var/run/provost/stock: answers'
says "a host without policy service is no fault" '^- +policy service +no smtpd asks one'
says "nor is one without cluster" '^- +Galera +MariaDB [0-9.]+.* is no cluster'
says "the directory's clock is read where it is told" '^ok +clock +directory corp agrees'
says "libldap's version and TLS library are named" '^ok +libldap +OpenLDAP [0-9.]+ with [A-Za-z]+'
says "a certificate that ends soon is told, with its days" '^warning certificate +127.0.0.1: [0-9]+ days left'
unlike "no secret is printed" "$(cat "$LAB/out")" "$LAB_STORE_PASSWORD|$LAB_SERVICE_PASSWORD"
doctor --json
is "as JSON it can be parsed, with stable names" \
    "$("$LAB_PYTHON" -c 'import json, sys
rows = json.load(open(sys.argv[1]))
print(sorted(rows[0]), len(rows) > 20, sorted(set(r["result"] for r in rows)))' "$LAB/out")" \
    "['fix', 'ms', 'result', 'text', 'what'] True ['-', 'ok', 'warning']"
doctor --format csv
is "as CSV, too" "$("$LAB_PYTHON" -c 'import csv, sys
rows = list(csv.DictReader(open(sys.argv[1])))
print(len(rows) > 20, all(len(r) == 5 and None not in r for r in rows))' "$LAB/out")" "True True"

# ----------------------------------------------------------------- Postfix --

mkdir "$LAB/whole" && cp -a "$LAB/postfix/." "$LAB/whole"
mend() {
    cp -a "$LAB/whole/." "$LAB/postfix/"
}
main() {
    postconf -c "$LAB/postfix" -e "$1"
}
# sasl SED...: edits smtpd.conf, the plugin's.
sasl() {
    sed -i "$@" "$LAB/postfix/sasl/smtpd.conf"
}
stock() {
    sed -i "$@" "$LAB/postfix/sasl/stock.conf"
}
plugin_service=127.0.0.1:$LAB_PLUGIN_PORT/inet

main 'smtpd_sasl_auth_enable = no'
finds "1. nobody can log in" 'Postfix +no smtpd of .*/master.cf has smtpd_sasl_auth_enable'
mend
postconf -c "$LAB/postfix" -P "$plugin_service/smtpd_sasl_type=dovecot"
warns "2. another service is asked, at one port" "smtpd_sasl_type +$plugin_service: \"dovecot\""
says "and not at the other" '^ok +Postfix +127.0.0.1:'"$LAB_STOCK_PORT"
main 'smtpd_sasl_type = other'
finds "3. a type that is none" 'smtpd_sasl_type .*"other"'
mend
main 'smtpd_sasl_tls_security_options = noanonymous, noplaintext'
finds "4. PLAIN is not offered" 'smtpd_sasl_tls_security_options .*PLAIN and LOGIN are not offered'
mend
main 'smtpd_tls_security_level = may'
main 'smtpd_tls_auth_only = no'
warns "5. passwords in clear" 'smtpd_tls_auth_only .*in clear'
mend
rm "$LAB/postfix/sasl/smtpd.conf"
finds "6. no smtpd.conf where libsasl2 looks" "smtpd.conf .*$LAB/postfix/sasl/smtpd.conf: there is none"
says "and the command that puts it there" "to do: +install -D -m 0644 conf/postfix/sasl/plugin.conf $LAB/postfix/sasl/smtpd.conf"
mend
sasl '$a oops'
finds "7. a line that ends smtpd" 'smtpd.conf .*line 5 is no "key: value"'
mend
sasl '/provost_path/d'
finds "8. authd is not asked" 'smtpd.conf .*names neither provost_path nor pwcheck_method'
mend
sasl 's,^provost_path.*,provost_path: /var/run/provost/none,'
finds "9. a socket that is none of ours" 'smtpd.conf .*provost_path /var/run/provost/none is no socket of provost-authd'
mend
sasl "s,^provost_path.*,provost_path: $LAB/run/authd,"
finds "10. a path from outside the jail" "smtpd.conf .*$LAB/run/authd is no socket .*runs chrooted"
sed -i "s/^\(127.0.0.1:$LAB_PLUGIN_PORT inet n -\) y/\1 n/" "$LAB/postfix/master.cf"
agrees "which is right outside it" "smtpd.conf .*provost_path $LAB/run/authd: answers"
mend
sed -i "s/^\(127.0.0.1:$LAB_PLUGIN_PORT inet n -\) y/\1 n/" "$LAB/postfix/master.cf"
finds "11. and a path from inside is not" 'smtpd.conf .*/plugin is no socket .*outside the chroot'
mend
sasl '/^mech_list/d'
warns "12. no mech_list" 'mech_list .*there is none'
mend
sasl 's/^mech_list.*/mech_list: PLAIN CRAM-MD5/'
finds "13. a mechanism that cannot be checked" 'mech_list .*can check CRAM-MD5'
mend
sasl 's/^mech_list.*/mech_list: LOGIN/'
warns "14. PLAIN is missing" 'mech_list .*PLAIN is not in it'
mend
sasl '/^auxprop_plugin/d'
warns "15. libsasl2's own databases" 'auxprop_plugin .*own databases'
mend
sasl '$a plugin_list: provost'
finds "16. plugin_list" 'plugin_list .*chrooted smtpd cannot load'
mend
stock 's/^pwcheck_method.*/pwcheck_method: auxprop/'
finds "17. another pwcheck_method" 'smtpd.conf .*/stock.conf: it names neither'
mend
stock 's/^pwcheck_method.*/pwcheck_method: saslauthd auxprop/'
finds "18. two of them" 'smtpd.conf .*second word'
mend
stock '/^saslauthd_path/d'
finds "19. no saslauthd_path" 'smtpd.conf .*no saslauthd_path'
mend
stock 's,^saslauthd_path.*,saslauthd_path: /var/run/provost/plugin,'
warns "20. the stock modules at a door that lets any name in" 'smtpd.conf .*keeps the name that was typed'
mend
sasl 's,^provost_path.*,provost_path: /var/run/provost/stock,'
warns "21. the plugin at a door for them" 'smtpd.conf .*refused for nothing'
mend
main 'virtual_mailbox_maps = hash:/etc/postfix/vmaps'
warns "22. a map that reads no database" 'virtual_mailbox_maps +"hash:/etc/postfix/vmaps"'
mend
says "a policy service that nobody asks need not run" '^- +provost-policyd +does not run here, and no smtpd asks it'
policy=unix:private/policy
main "smtpd_recipient_restrictions = check_policy_service $policy, reject_unauth_destination"
main 'smtpd_relay_restrictions ='
finds "23. a policy service that could open a relay" 'policy service .*smtpd_recipient_restrictions is asked ahead of reject_unauth_destination'
main "smtpd_recipient_restrictions = permit_sasl_authenticated, reject_unauth_destination, check_policy_service $policy"
warns "24. one that is not asked about our people" 'policy service .*behind permit_sasl_authenticated'
main "smtpd_recipient_restrictions = reject, check_policy_service $policy"
finds "25. one that is never asked" 'policy service .*never asked'
main "smtpd_recipient_restrictions = reject_unauth_destination, check_policy_service $policy"
agrees "26. one that stands well" 'policy service .*where it should be'
says "whoever it belongs to" '^- +policy service .*unix:private/policy is no socket of provost-policyd'
LAB_CONF="policy = { listen = ( { path = \"$LAB/spool/private/policy\"; } ); };"
lab_config
finds "ours has to run" 'policy service .*unix:private/policy: (there is no such socket|the folder)'
says "then, too" '^error +provost-policyd +provost-policyd does not run here'
LAB_CONF=
lab_config
mend
doctor --postfix-config "$LAB/nowhere"
says "27. no Postfix" "^warning +Postfix +$LAB/nowhere has no configuration"
is "is a warning" "$status" 0

# ----------------------------------------------------------------- sockets --

jail=$LAB/spool/var/run/provost
if [ "$(id -u)" -eq 0 ]; then
    chmod 0700 "$jail"
    finds "a folder that postfix may not pass" 'socket .*/plugin, by postfix in Postfix.s jail: the folder /var/run/provost cannot be passed'
    says "with what to do" 'to do: +mode = "0660" and group = "postfix"'
    says "also seen from its smtpd.conf" '^error +smtpd.conf .*/var/run/provost cannot be passed'
    chmod 0755 "$jail"
    chmod 0600 "$jail/plugin"
    finds "a socket that postfix may not open" "socket .*/plugin, by postfix.* mode and group do not allow it"
    chmod 0660 "$jail/plugin"
    chown nobody "$LAB/run/control"
    finds "a secret that the daemons cannot read" "secret .*$LAB/secrets/corp cannot be read by nobody"
    chown 0 "$LAB/run/control"
fi
LAB_CONF_SOCKET='allowed = [ "nobody" ];'
lab_config
finds "a door that does not let postfix ask" 'socket .*/plugin: postfix may not ask there'
LAB_CONF_SOCKET=
lab_config

# ---------------------------------------------------------------- plugin --

mkdir "$LAB/none"
SASL_PATH=$LAB/none
finds "no plugin where libsasl2 looks" "plugin .*(there is no libprovost.so in|libsasl2 looks in) $LAB/none"
echo text >"$LAB/none/libprovost.so"
finds "one that is no library" 'plugin .*cannot be loaded: .*'
cp "$(lab_sasl_dir)/../libsasl2.so.2" "$LAB/none/libprovost.so"
finds "one that is no plugin" 'plugin .*no sasl_server_plug_init'
SASL_PATH=$LAB/sasl2

# ------------------------------------------------- settings, files, fail2ban --

chmod 0666 "$LAB/provost.conf"
finds "settings that others may change" 'settings .*can be changed by others'
chmod 0644 "$LAB/provost.conf"
chmod 0644 "$LAB/secrets/corp"
finds "a secret that everybody can read" "settings .*$LAB/secrets/corp can be reached by everybody"
says "what needs the settings is passed over" '^- +database +not looked at: the settings could not be read'
says "the rest is not" '^ok +plugin '
chmod 0600 "$LAB/secrets/corp"
printf '[postfix-sasl]\nenabled = true\n' >"$LAB/fail2ban/jail.d/mine.conf"
warns "a jail that bans people during an outage" 'fail2ban +jail postfix-sasl \(postfix\[mode=auth\]\)'
printf '[postfix-sasl]\nenabled = false\n' >"$LAB/fail2ban/jail.local"
agrees "which jail.local turns off" 'fail2ban +no jail'
printf '[postfix]\nenabled = true\nmode = aggressive\n' >"$LAB/fail2ban/jail.d/z.local"
warns "another mode of the same" 'fail2ban +jail postfix \(postfix\[mode=aggressive\]\)'
rm "$LAB/fail2ban/jail.d/"*
doctor --fail2ban-config "$LAB/nowhere"
says "no fail2ban is no fault" '^- +fail2ban +there is none'

# ------------------------------------------------------------- the database --

lab_sql "GRANT SUPER ON *.* TO provost@localhost"
warns "a right over the whole server" 'grants +wider than needed: .*SUPER on \*\.\*'
as_readme
lab_sql "GRANT ALL ON provost.* TO provost@localhost WITH GRANT OPTION"
warns "all rights, to hand on" 'grants +wider than needed: ALL PRIVILEGES on provost.*GRANT OPTION'
as_readme
lab_sql "CREATE DATABASE shop; GRANT SELECT ON shop.* TO provost@localhost"
warns "a right in another database" 'grants +wider than needed: SELECT on shop'
as_readme
lab_sql "CREATE ROLE dba; GRANT dba TO provost@localhost"
warns "a role" 'grants +wider than needed: the role dba'
lab_sql "DROP ROLE dba; REVOKE DROP ON provost.* FROM provost@localhost"
warns "a right that is missing" 'grants +the account lacks DROP'
as_readme
lab_sql "ALTER TABLE last_login ENGINE=Aria"
finds "a table that is not InnoDB" 'InnoDB +table last_login is Aria'
says "with the statement that helps" 'to do: +ALTER TABLE last_login ENGINE=InnoDB'
lab_sql "ALTER TABLE last_login ENGINE=InnoDB; CREATE TABLE heap (a INT) ENGINE=InnoDB"
warns "a table without a key" 'InnoDB +table heap has no primary key'
lab_sql "DROP TABLE heap; SET GLOBAL init_connect = 'SET timestamp = 1000000000'"
warns "another clock" "clock +the database's is [0-9]+ s from ours"
lab_sql "SET GLOBAL init_connect = ''; SET GLOBAL innodb_flush_log_at_trx_commit = 0"
warns "a server that forgets" 'durability '
lab_sql "SET GLOBAL innodb_flush_log_at_trx_commit = 1; RENAME TABLE schema_version TO hidden"
finds "no schema" 'database +.*no schema'
says "with the command" 'to do: +provostctl db migrate'
says "and nothing else is asked of it" '^- +grants +not looked at: the database could not be used'
lab_sql "RENAME TABLE hidden TO schema_version"

# ---------------------------------------------------------------- counters --

is "a person logs in" "$(lab_auth ada@example.org ada-secret)" "OK ada@example.org"
counters() {
    lab_sql "SELECT mailboxes_used, quota_allotted DIV 1073741824, aliases_used FROM domain WHERE name = '$1'" | tr '\t' ' '
}
is "who is counted" "$(counters example.org)" "1 5 0"
agrees "counters agree" 'counters +agree'
lab_sql "UPDATE domain SET mailboxes_used = 7, quota_allotted = 0 WHERE name = 'example.org';
    UPDATE domain SET aliases_used = 3 WHERE name = 'other.example'"
finds "counters that do not" 'counters +example.org: mailboxes 7 counted 1, quota 0 counted 5368709120, aliases 0 counted 0'
says "each domain" '^error +counters +other.example: .*aliases 3 counted 0'
says "with the command" 'to do: +provostctl doctor --fix counters'
doctor --fix counters
is "without --yes nothing is mended" "$status $(counters example.org)" "69 7 0 0"
says "which is told" 'Not done: say --yes'
doctor --fix counters --yes
is "with it, all is" "$status $(counters example.org), $(counters other.example)" "0 1 5 0, 0 0 0"
says "and told" '^ok +counters +example.org was counted anew'
is "each with its event" "$(lab_sql "SELECT domain, who, JSON_VALUE(before_json, '\$.mailboxes_used'), JSON_VALUE(after_json, '\$.mailboxes_used') FROM event WHERE kind = 'recount' ORDER BY domain" | tr '\t\n' ' ;')" \
    "example.org $me 7 1;other.example $me 0 0;"
doctor --fix counters --yes
is "a second time there is nothing to do" "$status $(lab_sql "SELECT COUNT(*) FROM event WHERE kind = 'recount'")" "0 2"
doctor --fix everything
is "nothing else can be mended" "$status" 64

# ------------------------------------------------------------------- caches --

asked() {
    lab_slapd_count 'BIND dn="uid=ada,.*method'
}
before=$(asked)
is "a login is remembered" "$(lab_auth ada@example.org ada-secret) $(($(asked) - before))" "OK ada@example.org 0"
lab_provostctl cache flush bob@example.org >"$LAB/out" 2>&1
is "somebody else is forgotten" "$?" 0
is "which changes nothing for ada" "$(lab_auth ada@example.org ada-secret) $(($(asked) - before))" "OK ada@example.org 0"
lab_provostctl cache flush Ada@Example.ORG >"$LAB/out" 2>&1
is "ada is forgotten" "$?" 0
says "by each daemon, which says so" '^provost-authd: flushed [1-9]'
is "so that the directory is asked again" "$(lab_auth ada@example.org ada-secret) $(($(asked) - before))" "OK ada@example.org 1"
lab_provostctl cache flush --all >"$LAB/out" 2>&1
says "all are forgotten" '^provost-authd: flushed [1-9]'
lab_provostctl cache flush >"$LAB/out" 2>&1
is "nobody is a fault" "$?" 64
lab_provostctl cache flush --all ada@example.org >"$LAB/out" 2>&1
is "so is one and all" "$?" 64
lab_provostctl cache flush 'ada' >"$LAB/out" 2>&1
is "and no address" "$?" 65

# ------------------------------------------------------------------ metrics --

# A reader of the text format that is not ours.
cat >"$LAB/prometheus.py" <<'PYTHON'
import re, sys
seen, now, families = {}, None, {}
label = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
sample = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(%s(?:,%s)*)?\})? ([-+0-9.eE]+|NaN|[-+]Inf)$' % (label, label))
for line in open(sys.argv[1], encoding="utf-8").read().splitlines():
    if line.startswith("# "):
        what, name, _ = line[2:].split(" ", 2)
        assert (what, name) not in seen, "twice: " + line
        seen[what, name] = True
        if now != name:
            assert name not in families, "not in one piece: " + name
            families[name] = []
        now = name
        continue
    match = sample.match(line)
    assert match, "no sample: " + line
    name = match.group(1)
    assert now and name.startswith(now) and name[len(now):] in ("", "_bucket", "_sum", "_count"), line
    assert line.rsplit(" ", 1)[0] not in families[now], "sample twice: " + line
    families[now].append(line.rsplit(" ", 1)[0])
for name in families:
    assert ("HELP", name) in seen and ("TYPE", name) in seen, name
print("fine")
PYTHON
metrics() {
    lab_provostctl metrics >"$LAB/out" 2>"$LAB/err"
    status=$?
}
lab_sql "INSERT INTO event (at, kind, who) VALUES (UTC_TIMESTAMP(), 'a\"b\\\\c', 'test');
    INSERT INTO quota2 (username, bytes) VALUES ('ada@example.org', 4096)"
metrics
is "metrics are printed" "$status $(cat "$LAB/err")" "0 "
is "as Prometheus reads them" "$("$LAB_PYTHON" "$LAB/prometheus.py" "$LAB/out" 2>&1)" fine
says "the daemon runs" '^provost_up\{daemon="authd"\} 1$'
says "with its own metrics" '^provost_auth_requests_total\{result="ok"\} [1-9]'
says "a histogram stays whole" '^provost_auth_duration_seconds_bucket\{le="\+Inf"\} [1-9]'
says "the store answers" '^provost_store_up 1$'
says "domains" '^provost_domains 2$'
says "mailboxes by state and source" '^provost_mailboxes\{source="ldap",state="active"\} 1$'
says "what is allotted" '^provost_domain_quota_allotted_bytes\{domain="example.org"\} 5368709120$'
says "its limit" '^provost_domain_quota_bytes\{domain="example.org"\} 107374182400$'
says "and used" '^provost_domain_used_bytes\{domain="example.org"\} 4096$'
says "mailboxes of a domain" '^provost_domain_mailboxes\{domain="other.example"\} 0$'
says "events by kind" '^provost_events\{kind="recount"\} 2$'
says "whose names are escaped" '^provost_events\{kind="a\\"b\\\\c"\} 1$'

# ----------------------------------------------------------------- cluster --

lab_mariadb_stop
galera=$(find /usr/lib -name libgalera_smm.so | head -1)
# A cluster of one: it has its own say in what may be written all the same.
# shellcheck disable=SC2046
lab_start mariadb mariadbd --no-defaults $(lab_mariadb_user) \
    --datadir="$LAB/mariadb" --socket="$LAB/run/mariadb.sock" \
    --pid-file="$LAB/run/mariadb.pid" --bind-address=127.0.0.1 \
    --port="$(lab_port)" --skip-name-resolve --innodb-log-file-size=16M \
    --innodb-buffer-pool-size=64M --innodb-use-native-aio=OFF \
    --performance-schema=OFF --binlog-format=ROW --innodb-autoinc-lock-mode=1 \
    --wsrep-on=ON --wsrep-provider="$galera" --wsrep-cluster-address=gcomm:// \
    --wsrep-node-address=127.0.0.1 --wsrep-sst-method=rsync \
    --wsrep-provider-options="gmcast.listen_addr=tcp://127.0.0.1:$(lab_port);gcache.size=8M;gcache.page_size=8M"
wait_for 30 lab_sql "SELECT name FROM domain" || lab_die "a cluster of one answers within 30 s"
finds "a cluster's node that may give the same number twice" 'Galera +innodb_autoinc_lock_mode is 1'
says "its size and what it waits for" '^ok +Galera +a cluster of 1; .*wsrep_sync_wait is 0'
lab_sql "SET GLOBAL wsrep_auto_increment_control = OFF; UPDATE domain SET mailboxes_used = 9"
warns "numbers that nodes do not agree on" 'Galera +wsrep_auto_increment_control is OFF'
doctor --fix counters --yes
is "counters are mended there, too" "$(counters example.org)" "1 5 0"

# ------------------------------------------------------------- what is down --

lab_slapd_stop
finds "a directory that is down" 'connection +127.0.0.1: '
lab_authd_stop
doctor
says "a daemon that is down" '^error +provost-authd +provost-authd does not run here'
says "with the command" 'to do: +systemctl start provost-authd'
says "and its sockets" '^error +socket .*(nobody listens|there is no such socket)'
lab_provostctl cache flush --all >"$LAB/out" 2>&1
is "nothing is to be forgotten then" "$? $(head -1 "$LAB/out")" "0 provost-authd: does not run here, and remembers nothing"
metrics
is "a daemon that is down is a metric, and no fault" "$status $(cat "$LAB/err")" "0 "
says "of 0" '^provost_up\{daemon="authd"\} 0$'
lab_mariadb_stop
metrics
is "so is the store" "$status" 0
says "of 0, too" '^provost_store_up 0$'
is "and what is printed stays readable" "$("$LAB_PYTHON" "$LAB/prometheus.py" "$LAB/out" 2>&1)" fine
finds "a database that is down" 'database +'
says "what lies in it is not looked at" '^- +counters +not looked at: the database could not be used'
lab_done
