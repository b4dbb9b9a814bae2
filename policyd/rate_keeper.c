/* rate_keeper - see rate_keeper.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "rate_keeper.h"

#include "rate_event.h"
#include "rate_rows.h"

#include "clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MS 2000 /* how long one question to the store may take */
#define PRUNE_MS 30000
#define PRUNE_TIMES_MAX 4 /* of 500 rows, a round */
#define NOTICE_SECONDS 60

/* A node whose rows are read. Its place in the list is its number. */
struct node {
    char name[STORE_RATE_NODE_SIZE];
    uint64_t batch; /* the last one that was read whole */
};

struct rate_keeper {
    char node[STORE_RATE_NODE_SIZE];
    int64_t flush_ms;
    bool share;
    struct store *store;
    struct log *log;
    struct rates *rates;
    struct rate_events *events;
    atomic_uint_fast64_t rows_written;
    atomic_uint_fast64_t flushes_failed;
    atomic_bool restored;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping; /* under the lock */
    /* The rest belongs to who runs a round. */
    bool aligned;
    uint64_t batch; /* of the next write */
    uint64_t rename_id;
    uint64_t forgotten; /* as last told */
    int64_t next_prune_ms;
    struct node nodes[STORE_RATE_NODES_MAX];
    unsigned node_count;
    struct store_rate_node found[STORE_RATE_NODES_MAX];
    struct store_rate_rename renames[STORE_RATE_RENAMES_MAX];
    struct store_rate_row rows[STORE_RATE_ROWS_MAX + 1];
};

/* Names this node; a host's name that is too long is cut. */
static void name_node(struct rate_keeper *keeper, const char *name)
{
    if (name[0] != '\0')
        (void)snprintf(keeper->node, sizeof(keeper->node), "%s", name);
    else if (gethostname(keeper->node, sizeof(keeper->node)) != 0)
        (void)snprintf(keeper->node, sizeof(keeper->node), "localhost");
    keeper->node[sizeof(keeper->node) - 1] = '\0';
}

enum status rate_keeper_new(const struct rate_keeper_settings *set,
                            struct store *store, struct log *log,
                            struct rate_keeper **keeper_r, struct errtext *err)
{
    struct rate_keeper *keeper = calloc(1, sizeof(*keeper));
    pthread_condattr_t monotonic;

    if (keeper == NULL)
        return status_no_memory(err);
    keeper->events = rate_events_new();
    if (keeper->events == NULL ||
        rates_new(set->counters_max, &keeper->rates, err) != STATUS_OK) {
        rate_events_free(&keeper->events);
        free(keeper);
        return status_no_memory(err);
    }
    name_node(keeper, set->node);
    keeper->flush_ms = set->flush_ms;
    keeper->share = set->share;
    keeper->store = store;
    keeper->log = log;
    /* Until the store says better; after that the wall counts no more. */
    rates_align(keeper->rates, clock_wall_seconds() * 1000 - clock_ms(),
                clock_ms());
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&keeper->lock, NULL);
    (void)pthread_cond_init(&keeper->wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    *keeper_r = keeper;
    return STATUS_OK;
}

/* Learns the store's UTC, once. */
static enum status align(struct rate_keeper *keeper, int64_t deadline_ms,
                         struct errtext *err)
{
    int64_t asked_ms = clock_ms();
    int64_t utc_ms = 0;
    enum status status =
        store_rate_clock(keeper->store, deadline_ms, &utc_ms, err);
    int64_t now_ms = clock_ms();

    if (status != STATUS_OK)
        return status;
    /* The answer was given somewhere between the two. */
    rates_align(keeper->rates, utc_ms - asked_ms - (now_ms - asked_ms) / 2,
                now_ms);
    keeper->batch = (uint64_t)utc_ms;
    keeper->aligned = true;
    return STATUS_OK;
}

/* The number of a node, or STORE_RATE_NODES_MAX when there are too many. */
static unsigned number_of(struct rate_keeper *keeper, const char *name)
{
    unsigned i = 0;

    while (i < keeper->node_count && strcmp(keeper->nodes[i].name, name) != 0)
        i++;
    if (i == keeper->node_count && i < STORE_RATE_NODES_MAX) {
        (void)snprintf(keeper->nodes[i].name, sizeof(keeper->nodes[i].name),
                       "%s", name);
        keeper->nodes[i].batch = 0;
        keeper->node_count++;
    }
    return i;
}

