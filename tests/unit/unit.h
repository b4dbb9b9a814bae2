/*
 * unit - runs one CUnit suite and tells the truth about it
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <CUnit/Basic.h>

#include <stdio.h>

/* Asserts, and prints the name of the table's case when it fails. */
#define CHECK_CASE(name, condition)                                            \
    do {                                                                       \
        int held_ = (condition) ? 1 : 0;                                       \
        if (!held_)                                                            \
            (void)printf("\n    case \"%s\": %s", (name), #condition);         \
        CU_assertImplementation(held_, __LINE__, (name), __FILE__, __func__,   \
                                CU_FALSE);                                     \
    } while (0)

/*
 * Runs the tests as one suite. Returns EXIT_SUCCESS only if all of them ran
 * and none failed: CUnit's own success means no more than "it ran".
 */
int run_tests(const char *suite, CU_TestInfo *tests);

#endif
