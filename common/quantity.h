/*
 * quantity - sizes, durations and rates as people write them
 *
 * "5G", "60s", "200/1h": text with a unit, because libconfig 1.5 corrupts
 * large integers, and because people read it. Strict: no sign, no blanks, no
 * fraction, overflow refused. Pure.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_QUANTITY_H
#define COMMON_QUANTITY_H

#include "strbuf.h"

#include <stdint.h>

/* count events in each period of seconds; count 0: unlimited. */
struct rate {
    uint32_t count;
    uint32_t seconds;
};

/*
 * Reads a size: digits and one of K M G T (powers of 1024, also KiB ...) or B
 * or nothing, for bytes; "unlimited" is 0. Largest 2^63 - 1, which is what a
 * database column holds.
 *
 * Returns STATUS_OK and *bytes_r, or STATUS_INVALID with an example in err.
 */
enum status quantity_size(const char *text, uint64_t *bytes_r,
                          struct errtext *err) MUST_CHECK;

/* Reads a duration: digits and one of ms s m h d w; "0" needs no unit. */
enum status quantity_duration_ms(const char *text, int64_t *ms_r,
                                 struct errtext *err) MUST_CHECK;

/* Reads "200/1h" (also "200/h"), or "unlimited". */
enum status quantity_rate(const char *text, struct rate *rate_r,
                          struct errtext *err) MUST_CHECK;

/* Reads digits alone, from min to max. */
enum status quantity_number(const char *text, uint64_t min, uint64_t max,
                            uint64_t *number_r, struct errtext *err) MUST_CHECK;

/* Appends the shortest exact text, e.g. "5G", "1536M", "unlimited" for 0. */
void quantity_append_size(struct strbuf *buf, uint64_t bytes);

/* Appends the shortest exact text, e.g. "15m", "90s", "250ms", "0". */
void quantity_append_duration_ms(struct strbuf *buf, int64_t ms);

/* Appends e.g. "200/1h", or "unlimited". */
void quantity_append_rate(struct strbuf *buf, struct rate rate);

#endif
