#!/bin/sh
# sasl_programs.sh - libsasl2's own programs, and one that knows nothing of us
# SPDX-License-Identifier: BSD-2-Clause
#
# A box (see box.sh) on which README and conf/sasl/sasl.txt are typed as they
# stand. The other program has a sasldb, and slapd uses libsasl2 as well: both
# are looked at before libprovost.so is on the host, and after.
set -u
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${BOX:-}" ]; then
    PROVOST_TREE=${PROVOST_TREE:-$(cd "$here/../../.." && pwd)}
    export PROVOST_TREE
    exec sh "$here/../../lib/box.sh" "$here/${0##*/}" "$@"
fi
# shellcheck source=tests/lib/lab.sh
. "$here/../../lib/lab.sh"
# shellcheck source=tests/lib/host.sh
. "$here/../../lib/host.sh"
# shellcheck disable=SC2034 # lab_slapd's
LAB_SERVICE_PASSWORD=PASSWORD
lab_begin sasl_programs
host_protocol_people >"$LAB/people.ldif"
# shellcheck disable=SC2034 # lab_slapd's
LAB_SLAPD_LDIF=$LAB/people.ldif
host_bare
host_tree

# ------------------------------------------------------------ somebody else --

mkdir -p "$LAB/other"
printf '%s\n' 'pwcheck_method: auxprop' 'auxprop_plugin: sasldb' "sasldb_path: $LAB/other/sasldb" \
    'mech_list: PLAIN LOGIN DIGEST-MD5 CRAM-MD5' >"$LAB/other/sample.conf"
echo other-secret | saslpasswd2 -p -c -f "$LAB/other/sasldb" -u mail.example.org olaf
cp "$LAB/other/sample.conf" "$LAB/other/pluginviewer.conf"

# server DIRECTORY PASSWORD USER: PLAIN to sasl-sample-server with the
# configuration in DIRECTORY ("": the host's own).
server() {
    printf 'C: %s\n' "$(printf 'PLAIN\0\0%s\0%s' "$3" "$2" | base64 -w0)" |
        env ${1:+SASL_CONF_PATH="$1"} timeout 20 sasl-sample-server -s smtp -m PLAIN \
            -i 'local=127.0.0.1;25,remote=192.0.2.9;4711' 2>&1
}
# other: all that can be seen of programs that have nothing to do with Provost.
other() {
    echo "with a mech_list: $(SASL_CONF_PATH=$LAB/other saslpluginviewer -s 2>&1 |
        sed -n '/^List of server plugins/,$p' | grep -E 'Plugin|mechanism' | sort)"
    echo "without a configuration: $(SASL_CONF_PATH=$LAB/nowhere saslpluginviewer -s 2>&1 |
        grep -E 'SASL mechanism' | sort)"
    echo "right: $(server "$LAB/other" other-secret olaf | grep -v '^Sending\|^Generating\|^Waiting')"
    echo "wrong: $(server "$LAB/other" wrong olaf | grep -v '^Sending\|^Generating\|^Waiting')"
    ldapsearch -x -LLL -H "$(lab_slapd_uri main)" -b '' -s base supportedSASLMechanisms | sort
}
before=$(other)
like "another program lets in by its sasldb" "$before" '^Negotiation complete'
like "and says when a password is wrong" "$before" '^wrong: .*verification failed'
like "slapd has mechanisms of libsasl2" "$before" 'supportedSASLMechanisms: DIGEST-MD5'
host_install
lab_slapd_stop main
lab_slapd_start main
check "the plugin is on the host" test -f "$(lab_sasl_dir)/libprovost.so"
is "and other programs are as they were before" "$(other)" "$before"

# --------------------------------------------------------------- the page --

for number in 1 2 3; do type_page conf/sasl/sasl.txt $number; done
like "saslpluginviewer finds the plugin used" "$(cat "$LAB/out")" 'Plugin "provost"'
type_page conf/sasl/sasl.txt 4
like "testsaslauthd is let in" "$(cat "$LAB/out")" '^0: OK "Success'
like "sasl-sample-server lets in" "$(cat "$LAB/out")" '[Ss]uccessful|Negotiation complete'
is "the first login made the mailbox" "$(mariadb -N provost -e 'SELECT address FROM mailbox')" ada@example.org
like "the plugin told authd the client's address" "$(server '' ada-secret ada; tail -n 1 /var/log/provost-authd.log)" \
    'login ok: .*user=ada mailbox=ada@example.org service=smtp client=192\.0\.2\.9'
like "a wrong password is one" "$(server '' wrong ada)" 'authentication failure'
like "so it is for testsaslauthd" "$(testsaslauthd -f /run/provost/sasl -s smtp -u ada@example.org -p wrong 2>&1)" '^0: NO "'
like "testsaslauthd with a realm is one person" "$(testsaslauthd -f /run/provost/sasl -s imap -u bob -r example.org -p bob-secret 2>&1)" '^0: OK '
is "with one mailbox" "$(mariadb -N provost -e "SELECT COUNT(*) FROM mailbox WHERE address = 'bob@example.org'")" 1
like "a service nobody knows is refused" "$(testsaslauthd -f /run/provost/sasl -s ftp -u bob@example.org -p bob-secret 2>&1)" '^0: NO "'
is "a user who is not in allowed gets no answer" \
    "$(setpriv --reuid nobody --regid nogroup --clear-groups testsaslauthd -f /run/provost/sasl -s smtp -u ada@example.org -p ada-secret >/dev/null 2>&1 && echo let in)" ""
# The client program's half, typed by a person.
client=$(printf 'S: %s\nada-secret\n' "$(printf PLAIN | base64)" |
    timeout 10 sasl-sample-client -s smtp -n mail.example.org -u ada@example.org -a ada@example.org -m PLAIN 2>/dev/null |
    grep -a '^C: ' | head -n 1)
like "sasl-sample-client's message lets in" "$(printf '%s\n' "$client" | timeout 20 sasl-sample-server -s smtp -m PLAIN 2>&1)" \
    '[Ss]uccessful|Negotiation complete'

systemctl stop provost-authd
like "authd is down: the program is told that nobody can tell" "$(server '' ada-secret ada)" 'unavailable|generic failure'
like "so is testsaslauthd" "$(testsaslauthd -f /run/provost/sasl -s smtp -u ada@example.org -p ada-secret 2>&1)" '(connect|0: NO "|read|size)'
systemctl restart provost-authd
lab_slapd_stop main
like "slapd is down: likewise" "$(server '' ada-secret ada)" 'unavailable|generic failure'
unlike "and testsaslauthd is told neither OK nor NO" "$(testsaslauthd -f /run/provost/sasl -s smtp -u ada@example.org -p ada-secret 2>&1)" '(OK|NO) "'
lab_slapd_start main
is "other programs are as they were before still" "$(other)" "$before"

cp /var/log/provost-*.log "$LAB/log/" 2>/dev/null
systemctl stop provost-authd provost-policyd
lab_done
