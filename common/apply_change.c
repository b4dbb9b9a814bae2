/* apply_change - see apply_private.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "apply_private.h"

#include "store_sync.h"

#include <stdlib.h>
#include <string.h>

void change_reset(struct change *change)
{
    const struct plan *plan = change->plan;
    const struct apply_author *author = change->author;

    account_clear(&change->now);
    account_clear(&change->next);
    free(change->added);
    free(change->dropped);
    free(change->charges);
    *change = (struct change){.plan = plan, .author = author};
}

struct store_charge *change_charge(struct change *change, const char *domain)
{
    struct store_charge *larger;

    for (size_t i = 0; i < change->charge_count; i++) {
        if (strcmp(change->charges[i].domain, domain) == 0)
            return &change->charges[i];
    }
    larger =
        realloc(change->charges, (change->charge_count + 1) * sizeof(*larger));
    if (larger == NULL)
        return NULL;
    change->charges = larger;
    larger[change->charge_count] = (struct store_charge){.domain = domain};
    return &larger[change->charge_count++];
}

/* Notes why the transaction ends here. */
static enum status refuse(struct change *change, enum change_failure failure)
{
    change->failure = failure;
    return STATUS_DENIED;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/*
 * Says whether the row is what the plan was made from. Pins and the
 * administrator's block may have changed: they are obeyed as they are now.
 */
static bool is_as_planned(const struct account *now,
                          const struct account *before)
{
    return now->source == before->source &&
           same_text(now->directory, before->directory) &&
           same_text(now->directory_id, before->directory_id) &&
           same_text(now->fingerprint, before->fingerprint) &&
           now->directory_state == before->directory_state;
}

static bool replace_text(char **field, const char *text)
{
    char *copy = NULL;

    if (text != NULL) {
        copy = strdup(text);
        if (copy == NULL)
            return false;
    }
    free(*field);
    *field = copy;
    return true;
}

/* Makes next: the row as it is, and what the plan changes of it. */
static enum status make_next(struct change *change, struct errtext *err)
{
    const struct plan *plan = change->plan;
    const struct account *target = &plan->target;
    struct account *next = &change->next;
    /* A pin holds against everybody but an administrator. */
    unsigned changed = plan->changed & (~change->now.pinned | plan->pin);
    bool done;

    if (account_copy(&change->now, next, err) != STATUS_OK)
        return STATUS_TEMPFAIL;
    done = replace_text(&next->address, target->address) &&
           replace_text(&next->domain, target->domain) &&
           replace_text(&next->directory, target->directory) &&
           replace_text(&next->directory_id, target->directory_id) &&
           replace_text(&next->template_name, target->template_name) &&
           replace_text(&next->fingerprint, target->fingerprint);
    next->directory_state = target->directory_state;
    next->sync_print = target->sync_print;
    for (unsigned i = 0; done && i < ACCOUNT_SETTING_COUNT; i++) {
        if ((changed & ACCOUNT_SET_BIT(i)) != 0)
            done = account_copy_setting(next, target, (enum account_setting)i,
                                        NULL) == STATUS_OK;
    }
    next->pinned |= plan->pin;
    return done ? STATUS_OK : status_no_memory(err);
}

/* Reads and locks the row, and makes what it is to become. */
static enum status prepare(struct store_connection *db, struct change *change,
                           struct errtext *err)
{
    const struct plan *plan = change->plan;
    enum status status;

    if (plan->kind == PLAN_CREATE)
        return account_copy(&plan->target, &change->next, err);
    status = store_read_mailbox(
        db,
        plan->kind == PLAN_RENAME ? plan->old_address : plan->target.address,
        true, &change->now, err);
    if (status == STATUS_NOT_FOUND)
        return refuse(change, CHANGE_STALE);
    if (status != STATUS_OK)
        return status;
    if (!is_as_planned(&change->now, &plan->before))
        return refuse(change, CHANGE_STALE);
    return make_next(change, err);
}

/* The mailbox comes into its domain. */
static enum status charge_arrival(struct change *change, struct errtext *err)
{
    uint64_t bytes = change->next.set.quota_bytes;
    struct store_charge *charge = change_charge(change, change->next.domain);

