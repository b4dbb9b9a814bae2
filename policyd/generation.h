/*
 * generation - one reading of the settings and the rules made from it
 *
 * A reload makes a new generation beside the old one; a request holds the one
 * it began with. Thread-safe.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_GENERATION_H
#define POLICYD_GENERATION_H

#include "rule.h"
#include "settings.h"
#include "status.h"
#include "strbuf.h"

#include <stdint.h>

struct generation {
    struct settings *settings;
    struct policy *policy;
    unsigned holders; /* under the lock of struct generations */
    struct generation *next;
};

struct generations;

/* Returns a holder without any generation, or NULL without memory. */
struct generations *generations_new(void);

/* Closes all; no request may be in flight. Sets it to NULL. */
void generations_free(struct generations **generations);

/*
 * Makes settings the current generation, whose they become; they are freed on
 * failure. store and keeper are borrowed by all generations. The one before
 * hands on what it knows of messages under way, and is closed when nobody holds
 * it any more, by a later call at the latest. One call at a time.
 *
 * Returns STATUS_OK; STATUS_INVALID or STATUS_TEMPFAIL, and the present one
 * stays.
 */
enum status generations_add(struct generations *generations,
                            struct settings **settings, struct store *store,
                            struct rate_keeper *keeper,
                            struct errtext *err) MUST_CHECK;

/* Returns the current one, to be given back with generations_release. */
struct generation *generations_hold(struct generations *generations);
void generations_release(struct generations *generations,
                         struct generation **generation);

#endif
