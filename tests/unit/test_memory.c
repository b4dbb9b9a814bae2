/* test_memory - verified logins, refused pairs and shared binds */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "clock.h"
#include "memory.h"
#include "unit.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define IMAP 1U
#define SMTP 2U

static const struct memory_limits usual = {
    .verified_ttl_ms = 60000,
    .verified_max = 100,
    .refused_ttl_ms = 60000,
    .refused_max = 100,
};

static struct memory *make(struct memory_limits limits)
{
    struct memory *memory = NULL;

    CU_ASSERT_EQUAL(memory_new(limits, &memory, NULL), STATUS_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
    return memory;
}

/* Remembers a login that nobody flushed meanwhile. */
static void verify(struct memory *memory, const char *user, unsigned service,
                   const char *password, const char *address, int64_t now_ms)
{
    memory_verify(memory, user, service, password, address, now_ms,
                  memory_epoch(memory));
}

static bool knows(struct memory *memory, const char *user, unsigned service,
                  const char *password, int64_t now_ms)
{
    char address[ADDRESS_BYTES_MAX + 1];

    return memory_verified(memory, user, service, password, now_ms, address);
}

static size_t verified_count(struct memory *memory)
{
    size_t verified;
    size_t refused;

    memory_counts(memory, &verified, &refused);
    return verified;
}

static size_t refused_count(struct memory *memory)
{
    size_t verified;
    size_t refused;

    memory_counts(memory, &verified, &refused);
    return refused;
}

static void remembers_exactly_what_was_verified(void)
{
    static const struct {
        const char *name;
        const char *user;
        unsigned service;
        const char *password;
        int64_t now_ms;
        bool known;
    } cases[] = {
        {"the same", "anna", IMAP, "secret", 1000, true},
        {"last moment", "anna", IMAP, "secret", 60999, true},
        {"too late", "anna", IMAP, "secret", 61000, false},
        {"clock of another thread", "anna", IMAP, "secret", 999, true},
        {"other password", "anna", IMAP, "secre", 1000, false},
        {"longer password", "anna", IMAP, "secrett", 1000, false},
        {"empty password", "anna", IMAP, "", 1000, false},
        {"other case", "anna", IMAP, "Secret", 1000, false},
        {"other service", "anna", SMTP, "secret", 1000, false},
        {"other user", "anne", IMAP, "secret", 1000, false},
        {"bytes moved over", "annasecre", IMAP, "t", 1000, false},
        {"bytes moved back", "ann", IMAP, "asecret", 1000, false},
        {"empty user", "", IMAP, "secret", 1000, false},
    };
    struct memory *memory = make(usual);

    verify(memory, "anna", IMAP, "secret", "anna@example.org", 1000);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_CASE(cases[i].name,
                   knows(memory, cases[i].user, cases[i].service,
                         cases[i].password, cases[i].now_ms) == cases[i].known);
    memory_free(&memory);
    CU_ASSERT_PTR_NULL(memory);
    memory_free(&memory);
}

static void gives_the_mailbox(void)
{
    struct memory *memory = make(usual);
    char address[ADDRESS_BYTES_MAX + 1] = "";

    verify(memory, "anna", IMAP, "a", "anna@example.org", 0);
    verify(memory, "ben@example.org", IMAP, "b", "ben@example.org", 0);
    CU_ASSERT_TRUE(memory_verified(memory, "anna", IMAP, "a", 1, address));
    CU_ASSERT_STRING_EQUAL(address, "anna@example.org");
    CU_ASSERT_TRUE(
        memory_verified(memory, "ben@example.org", IMAP, "b", 1, address));
    CU_ASSERT_STRING_EQUAL(address, "ben@example.org");
    memory_free(&memory);
}

static void a_new_password_drops_the_old_one(void)
{
    struct memory *memory = make(usual);

    verify(memory, "anna", IMAP, "old", "anna@example.org", 0);
    verify(memory, "anna", SMTP, "old", "anna@example.org", 0);
    verify(memory, "anna", IMAP, "new", "anna@example.org", 10);
    CU_ASSERT_FALSE(knows(memory, "anna", IMAP, "old", 20));
    CU_ASSERT_TRUE(knows(memory, "anna", IMAP, "new", 20));
    CU_ASSERT_TRUE(knows(memory, "anna", SMTP, "old", 20));
    CU_ASSERT_EQUAL(verified_count(memory), 2);
    memory_free(&memory);
}

static void a_use_does_not_prolong_it(void)
{
    struct memory *memory = make(usual);

    verify(memory, "anna", IMAP, "a", "anna@example.org", 0);
    for (int64_t now = 0; now < 60000; now += 1000)
        CU_ASSERT_TRUE(knows(memory, "anna", IMAP, "a", now));
    CU_ASSERT_FALSE(knows(memory, "anna", IMAP, "a", 60000));
    verify(memory, "anna", IMAP, "a", "anna@example.org", 60000);
    CU_ASSERT_TRUE(knows(memory, "anna", IMAP, "a", 60001));
    memory_free(&memory);
}

static void name_of(char name[16], unsigned number)
{
    (void)snprintf(name, 16, "user%u", number);
}

static void at_the_bound_the_oldest_goes(void)
{
    struct memory *memory = make(usual);
    char name[16];

    for (unsigned i = 0; i < 99; i++) {
        name_of(name, i);
        verify(memory, name, IMAP, "a", "x@example.org", i);
    }
    CU_ASSERT_EQUAL(verified_count(memory), 99);
    verify(memory, "user0", IMAP, "a", "x@example.org", 200);
    CU_ASSERT_EQUAL(verified_count(memory), 99);
    verify(memory, "user99", IMAP, "a", "x@example.org", 201);
    CU_ASSERT_EQUAL(verified_count(memory), 100);
    CU_ASSERT_TRUE(knows(memory, "user1", IMAP, "a", 202));
    verify(memory, "user100", IMAP, "a", "x@example.org", 203);
    CU_ASSERT_EQUAL(verified_count(memory), 100);
    CU_ASSERT_FALSE(knows(memory, "user1", IMAP, "a", 204));
    CU_ASSERT_TRUE(knows(memory, "user0", IMAP, "a", 204));
    CU_ASSERT_TRUE(knows(memory, "user2", IMAP, "a", 204));
    memory_free(&memory);
}

static void what_is_over_makes_room(void)
{
    struct memory *memory = make(usual);
    char name[16];

    for (unsigned i = 0; i < 50; i++) {
        name_of(name, i);
        verify(memory, name, IMAP, "a", "x@example.org", i);
        (void)memory_ask(memory, name, "bad", 0);
        memory_answered(memory, name, "bad", MEMORY_WRONG, i);
    }
    verify(memory, "late", IMAP, "a", "x@example.org", 60024);
    (void)memory_ask(memory, "late", "bad", 0);
    memory_answered(memory, "late", "bad", MEMORY_WRONG, 60024);
    CU_ASSERT_EQUAL(verified_count(memory), 26);
    CU_ASSERT_EQUAL(refused_count(memory), 26);
    memory_free(&memory);
}

static void can_be_off(void)
{
    struct memory_limits limits = {0};
    struct memory *memory = make(limits);

    verify(memory, "anna", IMAP, "a", "anna@example.org", 0);
    CU_ASSERT_FALSE(knows(memory, "anna", IMAP, "a", 0));
    CU_ASSERT_EQUAL(memory_ask(memory, "anna", "b", 0), MEMORY_NO_OUTCOME);
    memory_answered(memory, "anna", "b", MEMORY_WRONG, clock_ms());
    CU_ASSERT_EQUAL(memory_ask(memory, "anna", "b", 0), MEMORY_NO_OUTCOME);
    memory_answered(memory, "anna", "b", MEMORY_WRONG, clock_ms());
    CU_ASSERT_EQUAL(verified_count(memory), 0);
    CU_ASSERT_EQUAL(refused_count(memory), 0);
    memory_free(&memory);
}

static void bounds_names(void)
{
    static const struct {
        const char *name;
        size_t user_len;
        size_t address_len;
        bool fits;
    } cases[] = {
        {"both below", ADDRESS_BYTES_MAX - 1, ADDRESS_BYTES_MAX - 1, true},
        {"both at the bound", ADDRESS_BYTES_MAX, ADDRESS_BYTES_MAX, true},
        {"user above", ADDRESS_BYTES_MAX + 1, 1, false},
        {"address above", 1, ADDRESS_BYTES_MAX + 1, false},
        {"empty", 0, 0, true},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct memory *memory = make(usual);
        char user[ADDRESS_BYTES_MAX + 2] = "";
        char address[ADDRESS_BYTES_MAX + 2] = "";

        memset(user, 'u', cases[i].user_len);
        memset(address, 'a', cases[i].address_len);
        verify(memory, user, IMAP, "a", address, 0);
        CHECK_CASE(cases[i].name,
                   knows(memory, user, IMAP, "a", 0) == cases[i].fits);
        memory_free(&memory);
    }
}

static void remembers_definite_refusals_only(void)
{
    static const struct {
        const char *name;
        enum memory_outcome outcome;
        enum memory_outcome next;
    } cases[] = {
        {"no answer", MEMORY_NO_OUTCOME, MEMORY_NO_OUTCOME},
        {"right", MEMORY_RIGHT, MEMORY_NO_OUTCOME},
        {"wrong", MEMORY_WRONG, MEMORY_WRONG},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct memory *memory = make(usual);
        enum memory_outcome next;

        CHECK_CASE(cases[i].name,
                   memory_ask(memory, "anna", "a", 0) == MEMORY_NO_OUTCOME);
        memory_answered(memory, "anna", "a", cases[i].outcome, clock_ms());
        next = memory_ask(memory, "anna", "a", 0);
        CHECK_CASE(cases[i].name, next == cases[i].next);
        if (next == MEMORY_NO_OUTCOME)
            memory_answered(memory, "anna", "a", MEMORY_NO_OUTCOME, 0);
        /* Another password or user is another pair. */
        CHECK_CASE(cases[i].name,
                   memory_ask(memory, "anna", "b", 0) == MEMORY_NO_OUTCOME);
        memory_answered(memory, "anna", "b", MEMORY_NO_OUTCOME, 0);
        CHECK_CASE(cases[i].name,
                   memory_ask(memory, "ann", "aa", 0) == MEMORY_NO_OUTCOME);
        memory_answered(memory, "ann", "aa", MEMORY_NO_OUTCOME, 0);
        memory_free(&memory);
    }
}

static void forgets_refusals_in_time_and_number(void)
{
    struct memory *memory = make(usual);
    char name[16];

    (void)memory_ask(memory, "old", "a", 0);
    memory_answered(memory, "old", "a", MEMORY_WRONG, clock_ms() - 60000);
    CU_ASSERT_EQUAL(memory_ask(memory, "old", "a", 0), MEMORY_NO_OUTCOME);
    memory_answered(memory, "old", "a", MEMORY_NO_OUTCOME, clock_ms());
    for (unsigned i = 0; i < 101; i++) {
        name_of(name, i);
        (void)memory_ask(memory, name, "a", 0);
        memory_answered(memory, name, "a", MEMORY_WRONG, clock_ms());
        CU_ASSERT(refused_count(memory) <= 100);
    }
    CU_ASSERT_EQUAL(refused_count(memory), 100);
    CU_ASSERT_EQUAL(memory_ask(memory, "user1", "a", 0), MEMORY_WRONG);
    CU_ASSERT_EQUAL(memory_ask(memory, "user0", "a", 0), MEMORY_NO_OUTCOME);
    memory_answered(memory, "user0", "a", MEMORY_RIGHT, clock_ms());
    memory_free(&memory);
}

static void flushes_by_user_address_or_all(void)
{
    static const struct {
        const char *flush;
        size_t gone;
        bool anna;
        bool ben;
    } cases[] = {
        {"anna", 3, false, true}, {"anna@example.org", 2, false, true},
        {"ben", 2, true, false},  {"ann", 0, true, true},
        {"", 0, true, true},      {NULL, 5, false, false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct memory *memory = make(usual);
        const char *name = cases[i].flush != NULL ? cases[i].flush : "all";

        verify(memory, "anna", IMAP, "a", "anna@example.org", 0);
        verify(memory, "anna", SMTP, "a", "anna@example.org", 0);
        verify(memory, "ben", IMAP, "a", "ben@example.org", 0);
        (void)memory_ask(memory, "anna", "x", 0);
        memory_answered(memory, "anna", "x", MEMORY_WRONG, clock_ms());
        (void)memory_ask(memory, "ben", "x", 0);
        memory_answered(memory, "ben", "x", MEMORY_WRONG, clock_ms());
        CHECK_CASE(name, memory_flush(memory, cases[i].flush) == cases[i].gone);
        CHECK_CASE(name, knows(memory, "anna", IMAP, "a", 0) == cases[i].anna);
        CHECK_CASE(name, knows(memory, "anna", SMTP, "a", 0) == cases[i].anna);
        CHECK_CASE(name, knows(memory, "ben", IMAP, "a", 0) == cases[i].ben);
        memory_free(&memory);
    }
}

static void a_flush_outlasts_what_was_checked_before(void)
{
    struct memory *memory = make(usual);
    uint64_t epoch = memory_epoch(memory);

    CU_ASSERT_EQUAL(memory_ask(memory, "anna", "a", 0), MEMORY_NO_OUTCOME);
    (void)memory_flush(memory, "anna@example.org");
    memory_answered(memory, "anna", "a", MEMORY_WRONG, clock_ms());
    CU_ASSERT_EQUAL(refused_count(memory), 0);
    memory_verify(memory, "anna", IMAP, "a", "anna@example.org", 0, epoch);
    CU_ASSERT_FALSE(knows(memory, "anna", IMAP, "a", 0));
    CU_ASSERT_EQUAL(memory_ask(memory, "anna", "a", 0), MEMORY_NO_OUTCOME);
    memory_answered(memory, "anna", "a", MEMORY_WRONG, clock_ms());
    CU_ASSERT_EQUAL(memory_ask(memory, "anna", "a", 0), MEMORY_WRONG);
    memory_free(&memory);
}

/* Many threads that try one pair; the directory is `outcome` and `pause_ms`. */
struct crowd {
    struct memory *memory;
    enum memory_outcome outcome;
    int pause_ms;
    int64_t deadline_ms;
    pthread_barrier_t start;
    atomic_int asked;
    atomic_int at_once;
    atomic_int at_once_max;
    atomic_int told[3]; /* by outcome */
};

static void *try_pair(void *argument)
{
    struct crowd *crowd = argument;
    enum memory_outcome outcome;
    int at_once;

    (void)pthread_barrier_wait(&crowd->start);
    outcome = memory_ask(crowd->memory, "anna", "a", crowd->deadline_ms);
    atomic_fetch_add(&crowd->told[outcome], 1);
    if (outcome != MEMORY_NO_OUTCOME)
        return NULL;
    at_once = atomic_fetch_add(&crowd->at_once, 1) + 1;
    if (at_once > atomic_load(&crowd->at_once_max))
        atomic_store(&crowd->at_once_max, at_once);
    atomic_fetch_add(&crowd->asked, 1);
    clock_sleep_ms(crowd->pause_ms);
    atomic_fetch_sub(&crowd->at_once, 1);
    memory_answered(crowd->memory, "anna", "a", crowd->outcome, clock_ms());
    return NULL;
}

#define CROWD_MAX 300

/* Runs count threads at once. */
static void run_crowd(struct crowd *crowd, unsigned count)
{
    pthread_t threads[CROWD_MAX];

    (void)pthread_barrier_init(&crowd->start, NULL, count);
    for (unsigned i = 0; i < count; i++)
        CU_ASSERT_EQUAL_FATAL(
            pthread_create(&threads[i], NULL, try_pair, crowd), 0);
    for (unsigned i = 0; i < count; i++)
        (void)pthread_join(threads[i], NULL);
    (void)pthread_barrier_destroy(&crowd->start);
}

static void fifty_wrong_attempts_cost_one_bind(void)
{
    struct crowd crowd = {.outcome = MEMORY_WRONG, .pause_ms = 50};

    crowd.memory = make(usual);
    crowd.deadline_ms = clock_ms() + 20000;
    run_crowd(&crowd, 50);
    CU_ASSERT_EQUAL(crowd.asked, 1);
    CU_ASSERT_EQUAL(crowd.told[MEMORY_WRONG], 49);
    run_crowd(&crowd, 50);
    CU_ASSERT_EQUAL(crowd.asked, 1);
    CU_ASSERT_EQUAL(crowd.told[MEMORY_WRONG], 99);
    memory_free(&crowd.memory);
}

static void a_right_answer_is_shared_but_not_kept(void)
{
    struct crowd crowd = {.outcome = MEMORY_RIGHT, .pause_ms = 50};

    crowd.memory = make(usual);
    crowd.deadline_ms = clock_ms() + 20000;
    run_crowd(&crowd, 20);
    CU_ASSERT_EQUAL(crowd.told[MEMORY_WRONG], 0);
    CU_ASSERT_EQUAL(crowd.told[MEMORY_RIGHT] + crowd.asked, 20);
    CU_ASSERT(crowd.asked < 20);
    CU_ASSERT_EQUAL(memory_ask(crowd.memory, "anna", "a", 0),
                    MEMORY_NO_OUTCOME);
    memory_answered(crowd.memory, "anna", "a", MEMORY_RIGHT, clock_ms());
    memory_free(&crowd.memory);
}

static void without_an_answer_one_after_the_other_asks(void)
{
    struct crowd crowd = {.outcome = MEMORY_NO_OUTCOME, .pause_ms = 5};

    crowd.memory = make(usual);
    crowd.deadline_ms = clock_ms() + 20000;
    run_crowd(&crowd, 20);
    CU_ASSERT_EQUAL(crowd.asked, 20);
    CU_ASSERT_EQUAL(crowd.at_once_max, 1);
    memory_free(&crowd.memory);
}

static void nobody_waits_past_his_deadline(void)
{
    struct memory *memory = make(usual);
    int64_t start = clock_ms();

    CU_ASSERT_EQUAL(memory_ask(memory, "anna", "a", 0), MEMORY_NO_OUTCOME);
    CU_ASSERT_EQUAL(memory_ask(memory, "anna", "a", start + 60),
                    MEMORY_NO_OUTCOME);
    CU_ASSERT(clock_ms() - start >= 60);
    /* The next one does not even begin to wait. */
    CU_ASSERT_EQUAL(memory_ask(memory, "anna", "a", start + 60000),
                    MEMORY_NO_OUTCOME);
    CU_ASSERT(clock_ms() - start < 5000);
    memory_answered(memory, "anna", "a", MEMORY_NO_OUTCOME, clock_ms());
    memory_answered(memory, "anna", "a", MEMORY_NO_OUTCOME, clock_ms());
    memory_answered(memory, "anna", "a", MEMORY_WRONG, clock_ms());
    CU_ASSERT_EQUAL(memory_ask(memory, "anna", "a", 0), MEMORY_WRONG);
    CU_ASSERT_EQUAL(memory_ask(memory, "anna", "b", -1), MEMORY_NO_OUTCOME);
    CU_ASSERT_EQUAL(memory_ask(memory, "anna", "b", -1), MEMORY_NO_OUTCOME);
    memory_free(&memory);
}

static void a_crowd_above_the_bound_asks(void)
{
    struct crowd crowd = {.outcome = MEMORY_WRONG, .pause_ms = 300};

    crowd.memory = make(usual);
    crowd.deadline_ms = clock_ms() + 20000;
    run_crowd(&crowd, CROWD_MAX);
    CU_ASSERT(crowd.asked >= 1);
    CU_ASSERT(crowd.told[MEMORY_WRONG] >= MEMORY_WAITERS_MAX);
    CU_ASSERT_EQUAL(crowd.told[MEMORY_WRONG] + crowd.asked, CROWD_MAX);
    memory_free(&crowd.memory);
}

static void *flush_often(void *argument)
{
    struct crowd *crowd = argument;

    for (int i = 0; i < 100; i++) {
        (void)memory_flush(crowd->memory, i % 2 == 0 ? "anna" : NULL);
        verify(crowd->memory, "anna", IMAP, "a", "anna@example.org", i);
        (void)knows(crowd->memory, "anna", IMAP, "a", i);
        clock_sleep_ms(1);
    }
    return NULL;
}

static void flushes_while_flights_are_on(void)
{
    struct crowd crowd = {.outcome = MEMORY_WRONG, .pause_ms = 2};
    pthread_t flusher;

    crowd.memory = make(usual);
    crowd.deadline_ms = clock_ms() + 20000;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&flusher, NULL, flush_often, &crowd),
                          0);
    for (int i = 0; i < 10; i++)
        run_crowd(&crowd, 10);
    (void)pthread_join(flusher, NULL);
    CU_ASSERT_EQUAL(crowd.told[MEMORY_WRONG] + crowd.asked, 100);
    memory_free(&crowd.memory);
}

