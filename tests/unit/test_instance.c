/* test_instance - the recipients of messages under way */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "instance.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static struct instances *make(int64_t ttl_ms, size_t instances_max)
{
    struct instance_limits limits = {.ttl_ms = ttl_ms,
                                     .instances_max = instances_max};
    struct instances *instances = NULL;

    CU_ASSERT_EQUAL_FATAL(instances_new(limits, &instances, NULL), STATUS_OK);
    return instances;
}

static size_t count_of(struct instances *instances, const char *name,
                       int64_t now_ms)
{
    struct instance_recipients known;
    size_t count;

    instance_find(instances, name, now_ms, &known);
    count = known.count;
    instance_recipients_clear(&known);
    return count;
}

static void joins_what_is_of_one_message(void)
{
    struct instances *instances = make(1000, 100);
    struct instance_recipients known;

    instance_add(instances, "m1", "a@d.example", 0);
    instance_add(instances, "m2", "c@d.example", 0);
    instance_add(instances, "m1", "b@d.example", 0);
    instance_add(instances, "m1", "a@d.example", 0);
    instance_find(instances, "m1", 0, &known);
    CU_ASSERT_EQUAL_FATAL(known.count, 2);
    CU_ASSERT_STRING_EQUAL(known.text, "a@d.example");
    CU_ASSERT_STRING_EQUAL(known.text + strlen(known.text) + 1, "b@d.example");
    CU_ASSERT_FALSE(known.incomplete);
    instance_recipients_clear(&known);
    CU_ASSERT_EQUAL(count_of(instances, "m2", 0), 1);
    CU_ASSERT_EQUAL(count_of(instances, "m3", 0), 0);
    instances_free(&instances);
}

static void forgets_in_time(void)
{
    struct instances *instances = make(1000, 100);
    struct instance_stats stats;

    instance_add(instances, "m", "a@d.example", 0);
    CU_ASSERT_EQUAL(count_of(instances, "m", 999), 1);
    CU_ASSERT_EQUAL(count_of(instances, "m", 1000), 0);
    instance_add(instances, "m", "b@d.example", 1000);
    CU_ASSERT_EQUAL(count_of(instances, "m", 1000), 1);
    instances_stats(instances, &stats);
    CU_ASSERT_EQUAL(stats.forgotten, 0);
    instances_free(&instances);
}

static void holds_no_more_than_its_bound(void)
{
    struct instances *instances = make(100000, 160);
    struct instance_stats stats;
    char name[16];

    for (int i = 0; i < 5000; i++) {
        (void)snprintf(name, sizeof(name), "m%d", i);
        instance_add(instances, name, "a@d.example", i);
        CU_ASSERT_EQUAL(count_of(instances, name, i), 1);
    }
    instances_stats(instances, &stats);
    CU_ASSERT(stats.instances <= 160);
    CU_ASSERT(stats.instances > 100);
    CU_ASSERT_EQUAL(stats.forgotten + stats.instances, 5000);
    CU_ASSERT_EQUAL(count_of(instances, "m0", 5000), 0);
    instances_free(&instances);
}

static void gives_up_first_what_has_its_answer(void)
{
    struct instances *instances = make(100000, 16);
    struct instance_stats stats;
    char name[16];

    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "m%d", i);
        instance_add(instances, name, "a@d.example", i);
        instance_end(instances, name);
        /* It is still known, for a second question. */
        CU_ASSERT_EQUAL(count_of(instances, name, i), 1);
    }
    instances_stats(instances, &stats);
    CU_ASSERT_EQUAL(stats.forgotten, 0);
    instances_free(&instances);
}

/* Recipients of len bytes each, so many of them. */
static void fill(struct instances *instances, const char *name, size_t count,
                 size_t len)
{
    char recipient[400];

    for (size_t i = 0; i < count; i++) {
        memset(recipient, 'x', len);
        recipient[len] = '\0';
        recipient[0] = (char)('a' + i % 26);
        recipient[1] = (char)('a' + i / 26);
        instance_add(instances, name, recipient, 0);
    }
}

static void bounds_the_recipients_of_a_message(void)
{
    static const struct {
        const char *name;
        size_t count, len, kept;
        bool incomplete;
    } cases[] = {
        {"few", 3, 20, 3, false},
        {"at the bound", INSTANCE_RECIPIENTS_MAX, 20, INSTANCE_RECIPIENTS_MAX,
         false},
        {"over the bound", INSTANCE_RECIPIENTS_MAX + 1, 20,
         INSTANCE_RECIPIENTS_MAX, true},
        {"at the bound of bytes", INSTANCE_TEXT_BYTES_MAX / 256, 255,
         INSTANCE_TEXT_BYTES_MAX / 256, false},
        {"over the bound of bytes", INSTANCE_TEXT_BYTES_MAX / 256 + 1, 255,
         INSTANCE_TEXT_BYTES_MAX / 256, true},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct instances *instances = make(1000, 10);
        struct instance_recipients known;
        size_t seen = 0;

        fill(instances, "m", cases[i].count, cases[i].len);
        instance_find(instances, "m", 0, &known);
        CHECK_CASE(cases[i].name, known.count == cases[i].kept);
        CHECK_CASE(cases[i].name, known.incomplete == cases[i].incomplete);
        for (const char *text = known.text; seen < known.count; seen++) {
            CHECK_CASE(cases[i].name, strlen(text) == cases[i].len);
            text += strlen(text) + 1;
        }
        instance_recipients_clear(&known);
        instances_free(&instances);
    }
}

static void ignores_names_that_cannot_be(void)
{
    struct instances *instances = make(1000, 10);
    char name[INSTANCE_BYTES_MAX + 2];

    memset(name, 'x', sizeof(name));
    name[INSTANCE_BYTES_MAX] = '\0';
    instance_add(instances, name, "a@d.example", 0);
    CU_ASSERT_EQUAL(count_of(instances, name, 0), 1);
    name[INSTANCE_BYTES_MAX] = 'x';
    name[INSTANCE_BYTES_MAX + 1] = '\0';
    instance_add(instances, name, "a@d.example", 0);
    CU_ASSERT_EQUAL(count_of(instances, name, 0), 0);
    instance_add(instances, "", "a@d.example", 0);
    CU_ASSERT_EQUAL(count_of(instances, "", 0), 0);
    instances_free(&instances);
}

static void is_shared_where_the_limits_are_the_same(void)
{
    struct instance_limits same = {.ttl_ms = 1000, .instances_max = 10};
    struct instance_limits other = {.ttl_ms = 1000, .instances_max = 11};
    struct instances *first = make(1000, 10);
    struct instances *second = instances_share(first, same);

    CU_ASSERT_PTR_NULL(instances_share(first, other));
    CU_ASSERT_PTR_NOT_NULL_FATAL(second);
    instance_add(first, "m", "a@d.example", 0);
    instances_free(&first);
    CU_ASSERT_PTR_NULL(first);
    CU_ASSERT_EQUAL(count_of(second, "m", 0), 1);
    instances_free(&second);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"joins what is of one message", joins_what_is_of_one_message},
        {"forgets in time", forgets_in_time},
        {"holds no more than its bound", holds_no_more_than_its_bound},
        {"gives up first what has its answer",
         gives_up_first_what_has_its_answer},
        {"bounds the recipients of a message",
         bounds_the_recipients_of_a_message},
        {"ignores names that cannot be", ignores_names_that_cannot_be},
        {"is shared where the limits are the same",
         is_shared_where_the_limits_are_the_same},
        CU_TEST_INFO_NULL,
    };

    return run_tests("instance", tests);
}
