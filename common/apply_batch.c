/* apply_batch - many plans in one transaction; see apply.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "apply.h"

#include "apply_private.h"

#include "address.h"
#include "store_event.h"
#include "store_lease.h"

#include <stdlib.h>
#include <string.h>

/* The plans, and what one transaction for all of them needs. */
struct batch {
    const struct plan *const *plans;
    size_t count;
    const struct apply_author *author;
    struct store_charge *charges; /* a domain each */
    size_t charge_count;
    bool refused; /* one of the plans does not fit: nothing is written */
};

/* The charge of a domain, which is new at most count times. */
static struct store_charge *charge_of(struct batch *batch, const char *domain)
{
    for (size_t i = batch->charge_count; i-- > 0;) {
        if (strcmp(batch->charges[i].domain, domain) == 0)
            return &batch->charges[i];
    }
    batch->charges[batch->charge_count] =
        (struct store_charge){.domain = domain};
    return &batch->charges[batch->charge_count++];
}

/*
 * Adds a mailbox to what its domain is charged. The UPDATE asks for the largest
 * of them, and for all together: what does not fit so is tried one by one.
 */
static void charge_mailbox(struct batch *batch, const struct account *account)
{
    struct store_charge *charge = charge_of(batch, account->domain);
    uint64_t bytes = account->set.quota_bytes;

    charge->mailboxes += 1;
    charge->needs_active = true;
    charge->quota_bytes += (int64_t)bytes;
    charge->quota_grows = charge->quota_grows || bytes > 0;
    charge->unlimited = charge->unlimited || bytes == 0;
    if (bytes > charge->wanted_bytes)
        charge->wanted_bytes = bytes;
    charge->aliases += (int64_t)account->alias_count;
}

/* Aliases in the mailbox's own domain are counted there; others are rare. */
static bool is_plain(const struct plan *plan)
{
    if (plan->kind != PLAN_CREATE)
        return false;
    for (size_t i = 0; i < plan->target.alias_count; i++) {
        if (strcmp(address_domain_of(plan->target.aliases[i]),
                   plan->target.domain) != 0)
            return false;
    }
    return true;
}

static int compare_charges(const void *a, const void *b)
{
    const struct store_charge *left = a;
    const struct store_charge *right = b;

    return strcmp(left->domain, right->domain);
}

static enum status take_charges(struct store_connection *db,
                                struct batch *batch, struct errtext *err)
{
    enum status status = STATUS_OK;

    qsort(batch->charges, batch->charge_count, sizeof(*batch->charges),
          compare_charges);
    for (size_t i = 0; status == STATUS_OK && i < batch->charge_count; i++)
        status = store_charge(db, &batch->charges[i], err);
    return status;
}

static enum status insert_mailboxes(struct store_connection *db,
                                    const struct batch *batch,
                                    struct errtext *err)
{
    const struct account **accounts =
        calloc(batch->count + 1, sizeof(const struct account *));
    enum status status;

    if (accounts == NULL)
        return status_no_memory(err);
    for (size_t i = 0; i < batch->count; i++)
        accounts[i] = &batch->plans[i]->target;
    status = store_insert_mailboxes(db, accounts, batch->count, err);
    free(accounts);
    return status;
}

static enum status insert_aliases(struct store_connection *db,
                                  const struct batch *batch,
                                  struct errtext *err)
{
    struct store_new_alias *rows = NULL;
    size_t count = batch->count;
    size_t next = 0;
    enum status status;

    for (size_t i = 0; i < batch->count; i++)
        count += batch->plans[i]->target.alias_count;
    rows = calloc(count + 1, sizeof(*rows));
    if (rows == NULL)
        return status_no_memory(err);
    for (size_t i = 0; i < batch->count; i++) {
        const struct account *target = &batch->plans[i]->target;

        rows[next++] =
            (struct store_new_alias){target->address, "self", target->address};
        for (size_t n = 0; n < target->alias_count; n++)
            rows[next++] = (struct store_new_alias){
                target->aliases[n], "directory", target->address};
    }
    status = store_insert_aliases(db, rows, next, err);
    free(rows);
    return status;
}

static enum status insert_events(struct store_connection *db,
                                 const struct batch *batch, struct errtext *err)
{
    struct change_story *stories = calloc(batch->count + 1, sizeof(*stories));
    struct store_event *events = calloc(batch->count + 1, sizeof(*events));
    enum status status = STATUS_OK;

    if (stories == NULL || events == NULL)
        status = status_no_memory(err);
    for (size_t i = 0; status == STATUS_OK && i < batch->count; i++) {
        struct change change = {
            .plan = batch->plans[i],
            .author = batch->author,
            .next = batch->plans[i]->target, /* borrowed */
            .added = batch->plans[i]->target.aliases,
            .added_count = batch->plans[i]->target.alias_count,
        };

        status = change_tell(&change, &stories[i], &events[i], err);
    }
    if (status == STATUS_OK)
        status = store_event_insert_many(db, events, batch->count, err);
    for (size_t i = 0; stories != NULL && i < batch->count; i++)
        change_story_clear(&stories[i]);
    free(stories);
    free(events);
    return status;
}

/* New mailboxes, a statement for all rows of a kind. */
static enum status run_creates(struct store_connection *db, struct batch *batch,
                               struct errtext *err)
{
    enum status status;

    batch->charge_count = 0;
    for (size_t i = 0; i < batch->count; i++)
        charge_mailbox(batch, &batch->plans[i]->target);
    status = take_charges(db, batch, err);
    if (status == STATUS_OK)
        status = insert_mailboxes(db, batch, err);
    if (status == STATUS_OK)
        status = insert_aliases(db, batch, err);
    if (status == STATUS_OK)
        status = insert_events(db, batch, err);
    return status;
}

/* Any plans, one after the other. */
static enum status run_changes(struct store_connection *db, struct batch *batch,
                               struct errtext *err)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < batch->count; i++) {
        struct change change = {.plan = batch->plans[i],
                                .author = batch->author};

        status = change_run(db, &change, err);
        change_reset(&change);
    }
    return status;
}

static enum status run_batch(struct store_connection *db, void *arg,
                             struct errtext *err)
{
    struct batch *batch = arg;
    bool creates = true;
    enum status status = STATUS_OK;

    batch->refused = false;
    if (batch->author->lease != NULL)
        status = store_lease_hold(db, batch->author->lease, err);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; creates && i < batch->count; i++)
        creates = is_plain(batch->plans[i]);
    status =
        creates ? run_creates(db, batch, err) : run_changes(db, batch, err);
    batch->refused = status == STATUS_DENIED;
    return status;
}

enum status apply_batch(struct store *store, const struct plan *const *plans,
                        size_t count, const struct apply_author *author,
                        int64_t deadline_ms, bool *whole_r, struct errtext *err)
{
    static const struct store_work work = {
        .run = run_batch, .sync = true, .token = true};
    struct batch batch = {.plans = plans, .count = count, .author = author};
    enum status status;

    *whole_r = true;
    if (count == 0)
        return STATUS_OK;
    batch.charges = calloc(count, sizeof(*batch.charges));
    if (batch.charges == NULL)
        return status_no_memory(err);
    status = store_work(store, &work, &batch, deadline_ms, err);
    if (status == STATUS_DENIED && batch.refused) {
        *whole_r = false;
        status = STATUS_OK;
    }
    free(batch.charges);
    return status;
}
