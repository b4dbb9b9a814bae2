/* rate_rows - see rate_rows.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "rate_rows.h"

#include "rate_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void lock(struct rate_shard *shard)
{
    (void)pthread_mutex_lock(&shard->lock);
}

static void unlock(struct rate_shard *shard)
{
    (void)pthread_mutex_unlock(&shard->lock);
}

void rates_align(struct rates *rates, int64_t offset_ms, int64_t now_ms)
{
    for (unsigned i = 0; i < rates->shard_count; i++) {
        struct rate_shard *shard = &rates->shards[i];
        struct rate_counter *counter;
        struct rate_counter *next;
        int64_t shift_ms;

        lock(shard);
        shift_ms = offset_ms - shard->offset_ms;
        HASH_ITER(hh, shard->counters, counter, next)
        {
            rate_window_convert(&counter->window, counter->window.seconds,
                                shift_ms, now_ms + offset_ms);
            if (counter->told_until_ms != INT64_MIN)
                counter->told_until_ms += shift_ms;
            if (counter->window.unsaved != 0)
                rate_queue(shard, counter);
        }
        shard->offset_ms = offset_ms;
        unlock(shard);
    }
}

static void make_row(const struct rate_counter *counter, unsigned slot,
                     struct store_rate_row *row)
{
    const struct rate_window *window = &counter->window;
    int64_t width = rate_window_width_ms(window->seconds);
    enum rate_kind kind = rate_counter_kind(counter);

    row->kind = kind;
    row->seconds = window->seconds;
    row->bucket = rate_window_bucket(window, slot);
    row->count = window->counts[slot];
    row->batch = 0;
    row->expires = (row->bucket + RATE_WINDOW_SLOTS) * width / 1000 + 1;
    (void)snprintf(row->subject, sizeof(row->subject), "%s",
                   rate_counter_subject(counter));
}

/* Rows of one counter, as many as there is room for. */
static size_t collect_one(struct rate_counter *counter,
                          struct store_rate_row *rows, size_t max)
{
    size_t count = 0;

    for (unsigned slot = 0; slot < RATE_WINDOW_SLOTS && count < max; slot++) {
        uint64_t bit = UINT64_C(1) << slot;

        if ((counter->window.unsaved & bit) == 0)
            continue;
        make_row(counter, slot, &rows[count++]);
        counter->window.unsaved &= ~bit;
    }
    return count;
}

size_t rates_collect(struct rates *rates, struct store_rate_row *rows,
                     size_t max, int64_t now_ms)
{
    size_t count = 0;

    for (unsigned i = 0; i < rates->shard_count && count < max; i++) {
        struct rate_shard *shard = &rates->shards[i];

        lock(shard);
        while (shard->unsaved != NULL && count < max) {
            struct rate_counter *counter = shard->unsaved;

            rate_window_advance(&counter->window, now_ms + shard->offset_ms);
            count += collect_one(counter, rows + count, max - count);
            if (counter->window.unsaved != 0)
                break; /* No room for the rest of it. */
            shard->unsaved = counter->next_unsaved;
            counter->queued = false;
        }
        unlock(shard);
    }
    return count;
}

/* The counter of a row, under its shard's lock, which is taken; or NULL. */
static struct rate_counter *find_locked(struct rates *rates,
                                        const struct store_rate_row *row,
                                        struct rate_shard **shard_r)
{
    struct rate_key key;

    *shard_r = NULL;
    if (row->kind >= RATE_KIND_COUNT ||
        !rate_key_make(&key, (enum rate_kind)row->kind, row->subject))
        return NULL;
    *shard_r = rate_shard_of(rates, &key);
    lock(*shard_r);
    return rate_find(*shard_r, &key);
}

void rates_uncollect(struct rates *rates, const struct store_rate_row *rows,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct rate_shard *shard;
        struct rate_counter *counter = find_locked(rates, &rows[i], &shard);

        for (unsigned slot = 0; counter != NULL && slot < RATE_WINDOW_SLOTS;
             slot++) {
            if (counter->window.seconds != rows[i].seconds ||
                rate_window_bucket(&counter->window, slot) != rows[i].bucket)
                continue;
            counter->window.unsaved |= UINT64_C(1) << slot;
            rate_queue(shard, counter);
        }
        if (shard != NULL)
            unlock(shard);
    }
}

/* Finds or makes the node's window beside a counter; NULL without memory. */
static struct rate_window *peer_of(struct rate_counter *counter, unsigned node,
                                   uint32_t seconds, int64_t at_ms)
{
    struct rate_peer *peer = counter->peers;

    while (peer != NULL && peer->node != node)
        peer = peer->next;
    if (peer == NULL) {
        peer = calloc(1, sizeof(*peer));
        if (peer == NULL)
            return NULL;
        peer->node = node;
        peer->next = counter->peers;
        counter->peers = peer;
    }
    if (peer->window.seconds != seconds)
        rate_window_begin(&peer->window, seconds, at_ms);
    else
        rate_window_advance(&peer->window, at_ms);
    return &peer->window;
}

/*
 * Where the row goes: into the counter itself while nobody else has been
 * there, else beside it, so that it does not replace what was charged.
 */
static struct rate_window *window_of(struct rate_counter *counter,
                                     unsigned node, uint32_t seconds,
                                     int64_t at_ms)
{
    struct rate_window *window = &counter->window;

    if (node != RATES_SELF || !counter->fresh)
        return peer_of(counter, node, seconds, at_ms);
    if (window->seconds != seconds)
        rate_window_begin(window, seconds, at_ms);
    else
        rate_window_advance(window, at_ms);
    return window;
}

