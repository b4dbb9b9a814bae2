#!/bin/sh
# check.sh - installs what is missing, builds, runs every test and every gate
# SPDX-License-Identifier: BSD-2-Clause
#
# usage: sudo sh tests/check.sh [--all] [--yes] [--keep] [NAME...]
#   --all   adds what takes longer: sanitizers, valgrind, analysers, fuzzing,
#           more kill points (under 40 minutes; without it under 15)
#   --yes   installs packages also on a host that has a mail server
#   --keep  leaves the working directory, its logs and builds
#   NAME    only this unit or integration test (test_strbuf, strbuf, login)
#
# The tree is copied and nothing is written to it. Every server a test starts
# is private, and stopped. A skipped test is a failure. The last line is
# "N passed, N failed"; the exit status is 1 if anything failed.
set -u
umask 022
LC_ALL=C
PATH=/usr/local/sbin:/usr/sbin:/sbin:$PATH
export LC_ALL PATH
unset CFLAGS CPPFLAGS LDFLAGS CC MAKEFLAGS PROVOST_BUILD PROVOST_TREE LAB LAB_KEEP 2>/dev/null
cd "$(dirname "$0")/.." || exit 1
began=$(date +%s)

all='' yes='' keep='' names=''
for argument; do
    case $argument in
    --all) all=1 ;;
    --yes) yes=--yes ;;
    --keep) keep=1 ;;
    -*)
        sed -n '5,10s/^# \{0,1\}//p' "$0"
        exit 64
        ;;
    *) names="$names ${argument##*/}" ;;
    esac
done
[ "$(id -u)" -eq 0 ] || {
    echo "check.sh: the servers of the tests need root; run: sudo sh tests/check.sh"
    exit 1
}
set_of_packages=check
[ -z "$all" ] || set_of_packages=all
# shellcheck disable=SC2086
sh tests/lib/packages.sh $yes "$set_of_packages" || {
    echo "0 passed, 1 failed"
    exit 1
}
# shellcheck disable=SC3045 # dash and bash have it
ulimit -n 8192 2>/dev/null || :

# A short name: sockets of the tests lie below it, and have 107 bytes.
work=$(mktemp -d "${TMPDIR:-/tmp}/pc.XXXXXX") || exit 1
chmod 755 "$work"
mkdir "$work/log" "$work/t" "$work/src"
: >"$work/results"
# Everything started from here can be told by this.
PROVOST_CHECK=$work
LAB_MARIADB_TEMPLATE=$work/mariadb
export PROVOST_CHECK LAB_MARIADB_TEMPLATE
jobs=$(nproc)
[ "$jobs" -le 4 ] || jobs=4

