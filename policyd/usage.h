/*
 * usage - how much the mailboxes of a domain hold together
 *
 * Adding up a big domain takes the store a while, so nobody who waits for an
 * answer waits for it: what is known is told at once, and when it is older
 * than usage_ttl a thread adds up again, one domain at a time. Only the first
 * look at a domain waits, until its deadline. Bounded in number. Thread-safe.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_USAGE_H
#define POLICYD_USAGE_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct usage;

struct usage_source {
    /* Adds up one domain: STATUS_OK or STATUS_TEMPFAIL. */
    enum status (*add_up)(void *context, const char *domain,
                          int64_t deadline_ms, uint64_t *bytes_r,
                          struct errtext *err);
    void *context;
};

/*
 * Starts the thread. STATUS_OK and an owned *usage_r, or STATUS_TEMPFAIL.
 * ttl_ms: how long a sum is not asked for again; domains_max: remembered.
 */
enum status usage_open(int64_t ttl_ms, size_t domains_max,
                       struct usage_source source, struct usage **usage_r,
                       struct errtext *err) MUST_CHECK;

/* Ends the thread, which may be in the middle of a sum. Nobody may wait. */
void usage_close(struct usage **usage);

/*
 * Tells the last sum, and has it refreshed where it is old. False: none is
 * known yet.
 */
bool usage_peek(struct usage *usage, const char *domain, int64_t now_ms,
                uint64_t *bytes_r);

/* Likewise, but waits for a first sum. STATUS_OK or STATUS_TEMPFAIL. */
enum status usage_get(struct usage *usage, const char *domain,
                      int64_t deadline_ms, uint64_t *bytes_r,
                      struct errtext *err) MUST_CHECK;

/* Forgets all sums. */
void usage_flush(struct usage *usage);

#endif
