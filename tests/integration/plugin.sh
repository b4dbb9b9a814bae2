#!/bin/sh
# plugin.sh - libprovost.so in a program, against a peer that may misbehave
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2154 # lab_tree is lab.sh's
set -u
# shellcheck source=tests/lib/lab.sh
. "$(dirname "$0")/../lib/lab.sh"
lab_begin plugin
cd "$LAB" || exit 1

here=$PROVOST_BUILD/tests/integration
library=$PROVOST_BUILD/saslplugin/.libs/libprovost.so
stock=$(lab_sasl_dir)
slow=${PROVOST_SLOW:-1}
mkdir ours foreign
cp "$library" ours/ || lab_die "the plugin has been built"
# For programs that are not ours: a sanitizer has to be in from the start.
cp "${PROVOST_PLUGIN:-$library}" foreign/libprovost.so

# peer NAME [OPTION]: starts a peer on the socket NAME.
peer() {
    peer_name=$1
    shift
    lab_start "$peer_name" "$here/sasl_peer" "$@" "$LAB/$peer_name"
    wait_for 5 grep -q ready "$LAB/log/$peer_name.log" || lab_die "the peer $peer_name starts"
}

# host [OPTION...] MECHANISM: the program, with our plugin turned on.
host() {
    bare_host -p "$LAB/ours:$stock" -o "provost_path=$LAB/mux" \
        -o provost_timeout=1 -o auxprop_plugin=none "$@"
}

# The same with nothing but the options given. A sanitizer's complaint comes
# after the result, as the exit status.
bare_host() {
    "$here/sasl_host" "$@" || echo "result died of $?"
}

# message TEXT: with printf's escapes, as a line of base64.
message() {
    # shellcheck disable=SC2059
    printf "$1" | base64 -w0
    echo
}

plain() {
    message "${3:-}\\0$1\\0$2"
}

login() {
    echo -
    message "$1"
    message "$2"
}

# field NAME: the value of that line of the program's output.
field() {
    sed -n "s/^$1 //p"
}

code() {
    field result | cut -d' ' -f1
}

requests() {
    grep -c '^request' "$LAB/log/mux.log"
}

last_request() {
    grep '^request' "$LAB/log/mux.log" | tail -n 1
}

OK=0 BADPROT=-5 BADAUTH=-13 UNAVAIL=-24 FAIL=-1

# ------------------------------------------------------------ the library --

is "libprovost.so exports what libsasl2 looks for, and nothing else" \
    "$(nm -D --defined-only "$library" | sed 's/^[^ ]* //')" "$(printf 'T sasl_auxprop_plug_init\nT sasl_server_plug_init')"
is "libprovost.so needs the C library alone" \
    "$(objdump -p "$library" | sed -n 's/^ *NEEDED *//p' | grep -vE '^lib(a|ub)san\.')" "libc.so.6"

# ------------------------------------------------------- what it is asked --

peer mux
out=$(plain Ada@Example.ORG good | host PLAIN)
is "a right password by PLAIN is OK" "$(echo "$out" | code)" $OK
is "the user is the canonical address" "$(echo "$out" | field user)" ada@example.org
is "and so is the authentication identity" "$(echo "$out" | field authid)" ada@example.org
unlike "a login that succeeds logs nothing" "$out" '^log '
is "user, service, realm and client arrive, in one send" "$(last_request)" \
    "request user=Ada@Example.ORG service=smtp realm= client=192.0.2.7;4711 reads=1"
plain ada good | host -R example.org -s imap -r '2001:db8::7;4711' PLAIN >/dev/null
is "a bare user goes with the program's realm" "$(last_request)" \
    "request user=ada service=imap realm=example.org client=2001:db8::7;4711 reads=1"
plain ada@example.net good | host -R example.org PLAIN >/dev/null
like "a user with a domain goes without" "$(last_request)" 'user=ada@example.net service=smtp realm= '
plain ada good | host -r "$(printf '%0130d' 0)" PLAIN >/dev/null
like "a client address over its bound is left out" "$(last_request)" 'client= '

out=$(login ada good | host LOGIN)
is "LOGIN asks for user and password" "$(echo "$out" | field prompt | tr '\n' ' ')" "Username: Password: "
is "and lets in" "$(echo "$out" | code)" $OK
is "under the canonical address" "$(echo "$out" | field user)" ada@example.org
out=$(login ada good | tail -n 2 | host LOGIN)
is "LOGIN takes an initial response as the user" "$(echo "$out" | field prompt)" "Password:"
is "and lets in as well" "$(echo "$out" | code)" $OK
is "PLAIN without an initial response asks first" \
    "$({ echo - && plain ada good; } | host PLAIN | code)" $OK

