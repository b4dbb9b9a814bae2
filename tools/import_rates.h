/*
 * import_rates - mailcow's rate limits, which are in Redis and not in a table
 *
 * The output of "redis-cli HGETALL RL_VALUE": a line with an address, or a
 * domain, then a line with its rate.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_IMPORT_RATES_H
#define TOOLS_IMPORT_RATES_H

#include "quantity.h"
#include "status.h"

#include <stdbool.h>
#include <stddef.h>

#define IMPORT_RATES_BYTES_MAX (16 << 20)

struct import_rates;

/* Called with what is no rate of a mailbox: its name and the reason. */
typedef void import_rates_left(const char *name, const char *reason, void *arg);

/*
 * Reads text, which is changed by it.
 * STATUS_OK and an owned *rates_r, or STATUS_TEMPFAIL.
 */
enum status import_rates_parse(char *text, import_rates_left *left, void *arg,
                               struct import_rates **rates_r,
                               struct errtext *err) MUST_CHECK;

/* Frees *rates and sets it to NULL; it may be NULL. */
void import_rates_free(struct import_rates **rates);

/* True and *rate_r if the canonical address has one. rates may be NULL. */
bool import_rates_find(const struct import_rates *rates, const char *address,
                       struct rate *rate_r);

#endif
