#!/bin/sh
# authd.sh - the doors of provost-authd, its reload, its end, its control socket
# SPDX-License-Identifier: BSD-2-Clause
#
# The login behind the doors is a stand-in that answers as the password says,
# so that nothing but the doors is looked at; login.sh has the real one.
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin authd

program=$PROVOST_BUILD/tests/integration/authd_fake
mux=$LAB/run/mux
export PROVOST_FAKE_STORE="$LAB/store"

peers() {
    "$LAB_PYTHON" "$lab_tree/tests/integration/authd_peers.py" "$mux" "$@"
}

# ask WORD...: one request to the control socket, as any tool could send it.
ask() {
    printf '%s\n' "$*" | "$LAB_PYTHON" -c '
import socket, sys
sock = socket.socket(socket.AF_UNIX)
sock.settimeout(10)
sock.connect(sys.argv[1])
sock.sendall(sys.stdin.buffer.read())
while True:
    part = sock.recv(65536)
    if not part:
        break
    sys.stdout.write(part.decode())
' "$LAB/run/control"
}

sockets='' # set: instead of the usual two
# write_config AUTH-SETTINGS
write_config() {
    doors="{ path = \"$mux\"; mode = \"0660\"; canonical_only = false; },
              { path = \"$LAB/spool/private/provost\"; mode = \"0666\"; canonical_only = true; }"
    cat >"$LAB/provost.conf" <<CONF
store = { socket = "$LAB/run/mariadb.sock"; user = "provost"; database = "provost"; };
directories = ( { name = "corp"; host = "ldapi://$LAB/run/ldapi";
  base_dn = "dc=example,dc=org"; username_field = "mail"; default_template = "default"; } );
templates = ( { name = "default"; quota = "1G"; } );
log_level = "debug";
auth = {
  sockets = ( ${sockets:-$doors} );
  control_path = "$LAB/run/control";
  client_timeout = "2s";
  $1
};
CONF
}

start() {
    : >"$LAB/log/authd.log"
    lab_start authd "$program" -c "$LAB/provost.conf"
    wait_for 10 grep -q 'serving:' "$LAB/log/authd.log" || lab_die "authd starts"
}

log_of() {
    sleep 0.2
    cat "$LAB/log/authd.log"
}

# decisions: how many lines there are of the four sentences.
decisions() {
    sleep 0.2
    grep -cE '^(warning: )?(login ok|wrong password|refused|temporary):' "$LAB/log/authd.log"
}

# Waits until so many logins are in workers.
in_flight() {
    ask status | grep -qx "in_flight $1"
}

# ------------------------------------------------------------ command line --

write_config ''
is "-t says ok to good settings" "$("$program" -t -c "$LAB/provost.conf")" ok
echo 'nonsense = 1;' >"$LAB/bad.conf"
like "-t names the faults of bad ones" "$("$program" -t -c "$LAB/bad.conf" 2>&1)" 'bad.conf:1: .*nonsense'
"$program" -t -c "$LAB/bad.conf" >"$LAB/out" 2>&1
is "-t ends with 78 for bad settings" $? 78
"$program" -x >"$LAB/out" 2>&1
is "an unknown option ends with 64" $? 64
"$program" -c "$LAB/provost.conf" surplus >"$LAB/out" 2>&1
is "a surplus argument ends with 64" $? 64
like "-v tells the version" "$("$program" -v)" '^provost-authd [0-9]'
echo schema >"$LAB/store"
"$program" -c "$LAB/provost.conf" >"$LAB/out" 2>&1
is "a schema that does not fit ends with 78" $? 78
like "and says what to do" "$(cat "$LAB/out")" 'cannot start: .*db migrate'
is "and leaves no socket behind" "$(ls "$LAB/run")" ''
rm "$LAB/store"

# ------------------------------------------------------------------- frames --

start
is "sockets have their modes" "$(stat -c %a "$mux" "$LAB/spool/private/provost" "$LAB/run/control" | tr '\n' ' ')" '660 666 660 '
is "missing directories are made" "$(stat -c %a "$LAB/spool/private")" 755
is "four fields in one send are answered" "$(peers one_send)" 'OK ada@example.org'
is "four fields in four writes are answered" "$(peers four_writes)" 'OK ada@example.org'
is "five fields are answered" "$(peers five)" 'OK ada@example.org'
is "a fifth field that has begun is waited for" "$(peers late_fifth)" 'NO wrong_password'
like "and its address is in the log" "$(log_of)" 'wrong password: .* client=192\.0\.2\.8 '
is "a request byte by byte is answered" "$(peers byte_by_byte)" 'OK ada@example.org'
is "a wrong password is NO" "$(peers login ada@example.org wrong)" 'NO wrong_password'
is "a closed gate is NO" "$(peers login ada@example.org gate)" 'NO service_not_allowed'
is "an outage is two zero bytes" "$(peers login ada@example.org outage)" TEMPORARY
is "a door keeps the typed name if it is told to" "$(mux=$LAB/spool/private/provost peers login x canonical)" 'OK yes'
is "and another one does not" "$(peers login x canonical)" 'OK no'
is "Debian's testsaslauthd is understood" \
    "$(testsaslauthd -f "$mux" -u ada@example.org -p right -s smtp 2>&1)" '0: OK "Success."'

like "a silent client is closed by client_timeout" "$(peers silent)" 'TEMPORARY after [2-9] s'
like "so is one that stops in the middle" "$(peers partial)" 'TEMPORARY after [2-9] s'
like "and one that stops in its fifth field" "$(peers started_fifth)" 'TEMPORARY after [2-9] s'
is "the longest user is taken" "$(peers oversized user 1024)" 'OK no'
is "a longer one is refused" "$(peers oversized user 1025)" 'NO protocol'
is "the longest password is taken" "$(peers oversized password 8192)" 'OK ada@example.org'
is "a longer one is refused, too" "$(peers oversized password 8193)" 'NO protocol'
is "64 KiB are refused" "$(peers oversized password 65535)" 'NO protocol'
is "NUL is refused" "$(peers nul)" 'NO protocol'
is "another protocol is refused" "$(peers garbage)" 'NO protocol'
is "a byte behind the fifth field is refused" "$(peers trailing)" 'NO protocol'

# ---------------------------------------------------------------- log lines --

before=$(decisions)
peers login 'a"b c=d
x' wrong '192.0.2.9;99' >"$LAB/out"
is "one decision is one line" "$(($(decisions) - before))" 1
like "with its keys in order and what was typed escaped" "$(tail -n 1 "$LAB/log/authd.log")" \
    '^wrong password: id=[0-9a-f]{8} user="a\\"b c=d\\nx" service=smtp client=192\.0\.2\.9 directory=corp how=bind reason=wrong_password text="as the test wants it" took_ms=[0-9]+$'
peers login ada@example.org right >"$LAB/out"
like "a success says whose mailbox it is" "$(log_of | tail -n 1)" \
    '^login ok: id=[0-9a-f]+ user=ada@example.org mailbox=ada@example.org service=smtp directory=corp how=bind took_ms='
peers login ada@example.org outage >"$LAB/out"
like "an outage is a warning" "$(log_of | tail -n 1)" '^warning: temporary: .* reason=directory_unavailable '
peers nul >"$LAB/out"
like "what is no request is refused, not wrong" "$(log_of | tail -n 1)" '^refused: id=[0-9a-f]+ reason=protocol text="NUL byte in the password"'

# ----------------------------------------------------------- control socket --

status=$(ask status)
like "status tells version and counters" "$status" '^requests_total wrong [1-9]'
like "status tells hosts" "$status" '^host corp ldap2 down retry_in_ms=1500 error="it said \\"no\\""$'
like "status tells the store" "$status" '^store up$'
metrics=$(ask metrics)
like "metrics are Prometheus text" "$metrics" '^provost_auth_requests_total\{result="temporary"\} [1-9]'
like "with hosts" "$metrics" '^provost_ldap_up\{directory="corp",host="ldap2"\} 0$'
like "with a histogram" "$metrics" '^provost_auth_duration_seconds_bucket\{le="\+Inf"\} [1-9]'
is "every line of them is one" \
    "$(printf '%s\n' "$metrics" | tail -n +2 | grep -vcE '^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[^}]*\})? -?[0-9.]+)$')" 0
is "flush USER goes to the login" "$(ask flush ada@example.org | tail -n 1)" 'flushed 1'
is "flush all, too" "$(ask flush all | tail -n 1)" 'flushed 7'
like "an unknown word is an error" "$(ask reboot)" '^error 15$'
like "throttle list is empty" "$(ask throttle list)" '^ok 0$'
ask status >"$LAB/out"
is "the reply's length is right" "$(tail -n +2 "$LAB/out" | wc -c)" "$(head -n 1 "$LAB/out" | cut -d' ' -f2)"

# ------------------------------------------------------------------- crowds --

is "2000 idle connections leave it serving" "$(peers idle 2000)" 'OK ada@example.org fast all open'
is "more than max_connections cost only the oldest idle ones" \
    "$(peers idle 2600 | sed 's/ [0-9]* open/ some open/')" 'OK ada@example.org fast some open'
is "100 attackers do not keep others out" "$(peers flood 100 3)" 'OK ada@example.org fast'
# ------------------------------------------------------------------- reload --

echo 'nonsense = 1;' >>"$LAB/provost.conf"
lab_signal authd HUP
wait_for 5 grep -q 'bad settings, keeping' "$LAB/log/authd.log"
like "a bad file keeps the old settings and says why" "$(log_of)" 'error: bad settings, keeping the old ones: fault=.*nonsense'
is "logins go on" "$(peers one_send)" 'OK ada@example.org'
like "reload on the control socket tells the faults" "$(ask reload)" 'nonsense'
write_config 'workers = 3;'
like "and success" "$(ask reload)" '^ok 0$'
like "what needs a restart is said" "$(log_of)" 'workers, queue_max and max_connections stay'
sockets="{ path = \"$mux\"; mode = \"0660\"; canonical_only = true; }" write_config ''
lab_signal authd HUP
wait_for 5 test "$(peers login x canonical)" = 'OK yes'
is "a reload changes canonical_only" "$(peers login x canonical)" 'OK yes'
write_config ''
(for _ in 1 2 3 4 5 6 7 8 9 10; do lab_signal authd HUP; sleep 0.1; done) &
is "no login is lost in reloads" "$(peers crowd 300 right | cut -d' ' -f1)" 'OK=300'
wait $!
peers crowd 8 slow >"$LAB/out" &
wait_for 10 in_flight 8
lab_signal authd HUP
wait $!
is "a login outlives the settings it began with" "$(cut -d' ' -f1 "$LAB/out")" 'OK=8'

# -------------------------------------------------------- store up and down --

echo down >"$LAB/store"
wait_for 20 grep -q 'store does not answer' "$LAB/log/authd.log" || lab_signal authd HUP
wait_for 20 grep -q 'store does not answer' "$LAB/log/authd.log"
like "a store that goes is an error in the log" "$(log_of)" 'error: store does not answer, logins are temporary failures: error="nobody listens"'
like "and in the status" "$(ask status)" '^store down error="nobody listens"$'
like "and in the metrics" "$(ask metrics)" '^provost_auth_store_up 0$'
rm "$LAB/store"
returned() {
    sed -n '/does not answer/,$p' "$LAB/log/authd.log" | grep 'store answers'
}
wait_for 15 returned
is "one that comes back is told once" "$(returned | wc -l)" 1

# ---------------------------------------------------------------------- end --

is "two daemons never share a socket" \
    "$("$program" -c "$LAB/provost.conf" 2>&1 | grep -c 'cannot start: error=.*another process listens')" 1
peers crowd 8 slow >"$LAB/out" &
wait_for 10 in_flight 8
lab_signal authd TERM
wait $!
is "TERM lets what has begun end" "$(cut -d' ' -f1 "$LAB/out")" 'OK=8'
wait "$(lab_pid authd)"
is "and ends with 0" $? 0
like "and says so" "$(log_of)" '^stopped$'
is "and removes its sockets" "$(find "$LAB/run" "$LAB/spool/private" -name '*mux*' -o -name '*control*' -o -name '*provost')" ""

start
lab_signal authd KILL
wait "$(lab_pid authd)" 2>/dev/null
start
is "sockets of one that was killed are replaced" "$(peers one_send)" 'OK ada@example.org'
lab_stop authd

write_config 'workers = 2; queue_max = 4; queue_age = "500ms";'
start
is "who waits too long, or finds no place, is told at once" \
    "$(peers crowd 12 slow | sed 's/ in .*//')" 'OK=2 TEMPORARY=10'
like "with a line each" "$(log_of)" 'temporary: id=[0-9a-f]+ user=ada@example.org service=smtp reason=queue_age'
like "whatever the reason" "$(log_of)" 'temporary: .* reason=queue_full '
lab_stop authd

# A full table of descriptors: the reserve one takes those who come, and goes.
write_config ''
: >"$LAB/log/authd.log"
lab_start authd sh -c 'ulimit -n 64 && exec "$@"' sh "$program" -c "$LAB/provost.conf"
wait_for 10 grep -q 'serving:' "$LAB/log/authd.log" || lab_die "authd starts with 64 descriptors"
is "64 descriptors leave it serving" "$(peers idle 200 | cut -d' ' -f1-3)" 'OK ada@example.org fast'
is "also while all of them hold requests" "$(peers crowd 120 slow | sed 's/=[0-9]*//g; s/ in .*//')" 'OK TEMPORARY'
like "with a line that says so" "$(log_of)" 'no file descriptor left, turning away: reason=no_descriptor'
is "and is well again afterwards" "$(peers one_send)" 'OK ada@example.org'
lab_stop authd

# ----------------------------------------------------------------- systemd --

# Hands sockets and notification to the daemon as systemd would.
cat >"$LAB/systemd.py" <<'PYTHON'
import os, socket, sys
lab, program = sys.argv[1:3]
listener = socket.socket(socket.AF_UNIX)
listener.bind(lab + "/run/mux")
listener.listen(16)
other = socket.socket(socket.AF_UNIX)
other.bind(lab + "/run/other")
other.listen(16)
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(lab + "/run/notify")
notify.settimeout(20)
pid = os.fork()
if pid == 0:
    os.dup2(listener.fileno(), 13)
    os.dup2(other.fileno(), 14)
    os.dup2(13, 3)
    os.dup2(14, 4)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2",
                      NOTIFY_SOCKET=lab + "/run/notify", WATCHDOG_USEC="400000")
    os.execv(program, [program, "-c", lab + "/provost.conf"])
