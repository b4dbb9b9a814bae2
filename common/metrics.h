/*
 * metrics - counters of a program, as Prometheus text
 *
 * The program gives one table of names; counting is one atomic addition. No
 * user names as labels, ever.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_METRICS_H
#define COMMON_METRICS_H

#include "strbuf.h"

#include <stddef.h>
#include <stdint.h>

/* One row; rows of one name follow each other and share help and type. */
struct metric {
    const char *name;   /* "provost_auth_requests_total" */
    const char *labels; /* "result=\"ok\"", or "" */
    const char *type;   /* "counter" or "gauge" */
    const char *help;
};

struct metrics;

/*
 * Makes count counters at 0; table is borrowed and must outlive them.
 * Returns an owned object (metrics_free), or NULL without memory.
 */
struct metrics *metrics_new(const struct metric *table, size_t count);

/* Frees *metrics and sets it to NULL; it may be NULL. */
void metrics_free(struct metrics **metrics);

/* Adds to a counter, or sets a gauge. id is the row's index in the table. */
void metrics_add(struct metrics *metrics, size_t id, int64_t value);
void metrics_set(struct metrics *metrics, size_t id, int64_t value);

/* Returns the present value. */
int64_t metrics_get(const struct metrics *metrics, size_t id);

/* Appends all rows in Prometheus text exposition format. */
void metrics_append(const struct metrics *metrics, struct strbuf *buf);

#endif
