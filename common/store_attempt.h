/*
 * store_attempt - attempts to log in that were not let in
 *
 * Of each person STORE_ATTEMPTS_MAX rows at most: the place of a row is worked
 * out from its reason and client, and what comes later to the same place
 * replaces it. A guessing attack fills the places of its own reason.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_ATTEMPT_H
#define COMMON_STORE_ATTEMPT_H

#include "status.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_ATTEMPTS_MAX 32  /* rows of one address */
#define STORE_ATTEMPT_ROWS 500 /* a transaction */

/* The same attempt, `times` times; strings borrowed. */
struct store_attempt {
    const char *address;
    const char *result; /* login_result_name */
    const char *reason;
    const char *service;
    const char *client; /* "" unknown */
    uint64_t times;
    int64_t first; /* seconds UTC */
    int64_t last;
};

/* The place of a row, below STORE_ATTEMPTS_MAX. */
unsigned store_attempt_place(const struct store_attempt *attempt);

/*
 * Adds attempts to what is there, in transactions of STORE_ATTEMPT_ROWS.
 * STATUS_OK; STATUS_TEMPFAIL, some may have been written: `times` may then
 * count them twice.
 */
enum status store_attempts_write(struct store *store,
                                 const struct store_attempt *attempts,
                                 size_t count, int64_t deadline_ms,
                                 struct errtext *err) MUST_CHECK;

/* One row as it is read; everything borrowed. */
struct store_attempt_row {
    const char *last; /* "2026-11-24T06:30:00Z" */
    const char *first;
    const char *result;
    const char *reason;
    const char *service;
    const char *client; /* "" unknown */
    uint64_t times;
};

struct store_attempt_visitor {
    /* Returns false to end the list. row lives until it returns. */
    bool (*visit)(const struct store_attempt_row *row, void *arg);
    void *arg;
};

/* The attempts of one address, the newest first. STATUS_OK or _TEMPFAIL. */
enum status store_attempt_list(struct store *store, const char *address,
                               const struct store_attempt_visitor *visitor,
                               int64_t deadline_ms,
                               struct errtext *err) MUST_CHECK;

/*
 * Deletes attempts whose last one is older than before (seconds UTC),
 * 500 a transaction, until none is left or it is deadline_ms.
 * STATUS_OK and *count_r; STATUS_TEMPFAIL, what was deleted stays deleted.
 */
enum status store_attempts_prune(struct store *store, int64_t before,
                                 int64_t deadline_ms, uint64_t *count_r,
                                 struct errtext *err) MUST_CHECK;

#endif
