/*
 * store_transaction - a piece of work on the store, whole or not at all
 *
 * For store*.c and apply. The work may be run several times: after a deadlock,
 * a lost connection, a cluster's refusal (design section 5).
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_TRANSACTION_H
#define COMMON_STORE_TRANSACTION_H

#include "status.h"
#include "store.h"

#include <stdbool.h>
#include <stdint.h>

struct store_connection;

/* Work on one connection. */
struct store_work {
    enum status (*run)(struct store_connection *db, void *arg,
                       struct errtext *err);
    bool reads_only; /* SELECTs that need no transaction around them */
    bool sync;       /* it has to see what another node has committed */
    bool token;      /* it writes one event, whose token tells whether a
                        commit without an answer was done */
};

/*
 * Runs work until it is done, the answer is not to try again, or time is up.
 * A status other than STATUS_OK rolls back; STATUS_TEMPFAIL with an error of
 * the retry list runs the whole again after a pause.
 */
enum status store_work(struct store *store, const struct store_work *work,
                       void *arg, int64_t deadline_ms,
                       struct errtext *err) MUST_CHECK;

/* Rows of one transaction, as the work of store_work_sorted gets them. */
struct store_batch {
    const void *const *rows;
    size_t count;
};

/* How many rows become transactions. */
struct store_sorting {
    struct store_work work; /* its arg is a struct store_batch */
    size_t row_bytes;
    size_t rows_max; /* of one transaction */
    /*
     * Of two pointers to pointers to rows, as qsort's; the order of the keys
     * that are locked, so that two batches do not deadlock.
     */
    int (*compare)(const void *a, const void *b);
};

/*
 * Does the work for an array of count rows, sorted, a transaction for rows_max
 * of them. Ends with the first that fails; those before it stay.
 */
enum status store_work_sorted(struct store *store,
                              const struct store_sorting *how, const void *rows,
                              size_t count, int64_t deadline_ms,
                              struct errtext *err) MUST_CHECK;

#endif
