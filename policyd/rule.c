/* rule - see rule.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "rule.h"

#include "clock.h"
#include "gather.h"
#include "provision_client.h"
#include "rule_order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOMAINS_MAX 10000 /* whose sums are remembered */
#define UNKNOWN_MAX 20000 /* of whom authd said no */

/* Rules that want to know the recipients at END-OF-MESSAGE. */
#define SIZE_NEEDS (VERDICT_RECIPIENT | VERDICT_USAGE)

struct policy {
    const struct policy_settings *set;
    struct verdict_settings verdict_set;
    struct rule_order order;
    struct lookup_source source;
    struct lookup *lookup;
    struct usage *usage;
    struct instances *instances;
    struct fact_table *unknown;
    struct rate_keeper *keeper;
};

const char *policy_rule_name(enum policy_rule rule)
{
    return verdict_rules[rule].name;
}

bool policy_rule_from(const char *name, enum policy_rule *rule_r)
{
    for (size_t i = 0; i < POLICY_RULE_COUNT; i++) {
        if (strcmp(verdict_rules[i].name, name) == 0) {
            *rule_r = (enum policy_rule)i;
            return true;
        }
    }
    return false;
}

const char *policy_action_name(enum policy_action action)
{
    switch (action) {
    case POLICY_DUNNO:
        return "dunno";
    case POLICY_REJECT:
        return "reject";
    case POLICY_DEFER:
        return "defer";
    }
    return "";
}

static enum verdict_provision provision(void *context, const char *address,
                                        int64_t deadline_ms)
{
    const struct policy *policy = context;

    return provision_ask(policy->set->provision_socket, address, deadline_ms);
}

static enum status open_memories(struct policy *policy,
                                 const struct policy_world *world,
                                 struct errtext *err)
{
    const struct policy_settings *set = policy->set;
    struct accounts_limits accounts = {.ttl_ms = set->account_ttl_ms,
                                       .facts_max = set->account_max};
    struct accounts_limits unknown = {.ttl_ms = set->unknown_ttl_ms,
                                      .facts_max = UNKNOWN_MAX};
    struct instance_limits instances = {.ttl_ms = set->instance_ttl_ms,
                                        .instances_max = set->instance_max};
    struct usage_source usage = {.add_up = policy->source.usage,
                                 .context = policy->source.context};
    enum status status;

    status = lookup_new(&policy->source, accounts, set->recipient_delimiter,
                        &policy->lookup, err);
    if (status == STATUS_OK)
        status = fact_table_new(unknown, &policy->unknown, err);
    if (status == STATUS_OK && world->previous != NULL)
        policy->instances =
            instances_share(world->previous->instances, instances);
    if (status == STATUS_OK && policy->instances == NULL)
        status = instances_new(instances, &policy->instances, err);
    if (status == STATUS_OK)
        status = usage_open(set->usage_ttl_ms, DOMAINS_MAX, usage,
                            &policy->usage, err);
    return status;
}

enum status policy_open_with(const struct policy_world *world,
                             const struct lookup_source *source,
                             struct policy **policy_r, struct errtext *err)
{
    struct policy *policy = calloc(1, sizeof(*policy));
    enum status status;

    if (policy == NULL)
        return status_no_memory(err);
    policy->set = &world->settings->policy;
    policy->keeper = world->keeper;
    policy->source = *source;
    policy->verdict_set = (struct verdict_settings){
        .quota_grace_bytes = policy->set->quota_grace_bytes,
        .over_quota = policy->set->over_quota,
    };
    status = rule_order_read(policy->set, &policy->order, err);
    if (status == STATUS_OK)
        status = open_memories(policy, world, err);
    if (status != STATUS_OK) {
        policy_close(&policy);
        return status;
    }
    *policy_r = policy;
    return STATUS_OK;
}

enum status policy_open(const struct policy_world *world,
                        struct policy **policy_r, struct errtext *err)
{
    struct lookup_source source = lookup_store(world->store);

