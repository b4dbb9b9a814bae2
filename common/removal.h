/*
 * removal - whether a run of sync may close mailboxes
 *
 * A directory that answers half a page, a filter with a typing error and a
 * database of last week all look like people who left. So a mailbox is closed
 * only where every doubt is ruled out, one by one, and never many at once.
 * Pure: no I/O, no clock.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_REMOVAL_H
#define COMMON_REMOVAL_H

#include "status.h"

#include <stdbool.h>
#include <stdint.h>

#define REMOVAL_PERCENT_AT_LEAST                                               \
    3 /* mailboxes a day, however few there are                                \
       */
#define REMOVAL_PERCENT_AT_MOST 50

/* How many mailboxes of a directory may be closed in a day. */
struct removal_limit {
    bool is_percent; /* of the directory's mailboxes, within the two bounds */
    uint64_t number;
};

/*
 * Reads "5%" (1 to 100) or "20"; "0" is none at all.
 * Returns STATUS_OK and *limit_r, or STATUS_INVALID.
 */
enum status removal_limit_read(const char *text, struct removal_limit *limit_r,
                               struct errtext *err) MUST_CHECK;

/* Returns how many may be closed of so many. */
uint64_t removal_limit_of(const struct removal_limit *limit,
                          uint64_t mailboxes);

/* Why none may be closed. */
enum removal_doubt {
    REMOVAL_NO_DOUBT,
    REMOVAL_INCOMPLETE, /* not all of the directory was read */
    REMOVAL_NOBODY,     /* the directory has nobody at all */
    REMOVAL_NO_CANARY,  /* who must be there is not */
    REMOVAL_SETTINGS,   /* other settings than those it was allowed for */
    REMOVAL_RESTORED,   /* the store is another one than it was allowed for */
    REMOVAL_TOO_MANY,   /* of the directory, in a day */
    REMOVAL_HALF_DOMAIN /* more than half of one domain, in a day */
};

/* Constant code for event and log ("incomplete", "too_many", ...). */
const char *removal_doubt_name(enum removal_doubt doubt);

/* A domain, as far as it matters: of one directory's mailboxes. */
struct removal_domain {
    const char *name;
    uint64_t mailboxes;
    uint64_t wanted;   /* to be closed now */
    uint64_t of_a_day; /* closed in the last 24 hours */
};

struct removal_facts {
    bool complete;
    const char *gap; /* why not complete: a sentence */
    uint64_t people; /* that were read */
    bool has_canary; /* one is configured */
    bool canary_seen;
    bool accepted_settings; /* as in the run before */
    bool accepted_store;
    uint64_t mailboxes; /* of the directory */
    uint64_t wanted;
    uint64_t of_a_day;
    const struct removal_domain *domains;
    uint64_t domain_count;
    struct removal_limit limit;
    bool forced;           /* --allow-removals N */
    uint64_t forced_limit; /* N: settings, store and numbers are accepted */
};

/*
 * Returns the first doubt, with a sentence in why that names the numbers, or
 * REMOVAL_NO_DOUBT. --allow-removals answers the doubts about settings, store
 * and numbers, up to its own number; never those about the answer itself.
 */
enum removal_doubt removal_judge(const struct removal_facts *facts,
                                 struct errtext *why);

#endif
