/* test_rate - counters of a sliding window, against an exact one */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "rate_event.h"
#include "rate_scene.h"
#include "rate_window.h"
#include "torture.h"
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A generator of our own, so that a failure can be run again. */
static uint64_t random_state;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static uint64_t random_below(uint64_t limit)
{
    return random_next() % limit;
}

/* What really happened: every charge with its time. */
struct history {
    int64_t times[20000];
    uint32_t amounts[20000];
    size_t count;
};

static uint64_t exact(const struct history *history, int64_t now_ms,
                      int64_t span_ms)
{
    uint64_t sum = 0;

    for (size_t i = history->count; i-- > 0;) {
        if (now_ms - history->times[i] > span_ms)
            break;
        sum += history->amounts[i];
    }
    return sum;
}

/*
 * The bound of rate.h: never less than the exact window of 32 w, never more
 * than one of 33 w less a millisecond.
 */
static void counts_within_one_bucket(void)
{
    static const uint32_t periods[] = {1, 2, 7, 60, 3600, 86400, 604800};
    static struct history history;
    unsigned wrong = 0;

    random_state = 20261124;
    for (size_t p = 0; p < ARRAY_SIZE(periods); p++) {
        int64_t width = rate_window_width_ms(periods[p]);
        int64_t now_ms = (int64_t)random_below(1000000);
        struct rate_window window;

        CU_ASSERT_TRUE(width * 32 >= (int64_t)periods[p] * 1000);
        CU_ASSERT_TRUE((width - 1) * 32 < (int64_t)periods[p] * 1000);
        history.count = 0;
        rate_window_begin(&window, periods[p], now_ms);
        for (unsigned step = 0; step < 4000; step++) {
            uint64_t sum;

            /* Mostly small steps, now and then over an edge or far. */
            now_ms += (int64_t)random_below(
                (uint64_t)(random_below(50) == 0 ? width * 40 : width / 3 + 2));
            if (random_below(4) == 0)
                now_ms += width - now_ms % width;
            rate_window_advance(&window, now_ms);
            if (random_below(3) > 0) {
                history.times[history.count] = now_ms;
                history.amounts[history.count] = (uint32_t)random_below(9);
                rate_window_add(&window, history.amounts[history.count++]);
            }
            sum = rate_window_sum(&window);
            if (sum < exact(&history, now_ms, 32 * width) ||
                sum > exact(&history, now_ms, 33 * width - 1))
                wrong++;
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

/* No window of a period ever holds more than its limit. */
static void a_limit_is_never_exceeded(void)
{
    static struct history history;
    struct rates *rates = scene_rates(100);
    struct rate_limits limits = scene_messages(ADA, 20, 60);
    int64_t now_ms = 123456;
    unsigned wrong = 0;
    unsigned refused = 0;

    random_state = 4711;
    history.count = 0;
    for (unsigned step = 0; step < 15000; step++) {
        now_ms += (int64_t)random_below(random_below(100) == 0 ? 90000 : 3000);
        if (scene_charge(rates, &limits, 1, now_ms)) {
            history.times[history.count] = now_ms;
            history.amounts[history.count++] = 1;
        } else {
            refused++;
            /* And it is not refused for what is older than a bucket more. */
            if (exact(&history, now_ms, 61875 - 1) < 20)
                wrong++;
        }
        if (exact(&history, now_ms, 60000) > 20)
            wrong++;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_TRUE(refused > 1000 && history.count > 1000);
    rates_free(&rates);
    CU_ASSERT_PTR_NULL(rates);
    rates_free(&rates);
}

static void all_four_or_none(void)
{
    static const struct {
        const char *name;
        struct rate rates[RATE_KIND_COUNT];
        uint32_t recipients;
        bool refused;
        enum rate_kind kind;
    } cases[] = {
        {"no limit", {{0, 0}}, 1000000, false, 0},
        {"all fit", {{1, 60}, {3, 60}, {1, 60}, {3, 60}}, 3, false, 0},
        {"recipients of the mailbox",
         {{9, 60}, {2, 60}, {9, 60}, {9, 60}},
         3,
         true,
         RATE_MAILBOX_RECIPIENTS},
        {"recipients of the domain",
         {{9, 60}, {9, 60}, {9, 60}, {2, 60}},
         3,
         true,
         RATE_DOMAIN_RECIPIENTS},
        {"the first that says no is named",
         {{9, 60}, {2, 60}, {9, 60}, {2, 60}},
         3,
         true,
         RATE_MAILBOX_RECIPIENTS},
        {"a period of nothing is no limit", {{1, 0}, {0, 60}}, 3, false, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct rates *rates = scene_rates(100);
        struct rate_limits limits = {.login = ADA, .domain = ORG};
        struct rate_verdict verdict = {.refused = false};
        uint64_t messages;

        memcpy(limits.rates, cases[i].rates, sizeof(limits.rates));
        CU_ASSERT_EQUAL(
            rate_charge(rates, &limits, cases[i].recipients, 0, &verdict, NULL),
            STATUS_OK);
        CHECK_CASE(cases[i].name, verdict.refused == cases[i].refused);
        CHECK_CASE(cases[i].name,
                   !verdict.refused || verdict.kind == cases[i].kind);
        messages = scene_used(rates, RATE_DOMAIN_MESSAGES, ORG, 60, 0) +
                   scene_used(rates, RATE_MAILBOX_MESSAGES, ADA, 60, 0) +
                   scene_used(rates, RATE_MAILBOX_RECIPIENTS, ADA, 60, 0) +
                   scene_used(rates, RATE_DOMAIN_RECIPIENTS, ORG, 60, 0);
        CHECK_CASE(cases[i].name, verdict.refused ? messages == 0 : true);
        if (i == 1)
            CHECK_CASE(cases[i].name, messages == 1 + 1 + 3 + 3);
        rates_free(&rates);
    }
}

static void a_check_charges_nothing(void)
{
    struct rates *rates = scene_rates(100);
    struct rate_limits limits = scene_messages(ADA, 2, 60);
    struct rate_verdict verdict;
    struct rate_stats stats;

    rate_check(rates, &limits, 0, &verdict);
    CU_ASSERT_FALSE(verdict.refused);
    rate_stats(rates, &stats);
    CU_ASSERT_EQUAL(stats.counters, 0);
    CU_ASSERT_TRUE(scene_charge(rates, &limits, 1, 0));
    for (unsigned i = 0; i < 10; i++) {
        rate_check(rates, &limits, 1, &verdict);
        CU_ASSERT_FALSE(verdict.refused);
    }
    CU_ASSERT_TRUE(scene_charge(rates, &limits, 1, 2));
    rate_check(rates, &limits, 3, &verdict);
    CU_ASSERT_TRUE(verdict.refused);
    CU_ASSERT_EQUAL(verdict.used, 2);
    CU_ASSERT_EQUAL(verdict.rate.count, 2);
    CU_ASSERT_FALSE(scene_charge(rates, &limits, 1, 4));
    CU_ASSERT_EQUAL(scene_used(rates, RATE_MAILBOX_MESSAGES, ADA, 60, 5), 2);
    rates_free(&rates);
}

static void subjects_are_apart(void)
{
    struct rates *rates = scene_rates(100);
    struct rate_limits ada = scene_messages(ADA, 1, 60);
    struct rate_limits bob = scene_messages(BOB, 1, 60);
    struct rate_limits domain = {.login = BOB, .domain = ADA};

    domain.rates[RATE_DOMAIN_MESSAGES] = (struct rate){1, 60};
    CU_ASSERT_TRUE(scene_charge(rates, &ada, 1, 0));
    CU_ASSERT_FALSE(scene_charge(rates, &ada, 1, 0));
    CU_ASSERT_TRUE(scene_charge(rates, &bob, 1, 0));
    CU_ASSERT_TRUE(scene_charge(rates, &domain, 1, 0));
    rates_free(&rates);
}

static void refuses_names_it_cannot_hold(void)
{
    char longest[RATE_SUBJECT_BYTES_MAX + 2];
    struct rates *rates = scene_rates(100);
    struct rate_limits limits = scene_messages("", 1, 60);
    struct rate_verdict verdict;
    struct errtext err;

    memset(longest, 'a', sizeof(longest));
    longest[RATE_SUBJECT_BYTES_MAX + 1] = '\0';
    CU_ASSERT_EQUAL(rate_charge(rates, &limits, 1, 0, &verdict, &err),
                    STATUS_INVALID);
    limits.login = longest;
    CU_ASSERT_EQUAL(rate_charge(rates, &limits, 1, 0, &verdict, &err),
                    STATUS_INVALID);
    rate_check(rates, &limits, 0, &verdict);
    CU_ASSERT_FALSE(verdict.refused);
    longest[RATE_SUBJECT_BYTES_MAX] = '\0';
    CU_ASSERT_TRUE(scene_charge(rates, &limits, 1, 0));
    CU_ASSERT_FALSE(scene_charge(rates, &limits, 1, 0));
    rates_free(&rates);
}

static void the_first_refusal_of_a_period_is_told_once(void)
{
    struct rates *rates = scene_rates(100);
    struct rate_limits limits = scene_messages(ADA, 1, 60);
    struct rate_verdict verdict;
    unsigned told = 0;

    CU_ASSERT_TRUE(scene_charge(rates, &limits, 1, 0));
    for (int64_t now_ms = 1; now_ms < 60000; now_ms += 1000) {
        if (now_ms % 2000 == 1)
            rate_check(rates, &limits, now_ms, &verdict);
        else
            CU_ASSERT_EQUAL(
                rate_charge(rates, &limits, 1, now_ms, &verdict, NULL),
                STATUS_OK);
        CU_ASSERT_TRUE(verdict.refused);
        /* Asking does not use the first one up. */
        CU_ASSERT_EQUAL(verdict.first, told == 0);
        if (now_ms > 5000)
            told += rate_told(rates, &limits, &verdict, now_ms) ? 1 : 0;
    }
    CU_ASSERT_EQUAL(told, 1);
    CU_ASSERT_TRUE(scene_charge(rates, &limits, 1, 70000));
    rate_check(rates, &limits, 70001, &verdict);
    CU_ASSERT_TRUE(verdict.refused && verdict.first);
    CU_ASSERT_TRUE(rate_told(rates, &limits, &verdict, 70001));
    CU_ASSERT_FALSE(rate_told(rates, &limits, &verdict, 70002));
    rates_free(&rates);
}

/* As many charges of four threads as the limit has room for, no more. */
struct crowd {
    struct rates *rates;
    unsigned passed;
};

static void *send_many(void *argument)
{
    struct crowd *crowd = argument;

    for (unsigned i = 0; i < 3000; i++) {
        char login[32];
        struct rate_limits limits = {.login = login, .domain = ORG};

        (void)snprintf(login, sizeof(login), "u%u@example.org", i % 7);
        for (unsigned k = 0; k < RATE_KIND_COUNT; k++)
            limits.rates[k] = (struct rate){1000000, 3600};
        limits.rates[RATE_DOMAIN_RECIPIENTS].count = 5001;
        crowd->passed += scene_charge(crowd->rates, &limits, 2, 1000) ? 1 : 0;
    }
    return NULL;
}

static void threads_share_one_limit(void)
{
    struct crowd crowds[4];
    pthread_t threads[4];
    struct rates *rates = scene_rates(100000);
    unsigned passed = 0;

    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        crowds[i] = (struct crowd){rates, 0};
        CU_ASSERT_EQUAL_FATAL(
            pthread_create(&threads[i], NULL, send_many, &crowds[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        (void)pthread_join(threads[i], NULL);
        passed += crowds[i].passed;
    }
    CU_ASSERT_EQUAL(passed, 2500);
    CU_ASSERT_EQUAL(scene_used(rates, RATE_DOMAIN_MESSAGES, ORG, 3600, 1000),
                    2500);
    CU_ASSERT_EQUAL(scene_used(rates, RATE_DOMAIN_RECIPIENTS, ORG, 3600, 1000),
                    5000);
    rates_free(&rates);
}

static void makes_room_without_forgiving(void)
{
    struct rates *rates = scene_rates(4);
    struct rate_stats stats;
    struct rate_verdict verdict;
    struct errtext err = {{0}};
    struct rate_limits limits;

    /* One that has reached its limit, three that have not. */
    for (unsigned i = 0; i < 4; i++) {
        limits = scene_messages(scene_login(i), i == 0 ? 1 : 10 * i, 60);
        CU_ASSERT_TRUE(scene_charge(rates, &limits, 1, 0));
    }
    limits = scene_messages(scene_login(4), 1, 60);
    CU_ASSERT_TRUE(scene_charge(rates, &limits, 1, 0));
    rate_stats(rates, &stats);
    CU_ASSERT_EQUAL(stats.counters, 4);
    CU_ASSERT_EQUAL(stats.forgotten, 1);
    /* The one furthest below its limit went: 1 of 30. */
    CU_ASSERT_EQUAL(
        scene_used(rates, RATE_MAILBOX_MESSAGES, scene_login(3), 60, 0), 0);
    CU_ASSERT_EQUAL(
        scene_used(rates, RATE_MAILBOX_MESSAGES, scene_login(0), 60, 0), 1);
    /* Two more that reach theirs, and nothing is left to go. */
    for (unsigned i = 5; i < 7; i++) {
        limits = scene_messages(scene_login(i), 1, 60);
        CU_ASSERT_TRUE(scene_charge(rates, &limits, 1, 0));
    }
    limits = scene_messages(scene_login(7), 1, 60);
    CU_ASSERT_EQUAL(rate_charge(rates, &limits, 1, 0, &verdict, &err),
                    STATUS_TEMPFAIL);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "policy.rate_max"));
    rate_stats(rates, &stats);
    CU_ASSERT_EQUAL(stats.counters, 4);
    CU_ASSERT_EQUAL(stats.forgotten, 3);
    CU_ASSERT_EQUAL(stats.full, 1);
    limits = scene_messages(scene_login(0), 1, 60);
    CU_ASSERT_FALSE(scene_charge(rates, &limits, 1, 0));
    /* A period later they hold nothing, and go without being missed. */
    limits = scene_messages(scene_login(7), 1, 60);
    CU_ASSERT_TRUE(scene_charge(rates, &limits, 1, 70000));
    rate_stats(rates, &stats);
    CU_ASSERT_EQUAL(stats.forgotten, 3);
    rates_free(&rates);
}

static void never_forgets_what_the_message_needs_itself(void)
{
    struct rates *rates = scene_rates(2);
    struct rate_limits limits = {.login = ADA, .domain = ORG};
    struct rate_verdict verdict;
    struct rate_stats stats;

    for (unsigned k = 0; k < RATE_KIND_COUNT; k++)
        limits.rates[k] = (struct rate){100, 60};
    CU_ASSERT_EQUAL(rate_charge(rates, &limits, 1, 0, &verdict, NULL),
                    STATUS_TEMPFAIL);
    rate_stats(rates, &stats);
    CU_ASSERT_EQUAL(stats.counters, 2);
    limits.domain = NULL;
    CU_ASSERT_TRUE(scene_charge(rates, &limits, 1, 0));
    rates_free(&rates);
}

/* The table must not go while its only counter is held by the message. */
static void keeps_what_is_held_without_memory(void)
{
    for (unsigned n = 1; n < 12; n++) {
        struct rates *rates = scene_rates(1);
        struct rate_limits limits = {.login = ADA};
        struct rate_verdict verdict;
        size_t leaked;

        limits.rates[RATE_MAILBOX_MESSAGES] = (struct rate){100, 60};
        limits.rates[RATE_MAILBOX_RECIPIENTS] = (struct rate){100, 60};
        torture_begin(n);
        CU_ASSERT_EQUAL(rate_charge(rates, &limits, 1, 0, &verdict, NULL),
                        STATUS_TEMPFAIL);
        (void)torture_end(&leaked);
        rates_free(&rates);
    }
}

static void stays_within_its_bound(void)
{
    struct rates *rates = scene_rates(1000);
    struct rate_stats stats;

    for (unsigned i = 0; i < 5000; i++) {
        struct rate_limits limits = scene_messages(scene_login(i), 10, 3600);

        CU_ASSERT_TRUE(scene_charge(rates, &limits, 1, (int64_t)i));
    }
    rate_stats(rates, &stats);
    CU_ASSERT_EQUAL(stats.counters, 1000);
    CU_ASSERT_EQUAL(stats.forgotten, 4000);
    rates_free(&rates);
}

static void another_period_keeps_what_was_counted(void)
{
    static const struct {
        const char *name;
        uint32_t from, to;
        int64_t later_ms;
        uint64_t wanted;
    } cases[] = {
        {"an hour becomes a day", 3600, 86400, 0, 5},
        {"an hour becomes a minute", 3600, 60, 0, 5},
        {"and ten minutes later it is gone", 3600, 60, 600000, 0},
        {"and two minutes later", 3600, 60, 180000, 0},
        {"a day becomes an hour, an hour later", 86400, 3600, 1800000, 5},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct rates *rates = scene_rates(10);
        struct rate_limits limits = scene_messages(ADA, 9, cases[i].from);
        const int64_t begin_ms = INT64_C(1000000007);

        for (unsigned n = 0; n < 5; n++)
            CU_ASSERT_TRUE(scene_charge(rates, &limits, 1, begin_ms));
        CHECK_CASE(cases[i].name,
                   scene_used(rates, RATE_MAILBOX_MESSAGES, ADA, cases[i].to,
                              begin_ms + cases[i].later_ms) == cases[i].wanted);
        rates_free(&rates);
    }
}

static void counts_to_the_end_of_numbers(void)
{
    struct rates *rates = scene_rates(10);
    struct rate_limits limits = {.login = ADA};
    struct rate_window window;

    rate_window_begin(&window, 60, 0);
    rate_window_add(&window, UINT32_MAX - 1);
    rate_window_add(&window, 2);
    CU_ASSERT_EQUAL(rate_window_sum(&window), UINT32_MAX);

    limits.rates[RATE_MAILBOX_RECIPIENTS] = (struct rate){UINT32_MAX, 60};
    CU_ASSERT_TRUE(scene_charge(rates, &limits, UINT32_MAX - 1, 0));
    CU_ASSERT_FALSE(scene_charge(rates, &limits, UINT32_MAX, 0));
    CU_ASSERT_TRUE(scene_charge(rates, &limits, 1, 0));
    CU_ASSERT_FALSE(scene_charge(rates, &limits, 1, 0));
    CU_ASSERT_EQUAL(scene_used(rates, RATE_MAILBOX_RECIPIENTS, ADA, 60, 0),
                    UINT32_MAX);
    rates_free(&rates);
}

/* Who refuses does not wait for the store, and does not fill the memory. */
static void events_wait_in_a_bounded_queue(void)
{
    struct rate_events *events = rate_events_new();
    struct rate_limits limits = scene_messages(ADA, 1, 60);
    struct rate_verdict verdict = {
        .refused = true, .rate = {1, 60}, .first = true};

    CU_ASSERT_PTR_NOT_NULL_FATAL(events);
    for (unsigned i = 0; i < RATE_EVENTS_MAX; i++)
        rate_events_add(events, &limits, &verdict);
    CU_ASSERT_EQUAL(rate_events_dropped(events), 0);
    rate_events_add(events, &limits, &verdict);
    CU_ASSERT_EQUAL(rate_events_dropped(events), 1);
    rate_events_free(&events);
    CU_ASSERT_PTR_NULL(events);
    rate_events_free(&events);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"counts within one bucket", counts_within_one_bucket},
        {"a limit is never exceeded", a_limit_is_never_exceeded},
        {"all four or none", all_four_or_none},
        {"a check charges nothing", a_check_charges_nothing},
        {"subjects are apart", subjects_are_apart},
        {"refuses names it cannot hold", refuses_names_it_cannot_hold},
        {"the first refusal of a period is told once",
         the_first_refusal_of_a_period_is_told_once},
        {"threads share one limit", threads_share_one_limit},
        {"makes room without forgiving", makes_room_without_forgiving},
        {"never forgets what the message needs itself",
         never_forgets_what_the_message_needs_itself},
        {"keeps what is held without memory",
         keeps_what_is_held_without_memory},
        {"stays within its bound", stays_within_its_bound},
        {"another period keeps what was counted",
         another_period_keeps_what_was_counted},
        {"counts to the end of numbers", counts_to_the_end_of_numbers},
        {"events wait in a bounded queue", events_wait_in_a_bounded_queue},
        CU_TEST_INFO_NULL,
    };

    return run_tests("rate", tests);
}
