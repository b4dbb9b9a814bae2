/* apply_limit - see apply_limit.h and apply.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "apply_limit.h"

#include "quantity.h"

#include <inttypes.h>

const char *apply_limit_name(enum apply_limit limit)
{
    switch (limit) {
    case LIMIT_NONE:
        return "none";
    case LIMIT_DOMAIN_UNKNOWN:
        return "domain_unknown";
    case LIMIT_DOMAIN_INACTIVE:
        return "domain_inactive";
    case LIMIT_MAX_MAILBOXES:
        return "max_mailboxes";
    case LIMIT_DOMAIN_QUOTA:
        return "domain_quota";
    case LIMIT_MAX_QUOTA:
        return "max_quota";
    case LIMIT_UNLIMITED:
        return "unlimited";
    case LIMIT_MAX_ALIASES:
        return "max_aliases";
    case LIMIT_ADDRESS_TAKEN:
        return "address_taken";
    case LIMIT_ALIAS_TAKEN:
        return "alias_taken";
    }
    return "unknown";
}

/* Returns what is left of a limit; what is over it is nothing. */
static uint64_t left(uint64_t limit, uint64_t used)
{
    return limit > used ? limit - used : 0;
}

/* Appends a size that is an amount, not a limit: 0 is not "unlimited". */
static void append_amount(struct strbuf *text, uint64_t bytes)
{
    if (bytes == 0)
        strbuf_append_char(text, '0');
    else
        quantity_append_size(text, bytes);
}

static bool is_over_mailboxes(const struct store_domain *domain,
                              const struct store_charge *charge)
{
    return charge->mailboxes > 0 && domain->max_mailboxes > 0 &&
           (uint64_t)charge->mailboxes >
               left(domain->max_mailboxes, domain->mailboxes_used);
}

static bool is_over_aliases(const struct store_domain *domain,
                            const struct store_charge *charge)
{
    return charge->aliases > 0 && domain->max_aliases > 0 &&
           (uint64_t)charge->aliases >
               left(domain->max_aliases, domain->aliases_used);
}

static bool is_over_quota(const struct store_domain *domain,
                          const struct store_charge *charge)
{
    uint64_t limit = charge->quota_grows && domain->quota_bytes > 0
                         ? domain->quota_bytes
                         : INT64_MAX;

    return charge->quota_bytes > 0 &&
           (uint64_t)charge->quota_bytes > left(limit, domain->quota_allotted);
}

static enum apply_limit tell_quota(const struct store_domain *domain,
                                   const struct store_charge *charge,
                                   struct strbuf *text)
{
    uint64_t limit = domain->quota_bytes > 0 ? domain->quota_bytes : INT64_MAX;

    strbuf_append(text, "quota: ");
    append_amount(text, (uint64_t)charge->quota_bytes);
    strbuf_append(text, " wanted, ");
    append_amount(text, left(limit, domain->quota_allotted));
    strbuf_append(text, " of ");
    append_amount(text, limit);
    strbuf_appendf(text, " left in %s", charge->domain);
    return LIMIT_DOMAIN_QUOTA;
}

static enum apply_limit tell_max_quota(const struct store_domain *domain,
                                       const struct store_charge *charge,
                                       struct strbuf *text)
{
    append_amount(text, charge->wanted_bytes);
    strbuf_append(text, " is over max_quota ");
    append_amount(text, domain->max_quota_bytes);
    strbuf_appendf(text, " of one mailbox in %s", charge->domain);
    return LIMIT_MAX_QUOTA;
}

static enum apply_limit tell_unlimited(const struct store_domain *domain,
                                       const struct store_charge *charge,
                                       struct strbuf *text)
{
    strbuf_appendf(text, "unlimited mailbox in a limited domain: %s has quota ",
                   charge->domain);
    quantity_append_size(text, domain->quota_bytes);
    strbuf_append(text, ", max_quota ");
    quantity_append_size(text, domain->max_quota_bytes);
    return LIMIT_UNLIMITED;
}

static enum apply_limit tell_mailboxes(const struct store_domain *domain,
                                       const struct store_charge *charge,
                                       struct strbuf *text)
{
    strbuf_appendf(
        text, "domain %s is full: %" PRIu64 " of %" PRIu64 " mailboxes",
        charge->domain, domain->mailboxes_used, domain->max_mailboxes);
    return LIMIT_MAX_MAILBOXES;
}

static enum apply_limit tell_aliases(const struct store_domain *domain,
                                     const struct store_charge *charge,
                                     struct strbuf *text)
{
    strbuf_appendf(
        text,
        "aliases: %" PRId64 " wanted, %" PRIu64 " of %" PRIu64 " left in %s",
        charge->aliases, left(domain->max_aliases, domain->aliases_used),
        domain->max_aliases, charge->domain);
    return LIMIT_MAX_ALIASES;
}

/* Finds the limit in a domain that exists and is active, if it has to be. */
static enum apply_limit find_limit(const struct store_domain *domain,
                                   const struct store_charge *charge,
                                   struct strbuf *text)
{
    if (is_over_mailboxes(domain, charge))
        return tell_mailboxes(domain, charge, text);
    if (charge->unlimited &&
        (domain->quota_bytes > 0 || domain->max_quota_bytes > 0))
        return tell_unlimited(domain, charge, text);
    if (charge->quota_grows && domain->max_quota_bytes > 0 &&
        charge->wanted_bytes > domain->max_quota_bytes)
        return tell_max_quota(domain, charge, text);
    if (is_over_quota(domain, charge))
        return tell_quota(domain, charge, text);
    if (is_over_aliases(domain, charge))
        return tell_aliases(domain, charge, text);
    return LIMIT_NONE;
}

enum apply_limit apply_limit_of(const struct store_domain *domain,
                                const struct store_charge *charge,
                                struct errtext *reason)
{
    struct strbuf text = STRBUF_INIT(2 * ERRTEXT_SIZE);
    enum apply_limit limit;

    if (domain->name == NULL) {
        errtext_set(reason, "%s is no domain of this store", charge->domain);
        return LIMIT_DOMAIN_UNKNOWN;
    }
    if (charge->needs_active && !domain->active) {
        errtext_set(reason, "domain %s is not active", charge->domain);
        return LIMIT_DOMAIN_INACTIVE;
    }
    limit = find_limit(domain, charge, &text);
    if (limit != LIMIT_NONE)
        errtext_set(reason, "%s",
                    text.failed ? apply_limit_name(limit) : strbuf_text(&text));
    strbuf_clear(&text);
    return limit;
}
