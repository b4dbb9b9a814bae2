/*
 * store_lease - one run at a time over all hosts, and no write by a late one
 *
 * A row with an epoch that rises with each holder. A transaction that depends
 * on the lease renews it first, by its epoch: where another holder came in
 * between, no row matches and nothing is written. A holder that was killed
 * loses the lease when its time is over.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_LEASE_H
#define COMMON_STORE_LEASE_H

#include "status.h"
#include "store.h"

#include <stdbool.h>
#include <stdint.h>

#define STORE_LEASE_SECONDS 60

struct store_connection;

struct store_lease {
    char name[161];
    uint64_t epoch;
};

/*
 * Takes the lease of that name for holder ("host pid").
 *
 * Returns STATUS_OK and *lease_r; STATUS_DENIED: another one has it, err says
 * who and for how long yet; STATUS_TEMPFAIL: no answer.
 */
enum status store_lease_take(struct store *store, const char *name,
                             const char *holder, int64_t deadline_ms,
                             struct store_lease *lease_r,
                             struct errtext *err) MUST_CHECK;

/*
 * Renews it, in a transaction of its own, or as part of another one.
 * STATUS_OK; STATUS_INVALID: another holder has it by now; STATUS_TEMPFAIL.
 */
enum status store_lease_renew(struct store *store,
                              const struct store_lease *lease,
                              int64_t deadline_ms,
                              struct errtext *err) MUST_CHECK;
enum status store_lease_hold(struct store_connection *db,
                             const struct store_lease *lease,
                             struct errtext *err) MUST_CHECK;

/* Gives it back; what fails ends by itself when its time is over. */
void store_lease_release(struct store *store, const struct store_lease *lease,
                         int64_t deadline_ms);

#endif
