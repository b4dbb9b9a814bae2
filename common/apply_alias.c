/* apply_alias - see apply_private.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "apply_private.h"

#include "address.h"

#include <stdlib.h>
#include <string.h>

static int compare_texts(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return strcmp(*left, *right);
}

static bool contains(char *const *list, size_t count, const char *text)
{
    return count > 0 &&
           bsearch(&text, list, count, sizeof(*list), compare_texts) != NULL;
}

/*
 * Says whether an alias can be made: STATUS_OK; STATUS_NOT_FOUND when there is
 * nothing to do, because its domain is none of ours or it leads to the mailbox
 * already; STATUS_DENIED when it is somebody else's.
 */
static enum status check_alias(struct store_connection *db,
                               struct change *change, const char *address,
                               struct errtext *err)
{
    struct store_alias alias = {0};
    struct store_domain domain = {0};
    enum status status =
        store_read_domain(db, address_domain_of(address), &domain, err);
    bool is_own;

    store_domain_clear(&domain);
    if (status == STATUS_OK)
        status = store_read_alias(db, address, &alias, err);
    else
        return status;
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    is_own = alias.owner != NULL && change->now.address != NULL &&
             strcmp(alias.owner, change->now.address) == 0;
    store_alias_clear(&alias);
    if (is_own)
        return STATUS_NOT_FOUND;
    change->failure = CHANGE_ALIAS_TAKEN;
    change->failed_alias = address;
    errtext_set(err, "alias %s is taken", address);
    return STATUS_DENIED;
}

static enum status charge_alias(struct change *change, const char *address,
                                int64_t difference, struct errtext *err)
{
    struct store_charge *charge =
        change_charge(change, address_domain_of(address));

    if (charge == NULL)
        return status_no_memory(err);
    charge->aliases += difference;
    return STATUS_OK;
}

static enum status add_aliases(struct store_connection *db,
                               struct change *change, struct errtext *err)
{
    /* The plan's own texts: a failure is explained when next is gone. */
    char *const *wanted = change->plan->target.aliases;
    size_t count = change->plan->target.alias_count;
    enum status status = STATUS_OK;

    change->added = calloc(count + 1, sizeof(*change->added));
    if (change->added == NULL)
        return status_no_memory(err);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (contains(change->now.aliases, change->now.alias_count, wanted[i]) ||
            strcmp(wanted[i], change->next.address) == 0 ||
            (i > 0 && strcmp(wanted[i], wanted[i - 1]) == 0))
            continue;
        status = check_alias(db, change, wanted[i], err);
        if (status == STATUS_OK) {
            change->added[change->added_count++] = wanted[i];
            status = charge_alias(change, wanted[i], 1, err);
        } else if (status == STATUS_NOT_FOUND) {
            status = STATUS_OK;
        }
    }
    return status;
}

static enum status drop_aliases(struct change *change, struct errtext *err)
{
    const struct account *target = &change->plan->target;
    const struct account *now = &change->now;
    enum status status = STATUS_OK;

    change->dropped = calloc(now->alias_count + 1, sizeof(*change->dropped));
    if (change->dropped == NULL)
        return status_no_memory(err);
    for (size_t i = 0; i < now->alias_count && status == STATUS_OK; i++) {
        /* One that becomes the mailbox's own name is turned, not dropped. */
        if (contains(target->aliases, target->alias_count, now->aliases[i]) ||
            strcmp(now->aliases[i], change->next.address) == 0)
            continue;
        change->dropped[change->dropped_count++] = now->aliases[i];
        status = charge_alias(change, now->aliases[i], -1, err);
    }
    return status;
}

enum status change_aliases(struct store_connection *db, struct change *change,
                           struct errtext *err)
{
    unsigned bit = ACCOUNT_SET_BIT(ACCOUNT_SET_ALIASES);
    struct account *now = &change->now;
    enum status status = STATUS_OK;

    if (change->plan->kind != PLAN_CREATE &&
        ((change->plan->changed & bit) == 0 || (now->pinned & bit) != 0))
        return STATUS_OK;
    if (now->address != NULL)
        status = store_read_aliases(db, now->address, &now->aliases,
                                    &now->alias_count, err);
    if (status != STATUS_OK)
        return status;
    if (now->alias_count > 0)
        qsort(now->aliases, now->alias_count, sizeof(*now->aliases),
              compare_texts);
    status = add_aliases(db, change, err);
    if (status == STATUS_OK)
        status = drop_aliases(change, err);
    return status;
}
