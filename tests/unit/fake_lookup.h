/*
 * fake_lookup - a store of a few tables, for the tests of policyd's rules
 *
 * Answers struct lookup_source's questions from const tables, counts them, and
 * can be away or slow.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_FAKE_LOOKUP_H
#define TESTS_UNIT_FAKE_LOOKUP_H

#include "lookup.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct fake_domain {
    const char *name;
    const char *target; /* not NULL: an alias domain of it */
    bool off;
    uint64_t max_usage_bytes;
    uint64_t used_bytes;
    struct rate rate_messages;
};

struct fake_alias {
    const char *address;
    const char *targets;
};

struct fake_mailbox {
    const char *address;
    uint64_t quota_bytes;
    uint64_t used_bytes;
    uint64_t message_size_bytes;
    bool tls_in;
    enum account_access access;
    struct rate rate_messages;
};

struct fake_sender {
    const char *login;
    const char *sender;
};

/* The tables end in a row of NULL. */
struct fake_lookup {
    const struct fake_domain *domains;
    const struct fake_alias *aliases;
    const struct fake_mailbox *mailboxes;
    const struct fake_sender *senders;
    atomic_uint domain_calls;
    atomic_uint alias_calls;
    atomic_uint mailbox_calls;
    atomic_uint usage_calls;
    atomic_bool away;
    atomic_int delay_ms; /* of the questions about aliases */
};

struct lookup_source fake_lookup_source(struct fake_lookup *fake);

#endif
