/* lookup_store - see lookup.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "lookup.h"

static enum status domain(void *context, const char *name, int64_t deadline_ms,
                          struct store_policy_domain *domain_r,
                          struct errtext *err)
{
    return store_policy_domain(context, name, deadline_ms, domain_r, err);
}

static enum status aliases(void *context, const char *const *addresses,
                           size_t count, int64_t deadline_ms,
                           struct store_policy_alias *aliases_r,
                           struct errtext *err)
{
    return store_policy_aliases(context, addresses, count, deadline_ms,
                                aliases_r, err);
}

static enum status mailboxes(void *context, const char *const *addresses,
                             size_t count, int64_t deadline_ms,
                             struct store_policy_mailbox *mailboxes_r,
                             struct errtext *err)
{
    return store_policy_mailboxes(context, addresses, count, deadline_ms,
                                  mailboxes_r, err);
}

static enum status sender(void *context, const char *login,
                          const char *const *senders, size_t count,
                          int64_t deadline_ms, bool *given_r,
                          struct errtext *err)
{
    return store_policy_sender(context, login, senders, count, deadline_ms,
                               given_r, err);
}

static enum status usage(void *context, const char *name, int64_t deadline_ms,
                         uint64_t *bytes_r, struct errtext *err)
{
    return store_policy_usage(context, name, deadline_ms, bytes_r, err);
}

struct lookup_source lookup_store(struct store *store)
{
    struct lookup_source source = {.domain = domain,
                                   .aliases = aliases,
                                   .mailboxes = mailboxes,
                                   .sender = sender,
                                   .usage = usage,
                                   .context = store};

    return source;
}
