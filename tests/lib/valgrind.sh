#!/bin/sh
# valgrind.sh PROGRAM [ARGUMENT...] - the program under valgrind, for make check
# SPDX-License-Identifier: BSD-2-Clause
set -u
case ${1##*/} in
test_server | lt-test_server)
    # It leaves itself a handful of descriptors, and valgrind wants some too.
    exec "$@"
    ;;
esac
exec valgrind -q --leak-check=full --show-leak-kinds=definite,indirect \
    --errors-for-leak-kinds=definite,indirect --error-exitcode=9 \
    --suppressions="$(dirname "$0")/valgrind.supp" "$@"
