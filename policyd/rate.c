/* rate - see rate.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "rate.h"

#include "rate_private.h"

#include <string.h>

/* The limits of one message that are set, and where their counters are. */
struct asked {
    struct rate_key keys[RATE_KIND_COUNT];
    struct rate_shard *shards[RATE_KIND_COUNT]; /* NULL: unlimited */
    struct rate_counter *counters[RATE_KIND_COUNT];
};

static bool is_of_domain(enum rate_kind kind)
{
    return kind == RATE_DOMAIN_MESSAGES || kind == RATE_DOMAIN_RECIPIENTS;
}

static bool is_of_recipients(enum rate_kind kind)
{
    return kind == RATE_MAILBOX_RECIPIENTS || kind == RATE_DOMAIN_RECIPIENTS;
}

/* Finds the shards of all limits that are set. False: a subject is none. */
static bool ask(struct rates *rates, const struct rate_limits *limits,
                struct asked *asked)
{
    for (unsigned i = 0; i < RATE_KIND_COUNT; i++) {
        bool of_domain = is_of_domain((enum rate_kind)i);

        asked->shards[i] = NULL;
        asked->counters[i] = NULL;
        if (limits->rates[i].count == 0 || limits->rates[i].seconds == 0 ||
            (of_domain && limits->domain == NULL))
            continue;
        if (!rate_key_make(&asked->keys[i], (enum rate_kind)i,
                           of_domain ? limits->domain : limits->login))
            return false;
        asked->shards[i] = rate_shard_of(rates, &asked->keys[i]);
    }
    return true;
}

/* The two shards of a message, the lower one first; both may be NULL. */
static void shards_of(const struct asked *asked, struct rate_shard *shards[2])
{
    shards[0] = NULL;
    shards[1] = NULL;
    for (unsigned i = 0; i < RATE_KIND_COUNT; i++) {
        struct rate_shard *shard = asked->shards[i];

        if (shard == NULL || shard == shards[0] || shard == shards[1])
            continue;
        if (shards[0] == NULL) {
            shards[0] = shard;
        } else if (shard < shards[0]) {
            shards[1] = shards[0];
            shards[0] = shard;
        } else {
            shards[1] = shard;
        }
    }
}

/* Always in one order, so that two messages never wait for each other. */
static void lock(struct rate_shard *const shards[2])
{
    for (unsigned i = 0; i < 2; i++) {
        if (shards[i] != NULL)
            (void)pthread_mutex_lock(&shards[i]->lock);
    }
}

static void unlock(struct rate_shard *const shards[2])
{
    for (unsigned i = 0; i < 2; i++) {
        if (shards[i] != NULL)
            (void)pthread_mutex_unlock(&shards[i]->lock);
    }
}

/* Fills in a refusal. */
static void refuse(struct rate_counter *counter, enum rate_kind kind,
                   struct rate rate, uint64_t used, int64_t at_ms,
                   struct rate_verdict *verdict_r)
{
    *verdict_r = (struct rate_verdict){
        .refused = true,
        .kind = kind,
        .rate = rate,
        .used = used,
        .first = counter == NULL || at_ms >= counter->told_until_ms,
    };
}

void rate_check(struct rates *rates, const struct rate_limits *limits,
                int64_t now_ms, struct rate_verdict *verdict_r)
{
    struct asked asked;
    struct rate_shard *shards[2];

    *verdict_r = (struct rate_verdict){.refused = false};
    if (!ask(rates, limits, &asked))
        return;
    shards_of(&asked, shards);
    lock(shards);
    for (unsigned i = 0; i < RATE_KIND_COUNT && !verdict_r->refused; i++) {
        struct rate_shard *shard = asked.shards[i];
        struct rate_counter *counter =
            shard != NULL ? rate_find(shard, &asked.keys[i]) : NULL;
        struct rate rate = limits->rates[i];
        uint64_t used;

        if (counter == NULL)
            continue;
        rate_set_period(shard, counter, rate.seconds,
                        now_ms + shard->offset_ms);
        counter->limit = rate.count;
        used = rate_sum(counter, now_ms + shard->offset_ms);
        if (used >= rate.count)
            refuse(counter, (enum rate_kind)i, rate, used,
                   now_ms + shard->offset_ms, verdict_r);
    }
    unlock(shards);
}