    if (charge == NULL)
        return status_no_memory(err);
    charge->mailboxes += 1;
    charge->needs_active = true;
    charge->quota_bytes += (int64_t)bytes;
    charge->quota_grows = bytes > 0;
    charge->wanted_bytes = bytes;
    charge->unlimited = bytes == 0;
    return STATUS_OK;
}

static enum status charge_departure(struct change *change, struct errtext *err)
{
    struct store_charge *charge = change_charge(change, change->now.domain);

    if (charge == NULL)
        return status_no_memory(err);
    charge->mailboxes -= 1;
    charge->quota_bytes -= (int64_t)change->now.set.quota_bytes;
    return STATUS_OK;
}

/* The quota changes where it is. To shrink is always allowed, and so is it to
 * give an unlimited mailbox a quota. */
static enum status charge_difference(struct change *change, struct errtext *err)
{
    uint64_t before = change->now.set.quota_bytes;
    uint64_t after = change->next.set.quota_bytes;
    struct store_charge *charge;

    if (before == after)
        return STATUS_OK;
    charge = change_charge(change, change->next.domain);
    if (charge == NULL)
        return status_no_memory(err);
    charge->quota_bytes += (int64_t)after - (int64_t)before;
    charge->quota_grows = before > 0 && after > before;
    charge->wanted_bytes = after;
    charge->unlimited = after == 0;
    return STATUS_OK;
}

/* A new name that is an alias of the mailbox's own is turned into it. */
static enum status check_new_name(struct store_connection *db,
                                  struct change *change, struct errtext *err)
{
    struct store_alias alias = {0};
    struct store_charge *charge = NULL;
    enum status status =
        store_read_alias(db, change->next.address, &alias, err);

    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status != STATUS_OK)
        return status;
    if (!same_text(alias.owner, change->now.address)) {
        status = refuse(change, CHANGE_KEY_TAKEN);
    } else {
        change->turns_alias = true;
        charge = change_charge(change, change->next.domain);
        if (charge == NULL)
            status = status_no_memory(err);
        else if (alias.is_directory)
            charge->aliases -= 1;
    }
    store_alias_clear(&alias);
    return status;
}

static enum status charge_mailbox(struct store_connection *db,
                                  struct change *change, struct errtext *err)
{
    bool moves = change->plan->kind == PLAN_RENAME &&
                 strcmp(change->now.domain, change->next.domain) != 0;
    enum status status = STATUS_OK;

    if (change->plan->kind == PLAN_CREATE)
        return charge_arrival(change, err);
    if (change->plan->kind == PLAN_RENAME)
        status = check_new_name(db, change, err);
    if (status != STATUS_OK || !moves)
        return status == STATUS_OK ? charge_difference(change, err) : status;
    status = charge_departure(change, err);
    return status == STATUS_OK ? charge_arrival(change, err) : status;
}

static int compare_charges(const void *a, const void *b)
{
    const struct store_charge *left = a;
    const struct store_charge *right = b;

    return strcmp(left->domain, right->domain);
}

/* Takes all charges, in name order, so that two changes do not deadlock. */
static enum status take_charges(struct store_connection *db,
                                struct change *change, struct errtext *err)
{
    enum status status = STATUS_OK;

    if (change->charge_count > 0)
        qsort(change->charges, change->charge_count, sizeof(*change->charges),
              compare_charges);
    for (size_t i = 0; status == STATUS_OK && i < change->charge_count; i++) {
        status = store_charge(db, &change->charges[i], err);
        if (status == STATUS_DENIED) {
            change->failed_charge = change->charges[i];
            return refuse(change, CHANGE_OVER_LIMIT);
        }
    }
    return status;
}

