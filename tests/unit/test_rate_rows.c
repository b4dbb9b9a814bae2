/* test_rate_rows - counters as rows, over restarts, nodes and clocks */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "rate_rows.h"
#include "rate_scene.h"
#include "unit.h"

#define ROWS 4096

/* Collects all rows, in a buffer of ours. */
static size_t collect(struct rates *rates, struct store_rate_row *rows,
                      int64_t now_ms)
{
    size_t count = rates_collect(rates, rows, ROWS, now_ms);

    for (size_t i = 0; i < count; i++)
        rows[i].batch = 1;
    return count;
}

static void survives_a_restart(void)
{
    static struct store_rate_row rows[ROWS];
    struct rates *rates = scene_rates(1000);
    struct rate_limits limits = {.login = ADA, .domain = ORG};
    int64_t now_ms = 5000;
    size_t count;

    limits.rates[RATE_MAILBOX_MESSAGES] = (struct rate){10, 60};
    limits.rates[RATE_MAILBOX_RECIPIENTS] = (struct rate){100, 3600};
    limits.rates[RATE_DOMAIN_MESSAGES] = (struct rate){1000, 86400};
    rates_align(rates, 1000000, now_ms);
    for (unsigned i = 0; i < 6; i++, now_ms += 4000)
        CU_ASSERT_TRUE(scene_charge(rates, &limits, 3, now_ms));
    count = collect(rates, rows, now_ms);
    CU_ASSERT_TRUE(count >= 3);
    CU_ASSERT_EQUAL(collect(rates, rows + count, now_ms), 0);
    rates_free(&rates);

    /* Another process: its clock begins elsewhere, it has charged two. */
    rates = scene_rates(1000);
    CU_ASSERT_TRUE(scene_charge(rates, &limits, 3, 77));
    CU_ASSERT_TRUE(scene_charge(rates, &limits, 3, 77));
    rates_align(rates, now_ms + 1000000 - 77, 77);
    CU_ASSERT_TRUE(rates_put(rates, RATES_SELF, rows, count, 77));
    CU_ASSERT_TRUE(rates_put(rates, RATES_SELF, rows, count, 77));
    rates_adopt(rates, 77);
    CU_ASSERT_EQUAL(scene_used(rates, RATE_MAILBOX_MESSAGES, ADA, 60, 77), 8);
    CU_ASSERT_EQUAL(scene_used(rates, RATE_MAILBOX_RECIPIENTS, ADA, 3600, 77),
                    24);
    CU_ASSERT_EQUAL(scene_used(rates, RATE_DOMAIN_MESSAGES, ORG, 86400, 77), 8);
    CU_ASSERT_TRUE(scene_charge(rates, &limits, 3, 78));
    CU_ASSERT_TRUE(scene_charge(rates, &limits, 3, 78));
    CU_ASSERT_FALSE(scene_charge(rates, &limits, 3, 78));
    /* What was read and what was charged is one row again. */
    count = collect(rates, rows, 78);
    {
        uint64_t messages = 0;

        for (size_t i = 0; i < count; i++)
            messages +=
                rows[i].kind == RATE_MAILBOX_MESSAGES ? rows[i].count : 0;
        CU_ASSERT_EQUAL(messages, 10);
    }
    rates_free(&rates);
}

/* What is read back before anybody charges needs no second place. */
static void is_read_back_in_its_place(void)
{
    static struct store_rate_row rows[ROWS];
    struct rates *rates = scene_rates(1000);
    struct rate_limits limits = scene_messages(ADA, 10, 60);
    size_t count;

    for (int64_t now_ms = 0; now_ms < 12000; now_ms += 2000)
        CU_ASSERT_TRUE(scene_charge(rates, &limits, 1, now_ms));
    count = collect(rates, rows, 12000);
    rates_free(&rates);

    rates = scene_rates(1000);
    CU_ASSERT_TRUE(count > 2);
    CU_ASSERT_TRUE(rates_put(rates, RATES_SELF, rows, 2, 12000));
    CU_ASSERT_TRUE(rates_put(rates, RATES_SELF, rows, 2, 12000));
    /* Somebody charges in the middle; the rest is added all the same. */
    CU_ASSERT_TRUE(scene_charge(rates, &limits, 1, 12000));
    CU_ASSERT_TRUE(rates_put(rates, RATES_SELF, rows + 2, count - 2, 12000));
    rates_adopt(rates, 12000);
    CU_ASSERT_EQUAL(scene_used(rates, RATE_MAILBOX_MESSAGES, ADA, 60, 12000),
                    7);
    CU_ASSERT_TRUE(scene_charge(rates, &limits, 1, 12000));
    CU_ASSERT_EQUAL(scene_used(rates, RATE_MAILBOX_MESSAGES, ADA, 60, 12000),
                    8);
    rates_free(&rates);
}

static void what_was_not_written_is_collected_again(void)
{
    static struct store_rate_row rows[ROWS];
    static struct store_rate_row again[ROWS];
    struct rates *rates = scene_rates(1000);
    size_t count;

    for (unsigned i = 0; i < 100; i++) {
        struct rate_limits limits = scene_messages(scene_login(i), 10, 3600);

        CU_ASSERT_TRUE(scene_charge(rates, &limits, 1, 0));
    }
    CU_ASSERT_EQUAL(rates_collect(rates, rows, 30, 0), 30);
    rates_uncollect(rates, rows, 30);
    count = collect(rates, again, 0);
    CU_ASSERT_EQUAL(count, 100);
    /* Not when it has become too old meanwhile. */
    rates_uncollect(rates, again, count);
    CU_ASSERT_EQUAL(collect(rates, rows, 4000000), 0);
    rates_free(&rates);
}

