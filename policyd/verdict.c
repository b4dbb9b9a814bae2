/* verdict - see verdict.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "verdict.h"

#include "strbuf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum verdict_state verdict_state_from(const char *protocol_state)
{
    if (strcmp(protocol_state, "RCPT") == 0)
        return VERDICT_RCPT;
    if (strcmp(protocol_state, "END-OF-MESSAGE") == 0)
        return VERDICT_END;
    if (strcmp(protocol_state, "DATA") == 0)
        return VERDICT_DATA;
    if (strcmp(protocol_state, "MAIL") == 0)
        return VERDICT_MAIL;
    return VERDICT_OTHER;
}

/* A size as people read it. */
struct size_text {
    char text[24];
};

static struct size_text size_text(uint64_t bytes)
{
    struct strbuf buf = STRBUF_INIT(sizeof(struct size_text) - 1);
    struct size_text size;

    quantity_append_size(&buf, bytes);
    (void)snprintf(size.text, sizeof(size.text), "%s", strbuf_text(&buf));
    strbuf_clear(&buf);
    return size;
}

static void refuse(struct verdict *verdict, enum policy_action action,
                   const char *code, const char *subject)
{
    verdict->action = action;
    verdict->code = code;
    verdict->subject = subject;
}

static uint64_t plus(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* A message of unknown size has a byte at least. */
static uint64_t at_least_one(uint64_t size)
{
    return size > 0 ? size : 1;
}

typedef bool target_check(const struct verdict_facts *facts,
                          const struct verdict_settings *set,
                          const struct verdict_target *target,
                          struct verdict *verdict);

/*
 * Refuses if each target is refused. What can be delivered to one of them later
 * is told as temporary.
 */
static void check_targets(const struct verdict_facts *facts,
                          const struct verdict_settings *set,
                          target_check *check, struct verdict *verdict)
{
    bool have = false;

    for (size_t i = 0; i < facts->target_count; i++) {
        struct verdict one = {.action = POLICY_DUNNO};

        if (!check(facts, set, &facts->targets[i], &one)) {
            verdict->action = POLICY_DUNNO;
            return;
        }
        if (have && one.action != POLICY_DEFER)
            continue;
        if (have && verdict->action == POLICY_DEFER)
            continue;
        *verdict = one;
        have = true;
    }
    if (facts->incomplete)
        verdict->action = POLICY_DUNNO;
}

static bool target_is_off(const struct verdict_facts *facts,
                          const struct verdict_settings *set,
                          const struct verdict_target *target,
                          struct verdict *verdict)
{
    (void)facts;
    (void)set;
    if (target->mailbox->access != ACCOUNT_OFF)
        return false;
    refuse(verdict, POLICY_REJECT, "550 5.2.1", target->mailbox->address);
    (void)snprintf(verdict->words, sizeof(verdict->words),
                   "Mailbox is disabled");
    return true;
}

static void recipient_state(const struct verdict_facts *facts,
                            const struct verdict_settings *set,
                            struct verdict *verdict)
{
    if (facts->domain_off == NULL) {
        check_targets(facts, set, target_is_off, verdict);
        return;
    }
    refuse(verdict, POLICY_REJECT, "550 5.2.1", facts->domain_off);
    (void)snprintf(verdict->words, sizeof(verdict->words),
                   "Domain is disabled");
}

static bool target_is_full(const struct verdict_facts *facts,
                           const struct verdict_settings *set,
                           const struct verdict_target *target,
                           struct verdict *verdict)
{
    const struct store_policy_mailbox *mailbox = target->mailbox;
    uint64_t quota = mailbox->quota_bytes;

    if (quota == 0 || plus(mailbox->used_bytes, at_least_one(facts->size)) <=
                          plus(quota, set->quota_grace_bytes))
        return false;
    (void)snprintf(verdict->numbers, sizeof(verdict->numbers),
                   "used=%" PRIu64 " size=%" PRIu64 " quota=%" PRIu64,
                   mailbox->used_bytes, facts->size, quota);
    if (facts->size > plus(quota, set->quota_grace_bytes)) {
        refuse(verdict, POLICY_REJECT, "552 5.2.3", mailbox->address);
        (void)snprintf(verdict->words, sizeof(verdict->words),
                       "Message is larger than the mailbox's quota of %s",
                       size_text(quota).text);
        return true;
    }
    if (set->over_quota == POLICY_OVER_QUOTA_REJECT)
        refuse(verdict, POLICY_REJECT, "552 5.2.2", mailbox->address);
    else
        refuse(verdict, POLICY_DEFER, "452 4.2.2", mailbox->address);
    (void)snprintf(verdict->words, sizeof(verdict->words),
                   "Mailbox is full, its quota is %s", size_text(quota).text);
    return true;
}

static void mailbox_quota(const struct verdict_facts *facts,
                          const struct verdict_settings *set,
                          struct verdict *verdict)
{
    check_targets(facts, set, target_is_full, verdict);
}

static bool target_domain_is_full(const struct verdict_facts *facts,
                                  const struct verdict_settings *set,
                                  const struct verdict_target *target,
                                  struct verdict *verdict)
{
    const struct verdict_domain *domain = target->domain;

    (void)set;
    if (domain == NULL || domain->limit_bytes == 0 ||
        plus(domain->used_bytes, at_least_one(facts->size)) <=
            domain->limit_bytes)
        return false;
    refuse(verdict, POLICY_DEFER, "452 4.2.2", domain->name);
    (void)snprintf(verdict->words, sizeof(verdict->words),
                   "Domain is full, its limit is %s",
                   size_text(domain->limit_bytes).text);
    (void)snprintf(verdict->numbers, sizeof(verdict->numbers),
                   "used=%" PRIu64 " size=%" PRIu64 " limit=%" PRIu64,
                   domain->used_bytes, facts->size, domain->limit_bytes);
    return true;
}

static void domain_quota(const struct verdict_facts *facts,
                         const struct verdict_settings *set,
                         struct verdict *verdict)
{
    check_targets(facts, set, target_domain_is_full, verdict);
}

/* Is the message over one mailbox's limit of a message? */
static bool too_large(const struct verdict_facts *facts,
                      const struct store_policy_mailbox *mailbox,
                      const char *whose, struct verdict *verdict)
{
    uint64_t limit = mailbox->message_size_bytes;

    if (limit == 0 || facts->size <= limit)
        return false;
    refuse(verdict, POLICY_REJECT, "552 5.3.4", mailbox->address);
    (void)snprintf(verdict->words, sizeof(verdict->words),
                   "Message is larger than the %s's limit of %s", whose,
                   size_text(limit).text);
    (void)snprintf(verdict->numbers, sizeof(verdict->numbers),
                   "size=%" PRIu64 " limit=%" PRIu64, facts->size, limit);
    return true;
}

static bool target_too_large(const struct verdict_facts *facts,
                             const struct verdict_settings *set,
                             const struct verdict_target *target,
                             struct verdict *verdict)
{
    (void)set;
    return too_large(facts, target->mailbox, "recipient", verdict);
}

static void message_size(const struct verdict_facts *facts,
                         const struct verdict_settings *set,
                         struct verdict *verdict)
{
    if (facts->login_mailbox != NULL &&
        too_large(facts, facts->login_mailbox, "sender", verdict))
        return;
    check_targets(facts, set, target_too_large, verdict);
}

static void send_rate(const struct verdict_facts *facts,
                      const struct verdict_settings *set,
                      struct verdict *verdict)
{
    const struct rate_verdict *rate = &facts->rate;
    struct strbuf limit = STRBUF_INIT(47);
    bool recipients;
    bool domain;

    (void)set;
    if (!rate->refused)
        return;
    recipients = rate->kind == RATE_MAILBOX_RECIPIENTS ||
                 rate->kind == RATE_DOMAIN_RECIPIENTS;
    domain = rate->kind == RATE_DOMAIN_MESSAGES ||
             rate->kind == RATE_DOMAIN_RECIPIENTS;
    quantity_append_rate(&limit, rate->rate);
    refuse(verdict, POLICY_DEFER, "450 4.7.1", facts->login);
    (void)snprintf(verdict->words, sizeof(verdict->words),
                   "Too many %s, the %s's limit is %s",
                   recipients ? "recipients" : "messages",
                   domain ? "domain" : "sender", strbuf_text(&limit));
    (void)snprintf(verdict->numbers, sizeof(verdict->numbers),
                   "limit=%s used=%" PRIu64 " rate=%s",
                   rate_kind_name(rate->kind), rate->used, strbuf_text(&limit));
    strbuf_clear(&limit);
}

static void sender_login(const struct verdict_facts *facts,
                         const struct verdict_settings *set,
                         struct verdict *verdict)
{
    (void)set;
    /* The null sender is for bounces and receipts, and is nobody's. */
    if (facts->login[0] == '\0' || facts->sender[0] == '\0' ||
        facts->sender_own)
        return;
    refuse(verdict, POLICY_REJECT, "553 5.7.1", facts->login);
    (void)snprintf(verdict->words, sizeof(verdict->words),
                   "Sender address is not owned by the login");
}

static bool target_wants_tls(const struct verdict_facts *facts,
                             const struct verdict_settings *set,
                             const struct verdict_target *target,
                             struct verdict *verdict)
{
    (void)set;
    if (facts->tls || !target->mailbox->tls_in)
        return false;
    refuse(verdict, POLICY_DEFER, "450 4.7.10", target->mailbox->address);
    (void)snprintf(verdict->words, sizeof(verdict->words),
                   "Recipient takes mail by TLS alone, use STARTTLS");
    return true;
}

static void tls_in(const struct verdict_facts *facts,
                   const struct verdict_settings *set, struct verdict *verdict)
{
    check_targets(facts, set, target_wants_tls, verdict);
}

/* What it does, it does while facts are gathered; it never says no. */
static void provision_recipient(const struct verdict_facts *facts,
                                const struct verdict_settings *set,
                                struct verdict *verdict)
{
    (void)facts;
    (void)set;
    (void)verdict;
}

static void mailbox_limit(const struct verdict_facts *facts,
                          const struct verdict_settings *set,
                          struct verdict *verdict)
{
    (void)set;
    if (facts->provision != PROVISION_LIMIT)
        return;
    refuse(verdict, POLICY_DEFER, "450 4.2.1", facts->recipient);
    (void)snprintf(verdict->words, sizeof(verdict->words),
                   "Domain has no room for another mailbox");
}

const struct verdict_rule verdict_rules[POLICY_RULE_COUNT] = {
    [POLICY_RECIPIENT_STATE] = {"recipient_state", VERDICT_RCPT,
                                VERDICT_RECIPIENT, POLICY_MODE_ENFORCE,
                                POLICY_AWAY_DUNNO, recipient_state},
    [POLICY_MAILBOX_QUOTA] = {"mailbox_quota", VERDICT_RCPT | VERDICT_END,
                              VERDICT_RECIPIENT, POLICY_MODE_ENFORCE,
                              POLICY_AWAY_DUNNO, mailbox_quota},
    [POLICY_DOMAIN_QUOTA] = {"domain_quota", VERDICT_RCPT | VERDICT_END,
                             VERDICT_RECIPIENT | VERDICT_USAGE,
                             POLICY_MODE_ENFORCE, POLICY_AWAY_DUNNO,
                             domain_quota},
    [POLICY_MESSAGE_SIZE] = {"message_size", VERDICT_RCPT | VERDICT_END,
                             VERDICT_RECIPIENT | VERDICT_LOGIN,
                             POLICY_MODE_WARN, POLICY_AWAY_DUNNO, message_size},
    [POLICY_SEND_RATE] = {"send_rate",
                          VERDICT_RCPT | VERDICT_DATA | VERDICT_END,
                          VERDICT_LOGIN, POLICY_MODE_WARN, POLICY_AWAY_DEFER,
                          send_rate},
    [POLICY_SENDER_LOGIN] = {"sender_login", VERDICT_MAIL | VERDICT_RCPT,
                             VERDICT_LOGIN | VERDICT_SENDER, POLICY_MODE_WARN,
                             POLICY_AWAY_DEFER, sender_login},
    [POLICY_TLS_IN] = {"tls_in", VERDICT_RCPT, VERDICT_RECIPIENT,
                       POLICY_MODE_WARN, POLICY_AWAY_DEFER, tls_in},
    [POLICY_PROVISION_RECIPIENT] = {"provision_recipient", VERDICT_RCPT,
                                    VERDICT_RECIPIENT | VERDICT_PROVISION,
                                    POLICY_MODE_OFF, POLICY_AWAY_DUNNO,
                                    provision_recipient},
    [POLICY_MAILBOX_LIMIT] = {"mailbox_limit", VERDICT_RCPT,
                              VERDICT_RECIPIENT | VERDICT_PROVISION,
                              POLICY_MODE_WARN, POLICY_AWAY_DUNNO,
                              mailbox_limit},
};