    return policy_open_with(world, &source, policy_r, err);
}

void policy_close(struct policy **policy)
{
    if (*policy == NULL)
        return;
    usage_close(&(*policy)->usage);
    lookup_free(&(*policy)->lookup);
    instances_free(&(*policy)->instances);
    fact_table_free(&(*policy)->unknown);
    free(*policy);
    *policy = NULL;
}

/* What the rules want to know at this state. */
static unsigned needs_at(const struct policy *policy, enum verdict_state state)
{
    unsigned needs = 0;

    for (size_t i = 0; i < POLICY_RULE_COUNT; i++) {
        const struct rule_row *row = &policy->order.rows[i];

        if (row->mode != POLICY_MODE_OFF &&
            (verdict_rules[row->rule].states & state) != 0)
            needs |= verdict_rules[row->rule].needs;
    }
    /* Mailboxes are made by a rule that is enforced, and by no other. */
    if (policy->order.modes[POLICY_PROVISION_RECIPIENT] != POLICY_MODE_ENFORCE)
        needs &= ~(unsigned)VERDICT_PROVISION;
    return needs;
}

/* The four limits of the login; false: there is none to count. */
static bool limits_of(const struct gathering *gathering,
                      struct rate_limits *limits_r)
{
    const struct store_policy_mailbox *mailbox = gathering->facts.login_mailbox;
    const struct store_policy_domain *domain = gathering->login_domain;

    *limits_r = (struct rate_limits){.login = gathering->facts.login};
    if (mailbox != NULL) {
        limits_r->rates[RATE_MAILBOX_MESSAGES] = mailbox->rate_messages;
        limits_r->rates[RATE_MAILBOX_RECIPIENTS] = mailbox->rate_recipients;
    }
    if (domain != NULL && domain->name != NULL) {
        limits_r->domain = domain->name;
        limits_r->rates[RATE_DOMAIN_MESSAGES] = domain->rate_messages;
        limits_r->rates[RATE_DOMAIN_RECIPIENTS] = domain->rate_recipients;
    }
    for (size_t i = 0; i < RATE_KIND_COUNT; i++) {
        if (limits_r->rates[i].count > 0)
            return true;
    }
    return false;
}

/* As rate_check, but it leaves no trace. */
static void look_at_rates(struct rates *rates, const struct rate_limits *limits,
                          int64_t now_ms, struct rate_verdict *verdict)
{
    for (size_t i = 0; i < RATE_KIND_COUNT && !verdict->refused; i++) {
        enum rate_kind kind = (enum rate_kind)i;
        bool domain =
            kind == RATE_DOMAIN_MESSAGES || kind == RATE_DOMAIN_RECIPIENTS;
        struct rate rate = limits->rates[i];

        if (rate.count == 0)
            continue;
        verdict->kind = kind;
        verdict->rate = rate;
        verdict->used = rate_used(
            rates, kind, domain ? limits->domain : limits->login, rate, now_ms);
        verdict->refused = verdict->used >= rate.count;
    }
}

/* One decision under way. */
struct decision {
    struct policy *policy;
    struct gathering *gathering;
    struct policy_answer *answer;
    const struct policy_visitor *visitor; /* NULL: ends where it is decided */
    bool rehearse;
    bool decided;
};

/* Writes a finding; the text is the settings' or the rule's own. */
static void add_finding(struct decision *decision, const struct rule_row *row,
                        const struct verdict *verdict, bool away)
{
    struct policy_answer *answer = decision->answer;
    struct policy_finding *finding = &answer->findings[answer->finding_count];

    if (decision->decided)
        return;
    answer->finding_count++;
    finding->rule = row->rule;
    finding->action = verdict->action;
    finding->enforced = row->mode == POLICY_MODE_ENFORCE;
    finding->away = away;
    (void)snprintf(finding->text, sizeof(finding->text), "%s %s", verdict->code,
                   row->text[0] != '\0' && !away ? row->text : verdict->words);
    (void)snprintf(finding->subject, sizeof(finding->subject), "%s",
                   verdict->subject != NULL ? verdict->subject : "");
    (void)snprintf(finding->numbers, sizeof(finding->numbers), "%s",
                   verdict->numbers);
    if (!finding->enforced)
        return;
    answer->action = finding->action;
    answer->text = finding->text;
    decision->decided = true;
}

