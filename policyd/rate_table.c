/* rate_table - see rate_private.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "rate_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_AT_MAX 64        /* counters, to find one that can be forgotten */
#define COUNTERS_PER_SHARD 64 /* at least, or there are fewer shards */

static const char *const kind_names[RATE_KIND_COUNT] = {
    [RATE_MAILBOX_MESSAGES] = "mailbox_messages",
    [RATE_MAILBOX_RECIPIENTS] = "mailbox_recipients",
    [RATE_DOMAIN_MESSAGES] = "domain_messages",
    [RATE_DOMAIN_RECIPIENTS] = "domain_recipients",
};

const char *rate_kind_name(enum rate_kind kind)
{
    return kind_names[kind];
}

bool rate_key_make(struct rate_key *key, enum rate_kind kind,
                   const char *subject)
{
    size_t len = subject != NULL ? strlen(subject) : 0;

    if (len == 0 || len > RATE_SUBJECT_BYTES_MAX)
        return false;
    key->bytes[0] = (char)('0' + (int)kind);
    memcpy(key->bytes + 1, subject, len);
    key->len = (unsigned)len + 1;
    HASH_VALUE(key->bytes + 1, len, key->hash);
    return true;
}

struct rate_shard *rate_shard_of(struct rates *rates,
                                 const struct rate_key *key)
{
    /* The table takes the low bits. */
    return &rates->shards[(key->hash >> 20) % rates->shard_count];
}

/* The hash of the table: counters of one subject are not neighbours. */
static unsigned table_hash(const struct rate_key *key)
{
    return key->hash + (unsigned)key->bytes[0] * 0x9e3779b1U;
}

enum rate_kind rate_counter_kind(const struct rate_counter *counter)
{
    return (enum rate_kind)(counter->key[0] - '0');
}

const char *rate_counter_subject(const struct rate_counter *counter)
{
    return counter->key + 1;
}

enum status rates_new(size_t counters_max, struct rates **rates_r,
                      struct errtext *err)
{
    struct rates *rates = calloc(1, sizeof(*rates));
    size_t shards = counters_max / COUNTERS_PER_SHARD;

    assert(counters_max > 0);
    if (rates == NULL)
        return status_no_memory(err);
    rates->counters_max = counters_max;
    rates->shard_count = (unsigned)(shards > RATE_SHARDS_MAX ? RATE_SHARDS_MAX
                                    : shards > 0             ? shards
                                                             : 1);
    for (unsigned i = 0; i < rates->shard_count; i++)
        (void)pthread_mutex_init(&rates->shards[i].lock, NULL);
    *rates_r = rates;
    return STATUS_OK;
}

void rate_counter_free(struct rate_counter **counter)
{
    while ((*counter)->peers != NULL) {
        struct rate_peer *peer = (*counter)->peers;

        (*counter)->peers = peer->next;
        free(peer);
    }
    free(*counter);
    *counter = NULL;
}

void rates_free(struct rates **rates)
{
    if (*rates == NULL)
        return;
    for (unsigned i = 0; i < (*rates)->shard_count; i++) {
        struct rate_shard *shard = &(*rates)->shards[i];
        struct rate_counter *counter;
        struct rate_counter *next;

        HASH_ITER(hh, shard->counters, counter, next)
        {
            HASH_DEL(shard->counters, counter);
            rate_counter_free(&counter);
        }
        (void)pthread_mutex_destroy(&shard->lock);
    }
    free(*rates);
    *rates = NULL;
}

struct rate_counter *rate_find(const struct rate_shard *shard,
                               const struct rate_key *key)
{
    struct rate_counter *counter = NULL;

    HASH_FIND_BYHASHVALUE(hh, shard->counters, key->bytes, key->len,
                          table_hash(key), counter);
    return counter;
}

uint64_t rate_sum(struct rate_counter *counter, int64_t at_ms)
{
    uint64_t sum;

    rate_window_advance(&counter->window, at_ms);
    sum = rate_window_sum(&counter->window);
    for (struct rate_peer *peer = counter->peers; peer != NULL;
         peer = peer->next) {
        rate_window_advance(&peer->window, at_ms);
        sum += rate_window_sum(&peer->window);
    }
    return sum;
}

void rate_queue(struct rate_shard *shard, struct rate_counter *counter)
{
    if (counter->queued)
        return;
    counter->queued = true;
    counter->next_unsaved = shard->unsaved;
    shard->unsaved = counter;
}

void rate_set_period(struct rate_shard *shard, struct rate_counter *counter,
                     uint32_t seconds, int64_t at_ms)
{
    if (counter->window.seconds == seconds)
        return;
    rate_window_convert(&counter->window, seconds, 0, at_ms);
    if (counter->window.unsaved != 0)
        rate_queue(shard, counter);
}