/* True if the row counts at that time, and is not from the future. */
static bool row_counts(const struct store_rate_row *row, int64_t at_ms)
{
    int64_t width = rate_window_width_ms(row->seconds);
    int64_t behind = at_ms / width - row->bucket;

    return behind >= -1 && behind < RATE_WINDOW_SLOTS;
}

static bool put_row(struct rates *rates, unsigned node,
                    const struct store_rate_row *row, int64_t now_ms)
{
    struct rate_key key;
    struct rate_shard *shard;
    struct rate_counter *counter = NULL;
    bool done = true;
    int64_t at_ms;

    if (row->kind >= RATE_KIND_COUNT || row->seconds == 0 ||
        !rate_key_make(&key, (enum rate_kind)row->kind, row->subject))
        return true; /* Nobody will ask for it. */
    shard = rate_shard_of(rates, &key);
    lock(shard);
    at_ms = now_ms + shard->offset_ms;
    if (row_counts(row, at_ms)) {
        struct rate_window *window = NULL;

        counter = rate_find(shard, &key);
        /* A count of nothing is no reason to make a counter. */
        if (counter == NULL && row->count > 0) {
            if (rate_take(rates, shard, &key, row->seconds, at_ms, &counter,
                          NULL) == STATUS_OK)
                counter->fresh = node == RATES_SELF;
            else
                done = false;
        }
        if (counter != NULL)
            window = window_of(counter, node, row->seconds, at_ms);
        if (counter != NULL && window == NULL)
            done = false;
        if (window != NULL)
            (void)rate_window_put(window, row->bucket, row->count);
    }
    unlock(shard);
    return done;
}

bool rates_put(struct rates *rates, unsigned node,
               const struct store_rate_row *rows, size_t count, int64_t now_ms)
{
    bool all = true;

    for (size_t i = 0; i < count; i++) {
        if (!put_row(rates, node, &rows[i], now_ms))
            all = false;
    }
    return all;
}

static void adopt_one(struct rate_shard *shard, struct rate_counter *counter,
                      int64_t at_ms)
{
    struct rate_peer **link = &counter->peers;
    struct rate_peer *peer;

    counter->fresh = false;
    while (*link != NULL && (*link)->node != RATES_SELF)
        link = &(*link)->next;
    peer = *link;
    if (peer == NULL)
        return;
    *link = peer->next;
    rate_window_advance(&peer->window, at_ms);
    /* One that nobody has charged takes over the period as well. */
    if (rate_window_sum(&counter->window) == 0 &&
        counter->window.seconds != peer->window.seconds)
        rate_window_begin(&counter->window, peer->window.seconds, at_ms);
    rate_window_advance(&counter->window, at_ms);
    rate_window_merge(&counter->window, &peer->window);
    if (counter->window.unsaved != 0)
        rate_queue(shard, counter);
    free(peer);
}

void rates_adopt(struct rates *rates, int64_t now_ms)
{
    for (unsigned i = 0; i < rates->shard_count; i++) {
        struct rate_shard *shard = &rates->shards[i];
        struct rate_counter *counter;
        struct rate_counter *next;

        lock(shard);
        HASH_ITER(hh, shard->counters, counter, next)
        {
            adopt_one(shard, counter, now_ms + shard->offset_ms);
        }
        unlock(shard);
    }
}

/* Takes a window out of its counter, which has counted nothing then. */
static bool take_out(struct rates *rates, const struct rate_key *key,
                     int64_t now_ms, struct rate_window *window_r)
{
    struct rate_shard *shard = rate_shard_of(rates, key);
    struct rate_counter *counter;
    bool found = false;

    lock(shard);
    counter = rate_find(shard, key);
    if (counter != NULL) {
        rate_window_advance(&counter->window, now_ms + shard->offset_ms);
        *window_r = counter->window;
        found = rate_window_sum(&counter->window) > 0;
        for (unsigned slot = 0; slot < RATE_WINDOW_SLOTS; slot++) {
            if (counter->window.counts[slot] > 0)
                rate_window_empty(&counter->window, slot);
        }
        if (found)
            rate_queue(shard, counter);
    }
    unlock(shard);
    return found;
}

void rates_rename(struct rates *rates, const char *from, const char *to,
                  int64_t now_ms)
{
    static const enum rate_kind kinds[] = {RATE_MAILBOX_MESSAGES,
                                           RATE_MAILBOX_RECIPIENTS};

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct rate_key old_key;
        struct rate_key new_key;
        struct rate_window window;
        struct rate_shard *shard;
        struct rate_counter *counter;

        if (!rate_key_make(&old_key, kinds[i], from) ||
            !rate_key_make(&new_key, kinds[i], to) ||
            !take_out(rates, &old_key, now_ms, &window))
            continue;
        shard = rate_shard_of(rates, &new_key);
        lock(shard);
        counter = rate_find(shard, &new_key);
        if (counter != NULL ||
            rate_take(rates, shard, &new_key, window.seconds,
                      now_ms + shard->offset_ms, &counter, NULL) == STATUS_OK) {
            rate_window_advance(&counter->window, now_ms + shard->offset_ms);
            rate_window_merge(&counter->window, &window);
            rate_queue(shard, counter);
        }
        unlock(shard);
    }
}
