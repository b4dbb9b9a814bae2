/*
 * rate_keeper - lets the counters of rate.h outlive this process
 *
 * A thread of its own writes what was charged to rate_usage in every flush
 * interval, and at the start reads it back. So a kill in mid-burst forgives at
 * most what was charged in one interval. With share_rates it does so twice an
 * interval, and reads what other nodes wrote: what one charges counts on the
 * others an interval later, and n nodes that share a limit exceed it by at
 * most n x flush interval x the rate at which a node takes mail in. (The time
 * that the store needs to answer comes on top of both.) While the store is
 * away the counters go on in memory, and all is written when it is back.
 *
 * It also follows renames of mailboxes (a counter moves to the new address),
 * writes the event of the first refusal of a period, and removes old rows, a
 * few at a time.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_RATE_KEEPER_H
#define POLICYD_RATE_KEEPER_H

#include "rate.h"

#include "log.h"
#include "status.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rate_keeper_settings {
    const char *node;    /* "": the host's name; must differ between hosts */
    int64_t flush_ms;    /* policy.rate_flush */
    size_t counters_max; /* policy.rate_max */
    bool share;          /* policy.share_rates */
};

struct rate_keeper;

/*
 * Makes the counters and their keeper. store and log are borrowed until
 * rate_keeper_free; the strings of set are copied.
 * Returns STATUS_OK and an owned *keeper_r, or STATUS_TEMPFAIL without memory.
 */
enum status rate_keeper_new(const struct rate_keeper_settings *set,
                            struct store *store, struct log *log,
                            struct rate_keeper **keeper_r,
                            struct errtext *err) MUST_CHECK;

/*
 * Reads the counters back, until deadline_ms at most, and starts the thread. A
 * store that does not answer is no failure: it is logged and read later.
 * Returns STATUS_OK, or STATUS_TEMPFAIL without a thread.
 */
enum status rate_keeper_start(struct rate_keeper *keeper, int64_t deadline_ms,
                              struct errtext *err) MUST_CHECK;

/*
 * Ends the thread after the round under way and a last one; each takes 2 s at
 * most, whatever the store does.
 */
void rate_keeper_stop(struct rate_keeper *keeper);

/* Frees *keeper, counters too, and sets it to NULL; it may be NULL. */
void rate_keeper_free(struct rate_keeper **keeper);

/* The counters, for rate_check and rate_charge; they live as the keeper. */
struct rates *rate_keeper_rates(struct rate_keeper *keeper);

/*
 * Takes a refusal; the first of a period becomes an event, by the thread. At
 * most 1000 wait; what is more is counted and named in the log.
 */
void rate_keeper_refused(struct rate_keeper *keeper,
                         const struct rate_limits *limits,
                         const struct rate_verdict *verdict);

struct rate_keeper_stats {
    struct rate_stats rates;
    uint64_t rows_written;
    uint64_t flushes_failed;
    uint64_t events_dropped;
    bool restored; /* what was stored has been read back */
};
void rate_keeper_stats(struct rate_keeper *keeper,
                       struct rate_keeper_stats *stats_r);

#endif
