/*
 * directory_resolver - addresses of the hosts, looked up ahead
 *
 * getaddrinfo(3) has no deadline, so one thread of its own calls it, ahead and
 * again in the background; callers get what is remembered. A name that was
 * resolved once stays usable while DNS is down. Numeric hosts need no thread.
 * Thread-safe.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DIRECTORY_RESOLVER_H
#define COMMON_DIRECTORY_RESOLVER_H

#include "settings.h"
#include "status.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define DIRECTORY_ADDRESSES_MAX 8 /* of one host; more are not tried */

struct directory_address {
    struct sockaddr_storage storage;
    socklen_t len;
};

struct directory_addresses {
    struct directory_address list[DIRECTORY_ADDRESSES_MAX];
    size_t count;
};

struct directory_resolver;

/*
 * Starts looking up all hosts (names that start with '/' are skipped).
 * Returns STATUS_OK and an owned *resolver_r, or STATUS_TEMPFAIL.
 */
enum status directory_resolver_open(const struct text_list *hosts,
                                    unsigned port,
                                    struct directory_resolver **resolver_r,
                                    struct errtext *err) MUST_CHECK;

/*
 * Frees *resolver and sets it to NULL; it may be NULL. A look-up that hangs is
 * not waited for: its thread cleans up when it ends.
 */
void directory_resolver_close(struct directory_resolver **resolver);

/*
 * Gives the addresses of the host at index, waiting for its first look-up, at
 * most until deadline_ms.
 *
 * Returns STATUS_OK and *addresses_r; STATUS_TEMPFAIL: not resolved.
 */
enum status directory_resolver_get(struct directory_resolver *resolver,
                                   size_t index, int64_t deadline_ms,
                                   struct directory_addresses *addresses_r,
                                   struct errtext *err) MUST_CHECK;

/* No address of that host answered: looks the name up again soon. */
void directory_resolver_doubt(struct directory_resolver *resolver,
                              size_t index);

#endif
