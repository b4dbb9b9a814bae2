/*
 * store_host - which of several servers is asked first (pure)
 *
 * The order of the settings counts; a server that did not answer rests a
 * while and is asked after the others until then. One caller at a time looks
 * whether it is back. Not thread-safe: the pool's lock guards it.
 *
 * A room of the store: only store*.c and its test include this.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_HOST_H
#define COMMON_STORE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_HOST_REST_MS 10000
#define STORE_HOST_CONNECT_MS 2000
/* Who waited less in vain was in haste, and says nothing of the host. */
#define STORE_HOST_HASTE_MS 300
/* In a query it may wait for a lock, but no longer than 2 s. */
#define STORE_HOST_SILENT_MS 3000

struct store_host {
    const char *name;      /* borrowed; NULL: the local socket */
    int64_t rest_until_ms; /* 0: it answered the last time */
};

/*
 * Writes the order in which count hosts are to be tried now into order (of
 * count places): none is left out. A host whose rest is over comes at its own
 * place and rests again at once, so that the next caller does not try it too.
 */
void store_host_order(struct store_host *hosts, size_t count, int64_t now_ms,
                      size_t *order);

/* What came of a try, or of a connection in use. */
void store_host_answered(struct store_host *host);
void store_host_failed(struct store_host *host, int64_t now_ms);

/*
 * Returns until when one host may be waited for, when this one and left others
 * are still to be tried: the last may use up deadline_ms, one before it at most
 * STORE_HOST_CONNECT_MS and its fair share.
 */
int64_t store_host_deadline(int64_t now_ms, int64_t deadline_ms, size_t left);

/*
 * Returns how many hosts at the head of the list did not answer the last time,
 * so that one behind them is used.
 */
size_t store_host_away(const struct store_host *hosts, size_t count);

/*
 * Says if a connection to hosts[index] made at made_ms should be given up for
 * an earlier host that may be back.
 */
bool store_host_should_return(const struct store_host *hosts, size_t index,
                              int64_t made_ms, int64_t now_ms);

#endif
