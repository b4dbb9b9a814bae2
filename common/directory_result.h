/*
 * directory_result - what an LDAP result code means (pure)
 *
 * One table for every code of RFC 4511 and libldap's own: the directory said
 * yes, it said no, or it gave no answer. A code that is not in the table is no
 * answer. Active Directory's sub-codes ("data 52e") and the ppolicy words in
 * the diagnostic text are decoded to a reason.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DIRECTORY_RESULT_H
#define COMMON_DIRECTORY_RESULT_H

#include "directory.h"

enum directory_class {
    DIRECTORY_YES,
    DIRECTORY_NO,
    DIRECTORY_NO_ANSWER
};

/* The answer of a bind as a person; *reason_r is set for DIRECTORY_NO. */
enum directory_class directory_bind_class(int code, const char *diagnostic,
                                          enum directory_reason *reason_r);

/*
 * The answer of a search. DIRECTORY_NO (noSuchObject: the base DN is not
 * there) is a fault of the settings and no "no such person".
 */
enum directory_class directory_search_class(int code);

/* Returns libldap's or our own short text for a code; constant. */
const char *directory_code_text(int code);

#endif