static void show(const struct policy_visitor *visitor,
                 const struct rule_row *row, const char *outcome,
                 const struct verdict *verdict)
{
    char text[POLICY_TEXT_BYTES_MAX + 1] = "";
    struct policy_row shown = {
        .rule = row->rule,
        .mode = rule_mode_name(row->mode),
        .outcome = outcome,
        .subject = "",
        .numbers = "",
        .text = text,
    };

    if (verdict != NULL && verdict->action != POLICY_DUNNO) {
        (void)snprintf(text, sizeof(text), "%s %s", verdict->code,
                       row->text[0] != '\0' ? row->text : verdict->words);
        shown.subject = verdict->subject != NULL ? verdict->subject : "";
        shown.numbers = verdict->numbers;
    }
    visitor->visit(&shown, visitor->arg);
}

static void tell(const struct decision *decision, const struct rule_row *row,
                 const char *outcome, const struct verdict *verdict)
{
    if (decision->visitor != NULL)
        show(decision->visitor, row, outcome, verdict);
}

/* Nobody told what the rule has to know: its own choice. */
static void choose_away(struct decision *decision, const struct rule_row *row)
{
    struct verdict verdict = {.action = POLICY_DEFER,
                              .code = "451 4.3.0",
                              .words = "Temporary lookup failure"};

    decision->answer->away = true;
    decision->answer->err = decision->gathering->err;
    if (row->away != POLICY_AWAY_DEFER || row->mode != POLICY_MODE_ENFORCE) {
        tell(decision, row, "no answer", NULL);
        return;
    }
    tell(decision, row, "no answer", &verdict);
    add_finding(decision, row, &verdict, true);
}

static void apply(struct decision *decision, const struct rule_row *row)
{
    const struct verdict_rule *rule = &verdict_rules[row->rule];
    const struct verdict_facts *facts = &decision->gathering->facts;
    struct verdict verdict;

    verdict.action = POLICY_DUNNO;
    verdict.numbers[0] = '\0';
    verdict.subject = NULL;
    rule->decide(facts, &decision->policy->verdict_set, &verdict);
    if (verdict.action == POLICY_DUNNO) {
        bool would_ask =
            row->rule == POLICY_PROVISION_RECIPIENT && decision->rehearse &&
            decision->gathering->recipient_ours && facts->target_count == 0;

        tell(decision, row, would_ask ? "would ask" : "pass", NULL);
        return;
    }
    tell(decision, row,
         row->mode == POLICY_MODE_ENFORCE ? "refuse" : "would refuse",
         &verdict);
    add_finding(decision, row, &verdict, false);
}

/* One rule, if it has a say. */
static void take_row(struct decision *decision, const struct rule_row *row)
{
    const struct verdict_rule *rule = &verdict_rules[row->rule];
    const struct verdict_facts *facts = &decision->gathering->facts;

    if (row->mode == POLICY_MODE_OFF)
        tell(decision, row, "off", NULL);
    else if ((rule->states & facts->state) == 0)
        tell(decision, row, "other state", NULL);
    else if ((rule->needs & facts->missing) != 0)
        choose_away(decision, row);
    else
        apply(decision, row);
}

static const struct rule_row *row_of(const struct policy *policy,
                                     enum policy_rule rule)
{
    const struct rule_row *row = policy->order.rows;

    while (row->rule != rule)
        row++;
    return row;
}

static struct rates *rates_of(const struct policy *policy)
{
    return policy->keeper != NULL ? rate_keeper_rates(policy->keeper) : NULL;
}

