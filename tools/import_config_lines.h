/*
 * import_config_lines - the options of a foreign settings file, by line
 *
 * Two shapes: saslauthd's "key: value", the first of a name counting, and
 * Dovecot's "key = value" with quotes, comments behind a value and lines that
 * go on, the last of a name counting. A room of import_config. Pure.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_IMPORT_CONFIG_LINES_H
#define TOOLS_IMPORT_CONFIG_LINES_H

#include "import_config.h"
#include "status.h"

#include <stdbool.h>
#include <stddef.h>

#define IMPORT_CONFIG_LINES_MAX 512 /* options in one file */

struct import_line {
    char *key;   /* owned */
    char *value; /* owned; may be the password */
    unsigned line;
    bool counts; /* false: another line of the same name does */
};

struct import_lines {
    struct import_line items[IMPORT_CONFIG_LINES_MAX];
    size_t count;
};

/*
 * Reads text into *lines, which is {0} and is to be cleared either way.
 * STATUS_OK, STATUS_INVALID with the line, or STATUS_TEMPFAIL.
 */
enum status import_lines_read(enum import_config_format format,
                              const char *text, size_t len,
                              struct import_lines *lines,
                              struct errtext *err) MUST_CHECK;

/* Wipes and frees all. */
void import_lines_clear(struct import_lines *lines);

/* The line of that name that counts, or NULL. */
const struct import_line *import_lines_find(const struct import_lines *lines,
                                            const char *key);

#endif
