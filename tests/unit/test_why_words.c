/* test_why_words - every code of a decision has words and a cure */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "unit.h"

#include "apply.h"
#include "decision.h"
#include "directory.h"
#include "provision.h"
#include "status.h"
#include "why_words.h"

#include <string.h>

static char anna[] = "anna@example.org";

static bool explained(const char *reason)
{
    return why_fix(reason)[0] != '\0' && why_meaning(reason)[0] != '\0';
}

static void every_limit_has_a_cure(void)
{
    for (int i = LIMIT_NONE + 1; i <= LIMIT_ALIAS_TAKEN; i++) {
        const char *name = apply_limit_name((enum apply_limit)i);

        CHECK_CASE(name, explained(name));
        CHECK_CASE(name, i <= LIMIT_DOMAIN_INACTIVE ||
                             why_gate_of(name) == WHY_LIMIT);
    }
}

static void every_refusal_has_a_cure(void)
{
    for (int i = REFUSAL_NONE + 1; i <= REFUSAL_DISABLED; i++) {
        const char *name = plan_refusal_name((enum plan_refusal)i);

        CHECK_CASE(name, explained(name));
    }
}

static void every_word_of_a_directory_has_a_cure(void)
{
    for (int i = DIRECTORY_NO_REASON; i <= DIRECTORY_OTHER_REFUSAL; i++) {
        struct decision decision =
            decision_password(STATUS_DENIED, (enum directory_reason)i);

        CHECK_CASE(decision.reason, explained(decision.reason));
        CHECK_CASE(decision.reason,
                   i < DIRECTORY_PASSWORD_EXPIRED ||
                       i == DIRECTORY_SEVERAL_ENTRIES ||
                       why_gate_of(decision.reason) == WHY_ACCOUNT);
    }
    for (int i = STATUS_NOT_FOUND; i <= STATUS_TEMPFAIL; i++) {
        struct decision decision =
            decision_password((enum status)i, DIRECTORY_NO_REASON);

        CHECK_CASE(decision.reason, explained(decision.reason));
    }
}

static void every_gate_has_a_cure(void)
{
    static const struct {
        const char *name;
        bool known, active;
        struct account account;
        unsigned service;
    } cases[] = {
        {.name = "unknown domain"},
        {.name = "domain off", .known = true},
        {.name = "no mailbox", .known = true, .active = true},
        {.name = "blocked",
         .known = true,
         .active = true,
         .account = {.address = anna, .admin_state = ACCOUNT_BLOCK_LOGIN}},
        {.name = "disabled",
         .known = true,
         .active = true,
         .account = {.address = anna, .directory_state = ACCOUNT_DISABLED}},
        {.name = "missing",
         .known = true,
         .active = true,
         .account = {.address = anna, .directory_state = ACCOUNT_MISSING}},
        {.name = "template",
         .known = true,
         .active = true,
         .account = {.address = anna, .set = {.active = ACCOUNT_NOLOGIN}}},
        {.name = "no service",
         .known = true,
         .active = true,
         .account = {.address = anna, .set = {.active = ACCOUNT_ACTIVE}}},
        {.name = "no right",
         .known = true,
         .active = true,
         .service = ACCOUNT_IMAP,
         .account = {.address = anna, .set = {.active = ACCOUNT_ACTIVE}}},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct decision decision =
            decision_gates(cases[i].known, cases[i].active, &cases[i].account,
                           cases[i].service);

        CHECK_CASE(cases[i].name, decision.result == LOGIN_REFUSED);
        CHECK_CASE(cases[i].name, explained(decision.reason));
    }
}

static void the_login_s_own_words_have_a_cure(void)
{
    static const char *const reasons[] = {
        "empty_user",         "malformed_user",  "empty_password",
        "throttled",          "store_no_answer", "no_local_password",
        "not_canonical",      "conflict",        "directory_not_configured",
        "foreign_address",    "unknown_domain",  "hash_unverifiable",
        "service_not_allowed"};

    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
        CHECK_CASE(reasons[i], explained(reasons[i]));
}

static void what_is_not_known_has_no_words(void)
{
    CU_ASSERT_STRING_EQUAL(why_fix("ok"), "");
    CU_ASSERT_STRING_EQUAL(why_meaning("ok"), "");
    CU_ASSERT_STRING_EQUAL(why_fix(""), "");
    CU_ASSERT_STRING_EQUAL(why_fix("of tomorrow"), "");
    CU_ASSERT_EQUAL(why_gate_of("of tomorrow"), WHY_NO_GATE);
}

static void a_refusal_is_final_and_no_answer_is_not(void)
{
    CU_ASSERT(strncmp(why_reply(LOGIN_IN), "235 2.7.0", 9) == 0);
    CU_ASSERT(strncmp(why_reply(LOGIN_WRONG), "535 5.7.8", 9) == 0);
    CU_ASSERT_STRING_EQUAL(why_reply(LOGIN_WRONG), why_reply(LOGIN_REFUSED));
    CU_ASSERT(strncmp(why_reply(LOGIN_TEMPORARY), "454 4.7.0", 9) == 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"every limit has a cure", every_limit_has_a_cure},
        {"every refusal has a cure", every_refusal_has_a_cure},
        {"every word of a directory has a cure",
         every_word_of_a_directory_has_a_cure},
        {"every gate has a cure", every_gate_has_a_cure},
        {"the login's own words have a cure",
         the_login_s_own_words_have_a_cure},
        {"what is not known has no words", what_is_not_known_has_no_words},
        {"a refusal is final and no answer is not",
         a_refusal_is_final_and_no_answer_is_not},
        CU_TEST_INFO_NULL,
    };

    return run_tests("why_words", tests);
}
