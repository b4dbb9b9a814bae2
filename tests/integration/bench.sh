#!/bin/sh
# bench.sh - the benchmark runs, and nobody is answered wrongly; times are not
# judged here: see tests/bench/RESULTS.md
# SPDX-License-Identifier: BSD-2-Clause
exec sh "$(dirname "$0")/../bench_auth.sh" --quick
