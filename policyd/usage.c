/* usage - see usage.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "usage.h"

#include "address.h"
#include "clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Without memory a domain is not remembered; uthash would end the process. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define ADD_UP_MS 3000 /* one domain */
#define TOO_OLD_MS 60000

struct sum {
    UT_hash_handle hh;
    struct sum *next; /* in the queue of those to be added up */
    uint64_t bytes;
    int64_t until_ms; /* afterwards it is added up again */
    unsigned waiters;
    unsigned tries; /* so that a waiter sees that one more has failed */
    bool known;
    int64_t known_ms; /* when it was added up */
    bool queued;      /* or being added up */
    char domain[];
};

struct usage {
    int64_t ttl_ms;
    size_t domains_max;
    struct usage_source source;
    pthread_mutex_t lock;
    pthread_cond_t wanted; /* there is a queue, or an end */
    pthread_cond_t added;  /* one sum is there, or failed */
    pthread_t thread;
    struct sum *sums;  /* by domain, the oldest first */
    struct sum *first; /* queue */
    struct sum *last;
    bool ending;
};

static void append(struct usage *usage, struct sum *sum)
{
    if (sum->queued)
        return;
    sum->queued = true;
    sum->next = NULL;
    if (usage->first == NULL)
        usage->first = sum;
    else
        usage->last->next = sum;
    usage->last = sum;
    (void)pthread_cond_signal(&usage->wanted);
}

static void drop(struct usage *usage, struct sum *sum)
{
    HASH_DEL(usage->sums, sum);
    free(sum);
}

/* Makes room; what is asked for now stays. */
static void drop_oldest(struct usage *usage)
{
    struct sum *sum;
    struct sum *next;

    HASH_ITER(hh, usage->sums, sum, next)
    {
        if (!sum->queued && sum->waiters == 0) {
            drop(usage, sum);
            return;
        }
    }
}

/* The sum of a domain, known or not; NULL without memory or room. */
static struct sum *find(struct usage *usage, const char *domain)
{
    size_t len = strlen(domain);
    struct sum *sum = NULL;

    HASH_FIND(hh, usage->sums, domain, len, sum);
    if (sum != NULL)
        return sum;
    if (HASH_COUNT(usage->sums) >= usage->domains_max)
        drop_oldest(usage);
    if (HASH_COUNT(usage->sums) >= usage->domains_max)
        return NULL;
    sum = calloc(1, sizeof(*sum) + len + 1);
    if (sum == NULL)
        return NULL;
    memcpy(sum->domain, domain, len + 1);
    HASH_ADD_KEYPTR(hh, usage->sums, sum->domain, len, sum);
    if (sum->hh.tbl == NULL) {
        free(sum);
        return NULL;
    }
    return sum;
}

/* Adds up one domain; the lock is held before and afterwards. */
static void add_up(struct usage *usage, struct sum *sum)
{
    struct errtext err = {{0}};
    uint64_t bytes = 0;
    enum status status;

    (void)pthread_mutex_unlock(&usage->lock);
    status = usage->source.add_up(usage->source.context, sum->domain,
                                  clock_ms() + ADD_UP_MS, &bytes, &err);
    (void)pthread_mutex_lock(&usage->lock);
    sum->queued = false;
    sum->tries++;
    sum->until_ms = clock_ms() + usage->ttl_ms;
    if (status == STATUS_OK) {
        sum->known = true;
        sum->known_ms = clock_ms();
        sum->bytes = bytes;
    }
    (void)pthread_cond_broadcast(&usage->added);
}

static void *run(void *arg)
{
    struct usage *usage = arg;

    (void)pthread_mutex_lock(&usage->lock);
    while (!usage->ending) {
        struct sum *sum = usage->first;

        if (sum == NULL) {
            (void)pthread_cond_wait(&usage->wanted, &usage->lock);
            continue;
        }
        usage->first = sum->next;
        add_up(usage, sum);
    }
    (void)pthread_mutex_unlock(&usage->lock);
    return NULL;
}

static void free_usage(struct usage **usage)
{
    struct sum *sum;
    struct sum *next;

    HASH_ITER(hh, (*usage)->sums, sum, next)
    {
        drop(*usage, sum);
    }
    (void)pthread_cond_destroy(&(*usage)->added);
    (void)pthread_cond_destroy(&(*usage)->wanted);
    (void)pthread_mutex_destroy(&(*usage)->lock);
    free(*usage);
    *usage = NULL;
}

