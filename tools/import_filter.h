/*
 * import_filter - a search filter with variables, taken apart
 *
 * "(&(objectClass=person)(|(mail=%u)(uid=%n)))" is for Provost: the fields
 * mail and uid hold the login, and the filter "(objectClass=person)". Pure.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_IMPORT_FILTER_H
#define TOOLS_IMPORT_FILTER_H

#include "status.h"
#include "strbuf.h"

#include <stdbool.h>
#include <stddef.h>

#define IMPORT_FILTER_FIELDS_MAX 8
#define IMPORT_FILTER_FIELD_BYTES 64

struct import_filter {
    char fields[IMPORT_FILTER_FIELDS_MAX][IMPORT_FILTER_FIELD_BYTES + 1];
    size_t field_count; /* attributes that are compared with the login */
    bool local_part;    /* one of them with the part before '@' alone */
};

/*
 * Takes text apart. The variables are saslauthd's %u %U %d or Dovecot's %u %n
 * %d, %{user} and so on, with modifiers (%Lu). rest gets what is left, a
 * filter in parentheses or "".
 *
 * Returns STATUS_OK and *filter_r; STATUS_NOT_FOUND with a sentence for a
 * filter that means something else; rest is empty then. A rest that failed
 * tells of missing memory.
 */
enum status import_filter(const char *text, struct import_filter *filter_r,
                          struct strbuf *rest, struct errtext *err) MUST_CHECK;

#endif
