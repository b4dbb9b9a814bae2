/*
 * fact_table - the facts of accounts.h under their keys
 *
 * Bounded in number and time; sharded locks. Times are clock_ms(), passed in.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_FACT_TABLE_H
#define POLICYD_FACT_TABLE_H

#include "accounts.h"

#include <stddef.h>
#include <stdint.h>

struct fact_table;

/* STATUS_OK and an owned *table_r, or STATUS_TEMPFAIL without memory. */
enum status fact_table_new(struct accounts_limits limits,
                           struct fact_table **table_r,
                           struct errtext *err) MUST_CHECK;
void fact_table_free(struct fact_table **table);

/* Returns the fact, held for the caller, or NULL. */
struct fact *fact_table_find(struct fact_table *table, enum accounts_kind kind,
                             const char *key, int64_t now_ms);

/*
 * Has the memory of what will be looked up next brought near, all of it at the
 * same time: waiting for memory is most of what a look-up costs.
 */
struct fact_key {
    enum accounts_kind kind;
    const char *text;
};
#define FACT_TABLE_EXPECT_MAX 4
void fact_table_expect(struct fact_table *table, const struct fact_key *keys,
                       size_t count);

/* Remembers a fact, holding it; without memory it is not remembered. */
void fact_table_add(struct fact_table *table, enum accounts_kind kind,
                    const char *key, struct fact *fact, int64_t now_ms);

void fact_table_forget(struct fact_table *table, enum accounts_kind kind,
                       const char *key);

/* Forgets all; returns how many there were. */
size_t fact_table_flush(struct fact_table *table);

/* Adds up the numbers of all shards. */
void fact_table_stats(struct fact_table *table, struct accounts_stats *stats_r);

#endif
