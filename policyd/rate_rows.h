/*
 * rate_rows - counters as rows of the store, and back
 *
 * For rate_keeper. Thread-safe beside charges; one caller at a time.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_RATE_ROWS_H
#define POLICYD_RATE_ROWS_H

#include "rate.h"

#include "store_rate.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Says what clock_ms() is in the store's UTC: utc = clock_ms() + offset_ms.
 * Counters move along, each charge as late as it can have been.
 */
void rates_align(struct rates *rates, int64_t offset_ms, int64_t now_ms);

/*
 * Takes what changed since the last call, at most max rows, and regards it as
 * saved. Returns how many; 0: nothing is left.
 */
size_t rates_collect(struct rates *rates, struct store_rate_row *rows,
                     size_t max, int64_t now_ms);

/* The rows were not written after all: they will be collected again. */
void rates_uncollect(struct rates *rates, const struct store_rate_row *rows,
                     size_t count);

/* The number of this node, before its restart. */
#define RATES_SELF STORE_RATE_NODES_MAX

/*
 * Takes rows of a node, a number below STORE_RATE_NODES_MAX or RATES_SELF, the
 * older batches first: a later period replaces an earlier one, a later count
 * its bucket's.
 * Returns false if not all could be taken, for lack of memory or room.
 */
bool rates_put(struct rates *rates, unsigned node,
               const struct store_rate_row *rows, size_t count, int64_t now_ms);

/*
 * All rows of RATES_SELF have been taken: they are added to what was charged
 * meanwhile, and are our own from now on.
 */
void rates_adopt(struct rates *rates, int64_t now_ms);

/* Moves the counters of a mailbox to its new address. */
void rates_rename(struct rates *rates, const char *from, const char *to,
                  int64_t now_ms);

#endif
