/*
 * import_rows - what the words of a foreign database mean here
 *
 * Pure. Nothing that stands there is trusted: what is no hash, no address, no
 * path of ours is refused with a sentence.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_IMPORT_ROWS_H
#define TOOLS_IMPORT_ROWS_H

#include "quantity.h"
#include "status.h"
#include "strbuf.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Makes the hash password_verify knows of one with or without its "{SCHEME}".
 * scheme (may be NULL) is that of a hash which does not show its own.
 *
 * Returns STATUS_OK and an owned *hash_r (secret_free); STATUS_NOT_FOUND with
 * a sentence when nobody could be let in with it; STATUS_TEMPFAIL.
 */
enum status import_hash(const char *text, const char *scheme, char **hash_r,
                        struct errtext *err) MUST_CHECK;

/*
 * A number as it stands there; what is negative, NULL or none becomes 0.
 * *negative_r (may be NULL) tells of the first.
 */
uint64_t import_number(const char *text, bool *negative_r);

/* Likewise MiB into bytes; what is over the largest size becomes that. */
uint64_t import_mebibytes(const char *text);

/*
 * A limit of rows: "-1" (and, where zero_is_none, "0") allows no more than
 * there are; *closed_r says so, and the limit is then used, at least 1, since
 * 0 is no limit here.
 */
uint64_t import_limit(const char *text, bool zero_is_none, const char *used,
                      bool *closed_r);

/* Reads "100 / 1h" as mailcow keeps a rate; false if it is none. */
bool import_rate(const char *text, struct rate *rate_r);

/*
 * Makes the path below base ("" or "/var/vmail/") of a maildir, with sub (may
 * be "") below it: relative, with '/' at its end, no "..", of characters that
 * are safe. STATUS_OK and an owned *path_r; STATUS_INVALID; STATUS_TEMPFAIL.
 */
enum status import_mail_path(const char *text, const char *base,
                             const char *sub, char **path_r,
                             struct errtext *err) MUST_CHECK;

/*
 * Appends the canonical addresses of a list with commas, each once, to
 * targets. STATUS_OK; STATUS_INVALID naming what is no address (a command, a
 * file, a list); STATUS_TEMPFAIL.
 */
enum status import_targets(const char *text, struct strbuf *targets,
                           struct errtext *err) MUST_CHECK;

/*
 * The canonical form of an address, or of "@domain", owned.
 * STATUS_OK, STATUS_INVALID or STATUS_TEMPFAIL.
 */
enum status import_address(const char *text, char **address_r,
                           struct errtext *err) MUST_CHECK;

#endif
