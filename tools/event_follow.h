/*
 * event_follow - which events a reader has seen already
 *
 * An event's number is given before it is committed, so a smaller one may
 * appear after a larger one. Who follows events therefore asks again for the
 * last seconds, and is told here what is new. Memory is bounded: past
 * FOLLOW_SEEN_MAX events in FOLLOW_SETTLE_MS the oldest are taken as settled.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_EVENT_FOLLOW_H
#define TOOLS_EVENT_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOLLOW_SEEN_MAX 1024
#define FOLLOW_SETTLE_MS INT64_C(15000) /* longer than a transaction lasts */

/* Starts as {.settled = the number to follow from}. */
struct event_follow {
    uint64_t settled; /* ask for events behind this one */
    size_t count;
    struct event_seen {
        uint64_t id;
        int64_t at_ms;
    } seen[FOLLOW_SEEN_MAX]; /* by id */
};

/* Notes an event; returns true if it is new. */
bool event_follow_note(struct event_follow *follow, uint64_t id,
                       int64_t now_ms);

/* Settles what was seen long ago. */
void event_follow_settle(struct event_follow *follow, int64_t now_ms);

#endif