bool rate_told(struct rates *rates, const struct rate_limits *limits,
               const struct rate_verdict *verdict, int64_t now_ms)
{
    struct rate_counter *counter;
    struct rate_shard *shard;
    struct asked asked;
    bool first = true;

    if (!verdict->refused || !ask(rates, limits, &asked))
        return false;
    shard = asked.shards[verdict->kind];
    if (shard == NULL)
        return false;
    (void)pthread_mutex_lock(&shard->lock);
    counter = rate_find(shard, &asked.keys[verdict->kind]);
    if (counter != NULL) {
        int64_t at_ms = now_ms + shard->offset_ms;

        first = at_ms >= counter->told_until_ms;
        if (first)
            counter->told_until_ms =
                at_ms + (int64_t)verdict->rate.seconds * 1000;
    }
    (void)pthread_mutex_unlock(&shard->lock);
    return first;
}

/* Finds or makes all counters of a message, and holds them. */
static enum status take_all(struct rates *rates,
                            const struct rate_limits *limits, int64_t now_ms,
                            struct asked *asked, struct errtext *err)
{
    for (unsigned i = 0; i < RATE_KIND_COUNT; i++) {
        struct rate_shard *shard = asked->shards[i];
        enum status status;

        if (shard == NULL)
            continue;
        status =
            rate_take(rates, shard, &asked->keys[i], limits->rates[i].seconds,
                      now_ms + shard->offset_ms, &asked->counters[i], err);
        if (status != STATUS_OK)
            return status;
        asked->counters[i]->limit = limits->rates[i].count;
        asked->counters[i]->held = true;
    }
    return STATUS_OK;
}

/* Looks whether all limits leave room for the message. */
static void judge(const struct rate_limits *limits, uint32_t recipients,
                  int64_t now_ms, const struct asked *asked,
                  struct rate_verdict *verdict_r)
{
    for (unsigned i = 0; i < RATE_KIND_COUNT; i++) {
        struct rate_counter *counter = asked->counters[i];
        struct rate rate = limits->rates[i];
        uint32_t amount = is_of_recipients((enum rate_kind)i) ? recipients : 1;
        int64_t at_ms;
        uint64_t used;

        if (counter == NULL)
            continue;
        at_ms = now_ms + asked->shards[i]->offset_ms;
        used = rate_sum(counter, at_ms);
        if (used + amount <= rate.count)
            continue;
        refuse(counter, (enum rate_kind)i, rate, used, at_ms, verdict_r);
        return;
    }
}

static void charge_all(uint32_t recipients, const struct asked *asked)
{
    for (unsigned i = 0; i < RATE_KIND_COUNT; i++) {
        struct rate_counter *counter = asked->counters[i];

        if (counter == NULL)
            continue;
        counter->fresh = false;
        rate_window_add(&counter->window,
                        is_of_recipients((enum rate_kind)i) ? recipients : 1);
        rate_queue(asked->shards[i], counter);
    }
}

enum status rate_charge(struct rates *rates, const struct rate_limits *limits,
                        uint32_t recipients, int64_t now_ms,
                        struct rate_verdict *verdict_r, struct errtext *err)
{
    struct rate_verdict verdict = {.refused = false};
    struct asked asked;
    struct rate_shard *shards[2];
    enum status status;

    if (!ask(rates, limits, &asked)) {
        errtext_set(err, "a name that is counted has 1 to %d bytes",
                    RATE_SUBJECT_BYTES_MAX);
        return STATUS_INVALID;
    }
    shards_of(&asked, shards);
    lock(shards);
    status = take_all(rates, limits, now_ms, &asked, err);
    if (status == STATUS_OK) {
        judge(limits, recipients, now_ms, &asked, &verdict);
        if (!verdict.refused)
            charge_all(recipients, &asked);
        *verdict_r = verdict;
    }
    for (unsigned i = 0; i < RATE_KIND_COUNT; i++) {
        if (asked.counters[i] != NULL)
            asked.counters[i]->held = false;
    }
    unlock(shards);
    return status;
}

uint64_t rate_used(struct rates *rates, enum rate_kind kind,
                   const char *subject, struct rate rate, int64_t now_ms)
{
    struct rate_key key;
    struct rate_shard *shard;
    struct rate_counter *counter;
    uint64_t used = 0;

    if (rate.seconds == 0 || !rate_key_make(&key, kind, subject))
        return 0;
    shard = rate_shard_of(rates, &key);
    (void)pthread_mutex_lock(&shard->lock);
    counter = rate_find(shard, &key);
    if (counter != NULL) {
        rate_set_period(shard, counter, rate.seconds,
                        now_ms + shard->offset_ms);
        used = rate_sum(counter, now_ms + shard->offset_ms);
    }
    (void)pthread_mutex_unlock(&shard->lock);
    return used;
}
