/*
 * store_forward - aliases that an administrator makes, and where a mailbox's
 * own mail goes
 *
 * An alias of kind admin has one or more targets and counts in its domain; its
 * local part may be empty: a catch-all. The alias of a mailbox's own name
 * leads to the mailbox, and may lead elsewhere too. Each change and its event
 * are one transaction; who is as in store_event. Addresses are canonical.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_FORWARD_H
#define COMMON_STORE_FORWARD_H

#include "status.h"
#include "store.h"

#include <stdbool.h>
#include <stdint.h>

#define STORE_FORWARD_BYTES_MAX 60000 /* of all targets of one alias */

/* An alias as it is; starts as {0}. */
struct store_forward {
    char *targets; /* with commas; NULL: there is no such alias */
    char *owner;   /* of a mailbox's aliases; NULL: an administrator's */
    bool is_self;  /* the mailbox's own name */
    bool active;
};
void store_forward_clear(struct store_forward *alias);

/* Reads an alias. STATUS_OK, also when there is none; STATUS_TEMPFAIL. */
enum status store_forward_find(struct store *store, const char *address,
                               int64_t deadline_ms,
                               struct store_forward *alias_r,
                               struct errtext *err) MUST_CHECK;

/*
 * Makes an alias of kind admin ("@example.org": a catch-all) in a domain of
 * ours. Returns STATUS_OK; STATUS_DENIED: the address is taken, or the domain
 * is none of ours or full, *full_r then; STATUS_TEMPFAIL.
 */
enum status store_forward_add(struct store *store, const char *address,
                              const char *targets, bool active, const char *who,
                              int64_t deadline_ms, bool *full_r,
                              struct errtext *err) MUST_CHECK;

/*
 * Lets the mail of a mailbox go to targets, which may name itself.
 * STATUS_OK; STATUS_NOT_FOUND: no such mailbox; STATUS_TEMPFAIL.
 */
enum status store_forward_own(struct store *store, const char *address,
                              const char *targets, const char *who,
                              int64_t deadline_ms,
                              struct errtext *err) MUST_CHECK;

/*
 * Lets login send with an address, or with "@domain" all of a domain's.
 * STATUS_OK; STATUS_DENIED: it may already; STATUS_TEMPFAIL.
 * store_sender_find: STATUS_OK if it may, STATUS_NOT_FOUND.
 */
enum status store_sender_add(struct store *store, const char *login,
                             const char *sender, const char *who,
                             int64_t deadline_ms,
                             struct errtext *err) MUST_CHECK;
enum status store_sender_find(struct store *store, const char *login,
                              const char *sender, int64_t deadline_ms,
                              struct errtext *err) MUST_CHECK;

/*
 * Reads the target of an alias domain into an owned *target_r, NULL if there
 * is none of that name.
 */
enum status store_alias_domain_find(struct store *store, const char *name,
                                    int64_t deadline_ms, char **target_r,
                                    struct errtext *err) MUST_CHECK;

#endif
