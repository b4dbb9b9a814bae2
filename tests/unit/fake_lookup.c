/* fake_lookup - see fake_lookup.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "fake_lookup.h"

#include "clock.h"

#include <stdlib.h>
#include <string.h>

static enum status away(struct errtext *err)
{
    errtext_set(err, "the store is away");
    return STATUS_TEMPFAIL;
}

static const struct fake_domain *domain_row(const struct fake_lookup *fake,
                                            const char *name)
{
    const struct fake_domain *row = fake->domains;

    while (row->name != NULL && strcmp(row->name, name) != 0)
        row++;
    if (row->name == NULL)
        return NULL;
    return row->target != NULL ? domain_row(fake, row->target) : row;
}

static enum status domain(void *context, const char *name, int64_t deadline_ms,
                          struct store_policy_domain *domain_r,
                          struct errtext *err)
{
    struct fake_lookup *fake = context;
    const struct fake_domain *row = domain_row(fake, name);

    (void)deadline_ms;
    (void)atomic_fetch_add(&fake->domain_calls, 1);
    if (atomic_load(&fake->away))
        return away(err);
    if (row == NULL)
        return STATUS_OK;
    domain_r->name = strdup(row->name);
    domain_r->active = !row->off;
    domain_r->max_usage_bytes = row->max_usage_bytes;
    domain_r->rate_messages = row->rate_messages;
    return domain_r->name != NULL ? STATUS_OK : status_no_memory(err);
}

static void copy_mailbox(const struct fake_lookup *fake, const char *address,
                         struct store_policy_mailbox *mailbox)
{
    const struct fake_mailbox *row = fake->mailboxes;

    while (row->address != NULL && strcmp(row->address, address) != 0)
        row++;
    if (row->address == NULL)
        return;
    *mailbox = (struct store_policy_mailbox){
        .address = strdup(row->address),
        .quota_bytes = row->quota_bytes,
        .used_bytes = row->used_bytes,
        .message_size_bytes = row->message_size_bytes,
        .rate_messages = row->rate_messages,
        .tls_in = row->tls_in,
        .smtp = true,
        .access = row->access,
    };
}

static const char *targets_of(const struct fake_lookup *fake,
                              const char *address)
{
    const struct fake_alias *row = fake->aliases;

    while (row->address != NULL && strcmp(row->address, address) != 0)
        row++;
    return row->address != NULL ? row->targets : NULL;
}

static enum status aliases(void *context, const char *const *addresses,
                           size_t count, int64_t deadline_ms,
                           struct store_policy_alias *aliases_r,
                           struct errtext *err)
{
    struct fake_lookup *fake = context;
    int delay_ms = atomic_load(&fake->delay_ms);

    (void)atomic_fetch_add(&fake->alias_calls, 1);
    if (delay_ms > 0)
        clock_sleep_ms(delay_ms < clock_left_ms(deadline_ms)
                           ? delay_ms
                           : clock_left_ms(deadline_ms));
    if (atomic_load(&fake->away) ||
        (delay_ms > 0 && clock_left_ms(deadline_ms) == 0))
        return away(err);
    for (size_t i = 0; i < count; i++) {
        const char *targets = targets_of(fake, addresses[i]);
        const char *onward = targets != NULL ? targets_of(fake, targets) : NULL;

        if (targets == NULL)
            continue;
        aliases_r[i].targets = strdup(targets);
        if (onward == NULL || strcmp(onward, targets) == 0)
            copy_mailbox(fake, targets, &aliases_r[i].mailbox);
    }
    return STATUS_OK;
}

static enum status mailboxes(void *context, const char *const *addresses,
                             size_t count, int64_t deadline_ms,
                             struct store_policy_mailbox *mailboxes_r,
                             struct errtext *err)
{
    struct fake_lookup *fake = context;

    (void)deadline_ms;
    (void)atomic_fetch_add(&fake->mailbox_calls, 1);
    if (atomic_load(&fake->away))
        return away(err);
    for (size_t i = 0; i < count; i++)
        copy_mailbox(fake, addresses[i], &mailboxes_r[i]);
    return STATUS_OK;
}

static enum status sender(void *context, const char *login,
                          const char *const *senders, size_t count,
                          int64_t deadline_ms, bool *given_r,
                          struct errtext *err)
{
    struct fake_lookup *fake = context;

    (void)deadline_ms;
    if (atomic_load(&fake->away))
        return away(err);
    *given_r = false;
    for (const struct fake_sender *row = fake->senders; row->login != NULL;
         row++) {
        for (size_t i = 0; i < count && strcmp(row->login, login) == 0; i++)
            *given_r = *given_r || strcmp(row->sender, senders[i]) == 0;
    }
    return STATUS_OK;
}

static enum status usage(void *context, const char *name, int64_t deadline_ms,
                         uint64_t *bytes_r, struct errtext *err)
{
    struct fake_lookup *fake = context;
    const struct fake_domain *row = domain_row(fake, name);

    (void)deadline_ms;
    (void)atomic_fetch_add(&fake->usage_calls, 1);
    if (atomic_load(&fake->away))
        return away(err);
    *bytes_r = row != NULL ? row->used_bytes : 0;
    return STATUS_OK;
}

struct lookup_source fake_lookup_source(struct fake_lookup *fake)
{
    struct lookup_source source = {.domain = domain,
                                   .aliases = aliases,
                                   .mailboxes = mailboxes,
                                   .sender = sender,
                                   .usage = usage,
                                   .context = fake};

    return source;
}
