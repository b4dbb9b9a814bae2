/* test_accounts - what is remembered, for how long, and who looks it up */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "accounts.h"
#include "clock.h"
#include "fact_table.h"
#include "unit.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A fact that says how many facts there were before it. */
struct numbered {
    struct fact head;
    unsigned number;
};

static atomic_int alive; /* facts not freed yet */

static void clear(struct fact *fact)
{
    (void)atomic_fetch_sub(&alive, 1);
    free(fact);
}

/* A store that counts. */
struct counting {
    atomic_uint calls;
    atomic_uint keys;
    atomic_uint most; /* keys of one call */
    atomic_int delay_ms;
    atomic_bool away;
    atomic_bool leaves_open; /* all but the first of a call */
};

static enum status load(void *context, enum accounts_kind kind,
                        const char *const *keys, size_t count,
                        int64_t deadline_ms, struct fact **facts_r,
                        struct errtext *err)
{
    struct counting *counting = context;
    int delay_ms = atomic_load(&counting->delay_ms);

    (void)kind;
    (void)keys;
    (void)atomic_fetch_add(&counting->calls, 1);
    if (count > atomic_load(&counting->most))
        atomic_store(&counting->most, (unsigned)count);
    if (delay_ms > clock_left_ms(deadline_ms))
        delay_ms = clock_left_ms(deadline_ms);
    if (delay_ms > 0)
        clock_sleep_ms(delay_ms);
    if (atomic_load(&counting->away) || clock_left_ms(deadline_ms) == 0) {
        errtext_set(err, "away");
        return STATUS_TEMPFAIL;
    }
    for (size_t i = 0; i < count; i++) {
        struct numbered *fact;

        if (i > 0 && atomic_load(&counting->leaves_open))
            continue;
        fact = calloc(1, sizeof(*fact));
        if (fact == NULL)
            return status_no_memory(err);
        fact->head.holders = 1;
        fact->head.clear = clear;
        fact->number = atomic_fetch_add(&counting->keys, 1);
        (void)atomic_fetch_add(&alive, 1);
        facts_r[i] = &fact->head;
    }
    return STATUS_OK;
}

static struct accounts *make(struct counting *counting, int64_t ttl_ms,
                             size_t facts_max)
{
    struct accounts_limits limits = {.ttl_ms = ttl_ms, .facts_max = facts_max};
    struct accounts_source source = {.load = load, .context = counting};
    struct accounts *accounts = NULL;

    CU_ASSERT_EQUAL_FATAL(accounts_new(limits, source, &accounts, NULL),
                          STATUS_OK);
    return accounts;
}

/* The number of a key's fact; -1: no answer. */
static int number_of(struct accounts *accounts, enum accounts_kind kind,
                     const char *key, int milliseconds)
{
    struct fact *fact = NULL;
    int number = -1;

    if (accounts_get(accounts, kind, key, clock_ms() + milliseconds, &fact,
                     NULL) == STATUS_OK)
        number = (int)((struct numbered *)fact)->number;
    fact_release(&fact);
    return number;
}

static void remembers_for_its_time(void)
{
    struct counting counting = {.calls = 0};
    struct accounts *accounts = make(&counting, 60, 100);
    const struct fact_key keys[] = {{ACCOUNTS_RECIPIENT, "a"},
                                    {ACCOUNTS_LOGIN, "nobody"}};
    struct fact *fact;

    accounts_expect(accounts, keys, ARRAY_SIZE(keys));
    CU_ASSERT_EQUAL(number_of(accounts, ACCOUNTS_RECIPIENT, "a", 1000), 0);
    accounts_expect(accounts, keys, ARRAY_SIZE(keys));
    CU_ASSERT_EQUAL(number_of(accounts, ACCOUNTS_RECIPIENT, "a", 1000), 0);
    CU_ASSERT_EQUAL(number_of(accounts, ACCOUNTS_LOGIN, "a", 1000), 1);
    fact = accounts_peek(accounts, ACCOUNTS_RECIPIENT, "a", clock_ms());
    CU_ASSERT_PTR_NOT_NULL(fact);
    CU_ASSERT_PTR_NULL(
        accounts_peek(accounts, ACCOUNTS_RECIPIENT, "a", clock_ms() + 61));
    CU_ASSERT_PTR_NULL(
        accounts_peek(accounts, ACCOUNTS_RECIPIENT, "b", clock_ms()));
    clock_sleep_ms(70);
    CU_ASSERT_EQUAL(number_of(accounts, ACCOUNTS_RECIPIENT, "a", 1000), 2);
    CU_ASSERT_EQUAL(((struct numbered *)fact)->number, 0); /* still held */
    accounts_free(&accounts);
    fact_release(&fact);
    CU_ASSERT_EQUAL(atomic_load(&alive), 0);
}

