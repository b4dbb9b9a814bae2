/* directory_pool - see directory_pool.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_pool.h"

#include "clock.h"
#include "directory_result.h"
#include "strbuf.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* A wait shorter than this is no proof that a host is dead. */
#define BLAME_MS 1000
#define SWEEP_MS (DIRECTORY_IDLE_MS / 4)

TAILQ_HEAD(connection_list, directory_connection);

struct host {
    const char *name;
    bool has_policies; /* as its last search connection found */
    struct directory_health health;
    struct connection_list idle[DIRECTORY_KINDS]; /* first: used last */
};

struct lending {
    size_t total; /* lent, idle and being opened */
    pthread_cond_t freed;
};

struct directory_pool {
    const struct directory_settings *set;
    struct directory_resolver *resolver;
    struct directory_tls *tls; /* NULL: cleartext or unix sockets */
    pthread_mutex_t lock;
    pthread_cond_t closing;
    pthread_t sweeper;
    bool sweeping; /* the thread was started */
    bool closed;
    struct lending kinds[DIRECTORY_KINDS];
    uint64_t connects, failures;
    size_t count;
    struct host hosts[];
};

static void close_all(struct connection_list *dead, bool broken)
{
    struct directory_connection *conn;

    while ((conn = TAILQ_FIRST(dead)) != NULL) {
        TAILQ_REMOVE(dead, conn, entry);
        directory_connection_close(&conn, broken);
    }
}

/* Moves an idle connection to the dead ones, which the caller closes. */
static void drop(struct directory_pool *pool, enum directory_kind kind,
                 struct directory_connection *conn,
                 struct connection_list *dead)
{
    TAILQ_REMOVE(&pool->hosts[conn->host].idle[kind], conn, entry);
    TAILQ_INSERT_TAIL(dead, conn, entry);
    pool->kinds[kind].total--;
    (void)pthread_cond_signal(&pool->kinds[kind].freed);
}

static void drop_host(struct directory_pool *pool, size_t index,
                      struct connection_list *dead)
{
    for (int kind = 0; kind < DIRECTORY_KINDS; kind++) {
        struct connection_list *idle = &pool->hosts[index].idle[kind];

        while (!TAILQ_EMPTY(idle))
            drop(pool, (enum directory_kind)kind, TAILQ_FIRST(idle), dead);
    }
}

/* Drops what has not been used for long, of every host. */
static void drop_unused(struct directory_pool *pool, enum directory_kind kind,
                        int64_t now_ms, struct connection_list *dead)
{
    for (size_t i = 0; i < pool->count; i++) {
        struct connection_list *idle = &pool->hosts[i].idle[kind];
        struct directory_connection *oldest;

        while ((oldest = TAILQ_LAST(idle, connection_list)) != NULL &&
               now_ms - oldest->idle_since_ms > DIRECTORY_IDLE_MS)
            drop(pool, kind, oldest, dead);
    }
}

/* Drops one idle connection to make room for another host's. */
static bool drop_any(struct directory_pool *pool, enum directory_kind kind,
                     struct connection_list *dead)
{
    for (size_t i = pool->count; i-- > 0;) {
        struct connection_list *idle = &pool->hosts[i].idle[kind];

        if (!TAILQ_EMPTY(idle)) {
            drop(pool, kind, TAILQ_LAST(idle, connection_list), dead);
            return true;
        }
    }
    return false;
}

/* Binds a new connection as the service identity. */
static enum status bind_service(struct directory_pool *pool,
                                struct directory_connection *conn,
                                int64_t deadline_ms, struct errtext *err)
{
    const struct directory_settings *set = pool->set;
    int64_t limit_ms = clock_ms() + set->operation_timeout_ms;
    struct directory_answer answer = {.code = LDAP_SUCCESS};
    int rc = LDAP_SUCCESS;

    if (limit_ms > deadline_ms)
        limit_ms = deadline_ms;
    if (set->bind_dn[0] != '\0')
        rc = directory_connection_bind(conn, set->bind_dn, set->bind_password,
                                       limit_ms, &answer);
    if (rc == LDAP_SUCCESS)
        rc = answer.code;
    if (rc == LDAP_SUCCESS)
        rc = directory_connection_ask_controls(conn, limit_ms);
    if (rc == LDAP_SUCCESS)
        return STATUS_OK;
    errtext_set(err, "service bind as %s: %s%s%s", set->bind_dn,
                directory_code_text(rc), answer.text[0] != '\0' ? ": " : "",
                answer.text);
    return STATUS_TEMPFAIL;
}

