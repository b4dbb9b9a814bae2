#!/bin/sh
# bench_policy.sh - the benchmark of policy requests runs, whatever it measures
# SPDX-License-Identifier: BSD-2-Clause
#
# Without the peers: those are packages of their own.
set -u
exec sh "$(dirname "$0")/../bench_policy.sh" --quick \
    --only limit,select,policyd-none,policyd-all,policyd-cold
