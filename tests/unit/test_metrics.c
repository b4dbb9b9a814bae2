/* test_metrics - counters as Prometheus text */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "metrics.h"
#include "unit.h"

#include <pthread.h>

enum {
    LOGINS_OK,
    LOGINS_WRONG,
    QUEUED,
    ROW_COUNT
};

static const struct metric table[ROW_COUNT] = {
    [LOGINS_OK] = {"logins_total", "result=\"ok\"", "counter", "Logins."},
    [LOGINS_WRONG] = {"logins_total", "result=\"wrong\"", "counter", "Logins."},
    [QUEUED] = {"queued", "", "gauge", "Frames that wait."},
};

static void writes_rows_of_one_name_together(void)
{
    struct metrics *metrics = metrics_new(table, ROW_COUNT);
    struct strbuf buf = STRBUF_INIT(10000);

    CU_ASSERT_PTR_NOT_NULL_FATAL(metrics);
    metrics_add(metrics, LOGINS_OK, 1);
    metrics_add(metrics, LOGINS_OK, 2);
    metrics_set(metrics, QUEUED, 7);
    metrics_set(metrics, QUEUED, -5);
    CU_ASSERT_EQUAL(metrics_get(metrics, LOGINS_OK), 3);
    CU_ASSERT_EQUAL(metrics_get(metrics, LOGINS_WRONG), 0);
    metrics_append(metrics, &buf);
    CU_ASSERT_STRING_EQUAL(strbuf_text(&buf),
                           "# HELP logins_total Logins.\n"
                           "# TYPE logins_total counter\n"
                           "logins_total{result=\"ok\"} 3\n"
                           "logins_total{result=\"wrong\"} 0\n"
                           "# HELP queued Frames that wait.\n"
                           "# TYPE queued gauge\n"
                           "queued -5\n");
    strbuf_clear(&buf);
    metrics_free(&metrics);
    CU_ASSERT_PTR_NULL(metrics);
    metrics_free(&metrics);
}

static void *count_up(void *argument)
{
    for (int i = 0; i < 10000; i++)
        metrics_add(argument, LOGINS_OK, 1);
    return NULL;
}

static void loses_nothing_between_threads(void)
{
    struct metrics *metrics = metrics_new(table, ROW_COUNT);
    pthread_t threads[4];

    CU_ASSERT_PTR_NOT_NULL_FATAL(metrics);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        (void)pthread_create(&threads[i], NULL, count_up, metrics);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        (void)pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(metrics_get(metrics, LOGINS_OK), 40000);
    metrics_free(&metrics);
}

static void is_empty_without_rows(void)
{
    struct metrics *metrics = metrics_new(table, 0);
    struct strbuf buf = STRBUF_INIT(100);

    CU_ASSERT_PTR_NOT_NULL_FATAL(metrics);
    metrics_append(metrics, &buf);
    CU_ASSERT_STRING_EQUAL(strbuf_text(&buf), "");
    metrics_free(&metrics);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"writes rows of one name together", writes_rows_of_one_name_together},
        {"loses nothing between threads", loses_nothing_between_threads},
        {"is empty without rows", is_empty_without_rows},
        CU_TEST_INFO_NULL,
    };

    return run_tests("metrics", tests);
}