static void remembers_nothing_without_a_time(void)
{
    struct counting counting = {.calls = 0};
    struct accounts *accounts = make(&counting, 0, 100);

    CU_ASSERT_EQUAL(number_of(accounts, ACCOUNTS_DOMAIN, "a", 1000), 0);
    CU_ASSERT_EQUAL(number_of(accounts, ACCOUNTS_DOMAIN, "a", 1000), 1);
    accounts_free(&accounts);
    CU_ASSERT_EQUAL(atomic_load(&alive), 0);
}

static void holds_no_more_than_its_bound(void)
{
    struct counting counting = {.calls = 0};
    struct accounts *accounts = make(&counting, 60000, 160);
    struct accounts_stats stats;
    char key[16];

    for (int i = 0; i < 2000; i++) {
        (void)snprintf(key, sizeof(key), "%d", i);
        CU_ASSERT_EQUAL(number_of(accounts, ACCOUNTS_RECIPIENT, key, 1000), i);
        accounts_stats(accounts, &stats);
        CU_ASSERT(stats.facts <= 160);
    }
    CU_ASSERT(stats.facts > 140);
    CU_ASSERT_EQUAL((size_t)atomic_load(&alive), stats.facts);
    /* The newest is there, the oldest is not. */
    CU_ASSERT_EQUAL(number_of(accounts, ACCOUNTS_RECIPIENT, "1999", 1000),
                    1999);
    CU_ASSERT_EQUAL(number_of(accounts, ACCOUNTS_RECIPIENT, "0", 1000), 2000);
    accounts_stats(accounts, &stats);
    CU_ASSERT_EQUAL(accounts_flush(accounts), stats.facts);
    CU_ASSERT_EQUAL(atomic_load(&alive), 0);
    accounts_free(&accounts);
    CU_ASSERT_EQUAL(atomic_load(&alive), 0);
}

static void refuses_a_key_over_its_bound(void)
{
    struct counting counting = {.calls = 0};
    struct accounts *accounts = make(&counting, 1000, 10);
    char key[ACCOUNTS_KEY_BYTES_MAX + 2];

    memset(key, 'x', sizeof(key));
    key[ACCOUNTS_KEY_BYTES_MAX] = '\0';
    CU_ASSERT_EQUAL(number_of(accounts, ACCOUNTS_SENDER, key, 1000), 0);
    key[ACCOUNTS_KEY_BYTES_MAX] = 'x';
    key[ACCOUNTS_KEY_BYTES_MAX + 1] = '\0';
    CU_ASSERT_EQUAL(number_of(accounts, ACCOUNTS_SENDER, key, 1000), -1);
    accounts_free(&accounts);
}

struct asker {
    pthread_t thread;
    struct accounts *accounts;
    char key[16];
    int milliseconds;
    int number;
};

static void *ask(void *arg)
{
    struct asker *asker = arg;

    asker->number = number_of(asker->accounts, ACCOUNTS_RECIPIENT, asker->key,
                              asker->milliseconds);
    return NULL;
}

#define ASKERS 32