# -------------------------------------------------------------- refusals --

for mechanism in PLAIN LOGIN; do
    case $mechanism in
    PLAIN) out=$(plain ada@example.org bad | host PLAIN) ;;
    LOGIN) out=$(login ada@example.org bad | host LOGIN) ;;
    esac
    is "a wrong password by $mechanism is refused" "$(echo "$out" | code)" $BADAUTH
    unlike "and is no error in the log ($mechanism)" "$out" '^log [123] '
    is "and the program can say who it was ($mechanism)" "$(echo "$out" | field user)" ada@example.org
done

is "an authorization name as typed is granted" "$(plain Ada good Ada | host PLAIN | code)" $OK
is "the canonical one too" "$(plain Ada good ada@example.org | host PLAIN | code)" $OK
out=$(plain ada good bob@example.org | host PLAIN)
is "another one is refused with the right password" "$(echo "$out" | code)" $BADAUTH
like "and says so in the log" "$out" '^log 2 provost: ada@example.org asked to act as somebody else$'
is "another one is refused with a wrong password" "$(plain ada bad bob@example.org | host PLAIN | code)" $BADAUTH
is "one that differs in case alone is refused" "$(plain ada good ADA | host PLAIN | code)" $BADAUTH
is "one that only begins like the user is refused" "$(plain ada good ad | host PLAIN | code)" $BADAUTH
is "one that only begins with the user is refused" "$(plain ada good adam | host PLAIN | code)" $BADAUTH
is "one that only begins with the address is refused" \
    "$(plain ada good ada@example.organic | host PLAIN | code)" $BADAUTH

