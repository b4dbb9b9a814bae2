/* test_removal - when a run may close mailboxes, doubt by doubt */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "removal.h"
#include "unit.h"

#include <string.h>

static const struct {
    const char *text;
    bool good;
    uint64_t mailboxes;
    uint64_t limit;
} limit_cases[] = {
    {"5%", true, 0, 3},
    {"5%", true, 1, 3},
    {"5%", true, 79, 3},
    {"5%", true, 80, 4},
    {"5%", true, 999, 49},
    {"5%", true, 1000, 50},
    {"5%", true, 1000000, 50},
    {"100%", true, 10, 10},
    {"1%", true, 400, 4},
    {"0", true, 1000, 0},
    {"20", true, 5, 20},
    {"100000", true, 5, 100000},
    {"", false, 0, 0},
    {"%", false, 0, 0},
    {"0%", false, 0, 0},
    {"101%", false, 0, 0},
    {"-1", false, 0, 0},
    {"5 %", false, 0, 0},
    {"5%%", false, 0, 0},
    {"many", false, 0, 0},
    {"9999999999999", false, 0, 0},
};

static void reads_limits(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(limit_cases); i++) {
        struct removal_limit limit = {false, 0};
        struct errtext err = {{0}};
        bool good =
            removal_limit_read(limit_cases[i].text, &limit, &err) == STATUS_OK;

        CHECK_CASE(limit_cases[i].text, good == limit_cases[i].good);
        if (good)
            CHECK_CASE(limit_cases[i].text,
                       removal_limit_of(&limit, limit_cases[i].mailboxes) ==
                           limit_cases[i].limit);
    }
}

/* A run against which nothing can be said: 3 of 100 go. */
static struct removal_facts good_facts(const struct removal_domain *domain)
{
    return (struct removal_facts){
        .complete = true,
        .gap = "",
        .people = 97,
        .accepted_settings = true,
        .accepted_store = true,
        .mailboxes = 100,
        .wanted = domain->wanted,
        .of_a_day = domain->of_a_day,
        .domains = domain,
        .domain_count = 1,
        .limit = {.is_percent = true, .number = 5},
    };
}

/* One fact each is another one. */
enum twist {
    AS_IT_IS,
    NOT_COMPLETE,
    NOBODY,
    NO_CANARY,
    CANARY,
    OTHER_SETTINGS,
    OTHER_STORE,
    FORCED
};

static const struct {
    const char *name;
    enum twist twist;
    uint64_t mailboxes, wanted, of_a_day; /* of the domain */
    uint64_t forced;
    enum removal_doubt doubt;
} judge_cases[] = {
    {"nothing to say", AS_IT_IS, 100, 3, 0, 0, REMOVAL_NO_DOUBT},
    {"as many as allowed", AS_IT_IS, 100, 5, 0, 0, REMOVAL_NO_DOUBT},
    {"one more", AS_IT_IS, 100, 6, 0, 0, REMOVAL_TOO_MANY},
    {"with those of the day", AS_IT_IS, 100, 3, 2, 0, REMOVAL_NO_DOUBT},
    {"one more with those", AS_IT_IS, 100, 3, 3, 0, REMOVAL_TOO_MANY},
    {"half of a domain", AS_IT_IS, 6, 3, 0, 0, REMOVAL_NO_DOUBT},
    {"more than half", AS_IT_IS, 5, 3, 0, 0, REMOVAL_HALF_DOMAIN},
    {"the only one", AS_IT_IS, 1, 1, 0, 0, REMOVAL_HALF_DOMAIN},
    {"half with the day", AS_IT_IS, 6, 2, 2, 0, REMOVAL_HALF_DOMAIN},
    {"half a page", NOT_COMPLETE, 100, 3, 0, 0, REMOVAL_INCOMPLETE},
    {"half a page, nobody goes", NOT_COMPLETE, 100, 0, 0, 0,
     REMOVAL_INCOMPLETE},
    {"nobody there", NOBODY, 100, 3, 0, 0, REMOVAL_NOBODY},
    {"canary gone", NO_CANARY, 100, 3, 0, 0, REMOVAL_NO_CANARY},
    {"canary there", CANARY, 100, 3, 0, 0, REMOVAL_NO_DOUBT},
    {"another filter", OTHER_SETTINGS, 100, 1, 0, 0, REMOVAL_SETTINGS},
    {"another filter, nobody goes", OTHER_SETTINGS, 100, 0, 0, 0,
     REMOVAL_NO_DOUBT},
    {"a restored store", OTHER_STORE, 100, 1, 0, 0, REMOVAL_RESTORED},
    {"forced", FORCED, 10, 10, 0, 10, REMOVAL_NO_DOUBT},
    {"forced, one more", FORCED, 100, 11, 0, 10, REMOVAL_TOO_MANY},
};

static void judges(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(judge_cases); i++) {
        struct removal_domain domain = {"example.org", judge_cases[i].mailboxes,
                                        judge_cases[i].wanted,
                                        judge_cases[i].of_a_day};
        struct removal_facts facts = good_facts(&domain);
        enum twist twist = judge_cases[i].twist;
        struct errtext why = {{0}};
        enum removal_doubt doubt;

        facts.complete = twist != NOT_COMPLETE;
        facts.people = twist == NOBODY ? 0 : 97;
        facts.has_canary = twist == NO_CANARY || twist == CANARY;
        facts.canary_seen = twist == CANARY;
        facts.accepted_settings = twist != OTHER_SETTINGS;
        facts.accepted_store = twist != OTHER_STORE;
        facts.forced = twist == FORCED;
        facts.forced_limit = judge_cases[i].forced;
        doubt = removal_judge(&facts, &why);
        CHECK_CASE(judge_cases[i].name, doubt == judge_cases[i].doubt);
        CHECK_CASE(judge_cases[i].name,
                   (why.text[0] != '\0') == (doubt != REMOVAL_NO_DOUBT));
    }
}

/* Nothing an administrator says makes half an answer whole. */
static void force_does_not_complete(void)
{
    struct removal_domain domain = {"example.org", 100, 1, 0};
    struct removal_facts facts = good_facts(&domain);
    struct errtext why = {{0}};

    facts.forced = true;
    facts.forced_limit = 1000;
    facts.complete = false;
    CU_ASSERT_EQUAL(removal_judge(&facts, &why), REMOVAL_INCOMPLETE);
    facts.complete = true;
    facts.people = 0;
    CU_ASSERT_EQUAL(removal_judge(&facts, &why), REMOVAL_NOBODY);
    facts.people = 1;
    facts.has_canary = true;
    CU_ASSERT_EQUAL(removal_judge(&facts, &why), REMOVAL_NO_CANARY);
    CU_ASSERT_STRING_EQUAL(removal_doubt_name(REMOVAL_NO_CANARY), "no_canary");
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"limits are a share with two bounds, or a number", reads_limits},
        {"each doubt by itself keeps mailboxes open", judges},
        {"half an answer stays half, whatever is allowed",
         force_does_not_complete},
        CU_TEST_INFO_NULL,
    };

    return run_tests("removal", tests);
}