enum status usage_open(int64_t ttl_ms, size_t domains_max,
                       struct usage_source source, struct usage **usage_r,
                       struct errtext *err)
{
    struct usage *usage = calloc(1, sizeof(*usage));
    pthread_condattr_t monotonic;

    if (usage == NULL || pthread_condattr_init(&monotonic) != 0) {
        free(usage);
        return status_no_memory(err);
    }
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    usage->ttl_ms = ttl_ms;
    usage->domains_max = domains_max;
    usage->source = source;
    (void)pthread_mutex_init(&usage->lock, NULL);
    (void)pthread_cond_init(&usage->wanted, NULL);
    (void)pthread_cond_init(&usage->added, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    if (pthread_create(&usage->thread, NULL, run, usage) != 0) {
        free_usage(&usage);
        errtext_set(err, "cannot start a thread");
        return STATUS_TEMPFAIL;
    }
    *usage_r = usage;
    return STATUS_OK;
}

void usage_close(struct usage **usage)
{
    if (*usage == NULL)
        return;
    (void)pthread_mutex_lock(&(*usage)->lock);
    (*usage)->ending = true;
    (void)pthread_cond_signal(&(*usage)->wanted);
    (void)pthread_mutex_unlock(&(*usage)->lock);
    (void)pthread_join((*usage)->thread, NULL);
    free_usage(usage);
}

/* After so long a sum that could not be refreshed decides nothing any more. */
static int64_t too_old_ms(const struct usage *usage)
{
    return usage->ttl_ms > TOO_OLD_MS / 10 ? 10 * usage->ttl_ms : TOO_OLD_MS;
}

/* Tells what is known; the lock is held. */
static bool tell(struct usage *usage, struct sum *sum, int64_t now_ms,
                 uint64_t *bytes_r)
{
    if (sum == NULL)
        return false;
    if (sum->known && now_ms - sum->known_ms >= too_old_ms(usage))
        sum->known = false;
    if (!sum->known || now_ms >= sum->until_ms)
        append(usage, sum);
    if (sum->known)
        *bytes_r = sum->bytes;
    return sum->known;
}

bool usage_peek(struct usage *usage, const char *domain, int64_t now_ms,
                uint64_t *bytes_r)
{
    bool known;

    (void)pthread_mutex_lock(&usage->lock);
    known = tell(usage, find(usage, domain), now_ms, bytes_r);
    (void)pthread_mutex_unlock(&usage->lock);
    return known;
}

/* Waits for a first sum, or one more failure to get it. */
static void wait_for(struct usage *usage, struct sum *sum, int64_t deadline_ms)
{
    struct timespec until = {
        .tv_sec = (time_t)(deadline_ms / 1000),
        .tv_nsec = (long)(deadline_ms % 1000) * 1000000,
    };
    unsigned tries = sum->tries;
    int rc = 0;

    sum->waiters++;
    while (!sum->known && sum->tries == tries && rc == 0)
        rc = pthread_cond_timedwait(&usage->added, &usage->lock, &until);
    sum->waiters--;
}

enum status usage_get(struct usage *usage, const char *domain,
                      int64_t deadline_ms, uint64_t *bytes_r,
                      struct errtext *err)
{
    struct sum *sum;
    bool known;

    (void)pthread_mutex_lock(&usage->lock);
    sum = find(usage, domain);
    known = tell(usage, sum, clock_ms(), bytes_r);
    if (!known && sum != NULL) {
        wait_for(usage, sum, deadline_ms);
        known = sum->known;
        *bytes_r = known ? sum->bytes : *bytes_r;
    }
    (void)pthread_mutex_unlock(&usage->lock);
    if (known)
        return STATUS_OK;
    errtext_set(err, "the sum of %.200s is not known", domain);
    return STATUS_TEMPFAIL;
}

void usage_flush(struct usage *usage)
{
    struct sum *sum;
    struct sum *next;

    (void)pthread_mutex_lock(&usage->lock);
    HASH_ITER(hh, usage->sums, sum, next)
    {
        sum->known = false;
        if (!sum->queued && sum->waiters == 0)
            drop(usage, sum);
    }
    (void)pthread_mutex_unlock(&usage->lock);
}