/* All at a time, each for one of so many keys. */
static void ask_all(struct asker *askers, struct accounts *accounts, int keys,
                    int milliseconds)
{
    for (int i = 0; i < ASKERS; i++) {
        askers[i].accounts = accounts;
        askers[i].milliseconds = milliseconds;
        (void)snprintf(askers[i].key, sizeof(askers[i].key), "%d", i % keys);
        CU_ASSERT_EQUAL_FATAL(
            pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    for (int i = 0; i < ASKERS; i++)
        (void)pthread_join(askers[i].thread, NULL);
}

static void looks_one_key_up_once(void)
{
    struct counting counting = {.delay_ms = 200};
    struct accounts *accounts = make(&counting, 60000, 100);
    struct asker askers[ASKERS];

    ask_all(askers, accounts, 1, 5000);
    for (int i = 0; i < ASKERS; i++)
        CU_ASSERT_EQUAL(askers[i].number, 0);
    CU_ASSERT_EQUAL(atomic_load(&counting.calls), 1);
    accounts_free(&accounts);
    CU_ASSERT_EQUAL(atomic_load(&alive), 0);
}

static void looks_many_keys_up_together(void)
{
    struct counting counting = {.delay_ms = 100};
    struct accounts *accounts = make(&counting, 60000, 100);
    struct asker askers[ASKERS];

    ask_all(askers, accounts, ASKERS, 5000);
    for (int i = 0; i < ASKERS; i++)
        CU_ASSERT(askers[i].number >= 0);
    CU_ASSERT_EQUAL(atomic_load(&counting.keys), ASKERS);
    CU_ASSERT(atomic_load(&counting.most) <= ACCOUNTS_TOGETHER_MAX);
    CU_ASSERT(atomic_load(&counting.most) > 1);
    (void)accounts_flush(accounts);
    /* What a call leaves open is looked up again, alone. */
    atomic_store(&counting.leaves_open, true);
    ask_all(askers, accounts, ASKERS, 8000);
    for (int i = 0; i < ASKERS; i++)
        CU_ASSERT(askers[i].number >= 0);
    accounts_free(&accounts);
    CU_ASSERT_EQUAL(atomic_load(&alive), 0);
}

static void never_remembers_no_answer(void)
{
    struct counting counting = {.away = true};
    struct accounts *accounts = make(&counting, 60000, 100);
    unsigned calls;

    CU_ASSERT_EQUAL(number_of(accounts, ACCOUNTS_RECIPIENT, "a", 1000), -1);
    /* For a moment nothing is asked at all, so that nobody waits in vain. */
    calls = atomic_load(&counting.calls);
    CU_ASSERT_EQUAL(number_of(accounts, ACCOUNTS_RECIPIENT, "b", 1000), -1);
    CU_ASSERT_EQUAL(atomic_load(&counting.calls), calls);
    atomic_store(&counting.away, false);
    clock_sleep_ms(ACCOUNTS_AWAY_MS + 50);
    CU_ASSERT_EQUAL(number_of(accounts, ACCOUNTS_RECIPIENT, "a", 1000), 0);
    accounts_free(&accounts);
}

static void keeps_every_deadline(void)
{
    struct counting counting = {.delay_ms = 60000};
    struct accounts *accounts = make(&counting, 60000, 100);
    struct asker askers[ASKERS];
    int64_t began_ms = clock_ms();

    ask_all(askers, accounts, ASKERS, 300);
    CU_ASSERT(clock_ms() - began_ms < 2000);
    for (int i = 0; i < ASKERS; i++)
        CU_ASSERT_EQUAL(askers[i].number, -1);
    CU_ASSERT_EQUAL(number_of(accounts, ACCOUNTS_RECIPIENT, "x", 0), -1);
    accounts_free(&accounts);
    CU_ASSERT_EQUAL(atomic_load(&alive), 0);
}

static void forgets_what_is_looked_up_meanwhile(void)
{
    struct counting counting = {.delay_ms = 200};
    struct accounts *accounts = make(&counting, 60000, 100);
    struct asker asker = {
        .accounts = accounts, .key = "a", .milliseconds = 5000};

    CU_ASSERT_EQUAL_FATAL(pthread_create(&asker.thread, NULL, ask, &asker), 0);
    while (atomic_load(&counting.calls) == 0)
        clock_sleep_ms(1);
    (void)accounts_flush(accounts);
    (void)pthread_join(asker.thread, NULL);
    CU_ASSERT_EQUAL(asker.number, 0);
    CU_ASSERT_PTR_NULL(
        accounts_peek(accounts, ACCOUNTS_RECIPIENT, "a", clock_ms()));
    atomic_store(&counting.delay_ms, 0);
    CU_ASSERT_EQUAL(number_of(accounts, ACCOUNTS_RECIPIENT, "a", 1000), 1);
    accounts_forget(accounts, ACCOUNTS_RECIPIENT, "a");
    CU_ASSERT_EQUAL(number_of(accounts, ACCOUNTS_RECIPIENT, "a", 1000), 2);
    accounts_free(&accounts);
    CU_ASSERT_EQUAL(atomic_load(&alive), 0);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"remembers for its time", remembers_for_its_time},
        {"remembers nothing without a time", remembers_nothing_without_a_time},
        {"holds no more than its bound", holds_no_more_than_its_bound},
        {"refuses a key over its bound", refuses_a_key_over_its_bound},
        {"looks one key up once", looks_one_key_up_once},
        {"looks many keys up together", looks_many_keys_up_together},
        {"never remembers no answer", never_remembers_no_answer},
        {"keeps every deadline", keeps_every_deadline},
        {"forgets what is looked up meanwhile",
         forgets_what_is_looked_up_meanwhile},
        CU_TEST_INFO_NULL,
    };

    return run_tests("accounts", tests);
}
