/* test_event_follow - each event once, however late its number appears */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "event_follow.h"
#include "unit.h"

static void shows_each_event_once(void)
{
    struct event_follow follow = {.settled = 10};

    CU_ASSERT_FALSE(event_follow_note(&follow, 9, 0));
    CU_ASSERT_FALSE(event_follow_note(&follow, 10, 0));
    CU_ASSERT_TRUE(event_follow_note(&follow, 12, 0));
    CU_ASSERT_FALSE(event_follow_note(&follow, 12, 1));
    CU_ASSERT_TRUE(event_follow_note(&follow, 11, 2));
    CU_ASSERT_FALSE(event_follow_note(&follow, 11, 3));
    CU_ASSERT_EQUAL(follow.settled, 10);
}

static void asks_again_until_a_number_has_settled(void)
{
    struct event_follow follow = {.settled = 10};

    CU_ASSERT_TRUE(event_follow_note(&follow, 13, 0));
    event_follow_settle(&follow, FOLLOW_SETTLE_MS - 1);
    CU_ASSERT_EQUAL(follow.settled, 10);
    CU_ASSERT_TRUE(event_follow_note(&follow, 11, FOLLOW_SETTLE_MS - 1));
    event_follow_settle(&follow, FOLLOW_SETTLE_MS);
    CU_ASSERT_EQUAL(follow.settled, 10);
    event_follow_settle(&follow, 2 * FOLLOW_SETTLE_MS);
    CU_ASSERT_EQUAL(follow.settled, 13);
    CU_ASSERT_EQUAL(follow.count, 0);
    CU_ASSERT_FALSE(event_follow_note(&follow, 12, 2 * FOLLOW_SETTLE_MS));
}

static void holds_no_more_than_its_bound(void)
{
    struct event_follow follow = {0};
    bool all_new = true;

    for (uint64_t id = 1; id <= 3 * FOLLOW_SEEN_MAX + 1; id++)
        all_new = event_follow_note(&follow, id, 0) && all_new;
    CU_ASSERT_TRUE(all_new);
    CU_ASSERT_TRUE(follow.count <= FOLLOW_SEEN_MAX);
    CU_ASSERT_FALSE(event_follow_note(&follow, 1, 0));
    CU_ASSERT_FALSE(event_follow_note(&follow, 3 * FOLLOW_SEEN_MAX, 0));
}

static void is_full_at_its_bound_and_not_before(void)
{
    struct event_follow follow = {0};

    for (uint64_t id = 1; id <= FOLLOW_SEEN_MAX; id++)
        CU_ASSERT_TRUE(event_follow_note(&follow, 2 * id, 0));
    CU_ASSERT_EQUAL(follow.settled, 0);
    CU_ASSERT_EQUAL(follow.count, FOLLOW_SEEN_MAX);
    CU_ASSERT_TRUE(event_follow_note(&follow, 2 * FOLLOW_SEEN_MAX + 1, 0));
    CU_ASSERT_EQUAL(follow.settled, FOLLOW_SEEN_MAX);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"shows each event once", shows_each_event_once},
        {"asks again until a number has settled",
         asks_again_until_a_number_has_settled},
        {"holds no more than its bound", holds_no_more_than_its_bound},
        {"is full at its bound, and not before",
         is_full_at_its_bound_and_not_before},
        CU_TEST_INFO_NULL,
    };

    return run_tests("event_follow", tests);
}
