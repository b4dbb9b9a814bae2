/* test_store_host - which of several servers is asked first */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_host.h"
#include "unit.h"

#include "status.h"

#include <string.h>

#define NOW INT64_C(1000000)
#define REST ((int64_t)STORE_HOST_REST_MS)

/* Writes an order as digits. */
static const char *order_at(struct store_host *hosts, size_t count,
                            int64_t now_ms)
{
    static char text[8];
    size_t order[7] = {0};

    store_host_order(hosts, count, now_ms, order);
    for (size_t i = 0; i < count; i++)
        text[i] = (char)('0' + order[i]);
    text[count] = '\0';
    return text;
}

static void hosts_are_tried_in_their_order(void)
{
    struct store_host hosts[3] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};

    CU_ASSERT_STRING_EQUAL(order_at(hosts, 3, NOW), "012");
    CU_ASSERT_STRING_EQUAL(order_at(hosts, 1, NOW), "0");
}

static void one_that_failed_comes_last_for_a_while(void)
{
    struct store_host hosts[3] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};

    store_host_failed(&hosts[0], NOW);
    CU_ASSERT_STRING_EQUAL(order_at(hosts, 3, NOW), "120");
    CU_ASSERT_STRING_EQUAL(order_at(hosts, 3, NOW + REST - 1), "120");
    store_host_failed(&hosts[2], NOW);
    CU_ASSERT_STRING_EQUAL(order_at(hosts, 3, NOW + 1), "102");
    store_host_answered(&hosts[0]);
    CU_ASSERT_STRING_EQUAL(order_at(hosts, 3, NOW + 1), "012");
}

static void all_are_tried_when_all_failed(void)
{
    struct store_host hosts[2] = {{.name = "a"}, {.name = "b"}};

    store_host_failed(&hosts[0], NOW);
    store_host_failed(&hosts[1], NOW);
    CU_ASSERT_STRING_EQUAL(order_at(hosts, 2, NOW + 1), "01");
}

static void one_caller_at_a_time_looks_if_it_is_back(void)
{
    struct store_host hosts[2] = {{.name = "a"}, {.name = "b"}};

    store_host_failed(&hosts[0], NOW);
    CU_ASSERT_STRING_EQUAL(order_at(hosts, 2, NOW + REST), "01");
    CU_ASSERT_STRING_EQUAL(order_at(hosts, 2, NOW + REST), "10");
    CU_ASSERT_STRING_EQUAL(order_at(hosts, 2, NOW + 2 * REST), "01");
}

static void knows_who_is_away_before_the_one_in_use(void)
{
    struct store_host hosts[3] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};

    CU_ASSERT_EQUAL(store_host_away(hosts, 3), 0);
    store_host_failed(&hosts[1], NOW);
    CU_ASSERT_EQUAL(store_host_away(hosts, 3), 0);
    store_host_failed(&hosts[0], NOW);
    CU_ASSERT_EQUAL(store_host_away(hosts, 3), 2);
    store_host_failed(&hosts[2], NOW);
    CU_ASSERT_EQUAL(store_host_away(hosts, 3), 3);
    store_host_answered(&hosts[0]);
    CU_ASSERT_EQUAL(store_host_away(hosts, 3), 0);
}

static void a_host_gets_a_share_of_the_time(void)
{
    static const struct {
        const char *name;
        int64_t rest_ms;
        size_t left;
        int64_t wanted_ms;
    } cases[] = {
        {"the last has all", 5000, 0, 5000},
        {"at most the connect time", 60000, 2, STORE_HOST_CONNECT_MS},
        {"a third", 3000, 2, 1000},
        {"a half", 3000, 1, 1500},
        {"nothing is left", 0, 1, 0},
        {"less than nothing", -500, 1, 0},
        {"less than nothing, the last", -500, 0, -500},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_CASE(
            cases[i].name,
            store_host_deadline(NOW, NOW + cases[i].rest_ms, cases[i].left) ==
                NOW + cases[i].wanted_ms);
}

static void connections_return_to_an_earlier_host(void)
{
    struct store_host hosts[3] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
    int64_t old_ms = NOW - 3 * REST;

    CU_ASSERT_FALSE(store_host_should_return(hosts, 0, old_ms, NOW));
    CU_ASSERT_TRUE(store_host_should_return(hosts, 1, old_ms, NOW));
    CU_ASSERT_FALSE(store_host_should_return(hosts, 1, old_ms + 1, NOW));
    store_host_failed(&hosts[0], NOW);
    CU_ASSERT_FALSE(store_host_should_return(hosts, 1, old_ms, NOW));
    CU_ASSERT_TRUE(store_host_should_return(hosts, 2, old_ms, NOW));
    CU_ASSERT_TRUE(store_host_should_return(hosts, 1, old_ms, NOW + REST));
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"hosts are tried in their order", hosts_are_tried_in_their_order},
        {"one that failed comes last for a while",
         one_that_failed_comes_last_for_a_while},
        {"all are tried when all failed", all_are_tried_when_all_failed},
        {"one caller at a time looks if it is back",
         one_caller_at_a_time_looks_if_it_is_back},
        {"knows who is away before the one in use",
         knows_who_is_away_before_the_one_in_use},
        {"a host gets a share of the time", a_host_gets_a_share_of_the_time},
        {"connections return to an earlier host",
         connections_return_to_an_earlier_host},
        CU_TEST_INFO_NULL,
    };

    return run_tests("store_host", tests);
}
