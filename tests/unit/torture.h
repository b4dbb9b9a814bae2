/*
 * torture - lets the n-th allocation fail
 *
 * Programs that link torture.c with the --wrap flags of Makefile.am call their
 * allocations through here. Only what was compiled into the program is
 * wrapped; a shared library's own allocations are not. One thread.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_TORTURE_H
#define TESTS_UNIT_TORTURE_H

#include <stdbool.h>
#include <stddef.h>

/* From now on, allocation number n (1 or more) fails, and that one alone. */
void torture_begin(unsigned n);

/*
 * Ends it. Returns true if an allocation was made to fail; *leaked_r gets the
 * number of blocks allocated since torture_begin and not freed.
 */
bool torture_end(size_t *leaked_r);

/*
 * A stretch of code whose allocations are none of the test's business; it may
 * stand between begin and end.
 */
void torture_pause(void);
void torture_resume(void);

#endif