# Pids of what still runs for us; not this shell, not what waits for it.
leftovers() {
    for proc in /proc/[0-9]*; do
        pid=${proc#/proc/}
        [ "$pid" != $$ ] || continue
        {
            tr '\0' '\n' <"$proc/environ"
            tr '\0' '\n' <"$proc/cmdline"
            readlink "$proc/cwd"
        } 2>/dev/null | grep -qF "$work" && echo "$pid"
    done
}

finish() {
    trap - EXIT INT TERM HUP
    cd /
    for pid in $(leftovers); do
        kill -s TERM "$pid" 2>/dev/null
    done
    if [ -n "$keep" ]; then echo "kept: $work"; else rm -rf "$work"; fi
    exit "$1"
}
trap 'finish $?' EXIT
trap 'echo "interrupted"; finish 130' INT
trap 'echo "terminated"; finish 143' TERM HUP

record() {
    printf '%s %s\n' "$1" "$2" >>"$work/results"
}

# step NAME COMMAND...: one thing that passes or fails.
step() {
    (
        step_name=$1
        shift
        step_log=$work/log/$(echo "$step_name" | tr ' /' '--')
        step_start=$(date +%s)
        if "$@" </dev/null >"$step_log" 2>&1; then
            record pass "$step_name"
            printf 'ok    %s (%s s)\n' "$step_name" $(($(date +%s) - step_start))
        else
            record fail "$step_name"
            {
                printf 'FAIL  %s (%s s)\n' "$step_name" $(($(date +%s) - step_start))
                tail -n 40 "$step_log" | sed 's/^/      /'
            } >"$step_log.shown"
            cat "$step_log.shown"
            exit 1
        fi
    )
}

# configure_in DIRECTORY OPTION...: an out-of-tree build directory.
configure_in() {
    mkdir -p "$work/$1" && cd "$work/$1" || return 1
    shift
    "$work/src/configure" --quiet "$@"
}

build_in() {
    configure_in "$@" && make -s -j"$jobs" && make -s -j"$jobs" check TESTS=
}

# shellcheck source=tests/lib/tree.sh
. tests/lib/tree.sh

copy_tree() {
    tree_copy "$work/src" &&
        (cd "$work/src" && find . -type f | sed 's,^\./,,' | sort >"$work/files")
}

autogen() {
    cd "$work/src" && ./autogen.sh
}

# unit DIRECTORY LABEL [make arguments]: make check there; every named test of
# CUnit counts, every other program counts once.
unit() {
    unit_build=$work/$1 unit_label=$2
    shift 2
    unit_log=$work/log/$unit_label-make
    find "$unit_build" -name '*.trs' -exec rm -f {} +
    (cd "$unit_build" && make -s -k -j"$jobs" check "$@") </dev/null >"$unit_log" 2>&1
    unit_status=$?
    find "$unit_build" -name '*.trs' | sort >"$work/$unit_label.list"
    while read -r trs; do
        log=${trs%.trs}.log
        program=$(basename "$trs" .trs)
        sed -n "s|^ *Test: \\(.*[^ .]\\) *\\.\\.\\..*passed\$|pass $unit_label/$program: \\1|p
                s|^ *Test: \\(.*[^ .]\\) *\\.\\.\\..*FAILED\$|fail $unit_label/$program: \\1|p" "$log" >"$work/$unit_label.one"
        if grep -q '^:test-result: PASS' "$trs"; then
            [ -s "$work/$unit_label.one" ] || record pass "$unit_label/$program"
        else
            grep -q ^fail "$work/$unit_label.one" || record fail "$unit_label/$program"
            { echo "FAIL  $unit_label/$program"; tail -n 40 "$log" | sed 's/^/      /'; } >"$log.shown"
            cat "$log.shown"
        fi
        cat "$work/$unit_label.one" >>"$work/results"
    done <"$work/$unit_label.list"
    unit_passed=$(grep -c "^pass $unit_label/" "$work/results")
    unit_failed=$(grep -c "^fail $unit_label/" "$work/results")
    if [ "$unit_passed" -eq 0 ] || { [ "$unit_status" -ne 0 ] && [ "$unit_failed" -eq 0 ]; }; then
        record fail "$unit_label: make check"
        tail -n 40 "$unit_log" | sed 's/^/      /'
        unit_failed=$((unit_failed + 1))
    fi
    [ "$unit_failed" -eq 0 ] && unit_word='ok   ' || unit_word=FAIL
    echo "$unit_word $unit_label: $unit_passed named tests passed, $unit_failed failed"
}

# integration LABEL BUILD JOBS [NAME...]
integration() {
    integration_label=$1 integration_build=$2 integration_jobs=$3
    shift 3
    if [ $# -eq 0 ]; then
        set -- "$work"/src/tests/integration/*.sh
    fi
    printf '%s\n' "$@" | PROVOST_BUILD=$integration_build PROVOST_TREE=$work/src REQUIRE_SERVICES=1 \
        xargs -n 1 -P "$integration_jobs" sh "$work/src/tests/lib/run_one.sh" "$work" "$integration_label"
}

gates() {
    for gate in "$work"/src/tests/gates/*.sh; do
        gate_name=$(basename "$gate" .sh)
        [ "$gate_name" != dist ] || continue
        step "gate/$gate_name" env srcdir="$work/src" PROVOST_BUILD="$work/gcc" sh "$gate"
    done
}

in_tree() {
    cp -a "$work/src" "$work/in-tree" && cd "$work/in-tree" &&
        ./configure --quiet --enable-werror --prefix=/usr --sysconfdir=/etc CFLAGS='-g -O0' && make -s
}

# Installed below a directory, and nowhere else.
install_there() {
    cd "$work/in-tree" && make -s install DESTDIR="$work/dest" || return 1
    (cd "$work/dest" && find . -type f | sort)
    for file in usr/sbin/provost-authd usr/sbin/provostctl; do
        [ -x "$work/dest/$file" ] || { echo "$file was not installed"; return 1; }
    done
    find "$work/dest" -path '*/sasl2/libprovost.so' | grep -q . ||
        { echo "the plugin was not installed into libsasl2's directory"; return 1; }
    for file in bash-completion/completions/provostctl zsh/site-functions/_provostctl; do
        [ -s "$work/dest/usr/share/$file" ] || { echo "$file was not installed"; return 1; }
    done
}

distcheck() {
    cd "$work/in-tree" && make -s distcheck DISTCHECK_CONFIGURE_FLAGS="CFLAGS='-g -O0'" &&
        sh tests/gates/dist.sh "$(ls provost-*.tar.*)" "$work/files"
}

# The other compiler, the tree itself, the tarball: beside the integration
# tests, which wait more than they work.
second_lane() {
    step "clang: builds without a warning" build_in clang --enable-werror CC=clang &&
        unit clang clang
    step "in-tree: builds" in_tree &&
        step "make install DESTDIR" install_there &&
        step "make distcheck" distcheck
}

# shellcheck source=tests/lib/check_all.sh
. tests/lib/check_all.sh

only_named() {
    for name in $names; do
        script=$work/src/tests/integration/${name%.sh}.sh
        [ -f "$script" ] || script=$work/src/tests/integration/long/${name%.sh}.sh
        if [ -f "$script" ]; then
            integration integration "$work/gcc" 1 "$script"
            continue
        fi
        for program in "tests/unit/$name" "tests/unit/test_$name" "tests/fuzz/$name" "tests/gates/$name" "tests/gates/$name.sh"; do
            case $program in
            *.sh) [ -f "$work/src/$program" ] && step "${program##*/}" env srcdir="$work/src" PROVOST_BUILD="$work/gcc" sh "$work/src/$program" && continue 2 ;;
            *) [ -x "$work/gcc/$program" ] && unit gcc "${program##*/}" TESTS="$program" && continue 2 ;;
            esac
        done
        echo "FAIL  there is no test called $name"
        record fail "$name"
    done
}

copy_tree || { echo "the tree cannot be copied"; exit 1; }
if step "autogen.sh" autogen && step "gcc: builds without a warning" build_in gcc --enable-werror; then
    if [ -n "$names" ]; then
        only_named
    else
        unit gcc unit
        gates
        second_lane &
        lane=$!
        integration integration "$work/gcc" 2
        wait "$lane"
        [ -z "$all" ] || check_all
    fi
fi

left=
for turn in 1 2 3 4 5 6; do
    left=
    for pid in $(leftovers); do
        [ -d "/proc/$pid" ] && [ "$pid" != "$PPID" ] && left="$left $pid"
    done
    [ -n "$left" ] || break
    [ "$turn" -eq 6 ] || sleep 0.5
done
for pid in $left; do
    echo "left over: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
done
if [ -z "$left" ]; then record pass "no process is left"; else record fail "no process is left"; fi

passed=$(grep -c '^pass ' "$work/results")
failed=$(grep -c '^fail ' "$work/results")
echo "took $(($(date +%s) - began)) s"
[ "$failed" -eq 0 ] || { echo "failed:"; sed -n 's/^fail /  /p' "$work/results"; }
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
exit $?
