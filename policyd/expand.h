/*
 * expand - the mailboxes in which a recipient ends, as Postfix finds them
 *
 * In Postfix's order: the domain's own name for an alias domain; then the
 * alias at the address, at the address without its extension, the catch-all;
 * then a mailbox that has no alias. Several targets and aliases of aliases are
 * followed up to a bound. Pure over a look-up of the caller's.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_EXPAND_H
#define POLICYD_EXPAND_H

#include "name.h"
#include "status.h"
#include "store_policy.h"

#include <stdbool.h>
#include <stddef.h>

#define EXPAND_TARGETS_MAX 100 /* mailboxes of one recipient */
#define EXPAND_NAMES_MAX 300   /* addresses looked at for one recipient */

/* The look-ups; arrays as in store_policy.h. STATUS_OK or STATUS_TEMPFAIL. */
struct expand_source {
    enum status (*domain)(void *context, const char *name,
                          struct store_policy_domain *domain_r,
                          struct errtext *err);
    enum status (*aliases)(void *context, const char *const *addresses,
                           size_t count, struct store_policy_alias *aliases_r,
                           struct errtext *err);
    enum status (*mailboxes)(void *context, const char *const *addresses,
                             size_t count,
                             struct store_policy_mailbox *mailboxes_r,
                             struct errtext *err);
    void *context;
};

/* What a recipient comes to; starts as {0}. */
struct expansion {
    struct store_policy_mailbox *mailboxes; /* each once; owned */
    size_t count;
    size_t outside;  /* targets that are no mailbox of ours */
    bool known;      /* an alias or a mailbox stands for it */
    bool elsewhere;  /* a mailbox is in another domain than the name */
    bool incomplete; /* a bound was met: there may be more targets */
};
void expansion_clear(struct expansion *expansion);

/*
 * Follows name, whose domain is one of ours and not an alias domain.
 * Returns STATUS_OK and *expansion_r; STATUS_TEMPFAIL: no answer.
 */
enum status expand(const struct expand_source *source, const struct name *name,
                   const char *delimiters, struct expansion *expansion_r,
                   struct errtext *err) MUST_CHECK;

/*
 * Likewise, but what stands at the address itself is known already; its
 * mailbox is taken over.
 */
enum status expand_from(const struct expand_source *source,
                        const struct name *name, const char *delimiters,
                        struct store_policy_alias *alias,
                        struct expansion *expansion_r,
                        struct errtext *err) MUST_CHECK;

#endif
