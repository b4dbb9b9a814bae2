/* test_verdict - what each rule says: the tables are the specification */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "unit.h"
#include "verdict.h"

#include <string.h>

static char ann[] = "ann@d.example";
static char bob[] = "bob@d.example";

/* Asks one rule; its code, or "" for nothing against it. */
static const char *code_of(enum policy_rule rule,
                           const struct verdict_facts *facts,
                           const struct verdict_settings *set,
                           struct verdict *verdict)
{
    static const struct verdict_settings plain = {0};

    *verdict = (struct verdict){.action = POLICY_DUNNO};
    verdict_rules[rule].decide(facts, set != NULL ? set : &plain, verdict);
    return verdict->action == POLICY_DUNNO ? "" : verdict->code;
}

static void knows_the_states(void)
{
    CU_ASSERT_EQUAL(verdict_state_from("RCPT"), VERDICT_RCPT);
    CU_ASSERT_EQUAL(verdict_state_from("END-OF-MESSAGE"), VERDICT_END);
    CU_ASSERT_EQUAL(verdict_state_from("DATA"), VERDICT_DATA);
    CU_ASSERT_EQUAL(verdict_state_from("MAIL"), VERDICT_MAIL);
    CU_ASSERT_EQUAL(verdict_state_from("VRFY"), VERDICT_OTHER);
    CU_ASSERT_EQUAL(verdict_state_from("ETRN"), VERDICT_OTHER);
    CU_ASSERT_EQUAL(verdict_state_from(""), VERDICT_OTHER);
    CU_ASSERT_EQUAL(verdict_state_from("rcpt"), VERDICT_OTHER);
}

/* The table of the rules as shipped. */
static void ships_with_these_modes(void)
{
    static const struct {
        enum policy_rule rule;
        const char *name;
        unsigned states;
        enum policy_mode mode;
        enum policy_away away;
    } rows[] = {
        {POLICY_RECIPIENT_STATE, "recipient_state", VERDICT_RCPT,
         POLICY_MODE_ENFORCE, POLICY_AWAY_DUNNO},
        {POLICY_MAILBOX_QUOTA, "mailbox_quota", VERDICT_RCPT | VERDICT_END,
         POLICY_MODE_ENFORCE, POLICY_AWAY_DUNNO},
        {POLICY_DOMAIN_QUOTA, "domain_quota", VERDICT_RCPT | VERDICT_END,
         POLICY_MODE_ENFORCE, POLICY_AWAY_DUNNO},
        {POLICY_MESSAGE_SIZE, "message_size", VERDICT_RCPT | VERDICT_END,
         POLICY_MODE_WARN, POLICY_AWAY_DUNNO},
        {POLICY_SEND_RATE, "send_rate",
         VERDICT_RCPT | VERDICT_DATA | VERDICT_END, POLICY_MODE_WARN,
         POLICY_AWAY_DEFER},
        {POLICY_SENDER_LOGIN, "sender_login", VERDICT_MAIL | VERDICT_RCPT,
         POLICY_MODE_WARN, POLICY_AWAY_DEFER},
        {POLICY_TLS_IN, "tls_in", VERDICT_RCPT, POLICY_MODE_WARN,
         POLICY_AWAY_DEFER},
        {POLICY_PROVISION_RECIPIENT, "provision_recipient", VERDICT_RCPT,
         POLICY_MODE_OFF, POLICY_AWAY_DUNNO},
        {POLICY_MAILBOX_LIMIT, "mailbox_limit", VERDICT_RCPT, POLICY_MODE_WARN,
         POLICY_AWAY_DUNNO},
    };

    CU_ASSERT_EQUAL(ARRAY_SIZE(rows), POLICY_RULE_COUNT);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct verdict_rule *rule = &verdict_rules[rows[i].rule];

        CHECK_CASE(rows[i].name, strcmp(rule->name, rows[i].name) == 0);
        CHECK_CASE(rows[i].name, rule->states == rows[i].states);
        CHECK_CASE(rows[i].name, rule->mode == rows[i].mode);
        CHECK_CASE(rows[i].name, rule->away == rows[i].away);
    }
}

