/* test_throttle - wrong passwords are counted by person and by client */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "throttle.h"
#include "unit.h"

#include <pthread.h>
#include <string.h>

#define V4 "192.0.2.7"

static const struct throttle_limits usual = {
    .failures = 3,
    .failures_per_client = 5,
    .period_ms = 60000,
    .buckets_max = 100,
};

static struct throttle *make(struct throttle_limits limits, const char *block)
{
    const char *const trusted[] = {block};
    struct throttle *throttle = NULL;

    CU_ASSERT_EQUAL(
        throttle_new(limits, trusted, block != NULL ? 1 : 0, &throttle, NULL),
        STATUS_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(throttle);
    return throttle;
}

static void fail_often(struct throttle *throttle, unsigned count,
                       const char *person, const char *client, int64_t now_ms)
{
    for (unsigned i = 0; i < count; i++)
        throttle_failure(throttle, person, client, now_ms);
}

static void closes_at_the_limit(void)
{
    static const struct {
        const char *name;
        unsigned failures;
        bool open;
    } cases[] = {
        {"none", 0, true},
        {"one below", 2, true},
        {"the limit", 3, false},
        {"one above", 4, false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct throttle *throttle = make(usual, NULL);

        fail_often(throttle, cases[i].failures, "anna", V4, 0);
        CHECK_CASE(cases[i].name,
                   throttle_open(throttle, "anna", V4, 1) == cases[i].open);
        CHECK_CASE(cases[i].name, throttle_open(throttle, "ben", V4, 1));
        CHECK_CASE(cases[i].name,
                   throttle_open(throttle, "anna", "192.0.2.8", 1));
        throttle_free(&throttle);
        CU_ASSERT_PTR_NULL(throttle);
        throttle_free(&throttle);
    }
}

static void counts_a_client_over_persons(void)
{
    struct throttle *throttle = make(usual, NULL);

    throttle_failure(throttle, "a", V4, 0);
    throttle_failure(throttle, "b", V4, 0);
    throttle_failure(throttle, "c", V4, 0);
    throttle_failure(throttle, "d", V4, 0);
    CU_ASSERT_TRUE(throttle_open(throttle, "e", V4, 0));
    throttle_failure(throttle, "e", V4, 0);
    CU_ASSERT_FALSE(throttle_open(throttle, "e", V4, 0));
    CU_ASSERT_FALSE(throttle_open(throttle, "new", V4, 0));
    CU_ASSERT_TRUE(throttle_open(throttle, "e", "192.0.2.8", 0));
    throttle_free(&throttle);
}

static void forgets_each_failure_in_time(void)
{
    static const struct {
        const char *name;
        int64_t now_ms;
        bool open;
    } cases[] = {
        {"at the third", 20000, false},
        {"just before the first is over", 59999, false},
        {"when the first is over", 60000, true},
        {"much later", 1000000, true},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct throttle *throttle = make(usual, NULL);

        throttle_failure(throttle, "anna", V4, 0);
        throttle_failure(throttle, "anna", V4, 10000);
        throttle_failure(throttle, "anna", V4, 20000);
        CHECK_CASE(cases[i].name,
                   throttle_open(throttle, "anna", V4, cases[i].now_ms) ==
                       cases[i].open);
        throttle_free(&throttle);
    }
}

static void closes_again_after_one_more(void)
{
    struct throttle *throttle = make(usual, NULL);

    throttle_failure(throttle, "anna", V4, 0);
    throttle_failure(throttle, "anna", V4, 10000);
    throttle_failure(throttle, "anna", V4, 20000);
    CU_ASSERT_TRUE(throttle_open(throttle, "anna", V4, 60000));
    throttle_failure(throttle, "anna", V4, 61000);
    CU_ASSERT_FALSE(throttle_open(throttle, "anna", V4, 69999));
    CU_ASSERT_TRUE(throttle_open(throttle, "anna", V4, 70000));
    throttle_free(&throttle);
}

static void keeps_only_the_last_failures(void)
{
    struct throttle_limits limits = usual;
    struct throttle *throttle;

    limits.failures = 10;
    limits.failures_per_client = 0;
    throttle = make(limits, NULL);
    for (int64_t i = 0; i < 1000; i++)
        throttle_failure(throttle, "anna", V4, i);
    CU_ASSERT_FALSE(throttle_open(throttle, "anna", V4, 60000));
    CU_ASSERT_FALSE(throttle_open(throttle, "anna", V4, 60989));
    CU_ASSERT_TRUE(throttle_open(throttle, "anna", V4, 60990));
    throttle_free(&throttle);
}

static void a_success_forgives_the_pair_alone(void)
{
    struct throttle *throttle = make(usual, NULL);

    fail_often(throttle, 3, "anna", V4, 0);
    fail_often(throttle, 2, "ben", V4, 0);
    throttle_success(throttle, "anna", V4);
    throttle_success(throttle, "nobody", V4);
    throttle_success(throttle, "anna", "");
    /* The client's own bucket has five. */
    CU_ASSERT_FALSE(throttle_open(throttle, "anna", V4, 0));
    CU_ASSERT_EQUAL(throttle_flush(throttle, V4), 2);
    CU_ASSERT_TRUE(throttle_open(throttle, "anna", V4, 0));
    throttle_free(&throttle);
}

static void knows_one_client_by_its_spellings(void)
{
    static const struct {
        const char *name;
        const char *failing;
        const char *asking;
        bool same;
    } cases[] = {
        {"itself", V4, V4, true},
        {"mapped", V4, "::ffff:192.0.2.7", true},
        {"mapped in hex", "::ffff:c000:207", V4, true},
        {"neighbour", V4, "192.0.2.8", false},
        {"same /64", "2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true},
        {"next /64", "2001:db8:0:1::1", "2001:db8:0:2::1", false},
        {"capitals", "2001:DB8::1", "2001:db8::1", true},
        {"zone", "fe80::1%eth0", "fe80::2", true},
        {"compatible is not mapped", "::192.0.2.7", V4, false},
        {"first bytes of IPv6 and IPv4", "c000:207::", V4, false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct throttle *throttle = make(usual, NULL);

        fail_often(throttle, 3, "anna", cases[i].failing, 0);
        CHECK_CASE(cases[i].name,
                   throttle_open(throttle, "anna", cases[i].asking, 0) ==
                       !cases[i].same);
        throttle_free(&throttle);
    }
}

static void without_an_address_there_is_no_bucket(void)
{
    static const char *const clients[] = {"", "unknown", "192.0.2", "999.1.1.1",
                                          "192.0.2.7;25"};
    struct throttle *throttle = make(usual, NULL);

    for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
        fail_often(throttle, 10, "anna", clients[i], 0);
        CHECK_CASE(clients[i], throttle_open(throttle, "anna", clients[i], 0));
    }
    CU_ASSERT_EQUAL(throttle_count(throttle), 0);
    throttle_free(&throttle);
}

static void a_trusted_client_has_no_bucket_of_its_own(void)
{
    static const struct {
        const char *block;
        const char *client;
        bool trusted;
    } cases[] = {
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.8", false},
        {"192.0.2.7/32", "::ffff:192.0.2.7", true},
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"192.0.2.4/31", "192.0.2.5", true},
        {"192.0.2.4/31", "192.0.2.6", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "203.0.113.9", false},
        {"::1", "::1", true},
        {"::1/128", "::2", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"2001:db8::5", "2001:db8::6", false},
        {"::ffff:192.0.2.0/120", "192.0.2.9", true},
        {"::ffff:192.0.2.0/120", "192.0.3.9", false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct throttle *throttle = make(usual, cases[i].block);
        char name[128];

        (void)snprintf(name, sizeof(name), "%s in %s", cases[i].client,
                       cases[i].block);
        for (char person[] = "a"; person[0] < 'i'; person[0]++)
            throttle_failure(throttle, person, cases[i].client, 0);
        CHECK_CASE(name, throttle_open(throttle, "z", cases[i].client, 0) ==
                             cases[i].trusted);
        fail_often(throttle, 3, "a", cases[i].client, 0);
        CHECK_CASE(name, !throttle_open(throttle, "a", cases[i].client, 0));
        throttle_free(&throttle);
    }
}

static void refuses_malformed_blocks(void)
{
    static const char *const blocks[] = {
        "",
        "localhost",
        "192.0.2",
        "192.0.2.7/33",
        "192.0.2.0/",
        "192.0.2.0/024",
        "192.0.2.0/24 ",
        " 192.0.2.0/24",
        "192.0.2.0/-1",
        "192.0.2.0/99999999999",
        "192.0.2.7/24",
        "2001:db8::/129",
        "2001:db8::1/64",
        "[::1]/128",
        "fe80::1%eth0",
        "192.0.2.0/24/24",
        "::ffff:192.0.2.7/120",
    };

    for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
        const char *const list[] = {"127.0.0.1", blocks[i], "::1"};
        struct throttle *throttle = NULL;
        struct errtext err = {{0}};

        CHECK_CASE(blocks[i], throttle_new(usual, list, 3, &throttle, &err) ==
                                  STATUS_INVALID);
        CHECK_CASE(blocks[i], throttle == NULL);
        CHECK_CASE(blocks[i], strstr(err.text, blocks[i]) != NULL);
    }
}

static void can_be_off(void)
{
    static const struct {
        const char *name;
        struct throttle_limits limits;
        bool person;
        bool client;
    } cases[] = {
        {"both", {0, 0, 60000, 100}, true, true},
        {"persons", {0, 5, 60000, 100}, false, false},
        {"clients", {3, 0, 60000, 100}, false, true},
        {"no buckets", {3, 5, 60000, 0}, true, true},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct throttle *throttle = make(cases[i].limits, NULL);

        fail_often(throttle, 10, "anna", V4, 0);
        CHECK_CASE(cases[i].name,
                   throttle_open(throttle, "anna", V4, 0) == cases[i].person);
        CHECK_CASE(cases[i].name,
                   throttle_open(throttle, "ben", V4, 0) == cases[i].client);
        throttle_free(&throttle);
    }
}

static void client_of(char client[32], unsigned number)
{
    (void)snprintf(client, 32, "10.0.%u.%u", number / 256, number % 256);
}

static void when_full_the_least_used_goes(void)
{
    struct throttle_limits limits = usual;
    struct throttle *throttle;
    char client[32];

    limits.failures_per_client = 0;
    throttle = make(limits, NULL);
    fail_often(throttle, 3, "anna", V4, 0);
    fail_often(throttle, 3, "ben", V4, 0);
    for (unsigned i = 0; i < 98; i++) {
        client_of(client, i);
        throttle_failure(throttle, "x", client, 0);
    }
    CU_ASSERT_EQUAL(throttle_count(throttle), 100);
    /* anna's bucket is the older one, but it is in use. */
    CU_ASSERT_FALSE(throttle_open(throttle, "anna", V4, 0));
    throttle_failure(throttle, "x", "192.0.2.99", 0);
    CU_ASSERT_EQUAL(throttle_count(throttle), 100);
    CU_ASSERT_FALSE(throttle_open(throttle, "anna", V4, 0));
    CU_ASSERT_TRUE(throttle_open(throttle, "ben", V4, 0));
    throttle_free(&throttle);
}

static void what_is_over_makes_room(void)
{
    struct throttle *throttle = make(usual, NULL);
    char client[32];

    for (unsigned i = 0; i < 50; i++) {
        client_of(client, i);
        throttle_failure(throttle, "x", client, 0);
    }
    CU_ASSERT_EQUAL(throttle_count(throttle), 100);
    throttle_failure(throttle, "x", V4, 60000);
    CU_ASSERT_EQUAL(throttle_count(throttle), 2);
    throttle_free(&throttle);
}

static void flushes_by_person_client_or_all(void)
{
    static const struct {
        const char *flush;
        size_t gone;
    } cases[] = {
        {"anna", 2},      {"ann", 0}, {V4, 3},   {"::ffff:192.0.2.7", 3},
        {"192.0.2.1", 0}, {"", 0},    {NULL, 5},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct throttle *throttle = make(usual, NULL);

        throttle_failure(throttle, "anna", V4, 0);
        throttle_failure(throttle, "ben", V4, 0);
        throttle_failure(throttle, "anna", "2001:db8::1", 0);
        CU_ASSERT_EQUAL(throttle_count(throttle), 5);
        CHECK_CASE(cases[i].flush != NULL ? cases[i].flush : "all",
                   throttle_flush(throttle, cases[i].flush) == cases[i].gone);
        CU_ASSERT_EQUAL(throttle_count(throttle), 5 - cases[i].gone);
        throttle_free(&throttle);
    }
}

static void lists_closed_buckets(void)
{
    struct throttle *throttle = make(usual, NULL);
    struct strbuf buf = STRBUF_INIT(1000);

    fail_often(throttle, 3, "anna berg", V4, 0);
    fail_often(throttle, 2, "ben", V4, 1000);
    fail_often(throttle, 3, "ben", "2001:db8::1", 1500);
    throttle_append(throttle, 2000, &buf);
    CU_ASSERT_STRING_EQUAL(strbuf_text(&buf), "anna\\x20berg 192.0.2.7 3 58\n"
                                              "* 192.0.2.7 5 58\n"
                                              "ben 2001:db8::/64 3 60\n");
    strbuf_truncate(&buf, 0);
    throttle_append(throttle, 60000, &buf);
    CU_ASSERT_STRING_EQUAL(strbuf_text(&buf), "ben 2001:db8::/64 3 2\n");
    strbuf_clear(&buf);
    throttle_free(&throttle);
}

static void counts_a_huge_name_by_its_beginning(void)
{
    struct throttle *throttle = make(usual, NULL);
    char person[5000];

    memset(person, 'p', sizeof(person) - 1);
    person[sizeof(person) - 1] = '\0';
    fail_often(throttle, 3, person, V4, 0);
    CU_ASSERT_FALSE(throttle_open(throttle, person, V4, 0));
    CU_ASSERT_EQUAL(throttle_flush(throttle, person), 1);
    throttle_free(&throttle);
}

static void reads_the_client_of_a_frame(void)
{
    static const struct {
        const char *wire;
        const char *client;
    } cases[] = {
        {"192.0.2.7;4711", "192.0.2.7"},
        {"192.0.2.7", "192.0.2.7"},
        {"::ffff:192.0.2.7;1", "192.0.2.7"},
        {"2001:DB8:0:0::1;25", "2001:db8::1"},
        {"fe80::1%eth0;25", "fe80::1"},
        {"", ""},
        {";25", ""},
        {"unknown", ""},
        {"[::1]:25", ""},
        {"192.0.2.7\n", ""},
        {"1111:2222:3333:4444:5555:6666:7777:8888;65535",
         "1111:2222:3333:4444:5555:6666:7777:8888"},
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222:3333:4444:55",
         ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char out[64] = "before";

        throttle_client(cases[i].wire, out, sizeof(out));
        CHECK_CASE(cases[i].wire, strcmp(out, cases[i].client) == 0);
    }
    for (size_t size = 1; size < 12; size++) {
        char out[12] = "before";

        throttle_client("192.0.2.7", out, size);
        CU_ASSERT_STRING_EQUAL(out, size < 10 ? "" : "192.0.2.7");
    }
}

static void *attack(void *argument)
{
    struct throttle *throttle = argument;
    struct strbuf buf = STRBUF_INIT(100000);
    char client[32];

    for (unsigned i = 0; i < 2000; i++) {
        client_of(client, i % 150);
        throttle_failure(throttle, "anna", client, i);
        (void)throttle_open(throttle, "anna", client, i);
        if (i % 7 == 0)
            throttle_success(throttle, "anna", client);
        if (i % 500 == 0) {
            throttle_append(throttle, i, &buf);
            (void)throttle_flush(throttle, "anna");
        }
    }
    strbuf_clear(&buf);
    return NULL;
}

static void stays_bounded_under_threads(void)
{
    struct throttle *throttle = make(usual, NULL);
    pthread_t threads[4];

    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        CU_ASSERT_EQUAL_FATAL(
            pthread_create(&threads[i], NULL, attack, throttle), 0);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        (void)pthread_join(threads[i], NULL);
    CU_ASSERT(throttle_count(throttle) <= usual.buckets_max);
    throttle_free(&throttle);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"closes at the limit", closes_at_the_limit},
        {"counts a client over persons", counts_a_client_over_persons},
        {"forgets each failure in time", forgets_each_failure_in_time},
        {"closes again after one more", closes_again_after_one_more},
        {"keeps only the last failures", keeps_only_the_last_failures},
        {"a success forgives the pair alone",
         a_success_forgives_the_pair_alone},
        {"knows one client by its spellings",
         knows_one_client_by_its_spellings},
        {"without an address there is no bucket",
         without_an_address_there_is_no_bucket},
        {"a trusted client has no bucket of its own",
         a_trusted_client_has_no_bucket_of_its_own},
        {"refuses malformed blocks", refuses_malformed_blocks},
        {"can be off", can_be_off},
        {"when full the least used goes", when_full_the_least_used_goes},
        {"what is over makes room", what_is_over_makes_room},
        {"flushes by person, client or all", flushes_by_person_client_or_all},
        {"lists closed buckets", lists_closed_buckets},
        {"counts a huge name by its beginning",
         counts_a_huge_name_by_its_beginning},
        {"reads the client of a frame", reads_the_client_of_a_frame},
        {"stays bounded under threads", stays_bounded_under_threads},
        CU_TEST_INFO_NULL,
    };

    return run_tests("throttle", tests);
}
