/* test_apply_limit - which limit says no, and with which numbers */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "apply_limit.h"
#include "unit.h"

#include <string.h>

#define GIB ((uint64_t)1 << 30)
#define DOMAIN "d.example"

/* A mailbox that comes into the domain. */
static struct store_charge arrival(uint64_t bytes)
{
    return (struct store_charge){
        .domain = DOMAIN,
        .mailboxes = 1,
        .quota_bytes = (int64_t)bytes,
        .needs_active = true,
        .quota_grows = bytes > 0,
        .wanted_bytes = bytes,
        .unlimited = bytes == 0,
    };
}

static struct store_charge growth(uint64_t from, uint64_t to)
{
    return (struct store_charge){
        .domain = DOMAIN,
        .quota_bytes = (int64_t)to - (int64_t)from,
        .quota_grows = from > 0 && to > from,
        .wanted_bytes = to,
        .unlimited = to == 0,
    };
}

static struct store_charge more_aliases(int64_t aliases)
{
    return (struct store_charge){.domain = DOMAIN, .aliases = aliases};
}

struct limit_case {
    const char *name;
    struct store_domain domain;
    struct store_charge charge;
    enum apply_limit limit;
    const char *reason; /* NULL: not compared */
};

static void check_cases(const struct limit_case *cases, size_t count)
{
    static char name[] = DOMAIN;

    for (size_t i = 0; i < count; i++) {
        struct store_domain domain = cases[i].domain;
        struct errtext reason = {{0}};
        enum apply_limit limit;

        domain.name = name;
        limit = apply_limit_of(&domain, &cases[i].charge, &reason);
        CHECK_CASE(cases[i].name, limit == cases[i].limit);
        if (cases[i].reason != NULL)
            CHECK_CASE(cases[i].name,
                       strcmp(reason.text, cases[i].reason) == 0);
    }
}

static void names_the_limit_of_a_create(void)
{
    const struct limit_case cases[] = {
        {"no limits at all", {.active = true}, arrival(0), LIMIT_NONE, ""},
        {"inactive",
         {.active = false},
         arrival(GIB),
         LIMIT_DOMAIN_INACTIVE,
         "domain d.example is not active"},
        {"the last place",
         {.active = true, .max_mailboxes = 50, .mailboxes_used = 49},
         arrival(GIB),
         LIMIT_NONE,
         ""},
        {"full",
         {.active = true, .max_mailboxes = 50, .mailboxes_used = 50},
         arrival(GIB),
         LIMIT_MAX_MAILBOXES,
         "domain d.example is full: 50 of 50 mailboxes"},
        {"over full, after the limit was lowered",
         {.active = true, .max_mailboxes = 10, .mailboxes_used = 50},
         arrival(GIB),
         LIMIT_MAX_MAILBOXES,
         "domain d.example is full: 50 of 10 mailboxes"},
        {"the last byte",
         {.active = true, .quota_bytes = 10, .quota_allotted = 7},
         arrival(3),
         LIMIT_NONE,
         ""},
        {"one byte more",
         {.active = true, .quota_bytes = 100 * GIB, .quota_allotted = 98 * GIB},
         arrival(5 * GIB),
         LIMIT_DOMAIN_QUOTA,
         "quota: 5G wanted, 2G of 100G left in d.example"},
        {"nothing left",
         {.active = true, .quota_bytes = GIB, .quota_allotted = 2 * GIB},
         arrival(1),
         LIMIT_DOMAIN_QUOTA,
         "quota: 1 wanted, 0 of 1G left in d.example"},
        {"at max_quota",
         {.active = true, .max_quota_bytes = 5 * GIB},
         arrival(5 * GIB),
         LIMIT_NONE,
         ""},
        {"over max_quota",
         {.active = true, .max_quota_bytes = 5 * GIB},
         arrival(6 * GIB),
         LIMIT_MAX_QUOTA,
         "6G is over max_quota 5G of one mailbox in d.example"},
        {"unlimited in a domain with a quota",
         {.active = true, .quota_bytes = GIB},
         arrival(0),
         LIMIT_UNLIMITED,
         "unlimited mailbox in a limited domain: d.example has quota 1G, "
         "max_quota unlimited"},
        {"unlimited where mailboxes have a maximum",
         {.active = true, .max_quota_bytes = GIB},
         arrival(0),
         LIMIT_UNLIMITED,
         NULL},
        {"sums that do not fit into the column",
         {.active = true, .quota_allotted = INT64_MAX - 1},
         arrival(2),
         LIMIT_DOMAIN_QUOTA,
         NULL},
        {"sums that just do",
         {.active = true, .quota_allotted = INT64_MAX - 2},
         arrival(2),
         LIMIT_NONE,
         ""},
    };

    check_cases(cases, ARRAY_SIZE(cases));
}

