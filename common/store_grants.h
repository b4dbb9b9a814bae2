/*
 * store_grants - reads what SHOW GRANTS prints
 *
 * Pure: a line in, its parts out. The lines come by store_ask.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_GRANTS_H
#define COMMON_STORE_GRANTS_H

#include "status.h"

#include <stdbool.h>

/* One line; starts as {0}. */
struct store_grant {
    char *rights;   /* "SELECT, INSERT (a, b)"; of a role: its name */
    char *database; /* as a LIKE pattern; "*": all of them; NULL: a role */
    char *table;    /* "*": all of them */
    bool is_role;
    bool may_grant; /* WITH GRANT OPTION, or ADMIN OPTION */
};
void store_grant_clear(struct store_grant *grant);

/*
 * Reads one line. Returns STATUS_OK; STATUS_NOT_FOUND: it grants nothing (SET
 * DEFAULT ROLE); STATUS_INVALID: it is no such line; STATUS_TEMPFAIL.
 */
enum status store_grant_read(const char *line, struct store_grant *grant_r,
                             struct errtext *err) MUST_CHECK;

/*
 * Calls see for each right, without its columns. name lives until it returns.
 */
void store_grant_each(const struct store_grant *grant,
                      void (*see)(const char *name, void *arg), void *arg);

/*
 * True if the grant is about this database alone: its pattern is the name, with
 * '_' escaped or not. One with '%' is about others, too.
 */
bool store_grant_covers(const struct store_grant *grant, const char *database);

#endif