/* Reads what a node wrote since the last time, page by page. */
static enum status read_node(struct rate_keeper *keeper, unsigned number,
                             int64_t deadline_ms, struct errtext *err)
{
    struct node *node = &keeper->nodes[number];
    size_t count = STORE_RATE_ROWS_MAX + 1;

    while (count > STORE_RATE_ROWS_MAX) {
        uint64_t last;
        enum status status =
            store_rate_read(keeper->store, node->name, node->batch, deadline_ms,
                            keeper->rows, &count, err);

        if (status != STATUS_OK)
            return status;
        if (count == 0)
            return STATUS_OK;
        if (!rates_put(keeper->rates,
                       strcmp(node->name, keeper->node) == 0 ? RATES_SELF
                                                             : number,
                       keeper->rows, count, clock_ms()))
            log_line_limited(keeper->log, LOG_LEVEL_WARNING, "rate_room",
                             NOTICE_SECONDS,
                             "no room for counters of the store, raise "
                             "policy.rate_max",
                             NULL, 0);
        last = keeper->rows[count - 1].batch;
        /* A batch that may go on is read again; as we write them, it fits. */
        if (count > STORE_RATE_ROWS_MAX && last > node->batch + 1)
            last--;
        node->batch = last;
    }
    return STATUS_OK;
}

/* Reads what the others wrote. */
static enum status read_others(struct rate_keeper *keeper, int64_t deadline_ms,
                               struct errtext *err)
{
    size_t count = 0;
    enum status status = store_rate_nodes(keeper->store, deadline_ms,
                                          keeper->found, &count, err);

    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        const struct store_rate_node *found = &keeper->found[i];
        unsigned number;

        if (strcmp(found->name, keeper->node) == 0)
            continue;
        number = number_of(keeper, found->name);
        if (number == STORE_RATE_NODES_MAX) {
            log_line_limited(
                keeper->log, LOG_LEVEL_WARNING, "rate_nodes", NOTICE_SECONDS,
                "too many nodes share rates, some are not read", NULL, 0);
            break;
        }
        if (found->batch > keeper->nodes[number].batch)
            status = read_node(keeper, number, deadline_ms, err);
    }
    return status;
}

/* Reads back what this node wrote before it was started. */
static enum status restore(struct rate_keeper *keeper, int64_t deadline_ms,
                           struct errtext *err)
{
    unsigned number = number_of(keeper, keeper->node);
    enum status status = read_node(keeper, number, deadline_ms, err);

    if (status != STATUS_OK)
        return status;
    rates_adopt(keeper->rates, clock_ms());
    /* The store's clock may have been ahead when they were written. */
    if (keeper->batch <= keeper->nodes[number].batch)
        keeper->batch = keeper->nodes[number].batch + 1;
    atomic_store(&keeper->restored, true);
    return STATUS_OK;
}

/*
 * Writes what was charged up to now. What is charged meanwhile waits for the
 * next round: under a load there would be something at each look.
 */
static enum status write_rows(struct rate_keeper *keeper, int64_t deadline_ms,
                              struct errtext *err)
{
    size_t count = STORE_RATE_ROWS_MAX;

    while (count == STORE_RATE_ROWS_MAX) {
        enum status status = STATUS_OK;

        count = rates_collect(keeper->rates, keeper->rows, STORE_RATE_ROWS_MAX,
                              clock_ms());
        if (count > 0)
            status =
                store_rate_write(keeper->store, keeper->node, keeper->batch,
                                 keeper->rows, count, deadline_ms, err);
        if (status != STATUS_OK) {
            rates_uncollect(keeper->rates, keeper->rows, count);
            return status;
        }
        keeper->batch++;
        (void)atomic_fetch_add(&keeper->rows_written, count);
    }
    return STATUS_OK;
}

static enum status follow_renames(struct rate_keeper *keeper,
                                  int64_t deadline_ms, struct errtext *err)
{
    size_t count = STORE_RATE_RENAMES_MAX;

    while (count == STORE_RATE_RENAMES_MAX) {
        enum status status =
            store_rate_renames(keeper->store, keeper->rename_id, deadline_ms,
                               keeper->renames, &count, err);

        if (status != STATUS_OK)
            return status;
        for (size_t i = 0; i < count; i++) {
            const struct store_rate_rename *rename = &keeper->renames[i];

            rates_rename(keeper->rates, rename->from, rename->to, clock_ms());
            keeper->rename_id = rename->id;
        }
    }
    return STATUS_OK;
}

static enum status prune(struct rate_keeper *keeper, int64_t deadline_ms,
                         struct errtext *err)
{
    uint64_t removed = STORE_RATE_ROWS_MAX;
    enum status status = STATUS_OK;

    if (clock_ms() < keeper->next_prune_ms)
        return STATUS_OK;
    for (unsigned i = 0; i < PRUNE_TIMES_MAX && status == STATUS_OK &&
                         removed == STORE_RATE_ROWS_MAX;
         i++)
        status = store_rate_prune(keeper->store, keeper->node, deadline_ms,
                                  &removed, err);
    if (status == STATUS_OK && removed < STORE_RATE_ROWS_MAX)
        keeper->next_prune_ms = clock_ms() + PRUNE_MS;
    return status;
}

/* Everything once, in an order that forgets nothing. */
static enum status do_round(struct rate_keeper *keeper, int64_t deadline_ms,
                            struct errtext *err)
{
    enum status status = STATUS_OK;

