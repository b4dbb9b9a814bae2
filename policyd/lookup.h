/*
 * lookup - the facts behind the rules, from memory or from the store
 *
 * Turns names of a request into facts: which domain it is, where a recipient
 * ends, what a login may. A table of functions stands for the store, so that
 * tests have their own. Thread-safe.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_LOOKUP_H
#define POLICYD_LOOKUP_H

#include "accounts.h"
#include "expand.h"
#include "name.h"
#include "store.h"
#include "store_policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The questions; each ends by deadline_ms. As in store_policy.h. */
struct lookup_source {
    enum status (*domain)(void *context, const char *name, int64_t deadline_ms,
                          struct store_policy_domain *domain_r,
                          struct errtext *err);
    enum status (*aliases)(void *context, const char *const *addresses,
                           size_t count, int64_t deadline_ms,
                           struct store_policy_alias *aliases_r,
                           struct errtext *err);
    enum status (*mailboxes)(void *context, const char *const *addresses,
                             size_t count, int64_t deadline_ms,
                             struct store_policy_mailbox *mailboxes_r,
                             struct errtext *err);
    enum status (*sender)(void *context, const char *login,
                          const char *const *senders, size_t count,
                          int64_t deadline_ms, bool *given_r,
                          struct errtext *err);
    enum status (*usage)(void *context, const char *domain, int64_t deadline_ms,
                         uint64_t *bytes_r, struct errtext *err);
    void *context;
};

/* The questions as the store answers them. */
struct lookup_source lookup_store(struct store *store);

struct domain_fact {
    struct fact head;
    struct store_policy_domain domain;
};

struct recipient_fact {
    struct fact head;
    struct expansion expansion;
};

struct login_fact {
    struct fact head;
    struct store_policy_mailbox mailbox; /* address NULL: none */
};

struct sender_fact {
    struct fact head;
    bool own; /* the login may send with it */
};

struct lookup;

/*
 * delimiters are copied. STATUS_OK and an owned *lookup_r, or STATUS_TEMPFAIL
 * without memory.
 */
enum status lookup_new(const struct lookup_source *source,
                       struct accounts_limits limits, const char *delimiters,
                       struct lookup **lookup_r,
                       struct errtext *err) MUST_CHECK;
void lookup_free(struct lookup **lookup);

/* How a fact may be got; now_ms is clock_ms(). */
struct lookup_time {
    bool may_wait; /* false: from memory alone */
    int64_t now_ms;
    int64_t deadline_ms;
};

/*
 * Each returns STATUS_OK and a held fact (fact_release on its head);
 * STATUS_NOT_FOUND: not in memory, and may not wait; STATUS_TEMPFAIL: no
 * answer. Names are canonical; those of recipients, logins and senders stand
 * in the domain's own name.
 */
enum status lookup_domain(struct lookup *lookup, const char *name,
                          const struct lookup_time *when,
                          struct domain_fact **fact_r,
                          struct errtext *err) MUST_CHECK;
enum status lookup_recipient(struct lookup *lookup, const struct name *name,
                             const struct lookup_time *when,
                             struct recipient_fact **fact_r,
                             struct errtext *err) MUST_CHECK;
enum status lookup_login(struct lookup *lookup, const char *login,
                         const struct lookup_time *when,
                         struct login_fact **fact_r,
                         struct errtext *err) MUST_CHECK;
enum status lookup_sender(struct lookup *lookup, const char *login,
                          const struct name *sender,
                          const struct lookup_time *when,
                          struct sender_fact **fact_r,
                          struct errtext *err) MUST_CHECK;

/*
 * Says what will be looked up in a moment, as the client wrote it: most names
 * are canonical, and for others nothing is lost.
 */
void lookup_expect(struct lookup *lookup, const char *login,
                   const char *recipient);

/* A recipient has come into being: it is looked up again. */
void lookup_forget(struct lookup *lookup, const struct name *name);

struct accounts *lookup_accounts(struct lookup *lookup);

#endif
