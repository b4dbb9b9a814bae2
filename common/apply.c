/* apply - see apply.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "apply.h"

#include "apply_limit.h"
#include "apply_private.h"

#include "clock.h"

#include <string.h>

/* How often a limit may be gone again by the time it is looked at. */
#define TRIES_MAX 20
#define REFUSED_EVENT_SECONDS 3600

/* A refusal that is looked into, with fresh rows. */
struct inquiry {
    const struct change *change;
    struct apply_outcome outcome;
};

/* Looks whether somebody else was faster with the same mailbox. */
static enum status find_rival(struct store_connection *db,
                              struct inquiry *inquiry, struct errtext *err)
{
    const struct plan *plan = inquiry->change->plan;
    const struct account *target = &plan->target;
    struct account found = {0};
    enum status status =
        store_read_mailbox(db, target->address, false, &found, err);

    account_clear(&found);
    if (status == STATUS_NOT_FOUND && target->directory_id != NULL &&
        target->directory != NULL) {
        status = store_read_mailbox_id(db, target->directory,
                                       target->directory_id, &found, err);
        if (status == STATUS_OK && plan->kind == PLAN_RENAME &&
            strcmp(found.address, plan->old_address) == 0)
            status = STATUS_NOT_FOUND; /* it is where it was */
        account_clear(&found);
    }
    if (status == STATUS_OK)
        inquiry->outcome.kind = APPLY_CONFLICT;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Names the domain's limit, from its row as it is now. */
static enum status find_limit(struct store_connection *db,
                              struct inquiry *inquiry, struct errtext *err)
{
    const struct store_charge *charge = &inquiry->change->failed_charge;
    struct apply_outcome *outcome = &inquiry->outcome;
    struct store_domain domain = {0};
    enum status status = store_read_domain(db, charge->domain, &domain, err);

    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    outcome->limit = apply_limit_of(&domain, charge, &outcome->reason);
    store_domain_clear(&domain);
    return STATUS_OK;
}

/* Names who has the address that could not be taken. */
static enum status find_owner(struct store_connection *db,
                              struct inquiry *inquiry, const char *address,
                              enum apply_limit limit, struct errtext *err)
{
    struct apply_outcome *outcome = &inquiry->outcome;
    struct store_alias alias = {0};
    enum status status = store_read_alias(db, address, &alias, err);

    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    outcome->limit = limit;
    errtext_set(&outcome->reason,
                alias.is_self ? "%.120s is the mailbox %.120s"
                              : "%.120s is an alias of %.120s",
                address, alias.owner != NULL ? alias.owner : alias.targets);
    store_alias_clear(&alias);
    return STATUS_OK;
}

static enum status run_inquiry(struct store_connection *db, void *arg,
                               struct errtext *err)
{
    struct inquiry *inquiry = arg;
    const struct change *change = inquiry->change;
    const struct plan *plan = change->plan;
    enum status status = STATUS_OK;

    inquiry->outcome =
        (struct apply_outcome){.kind = APPLY_LIMIT, .limit = LIMIT_NONE};
    if (plan->kind == PLAN_CREATE || plan->kind == PLAN_RENAME)
        status = find_rival(db, inquiry, err);
    if (status != STATUS_OK || inquiry->outcome.kind == APPLY_CONFLICT)
        return status;
    switch (change->failure) {
    case CHANGE_OVER_LIMIT:
        return find_limit(db, inquiry, err);
    case CHANGE_KEY_TAKEN:
        return find_owner(db, inquiry, plan->target.address,
                          LIMIT_ADDRESS_TAKEN, err);
    case CHANGE_ALIAS_TAKEN:
        return find_owner(db, inquiry, change->failed_alias, LIMIT_ALIAS_TAKEN,
                          err);
    case CHANGE_STALE:
        inquiry->outcome.kind = APPLY_CONFLICT;
        break;
    case CHANGE_LANDED:
        inquiry->outcome.kind = APPLY_DONE;
        break;
    case CHANGE_FITS:
        break;
    }
    return STATUS_OK;
}

/*
 * A refusal is worth an event, but not one for each try of a mail client. That
 * it could not be written changes nothing about the refusal.
 */
static void tell_refusal(struct store *store, const struct change *change,
                         const struct apply_outcome *outcome,
                         int64_t deadline_ms)
{
    const struct plan *plan = change->plan;
    struct errtext reason = {{0}};
    struct store_event event = {
        .kind = plan->kind == PLAN_CREATE ? "refused" : "update_refused",
        .who = change->author->who,
        .run = change->author->run,
        .address = plan->target.address,
        .domain = plan->target.domain,
        .directory = plan->target.directory,
        .reason = reason.text,
    };

    errtext_set(&reason, "%s: %s", apply_limit_name(outcome->limit),
                outcome->reason.text);
    if (store_event_write(store, &event, REFUSED_EVENT_SECONDS, deadline_ms,
                          NULL) != STATUS_OK)
        return;
}

/*
 * Finds out why a try was refused. STATUS_OK and *outcome_r; STATUS_NOT_FOUND
 * when there is no reason any more and the plan may be tried again.
 */
static enum status explain(struct store *store, const struct change *change,
                           int64_t deadline_ms, struct apply_outcome *outcome_r,
                           struct errtext *err)
{
    static const struct store_work work = {
        .run = run_inquiry, .reads_only = true, .sync = true};
    struct inquiry inquiry = {.change = change};
    enum status status = store_work(store, &work, &inquiry, deadline_ms, err);

