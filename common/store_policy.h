/*
 * store_policy - what policyd asks the store about addresses
 *
 * Short rows, several addresses in one query, nothing secret among them. What
 * an address comes to is policyd's to find out (policyd/expand.h); here is the
 * SQL alone. Names are canonical (address.h). Each function returns STATUS_OK,
 * also when there is nothing, or STATUS_TEMPFAIL: no answer.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_POLICY_H
#define COMMON_STORE_POLICY_H

#include "account.h"
#include "quantity.h"
#include "status.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_POLICY_TOGETHER_MAX 16 /* addresses in one query */
#define STORE_POLICY_SENDERS_MAX 4   /* forms of one sender */

/* A mailbox, as far as a message meets it; starts as {0}. */
struct store_policy_mailbox {
    char *address; /* owned; NULL: none */
    uint64_t quota_bytes;
    uint64_t used_bytes; /* as Dovecot counts */
    uint64_t message_size_bytes;
    struct rate rate_messages;
    struct rate rate_recipients;
    bool tls_in;
    bool smtp; /* it may send */
    enum account_access access;
};
void store_policy_mailbox_clear(struct store_policy_mailbox *mailbox);

/* An alias in force, the self-alias of a mailbox included; starts as {0}. */
struct store_policy_alias {
    char *targets; /* comma separated, owned; NULL: there is no such alias */
    /* Its one target is this mailbox, and that one's mail goes no further. */
    struct store_policy_mailbox mailbox; /* address NULL: not so */
};
void store_policy_alias_clear(struct store_policy_alias *alias);

/*
 * Reads the aliases at count addresses (at most STORE_POLICY_TOGETHER_MAX;
 * "@domain" is a catch-all). aliases_r has count elements, which are {0}.
 */
enum status store_policy_aliases(struct store *store,
                                 const char *const *addresses, size_t count,
                                 int64_t deadline_ms,
                                 struct store_policy_alias *aliases_r,
                                 struct errtext *err) MUST_CHECK;

/* Reads the mailboxes at the addresses, whatever aliases there are; likewise.
 */
enum status store_policy_mailboxes(struct store *store,
                                   const char *const *addresses, size_t count,
                                   int64_t deadline_ms,
                                   struct store_policy_mailbox *mailboxes_r,
                                   struct errtext *err) MUST_CHECK;

/* A domain of ours, alias domains resolved; starts as {0}. */
struct store_policy_domain {
    char *name; /* owned; NULL: none of ours */
    bool active;
    uint64_t max_usage_bytes; /* in force: max_usage, or else quota */
    struct rate rate_messages;
    struct rate rate_recipients;
};
void store_policy_domain_clear(struct store_policy_domain *domain);

/* Reads the domain that goes by this name. */
enum status store_policy_domain(struct store *store, const char *name,
                                int64_t deadline_ms,
                                struct store_policy_domain *domain_r,
                                struct errtext *err) MUST_CHECK;

/* Adds up what the mailboxes of a domain use. */
enum status store_policy_usage(struct store *store, const char *domain,
                               int64_t deadline_ms, uint64_t *bytes_r,
                               struct errtext *err) MUST_CHECK;

/*
 * Was login given one of 1 to STORE_POLICY_SENDERS_MAX forms of a sender
 * ("@domain" is all of it) in sender_acl?
 */
enum status store_policy_sender(struct store *store, const char *login,
                                const char *const *senders, size_t count,
                                int64_t deadline_ms, bool *given_r,
                                struct errtext *err) MUST_CHECK;

#endif
