/*
 * rule - what a request of Postfix is answered, and why
 *
 * policyd's protocol hands a request over as plain values and gets one answer:
 * DUNNO, a reject or a defer, never OK. Behind it stand the rules in the order
 * of policy.rules, the memory of accounts and of instances, the store and the
 * rates. The rules themselves are pure (verdict.h); here is what they are fed
 * with. Nothing in a request is trusted. Thread-safe.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_RULE_H
#define POLICYD_RULE_H

#include "rate_keeper.h"
#include "settings.h"
#include "status.h"
#include "store.h"
#include "strbuf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_TEXT_BYTES_MAX 399   /* of an answer */
#define POLICY_NUMBERS_BYTES_MAX 95 /* of the numbers for the log */
#define POLICY_SUBJECT_BYTES_MAX 320

enum policy_rule {
    POLICY_RECIPIENT_STATE,
    POLICY_MAILBOX_QUOTA,
    POLICY_DOMAIN_QUOTA,
    POLICY_MESSAGE_SIZE,
    POLICY_SEND_RATE,
    POLICY_SENDER_LOGIN,
    POLICY_TLS_IN,
    POLICY_PROVISION_RECIPIENT,
    POLICY_MAILBOX_LIMIT,
    POLICY_RULE_COUNT
};

/* Constant words for settings, logs and metrics: "recipient_state" ... */
const char *policy_rule_name(enum policy_rule rule);
bool policy_rule_from(const char *name, enum policy_rule *rule_r);

/* One request; strings are borrowed, never NULL: "" is not sent. */
struct policy_request {
    const char *state; /* protocol_state */
    const char *sasl_username;
    const char *sender;
    const char *recipient;
    const char *instance;
    const char *client;       /* client_address, for the log alone */
    const char *queue_id;     /* likewise */
    uint64_t size;            /* 0: not declared, or no number */
    uint32_t recipient_count; /* likewise */
    bool tls;                 /* encryption_protocol is not "" */
};

enum policy_action {
    POLICY_DUNNO,
    POLICY_REJECT, /* 5xx */
    POLICY_DEFER   /* 4xx */
};
/* Constant words: "dunno", "reject", "defer". */
const char *policy_action_name(enum policy_action action);

/* One rule that said no. */
struct policy_finding {
    enum policy_rule rule;
    enum policy_action action; /* never POLICY_DUNNO */
    bool enforced;             /* false: mode warn, it "would refuse" */
    bool away;                 /* no refusal by facts: no answer to them */
    char text[POLICY_TEXT_BYTES_MAX + 1];       /* "452 4.2.2 ..." */
    char subject[POLICY_SUBJECT_BYTES_MAX + 1]; /* mailbox, domain or login */
    char numbers[POLICY_NUMBERS_BYTES_MAX + 1]; /* "used=5 size=2 quota=6" */
};

/*
 * What came out. The last finding may be enforced, and is the answer then; all
 * others are warnings. It is big: not to be copied or cleared.
 */
struct policy_answer {
    enum policy_action action;
    const char *text;   /* behind "action=": "DUNNO", or the finding's text */
    bool provisioned;   /* authd made a mailbox for it */
    bool away;          /* something was not answered in time */
    struct errtext err; /* what, if away */
    size_t finding_count;
    struct policy_finding findings[POLICY_RULE_COUNT];
};

struct policy;

/* What a policy works with; all borrowed, and outlives it. */
struct policy_world {
    const struct settings *settings; /* .policy of them */
    struct store *store;
    struct rate_keeper *keeper; /* NULL: nothing is counted */
    struct policy *previous;    /* a reload's: messages under way stay known */
};

/*
 * Makes the rules of these settings and starts the thread that refreshes the
 * sums of domains. The store is not asked yet. A reload makes a new policy.
 *
 * Returns STATUS_OK and an owned *policy_r; STATUS_INVALID for a rule that
 * there is none of, or that is named twice; STATUS_TEMPFAIL.
 */
enum status policy_open(const struct policy_world *world,
                        struct policy **policy_r,
                        struct errtext *err) MUST_CHECK;

/* No request may be in flight. Frees *policy and sets it to NULL. */
void policy_close(struct policy **policy);

/*
 * Decides from memory alone, without waiting for anything but short locks.
 *
 * Returns true and *answer_r; or false when something has to be asked: nothing
 * was charged or remembered then, and policy_decide is to be called in a
 * thread that may wait.
 */
bool policy_decide_now(struct policy *policy,
                       const struct policy_request *request,
                       struct policy_answer *answer_r) MUST_CHECK;

/* Decides, asking the store and authd until deadline_ms at most. */
void policy_decide(struct policy *policy, const struct policy_request *request,
                   int64_t deadline_ms, struct policy_answer *answer_r);

/* One rule's row of `policy explain`; strings live until visit returns. */
struct policy_row {
    enum policy_rule rule;
    const char *mode;    /* "off", "warn", "enforce" */
    const char *outcome; /* "off", "other state", "pass", "refuse",
                            "would refuse", "no answer", "would ask" */
    const char *subject; /* "" none */
    const char *numbers; /* "" none */
    const char *text;    /* the answer it gives or would give, "" none */
};

struct policy_visitor {
    void (*visit)(const struct policy_row *row, void *arg);
    void *arg;
};

/*
 * Decides as policy_decide would, for `policy test` and, with a visitor, for
 * `policy explain`: every rule is walked in order, also those behind the one
 * that decides. Charges, provisions and remembers no instance; facts come
 * fresh from the store.
 */
void policy_rehearse(struct policy *policy,
                     const struct policy_request *request, int64_t deadline_ms,
                     const struct policy_visitor *visitor,
                     struct policy_answer *answer_r);

/* Forgets all that is remembered of accounts and domains; returns a count. */
size_t policy_flush(struct policy *policy);

/* The mode of a rule as the settings have it: "off", "warn", "enforce". */
const char *policy_mode(const struct policy *policy, enum policy_rule rule);

struct policy_stats {
    size_t accounts; /* remembered */
    uint64_t account_hits;
    uint64_t account_misses;
    size_t instances;
    uint64_t instances_forgotten; /* before their time, for want of place */
};
void policy_stats(struct policy *policy, struct policy_stats *stats_r);

#endif