static void nodes_share_a_limit(void)
{
    static struct store_rate_row rows[ROWS];
    struct rates *here = scene_rates(100);
    struct rates *there = scene_rates(100);
    struct rate_limits limits = scene_messages(ADA, 10, 60);
    unsigned passed = 0;
    size_t count;

    for (unsigned i = 0; i < 6; i++)
        CU_ASSERT_TRUE(scene_charge(there, &limits, 1, 0));
    count = collect(there, rows, 0);
    CU_ASSERT_TRUE(rates_put(here, 3, rows, count, 0));
    CU_ASSERT_TRUE(rates_put(here, 3, rows, count, 0));
    while (scene_charge(here, &limits, 1, 0))
        passed++;
    CU_ASSERT_EQUAL(passed, 4);
    /* Their rows are theirs: ours tell what we charged. */
    count = collect(here, rows, 0);
    CU_ASSERT_EQUAL(count, 1);
    CU_ASSERT_EQUAL(rows[0].count, 4);
    /* And they expire like ours. */
    CU_ASSERT_EQUAL(scene_used(here, RATE_MAILBOX_MESSAGES, ADA, 60, 62000), 0);
    rates_free(&here);
    rates_free(&there);
}

static void rows_that_make_no_sense_do_no_harm(void)
{
    struct rates *rates = scene_rates(100);
    struct store_rate_row rows[] = {
        {ADA, 99, 60, 0, 5, 1, 0},
        {ADA, RATE_MAILBOX_MESSAGES, 0, 0, 5, 1, 0},
        {"", RATE_MAILBOX_MESSAGES, 60, 0, 5, 1, 0},
        {ADA, RATE_MAILBOX_MESSAGES, 60, 1000000, 5, 1, 0},
        {ADA, RATE_MAILBOX_MESSAGES, 60, -1000000, 5, 1, 0},
        {ADA, RATE_MAILBOX_MESSAGES, 60, 0, 0, 1, 0},
    };
    struct rate_stats stats;

    CU_ASSERT_TRUE(rates_put(rates, 0, rows, ARRAY_SIZE(rows), 0));
    rates_uncollect(rates, rows, ARRAY_SIZE(rows));
    rate_stats(rates, &stats);
    CU_ASSERT_EQUAL(stats.counters, 0);
    rates_free(&rates);
}

static void a_rename_takes_the_counters_along(void)
{
    static struct store_rate_row rows[ROWS];
    struct rates *rates = scene_rates(100);
    struct rate_limits ada = scene_messages(ADA, 5, 60);
    struct rate_limits bob = scene_messages(BOB, 5, 60);
    size_t count;
    unsigned zeros = 0;

    for (unsigned i = 0; i < 3; i++)
        CU_ASSERT_TRUE(scene_charge(rates, &ada, 1, 0));
    CU_ASSERT_TRUE(scene_charge(rates, &bob, 1, 0));
    (void)collect(rates, rows, 0);
    rates_rename(rates, ADA, BOB, 10);
    rates_rename(rates, ADA, BOB, 10);
    CU_ASSERT_EQUAL(scene_used(rates, RATE_MAILBOX_MESSAGES, BOB, 60, 10), 4);
    CU_ASSERT_EQUAL(scene_used(rates, RATE_MAILBOX_MESSAGES, ADA, 60, 10), 0);
    count = collect(rates, rows, 10);
    CU_ASSERT_EQUAL(count, 2);
    for (size_t i = 0; i < count; i++)
        zeros += rows[i].count == 0 ? 1 : 0;
    CU_ASSERT_EQUAL(zeros, 1);
    rates_free(&rates);
}

static void a_shifted_clock_forgives_nothing(void)
{
    struct rates *rates = scene_rates(100);
    struct rate_limits limits = scene_messages(ADA, 5, 60);
    const int64_t offsets[] = {0, 1700000000123, -5, 1900000000000, 17};

    for (unsigned i = 0; i < 5; i++) {
        rates_align(rates, offsets[i], 1000 + (int64_t)i);
        CU_ASSERT_TRUE(scene_charge(rates, &limits, 1, 1000 + (int64_t)i));
    }
    CU_ASSERT_FALSE(scene_charge(rates, &limits, 1, 1100));
    CU_ASSERT_FALSE(scene_charge(rates, &limits, 1, 60900));
    /* Each shift may have cost one bucket. */
    CU_ASSERT_TRUE(scene_charge(rates, &limits, 1, 1000 + 60000 + 6 * 1875));
    rates_free(&rates);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"survives a restart", survives_a_restart},
        {"is read back in its place", is_read_back_in_its_place},
        {"what was not written is collected again",
         what_was_not_written_is_collected_again},
        {"nodes share a limit", nodes_share_a_limit},
        {"rows that make no sense do no harm",
         rows_that_make_no_sense_do_no_harm},
        {"a rename takes the counters along",
         a_rename_takes_the_counters_along},
        {"a shifted clock forgives nothing", a_shifted_clock_forgives_nothing},
        CU_TEST_INFO_NULL,
    };

    return run_tests("rate_rows", tests);
}
