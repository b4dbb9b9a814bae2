/*
 * directory_complete - asks for what one answer leaves out of a person
 *
 * Active Directory sends at most so many values of an attribute at once (1500
 * as it is shipped), and in memberOf only the groups that somebody is in by
 * name, not those that these are in.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DIRECTORY_COMPLETE_H
#define COMMON_DIRECTORY_COMPLETE_H

#include "directory_connection.h"
#include "directory_entry.h"

/*
 * Fetches the rest of long lists into entry, on the connection that entry came
 * by, which nobody else reads from meanwhile.
 *
 * Returns LDAP_SUCCESS, and in *status_r STATUS_OK; STATUS_INVALID: more values
 * than DIRECTORY_VALUES_MAX, or other nonsense; STATUS_TEMPFAIL: the server
 * answered that it cannot, or no memory. Or as directory_connection_wait.
 */
int directory_complete_lists(const struct directory_settings *set,
                             struct directory_connection *conn,
                             const struct directory_rest *rest,
                             int64_t deadline_ms, struct directory_entry *entry,
                             enum status *status_r,
                             struct errtext *err) MUST_CHECK;

/*
 * Adds the groups that entry is in by way of others to its values, by Active
 * Directory's matching rule, where group_method says so and the groups choose a
 * template. Returns as directory_complete_lists.
 */
int directory_complete_groups(const struct directory_settings *set,
                              struct directory_connection *conn,
                              int64_t deadline_ms,
                              struct directory_entry *entry,
                              enum status *status_r,
                              struct errtext *err) MUST_CHECK;

/* True if groups in groups count in this directory. */
bool directory_nests_groups(const struct directory_settings *set);

/* The end of dn that names its domain ("dc=example,dc=org"): owned
 * (ldap_memfree), or NULL: it has none, or no memory. */
char *directory_domain_of(const char *dn);

#endif