static enum status connect_host(struct directory_pool *pool, size_t index,
                                enum directory_kind kind, int64_t deadline_ms,
                                struct directory_connection **conn_r,
                                struct errtext *err)
{
    int64_t limit_ms = clock_ms() + pool->set->connect_timeout_ms;
    struct directory_addresses addresses = {.count = 0};
    struct directory_connection *conn = NULL;
    struct directory_route route = {
        .set = pool->set,
        .tls = pool->tls,
        .host = pool->hosts[index].name,
    };
    enum status status = STATUS_OK;

    if (limit_ms > deadline_ms)
        limit_ms = deadline_ms;
    if (route.host[0] != '/') {
        status = directory_resolver_get(pool->resolver, index, limit_ms,
                                        &addresses, err);
        route.addresses = &addresses;
    }
    if (status == STATUS_OK)
        status = directory_connection_open(&route, limit_ms, &conn, err);
    if (status == STATUS_OK && kind == DIRECTORY_SEARCH)
        status = bind_service(pool, conn, deadline_ms, err);
    if (status != STATUS_OK) {
        directory_connection_close(&conn, true);
        if (route.addresses != NULL)
            directory_resolver_doubt(pool->resolver, index);
        return status;
    }
    conn->host = index;
    *conn_r = conn;
    return STATUS_OK;
}

/* Picks the first host that may be used now. */
static bool pick(struct directory_pool *pool, size_t *index_r,
                 struct directory_turn *turn_r)
{
    int64_t now_ms = clock_ms();

    for (size_t i = 0; i < pool->count; i++) {
        if (directory_health_begin(&pool->hosts[i].health, now_ms, turn_r)) {
            *index_r = i;
            return true;
        }
    }
    return false;
}

static void end_turn(struct directory_pool *pool, size_t index,
                     struct directory_turn turn, enum directory_verdict verdict,
                     const struct errtext *error)
{
    directory_health_end(&pool->hosts[index].health, turn, verdict, clock_ms(),
                         pool->set->retry_after_ms, error);
}

/* Tells what is wrong with each host; the lock is held. */
static enum status all_resting(struct directory_pool *pool, struct errtext *err)
{
    struct strbuf text = STRBUF_INIT(65536);

    for (size_t i = 0; i < pool->count; i++)
        strbuf_appendf(&text, "%s%s: %s", i > 0 ? "; " : "",
                       pool->hosts[i].name, pool->hosts[i].health.error.text);
    errtext_set(err, "no host answers (%s)", strbuf_text(&text));
    strbuf_clear(&text);
    return STATUS_TEMPFAIL;
}

/* Returns false when it is too late; the lock is held, but while waiting. */
static bool wait_until(struct directory_pool *pool, pthread_cond_t *event,
                       int64_t deadline_ms)
{
    struct timespec until = {
        .tv_sec = deadline_ms / 1000,
        .tv_nsec = (long)(deadline_ms % 1000) * 1000000,
    };

    return pthread_cond_timedwait(event, &pool->lock, &until) == 0 ||
           clock_left_ms(deadline_ms) > 0;
}

/* What reserve found for the caller: one of the two. */
struct reserved {
    struct directory_connection *pooled;
    size_t host; /* connect to it, a place is reserved */
    struct directory_turn turn;
};

/* Finds a pooled connection or a place for a new one; the lock is held. */
static enum status reserve(struct directory_pool *pool,
                           enum directory_kind kind, bool fresh,
                           int64_t deadline_ms, struct reserved *out,
                           struct connection_list *dead, struct errtext *err)
{
    size_t max = pool->set->max_connections;

