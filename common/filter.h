/*
 * filter - the text of LDAP search filters (RFC 4515)
 *
 * Every value from outside reaches a filter through filter_equals: libldap's
 * own escaping is private. Pure: no I/O, no libldap.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_FILTER_H
#define COMMON_FILTER_H

#include "strbuf.h"

/* Appends value with '*', '(', ')', '\\' and control bytes as \xx. */
void filter_escape(struct strbuf *buf, const char *value);

/* Appends "(attribute=value)", value escaped. attribute is trusted. */
void filter_equals(struct strbuf *buf, const char *attribute,
                   const char *value);

/*
 * Checks that text is one complete parenthesised filter and nothing else, at
 * most FILTER_DEPTH_MAX levels deep. A "%s" (or "%u", "%n", ...) in it gets a
 * hint: the login name is added by Provost itself.
 *
 * Returns STATUS_OK; or STATUS_INVALID with the fault and its position.
 */
enum status filter_check(const char *text, struct errtext *err) MUST_CHECK;

#define FILTER_DEPTH_MAX 50

#endif
