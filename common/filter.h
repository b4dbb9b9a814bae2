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

#include <stdbool.h>

/*
 * Appends value with '*', '(', ')', '\\', '%' and control bytes as \xx; when
 * value is not UTF-8, every byte above 7f too. A value never ends a filter.
 */
void filter_escape(struct strbuf *buf, const char *value);

/* Appends "(attribute=value)", value escaped. attribute is trusted (see
 * filter_attribute_ok). */
void filter_equals(struct strbuf *buf, const char *attribute,
                   const char *value);

/* Returns true if text can stand as an attribute: "mail", "cn;lang-de",
 * "2.5.4.3". */
bool filter_attribute_ok(const char *text);

/*
 * Checks that text is one complete parenthesised filter and nothing else, in
 * UTF-8, at most FILTER_BYTES_MAX bytes and FILTER_DEPTH_MAX levels deep. A
 * "%s" (or "%u", "%{user}", ...) is refused with a hint: nothing would replace
 * it, the login name is added by Provost itself.
 *
 * Returns STATUS_OK; or STATUS_INVALID with the fault and its position.
 */
enum status filter_check(const char *text, struct errtext *err) MUST_CHECK;

#define FILTER_DEPTH_MAX 50
#define FILTER_BYTES_MAX 8192

#endif
