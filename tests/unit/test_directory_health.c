/* test_directory_health - the circuit breaker of one host */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_health.h"
#include "unit.h"

#include <string.h>

#define REST_MS 1000

static const struct errtext reason = {"connection refused"};

static void end(struct directory_health *health, struct directory_turn turn,
                enum directory_verdict verdict, int64_t now_ms)
{
    directory_health_end(health, turn, verdict, now_ms, REST_MS, &reason);
}

static void lets_everybody_use_a_good_host(void)
{
    struct directory_health health = {.resting = false};
    struct directory_turn first = {.probe = true};
    struct directory_turn second = {.probe = true};

    CU_ASSERT_TRUE(directory_health_begin(&health, 0, &first));
    CU_ASSERT_TRUE(directory_health_begin(&health, 0, &second));
    CU_ASSERT_FALSE(first.probe);
    end(&health, first, DIRECTORY_HOST_GOOD, 1);
    end(&health, second, DIRECTORY_HOST_UNSURE, 1);
    CU_ASSERT_FALSE(health.resting);
    CU_ASSERT_STRING_EQUAL(health.error.text, "");
}

static void lets_a_bad_host_rest(void)
{
    struct directory_health health = {.resting = false};
    struct directory_turn turn;

    CU_ASSERT_TRUE(directory_health_begin(&health, 0, &turn));
    end(&health, turn, DIRECTORY_HOST_BAD, 100);
    CU_ASSERT_STRING_EQUAL(health.error.text, reason.text);
    CU_ASSERT_FALSE(directory_health_begin(&health, 100, &turn));
    CU_ASSERT_FALSE(directory_health_begin(&health, 1099, &turn));
    CU_ASSERT_TRUE(directory_health_begin(&health, 1100, &turn));
    CU_ASSERT_TRUE(turn.probe);
}

/* A host that rests since 0, its probe under way at REST_MS. */
static struct directory_turn probe(struct directory_health *health)
{
    struct directory_turn turn = {.probe = false};

    (void)directory_health_begin(health, 0, &turn);
    end(health, turn, DIRECTORY_HOST_BAD, 0);
    (void)directory_health_begin(health, REST_MS, &turn);
    return turn;
}

static void sends_one_probe_at_a_time(void)
{
    static const struct {
        const char *name;
        enum directory_verdict verdict;
        bool open_at_once; /* for everybody */
        bool probe_at_once;
    } cases[] = {
        {"the probe succeeds", DIRECTORY_HOST_GOOD, true, false},
        {"the probe fails", DIRECTORY_HOST_BAD, false, false},
        {"the probe gives up", DIRECTORY_HOST_UNSURE, false, true},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct directory_health health = {.resting = false};
        struct directory_turn turn = probe(&health);
        struct directory_turn next;
        bool may;

        CHECK_CASE(cases[i].name, turn.probe);
        CHECK_CASE(cases[i].name,
                   !directory_health_begin(&health, REST_MS * 9, &next));
        end(&health, turn, cases[i].verdict, REST_MS);
        may = directory_health_begin(&health, REST_MS, &next);
        CHECK_CASE(cases[i].name,
                   may == (cases[i].open_at_once || cases[i].probe_at_once));
        if (may)
            CHECK_CASE(cases[i].name, next.probe == cases[i].probe_at_once);
        CHECK_CASE(cases[i].name, health.resting == !cases[i].open_at_once);
    }
}

static void ignores_what_is_out_of_date(void)
{
    struct directory_health health = {.resting = false};
    struct directory_turn old = {.probe = false};
    struct directory_turn turn;

    (void)directory_health_begin(&health, 0, &old);
    turn = probe(&health);
    end(&health, old, DIRECTORY_HOST_GOOD, REST_MS);
    CU_ASSERT_TRUE(health.resting);
    CU_ASSERT_FALSE(directory_health_begin(&health, REST_MS, &old));
    end(&health, turn, DIRECTORY_HOST_GOOD, REST_MS);
    CU_ASSERT_FALSE(health.resting);
    /* It waited since before the recovery. */
    end(&health, old, DIRECTORY_HOST_BAD, REST_MS);
    CU_ASSERT_FALSE(health.resting);
    CU_ASSERT_STRING_EQUAL(health.error.text, "");
}

static void keeps_the_probe_when_another_fails(void)
{
    struct directory_health health = {.resting = false};
    struct directory_turn slow = {.probe = false};
    struct directory_turn next;

    (void)directory_health_begin(&health, 0, &slow);
    (void)probe(&health);
    end(&health, slow, DIRECTORY_HOST_BAD, REST_MS);
    CU_ASSERT_FALSE(directory_health_begin(&health, REST_MS * 9, &next));
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"lets everybody use a good host", lets_everybody_use_a_good_host},
        {"lets a bad host rest", lets_a_bad_host_rest},
        {"sends one probe at a time", sends_one_probe_at_a_time},
        {"ignores what is out of date", ignores_what_is_out_of_date},
        {"keeps the probe when another fails",
         keeps_the_probe_when_another_fails},
        CU_TEST_INFO_NULL,
    };

    return run_tests("directory_health", tests);
}
