/* test_clock - deadlines as whole milliseconds */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "clock.h"
#include "unit.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static void only_goes_forward(void)
{
    int64_t before = clock_ms();

    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_ms();

        CU_ASSERT(now >= before);
        before = now;
    }
}

static void tells_what_is_left_in_the_range_of_poll(void)
{
    int64_t now = clock_ms();

    CU_ASSERT_EQUAL(clock_left_ms(now - 1), 0);
    CU_ASSERT_EQUAL(clock_left_ms(now - 1000000), 0);
    CU_ASSERT_EQUAL(clock_left_ms(0), 0);
    CU_ASSERT(clock_left_ms(now + 60000) > 30000);
    CU_ASSERT(clock_left_ms(now + 60000) <= 60000);
    CU_ASSERT_EQUAL(clock_left_ms(now + 100LL * INT_MAX), INT_MAX);
    CU_ASSERT_EQUAL(clock_left_ms(INT64_MAX), INT_MAX);
}

static void knows_the_wall_clock(void)
{
    CU_ASSERT(clock_wall_seconds() - (int64_t)time(NULL) <= 1);
    CU_ASSERT(clock_wall_seconds() > 1700000000);
}

static void ignore_signal(int number)
{
    (void)number;
}

static void *disturb(void *argument)
{
    const pthread_t *sleeper = argument;

    for (int i = 0; i < 10; i++) {
        (void)usleep(4000);
        (void)pthread_kill(*sleeper, SIGUSR1);
    }
    return NULL;
}

static void sleeps_through_signals(void)
{
    struct sigaction action = {.sa_handler = ignore_signal};
    pthread_t sleeper = pthread_self();
    int64_t start;
    pthread_t thread;

    (void)sigaction(SIGUSR1, &action, NULL);
    start = clock_ms();
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, disturb, &sleeper), 0);
    clock_sleep_ms(60);
    CU_ASSERT(clock_ms() - start >= 60);
    (void)pthread_join(thread, NULL);
    start = clock_ms();
    clock_sleep_ms(0);
    CU_ASSERT(clock_ms() - start < 1000);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"only goes forward", only_goes_forward},
        {"tells what is left in the range of poll",
         tells_what_is_left_in_the_range_of_poll},
        {"knows the wall clock", knows_the_wall_clock},
        {"sleeps through signals", sleeps_through_signals},
        CU_TEST_INFO_NULL,
    };

    return run_tests("clock", tests);
}
