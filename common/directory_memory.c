/* directory_memory - see directory_memory.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_memory.h"

#include "directory_entry.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define LISTS 3
#define BUCKETS_MAX (1U << 20)

/*
 * One remembered entry. text holds, each terminated: login, dn, name, id and
 * quota as far as there are any, then the lists' values.
 */
struct remembered {
    TAILQ_ENTRY(remembered) age; /* all live equally long: oldest first */
    struct remembered *chain;    /* next in the same bucket */
    int64_t expires_ms;
    uint32_t hash;
    uint16_t counts[LISTS];
    bool disabled;
    bool has_id;
    bool has_quota;
    char text[];
};

TAILQ_HEAD(age_queue, remembered);

struct directory_memory {
    pthread_mutex_t lock;
    int64_t ttl_ms;
    size_t max;
    size_t count;
    struct age_queue queue;
    uint32_t mask;
    struct remembered **buckets;
};

/* FNV-1a; only names that a directory knows get here, so nobody can flood. */
static uint32_t hash_of(const char *text)
{
    uint32_t hash = 2166136261U;

    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619U;
    return hash;
}

enum status directory_memory_new(int64_t ttl_ms, unsigned max,
                                 struct directory_memory **memory_r,
                                 struct errtext *err)
{
    struct directory_memory *memory = calloc(1, sizeof(*memory));
    uint32_t buckets = 1;

    if (memory == NULL)
        return status_no_memory(err);
    memory->ttl_ms = ttl_ms;
    memory->max = ttl_ms > 0 ? max : 0;
    while (buckets < memory->max && buckets < BUCKETS_MAX)
        buckets *= 2;
    memory->mask = buckets - 1;
    memory->buckets = calloc(buckets, sizeof(struct remembered *));
    TAILQ_INIT(&memory->queue);
    if (memory->buckets == NULL ||
        pthread_mutex_init(&memory->lock, NULL) != 0) {
        free(memory->buckets);
        free(memory);
        return status_no_memory(err);
    }
    *memory_r = memory;
    return STATUS_OK;
}

static struct remembered **bucket_of(struct directory_memory *memory,
                                     uint32_t hash)
{
    return &memory->buckets[hash & memory->mask];
}

static void drop(struct directory_memory *memory, struct remembered *item)
{
    struct remembered **link = bucket_of(memory, item->hash);

    while (*link != item)
        link = &(*link)->chain;
    *link = item->chain;
    TAILQ_REMOVE(&memory->queue, item, age);
    memory->count--;
    free(item);
}

static void drop_expired(struct directory_memory *memory, int64_t now_ms)
{
    struct remembered *oldest;

    while ((oldest = TAILQ_FIRST(&memory->queue)) != NULL &&
           oldest->expires_ms <= now_ms)
        drop(memory, oldest);
}

static struct remembered *look(struct directory_memory *memory,
                               const char *login)
{
    uint32_t hash = hash_of(login);
    struct remembered *item = *bucket_of(memory, hash);

    while (item != NULL &&
           (item->hash != hash || strcmp(item->text, login) != 0))
        item = item->chain;
    return item;
}

void directory_memory_free(struct directory_memory **memory)
{
    if (*memory == NULL)
        return;
    (void)directory_memory_forget(*memory, NULL);
    (void)pthread_mutex_destroy(&(*memory)->lock);
    free((*memory)->buckets);
    free(*memory);
    *memory = NULL;
}

/* Where packing or unpacking stands; at NULL only counts. */
struct tape {
    char *at;
    size_t len;
};

static void pack(struct tape *tape, const char *text)
{
    size_t len = strlen(text) + 1;

    if (tape->at != NULL)
        memcpy(tape->at + tape->len, text, len);
    tape->len += len;
}

static void pack_list(struct tape *tape, const struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        pack(tape, list->items[i]);
}

static void pack_entry(struct tape *tape, const char *login,
                       const struct directory_entry *entry)
{
    pack(tape, login);
    pack(tape, entry->dn);
    pack(tape, entry->name);
    if (entry->id != NULL)
        pack(tape, entry->id);
    if (entry->quota != NULL)
        pack(tape, entry->quota);
    pack_list(tape, &entry->usernames);
    pack_list(tape, &entry->values);
    pack_list(tape, &entry->aliases);
}