    drop_unused(pool, kind, clock_ms(), dead);
    for (;;) {
        struct connection_list *idle;

        if (!pick(pool, &out->host, &out->turn))
            return all_resting(pool, err);
        idle = &pool->hosts[out->host].idle[kind];
        if (!fresh && !out->turn.probe && !TAILQ_EMPTY(idle)) {
            out->pooled = TAILQ_FIRST(idle);
            out->pooled->turn = out->turn;
            out->pooled->has_policies = pool->hosts[out->host].has_policies;
            TAILQ_REMOVE(idle, out->pooled, entry);
            return STATUS_OK;
        }
        if (pool->kinds[kind].total < max || drop_any(pool, kind, dead)) {
            pool->kinds[kind].total++;
            return STATUS_OK;
        }
        end_turn(pool, out->host, out->turn, DIRECTORY_HOST_UNSURE, NULL);
        if (!wait_until(pool, &pool->kinds[kind].freed, deadline_ms)) {
            errtext_set(err, "all %zu connections stayed in use", max);
            return STATUS_TEMPFAIL;
        }
    }
}

/* Gives a reserved place back after connecting failed; the lock is held. */
static void connect_failed(struct directory_pool *pool,
                           enum directory_kind kind,
                           const struct reserved *place, int64_t started_ms,
                           int64_t deadline_ms, const struct errtext *error,
                           struct connection_list *dead)
{
    bool hurried = clock_left_ms(deadline_ms) == 0 &&
                   clock_ms() - started_ms < BLAME_MS &&
                   clock_ms() - started_ms < pool->set->connect_timeout_ms;

    pool->kinds[kind].total--;
    end_turn(pool, place->host, place->turn,
             hurried ? DIRECTORY_HOST_UNSURE : DIRECTORY_HOST_BAD, error);
    if (!hurried) {
        pool->failures++;
        drop_host(pool, place->host, dead);
    }
    (void)pthread_cond_broadcast(&pool->kinds[kind].freed);
}

/* One try: a connection, or a host found dead (*again_r: try the next). */
static enum status take_one(struct directory_pool *pool,
                            enum directory_kind kind, bool fresh,
                            int64_t deadline_ms,
                            struct directory_connection **conn_r, bool *again_r,
                            struct errtext *err)
{
    struct connection_list dead = TAILQ_HEAD_INITIALIZER(dead);
    struct reserved place = {.pooled = NULL};
    struct errtext reason = {{0}};
    int64_t started_ms;
    enum status status;

    *again_r = false;
    (void)pthread_mutex_lock(&pool->lock);
    status = reserve(pool, kind, fresh, deadline_ms, &place, &dead, err);
    (void)pthread_mutex_unlock(&pool->lock);
    close_all(&dead, false);
    if (status != STATUS_OK || place.pooled != NULL) {
        *conn_r = place.pooled;
        return status;
    }
    started_ms = clock_ms();
    status = connect_host(pool, place.host, kind, deadline_ms, conn_r, &reason);
    (void)pthread_mutex_lock(&pool->lock);
    if (status == STATUS_OK) {
        (*conn_r)->turn = place.turn;
        if (kind == DIRECTORY_SEARCH)
            pool->hosts[place.host].has_policies = (*conn_r)->has_policies;
        (*conn_r)->has_policies = pool->hosts[place.host].has_policies;
        pool->connects++;
    } else {
        connect_failed(pool, kind, &place, started_ms, deadline_ms, &reason,
                       &dead);
        errtext_set(err, "%s: %s", pool->hosts[place.host].name, reason.text);
        *again_r = clock_left_ms(deadline_ms) > 0;
    }
    (void)pthread_mutex_unlock(&pool->lock);
    close_all(&dead, true);
    return status;
}

