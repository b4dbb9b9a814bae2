/* clock - see clock.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "clock.h"

#include <errno.h>
#include <limits.h>
#include <time.h>

int64_t clock_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_wall_seconds(void)
{
    return (int64_t)time(NULL);
}

int clock_left_ms(int64_t deadline_ms)
{
    int64_t left = deadline_ms - clock_ms();

    if (left <= 0)
        return 0;
    return left < INT_MAX ? (int)left : INT_MAX;
}

void clock_sleep_ms(int milliseconds)
{
    struct timespec wait = {
        .tv_sec = milliseconds / 1000,
        .tv_nsec = (long)(milliseconds % 1000) * 1000000,
    };

    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, &wait) == EINTR)
        continue;
}
