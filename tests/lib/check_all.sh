# check_all.sh - what tests/check.sh --all adds; sourced by it
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2154 # work, jobs: check.sh's

# What every sanitized program is told.
ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:abort_on_error=1
UBSAN_OPTIONS=print_stacktrace=1
TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

# sanitized LABEL LIST NAMES CONFIGURE-OPTION...: unit tests, then integration
# tests (those NAMES, or "all", or "none") with the daemons of that build; smtpd
# gets the plain plugin, since a sanitizer has to be in a process from its start.
sanitized() {
    all_label=$1
    all_list=$2
    all_names=$3
    shift 3
    step "$all_label: builds" build_in "$all_label" --enable-werror --with-sanitizers="$all_list" "$@" || return
    unit "$all_label" "$all_label"
    PROVOST_PLUGIN=$work/gcc/saslplugin/.libs/libprovost.so PROVOST_SLOW=4 PROVOST_TEST_SECONDS=480
    export PROVOST_PLUGIN PROVOST_SLOW PROVOST_TEST_SECONDS
    case $all_names in
    none) ;;
    all)
        # Benchmarks measure a sanitizer; readme.sh builds for itself.
        # shellcheck disable=SC2046
        integration "$all_label" "$work/$all_label" 2 \
            $(find "$work/src/tests/integration" -maxdepth 1 -name '*.sh' ! -name 'bench*' ! -name readme.sh | sort)
        ;;
    *)
        all_files=
        for all_name in $all_names; do
            all_files="$all_files $work/src/tests/integration/$all_name.sh"
        done
        # shellcheck disable=SC2086
        integration "$all_label" "$work/$all_label" 2 $all_files
        ;;
    esac
    unset PROVOST_PLUGIN PROVOST_SLOW PROVOST_TEST_SECONDS
}

# Every unit test under valgrind; only programs, not the gates among TESTS.
valgrind_units() {
    unit gcc valgrind LOG_COMPILER="sh $work/src/tests/lib/valgrind.sh"
}

# cppcheck knows the headers but not the libraries; its style is ours. What
# uthash's HASH_ITER sets it takes for unset.
cppcheck_tree() {
    cd "$work/src" && cppcheck --enable=warning,performance,portability --inconclusive \
        --error-exitcode=1 --quiet --std=c17 -j "$jobs" --inline-suppr \
        --suppress=missingIncludeSystem --suppress=checkersReport \
        --suppress=uninitvar:common/memory.c --suppress=uninitvar:common/throttle.c \
        --suppress=uninitvar:policyd/usage.c --suppress=uninitvar:policyd/rate_rows.c --suppress=uninitvar:tools/sync_people.c \
        -I common -I "$work/gcc" common saslplugin authd policyd tools
}

# One file a run: given several, version 14 invents uninitialised va_lists. Left
# out: clang's and gcc's path analysers, which take every output of a call that
# failed for used and know no uthash; what gcc's warnings say better; and what
# reads a text of two lines, a buffer on the wire or an entry in a table as a
# slip.
tidy() {
    cd "$work/src" &&
        find common saslplugin authd policyd tools -name '*.c' 2>/dev/null | sort |
        xargs -n 1 -P "$jobs" sh -c 'clang-tidy --quiet --warnings-as-errors="*" \
            --checks="-*,bugprone-*,cert-*,performance-*,portability-*,-bugprone-easily-swappable-parameters,-bugprone-implicit-widening-of-multiplication-result,-bugprone-narrowing-conversions,-bugprone-branch-clone,-bugprone-sizeof-expression,-bugprone-not-null-terminated-result,-bugprone-suspicious-missing-comma,-cert-dcl37-c,-cert-dcl51-cpp,-bugprone-reserved-identifier" \
            "$1" -- -std=c17 -D_GNU_SOURCE -DHAVE_CONFIG_H -DPROVOST_CONF=\"c\" -DPROVOST_SCHEMA_DIR=\"s\" \
            -DPROVOST_SYSCONFDIR=\"e\" -DPROVOST_SASLDIR=\"l\" -Icommon -I"$0" $(pkg-config --cflags libmariadb)' "$work/gcc"
}

# Each fuzzer from its stored corpus, then twenty seconds of a search that takes
# the same way each time: a red run tells something of the commit. PROVOST_FUZZ_SECONDS=N searches that
# long from a new seed instead, which is how new seeds for the corpus are found.
fuzz() {
    step "fuzzers: build" build_in fuzz CC=clang --enable-fuzzers || return
    for all_fuzzer in "$work"/fuzz/tests/fuzz/fuzz_*; do
        case ${all_fuzzer##*/} in *.*) continue ;; esac
        [ -x "$all_fuzzer" ] || continue
        echo "${all_fuzzer##*/fuzz_}"
    done | xargs -n 1 -P 2 sh -c '
        how="-seed=1 -max_total_time=20"
        [ -z "$PROVOST_FUZZ_SECONDS" ] || how=-max_total_time=$PROVOST_FUZZ_SECONDS
        mkdir -p "$0/fuzz-new/$1" && cd "$0/fuzz-new/$1" || exit 1
        if "$0/fuzz/tests/fuzz/fuzz_$1" $how \
            -max_len=70000 -timeout=10 -print_final_stats=1 . "$0/src/tests/fuzz/corpus/$1" \
            </dev/null >"$0/log/fuzz-$1" 2>&1; then
            echo "ok    fuzz/$1 ($(sed -n "s/^stat::number_of_executed_units: *//p" "$0/log/fuzz-$1") runs)"
            echo "pass fuzz/$1" >>"$0/results"
        else
            echo "FAIL  fuzz/$1"; tail -n 40 "$0/log/fuzz-$1" | sed "s/^/      /"
            echo "fail fuzz/$1" >>"$0/results"
        fi' "$work"
}

# Many more kill points than the plain run has; and Dovecot's servers down.
kill_points() {
    PROVOST_LONG=1 PROVOST_TEST_SECONDS=600
    export PROVOST_LONG PROVOST_TEST_SECONDS
    integration long "$work/gcc" 2 "$work"/src/tests/integration/*kill*.sh \
        "$work/src/tests/integration/dovecot.sh"
    unset PROVOST_LONG PROVOST_TEST_SECONDS
}

# What takes minutes, or servers that the plain run needs no package for.
long_ones() {
    PROVOST_TEST_SECONDS=480
    export PROVOST_TEST_SECONDS
    integration integration "$work/gcc" 1 "$work"/src/tests/integration/long/*.sh
    unset PROVOST_TEST_SECONDS
}

check_all() {
    export ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
    step "cppcheck" cppcheck_tree
    step "clang-tidy" tidy
    valgrind_units
    sanitized asan-gcc address,undefined all
    sanitized asan-clang address,undefined none CC=clang
    sanitized tsan thread "authd provisioning" CC=clang
    fuzz
    kill_points
    long_ones
}
