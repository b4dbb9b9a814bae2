/*
 * directory_clock - what time it is, says a directory
 *
 * Active Directory tells it in its root entry, 389 DS in cn=monitor, OpenLDAP
 * in its monitor database, where there is one that may be read. Nothing in LDAP
 * itself does.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DIRECTORY_CLOCK_H
#define COMMON_DIRECTORY_CLOCK_H

#include "directory.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Asks the first host that answers. Returns STATUS_OK and seconds since 1970
 * UTC; STATUS_NOT_FOUND: it tells no time; STATUS_TEMPFAIL: no answer.
 */
enum status directory_ask_clock(struct directory *dir, int64_t deadline_ms,
                                int64_t *seconds_r,
                                struct errtext *err) MUST_CHECK;

/*
 * Reads a GeneralizedTime (RFC 4517, 3.3.13) with at least minutes, as UTC
 * ("Z") or with an offset. Returns false for anything else.
 */
bool directory_clock_read(const char *text, int64_t *seconds_r);

#endif
