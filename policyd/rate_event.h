/*
 * rate_event - the first refusals of a period, on their way into the history
 *
 * A bounded queue: who refuses does not wait for the store. Thread-safe.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_RATE_EVENT_H
#define POLICYD_RATE_EVENT_H

#include "rate.h"

#include "store.h"

#include <stdint.h>

#define RATE_EVENTS_MAX 1000

struct rate_events;

/* Returns an empty queue, or NULL without memory. */
struct rate_events *rate_events_new(void);

/* Frees *events, what waits too, and sets it to NULL; it may be NULL. */
void rate_events_free(struct rate_events **events);

/* Takes a refusal; dropped and counted if RATE_EVENTS_MAX wait already. */
void rate_events_add(struct rate_events *events,
                     const struct rate_limits *limits,
                     const struct rate_verdict *verdict);

/*
 * Writes what waits, the oldest first, one event a counter and period on all
 * nodes. STATUS_OK, or STATUS_TEMPFAIL: the rest waits on.
 */
enum status rate_events_write(struct rate_events *events, struct store *store,
                              int64_t deadline_ms,
                              struct errtext *err) MUST_CHECK;

/* How many were dropped. */
uint64_t rate_events_dropped(struct rate_events *events);

#endif