enum status directory_pool_take(struct directory_pool *pool,
                                enum directory_kind kind, bool fresh,
                                int64_t deadline_ms,
                                struct directory_connection **conn_r,
                                struct errtext *err)
{
    enum status status = STATUS_TEMPFAIL;
    bool again = true;

    /* Each host once: with a retry_after of 0 they would never all rest. */
    for (size_t i = 0; again && i <= pool->count; i++)
        status = take_one(pool, kind, fresh, deadline_ms, conn_r, &again, err);
    return status;
}

static enum directory_verdict verdict_of(enum directory_outcome outcome)
{
    switch (outcome) {
    case DIRECTORY_ANSWERED:
    case DIRECTORY_SPENT:
        return DIRECTORY_HOST_GOOD;
    case DIRECTORY_FAILED:
        return DIRECTORY_HOST_BAD;
    case DIRECTORY_ABORTED:
    case DIRECTORY_STALE:
        break;
    }
    return DIRECTORY_HOST_UNSURE;
}

void directory_pool_give(struct directory_pool *pool, enum directory_kind kind,
                         struct directory_connection **conn,
                         enum directory_outcome outcome,
                         const struct errtext *error)
{
    struct connection_list dead = TAILQ_HEAD_INITIALIZER(dead);
    struct directory_connection *back = *conn;
    struct host *host = &pool->hosts[back->host];
    bool keep = outcome == DIRECTORY_ANSWERED;

    *conn = NULL;
    back->reused = true;
    (void)pthread_mutex_lock(&pool->lock);
    end_turn(pool, back->host, back->turn, verdict_of(outcome), error);
    if (outcome == DIRECTORY_FAILED)
        pool->failures++;
    if (outcome == DIRECTORY_FAILED || outcome == DIRECTORY_STALE)
        drop_host(pool, back->host, &dead);
    if (keep && !host->health.resting) {
        back->idle_since_ms = clock_ms();
        TAILQ_INSERT_HEAD(&host->idle[kind], back, entry);
    } else {
        keep = false;
        pool->kinds[kind].total--;
    }
    (void)pthread_cond_signal(&pool->kinds[kind].freed);
    (void)pthread_mutex_unlock(&pool->lock);
    if (!keep)
        directory_connection_close(&back, outcome != DIRECTORY_ANSWERED);
    close_all(&dead, true);
}

const char *directory_pool_host(const struct directory_pool *pool,
                                const struct directory_connection *conn)
{
    return pool->hosts[conn->host].name;
}

size_t directory_pool_hosts(struct directory_pool *pool,
                            struct directory_host_state *out, size_t max)
{
    int64_t now_ms = clock_ms();

