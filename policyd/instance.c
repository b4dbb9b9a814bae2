/* instance - see instance.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "instance.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SHARDS 16
#define BUCKETS_PER_SLOT 4 /* few messages in a bucket, few to be read */
#define SHORT_BYTES 96     /* of recipients, without an allocation */
#define NO_SLOT UINT32_MAX

struct slot {
    uint64_t hash;
    int64_t until_ms;
    uint32_t next; /* in the bucket */
    bool used;
    bool ended;
    bool incomplete;
    uint32_t seen;
    uint16_t count;
    uint16_t len;
    uint16_t size; /* of more */
    char *more;    /* NULL: the recipients stand in text */
    char name[INSTANCE_BYTES_MAX + 1];
    char text[SHORT_BYTES];
};

/* A ring: the next slot to be taken is the oldest message. */
struct shard {
    _Alignas(64) pthread_mutex_t lock;
    struct slot *slots;
    uint32_t *buckets;
    uint32_t next;
    size_t used;
    uint64_t forgotten;
};

struct instances {
    atomic_uint owners;
    struct instance_limits limits;
    int64_t ttl_ms;
    uint32_t shard_max;
    uint32_t bucket_count; /* of a shard */
    uint64_t seed;
    struct shard shards[SHARDS];
};

static bool open_shard(const struct instances *instances, struct shard *shard)
{
    shard->slots = calloc(instances->shard_max, sizeof(struct slot));
    shard->buckets = malloc(instances->bucket_count * sizeof(uint32_t));
    if (shard->slots == NULL || shard->buckets == NULL ||
        pthread_mutex_init(&shard->lock, NULL) != 0) {
        free(shard->slots);
        free(shard->buckets);
        shard->slots = NULL;
        return false;
    }
    for (uint32_t i = 0; i < instances->bucket_count; i++)
        shard->buckets[i] = NO_SLOT;
    return true;
}

struct instances *instances_share(struct instances *instances,
                                  struct instance_limits limits)
{
    if (instances->limits.ttl_ms != limits.ttl_ms ||
        instances->limits.instances_max != limits.instances_max)
        return NULL;
    (void)atomic_fetch_add(&instances->owners, 1);
    return instances;
}

void instances_free(struct instances **instances)
{
    if (*instances != NULL && atomic_fetch_sub(&(*instances)->owners, 1) > 1)
        *instances = NULL;
    if (*instances == NULL)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &(*instances)->shards[i];

        if (shard->slots == NULL)
            break;
        for (uint32_t j = 0; j < (*instances)->shard_max; j++)
            free(shard->slots[j].more);
        free(shard->slots);
        free(shard->buckets);
        (void)pthread_mutex_destroy(&shard->lock);
    }
    free(*instances);
    *instances = NULL;
}

enum status instances_new(struct instance_limits limits,
                          struct instances **instances_r, struct errtext *err)
{
    struct instances *instances =
        aligned_alloc(_Alignof(struct instances), sizeof(*instances));

    if (instances == NULL)
        return status_no_memory(err);
    memset(instances, 0, sizeof(*instances));
    atomic_init(&instances->owners, 1);
    instances->limits = limits;
    instances->ttl_ms = limits.ttl_ms;
    instances->shard_max =
        (uint32_t)((limits.instances_max + SHARDS - 1) / SHARDS);
    if (instances->shard_max == 0)
        instances->shard_max = 1;
    instances->bucket_count = BUCKETS_PER_SLOT * instances->shard_max;
    if (getrandom(&instances->seed, sizeof(instances->seed), 0) !=
        (ssize_t)sizeof(instances->seed))
        instances->seed = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < SHARDS; i++) {
        if (!open_shard(instances, &instances->shards[i])) {
            instances_free(&instances);
            return status_no_memory(err);
        }
    }
    *instances_r = instances;
    return STATUS_OK;
}

static uint64_t hash_name(const struct instances *instances, const char *name)
{
    uint64_t hash = instances->seed;

    for (const char *byte = name; *byte != '\0'; byte++)
        hash = (hash ^ (unsigned char)*byte) * UINT64_C(0x100000001b3);
    hash ^= hash >> 32;
    hash *= UINT64_C(0xd6e8feb86659fd93);
    return hash ^ (hash >> 32);
}

/* False for a name that is none or too long. */
static bool choose(struct instances *instances, const char *name,
                   uint64_t *hash_r, struct shard **shard_r)
{
    if (name[0] == '\0' || strlen(name) > INSTANCE_BYTES_MAX)
        return false;
    *hash_r = hash_name(instances, name);
    *shard_r = &instances->shards[(*hash_r >> 60) % SHARDS];
    return true;
}

static uint32_t *bucket_of(const struct instances *instances,
                           struct shard *shard, uint64_t hash)
{
    return &shard->buckets[hash % instances->bucket_count];
}

/* The slot of a message that is still remembered, or NULL. */
static struct slot *find(const struct instances *instances, struct shard *shard,
                         uint64_t hash, const char *name, int64_t now_ms)
{
    uint32_t index = *bucket_of(instances, shard, hash);

    while (index != NO_SLOT) {
        struct slot *slot = &shard->slots[index];

        if (slot->hash == hash && strcmp(slot->name, name) == 0)
            return now_ms < slot->until_ms ? slot : NULL;
        index = slot->next;
    }
    return NULL;
}

