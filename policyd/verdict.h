/*
 * verdict - what each rule says to the facts of one request
 *
 * Pure: no I/O, no clock, no memory. The table of verdict.c is the list of the
 * rules, and tests/unit/test_verdict.c their specification. A rule that is
 * asked about several mailboxes (targets of an alias, recipients of a message)
 * refuses only if it refuses each of them, because the answer hits all.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_VERDICT_H
#define POLICYD_VERDICT_H

#include "rate.h"
#include "rule.h"
#include "settings.h"
#include "store_policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* States of the protocol that rules apply to, a bit each. */
enum verdict_state {
    VERDICT_OTHER = 0,
    VERDICT_MAIL = 1,
    VERDICT_RCPT = 2,
    VERDICT_DATA = 4,
    VERDICT_END = 8
};
enum verdict_state verdict_state_from(const char *protocol_state);

/* Facts a rule needs, a bit each; also: facts that nobody told in time. */
enum verdict_need {
    VERDICT_RECIPIENT = 1,
    VERDICT_USAGE = 2,
    VERDICT_LOGIN = 4,
    VERDICT_SENDER = 8,
    VERDICT_PROVISION = 16
};

/* A domain in which mail ends. */
struct verdict_domain {
    const char *name;
    uint64_t limit_bytes; /* 0: none */
    uint64_t used_bytes;
};

/* A mailbox in which mail ends. */
struct verdict_target {
    const struct store_policy_mailbox *mailbox;
    const struct verdict_domain *domain;
};

enum verdict_provision {
    PROVISION_NOT_ASKED,
    PROVISION_MADE,    /* there is a mailbox now */
    PROVISION_UNKNOWN, /* the directory knows no such person */
    PROVISION_LIMIT,   /* the domain is full */
    PROVISION_NO_ANSWER
};

/* All that rules look at; everything borrowed. Starts as {0}. */
struct verdict_facts {
    enum verdict_state state;
    uint64_t size; /* declared, or true at the end; 0: not known */
    bool tls;
    unsigned missing; /* enum verdict_need bits: no answer to these */

    const char *recipient;  /* "" none, or several */
    const char *domain_off; /* its domain, if that is switched off */
    const struct verdict_target *targets;
    size_t target_count;
    bool incomplete; /* there may be more targets */
    enum verdict_provision provision;

    const char *login; /* canonical; "": not authenticated */
    const struct store_policy_mailbox *login_mailbox; /* NULL: none */
    const char *sender;                               /* "" the null sender */
    bool sender_own;                                  /* the login's own */
    struct rate_verdict rate;                         /* of the login */
};

/* What the settings say that is no rule's own. */
struct verdict_settings {
    uint64_t quota_grace_bytes;
    enum policy_over_quota over_quota;
};

/* What one rule says. */
struct verdict {
    enum policy_action action; /* POLICY_DUNNO: nothing against it */
    const char *code;          /* "452 4.2.2" */
    char words[160];           /* the rule's own */
    const char *subject;       /* mailbox, domain, login; borrowed */
    char numbers[POLICY_NUMBERS_BYTES_MAX + 1];
};

struct verdict_rule {
    const char *name;
    unsigned states; /* it applies to */
    unsigned needs;  /* enum verdict_need bits */
    enum policy_mode mode;
    enum policy_away away;
    void (*decide)(const struct verdict_facts *facts,
                   const struct verdict_settings *set, struct verdict *verdict);
};

/* By enum policy_rule, which is also the order as shipped. */
extern const struct verdict_rule verdict_rules[POLICY_RULE_COUNT];

#endif
