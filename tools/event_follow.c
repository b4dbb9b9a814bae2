/* event_follow - see event_follow.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "event_follow.h"

#include <string.h>

/* The place of the first seen event whose number is not smaller. */
static size_t place_of(const struct event_follow *follow, uint64_t id)
{
    size_t low = 0;
    size_t high = follow->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (follow->seen[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Forgets the first ones, which are not asked for again. */
static void settle_first(struct event_follow *follow, size_t count)
{
    if (count == 0)
        return;
    if (follow->seen[count - 1].id > follow->settled)
        follow->settled = follow->seen[count - 1].id;
    follow->count -= count;
    memmove(follow->seen, follow->seen + count,
            follow->count * sizeof(follow->seen[0]));
}

bool event_follow_note(struct event_follow *follow, uint64_t id, int64_t now_ms)
{
    size_t place;

    if (id <= follow->settled)
        return false;
    place = place_of(follow, id);
    if (place < follow->count && follow->seen[place].id == id)
        return false;
    if (follow->count == FOLLOW_SEEN_MAX) {
        settle_first(follow, FOLLOW_SEEN_MAX / 2);
        place = place_of(follow, id);
    }
    memmove(follow->seen + place + 1, follow->seen + place,
            (follow->count - place) * sizeof(follow->seen[0]));
    follow->seen[place] = (struct event_seen){id, now_ms};
    follow->count++;
    return true;
}

void event_follow_settle(struct event_follow *follow, int64_t now_ms)
{
    size_t count = 0;

    while (count < follow->count &&
           now_ms - follow->seen[count].at_ms >= FOLLOW_SETTLE_MS)
        count++;
    settle_first(follow, count);
}
