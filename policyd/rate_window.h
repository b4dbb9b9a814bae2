/*
 * rate_window - how much in the last period: 32 sub-buckets and the one being
 * filled
 *
 * The pure part of rate.h, which tells the error bound. Times are milliseconds
 * of one clock that goes forward; a call with an older time than the newest
 * one counts as the newest.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_RATE_WINDOW_H
#define POLICYD_RATE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#define RATE_WINDOW_SLOTS 33 /* RATE_BUCKETS and the one being filled */

/* Starts as {0}, then rate_window_begin. */
struct rate_window {
    uint32_t counts[RATE_WINDOW_SLOTS]; /* bucket b: slot b % 33 */
    uint32_t seconds;                   /* the period; 0: not begun */
    int64_t newest;                     /* number of the bucket being filled */
    uint64_t sum;                       /* of counts */
    uint64_t unsaved; /* a bit for each slot that changed; see rate_rows.c */
};

/* Milliseconds of one sub-bucket of a period. */
int64_t rate_window_width_ms(uint32_t seconds);

/* Makes it an empty window of that period. */
void rate_window_begin(struct rate_window *window, uint32_t seconds,
                       int64_t at_ms);

/* Forgets the buckets that are too old at that time. */
void rate_window_advance(struct rate_window *window, int64_t at_ms);

/* The sum of what is in it, after rate_window_advance. */
uint64_t rate_window_sum(const struct rate_window *window);

/* Makes a slot 0, as something that changed. */
void rate_window_empty(struct rate_window *window, unsigned slot);

/* Adds to the bucket being filled; it stays at its largest value. */
void rate_window_add(struct rate_window *window, uint32_t amount);

/* Sets bucket to count; false, and nothing done, if it is not in the window. */
bool rate_window_put(struct rate_window *window, int64_t bucket,
                     uint32_t count);

/*
 * Adds all of from to window, each bucket as late as it can have been, so that
 * nothing is forgotten too early; the periods may differ.
 */
void rate_window_merge(struct rate_window *window,
                       const struct rate_window *from);

/*
 * Gives it another period, and moves it by shift_ms, likewise; at_ms is the
 * time it has then. What the old period had forgotten stays so.
 */
void rate_window_convert(struct rate_window *window, uint32_t seconds,
                         int64_t shift_ms, int64_t at_ms);

/* The bucket a slot holds now. */
int64_t rate_window_bucket(const struct rate_window *window, unsigned slot);

#endif
