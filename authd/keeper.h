/*
 * keeper - what has to be done now and then beside the logins
 *
 * One thread: writes last logins behind, closes retired generations, asks the
 * store whether it is there and of our schema. It may wait for the store, the
 * rest of the program never waits for it but at the end.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef AUTHD_KEEPER_H
#define AUTHD_KEEPER_H

#include "generation.h"
#include "log.h"
#include "report.h"
#include "status.h"

#include <stdint.h>

struct keeper;

/*
 * Makes a keeper; all borrowed. STATUS_OK and an owned *keeper_r, or
 * STATUS_TEMPFAIL.
 */
enum status keeper_new(struct generations *generations, struct report *report,
                       struct log *log, struct keeper **keeper_r,
                       struct errtext *err) MUST_CHECK;

/*
 * Asks the store for its schema, once, in the calling thread, and reports and
 * logs what changed. Results as store_check_schema.
 */
enum status keeper_check_store(struct keeper *keeper, int64_t deadline_ms,
                               struct errtext *err) MUST_CHECK;

/* Starts its thread. */
enum status keeper_start(struct keeper *keeper, struct errtext *err) MUST_CHECK;

/* Has it look at the store now, after a reload. */
void keeper_wake(struct keeper *keeper);

/* Ends its thread, waiting for what it does just now. */
void keeper_stop(struct keeper *keeper);

/* Frees *keeper, stopped or never started, and sets it to NULL. */
void keeper_free(struct keeper **keeper);

#endif
