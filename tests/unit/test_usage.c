/* test_usage - sums of domains, refreshed where nobody waits */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "clock.h"
#include "unit.h"
#include "usage.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* A store that adds up slowly, and counts how many do so at a time. */
struct adding {
    atomic_uint calls;
    atomic_uint now;
    atomic_uint most;
    atomic_int delay_ms;
    atomic_bool away;
    atomic_uint bytes;
};

static enum status add_up(void *context, const char *domain,
                          int64_t deadline_ms, uint64_t *bytes_r,
                          struct errtext *err)
{
    struct adding *adding = context;
    unsigned now = atomic_fetch_add(&adding->now, 1) + 1;

    (void)domain;
    (void)deadline_ms;
    (void)atomic_fetch_add(&adding->calls, 1);
    if (now > atomic_load(&adding->most))
        atomic_store(&adding->most, now);
    if (atomic_load(&adding->delay_ms) > 0)
        clock_sleep_ms(atomic_load(&adding->delay_ms));
    (void)atomic_fetch_sub(&adding->now, 1);
    if (atomic_load(&adding->away)) {
        errtext_set(err, "away");
        return STATUS_TEMPFAIL;
    }
    *bytes_r = atomic_load(&adding->bytes);
    return STATUS_OK;
}

static struct usage *make(struct adding *adding, int64_t ttl_ms,
                          size_t domains_max)
{
    struct usage_source source = {.add_up = add_up, .context = adding};
    struct usage *usage = NULL;

    CU_ASSERT_EQUAL_FATAL(usage_open(ttl_ms, domains_max, source, &usage, NULL),
                          STATUS_OK);
    return usage;
}

/* The sum, or -1. */
static int64_t sum_of(struct usage *usage, const char *domain, int milliseconds)
{
    uint64_t bytes = 0;

    if (usage_get(usage, domain, clock_ms() + milliseconds, &bytes, NULL) !=
        STATUS_OK)
        return -1;
    return (int64_t)bytes;
}

static void waits_for_the_first_sum_alone(void)
{
    struct adding adding = {.bytes = 7};
    struct usage *usage = make(&adding, 0, 10);
    uint64_t bytes = 0;
    int64_t began_ms;

    CU_ASSERT_EQUAL(sum_of(usage, "d.example", 5000), 7);
    atomic_store(&adding.bytes, 8);
    atomic_store(&adding.delay_ms, 400);
    /* Old at once, and yet told at once, while it is added up again. */
    began_ms = clock_ms();
    CU_ASSERT_EQUAL(sum_of(usage, "d.example", 5000), 7);
    CU_ASSERT(clock_ms() - began_ms < 300);
    for (int i = 0; i < 100 && sum_of(usage, "d.example", 5000) != 8; i++)
        clock_sleep_ms(20);
    CU_ASSERT_EQUAL(sum_of(usage, "d.example", 5000), 8);
    /* A minute later, with no new sum, it says nothing any more. */
    CU_ASSERT_FALSE(usage_peek(usage, "d.example", clock_ms() + 61000, &bytes));
    usage_close(&usage);
}

static void remembers_a_sum_for_its_time(void)
{
    struct adding adding = {.bytes = 7};
    struct usage *usage = make(&adding, 60000, 10);
    uint64_t bytes = 0;

    CU_ASSERT_FALSE(usage_peek(usage, "d.example", clock_ms(), &bytes));
    CU_ASSERT_EQUAL(sum_of(usage, "d.example", 5000), 7);
    for (int i = 0; i < 100; i++)
        CU_ASSERT_TRUE(usage_peek(usage, "d.example", clock_ms(), &bytes));
    CU_ASSERT_EQUAL(bytes, 7);
    CU_ASSERT_EQUAL(atomic_load(&adding.calls), 1);
    usage_flush(usage);
    CU_ASSERT_FALSE(usage_peek(usage, "d.example", clock_ms(), &bytes));
    usage_close(&usage);
}

static void adds_up_one_domain_at_a_time(void)
{
    struct adding adding = {.delay_ms = 20};
    struct usage *usage = make(&adding, 60000, 100);
    uint64_t bytes = 0;
    char domain[16];

    for (int i = 0; i < 10; i++) {
        (void)snprintf(domain, sizeof(domain), "d%d", i);
        (void)usage_peek(usage, domain, clock_ms(), &bytes);
    }
    CU_ASSERT_EQUAL(sum_of(usage, "last", 5000), 0);
    CU_ASSERT_EQUAL(atomic_load(&adding.most), 1);
    CU_ASSERT_EQUAL(atomic_load(&adding.calls), 11);
    usage_close(&usage);
}

static void says_when_nobody_answers(void)
{
    struct adding adding = {.away = true};
    struct usage *usage = make(&adding, 0, 10);

    CU_ASSERT_EQUAL(sum_of(usage, "d.example", 5000), -1);
    atomic_store(&adding.delay_ms, 500);
    CU_ASSERT_EQUAL(sum_of(usage, "e.example", 50), -1);
    atomic_store(&adding.away, false);
    atomic_store(&adding.delay_ms, 0);
    CU_ASSERT_EQUAL(sum_of(usage, "f.example", 5000), 0);
    /* What was known stays known. */
    atomic_store(&adding.away, true);
    CU_ASSERT_EQUAL(sum_of(usage, "f.example", 5000), 0);
    usage_close(&usage);
}

static void holds_no_more_than_its_bound(void)
{
    struct adding adding = {.bytes = 1};
    struct usage *usage = make(&adding, 60000, 4);
    uint64_t bytes = 0;
    unsigned known = 0;
    char domain[16];

    for (int i = 0; i < 20; i++) {
        (void)snprintf(domain, sizeof(domain), "d%d", i);
        CU_ASSERT_EQUAL(sum_of(usage, domain, 5000), 1);
    }
    for (int i = 19; i >= 16; i--) {
        (void)snprintf(domain, sizeof(domain), "d%d", i);
        known += usage_peek(usage, domain, clock_ms(), &bytes) ? 1 : 0;
    }
    CU_ASSERT_EQUAL(known, 4);
    CU_ASSERT_FALSE(usage_peek(usage, "d0", clock_ms(), &bytes));
    usage_close(&usage);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"waits for the first sum alone", waits_for_the_first_sum_alone},
        {"remembers a sum for its time", remembers_a_sum_for_its_time},
        {"adds up one domain at a time", adds_up_one_domain_at_a_time},
        {"says when nobody answers", says_when_nobody_answers},
        {"holds no more than its bound", holds_no_more_than_its_bound},
        CU_TEST_INFO_NULL,
    };

    return run_tests("usage", tests);
}
