/*
 * directory_socket - connects to a host, in time
 *
 * All addresses of a host are tried, IPv6 and IPv4, a quarter of a second
 * apart and side by side; the first that answers wins (RFC 8305), so that an
 * address that swallows packets costs no more than that.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DIRECTORY_SOCKET_H
#define COMMON_DIRECTORY_SOCKET_H

#include "directory_resolver.h"
#include "status.h"

#include <stdint.h>

/*
 * Connects to one of the addresses by deadline_ms.
 *
 * Returns STATUS_OK and an owned *fd_r (non-blocking, close-on-exec, without
 * Nagle's delay, with keep-alive); STATUS_TEMPFAIL with the last error.
 */
enum status
directory_socket_connect(const struct directory_addresses *addresses,
                         int64_t deadline_ms, int *fd_r,
                         struct errtext *err) MUST_CHECK;

/* Likewise to the unix socket at path. */
enum status directory_socket_local(const char *path, int64_t deadline_ms,
                                   int *fd_r, struct errtext *err) MUST_CHECK;

#endif
