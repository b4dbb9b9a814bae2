/*
 * rate - who has sent how much in a period, and whether more may follow
 *
 * Counters keyed by login and by domain: messages and recipients of each. A
 * counter is a sliding window of 32 sub-buckets and the one being filled. With
 * w = period / 32 (rounded up to a millisecond) it counts all that was charged
 * in the last 32 w, and nothing older than 33 w. So a limit is never exceeded
 * in any period, and a charge weighs at most one sub-bucket longer than it
 * has to. (Bucket of t: floor(t / w). now - t <= 32 w: the numbers differ by
 * at most 32; now - t >= 33 w: by at least 33.)
 *
 * Bounded in number. When it is full, counters of nothing go first. Then, of
 * those looked at, the one furthest below its limit is forgotten, and counted
 * in rate_stats; one that has reached its limit is never forgotten. If all
 * have, the new one cannot be counted and the caller is told.
 *
 * No I/O and no clock: `now_ms` is clock_ms(), passed in. Bucket numbers are
 * those of the store's UTC, which rate_align tells once; they advance by the
 * monotonic clock. Thread-safe, with sharded locks.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_RATE_H
#define POLICYD_RATE_H

#include "quantity.h"
#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RATE_SUBJECT_BYTES_MAX 320 /* of a login or a domain */
#define RATE_BUCKETS 32            /* that make a period */

/* The four limits a message meets, in the order in which they are asked. */
enum rate_kind {
    RATE_MAILBOX_MESSAGES,
    RATE_MAILBOX_RECIPIENTS,
    RATE_DOMAIN_MESSAGES,
    RATE_DOMAIN_RECIPIENTS,
    RATE_KIND_COUNT
};

/* What one message is measured with; strings are canonical and borrowed. */
struct rate_limits {
    const char *login;
    const char *domain;                 /* NULL: no limit of a domain */
    struct rate rates[RATE_KIND_COUNT]; /* count 0: unlimited, not counted */
};

struct rate_verdict {
    bool refused;
    /* These only when refused: the limit that said no. */
    enum rate_kind kind;
    struct rate rate;
    uint64_t used; /* of it in the last period, on all nodes that share */
    bool first;    /* no refusal of this counter in the last period was told */
};

struct rates;

/*
 * Makes an empty set of at most counters_max counters.
 * Returns STATUS_OK and an owned *rates_r, or STATUS_TEMPFAIL without memory.
 */
enum status rates_new(size_t counters_max, struct rates **rates_r,
                      struct errtext *err) MUST_CHECK;

/* Frees *rates and sets it to NULL; it may be NULL. */
void rates_free(struct rates **rates);

/*
 * Is one of the limits reached already? For the early refusal at RCPT: charges
 * nothing, makes no counter. Always answers.
 */
void rate_check(struct rates *rates, const struct rate_limits *limits,
                int64_t now_ms, struct rate_verdict *verdict_r);

/*
 * Charges one message with that many recipients to all four limits, or, if one
 * of them would be exceeded, to none, in one step for all threads.
 *
 * Returns STATUS_OK and *verdict_r; STATUS_TEMPFAIL when it cannot be counted
 * (no memory, all counters taken by limits that are reached; nothing is
 * charged); STATUS_INVALID for a subject that is empty or too long.
 */
enum status rate_charge(struct rates *rates, const struct rate_limits *limits,
                        uint32_t recipients, int64_t now_ms,
                        struct rate_verdict *verdict_r,
                        struct errtext *err) MUST_CHECK;

/*
 * The refusal is told to somebody: true if it is the first one of its counter
 * in a period, which is the one worth an event.
 */
bool rate_told(struct rates *rates, const struct rate_limits *limits,
               const struct rate_verdict *verdict, int64_t now_ms);

/* What there is of one counter, for `policy explain`; 0 if there is none. */
uint64_t rate_used(struct rates *rates, enum rate_kind kind,
                   const char *subject, struct rate rate, int64_t now_ms);

/* Constant words for answers, logs and events: "mailbox_messages" ... */
const char *rate_kind_name(enum rate_kind kind);

struct rate_stats {
    size_t counters;
    uint64_t forgotten; /* counters given up though they held charges */
    uint64_t full;      /* charges that could not be counted */
};
void rate_stats(struct rates *rates, struct rate_stats *stats_r);

#endif