static struct remembered *make(const char *login,
                               const struct directory_entry *entry)
{
    struct tape tape = {.at = NULL};
    struct remembered *item;

    pack_entry(&tape, login, entry);
    if (tape.len > DIRECTORY_REMEMBERED_BYTES_MAX)
        return NULL;
    item = malloc(sizeof(*item) + tape.len);
    if (item == NULL)
        return NULL;
    tape.at = item->text;
    tape.len = 0;
    pack_entry(&tape, login, entry);
    item->hash = hash_of(login);
    item->counts[0] = (uint16_t)entry->usernames.count;
    item->counts[1] = (uint16_t)entry->values.count;
    item->counts[2] = (uint16_t)entry->aliases.count;
    item->disabled = entry->disabled;
    item->has_id = entry->id != NULL;
    item->has_quota = entry->quota != NULL;
    return item;
}

void directory_memory_keep(struct directory_memory *memory, const char *login,
                           const struct directory_entry *entry, int64_t now_ms)
{
    struct remembered *item;
    struct remembered *old;

    if (memory->max == 0)
        return;
    item = make(login, entry);
    (void)pthread_mutex_lock(&memory->lock);
    drop_expired(memory, now_ms);
    old = look(memory, login);
    if (old != NULL)
        drop(memory, old);
    if (item != NULL) {
        if (memory->count == memory->max)
            drop(memory, TAILQ_FIRST(&memory->queue));
        item->expires_ms = now_ms + memory->ttl_ms;
        item->chain = *bucket_of(memory, item->hash);
        *bucket_of(memory, item->hash) = item;
        TAILQ_INSERT_TAIL(&memory->queue, item, age);
        memory->count++;
    }
    (void)pthread_mutex_unlock(&memory->lock);
}

static char *unpack(const char **at)
{
    const char *text = *at;

    *at += strlen(text) + 1;
    return strdup(text);
}

/* Returns false without memory; what was made is in the list. */
static bool unpack_list(const char **at, size_t count, struct text_list *list)
{
    if (count == 0)
        return true;
    list->items = calloc(count, sizeof(*list->items));
    if (list->items == NULL)
        return false;
    for (; list->count < count; list->count++) {
        list->items[list->count] = unpack(at);
        if (list->items[list->count] == NULL)
            return false;
    }
    return true;
}

static bool unpack_entry(const struct remembered *item,
                         struct directory_entry *entry)
{
    const char *at = item->text + strlen(item->text) + 1;

    entry->disabled = item->disabled;
    entry->dn = unpack(&at);
    entry->name = unpack(&at);
    if (item->has_id)
        entry->id = unpack(&at);
    if (item->has_quota)
        entry->quota = unpack(&at);
    return entry->dn != NULL && entry->name != NULL &&
           (entry->id != NULL) == item->has_id &&
           (entry->quota != NULL) == item->has_quota &&
           unpack_list(&at, item->counts[0], &entry->usernames) &&
           unpack_list(&at, item->counts[1], &entry->values) &&
           unpack_list(&at, item->counts[2], &entry->aliases);
}

bool directory_memory_find(struct directory_memory *memory, const char *login,
                           int64_t now_ms, struct directory_entry *entry_r)
{
    struct directory_entry entry = {.dn = NULL};
    const struct remembered *item;
    bool found = false;

    if (memory->max == 0)
        return false;
    (void)pthread_mutex_lock(&memory->lock);
    item = look(memory, login);
    if (item != NULL && item->expires_ms > now_ms)
        found = unpack_entry(item, &entry);
    (void)pthread_mutex_unlock(&memory->lock);
    if (found)
        *entry_r = entry;
    else
        directory_entry_clear(&entry);
    return found;
}

size_t directory_memory_forget(struct directory_memory *memory,
                               const char *login)
{
    size_t gone = 0;
    struct remembered *item;

    (void)pthread_mutex_lock(&memory->lock);
    if (login != NULL) {
        item = look(memory, login);
        if (item != NULL) {
            drop(memory, item);
            gone = 1;
        }
    } else {
        gone = memory->count;
        while ((item = TAILQ_FIRST(&memory->queue)) != NULL)
            drop(memory, item);
    }
    (void)pthread_mutex_unlock(&memory->lock);
    return gone;
}

size_t directory_memory_count(struct directory_memory *memory)
{
    size_t count;

    (void)pthread_mutex_lock(&memory->lock);
    count = memory->count;
    (void)pthread_mutex_unlock(&memory->lock);
    return count;
}