    if (!keeper->aligned)
        status = align(keeper, deadline_ms, err);
    /* Before the first write, which would take the place of what is there. */
    if (status == STATUS_OK && !atomic_load(&keeper->restored))
        status = restore(keeper, deadline_ms, err);
    if (status == STATUS_OK)
        status = follow_renames(keeper, deadline_ms, err);
    if (status == STATUS_OK)
        status = write_rows(keeper, deadline_ms, err);
    if (status == STATUS_OK && keeper->share)
        status = read_others(keeper, deadline_ms, err);
    if (status == STATUS_OK)
        status =
            rate_events_write(keeper->events, keeper->store, deadline_ms, err);
    if (status == STATUS_OK)
        status = prune(keeper, deadline_ms, err);
    return status;
}

/* What an administrator should know of: limits that were forgiven. */
static void tell_forgotten(struct rate_keeper *keeper)
{
    struct rate_stats stats;

    rate_stats(keeper->rates, &stats);
    if (stats.forgotten > keeper->forgotten) {
        const struct log_field fields[] = {
            LOG_NUMBER("forgotten",
                       (int64_t)(stats.forgotten - keeper->forgotten)),
            LOG_NUMBER("counters", (int64_t)stats.counters),
        };

        log_line_limited(keeper->log, LOG_LEVEL_WARNING, "rate_forgotten",
                         NOTICE_SECONDS,
                         "counters below their limit made room for others, "
                         "raise policy.rate_max",
                         fields, ARRAY_SIZE(fields));
    }
    keeper->forgotten = stats.forgotten;
}

static void run_round(struct rate_keeper *keeper, int64_t deadline_ms)
{
    struct errtext err = {{0}};

    if (do_round(keeper, deadline_ms, &err) != STATUS_OK) {
        const struct log_field fields[] = {LOG_TEXT("error", err.text)};

        (void)atomic_fetch_add(&keeper->flushes_failed, 1);
        log_line_limited(
            keeper->log, LOG_LEVEL_WARNING, "rate_flush", NOTICE_SECONDS,
            "rates are counted in memory alone, trying again", fields, 1);
    }
    tell_forgotten(keeper);
}

/*
 * Waits for the next round; false: it is time to stop. Nodes that share have
 * two an interval: what one writes, another reads within the interval.
 */
static bool wait_round(struct rate_keeper *keeper)
{
    int64_t until_ms =
        clock_ms() + (keeper->share ? keeper->flush_ms / 2 : keeper->flush_ms);
    struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                             .tv_nsec = (long)(until_ms % 1000) * 1000000};
    int rc = 0;
    bool go_on;

    (void)pthread_mutex_lock(&keeper->lock);
    while (!keeper->stopping && rc == 0)
        rc = pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until);
    go_on = !keeper->stopping;
    (void)pthread_mutex_unlock(&keeper->lock);
    return go_on;
}

static void *keeper_main(void *argument)
{
    struct rate_keeper *keeper = argument;

    while (wait_round(keeper))
        run_round(keeper, clock_ms() + ANSWER_MS);
    run_round(keeper, clock_ms() + ANSWER_MS);
    return NULL;
}

enum status rate_keeper_start(struct rate_keeper *keeper, int64_t deadline_ms,
                              struct errtext *err)
{
    run_round(keeper, deadline_ms);
    if (pthread_create(&keeper->thread, NULL, keeper_main, keeper) != 0) {
        errtext_set(err, "no thread for the rates");
        return STATUS_TEMPFAIL;
    }
    keeper->started = true;
    return STATUS_OK;
}

void rate_keeper_stop(struct rate_keeper *keeper)
{
    if (!keeper->started)
        return;
    (void)pthread_mutex_lock(&keeper->lock);
    keeper->stopping = true;
    (void)pthread_cond_signal(&keeper->wake);
    (void)pthread_mutex_unlock(&keeper->lock);
    (void)pthread_join(keeper->thread, NULL);
    keeper->started = false;
}

void rate_keeper_free(struct rate_keeper **keeper)
{
    if (*keeper == NULL)
        return;
    rates_free(&(*keeper)->rates);
    rate_events_free(&(*keeper)->events);
    (void)pthread_cond_destroy(&(*keeper)->wake);
    (void)pthread_mutex_destroy(&(*keeper)->lock);
    free(*keeper);
    *keeper = NULL;
}

struct rates *rate_keeper_rates(struct rate_keeper *keeper)
{
    return keeper->rates;
}

void rate_keeper_refused(struct rate_keeper *keeper,
                         const struct rate_limits *limits,
                         const struct rate_verdict *verdict)
{
    if (rate_told(keeper->rates, limits, verdict, clock_ms()))
        rate_events_add(keeper->events, limits, verdict);
}

void rate_keeper_stats(struct rate_keeper *keeper,
                       struct rate_keeper_stats *stats_r)
{
    struct rate_keeper_stats stats = {
        .rows_written = atomic_load(&keeper->rows_written),
        .flushes_failed = atomic_load(&keeper->flushes_failed),
        .events_dropped = rate_events_dropped(keeper->events),
        .restored = atomic_load(&keeper->restored),
    };

    rate_stats(keeper->rates, &stats.rates);
    *stats_r = stats;
}
