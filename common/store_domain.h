/*
 * store_domain - what an administrator does to domains and mailboxes
 *
 * Every change leaves an event. A domain's name and its U-label are canonical
 * (address.h) when they come here. who is as in store_event.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_DOMAIN_H
#define COMMON_STORE_DOMAIN_H

#include "account.h"
#include "status.h"
#include "store.h"

#include <stdbool.h>
#include <stdint.h>

/* Which fields of a domain are to be changed. */
enum store_domain_field {
    STORE_DOMAIN_ACTIVE = 1,
    STORE_DOMAIN_MAX_MAILBOXES = 2,
    STORE_DOMAIN_QUOTA = 4,
    STORE_DOMAIN_MAX_QUOTA = 8,
    STORE_DOMAIN_MAX_USAGE = 16,
    STORE_DOMAIN_MAX_ALIASES = 32,
    STORE_DOMAIN_RATE_MESSAGES = 64,
    STORE_DOMAIN_RATE_RECIPIENTS = 128
};

/*
 * Adds a domain with the limits in domain; its counters start at 0.
 * Returns STATUS_OK; STATUS_DENIED if the name is a domain or an alias domain
 * already; STATUS_TEMPFAIL.
 */
enum status store_domain_add(struct store *store,
                             const struct store_domain *domain, const char *who,
                             int64_t deadline_ms,
                             struct errtext *err) MUST_CHECK;

/*
 * Changes those fields (enum store_domain_field bits) of the domain of that
 * name. Limits below what is used are allowed: nothing more fits then.
 * Returns STATUS_OK; STATUS_NOT_FOUND; STATUS_TEMPFAIL.
 */
enum status store_domain_edit(struct store *store,
                              const struct store_domain *domain,
                              unsigned fields, const char *who,
                              int64_t deadline_ms,
                              struct errtext *err) MUST_CHECK;

/*
 * Removes a domain. Returns STATUS_OK; STATUS_NOT_FOUND; STATUS_DENIED while
 * it has mailboxes, aliases or alias domains, err says how many;
 * STATUS_TEMPFAIL.
 */
enum status store_domain_remove(struct store *store, const char *name,
                                const char *who, int64_t deadline_ms,
                                struct errtext *err) MUST_CHECK;

/* Reads one domain by its canonical name; alias domains are not resolved. */
enum status store_domain_find(struct store *store, const char *name,
                              int64_t deadline_ms,
                              struct store_domain *domain_r,
                              struct errtext *err) MUST_CHECK;

/* Who wants to see domains one after the other. */
struct store_domain_visitor {
    /* Returns false to end the list. domain lives until it returns. */
    bool (*visit)(const struct store_domain *domain, void *arg);
    void *arg;
};

/*
 * Calls the visitor for each domain in name order; read in pages, so that the
 * memory does not grow with their number.
 */
enum status store_domain_list(struct store *store,
                              const struct store_domain_visitor *visitor,
                              int64_t deadline_ms,
                              struct errtext *err) MUST_CHECK;

/* What the mailboxes of a domain hold, as Dovecot counts it. */
struct store_domain_usage {
    uint64_t bytes;
    uint64_t messages;
};

/* Adds up what is used in a domain; 0 where nothing is. */
enum status store_domain_usage(struct store *store, const char *name,
                               int64_t deadline_ms,
                               struct store_domain_usage *usage_r,
                               struct errtext *err) MUST_CHECK;

/*
 * Makes name (U-label: name_unicode) another name of the domain target.
 * Returns STATUS_OK; STATUS_DENIED if it is a domain or alias domain already;
 * STATUS_NOT_FOUND if target is no domain (an alias domain is none, so that
 * there are no loops); STATUS_TEMPFAIL.
 */
enum status store_alias_domain_add(struct store *store, const char *name,
                                   const char *name_unicode, const char *target,
                                   const char *who, int64_t deadline_ms,
                                   struct errtext *err) MUST_CHECK;

/* Returns STATUS_OK, STATUS_NOT_FOUND or STATUS_TEMPFAIL. */
enum status store_alias_domain_remove(struct store *store, const char *name,
                                      const char *who, int64_t deadline_ms,
                                      struct errtext *err) MUST_CHECK;

/* One alias domain; borrowed. */
struct store_alias_domain {
    const char *name;
    const char *name_unicode;
    const char *target; /* the domain it is another name of */
    bool active;
};

struct store_alias_domain_visitor {
    /* Returns false to end the list. alias lives until it returns. */
    bool (*visit)(const struct store_alias_domain *alias, void *arg);
    void *arg;
};

/*
 * Calls the visitor for each alias domain (of target, NULL: of all) in name
 * order, read in pages.
 */
enum status
store_alias_domain_list(struct store *store, const char *target,
                        const struct store_alias_domain_visitor *visitor,
                        int64_t deadline_ms, struct errtext *err) MUST_CHECK;

/*
 * Changes who checks the password of the mailbox at address. directory is the
 * settings' name of the directory for ACCOUNT_LDAP (a mailbox that belonged to
 * another one loses its id, and the next login adopts it), NULL for
 * ACCOUNT_LOCAL. The local hash and, of a mailbox that becomes local, the
 * directory's id are kept for the way back.
 *
 * Returns STATUS_OK, also when it was so already; STATUS_NOT_FOUND;
 * STATUS_TEMPFAIL.
 */
enum status store_mailbox_source(struct store *store, const char *address,
                                 enum account_source source,
                                 const char *directory, const char *who,
                                 int64_t deadline_ms,
                                 struct errtext *err) MUST_CHECK;

/* Mailboxes that one transaction switches. */
#define STORE_SOURCE_BATCH 500

/*
 * The same for count (at most STORE_SOURCE_BATCH) mailboxes in one
 * transaction, with an event for each. A mailbox that is gone, or has that
 * source and directory already, is passed over; *changed_r counts the others.
 * STATUS_OK or STATUS_TEMPFAIL: none was changed.
 */
enum status store_mailbox_sources(struct store *store,
                                  const char *const *addresses, size_t count,
                                  enum account_source source,
                                  const char *directory, const char *who,
                                  int64_t deadline_ms, size_t *changed_r,
                                  struct errtext *err) MUST_CHECK;

#endif
