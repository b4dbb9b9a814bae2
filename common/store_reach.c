/* store_reach - see store_private.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_private.h"

#include "clock.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * The client library looks host names up by itself, and that has no deadline.
 * So a connect by name runs in a thread of its own, which its caller may leave
 * behind: the place in the pool stays taken until the thread is done, which
 * bounds their number, and what it connected in the end is used by the next.
 */
struct reach {
    struct store *store;
    int64_t deadline_ms;
    unsigned generation;
    bool done;
    bool abandoned; /* the thread frees it */
    enum status status;
    unsigned error;
    struct errtext err;
    struct store_connection *db;
    pthread_cond_t ended;
};

/* Says whether connecting needs no name service, whichever host it will be. */
static bool are_addresses(const struct store *store)
{
    unsigned char address[sizeof(struct in6_addr)];

    for (size_t i = 0; i < store->host_count; i++) {
        const char *host = store->hosts[i].name;

        if (host != NULL && inet_pton(AF_INET, host, address) != 1 &&
            inet_pton(AF_INET6, host, address) != 1)
            return false;
    }
    return true;
}

/* One connect to one of the hosts, which remembers what came of it. */
static enum status try_host(struct store *store, size_t index,
                            int64_t deadline_ms, struct store_connection **db_r,
                            unsigned *error_r, struct errtext *err)
{
    int64_t began_ms = clock_ms();
    enum status status = store_connect(store->set, store->hosts[index].name,
                                       deadline_ms, db_r, error_r, err);
    int64_t now_ms = clock_ms();
    bool answered = status == STATUS_OK;
    bool in_haste =
        now_ms >= deadline_ms && now_ms - began_ms < STORE_HOST_HASTE_MS;

    (void)pthread_mutex_lock(&store->lock);
    if (answered)
        store_host_answered(&store->hosts[index]);
    else if (!in_haste)
        store_host_failed(&store->hosts[index], now_ms);
    (void)pthread_mutex_unlock(&store->lock);
    if (answered)
        (*db_r)->host = index;
    return status;
}

/* Says which of several hosts failed last. */
static void name_host(const struct store *store, size_t index,
                      struct errtext *err)
{
    struct errtext reason;

    if (store->host_count < 2 || err == NULL)
        return;
    reason = *err;
    errtext_set(err, "none of %zu hosts of the store answers; %.60s: %.150s",
                store->host_count, store->hosts[index].name, reason.text);
}

/*
 * Connects to the first host that answers. A node that is busy with another's
 * state is passed over, and only taken where no other answers.
 */
static enum status connect_any(struct store *store, int64_t deadline_ms,
                               struct store_connection **db_r,
                               unsigned *error_r, struct errtext *err)
{
    size_t order[STORE_HOSTS_MAX];
    bool behind[STORE_HOSTS_MAX] = {false};
    size_t count = store->host_count;
    enum status status = STATUS_TEMPFAIL;

    (void)pthread_mutex_lock(&store->lock);
    store_host_order(store->hosts, count, clock_ms(), order);
    (void)pthread_mutex_unlock(&store->lock);
    for (size_t i = 0; i < count; i++) {
        int64_t until_ms =
            store_host_deadline(clock_ms(), deadline_ms, count - 1 - i);

        status = try_host(store, order[i], until_ms, db_r, error_r, err);
        if (status == STATUS_OK && ((*db_r)->synced || count == 1))
            return status;
        if (status != STATUS_OK)
            continue;
        behind[i] = true;
        store_disconnect(db_r);
    }
    for (size_t i = 0; i < count; i++) {
        if (!behind[i])
            continue;
        status = try_host(store, order[i], deadline_ms, db_r, error_r, err);
        if (status == STATUS_OK)
            return status;
    }
    name_host(store, order[count - 1], err);
    return STATUS_TEMPFAIL;
}

static void free_reach(struct reach *reach)
{
    (void)pthread_cond_destroy(&reach->ended);
    free(reach);
}

static void *run_reach(void *arg)
{
    struct reach *reach = arg;
    struct store *store = reach->store;
    bool abandoned;

    reach->status = connect_any(store, reach->deadline_ms, &reach->db,
                                &reach->error, &reach->err);
    if (reach->status == STATUS_OK)
        reach->db->generation = reach->generation;
    (void)pthread_mutex_lock(&store->lock);
    reach->done = true;
    abandoned = reach->abandoned;
    (void)pthread_cond_signal(&reach->ended);
    (void)pthread_mutex_unlock(&store->lock);
    if (!abandoned)
        return NULL; /* reach is its caller's again */
    if (reach->status == STATUS_OK)
        store_checkin(store, &reach->db);
    else
        store_give_back(store);
    free_reach(reach);
    (void)pthread_mutex_lock(&store->lock);
    store->threads--;
    (void)pthread_cond_broadcast(&store->returned);
    (void)pthread_mutex_unlock(&store->lock);
    return NULL;
}

/* Waits for the thread. Returns false when it is left behind. */
static bool wait_reach(struct store *store, struct reach *reach)
{
    struct timespec until = {
        .tv_sec = (time_t)(reach->deadline_ms / 1000),
        .tv_nsec = (long)(reach->deadline_ms % 1000) * 1000000,
    };
    int rc = 0;

    (void)pthread_mutex_lock(&store->lock);
    while (!reach->done && rc == 0)
        rc = pthread_cond_timedwait(&reach->ended, &store->lock, &until);
    if (!reach->done) {
        reach->abandoned = true;
        store->threads++;
    }
    rc = reach->done ? 0 : 1;
    (void)pthread_mutex_unlock(&store->lock);
    return rc == 0;
}

static enum status start_reach(struct store *store, int64_t deadline_ms,
                               unsigned generation, struct reach **reach_r,
                               pthread_t *thread_r, struct errtext *err)
{
    struct reach *reach = calloc(1, sizeof(*reach));

    if (reach == NULL)
        return status_no_memory(err);
    reach->store = store;
    reach->deadline_ms = deadline_ms;
    reach->generation = generation;
    if (store_condition_init(&reach->ended) != 0) {
        free(reach);
        return status_no_memory(err);
    }
    if (pthread_create(thread_r, NULL, run_reach, reach) != 0) {
        free_reach(reach);
        errtext_set(err, "store: no thread to connect in");
        return STATUS_TEMPFAIL;
    }
    *reach_r = reach;
    return STATUS_OK;
}

enum status store_reach(struct store *store, int64_t deadline_ms,
                        unsigned generation, struct store_connection **db_r,
                        unsigned *error_r, struct errtext *err)
{
    struct reach *reach = NULL;
    pthread_t thread;
    enum status status;

    if (are_addresses(store)) {
        status = connect_any(store, deadline_ms, db_r, error_r, err);
        if (status == STATUS_OK)
            (*db_r)->generation = generation;
        else
            store_give_back(store);
        return status;
    }
    *error_r = 0;
    status = start_reach(store, deadline_ms, generation, &reach, &thread, err);
    if (status != STATUS_OK) {
        store_give_back(store);
        return status;
    }
    if (!wait_reach(store, reach)) {
        (void)pthread_detach(thread);
        errtext_set(err, "store: connect: no answer in time");
        return STATUS_TEMPFAIL; /* the place is the thread's */
    }
    (void)pthread_join(thread, NULL);
    status = reach->status;
    if (status == STATUS_OK) {
        *db_r = reach->db;
    } else {
        *error_r = reach->error;
        errtext_set(err, "%s", reach->err.text);
        store_give_back(store);
    }
    free_reach(reach);
    return status;
}
