/*
 * directory_groups - which groups are in which, for all people at once
 *
 * A login asks the server by its matching rule, one person at a time. For a
 * reading of everybody that would be a search for each: so all groups are read
 * once, and who is in which by way of others is worked out here. Both come to
 * the same.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DIRECTORY_GROUPS_H
#define COMMON_DIRECTORY_GROUPS_H

#include "directory.h"
#include "directory_walk.h"

#define DIRECTORY_GROUPS_MAX 500000 /* more is no answer */

struct directory_groups;

/*
 * Reads all groups of the domains in which the base DNs of dir lie.
 *
 * Returns STATUS_OK and an owned *groups_r; STATUS_TEMPFAIL: not all of them,
 * *gap_r and err say why.
 */
enum status directory_groups_read(struct directory *dir, int64_t page_ms,
                                  struct directory_groups **groups_r,
                                  enum directory_gap *gap_r,
                                  struct errtext *err) MUST_CHECK;

/* Frees *groups and sets it to NULL; it may be NULL. */
void directory_groups_free(struct directory_groups **groups);

/*
 * Adds to entry's values the groups that these are in, directly or not; each
 * once. STATUS_INVALID: more than DIRECTORY_VALUES_MAX; STATUS_TEMPFAIL.
 */
enum status directory_groups_expand(struct directory_groups *groups,
                                    struct directory_entry *entry,
                                    struct errtext *err) MUST_CHECK;

/* For tests, and for directory_groups_read: an empty set, or NULL. */
struct directory_groups *directory_groups_new(void);

/* Tells that the group dn is in the groups of parents. Returns false without
 * memory, or beyond DIRECTORY_GROUPS_MAX. */
bool directory_groups_add(struct directory_groups *groups, const char *dn,
                          const struct text_list *parents) MUST_CHECK;

#endif