static void unqueue(struct rate_shard *shard,
                    const struct rate_counter *counter)
{
    struct rate_counter **link = &shard->unsaved;

    if (!counter->queued)
        return;
    while (*link != counter)
        link = &(*link)->next_unsaved;
    *link = counter->next_unsaved;
}

static void forget(struct rates *rates, struct rate_shard *shard,
                   struct rate_counter **counter)
{
    unqueue(shard, *counter);
    HASH_DEL(shard->counters, *counter);
    rate_counter_free(counter);
    (void)atomic_fetch_sub(&rates->count, 1);
}

/* Adds a counter as the last of the table's order. False without memory. */
static bool add(struct rate_shard *shard, struct rate_counter *counter)
{
    unsigned len = counter->key_len;
    unsigned hash;

    HASH_VALUE(counter->key + 1, len - 1, hash);
    hash += (unsigned)counter->key[0] * 0x9e3779b1U;
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, shard->counters, counter->key, len, hash,
                                counter);
    return counter->hh.tbl != NULL;
}

/* How much of its limit a counter has used, in thousandths; 0: nothing. */
static uint64_t share_of(const struct rate_counter *counter, uint64_t sum)
{
    if (sum == 0)
        return 0;
    /* Read back and not asked for yet: it may be anything. */
    if (counter->limit == 0)
        return 500;
    return sum >= counter->limit ? UINT64_MAX : 1 + sum * 1000 / counter->limit;
}

/*
 * Makes room for one counter in this shard: an empty one, else the one
 * furthest below its limit of those at the beginning. Those that were looked
 * at go to the end, so that the next time sees others. False: none can go.
 */
static bool make_room(struct rates *rates, struct rate_shard *shard,
                      int64_t at_ms)
{
    struct rate_counter *victim = NULL;
    uint64_t victim_share = UINT64_MAX;
    unsigned left = HASH_COUNT(shard->counters);
    struct rate_counter *next = shard->counters;

    if (left > LOOK_AT_MAX)
        left = LOOK_AT_MAX;
    while (left-- > 0 && victim_share > 0) {
        struct rate_counter *counter = next;
        uint64_t share = share_of(counter, rate_sum(counter, at_ms));

        next = counter->hh.next;
        /* The charge that holds it uses it still: it is not even moved. */
        if (counter->held)
            continue;
        if (share < victim_share) {
            victim = counter;
            victim_share = share;
        }
        HASH_DEL(shard->counters, counter);
        /* Cannot fail: the table is there, or there is no other counter. */
        if (!add(shard, counter)) {
            unqueue(shard, counter);
            rate_counter_free(&counter);
            (void)atomic_fetch_sub(&rates->count, 1);
            return true;
        }
    }
    if (victim == NULL)
        return false;
    if (victim_share > 0)
        (void)atomic_fetch_add(&rates->forgotten, 1);
    forget(rates, shard, &victim);
    return true;
}

static struct rate_counter *new_counter(const struct rate_key *key,
                                        uint32_t seconds, int64_t at_ms)
{
    struct rate_counter *counter = calloc(1, sizeof(*counter) + key->len + 1);

    if (counter == NULL)
        return NULL;
    memcpy(counter->key, key->bytes, key->len);
    counter->key_len = (uint16_t)key->len;
    counter->told_until_ms = INT64_MIN;
    rate_window_begin(&counter->window, seconds, at_ms);
    return counter;
}

enum status rate_take(struct rates *rates, struct rate_shard *shard,
                      const struct rate_key *key, uint32_t seconds,
                      int64_t at_ms, struct rate_counter **counter_r,
                      struct errtext *err)
{
    struct rate_counter *counter = rate_find(shard, key);

    if (counter != NULL) {
        rate_set_period(shard, counter, seconds, at_ms);
        *counter_r = counter;
        return STATUS_OK;
    }
    if (atomic_fetch_add(&rates->count, 1) >= rates->counters_max &&
        !make_room(rates, shard, at_ms)) {
        (void)atomic_fetch_sub(&rates->count, 1);
        (void)atomic_fetch_add(&rates->full, 1);
        errtext_set(err,
                    "all %zu counters hold limits that are reached: raise "
                    "policy.rate_max",
                    rates->counters_max);
        return STATUS_TEMPFAIL;
    }
    counter = new_counter(key, seconds, at_ms);
    if (counter == NULL || !add(shard, counter)) {
        free(counter);
        (void)atomic_fetch_sub(&rates->count, 1);
        return status_no_memory(err);
    }
    *counter_r = counter;
    return STATUS_OK;
}

void rate_stats(struct rates *rates, struct rate_stats *stats_r)
{
    *stats_r = (struct rate_stats){
        .counters = atomic_load(&rates->count),
        .forgotten = atomic_load(&rates->forgotten),
        .full = atomic_load(&rates->full),
    };
}