    (void)pthread_mutex_lock(&pool->lock);
    for (size_t i = 0; i < pool->count && i < max; i++) {
        const struct directory_health *health = &pool->hosts[i].health;
        bool waits = health->resting && health->retry_at_ms > now_ms;

        out[i].host = pool->hosts[i].name;
        out[i].up = !health->resting;
        memcpy(out[i].error, health->error.text, sizeof(out[i].error));
        out[i].retry_in_ms = waits ? health->retry_at_ms - now_ms : 0;
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return pool->count;
}

void directory_pool_counts(struct directory_pool *pool,
                           struct directory_counts *out)
{
    (void)pthread_mutex_lock(&pool->lock);
    out->connects += pool->connects;
    out->failures += pool->failures;
    (void)pthread_mutex_unlock(&pool->lock);
}

/* Closes unused connections, also when nobody logs in any more. */
static void *sweep(void *arg)
{
    struct directory_pool *pool = arg;

    (void)pthread_mutex_lock(&pool->lock);
    while (!pool->closed) {
        struct connection_list dead = TAILQ_HEAD_INITIALIZER(dead);

        if (wait_until(pool, &pool->closing, clock_ms() + SWEEP_MS))
            continue;
        for (int kind = 0; kind < DIRECTORY_KINDS; kind++)
            drop_unused(pool, (enum directory_kind)kind, clock_ms(), &dead);
        (void)pthread_mutex_unlock(&pool->lock);
        close_all(&dead, false);
        (void)pthread_mutex_lock(&pool->lock);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* The program's signals are none of this thread's business. */
static enum status start_sweeper(struct directory_pool *pool,
                                 struct errtext *err)
{
    sigset_t all;
    sigset_t before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pool->sweeping = pthread_create(&pool->sweeper, NULL, sweep, pool) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pool->sweeping)
        return STATUS_OK;
    errtext_set(err, "the directory's thread could not be started");
    return STATUS_TEMPFAIL;
}

static void stop_sweeper(struct directory_pool *pool)
{
    (void)pthread_mutex_lock(&pool->lock);
    pool->closed = true;
    (void)pthread_cond_signal(&pool->closing);
    (void)pthread_mutex_unlock(&pool->lock);
    if (pool->sweeping)
        (void)pthread_join(pool->sweeper, NULL);
}

/* Makes lock and conditions; all or none. */
static bool init_locks(struct directory_pool *pool)
{
    pthread_cond_t *const events[] = {&pool->kinds[DIRECTORY_SEARCH].freed,
                                      &pool->kinds[DIRECTORY_BIND].freed,
                                      &pool->closing};
    pthread_condattr_t attr;
    size_t made = 0;

    if (pthread_condattr_init(&attr) != 0)
        return false;
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    while (made < ARRAY_SIZE(events) &&
           pthread_cond_init(events[made], &attr) == 0)
        made++;
    (void)pthread_condattr_destroy(&attr);
    if (made == ARRAY_SIZE(events) &&
        pthread_mutex_init(&pool->lock, NULL) == 0)
        return true;
    while (made-- > 0)
        (void)pthread_cond_destroy(events[made]);
    return false;
}

static void init_hosts(struct directory_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        pool->hosts[i].name = pool->set->hosts.items[i];
        for (int kind = 0; kind < DIRECTORY_KINDS; kind++)
            TAILQ_INIT(&pool->hosts[i].idle[kind]);
    }
}

/* Unix sockets need no TLS; a list of nothing else needs no context. */
static bool needs_tls(const struct directory_settings *set)
{
    if (!set->use_ssl && !set->use_tls)
        return false;
    for (size_t i = 0; i < set->hosts.count; i++) {
        if (set->hosts.items[i][0] != '/')
            return true;
    }
    return false;
}

enum status directory_pool_open(const struct directory_settings *set,
                                struct directory_pool **pool_r,
                                struct errtext *err)
{
    struct directory_pool *pool =
        calloc(1, sizeof(*pool) + set->hosts.count * sizeof(struct host));
    enum status status = STATUS_OK;

    if (pool == NULL || !init_locks(pool)) {
        free(pool);
        return status_no_memory(err);
    }
    pool->set = set;
    pool->count = set->hosts.count;
    init_hosts(pool);
    if (needs_tls(set))
        status = directory_tls_open(set, &pool->tls, err);
    if (status == STATUS_OK)
        status = directory_resolver_open(&set->hosts, set->port,
                                         &pool->resolver, err);
    if (status == STATUS_OK)
        status = start_sweeper(pool, err);
    if (status == STATUS_OK)
        *pool_r = pool;
    else
        directory_pool_close(&pool);
    return status;
}

void directory_pool_close(struct directory_pool **pool)
{
    struct connection_list dead = TAILQ_HEAD_INITIALIZER(dead);

    if (*pool == NULL)
        return;
    stop_sweeper(*pool);
    for (size_t i = 0; i < (*pool)->count; i++)
        drop_host(*pool, i, &dead);
    close_all(&dead, false);
    directory_tls_close(&(*pool)->tls);
    directory_resolver_close(&(*pool)->resolver);
    for (int kind = 0; kind < DIRECTORY_KINDS; kind++)
        (void)pthread_cond_destroy(&(*pool)->kinds[kind].freed);
    (void)pthread_cond_destroy(&(*pool)->closing);
    (void)pthread_mutex_destroy(&(*pool)->lock);
    free(*pool);
    *pool = NULL;
}
