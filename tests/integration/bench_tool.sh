#!/bin/sh
# bench_tool.sh - the benchmark of listings runs, and each list is whole; times
# are not judged here: see tests/bench/RESULTS.md
# SPDX-License-Identifier: BSD-2-Clause
exec sh "$(dirname "$0")/../bench_tool.sh" --quick
