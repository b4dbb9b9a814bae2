/* sync_domains - see sync_domains.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "sync_domains.h"

#include "address.h"
#include "apply_limit.h"
#include "store_domain.h"
#include "strbuf.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct domain {
    struct store_domain row; /* name and name_unicode are not owned: "" */
    char *target;            /* of an alias domain; NULL: a domain */
    UT_hash_handle hh;
    char name[];
};

struct sync_domains {
    struct domain *all;
    bool failed;
};

void sync_domains_free(struct sync_domains **domains)
{
    struct domain *domain = NULL;
    struct domain *next = NULL;

    if (*domains == NULL)
        return;
    HASH_ITER(hh, (*domains)->all, domain, next)
    {
        HASH_DEL((*domains)->all, domain);
        free(domain->target);
        free(domain);
    }
    free(*domains);
    *domains = NULL;
}

static struct domain *find(const struct sync_domains *domains, const char *name)
{
    struct domain *domain = NULL;

    HASH_FIND_STR(domains->all, name, domain);
    return domain;
}

static struct domain *add(struct sync_domains *domains, const char *name)
{
    struct domain *domain = calloc(1, sizeof(*domain) + strlen(name) + 1);

    if (domain == NULL) {
        domains->failed = true;
        return NULL;
    }
    memcpy(domain->name, name, strlen(name) + 1);
    HASH_ADD_STR(domains->all, name, domain);
    return domain;
}

static bool take_domain(const struct store_domain *row, void *arg)
{
    struct domain *domain = add(arg, row->name);

    if (domain == NULL)
        return false;
    domain->row = *row;
    domain->row.name = domain->name;
    domain->row.name_unicode = domain->name;
    return true;
}

static bool take_alias(const struct store_alias_domain *alias, void *arg)
{
    struct sync_domains *domains = arg;
    struct domain *domain = add(domains, alias->name);

    if (domain != NULL)
        domain->target = strdup(alias->target);
    domains->failed =
        domains->failed || domain == NULL || domain->target == NULL;
    return !domains->failed;
}

enum status sync_domains_load(struct store *store, int64_t deadline_ms,
                              struct sync_domains **domains_r,
                              struct errtext *err)
{
    struct sync_domains *domains = calloc(1, sizeof(*domains));
    struct store_domain_visitor visitor = {take_domain, domains};
    struct store_alias_domain_visitor aliases = {take_alias, domains};
    enum status status;

    if (domains == NULL)
        return status_no_memory(err);
    status = store_domain_list(store, &visitor, deadline_ms, err);
    if (status == STATUS_OK)
        status =
            store_alias_domain_list(store, NULL, &aliases, deadline_ms, err);
    if (status == STATUS_OK && domains->failed)
        status = status_no_memory(err);
    if (status == STATUS_OK)
        *domains_r = domains;
    else
        sync_domains_free(&domains);
    return status;
}

enum status sync_domains_resolve(const struct sync_domains *domains,
                                 char **address, struct errtext *err)
{
    const char *name = address_domain_of(*address);
    const struct domain *domain = find(domains, name);
    struct strbuf text = STRBUF_INIT(2 * ADDRESS_BYTES_MAX);
    char *resolved = NULL;
    enum status status;

    if (domain == NULL || domain->target == NULL)
        return STATUS_OK;
    strbuf_append_len(&text, *address, (size_t)(name - *address));
    strbuf_append(&text, domain->target);
    status = strbuf_take(&text, &resolved, err);
    if (status == STATUS_OK) {
        free(*address);
        *address = resolved;
    }
    return status;
}

/* What a plan takes from the domain it ends in. */
static struct store_charge charge_of(const struct plan *plan)
{
    const struct account *target = &plan->target;
    uint64_t bytes = target->set.quota_bytes;
    bool comes = plan->kind == PLAN_CREATE ||
                 (plan->kind == PLAN_RENAME &&
                  strcmp(plan->before.domain, target->domain) != 0);
    uint64_t had = comes ? 0 : plan->before.set.quota_bytes;
    struct store_charge charge = {
        .domain = target->domain,
        .mailboxes = comes ? 1 : 0,
        .needs_active = comes,
        .quota_bytes = (int64_t)bytes - (int64_t)had,
        .quota_grows = bytes > had && (comes || had > 0),
        .wanted_bytes = bytes,
        .unlimited = bytes == 0 && (comes || had > 0),
        .aliases = plan->kind == PLAN_CREATE ? (int64_t)target->alias_count : 0,
    };

    return charge;
}

enum apply_limit sync_domains_fit(struct sync_domains *domains,
                                  const struct plan *plan,
                                  struct errtext *reason)
{
    static const struct store_domain none = {.name = NULL};
    struct store_charge charge = charge_of(plan);
    struct domain *domain = find(domains, charge.domain);
    enum apply_limit limit = apply_limit_of(
        domain != NULL && domain->target == NULL ? &domain->row : &none,
        &charge, reason);

    if (limit != LIMIT_NONE)
        return limit;
    domain->row.mailboxes_used += (uint64_t)charge.mailboxes;
    domain->row.quota_allotted += (uint64_t)charge.quota_bytes;
    domain->row.aliases_used += (uint64_t)charge.aliases;
    return LIMIT_NONE;
}