    if (status != STATUS_OK)
        return STATUS_TEMPFAIL;
    if (inquiry.outcome.kind == APPLY_LIMIT &&
        inquiry.outcome.limit == LIMIT_NONE) {
        errtext_set(err, "store: the limits of %s keep changing",
                    change->plan->target.domain);
        return STATUS_NOT_FOUND;
    }
    *outcome_r = inquiry.outcome;
    return STATUS_OK;
}

/* Rolled back by its status where there is nothing against it. */
static enum status run_and_undo(struct store_connection *db, void *arg,
                                struct errtext *err)
{
    enum status status = change_run(db, arg, err);

    return status == STATUS_OK ? STATUS_INVALID : status;
}

/* Runs work until it is done or there is a reason why not. */
static enum status settle(struct store *store, const struct store_work *work,
                          struct change *change, int64_t deadline_ms,
                          struct apply_outcome *outcome_r, struct errtext *err)
{
    struct apply_outcome outcome = {.kind = APPLY_DONE};
    enum status status = STATUS_NOT_FOUND;

    if (change->plan->kind == PLAN_REFUSED) {
        errtext_set(err, "a refused plan cannot be carried out");
        return STATUS_INVALID;
    }
    if (change->plan->kind == PLAN_NOTHING) {
        *outcome_r = outcome;
        return STATUS_OK;
    }
    for (int i = 0; status == STATUS_NOT_FOUND && i < TRIES_MAX; i++) {
        status = store_work(store, work, change, deadline_ms, err);
        if (status == STATUS_INVALID && work->run == run_and_undo)
            status = STATUS_OK;
        if (status == STATUS_DENIED)
            status = explain(store, change, deadline_ms, &outcome, err);
    }
    if (status != STATUS_OK)
        return status == STATUS_INVALID ? status : STATUS_TEMPFAIL;
    *outcome_r = outcome;
    return STATUS_OK;
}

/* The transaction, under the author's lease if there is one. */
static enum status run_change(struct store_connection *db, void *arg,
                              struct errtext *err)
{
    struct change *change = arg;
    const struct store_lease *lease = change->author->lease;
    enum status status = STATUS_OK;

    if (lease != NULL)
        status = store_lease_hold(db, lease, err);
    return status == STATUS_OK ? change_run(db, change, err) : status;
}

enum status apply_plan_by(struct store *store, const struct plan *plan,
                          const struct apply_author *author,
                          int64_t deadline_ms, struct apply_outcome *outcome_r,
                          struct errtext *err)
{
    static const struct store_work work = {
        .run = run_change, .sync = true, .token = true};
    struct change change = {.plan = plan, .author = author};
    enum status status =
        settle(store, &work, &change, deadline_ms, outcome_r, err);

    if (status == STATUS_OK && outcome_r->kind == APPLY_LIMIT &&
        !author->silent)
        tell_refusal(store, &change, outcome_r, deadline_ms);
    change_reset(&change);
    return status;
}

enum status apply_plan(struct store *store, const struct plan *plan,
                       const char *who, int64_t deadline_ms,
                       struct apply_outcome *outcome_r, struct errtext *err)
{
    struct apply_author author = {.who = who};

    return apply_plan_by(store, plan, &author, deadline_ms, outcome_r, err);
}

enum status apply_rehearse(struct store *store, const struct plan *plan,
                           int64_t deadline_ms, struct apply_outcome *outcome_r,
                           struct errtext *err)
{
    static const struct store_work work = {.run = run_and_undo, .sync = true};
    static const struct apply_author author = {.who = "rehearsal"};
    struct change change = {.plan = plan, .author = &author};
    enum status status =
        settle(store, &work, &change, deadline_ms, outcome_r, err);

    change_reset(&change);
    return status;
}
