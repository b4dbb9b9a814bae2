/*
 * directory_pool - connections to the hosts of a directory, lent out
 *
 * Two kinds, each at most max_connections: those that search, bound as the
 * service identity, and those that bind people and never search. The first
 * host that is well serves; the connection used last is lent first, so that
 * surplus ones fall idle and are closed. Thread-safe; no lock is held while
 * anything waits for the network.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DIRECTORY_POOL_H
#define COMMON_DIRECTORY_POOL_H

#include "directory.h"
#include "directory_connection.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIRECTORY_IDLE_MS 60000 /* unused connections are closed after this */

enum directory_kind {
    DIRECTORY_SEARCH,
    DIRECTORY_BIND,
    DIRECTORY_KINDS
};

/* How an operation on a lent connection ended. */
enum directory_outcome {
    DIRECTORY_ANSWERED, /* lend it again */
    DIRECTORY_SPENT,    /* answered, but of no more use */
    DIRECTORY_ABORTED,  /* gave up early: says nothing about the host */
    DIRECTORY_STALE,    /* a reused one was dead: so are the other idle ones */
    DIRECTORY_FAILED    /* the host's fault: it rests for retry_after */
};

struct directory_pool;

/* STATUS_OK and an owned *pool_r; STATUS_INVALID; STATUS_TEMPFAIL. */
enum status directory_pool_open(const struct directory_settings *set,
                                struct directory_pool **pool_r,
                                struct errtext *err) MUST_CHECK;

/* Nothing may be lent. Frees *pool, sets it to NULL; it may be NULL. */
void directory_pool_close(struct directory_pool **pool);

/*
 * Lends a connection, connecting and failing over where needed; fresh: not a
 * pooled one.
 *
 * Returns STATUS_OK and *conn_r, to be given back; STATUS_TEMPFAIL: no host
 * could be reached, or all connections stayed in use until deadline_ms.
 */
enum status directory_pool_take(struct directory_pool *pool,
                                enum directory_kind kind, bool fresh,
                                int64_t deadline_ms,
                                struct directory_connection **conn_r,
                                struct errtext *err) MUST_CHECK;

/* Takes it back; error says what is wrong with the host (DIRECTORY_FAILED). */
void directory_pool_give(struct directory_pool *pool, enum directory_kind kind,
                         struct directory_connection **conn,
                         enum directory_outcome outcome,
                         const struct errtext *error);

/* The configured name of the host behind a connection; borrowed. */
const char *directory_pool_host(const struct directory_pool *pool,
                                const struct directory_connection *conn);

/* As directory_hosts. */
size_t directory_pool_hosts(struct directory_pool *pool,
                            struct directory_host_state *out, size_t max);

/* Adds connects and failures. */
void directory_pool_counts(struct directory_pool *pool,
                           struct directory_counts *out);

#endif
