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

#endif