static void give_up(const struct instances *instances, struct shard *shard,
                    struct slot *slot, int64_t now_ms)
{
    uint32_t *link = bucket_of(instances, shard, slot->hash);

    while (&shard->slots[*link] != slot)
        link = &shard->slots[*link].next;
    *link = slot->next;
    if (!slot->ended && now_ms < slot->until_ms)
        shard->forgotten++;
    free(slot->more);
    shard->used--;
}

/* Takes the oldest slot for a new message. */
static struct slot *take(const struct instances *instances, struct shard *shard,
                         uint64_t hash, const char *name, int64_t now_ms)
{
    struct slot *slot = &shard->slots[shard->next];
    uint32_t *bucket;

    if (slot->used)
        give_up(instances, shard, slot, now_ms);
    bucket = bucket_of(instances, shard, hash);
    *slot = (struct slot){.hash = hash,
                          .until_ms = now_ms + instances->ttl_ms,
                          .next = *bucket,
                          .used = true};
    memcpy(slot->name, name, strlen(name) + 1);
    *bucket = shard->next;
    shard->next = (shard->next + 1) % instances->shard_max;
    shard->used++;
    return slot;
}

static const char *text_of(const struct slot *slot)
{
    return slot->more != NULL ? slot->more : slot->text;
}

static bool has(const struct slot *slot, const char *recipient)
{
    const char *text = text_of(slot);

    for (size_t at = 0; at < slot->len; at += strlen(text + at) + 1) {
        if (strcmp(text + at, recipient) == 0)
            return true;
    }
    return false;
}

/* Makes room for len bytes more; false at the bound or without memory. */
static bool reserve(struct slot *slot, size_t len)
{
    size_t needed = slot->len + len;
    size_t size = 4 * (size_t)SHORT_BYTES;
    char *grown;

    if (needed <= (slot->more != NULL ? slot->size : sizeof(slot->text)))
        return true;
    if (needed > INSTANCE_TEXT_BYTES_MAX)
        return false;
    while (size < needed)
        size *= 2;
    if (size > INSTANCE_TEXT_BYTES_MAX)
        size = INSTANCE_TEXT_BYTES_MAX;
    grown = realloc(slot->more, size);
    if (grown == NULL)
        return false;
    if (slot->more == NULL)
        memcpy(grown, slot->text, slot->len);
    slot->more = grown;
    slot->size = (uint16_t)size;
    return true;
}

static void note(struct slot *slot, const char *recipient)
{
    size_t len = strlen(recipient) + 1;
    char *text;

    if (has(slot, recipient))
        return;
    if (slot->count == INSTANCE_RECIPIENTS_MAX || !reserve(slot, len)) {
        slot->incomplete = true;
        return;
    }
    text = slot->more != NULL ? slot->more : slot->text;
    memcpy(text + slot->len, recipient, len);
    slot->len = (uint16_t)(slot->len + len);
    slot->count++;
}

void instance_add(struct instances *instances, const char *instance,
                  const char *recipient, int64_t now_ms)
{
    struct shard *shard = NULL;
    struct slot *slot;
    uint64_t hash = 0;

    if (!choose(instances, instance, &hash, &shard))
        return;
    (void)pthread_mutex_lock(&shard->lock);
    slot = find(instances, shard, hash, instance, now_ms);
    if (slot == NULL)
        slot = take(instances, shard, hash, instance, now_ms);
    slot->seen++;
    if (recipient != NULL)
        note(slot, recipient);
    (void)pthread_mutex_unlock(&shard->lock);
}

void instance_find(struct instances *instances, const char *instance,
                   int64_t now_ms, struct instance_recipients *recipients_r)
{
    struct instance_recipients found = {.count = 0};
    struct shard *shard = NULL;
    const struct slot *slot;
    uint64_t hash = 0;

    *recipients_r = found;
    if (!choose(instances, instance, &hash, &shard))
        return;
    (void)pthread_mutex_lock(&shard->lock);
    slot = find(instances, shard, hash, instance, now_ms);
    if (slot != NULL && slot->len > 0)
        found.text = malloc(slot->len);
    if (found.text != NULL) {
        memcpy(found.text, text_of(slot), slot->len);
        found.count = slot->count;
        found.seen = slot->seen;
        found.incomplete = slot->incomplete;
        *recipients_r = found;
    }
    (void)pthread_mutex_unlock(&shard->lock);
}

void instance_recipients_clear(struct instance_recipients *recipients)
{
    free(recipients->text);
    *recipients = (struct instance_recipients){0};
}

void instance_end(struct instances *instances, const char *instance)
{
    struct shard *shard = NULL;
    struct slot *slot;
    uint64_t hash = 0;

    if (!choose(instances, instance, &hash, &shard))
        return;
    (void)pthread_mutex_lock(&shard->lock);
    slot = find(instances, shard, hash, instance, INT64_MIN);
    if (slot != NULL)
        slot->ended = true;
    (void)pthread_mutex_unlock(&shard->lock);
}

void instances_stats(struct instances *instances,
                     struct instance_stats *stats_r)
{
    *stats_r = (struct instance_stats){0};
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &instances->shards[i];

        (void)pthread_mutex_lock(&shard->lock);
        stats_r->instances += shard->used;
        stats_r->forgotten += shard->forgotten;
        (void)pthread_mutex_unlock(&shard->lock);
    }
}
