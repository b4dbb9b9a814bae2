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
    STORE_ASK_GLOBAL_RIGHTS,  /* privilege, "YES" if it may be granted on */
    STORE_ASK_SCHEMA_RIGHTS,  /* the same, of this database */
    STORE_ASK_FOREIGN_RIGHTS, /* another database, privilege */
    STORE_ASK_ENGINES,        /* table, engine: those that are not InnoDB */
    STORE_ASK_VARIABLES,      /* of the server and its cluster */
    STORE_ASK_CLOCK,          /* "utc", seconds since 1970 */
    STORE_ASK_COUNTERS,       /* domain, what differs: none if all agree */
    STORE_ASK_TOTALS          /* metric, number */
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

/*
 * Counts the domain's mailboxes, quota and aliases anew, in one transaction
 * that has its row; leaves an event of kind "recount" with both numbers.
 * Returns STATUS_OK; STATUS_NOT_FOUND; STATUS_TEMPFAIL.
 */
enum status store_domain_recount(struct store *store, const char *name,
                                 const char *who, int64_t deadline_ms,
                                 struct errtext *err) MUST_CHECK;

#endif
