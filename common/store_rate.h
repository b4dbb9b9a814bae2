/*
 * store_rate - what was sent in a period, kept over restarts and shared
 *
 * Rows of rate_usage. A node writes its own rows alone, each with its whole
 * count, so that writing one twice does no harm. Each write has the node's
 * next batch number; a reader asks for what came after the last one it saw.
 * The counters themselves are policyd's.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_RATE_H
#define COMMON_STORE_RATE_H

#include "status.h"
#include "store.h"

#include <stddef.h>
#include <stdint.h>

#define STORE_RATE_NODE_SIZE 65     /* bytes of a node's name and NUL */
#define STORE_RATE_SUBJECT_SIZE 321 /* of an address, and NUL */
#define STORE_RATE_ROWS_MAX 500     /* of one batch */
#define STORE_RATE_NODES_MAX 64
#define STORE_RATE_RENAMES_MAX 100 /* of one reading */

/* One sub-bucket of one counter. */
struct store_rate_row {
    char subject[STORE_RATE_SUBJECT_SIZE];
    unsigned kind;
    uint32_t seconds; /* the period */
    int64_t bucket;
    uint32_t count;
    uint64_t batch;
    int64_t expires; /* seconds since 1970 */
};

/* A node that has rows, and its last batch. */
struct store_rate_node {
    char name[STORE_RATE_NODE_SIZE];
    uint64_t batch;
};

/* A mailbox that got another address; id rises. */
struct store_rate_rename {
    uint64_t id;
    char from[STORE_RATE_SUBJECT_SIZE];
    char to[STORE_RATE_SUBJECT_SIZE];
};

/* Reads the store's clock: milliseconds since 1970 UTC. */
enum status store_rate_clock(struct store *store, int64_t deadline_ms,
                             int64_t *utc_ms_r, struct errtext *err) MUST_CHECK;

/*
 * Writes count rows (at most STORE_RATE_ROWS_MAX) of the node in one
 * statement, with that batch number; theirs is ignored.
 */
enum status store_rate_write(struct store *store, const char *node,
                             uint64_t batch, const struct store_rate_row *rows,
                             size_t count, int64_t deadline_ms,
                             struct errtext *err) MUST_CHECK;

/*
 * Reads the nodes that have rows, at most STORE_RATE_NODES_MAX, by name.
 */
enum status store_rate_nodes(struct store *store, int64_t deadline_ms,
                             struct store_rate_node *nodes, size_t *count_r,
                             struct errtext *err) MUST_CHECK;

/*
 * Reads the rows of a node that were written after batch, the oldest batch
 * first, at most STORE_RATE_ROWS_MAX + 1 of them (rows has that room): with as
 * many, the last batch may be there in part, and is to be read again.
 */
enum status store_rate_read(struct store *store, const char *node,
                            uint64_t batch, int64_t deadline_ms,
                            struct store_rate_row *rows, size_t *count_r,
                            struct errtext *err) MUST_CHECK;

/*
 * Removes at most 500 rows that expired: the node's own, and of others what
 * expired an hour ago (the node may be no more). *removed_r: how many.
 */
enum status store_rate_prune(struct store *store, const char *node,
                             int64_t deadline_ms, uint64_t *removed_r,
                             struct errtext *err) MUST_CHECK;

/*
 * Reads the renames of mailboxes of the last day with a larger id, oldest
 * first, at most STORE_RATE_RENAMES_MAX.
 */
enum status store_rate_renames(struct store *store, uint64_t id,
                               int64_t deadline_ms,
                               struct store_rate_rename *renames,
                               size_t *count_r, struct errtext *err) MUST_CHECK;

#endif
