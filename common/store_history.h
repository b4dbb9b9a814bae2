/*
 * store_history - reads events, in pages, and ends the old ones
 *
 * A listing costs no memory and holds no transaction: it is read page by page
 * along an index.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_HISTORY_H
#define COMMON_STORE_HISTORY_H

#include "status.h"
#include "store.h"

#include <stdbool.h>
#include <stdint.h>

/* One event as it is read; everything borrowed, NULL: none. */
struct store_event_row {
    uint64_t id;
    const char *at; /* "2026-11-24T06:30:00Z" */
    const char *kind;
    const char *who;
    const char *address;
    const char *domain;
    const char *directory;
    uint64_t run; /* 0: none */
    const char *reason;
    const char *before; /* JSON */
    const char *after;
};

/* Which events; what is NULL or 0 does not matter. */
struct store_event_query {
    const char *address;
    const char *domain;
    const char *kind;
    uint64_t run;
    int64_t since;    /* seconds UTC */
    uint64_t from_id; /* only greater (newest_first: smaller) ids */
    bool newest_first;
    uint64_t max; /* at most this many */
};

struct store_event_visitor {
    /* Returns false to end the list. row lives until it returns. */
    bool (*visit)(const struct store_event_row *row, void *arg);
    void *arg;
};

/* Calls the visitor for each event, by id. STATUS_OK or STATUS_TEMPFAIL. */
enum status store_event_list(struct store *store,
                             const struct store_event_query *query,
                             const struct store_event_visitor *visitor,
                             int64_t deadline_ms,
                             struct errtext *err) MUST_CHECK;

#define STORE_PRUNE_ROWS 500 /* a transaction */

/*
 * Deletes events older than before (seconds UTC), STORE_PRUNE_ROWS a
 * transaction, oldest first, until none is left or it is deadline_ms.
 * STATUS_OK and *count_r; STATUS_TEMPFAIL, what was deleted stays deleted.
 */
enum status store_event_prune(struct store *store, int64_t before,
                              int64_t deadline_ms, uint64_t *count_r,
                              struct errtext *err) MUST_CHECK;

/* Likewise for the rows of sync's runs. */
enum status store_runs_prune(struct store *store, int64_t before,
                             int64_t deadline_ms, uint64_t *count_r,
                             struct errtext *err) MUST_CHECK;

/* Removes aliases of renames whose time is over. */
enum status store_alias_prune(struct store *store, int64_t deadline_ms,
                              uint64_t *count_r,
                              struct errtext *err) MUST_CHECK;

#endif
