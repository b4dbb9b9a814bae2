/*
 * settings_host - hosts and client networks as people write them (pure)
 *
 * A room of settings: only settings*.c include this.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_SETTINGS_HOST_H
#define COMMON_SETTINGS_HOST_H

#include "status.h"

#include <stdbool.h>

/*
 * Reads one host: a name, an address (IPv6 with or without brackets), or a
 * local socket as "ldapi:///path", "ldapi://%2Fpath" or "/path", of which
 * "/path" is made: printable ASCII without blank, comma or percent sign, so
 * that it reads as the same host when it is shown. A URL or a port in it is
 * refused with the fix.
 *
 * Returns STATUS_OK and an owned *host_r; STATUS_INVALID; STATUS_TEMPFAIL.
 */
enum status settings_host_read(const char *text, char **host_r,
                               struct errtext *err) MUST_CHECK;

/* Checks "192.0.2.7", "192.0.2.0/24", "::1", "2001:db8::/32". */
enum status settings_client_check(const char *text,
                                  struct errtext *err) MUST_CHECK;

/* Checks an absolute path that fits into a socket's address. */
enum status settings_socket_check(const char *path,
                                  struct errtext *err) MUST_CHECK;

/* True for addresses of this host: 127.0.0.0/8 and ::1. */
bool settings_host_is_loopback(const char *host);

#endif
