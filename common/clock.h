/*
 * clock - time that only goes forward, for deadlines; and the wall's
 *
 * A deadline is an absolute clock_ms() value, passed down through every call
 * that may wait. Wall-clock time is for people and rows, never for waiting.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

/* Returns monotonic milliseconds; the start is arbitrary. */
int64_t clock_ms(void);

/* Returns seconds since 1970 UTC. */
int64_t clock_wall_seconds(void);

/*
 * Returns the milliseconds left until deadline_ms, at least 0 and at most
 * INT_MAX, ready for poll(2).
 */
int clock_left_ms(int64_t deadline_ms);

/* Sleeps, whatever signals arrive; for back-off between tries. */
void clock_sleep_ms(int milliseconds);

#endif