static void names_the_limit_of_an_update(void)
{
    const struct limit_case cases[] = {
        {"an inactive domain does not matter",
         {.active = false},
         growth(GIB, 2 * GIB),
         LIMIT_NONE,
         ""},
        {"growth is the difference",
         {.quota_bytes = 10, .quota_allotted = 9},
         growth(5, 6),
         LIMIT_NONE,
         ""},
        {"growth over the domain",
         {.quota_bytes = 10, .quota_allotted = 9},
         growth(5, 7),
         LIMIT_DOMAIN_QUOTA,
         NULL},
        {"growth over max_quota",
         {.max_quota_bytes = 6},
         growth(5, 7),
         LIMIT_MAX_QUOTA,
         NULL},
        {"shrinking in a domain that is over its limits",
         {.quota_bytes = 10, .quota_allotted = 100, .max_quota_bytes = 1},
         growth(50, 40),
         LIMIT_NONE,
         ""},
        {"a quota for an unlimited mailbox",
         {.quota_bytes = 10, .quota_allotted = 10},
         growth(0, 5),
         LIMIT_NONE,
         ""},
        {"unlimited in a limited domain",
         {.quota_bytes = 10},
         growth(5, 0),
         LIMIT_UNLIMITED,
         NULL},
        {"unlimited in an unlimited one",
         {.max_mailboxes = 1},
         growth(5, 0),
         LIMIT_NONE,
         ""},
        {"the last alias",
         {.max_aliases = 3, .aliases_used = 2},
         more_aliases(1),
         LIMIT_NONE,
         ""},
        {"one alias more",
         {.max_aliases = 10, .aliases_used = 8},
         more_aliases(3),
         LIMIT_MAX_ALIASES,
         "aliases: 3 wanted, 2 of 10 left in d.example"},
        {"fewer aliases",
         {.max_aliases = 1, .aliases_used = 8},
         more_aliases(-3),
         LIMIT_NONE,
         ""},
    };

    check_cases(cases, ARRAY_SIZE(cases));
}

static void names_a_domain_that_is_not_there(void)
{
    struct store_domain none = {0};
    struct store_charge charge = arrival(1);
    struct errtext reason = {{0}};

    CU_ASSERT_EQUAL(apply_limit_of(&none, &charge, &reason),
                    LIMIT_DOMAIN_UNKNOWN);
    CU_ASSERT_STRING_EQUAL(reason.text, "d.example is no domain of this store");
}

static void has_a_code_for_each_limit(void)
{
    for (int i = LIMIT_NONE; i <= LIMIT_ALIAS_TAKEN; i++) {
        for (int other = LIMIT_NONE; other < i; other++)
            CU_ASSERT_NOT_EQUAL(
                strcmp(apply_limit_name((enum apply_limit)i),
                       apply_limit_name((enum apply_limit)other)),
                0);
    }
    CU_ASSERT_STRING_EQUAL(apply_limit_name(LIMIT_MAX_MAILBOXES),
                           "max_mailboxes");
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"names the limit of a create", names_the_limit_of_a_create},
        {"names the limit of an update", names_the_limit_of_an_update},
        {"names a domain that is not there", names_a_domain_that_is_not_there},
        {"has a code for each limit", has_a_code_for_each_limit},
        CU_TEST_INFO_NULL,
    };

    return run_tests("apply_limit", tests);
}
