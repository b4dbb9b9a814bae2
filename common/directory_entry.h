/*
 * directory_entry - one person out of what the directory sent
 *
 * The attributes we ask for, by the settings, and their reading. Nothing that
 * was sent is trusted: see DIRECTORY_VALUE_BYTES_MAX and DIRECTORY_VALUES_MAX.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DIRECTORY_ENTRY_H
#define COMMON_DIRECTORY_ENTRY_H

#include "directory.h"

#include <ldap.h>
#include <stdbool.h>

#define DIRECTORY_ATTRIBUTES_MAX 10

/* The attributes to ask for, each once, NULL at the end; all borrowed. */
struct directory_attributes {
    char *names[DIRECTORY_ATTRIBUTES_MAX + 1];
};

void directory_entry_attributes(const struct directory_settings *set,
                                struct directory_attributes *out);

/*
 * What Active Directory keeps back of a list that is longer than it sends at
 * once ("memberOf;range=0-1499"): the number of the next value, the first being
 * 0; 0: the list is whole.
 */
struct directory_rest {
    size_t usernames, values, aliases;
};

/*
 * Reads message, an entry of an answer that ld received.
 *
 * Returns STATUS_OK, an owned *entry_r (disabled is false), and in *rest_r what
 * directory_complete has to ask for; STATUS_INVALID
 * for values that cannot be used, attribute and DN in err; STATUS_TEMPFAIL
 * without memory or for an entry that cannot be decoded.
 */
enum status directory_entry_read(const struct directory_settings *set, LDAP *ld,
                                 LDAPMessage *message,
                                 struct directory_entry *entry_r,
                                 struct directory_rest *rest_r,
                                 struct errtext *err) MUST_CHECK;

/*
 * The id of an entry that cannot be used as a whole: owned, or NULL where that
 * cannot be read either.
 */
char *directory_entry_id(const struct directory_settings *set, LDAP *ld,
                         LDAPMessage *message);

/* Copies all of from into *to_r, which is overwritten. */
enum status directory_entry_copy(const struct directory_entry *from,
                                 struct directory_entry *to_r,
                                 struct errtext *err) MUST_CHECK;

#endif