static void refuses_what_does_not_fit(void)
{
    static const struct {
        const char *name;
        uint64_t quota, used, size, grace;
        enum policy_over_quota over;
        const char *code;
    } cases[] = {
        {"unlimited", 0, 1000, 1000, 0, POLICY_OVER_QUOTA_DEFER, ""},
        {"empty", 100, 0, 0, 0, POLICY_OVER_QUOTA_DEFER, ""},
        {"a byte left, size unknown", 100, 99, 0, 0, POLICY_OVER_QUOTA_DEFER,
         ""},
        {"exactly full", 100, 100, 0, 0, POLICY_OVER_QUOTA_DEFER, "452 4.2.2"},
        {"over full", 100, 500, 0, 0, POLICY_OVER_QUOTA_DEFER, "452 4.2.2"},
        {"fits to the byte", 100, 40, 60, 0, POLICY_OVER_QUOTA_DEFER, ""},
        {"a byte too many", 100, 40, 61, 0, POLICY_OVER_QUOTA_DEFER,
         "452 4.2.2"},
        {"likewise, at once", 100, 40, 61, 0, POLICY_OVER_QUOTA_REJECT,
         "552 5.2.2"},
        {"within the grace", 100, 40, 70, 10, POLICY_OVER_QUOTA_DEFER, ""},
        {"beyond the grace", 100, 40, 71, 10, POLICY_OVER_QUOTA_DEFER,
         "452 4.2.2"},
        {"as large as the quota", 100, 1, 100, 0, POLICY_OVER_QUOTA_DEFER,
         "452 4.2.2"},
        {"larger than the quota", 100, 0, 101, 0, POLICY_OVER_QUOTA_DEFER,
         "552 5.2.3"},
        {"larger than quota and grace", 100, 0, 111, 10,
         POLICY_OVER_QUOTA_REJECT, "552 5.2.3"},
        {"no sum overflows", UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
         POLICY_OVER_QUOTA_DEFER, ""},
        {"no size overflows", 100, 0, UINT64_MAX, 0, POLICY_OVER_QUOTA_DEFER,
         "552 5.2.3"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct store_policy_mailbox mailbox = {.address = ann,
                                               .quota_bytes = cases[i].quota,
                                               .used_bytes = cases[i].used};
        struct verdict_domain domain = {.name = "d.example",
                                        .limit_bytes = cases[i].quota,
                                        .used_bytes = cases[i].used};
        struct verdict_target target = {&mailbox, &domain};
        struct verdict_facts facts = {
            .size = cases[i].size, .targets = &target, .target_count = 1};
        struct verdict_settings set = {cases[i].grace, cases[i].over};
        struct verdict verdict;

        CHECK_CASE(cases[i].name,
                   strcmp(code_of(POLICY_MAILBOX_QUOTA, &facts, &set, &verdict),
                          cases[i].code) == 0);
        if (cases[i].code[0] != '\0')
            CHECK_CASE(cases[i].name, strcmp(verdict.subject, ann) == 0 &&
                                          verdict.numbers[0] != '\0');
        /* A domain has no grace, and is never told to bounce. */
        if (cases[i].grace == 0)
            CHECK_CASE(
                cases[i].name,
                strcmp(code_of(POLICY_DOMAIN_QUOTA, &facts, &set, &verdict),
                       cases[i].code[0] != '\0' ? "452 4.2.2" : "") == 0);
    }
}

static void asks_all_targets(void)
{
    enum {
        ROOM,
        FULL, /* 452 */
        TINY  /* 552: the message is larger than all of it */
    };
    static const struct {
        const char *name;
        int targets[3];
        size_t count;
        bool incomplete;
        const char *code;
    } cases[] = {
        {"nobody", {ROOM}, 0, false, ""},
        {"one full", {FULL}, 1, false, "452 4.2.2"},
        {"one full, one with room", {FULL, ROOM}, 2, false, ""},
        {"one with room, one full", {ROOM, FULL}, 2, false, ""},
        {"all full", {FULL, FULL, FULL}, 3, false, "452 4.2.2"},
        {"all too small", {TINY, TINY}, 2, false, "552 5.2.3"},
        {"what may pass later counts", {TINY, FULL}, 2, false, "452 4.2.2"},
        {"in any order", {FULL, TINY}, 2, false, "452 4.2.2"},
        {"all that is known, but not all there is", {FULL, FULL}, 2, true, ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct store_policy_mailbox mailboxes[3];
        struct verdict_target targets[3];
        struct verdict_facts facts = {.size = 50,
                                      .targets = targets,
                                      .target_count = cases[i].count,
                                      .incomplete = cases[i].incomplete};
        struct verdict verdict;

        for (size_t j = 0; j < 3; j++) {
            mailboxes[j] = (struct store_policy_mailbox){
                .address = j == 0 ? ann : bob,
                .quota_bytes = cases[i].targets[j] == TINY ? 10 : 100,
                .used_bytes = cases[i].targets[j] == FULL ? 90 : 0};
            targets[j] = (struct verdict_target){&mailboxes[j], NULL};
        }
        CHECK_CASE(cases[i].name,
                   strcmp(code_of(POLICY_MAILBOX_QUOTA, &facts, NULL, &verdict),
                          cases[i].code) == 0);
    }
}

static void asks_states_tls_and_sizes(void)
{
    struct store_policy_mailbox mailbox = {.address = ann};
    struct store_policy_mailbox sender = {.address = bob};
    struct verdict_target target = {&mailbox, NULL};
    struct verdict_facts facts = {
        .targets = &target, .target_count = 1, .login_mailbox = &sender};
    struct verdict verdict;

    CU_ASSERT_STRING_EQUAL(
        code_of(POLICY_RECIPIENT_STATE, &facts, NULL, &verdict), "");
    mailbox.access = ACCOUNT_LOGIN_CLOSED;
    CU_ASSERT_STRING_EQUAL(
        code_of(POLICY_RECIPIENT_STATE, &facts, NULL, &verdict), "");
    mailbox.access = ACCOUNT_OFF;
    CU_ASSERT_STRING_EQUAL(
        code_of(POLICY_RECIPIENT_STATE, &facts, NULL, &verdict), "550 5.2.1");
    facts.domain_off = "off.example";
    CU_ASSERT_STRING_EQUAL(
        code_of(POLICY_RECIPIENT_STATE, &facts, NULL, &verdict), "550 5.2.1");
    CU_ASSERT_STRING_EQUAL(verdict.subject, "off.example");

    CU_ASSERT_STRING_EQUAL(code_of(POLICY_TLS_IN, &facts, NULL, &verdict), "");
    mailbox.tls_in = true;
    CU_ASSERT_STRING_EQUAL(code_of(POLICY_TLS_IN, &facts, NULL, &verdict),
                           "450 4.7.10");
    facts.tls = true;
    CU_ASSERT_STRING_EQUAL(code_of(POLICY_TLS_IN, &facts, NULL, &verdict), "");

    facts.size = 101;
    CU_ASSERT_STRING_EQUAL(code_of(POLICY_MESSAGE_SIZE, &facts, NULL, &verdict),
                           "");
    mailbox.message_size_bytes = 101;
    CU_ASSERT_STRING_EQUAL(code_of(POLICY_MESSAGE_SIZE, &facts, NULL, &verdict),
                           "");
    mailbox.message_size_bytes = 100;
    CU_ASSERT_STRING_EQUAL(code_of(POLICY_MESSAGE_SIZE, &facts, NULL, &verdict),
                           "552 5.3.4");
    CU_ASSERT_STRING_EQUAL(verdict.subject, ann);
    sender.message_size_bytes = 100;
    CU_ASSERT_STRING_EQUAL(code_of(POLICY_MESSAGE_SIZE, &facts, NULL, &verdict),
                           "552 5.3.4");
    CU_ASSERT_STRING_EQUAL(verdict.subject, bob);
}

static void asks_the_login(void)
{
    static const struct {
        const char *name, *login, *sender;
        bool own;
        const char *code;
    } cases[] = {
        {"own", "ann@d.example", "ann@d.example", true, ""},
        {"not own", "ann@d.example", "bob@d.example", false, "553 5.7.1"},
        {"the null sender", "ann@d.example", "", false, ""},
        {"not authenticated", "", "bob@d.example", false, ""},
    };
    struct verdict_facts limited = {
        .login = "ann@d.example",
        .rate = {.refused = true,
                 .kind = RATE_MAILBOX_MESSAGES,
                 .rate = {200, 3600},
                 .used = 200},
    };
    struct verdict verdict;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct verdict_facts facts = {.login = cases[i].login,
                                      .sender = cases[i].sender,
                                      .sender_own = cases[i].own};

        CHECK_CASE(cases[i].name,
                   strcmp(code_of(POLICY_SENDER_LOGIN, &facts, NULL, &verdict),
                          cases[i].code) == 0);
    }
    CU_ASSERT_STRING_EQUAL(code_of(POLICY_SEND_RATE, &limited, NULL, &verdict),
                           "450 4.7.1");
    CU_ASSERT_STRING_EQUAL(verdict.words,
                           "Too many messages, the sender's limit is 200/1h");
    CU_ASSERT_STRING_EQUAL(verdict.numbers,
                           "limit=mailbox_messages used=200 rate=200/1h");
    limited.rate.kind = RATE_DOMAIN_RECIPIENTS;
    (void)code_of(POLICY_SEND_RATE, &limited, NULL, &verdict);
    CU_ASSERT_STRING_EQUAL(verdict.words,
                           "Too many recipients, the domain's limit is 200/1h");
    limited.rate.refused = false;
    CU_ASSERT_STRING_EQUAL(code_of(POLICY_SEND_RATE, &limited, NULL, &verdict),
                           "");
}

static void asks_what_authd_said(void)
{
    static const struct {
        enum verdict_provision provision;
        const char *code;
    } cases[] = {
        {PROVISION_NOT_ASKED, ""},      {PROVISION_MADE, ""},
        {PROVISION_UNKNOWN, ""},        {PROVISION_NO_ANSWER, ""},
        {PROVISION_LIMIT, "450 4.2.1"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct verdict_facts facts = {.recipient = "new@d.example",
                                      .provision = cases[i].provision};
        struct verdict verdict;

        CU_ASSERT_STRING_EQUAL(
            code_of(POLICY_MAILBOX_LIMIT, &facts, NULL, &verdict),
            cases[i].code);
        CU_ASSERT_STRING_EQUAL(
            code_of(POLICY_PROVISION_RECIPIENT, &facts, NULL, &verdict), "");
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"knows the states", knows_the_states},
        {"ships with these modes", ships_with_these_modes},
        {"refuses what does not fit", refuses_what_does_not_fit},
        {"asks all targets", asks_all_targets},
        {"asks states, TLS and sizes", asks_states_tls_and_sizes},
        {"asks the login", asks_the_login},
        {"asks what authd said", asks_what_authd_said},
        CU_TEST_INFO_NULL,
    };

    return run_tests("verdict", tests);
}
