/*
 * apply - carries a plan out, whole or not at all
 *
 * One transaction: the domain's conditional counter update first (limits hold
 * on any number of nodes), then mailbox, self-alias, aliases and the event. A
 * plan of nothing writes nothing. Nothing is ever deleted that holds mail.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_APPLY_H
#define COMMON_APPLY_H

#include "provision.h"
#include "status.h"
#include "store.h"
#include "store_lease.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum apply_kind {
    APPLY_DONE,
    APPLY_LIMIT,   /* `limit` and `reason` say which, with its numbers */
    APPLY_CONFLICT /* the rows are not as the plan assumed (somebody was
                      faster): read again and make a new plan */
};

enum apply_limit {
    LIMIT_NONE,
    LIMIT_DOMAIN_UNKNOWN,
    LIMIT_DOMAIN_INACTIVE,
    LIMIT_MAX_MAILBOXES,
    LIMIT_DOMAIN_QUOTA,
    LIMIT_MAX_QUOTA,
    LIMIT_UNLIMITED, /* an unlimited mailbox in a limited domain */
    LIMIT_MAX_ALIASES,
    LIMIT_ADDRESS_TAKEN, /* the mailbox's address is somebody's alias */
    LIMIT_ALIAS_TAKEN    /* one of its aliases is somebody else's */
};

/* Constant code for log and event ("max_mailboxes", ...). */
const char *apply_limit_name(enum apply_limit limit);

struct apply_outcome {
    enum apply_kind kind;
    enum apply_limit limit;
    struct errtext
        reason; /* "domain example.org is full: 50 of 50 mailboxes" */
};

/*
 * Carries plan out on behalf of who ("authd", "admin:root"), before deadline.
 *
 * Where a limit said no, mailbox and domain are read afresh before the limit
 * is named; if the mailbox is there by now (by address or by id), the outcome
 * is APPLY_CONFLICT. A limit leaves an event of its own (once an hour for the
 * same person and reason).
 *
 * Returns STATUS_OK and *outcome_r; STATUS_INVALID for a plan of PLAN_REFUSED;
 * STATUS_TEMPFAIL: nothing was written, or it was written whole and the answer
 * was lost (a second try finds it).
 */
enum status apply_plan(struct store *store, const struct plan *plan,
                       const char *who, int64_t deadline_ms,
                       struct apply_outcome *outcome_r,
                       struct errtext *err) MUST_CHECK;

/* On whose behalf; everything borrowed. */
struct apply_author {
    const char *who;                 /* "authd", "sync", "admin:root" */
    uint64_t run;                    /* of sync; 0: none */
    const struct store_lease *lease; /* NULL: none is needed */
    bool silent; /* a limit leaves no event: the author tells it */
};

/*
 * As apply_plan. With a lease, STATUS_INVALID is also: another one has it, and
 * nothing was written.
 */
enum status apply_plan_by(struct store *store, const struct plan *plan,
                          const struct apply_author *author,
                          int64_t deadline_ms, struct apply_outcome *outcome_r,
                          struct errtext *err) MUST_CHECK;

/*
 * Carries count plans out in one transaction, none of them refused or nothing.
 * Where all of them make mailboxes, all rows of a kind are one statement.
 *
 * Returns STATUS_OK: *whole_r says that all was done, or that one of them met a
 * limit or a conflict and nothing was written, so that each is to be tried by
 * itself. STATUS_INVALID: the lease is another one's; STATUS_TEMPFAIL.
 */
enum status apply_batch(struct store *store, const struct plan *const *plans,
                        size_t count, const struct apply_author *author,
                        int64_t deadline_ms, bool *whole_r,
                        struct errtext *err) MUST_CHECK;

/*
 * What apply_plan would come to: the same transaction, rolled back at its end,
 * and no event. For who wants to know beforehand (`why`, `mailbox preview`).
 */
enum status apply_rehearse(struct store *store, const struct plan *plan,
                           int64_t deadline_ms, struct apply_outcome *outcome_r,
                           struct errtext *err) MUST_CHECK;

#endif
