/* store_pool - see store.h and store_private.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_private.h"

#include "clock.h"
#include "strbuf.h"

#include <errmsg.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

/* The library's own first use is not safe in threads. */
static void start_library(void)
{
    (void)mysql_server_init(0, NULL, NULL);
}

int store_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attr;
    int rc = pthread_condattr_init(&attr);

    if (rc != 0)
        return rc;
    rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    if (rc == 0)
        rc = pthread_cond_init(condition, &attr);
    (void)pthread_condattr_destroy(&attr);
    return rc;
}

static bool start_waiting(struct store *store)
{
    if (pthread_mutex_init(&store->lock, NULL) != 0)
        return false;
    if (store_condition_init(&store->returned) == 0)
        return true;
    (void)pthread_mutex_destroy(&store->lock);
    return false;
}

/* Makes the list of hosts: those of the settings, or the local socket. */
static bool make_hosts(struct store *store, const struct store_settings *set)
{
    size_t count = set->hosts.count;

    if (count > STORE_HOSTS_MAX)
        count = STORE_HOSTS_MAX;
    if (set->socket != NULL && set->socket[0] != '\0')
        count = 0;
    store->host_count = count > 0 ? count : 1;
    store->hosts = calloc(store->host_count, sizeof(*store->hosts));
    for (size_t i = 0; store->hosts != NULL && i < count; i++)
        store->hosts[i].name = set->hosts.items[i];
    return store->hosts != NULL;
}

enum status store_open(const struct store_settings *set, struct store **store_r,
                       struct errtext *err)
{
    struct store *store = calloc(1, sizeof(*store));
    enum status status;

    if (store == NULL)
        return status_no_memory(err);
    (void)pthread_once(&library_once, start_library);
    store->set = set;
    store->seed = (unsigned)clock_ms() | 1U;
    if (!make_hosts(store, set)) {
        free(store);
        return status_no_memory(err);
    }
    status = store_finds_open(&store->finds, err);
    if (status == STATUS_OK && !start_waiting(store)) {
        store_finds_close(&store->finds);
        status = status_no_memory(err);
    }
    if (status != STATUS_OK) {
        free(store->hosts);
        free(store);
        return status;
    }
    *store_r = store;
    return STATUS_OK;
}

void store_close(struct store **store)
{
    struct store_connection *db;

    if (*store == NULL)
        return;
    (void)pthread_mutex_lock(&(*store)->lock);
    while ((*store)->threads > 0)
        (void)pthread_cond_wait(&(*store)->returned, &(*store)->lock);
    (void)pthread_mutex_unlock(&(*store)->lock);
    while ((db = (*store)->idle) != NULL) {
        (*store)->idle = db->next;
        store_disconnect(&db);
    }
    (void)pthread_cond_destroy(&(*store)->returned);
    (void)pthread_mutex_destroy(&(*store)->lock);
    store_finds_close(&(*store)->finds);
    free((*store)->hosts);
    free(*store);
    *store = NULL;
}

static unsigned connections_max(const struct store *store)
{
    return store->set->max_connections > 0 ? store->set->max_connections : 1;
}

void store_give_back(struct store *store)
{
    (void)pthread_mutex_lock(&store->lock);
    store->used--;
    (void)pthread_cond_signal(&store->returned);
    (void)pthread_mutex_unlock(&store->lock);
}

/*
 * Waits for an idle connection, or for the right to make one (*db_r NULL).
 * Returns false when neither came in time.
 */
static bool take_place(struct store *store, int64_t deadline_ms,
                       struct store_connection **db_r, unsigned *generation_r)
{
    struct timespec until = {
        .tv_sec = (time_t)(deadline_ms / 1000),
        .tv_nsec = (long)(deadline_ms % 1000) * 1000000,
    };
    bool taken = false;
    int rc = 0;

    (void)pthread_mutex_lock(&store->lock);
    while (store->idle == NULL && store->used >= connections_max(store) &&
           rc == 0)
        rc = pthread_cond_timedwait(&store->returned, &store->lock, &until);
    *generation_r = store->generation;
    if (store->idle != NULL) {
        *db_r = store->idle;
        store->idle = (*db_r)->next;
        (*db_r)->next = NULL;
        taken = true;
    } else if (store->used < connections_max(store)) {
        store->used++;
        *db_r = NULL;
        taken = true;
    }
    (void)pthread_mutex_unlock(&store->lock);
    return taken;
}

/* An idle connection says nothing; one that does was closed by the server. */
static bool is_alive(struct store_connection *db)
{
    struct pollfd ready = {
        .fd = (int)mysql_get_socket(db->mysql),
        .events = POLLIN,
    };

    return poll(&ready, 1, 0) == 0;
}

/* Says if an idle connection is not to be used any more. */
static bool is_over(struct store *store, struct store_connection *db,
                    unsigned generation)
{
    bool over;

    if (db->generation != generation || !is_alive(db))
        return true;
    (void)pthread_mutex_lock(&store->lock);
    over = store_host_should_return(store->hosts, db->host, db->made_ms,
                                    clock_ms());
    (void)pthread_mutex_unlock(&store->lock);
    return over;
}

enum status store_checkout(struct store *store, int64_t deadline_ms,
                           struct store_connection **db_r, unsigned *error_r,
                           struct errtext *err)
{
    struct store_connection *db = NULL;
    unsigned generation = 0;
    enum status status;

    if (!take_place(store, deadline_ms, &db, &generation)) {
        *error_r = 0;
        errtext_set(err, "store: all %u connections were busy",
                    connections_max(store));
        return STATUS_TEMPFAIL;
    }
    if (db != NULL && is_over(store, db, generation)) {
        db->broken = true;
        store_disconnect(&db);
    }
    if (db == NULL) {
        status = store_reach(store, deadline_ms, generation, &db, error_r, err);
        if (status != STATUS_OK)
            return status;
    }
    db->deadline_ms = deadline_ms;
    db->taken_ms = clock_ms();
    db->error = 0;
    *db_r = db;
    return STATUS_OK;
}

void store_checkin(struct store *store, struct store_connection **db)
{
    bool broken = (*db)->broken;

    (void)pthread_mutex_lock(&store->lock);
    if (broken) {
        /* When one is lost, the server has most likely lost all. */
        if ((*db)->generation == store->generation)
            store->generation++;
        /* One that went silent would hold up the next connects as well. */
        if ((*db)->timed_out &&
            clock_ms() - (*db)->taken_ms >= STORE_HOST_SILENT_MS)
            store_host_failed(&store->hosts[(*db)->host], clock_ms());
        store->used--;
    } else {
        (*db)->next = store->idle;
        store->idle = *db;
    }
    (void)pthread_cond_signal(&store->returned);
    (void)pthread_mutex_unlock(&store->lock);
    if (broken)
        store_disconnect(db);
    *db = NULL;
}

void store_hosts_away(struct store *store, char text_r[STORE_AWAY_BYTES])
{
    struct strbuf text = STRBUF_INIT(STORE_AWAY_BYTES - 1);
    size_t away;

    (void)pthread_mutex_lock(&store->lock);
    away = store_host_away(store->hosts, store->host_count);
    (void)pthread_mutex_unlock(&store->lock);
    /* A list of one has nobody behind it. */
    for (size_t i = 0; i < away && away < store->host_count; i++)
        strbuf_appendf(&text, "%s%s", i > 0 ? ", " : "", store->hosts[i].name);
    (void)snprintf(text_r, STORE_AWAY_BYTES, "%s", strbuf_text(&text));
    strbuf_clear(&text);
}
