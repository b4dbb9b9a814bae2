/* rate_window - see rate_window.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "rate_window.h"

#include "rate.h"

#include <string.h>

_Static_assert(RATE_WINDOW_SLOTS == RATE_BUCKETS + 1,
               "the bucket being filled is one more");

/* Division and remainder that go on below 0, where a clock may begin. */
static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

static unsigned slot_of(int64_t bucket)
{
    int64_t rest = bucket % RATE_WINDOW_SLOTS;

    return (unsigned)(rest < 0 ? rest + RATE_WINDOW_SLOTS : rest);
}

static void increase(struct rate_window *window, unsigned slot, uint32_t amount)
{
    uint32_t *count = &window->counts[slot];

    if (amount > UINT32_MAX - *count)
        amount = UINT32_MAX - *count;
    *count += amount;
    window->sum += amount;
    window->unsaved |= UINT64_C(1) << slot;
}

int64_t rate_window_width_ms(uint32_t seconds)
{
    return ((int64_t)seconds * 1000 + RATE_BUCKETS - 1) / RATE_BUCKETS;
}

void rate_window_begin(struct rate_window *window, uint32_t seconds,
                       int64_t at_ms)
{
    *window = (struct rate_window){.seconds = seconds};
    window->newest = floor_div(at_ms, rate_window_width_ms(seconds));
}

/* Makes bucket the newest, if it is newer. */
static void advance_to(struct rate_window *window, int64_t bucket)
{
    int64_t steps = bucket - window->newest;

    if (steps <= 0)
        return;
    if (steps >= RATE_WINDOW_SLOTS) {
        memset(window->counts, 0, sizeof(window->counts));
        window->sum = 0;
        window->unsaved = 0;
    } else {
        for (int64_t b = window->newest + 1; b <= bucket; b++) {
            window->sum -= window->counts[slot_of(b)];
            window->counts[slot_of(b)] = 0;
            window->unsaved &= ~(UINT64_C(1) << slot_of(b));
        }
    }
    window->newest = bucket;
}

void rate_window_advance(struct rate_window *window, int64_t at_ms)
{
    advance_to(window, floor_div(at_ms, rate_window_width_ms(window->seconds)));
}

uint64_t rate_window_sum(const struct rate_window *window)
{
    return window->sum;
}

void rate_window_add(struct rate_window *window, uint32_t amount)
{
    increase(window, slot_of(window->newest), amount);
}

void rate_window_empty(struct rate_window *window, unsigned slot)
{
    window->sum -= window->counts[slot];
    window->counts[slot] = 0;
    window->unsaved |= UINT64_C(1) << slot;
}

bool rate_window_put(struct rate_window *window, int64_t bucket, uint32_t count)
{
    if (bucket <= window->newest - RATE_WINDOW_SLOTS)
        return false;
    advance_to(window, bucket);
    window->sum += (uint64_t)count - window->counts[slot_of(bucket)];
    window->counts[slot_of(bucket)] = count;
    return true;
}

int64_t rate_window_bucket(const struct rate_window *window, unsigned slot)
{
    int64_t behind = (int64_t)slot_of(window->newest) - (int64_t)slot;

    return window->newest - (behind < 0 ? behind + RATE_WINDOW_SLOTS : behind);
}

/* Adds from, its buckets shift_ms later. */
static void merge_shifted(struct rate_window *window,
                          const struct rate_window *from, int64_t shift_ms)
{
    int64_t width = rate_window_width_ms(window->seconds);
    int64_t from_width = rate_window_width_ms(from->seconds);

    for (unsigned slot = 0; slot < RATE_WINDOW_SLOTS; slot++) {
        int64_t last_ms =
            (rate_window_bucket(from, slot) + 1) * from_width - 1 + shift_ms;
        int64_t bucket = floor_div(last_ms, width);

        /* What lies ahead would keep all the rest from counting. */
        if (bucket > window->newest)
            bucket = window->newest;
        if (from->counts[slot] > 0 &&
            bucket > window->newest - RATE_WINDOW_SLOTS)
            increase(window, slot_of(bucket), from->counts[slot]);
    }
}

void rate_window_merge(struct rate_window *window,
                       const struct rate_window *from)
{
    merge_shifted(window, from, 0);
}

void rate_window_convert(struct rate_window *window, uint32_t seconds,
                         int64_t shift_ms, int64_t at_ms)
{
    struct rate_window next;

    rate_window_begin(&next, seconds, at_ms);
    merge_shifted(&next, window, shift_ms);
    *window = next;
}