static void a_hundred_thousand_logins_are_small(void)
{
    struct memory_limits limits = {.verified_ttl_ms = 60000,
                                   .verified_max = 100000};
    struct memory *memory = make(limits);
    size_t before = mallinfo2().uordblks;
    size_t used;
    int64_t start;

    for (unsigned i = 0; i < 100000; i++) {
        char user[64];
        char address[64];

        (void)snprintf(user, sizeof(user), "person%05u", i);
        (void)snprintf(address, sizeof(address),
                       "person%05u@department.example.org", i);
        verify(memory, user, IMAP, "correct horse", address, 0);
    }
    used = mallinfo2().uordblks - before;
    (void)printf("%zu bytes each, ", used / 100000);
    CU_ASSERT(used < (size_t)20 * 1024 * 1024);
    CU_ASSERT_EQUAL(verified_count(memory), 100000);
    start = clock_ms();
    for (unsigned i = 0; i < 100000; i++) {
        char user[64];

        (void)snprintf(user, sizeof(user), "person%05u", i);
        CU_ASSERT_TRUE(knows(memory, user, IMAP, "correct horse", 1));
    }
    (void)printf("%lld ms for 100,000 look-ups ",
                 (long long)(clock_ms() - start));
    memory_free(&memory);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"remembers exactly what was verified",
         remembers_exactly_what_was_verified},
        {"gives the mailbox", gives_the_mailbox},
        {"a new password drops the old one", a_new_password_drops_the_old_one},
        {"a use does not prolong it", a_use_does_not_prolong_it},
        {"at the bound the oldest goes", at_the_bound_the_oldest_goes},
        {"what is over makes room", what_is_over_makes_room},
        {"can be off", can_be_off},
        {"bounds names", bounds_names},
        {"remembers definite refusals only", remembers_definite_refusals_only},
        {"forgets refusals in time and number",
         forgets_refusals_in_time_and_number},
        {"flushes by user, address or all", flushes_by_user_address_or_all},
        {"a flush outlasts what was checked before",
         a_flush_outlasts_what_was_checked_before},
        {"fifty wrong attempts cost one bind",
         fifty_wrong_attempts_cost_one_bind},
        {"a right answer is shared but not kept",
         a_right_answer_is_shared_but_not_kept},
        {"without an answer one after the other asks",
         without_an_answer_one_after_the_other_asks},
        {"nobody waits past his deadline", nobody_waits_past_his_deadline},
        {"a crowd above the bound asks", a_crowd_above_the_bound_asks},
        {"flushes while flights are on", flushes_while_flights_are_on},
        {"a hundred thousand logins are small",
         a_hundred_thousand_logins_are_small},
        CU_TEST_INFO_NULL,
    };

    return run_tests("memory", tests);
}