with open(lab + "/pid/authd", "w") as file:
    file.write(str(pid))
listener.close()
other.close()
with open(lab + "/notified", "w", buffering=1) as file:
    while True:
        try:
            message = notify.recv(4096).decode()
        except socket.timeout:
            break
        file.write(message.replace("\n", " ") + "\n")
        if message.startswith("STOPPING"):
            break
os.waitpid(pid, 0)
PYTHON
write_config ''
"$LAB_PYTHON" "$LAB/systemd.py" "$LAB" "$program" >>"$LAB/log/authd.log" 2>&1 &
systemd=$!
wait_for 10 grep -q READY "$LAB/notified"
is "an inherited socket is served" "$(peers one_send)" 'OK ada@example.org'
like "one that no setting names is closed and told" "$(log_of)" 'closing inherited sockets that no setting names: socket=.*/run/other count=1'
lab_signal authd HUP
wait_for 5 grep -q RELOADING "$LAB/notified"
wait_for 5 grep -q WATCHDOG "$LAB/notified"
lab_signal authd TERM
wait "$systemd"
rm -f "$LAB/pid/authd"
is "systemd hears of it all" "$(cut -d' ' -f1 "$LAB/notified" | uniq | sort -u | tr '\n' ' ')" \
    'READY=1 RELOADING=1 STOPPING=1 WATCHDOG=1 '
is "systemd's socket file stays" "$(test -S "$mux" && echo yes)" yes
rm -f "$mux" "$LAB/run/other"

# ------------------------------------------------------------------- peers --

if [ "$(id -u)" -eq 0 ]; then
    sockets="{ path = \"$mux\"; mode = \"0666\"; allowed = [ \"daemon\" ]; }" write_config ''
    start
    as() {
        "$LAB_PYTHON" -c 'import os, pwd, sys
os.setuid(pwd.getpwnam(sys.argv[1]).pw_uid)
os.execv(sys.argv[2], sys.argv[2:])' "$1" "$LAB_PYTHON" "$LAB/peers.py" "$mux" login ada right
    }
    cp "$lab_tree/tests/integration/authd_peers.py" "$LAB/peers.py"
    is "an allowed user is served" "$(as daemon)" 'OK ada'
    is "another one is closed unread" "$(as nobody)" CLOSED
    like "with a line that names the uid" "$(log_of)" "closing a connection of a user who is not allowed: reason=peer_refused socket=.*mux uid=$(id -u nobody) pid="
    lab_stop authd
fi

lab_done