# What is malformed: mechanism, code, what it is, message(s).
long_user=$(printf '%01025d' 0 | tr 0 x)
long_password=$(printf '%08193d' 0 | tr 0 x)
before=$(requests)
malformed() {
    malformed_code=$1 malformed_what=$2 malformed_mechanism=$3
    shift 3
    is "$malformed_what" "$(printf '%s\n' "$@" | host "$malformed_mechanism" | code)" "$malformed_code"
}
malformed $BADPROT "PLAIN: an empty message is malformed" PLAIN ""
malformed $BADPROT "PLAIN: no NUL at all" PLAIN "$(message ada)"
malformed $BADPROT "PLAIN: NUL in the password" PLAIN "$(plain ada 'p\0w')"
malformed $BADPROT "PLAIN: NUL behind the password" PLAIN "$(plain ada 'pw\0')"
malformed $BADPROT "PLAIN: a user over 1024 bytes" PLAIN "$(plain "$long_user" pw)"
malformed $BADPROT "PLAIN: an authorization name over 1024 bytes" PLAIN "$(plain ada pw "$long_user")"
malformed $BADPROT "PLAIN: a password over 8192 bytes" PLAIN "$(plain ada "$long_password")"
malformed $BADAUTH "PLAIN: an empty user is refused" PLAIN "$(plain '' pw)"
malformed $BADAUTH "PLAIN: an empty password is refused" PLAIN "$(plain ada '')"
malformed $BADAUTH "PLAIN: a user of blanks is refused" PLAIN "$(plain '  ' pw)"
malformed $BADPROT "LOGIN: NUL in the user is malformed" LOGIN - "$(message 'a\0b')" "$(message pw)"
malformed $BADPROT "LOGIN: NUL in an initial response" LOGIN "$(message 'a\0b')" "$(message pw)"
malformed $BADPROT "LOGIN: NUL in the password" LOGIN "$(message ada)" "$(message 'p\0w')"
malformed $BADPROT "LOGIN: a user over 1024 bytes" LOGIN "$(message "$long_user")"
malformed $BADPROT "LOGIN: a password over 8192 bytes" LOGIN "$(message ada)" "$(message "$long_password")"
malformed $BADAUTH "LOGIN: an empty user is refused" LOGIN - ""
malformed $BADAUTH "LOGIN: an empty password is refused" LOGIN "$(message ada)" ""
is "none of these reached the service" "$(requests)" "$before"
is "the longest password that fits does reach it" \
    "$(plain ada "${long_password#x}" | host PLAIN | code) $(requests)" "$BADAUTH $((before + 1))"

# ----------------------------------------------- no answer is no refusal --

# no_answer PASSWORD LOG-PATTERN SENTENCE
no_answer() {
    out=$(plain ada "$1" | host PLAIN)
    took=$(echo "$out" | field took_ms)
    is "no answer: $3" "$(echo "$out" | code)" $UNAVAIL
    like "and the log says why ($1)" "$out" "^log 1 provost: $2"
    [ "$took" -lt $((1000 + 500 * slow)) ] || not_ok "it ends within its deadline of 1 s ($1)" "$took ms"
}
is "a reply that comes byte by byte is read" "$(plain ada dribble | host PLAIN | code)" $OK
no_answer none "the service has no answer at present" "the service says 00 00"
no_answer count-one "the service has no answer at present" "the service says 00 01"
no_answer silent "deadline passed while waiting for the reply" "the service is silent"
no_answer drip "deadline passed while waiting for the reply" "the service sends a byte a second"
no_answer close "connection closed after 0 bytes" "the service hangs up"
no_answer one-byte "connection closed after 1 bytes" "the service hangs up after a byte"
no_answer partial "connection closed after 11 bytes" "the service hangs up inside the address"
no_answer partial-wait "deadline passed" "the service stops inside the address"
no_answer over-long "reply of 1024 bytes, more than 1023" "the reply is one byte too long"
no_answer huge "reply of 65535 bytes" "the reply is as long as can be said"
no_answer no-name "the service said OK without an address" "OK without a name"
no_answer no-address "the service said OK without an address" "OK with a name that is no address"
no_answer blank "the service said OK without an address" "OK with a blank in the name"
no_answer newline "control byte in the reply" "OK with a newline in the name"
no_answer word "reply is neither OK nor NO" "another word than OK and NO"
no_answer behind "bytes behind the reply" "OK and a byte more"
is "LOGIN has no answer either" "$(login ada none | host LOGIN | code)" $UNAVAIL

peer shut -x
elsewhere() {
    bare_host -p "$LAB/ours:$stock" -o "provost_path=$1" -o provost_timeout=1 \
        -o auxprop_plugin=none PLAIN
}
out=$(plain ada good | elsewhere "$LAB/shut")
is "no answer: the service hangs up before it reads" "$(echo "$out" | code)" $UNAVAIL
out=$(plain ada good | bare_host -p "$LAB/ours:$stock" -o "provost_path=$LAB/shut" -n 2000 PLAIN)
is "2000 such logins survive, whatever it hangs up on" "$(echo "$out" | field same)" 2000
peer deaf -d
out=$(plain ada good | elsewhere "$LAB/deaf")
is "no answer: the service accepts nobody" "$(echo "$out" | code)" $UNAVAIL
like "and the log says so" "$out" '^log 1 provost: deadline passed while connecting$'
lab_stop deaf
out=$(plain ada good | elsewhere "$LAB/deaf")
is "no answer: nobody listens" "$(echo "$out" | code)" $UNAVAIL
like "and the log names the socket" "$out" "^log 1 provost: connect to $LAB/deaf: Connection refused"
out=$(plain ada good | elsewhere "$LAB/none")
is "no answer: there is no socket" "$(echo "$out" | code)" $UNAVAIL
like "and the log says so, too" "$out" "connect to $LAB/none: No such file or directory"
long_path=$LAB/$(printf '%0108d' 0)
out=$(plain ada good | elsewhere "$long_path")
is "no answer: the path is too long" "$(echo "$out" | code)" $UNAVAIL
like "the start says so" "$out" '^syslog .*provost: provost_path is longer than 107 bytes: no login will succeed'
out=$(plain ada good | bare_host -p "$LAB/ours" -o "provost_path=$LAB/mux" -o provost_timeout=fast PLAIN)
is "a bad provost_timeout is replaced" "$(echo "$out" | code)" $OK
like "and the start says by what" "$out" '^syslog .*provost: provost_timeout is not a number .*: using 10'

# In a jail, and without rights, as smtpd is.
mkdir -p jail/var/run
lab_start jailed "$here/sasl_peer" "$LAB/jail/var/run/mux"
wait_for 5 grep -q ready log/jailed.log || lab_die "the peer in the jail starts"
jailed() {
    # There is no /proc in there for a search for leaks.
    ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 bare_host -p "$LAB/ours:$stock" -o provost_path=/var/run/mux -o auxprop_plugin=none \
        -c "$LAB/jail" PLAIN
}
is "it works in an empty chroot, as nobody" "$(plain ada good | jailed | code)" $OK
chmod 0600 jail/var/run/mux
out=$(plain ada good | jailed)
is "no answer: the socket is closed to the program's user" "$(echo "$out" | code)" $UNAVAIL
like "and the log says that" "$out" 'connect to /var/run/mux: Permission denied'
lab_stop jailed

# -------------------------------------------------------- foreign process --

out=$(plain ada close | host -n 50 PLAIN)
is "50 logins without an answer leak no descriptor" "$(echo "$out" | field leaked)" 0
out=$(plain ada good | host -n 300 -i PLAIN)
is "300 logins go well while signals arrive" "$(echo "$out" | field same) $(echo "$out" | code)" "300 $OK"
is "a slow reply is waited for through signals" "$(plain ada dribble | host -i PLAIN | code)" $OK
is "and a deadline holds through signals" "$(plain ada silent | host -i PLAIN | code)" $UNAVAIL

# -------------------------------------------- next to the stock modules --

pair="mech_list=PLAIN LOGIN"
for order in ours:$stock $stock:$LAB/ours; do
    case $order in ours:*) which="first" ;; *) which="last" ;; esac
    for mechanism in PLAIN LOGIN; do
        before=$(requests)
        case $mechanism in PLAIN) text=$(plain ada good) ;; LOGIN) text=$(login ada good) ;; esac
        out=$(echo "$text" | bare_host -p "$order" -o "provost_path=$LAB/mux" -o "$pair" \
            -o auxprop_plugin=none $mechanism)
        is "loaded $which, our $mechanism is the one used" \
            "$(echo "$out" | code) $(($(requests) - before))" "$OK 1"
    done
    is "loaded $which, EHLO lists each mechanism once" \
        "$(bare_host -p "$order" -o "provost_path=$LAB/mux" -o "$pair" -l | field mechanisms | tr ' ' '\n' | sort | tr '\n' ' ')" \
        "LOGIN PLAIN "
