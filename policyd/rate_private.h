/*
 * rate_private - the counters as the rooms of rate.h share them
 *
 * For rate*.c alone. A counter belongs to the shard its subject falls into,
 * and is touched under that shard's lock only. Times in here are those of the
 * shard: clock_ms() and the shard's offset.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_RATE_PRIVATE_H
#define POLICYD_RATE_PRIVATE_H

#include "rate.h"
#include "rate_window.h"

#include <pthread.h>
#include <stdatomic.h>

/* Without memory a charge is not counted; uthash would end the process. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

/* Chains of ten are ten counters read from memory to find one. */
#undef HASH_BKT_CAPACITY_THRESH
#define HASH_BKT_CAPACITY_THRESH 5U

#define RATE_SHARDS_MAX 32

/* A kind and a subject, as the table's key: one byte and the text, no NUL. */
struct rate_key {
    unsigned len;
    unsigned hash;
    char bytes[1 + RATE_SUBJECT_BYTES_MAX];
};

/* What one other node, or this one before its restart, has counted. */
struct rate_peer {
    struct rate_peer *next;
    unsigned node;
    struct rate_window window;
};

/* In the order that a look-up reads the fewest lines of memory. */
struct rate_counter {
    struct rate_window window;
    struct rate_counter *next_unsaved;
    int64_t told_until_ms; /* a refusal before this is not the first */
    struct rate_peer *peers;
    bool queued;    /* it is in the list of unsaved ones */
    bool held;      /* by the charge that runs now: not to be forgotten */
    bool fresh;     /* read back, and not charged since */
    uint32_t limit; /* as last asked; 0: not known yet */
    UT_hash_handle hh;
    uint16_t key_len;
    char key[]; /* of struct rate_key, and a NUL */
};

struct rate_shard {
    pthread_mutex_t lock;
    struct rate_counter *counters;
    struct rate_counter *unsaved;
    int64_t offset_ms;
};

struct rates {
    size_t counters_max;
    atomic_size_t count;
    atomic_uint_fast64_t forgotten;
    atomic_uint_fast64_t full;
    unsigned shard_count;
    struct rate_shard shards[RATE_SHARDS_MAX];
};

/* Makes the key; false for a subject that is empty or too long. */
bool rate_key_make(struct rate_key *key, enum rate_kind kind,
                   const char *subject);

/* The shard of a key; the kind does not matter. */
struct rate_shard *rate_shard_of(struct rates *rates,
                                 const struct rate_key *key);

enum rate_kind rate_counter_kind(const struct rate_counter *counter);
const char *rate_counter_subject(const struct rate_counter *counter);

/* Finds a counter, or returns NULL. */
struct rate_counter *rate_find(const struct rate_shard *shard,
                               const struct rate_key *key);

/*
 * Finds or makes a counter of that period; makes room by the rule of rate.h.
 * STATUS_OK, or STATUS_TEMPFAIL: no memory, or no room.
 */
enum status rate_take(struct rates *rates, struct rate_shard *shard,
                      const struct rate_key *key, uint32_t seconds,
                      int64_t at_ms, struct rate_counter **counter_r,
                      struct errtext *err) MUST_CHECK;

/* Forgets what is too old in the counter and its peers; returns the sum. */
uint64_t rate_sum(struct rate_counter *counter, int64_t at_ms);

/* Gives the counter that period, if it has another. */
void rate_set_period(struct rate_shard *shard, struct rate_counter *counter,
                     uint32_t seconds, int64_t at_ms);

/* Notes that the counter has something to be written. */
void rate_queue(struct rate_shard *shard, struct rate_counter *counter);

void rate_counter_free(struct rate_counter **counter);

#endif