static enum status write_aliases(struct store_connection *db,
                                 struct change *change, struct errtext *err)
{
    const char *owner = change->next.address;
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < change->dropped_count; i++)
        status = store_delete_alias(db, change->dropped[i], owner, err);
    for (size_t i = 0; status == STATUS_OK && i < change->added_count; i++) {
        status =
            store_insert_alias(db, change->added[i], "directory", owner, err);
        if (status == STATUS_DENIED) {
            change->failed_alias = change->added[i];
            return refuse(change, CHANGE_ALIAS_TAKEN);
        }
    }
    return status;
}

static enum status write_new(struct store_connection *db, struct change *change,
                             struct errtext *err)
{
    const struct account *next = &change->next;
    enum status status = store_insert_mailbox(db, next, err);

    if (status == STATUS_OK)
        status =
            store_insert_alias(db, next->address, "self", next->address, err);
    return status == STATUS_DENIED ? refuse(change, CHANGE_KEY_TAKEN) : status;
}

/* The old name becomes an alias for a time, unless somebody else needs it. */
static enum status leave_old_name(struct store_connection *db,
                                  const struct change *change,
                                  struct errtext *err)
{
    const char *old_name = change->now.address;
    uint64_t seconds = change->plan->old_name_seconds;
    enum status status;

    if (change->plan->drops_old_name)
        return store_drop_alias(db, old_name, old_name, err);
    status = store_turn_alias(db, old_name, "rename", old_name, err);
    if (status == STATUS_NOT_FOUND)
        status = store_insert_alias(db, old_name, "rename", old_name, err);
    if (status == STATUS_OK && seconds > 0)
        status = store_expire_alias(db, old_name, seconds, err);
    return status;
}

/* All that hangs on the old name goes along. */
static enum status write_new_name(struct store_connection *db,
                                  struct change *change, struct errtext *err)
{
    const char *old_name = change->now.address;
    const char *new_name = change->next.address;
    enum status status = leave_old_name(db, change, err);

    if (status == STATUS_OK)
        status = store_move_rows(db, old_name, new_name, err);
    if (status != STATUS_OK)
        return status;
    if (change->turns_alias)
        return store_turn_alias(db, new_name, "self", new_name, err);
    return store_insert_alias(db, new_name, "self", new_name, err);
}

static enum status write_rows(struct store_connection *db,
                              struct change *change, struct errtext *err)
{
    enum status status;

    if (change->plan->kind == PLAN_CREATE) {
        status = write_new(db, change, err);
    } else {
        status =
            store_update_mailbox(db, change->now.address, &change->next, err);
        if (status == STATUS_OK && change->plan->kind == PLAN_RENAME)
            status = write_new_name(db, change, err);
        if (status == STATUS_DENIED || status == STATUS_NOT_FOUND)
            status = refuse(change, CHANGE_KEY_TAKEN);
    }
    if (status == STATUS_OK)
        status = write_aliases(db, change, err);
    return status;
}

/*
 * A run of provost-sync may close so many a day: that it closed this one is
 * written with it, so that a run that is killed does not forget it.
 */
static enum status note_removal(struct store_connection *db,
                                const struct change *change,
                                struct errtext *err)
{
    const struct account *next = &change->next;

    if (change->author->lease == NULL || change->plan->kind == PLAN_CREATE ||
        next->directory_state == ACCOUNT_PRESENT ||
        next->directory_state == change->now.directory_state ||
        next->directory == NULL || next->directory_id == NULL)
        return STATUS_OK;
    return store_sync_note_removal(db, next->directory, next->directory_id,
                                   next->domain, err);
}

enum status change_run(struct store_connection *db, void *arg,
                       struct errtext *err)
{
    struct change *change = arg;
    enum status status;

    change_reset(change);
    status = prepare(db, change, err);
    if (status == STATUS_OK)
        status = charge_mailbox(db, change, err);
    if (status == STATUS_OK)
        status = change_aliases(db, change, err);
    if (status == STATUS_OK)
        status = take_charges(db, change, err);
    if (status == STATUS_OK)
        status = write_rows(db, change, err);
    if (status == STATUS_OK)
        status = note_removal(db, change, err);
    if (status != STATUS_OK)
        return status;
    status = change_event(db, change, err);
    return status == STATUS_DENIED ? refuse(change, CHANGE_LANDED) : status;
}
