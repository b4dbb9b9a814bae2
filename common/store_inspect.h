/*
 * store_inspect - what a doctor asks of the database
 *
 * Each question is one SELECT whose rows are a name and a value.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_INSPECT_H
#define COMMON_STORE_INSPECT_H

#include "status.h"
#include "store.h"

#include <stdint.h>

enum store_question {
    STORE_ASK_GRANTS,    /* a line for store_grant_read, nothing */
    STORE_ASK_ENGINES,   /* table, engine: those that are not InnoDB */
    STORE_ASK_KEYLESS,   /* table, nothing: those without a primary key */
    STORE_ASK_VARIABLES, /* of the server and its cluster */
    STORE_ASK_CLOCK,     /* "utc", seconds since 1970 */
    STORE_ASK_COUNTERS,  /* domain, what differs: none if all agree */
    STORE_ASK_MAILBOXES, /* "source state", number; state as counts */
    STORE_ASK_EVENTS     /* kind, number */
};
#define STORE_QUESTIONS 8

struct store_answer_visitor {
    /* Both borrowed; value may be NULL. */
    void (*visit)(const char *name, const char *value, void *arg);
    void *arg;
};

/* STATUS_OK with all rows shown, or STATUS_TEMPFAIL. */
enum status store_ask(struct store *store, enum store_question question,
                      const struct store_answer_visitor *visitor,
                      int64_t deadline_ms, struct errtext *err) MUST_CHECK;

/* What there is of one domain, for metrics. */
struct store_domain_use {
    const char *name;
    uint64_t mailboxes, max_mailboxes; /* 0: no limit */
    uint64_t allotted_bytes, quota_bytes, max_usage_bytes;
    uint64_t used_bytes; /* as Dovecot counts */
    uint64_t aliases, max_aliases;
};

struct store_use_visitor {
    /* use and its name live until it returns. */
    void (*visit)(const struct store_domain_use *use, void *arg);
    void *arg;
};

/*
 * Shows all domains in the order of their names, in pages. STATUS_OK or
 * STATUS_TEMPFAIL: some may have been shown.
 */
enum status store_domain_uses(struct store *store,
                              const struct store_use_visitor *visitor,
                              int64_t deadline_ms,
                              struct errtext *err) MUST_CHECK;

/*
 * Counts the domain's mailboxes, quota and aliases anew, in one transaction
 * that has its row; leaves an event of kind "recount" with both numbers, but
 * none where they agree. Returns STATUS_OK; STATUS_NOT_FOUND; STATUS_TEMPFAIL.
 */
enum status store_domain_recount(struct store *store, const char *name,
                                 const char *who, int64_t deadline_ms,
                                 struct errtext *err) MUST_CHECK;

#endif
