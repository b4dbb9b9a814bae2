/*
 * request - one request of Postfix's policy protocol (SMTPD_POLICY_README)
 *
 * Lines "name=value", and an empty one at the end. Pure; nothing in it is
 * trusted. Attributes that we do not know are skipped, of one that comes twice
 * the last counts.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_REQUEST_H
#define POLICYD_REQUEST_H

#include "rule.h"
#include "status.h"

#include <stddef.h>

#define REQUEST_BYTES_MAX 16384 /* all lines, the empty one included */

/* True if data begins with a whole request; *used_r gets its length. */
bool request_is_whole(const char *data, size_t len, size_t *used_r);

/*
 * Reads a whole request of len bytes. The text is cut up in place, and the
 * strings of *request_r point into it.
 *
 * Returns STATUS_OK; STATUS_NOT_FOUND: it is well formed, and no
 * "request=smtpd_access_policy"; STATUS_INVALID: a NUL, a line without "=",
 * no name ahead of it, or more than REQUEST_BYTES_MAX.
 */
enum status request_parse(char *text, size_t len,
                          struct policy_request *request_r,
                          struct errtext *err) MUST_CHECK;

#endif
