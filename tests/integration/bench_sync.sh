#!/bin/sh
# bench_sync.sh - the benchmark of provost-sync runs, and each run does what it
# is measured for; times are not judged here: see tests/bench/RESULTS.md
# SPDX-License-Identifier: BSD-2-Clause
exec sh "$(dirname "$0")/../bench_sync.sh" --quick
