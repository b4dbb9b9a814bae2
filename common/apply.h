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

/*
 * What apply_plan would come to: the same transaction, rolled back at its end,
 * and no event. For who wants to know beforehand (`why`, `mailbox preview`).
 */
enum status apply_rehearse(struct store *store, const struct plan *plan,
                           int64_t deadline_ms, struct apply_outcome *outcome_r,
                           struct errtext *err) MUST_CHECK;

#endif