done
is "without the stock modules ours are enough" \
    "$(bare_host -p ours -o "provost_path=$LAB/mux" -l | field mechanisms | tr ' ' '\n' | sort | tr '\n' ' ')" \
    "LOGIN PLAIN "

# A program that does not turn the plugin on.
is "a program without provost_path is offered what it was" \
    "$(bare_host -p "ours:$stock" -l)" "$(bare_host -p "$stock" -l)"
is "and nothing where there is nothing else" "$(bare_host -p ours -l)" mechanisms
before=$(requests)
out=$(plain ada good | bare_host -p "ours:$stock" -o auxprop_plugin=none \
    -o pwcheck_method=saslauthd -o "saslauthd_path=$LAB/mux" PLAIN)
is "there the stock PLAIN serves" "$(echo "$out" | code) $(echo "$out" | field user) $(($(requests) - before))" "$OK ada 1"

is "noplaintext is honoured" "$(host -o "$pair" -P -l)" mechanisms
is "and so is a smallest strength" "$(host -o "$pair" -m 1 -l)" mechanisms
is "which a layer below can give" \
    "$(host -o "$pair" -m 1 -e 128 -l | field mechanisms | tr ' ' '\n' | sort | tr '\n' ' ')" "LOGIN PLAIN "
is "PLAIN is not begun either where it may not be" \
    "$(plain ada good | host -P PLAIN | code)" -16

# The stock modules against the same peer: the other door.
through_stock() {
    bare_host -p "$stock" -o pwcheck_method=saslauthd -o "saslauthd_path=$LAB/mux" \
        -o auxprop_plugin=none "$@"
}
for mechanism in PLAIN LOGIN; do
    case $mechanism in PLAIN) f=plain ;; LOGIN) f=login ;; esac
    is "the stock $mechanism: OK, NO and 00 00" \
        "$($f ada good | through_stock $mechanism | code) $($f ada bad | through_stock $mechanism | code) $($f ada none | through_stock $mechanism | code)" \
        "$OK $BADAUTH $FAIL"
done

# ------------------------------------------------- libsasl2's own programs --

mkdir conf
echo "provost_path: $LAB/mux" | tee conf/pluginviewer.conf >conf/sample.conf
echo "auxprop_plugin: none" >>conf/sample.conf
viewer=$(command -v saslpluginviewer || command -v pluginviewer)
out=$(SASL_CONF_PATH=$LAB/conf "$viewer" -s -p "$LAB/foreign:$stock" 2>&1)
like "saslpluginviewer reads the plugin" "$out" 'Plugin "provost" *\[loaded\]'
out=$(echo "$out" | grep -A3 'Plugin "provost"' | tr -s ' \t\n' ' ')
like "and its PLAIN" "$out" 'SASL mechanism: PLAIN, best SSF: 0.* security flags: NO_ANONYMOUS.PASS_CREDENTIALS'
out=$("$viewer" -s -p "$LAB/foreign:$stock" 2>&1)
unlike "and finds no mechanism of it where it is not turned on" "$out" '"provost"'

