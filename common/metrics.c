/* metrics - see metrics.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "metrics.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct metrics {
    const struct metric *table;
    size_t count;
    _Atomic int64_t values[];
};

struct metrics *metrics_new(const struct metric *table, size_t count)
{
    struct metrics *metrics =
        calloc(1, sizeof(*metrics) + count * sizeof(metrics->values[0]));

    if (metrics == NULL)
        return NULL;
    metrics->table = table;
    metrics->count = count;
    for (size_t i = 0; i < count; i++)
        atomic_init(&metrics->values[i], 0);
    return metrics;
}

void metrics_free(struct metrics **metrics)
{
    free(*metrics);
    *metrics = NULL;
}

void metrics_add(struct metrics *metrics, size_t id, int64_t value)
{
    (void)atomic_fetch_add_explicit(&metrics->values[id], value,
                                    memory_order_relaxed);
}

void metrics_set(struct metrics *metrics, size_t id, int64_t value)
{
    atomic_store_explicit(&metrics->values[id], value, memory_order_relaxed);
}

int64_t metrics_get(const struct metrics *metrics, size_t id)
{
    return atomic_load_explicit(&metrics->values[id], memory_order_relaxed);
}

void metrics_append(const struct metrics *metrics, struct strbuf *buf)
{
    const char *name = "";

    for (size_t i = 0; i < metrics->count; i++) {
        const struct metric *row = &metrics->table[i];
        bool labels = row->labels[0] != '\0';

        if (strcmp(row->name, name) != 0)
            strbuf_appendf(buf, "# HELP %s %s\n# TYPE %s %s\n", row->name,
                           row->help, row->name, row->type);
        name = row->name;
        strbuf_appendf(buf, "%s%s%s%s %lld\n", row->name, labels ? "{" : "",
                       row->labels, labels ? "}" : "",
                       (long long)metrics_get(metrics, i));
    }
}
