/*
 * import_dsn - where a foreign database is, from a file
 *
 * "key = value" lines as in MariaDB's option files (or "key=value" alone):
 * socket, or host and port; user, password, database, ssl-ca. Sections and
 * comments are skipped. The file holds a password and is looked at like one.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_IMPORT_DSN_H
#define TOOLS_IMPORT_DSN_H

#include "settings.h"
#include "status.h"

#include <stddef.h>

#define IMPORT_DSN_BYTES_MAX 4096

/*
 * Reads len bytes of text into *set_r, whose texts are owned (import_dsn_free).
 * STATUS_OK; STATUS_INVALID with the line and the fix, never with a value;
 * STATUS_TEMPFAIL without memory.
 */
enum status import_dsn_parse(const char *text, size_t len,
                             struct store_settings *set_r,
                             struct errtext *err) MUST_CHECK;

/*
 * The same from a file, which others can neither read nor write and the group
 * cannot write.
 */
enum status import_dsn_read(const char *path, struct store_settings *set_r,
                            struct errtext *err) MUST_CHECK;

/* Wipes and frees the texts. */
void import_dsn_free(struct store_settings *set);

#endif