/* What is known of the login's rates before anything is charged. */
static void check_rates(struct decision *decision)
{
    struct gathering *gathering = decision->gathering;
    struct verdict_facts *facts = &gathering->facts;
    struct rates *rates = rates_of(decision->policy);
    const struct rule_row *row = row_of(decision->policy, POLICY_SEND_RATE);
    struct rate_limits limits;

    if (rates == NULL || row->mode == POLICY_MODE_OFF ||
        facts->login[0] == '\0' || !limits_of(gathering, &limits))
        return;
    if (decision->rehearse)
        look_at_rates(rates, &limits, gathering->when.now_ms, &facts->rate);
    else if ((facts->state & (VERDICT_RCPT | VERDICT_DATA)) != 0)
        rate_check(rates, &limits, gathering->when.now_ms, &facts->rate);
}

/* The message goes through: it is counted, or is one too many. */
static void charge(struct decision *decision)
{
    struct gathering *gathering = decision->gathering;
    struct verdict_facts *facts = &gathering->facts;
    struct rates *rates = rates_of(decision->policy);
    const struct rule_row *row = row_of(decision->policy, POLICY_SEND_RATE);
    uint32_t recipients = gathering->request->recipient_count;
    struct rate_limits limits;

    if (rates == NULL || row->mode == POLICY_MODE_OFF || decision->rehearse ||
        facts->state != VERDICT_END || facts->login[0] == '\0' ||
        (facts->missing & VERDICT_LOGIN) != 0 || !limits_of(gathering, &limits))
        return;
    if (rate_charge(rates, &limits, recipients > 0 ? recipients : 1,
                    gathering->when.now_ms, &facts->rate,
                    &gathering->err) != STATUS_OK) {
        choose_away(decision, row);
        return;
    }
    if (facts->rate.refused)
        apply(decision, row);
}

/* The first refusal of a period makes an event. */
static void tell_keeper(struct decision *decision)
{
    struct policy_answer *answer = decision->answer;
    const struct policy_finding *last;
    struct rate_limits limits;

    if (!decision->decided || decision->rehearse)
        return;
    last = &answer->findings[answer->finding_count - 1];
    if (last->rule == POLICY_SEND_RATE && !last->away &&
        limits_of(decision->gathering, &limits))
        rate_keeper_refused(decision->policy->keeper, &limits,
                            &decision->gathering->facts.rate);
}

/* Remembers the recipient for the end of its message. */
static void remember(const struct decision *decision)
{
    const struct gathering *gathering = decision->gathering;
    const struct policy *policy = decision->policy;
    const char *instance = gathering->request->instance;
    char name[ADDRESS_BYTES_MAX + 2] = " ";

    if (decision->rehearse || decision->decided || instance[0] == '\0')
        return;
    if (gathering->facts.state == VERDICT_END) {
        instance_end(policy->instances, instance);
        return;
    }
    if (gathering->facts.state != VERDICT_RCPT || decision->answer->away ||
        (needs_at(policy, VERDICT_END) & SIZE_NEEDS) == 0)
        return;
    if (!gathering->recipient_ours) {
        instance_add(policy->instances, instance, NULL, gathering->when.now_ms);
        return;
    }
    if (gathering->recipient.fit) {
        instance_add(policy->instances, instance, gathering->recipient.text,
                     gathering->when.now_ms);
        return;
    }
    (void)snprintf(name + 1, sizeof(name) - 1, "%s", gathering->recipient.text);
    instance_add(policy->instances, instance, name, gathering->when.now_ms);
}

/* Walks the rules over what was gathered. */
static void decide(struct decision *decision)
{
    const struct policy *policy = decision->policy;
    struct policy_answer *answer = decision->answer;

    answer->action = POLICY_DUNNO;
    answer->text = "DUNNO";
    answer->away = false;
    answer->err.text[0] = '\0';
    answer->finding_count = 0;
    answer->provisioned =
        decision->gathering->facts.provision == PROVISION_MADE;
    check_rates(decision);
    for (size_t i = 0; i < POLICY_RULE_COUNT; i++) {
        if (decision->decided && decision->visitor == NULL)
            break;
        take_row(decision, &policy->order.rows[i]);
    }
    if (!decision->decided)
        charge(decision);
    tell_keeper(decision);
    remember(decision);
}

