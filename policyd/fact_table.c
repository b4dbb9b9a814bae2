/* fact_table - see fact_table.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "fact_table.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SHARDS 16

/* What a look-up reads stands together, at the end: memory is what it costs. */
struct entry {
    struct entry *older;
    struct entry *newer;
    struct entry *next_in_bucket;
    uint64_t hash;
    struct fact *fact;
    int64_t until_ms;
    enum accounts_kind kind;
    char key[];
};

struct shard {
    _Alignas(64) pthread_mutex_t lock;
    struct entry **buckets;
    struct entry *oldest;
    struct entry *newest;
    size_t count;
    uint64_t hits;
    uint64_t misses;
};

struct fact_table {
    int64_t ttl_ms;
    size_t shard_max;    /* facts in a shard */
    size_t bucket_count; /* of a shard, a power of two */
    uint64_t seed;       /* unknown outside, so that nobody fills one bucket */
    struct shard shards[SHARDS];
};

void fact_release(struct fact **fact)
{
    if (*fact != NULL && atomic_fetch_sub(&(*fact)->holders, 1) == 1)
        (*fact)->clear(*fact);
    *fact = NULL;
}

/* FNV-1a, begun with a secret and finished so that all bits count. */
static uint64_t hash_key(const struct fact_table *table,
                         enum accounts_kind kind, const char *key)
{
    uint64_t hash = table->seed ^ (uint64_t)kind;

    for (const char *byte = key; *byte != '\0'; byte++)
        hash = (hash ^ (unsigned char)*byte) * UINT64_C(0x100000001b3);
    hash ^= hash >> 32;
    hash *= UINT64_C(0xd6e8feb86659fd93);
    return hash ^ (hash >> 32);
}

static struct shard *shard_of(struct fact_table *table, uint64_t hash)
{
    return &table->shards[(hash >> 60) % SHARDS];
}

static struct entry **bucket_of(const struct fact_table *table,
                                struct shard *shard, uint64_t hash)
{
    return &shard->buckets[hash & (table->bucket_count - 1)];
}

/* The link that leads to the entry, or to NULL. */
static struct entry **find_link(const struct fact_table *table,
                                struct shard *shard, uint64_t hash,
                                enum accounts_kind kind, const char *key)
{
    struct entry **link = bucket_of(table, shard, hash);

    while (*link != NULL && ((*link)->hash != hash || (*link)->kind != kind ||
                             strcmp((*link)->key, key) != 0))
        link = &(*link)->next_in_bucket;
    return link;
}

/* Takes an entry out of its shard and frees it. */
static void drop(struct shard *shard, struct entry **link)
{
    struct entry *entry = *link;

    *link = entry->next_in_bucket;
    if (entry->older != NULL)
        entry->older->newer = entry->newer;
    else
        shard->oldest = entry->newer;
    if (entry->newer != NULL)
        entry->newer->older = entry->older;
    else
        shard->newest = entry->older;
    shard->count--;
    fact_release(&entry->fact);
    free(entry);
}

static void drop_oldest(const struct fact_table *table, struct shard *shard)
{
    struct entry *oldest = shard->oldest;
    struct entry **link = bucket_of(table, shard, oldest->hash);

    while (*link != oldest)
        link = &(*link)->next_in_bucket;
    drop(shard, link);
}

static size_t flush_shard(const struct fact_table *table, struct shard *shard)
{
    size_t count;

    (void)pthread_mutex_lock(&shard->lock);
    count = shard->count;
    while (shard->oldest != NULL)
        drop_oldest(table, shard);
    (void)pthread_mutex_unlock(&shard->lock);
    return count;
}

size_t fact_table_flush(struct fact_table *table)
{
    size_t count = 0;

    for (size_t i = 0; i < SHARDS; i++)
        count += flush_shard(table, &table->shards[i]);
    return count;
}

void fact_table_free(struct fact_table **table)
{
    if (*table == NULL)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &(*table)->shards[i];

        if (shard->buckets == NULL)
            break;
        (void)flush_shard(*table, shard);
        free(shard->buckets);
        (void)pthread_mutex_destroy(&shard->lock);
    }
    free(*table);
    *table = NULL;
}

enum status fact_table_new(struct accounts_limits limits,
                           struct fact_table **table_r, struct errtext *err)
{
    struct fact_table *table =
        aligned_alloc(_Alignof(struct fact_table), sizeof(*table));

    if (table == NULL)
        return status_no_memory(err);
    memset(table, 0, sizeof(*table));
    table->ttl_ms = limits.ttl_ms;
    table->shard_max = (limits.facts_max + SHARDS - 1) / SHARDS;
    table->bucket_count = 16;
    while (table->bucket_count < table->shard_max)
        table->bucket_count *= 2;
    if (getrandom(&table->seed, sizeof(table->seed), 0) !=
        (ssize_t)sizeof(table->seed))
        table->seed = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &table->shards[i];