# sample_server MECHANISM: its answer to the messages of standard input.
sample_server() {
    SASL_CONF_PATH=$LAB/conf timeout 10 sasl-sample-server -s smtp -m "$1" -p "$LAB/foreign:$stock" \
        -i 'local=127.0.0.1;25,remote=192.0.2.9;4711' 2>&1
}
out=$(printf 'C: %s\n' "$(printf 'PLAIN\0\0ada\0good' | base64 -w0)" | sample_server PLAIN)
like "sasl-sample-server lets in through it" "$out" '[Ss]uccessful|Negotiation complete'
like "and passes the address on" "$(last_request)" 'client=192.0.2.9;4711 '
out=$(printf 'C: %s\n' "$(printf 'PLAIN\0\0ada\0bad' | base64 -w0)" | sample_server PLAIN)
like "and refuses through it" "$out" 'authentication failure'

# What sasl-sample-client makes of a name and a password.
client_line=$(printf 'S: %s\ngood\n' "$(printf PLAIN | base64)" |
    timeout 10 sasl-sample-client -s smtp -n mail.example.org -p "$stock" -u ada -a ada -m PLAIN 2>/dev/null |
    grep -a '^C: ' | head -n 1)
out=$(printf '%s\n' "$client_line" | sample_server PLAIN)
like "sasl-sample-client's message is understood" "$out" '[Ss]uccessful|Negotiation complete'

# ------------------------------------------------------------- no password --

canary=silent:$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
# A sanitizer keeps what libsasl2 has freed.
kept=0
! nm "$here/sasl_host" | grep -q __asan_init || kept='[01]'
find_canary() {
    printf %s "$canary" | "$here/memory_find" "$(lab_pid host)"
}
# begin_canary MECHANISM: the program, whose next messages come from fd 3.
begin_canary() {
    rm -f typed
    mkfifo typed
    "$here/sasl_host" -p "$LAB/ours:$stock" -o "provost_path=$LAB/mux" -o provost_timeout=3 \
        -o auxprop_plugin=none -o log_level=7 -w "$1" <typed >log/host.log 2>&1 &
    echo $! >pid/host
    exec 3>typed
}
log_out() {
    echo >&3
    wait_for 5 grep -q 'logged out' log/host.log || lab_die "the program logs out"
    like "after logout no copy is left in its memory ($1)" "$(find_canary)" "^$kept\$"
    exec 3>&-
    lab_stop host
    unlike "nor in what it logged ($1)" "$(cat log/host.log)" "$canary"
}
more_requests() {
    [ "$(requests)" -gt "$before" ]
}
# The long name moves the password away from where the next buffer overwrites it.
for mechanism in PLAIN LOGIN; do
    case $mechanism in
    PLAIN) text=$(plain "${long_user#x}" "$canary") ;;
    LOGIN) text=$(login "${long_user#x}" "$canary") ;;
    esac
    before=$(requests)
    begin_canary $mechanism
    printf '%s\n' "$text" >&3
    wait_for 5 more_requests || lab_die "the password is sent"
    is "while the service thinks, the one copy of a password is the program's own ($mechanism)" "$(find_canary)" 1
    wait_for 9 grep -q 'logged in' log/host.log || lab_die "the program has its answer"
    is "and after its answer ($mechanism)" "$(find_canary)" 1
    log_out $mechanism
done
# People type it where the name belongs. libsasl2 keeps names, so that only an
# exchange that ends before it hears of one can show what we keep.
begin_canary LOGIN
printf '%s\n' - "$(message "$(printf '%0900d' 0)$canary")" "" >&3
wait_for 5 grep -q 'logged in' log/host.log || lab_die "the program logs in"
log_out "a password typed as the user"

# ------------------------------------------------------------------- time --

out=$(plain ada@example.org good | host -b "$LAB/mux" -n 2000 PLAIN)
added=$(echo "$out" | field added_us)
echo "# one socket call takes $(echo "$out" | field bare_us) us, a whole session through the plugin $(echo "$out" | field session_us) us"
if [ "${added:-9999}" -le $((200 * slow)) ]; then
    ok "libsasl2 and the plugin add at most 0.2 ms to the socket call ($added us)"
else
    not_ok "libsasl2 and the plugin add at most 0.2 ms to the socket call" "$added us"
fi

lab_done