/* Gathers and decides; false: it may not wait, and would have to. */
static bool run(struct policy *policy, struct lookup *lookup,
                const struct policy_request *request,
                const struct lookup_time *when, bool rehearse,
                const struct policy_visitor *visitor,
                struct policy_answer *answer)
{
    const struct gather_world world = {
        .lookup = lookup,
        .usage = policy->usage,
        .instances = policy->instances,
        .unknown = policy->unknown,
        .delimiters = policy->set->recipient_delimiter,
        .provision = provision,
        .context = policy,
    };
    struct gathering gathering NOT_CLEARED;
    struct decision decision = {
        .policy = policy,
        .gathering = &gathering,
        .answer = answer,
        .visitor = visitor,
        .rehearse = rehearse,
    };
    bool done;

    gathering_init(&gathering);
    gathering.world = &world;
    gathering.request = request;
    gathering.when = *when;
    gathering.rehearse = rehearse;
    gathering.needs = needs_at(policy, verdict_state_from(request->state));
    done = gather(&gathering);
    if (done)
        decide(&decision);
    gathering_clear(&gathering);
    return done;
}

bool policy_decide_now(struct policy *policy,
                       const struct policy_request *request,
                       struct policy_answer *answer_r)
{
    struct lookup_time when = {.may_wait = false, .now_ms = clock_ms()};

    return run(policy, policy->lookup, request, &when, false, NULL, answer_r);
}

void policy_decide(struct policy *policy, const struct policy_request *request,
                   int64_t deadline_ms, struct policy_answer *answer_r)
{
    struct lookup_time when = {
        .may_wait = true, .now_ms = clock_ms(), .deadline_ms = deadline_ms};

    (void)run(policy, policy->lookup, request, &when, false, NULL, answer_r);
}

size_t policy_flush(struct policy *policy)
{
    usage_flush(policy->usage);
    return accounts_flush(lookup_accounts(policy->lookup)) +
           fact_table_flush(policy->unknown);
}

const char *policy_mode(const struct policy *policy, enum policy_rule rule)
{
    return rule_mode_name(policy->order.modes[rule]);
}

void policy_stats(struct policy *policy, struct policy_stats *stats_r)
{
    struct accounts_stats accounts;
    struct instance_stats instances;

    accounts_stats(lookup_accounts(policy->lookup), &accounts);
    instances_stats(policy->instances, &instances);
    *stats_r = (struct policy_stats){
        .accounts = accounts.facts,
        .account_hits = accounts.hits,
        .account_misses = accounts.misses,
        .instances = instances.instances,
        .instances_forgotten = instances.forgotten,
    };
}

/* Fresh facts: from a look-up of its own, which remembers nothing. */
void policy_rehearse(struct policy *policy,
                     const struct policy_request *request, int64_t deadline_ms,
                     const struct policy_visitor *visitor,
                     struct policy_answer *answer_r)
{
    struct lookup_time when = {
        .may_wait = true, .now_ms = clock_ms(), .deadline_ms = deadline_ms};
    struct accounts_limits none = {.ttl_ms = 0};
    struct lookup *lookup = NULL;

    if (lookup_new(&policy->source, none, policy->set->recipient_delimiter,
                   &lookup, &answer_r->err) == STATUS_OK) {
        (void)run(policy, lookup, request, &when, true, visitor, answer_r);
        lookup_free(&lookup);
        return;
    }
    answer_r->action = POLICY_DUNNO;
    answer_r->text = "DUNNO";
    answer_r->away = true;
    answer_r->provisioned = false;
    answer_r->finding_count = 0;
}