        shard->buckets = calloc(table->bucket_count, sizeof(struct entry *));
        if (shard->buckets == NULL ||
            pthread_mutex_init(&shard->lock, NULL) != 0) {
            free(shard->buckets);
            shard->buckets = NULL;
            fact_table_free(&table);
            return status_no_memory(err);
        }
    }
    *table_r = table;
    return STATUS_OK;
}

struct fact *fact_table_find(struct fact_table *table, enum accounts_kind kind,
                             const char *key, int64_t now_ms)
{
    uint64_t hash = hash_key(table, kind, key);
    struct shard *shard = shard_of(table, hash);
    struct fact *fact = NULL;
    struct entry *entry;

    (void)pthread_mutex_lock(&shard->lock);
    entry = *find_link(table, shard, hash, kind, key);
    if (entry != NULL && now_ms < entry->until_ms) {
        fact = entry->fact;
        (void)atomic_fetch_add_explicit(&fact->holders, 1,
                                        memory_order_relaxed);
        shard->hits++;
    } else {
        shard->misses++;
    }
    (void)pthread_mutex_unlock(&shard->lock);
    return fact;
}

/* Asks for the memory of a bucket's first entry, or of that one's fact. */
static void bring(struct fact_table *table, uint64_t hash, bool its_fact)
{
    struct shard *shard = shard_of(table, hash);
    const struct entry *entry;

    (void)pthread_mutex_lock(&shard->lock);
    entry = *bucket_of(table, shard, hash);
    if (entry != NULL && its_fact)
        __builtin_prefetch(entry->fact);
    else if (entry != NULL)
        __builtin_prefetch(&entry->next_in_bucket);
    (void)pthread_mutex_unlock(&shard->lock);
}

void fact_table_expect(struct fact_table *table, const struct fact_key *keys,
                       size_t count)
{
    uint64_t hashes[FACT_TABLE_EXPECT_MAX];

    assert(count <= FACT_TABLE_EXPECT_MAX);
    for (size_t i = 0; i < count; i++) {
        hashes[i] = hash_key(table, keys[i].kind, keys[i].text);
        __builtin_prefetch(
            bucket_of(table, shard_of(table, hashes[i]), hashes[i]));
    }
    for (size_t i = 0; i < count; i++)
        bring(table, hashes[i], false);
    for (size_t i = 0; i < count; i++)
        bring(table, hashes[i], true);
}

static void append(struct shard *shard, struct entry *entry)
{
    entry->older = shard->newest;
    entry->newer = NULL;
    if (shard->newest != NULL)
        shard->newest->newer = entry;
    else
        shard->oldest = entry;
    shard->newest = entry;
    shard->count++;
}

void fact_table_add(struct fact_table *table, enum accounts_kind kind,
                    const char *key, struct fact *fact, int64_t now_ms)
{
    uint64_t hash = hash_key(table, kind, key);
    struct shard *shard = shard_of(table, hash);
    size_t len = strlen(key);
    struct entry *entry;
    struct entry **link;

    if (table->ttl_ms == 0 || table->shard_max == 0)
        return;
    entry = malloc(sizeof(*entry) + len + 1);
    if (entry == NULL)
        return;
    *entry = (struct entry){.fact = fact,
                            .until_ms = now_ms + table->ttl_ms,
                            .hash = hash,
                            .kind = kind};
    memcpy(entry->key, key, len + 1);
    (void)atomic_fetch_add(&fact->holders, 1);
    (void)pthread_mutex_lock(&shard->lock);
    link = find_link(table, shard, hash, kind, key);
    if (*link != NULL)
        drop(shard, link);
    if (shard->count >= table->shard_max)
        drop_oldest(table, shard);
    link = bucket_of(table, shard, hash);
    entry->next_in_bucket = *link;
    *link = entry;
    append(shard, entry);
    (void)pthread_mutex_unlock(&shard->lock);
}

void fact_table_forget(struct fact_table *table, enum accounts_kind kind,
                       const char *key)
{
    uint64_t hash = hash_key(table, kind, key);
    struct shard *shard = shard_of(table, hash);
    struct entry **link;

    (void)pthread_mutex_lock(&shard->lock);
    link = find_link(table, shard, hash, kind, key);
    if (*link != NULL)
        drop(shard, link);
    (void)pthread_mutex_unlock(&shard->lock);
}

void fact_table_stats(struct fact_table *table, struct accounts_stats *stats_r)
{
    *stats_r = (struct accounts_stats){0};
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &table->shards[i];

        (void)pthread_mutex_lock(&shard->lock);
        stats_r->facts += shard->count;
        stats_r->hits += shard->hits;
        stats_r->misses += shard->misses;
        (void)pthread_mutex_unlock(&shard->lock);
    }
}
