/* server - see server.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "server.h"

#include "clock.h"
#include "server_internal.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define PASSWD_BYTES 16384
#define AFTER_DEADLINE_MS 1000 /* what a worker may still take, stopping */

static const char *const why_names[SERVER_WHY_COUNT] = {
    [SERVER_INVALID] = "invalid",
    [SERVER_QUEUE_FULL] = "queue_full",
    [SERVER_QUEUE_AGE] = "queue_age",
    [SERVER_SLOW] = "slow",
    [SERVER_IDLE] = "idle",
    [SERVER_CROWDED] = "crowded",
    [SERVER_STOPPING] = "stopping",
    [SERVER_NO_DESCRIPTOR] = "no_descriptor",
    [SERVER_PEER_REFUSED] = "peer_refused",
};

const char *server_why_name(enum server_why why)
{
    return why_names[why];
}

/* Waits for a frame; NULL: there will be none any more. */
static struct connection *next_frame(struct server *server)
{
    struct connection *connection;

    (void)pthread_mutex_lock(&server->lock);
    while (server->queue.first == NULL && !server->ending)
        (void)pthread_cond_wait(&server->work, &server->lock);
    connection = connection_list_take(&server->queue);
    if (connection != NULL)
        server->queued--;
    (void)pthread_mutex_unlock(&server->lock);
    return connection;
}

/* Makes the reading thread look at what changed. */
static void wake_reader(struct server *server)
{
    uint64_t one = 1;

    /* A full counter has woken it already. */
    if (write(server->wake_fd, &one, sizeof(one)) < 0)
        return;
}

/* Gives a connection back to the reading thread for its next frame. */
static void keep(struct server *server, struct connection *connection)
{
    bool first;

    (void)pthread_mutex_lock(&server->lock);
    first = server->kept.first == NULL;
    connection_list_append(&server->kept, connection);
    (void)pthread_mutex_unlock(&server->lock);
    /* Otherwise it has been woken, and takes them all. */
    if (first)
        wake_reader(server);
}

/* Answers one frame, unless it has grown too old meanwhile. */
static void work(struct worker *worker, struct connection *connection)
{
    struct server *server = worker->server;
    int64_t now_ms = clock_ms();
    enum server_after after = SERVER_CLOSE;

    if (now_ms >= connection->deadline_ms) {
        server_turn_away(server, connection, SERVER_QUEUE_AGE);
    } else {
        atomic_store(&worker->busy_since_ms, now_ms);
        atomic_fetch_add(&server->in_flight, 1);
        connection->reply_wait_ms = (int)server->limits.reply_timeout_ms;
        after = server->hooks.handle(server->context, worker->index,
                                     &connection->request);
        atomic_fetch_sub(&server->in_flight, 1);
        atomic_store(&worker->busy_since_ms, 0);
    }
    if (after == SERVER_KEEP && !atomic_load(&server->stopping) &&
        server->limits.idle_timeout_ms > 0) {
        keep(server, connection);
    } else {
        connection_free(&connection);
        atomic_fetch_sub(&server->connections, 1);
    }
}

void server_thread_ended(struct server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    server->running--;
    (void)pthread_cond_signal(&server->ended);
    (void)pthread_mutex_unlock(&server->lock);
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    struct connection *connection;

    while ((connection = next_frame(worker->server)) != NULL)
        work(worker, connection);
    server_thread_ended(worker->server);
    return NULL;
}

/* Opens the descriptors of the reading thread. */
static enum status open_descriptors(struct server *server, struct errtext *err)
{
    struct epoll_event event = {.events = EPOLLIN,
                                .data.ptr = &server->wake_source};

    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server_restore_reserve(server);
    if (server->epoll_fd < 0 || server->wake_fd < 0 || server->reserve_fd < 0 ||
        epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->wake_fd, &event) !=
            0) {
        errtext_set(err, "no descriptors for a server");
        return STATUS_TEMPFAIL;
    }
    return STATUS_OK;
}

/* Makes lock and conditions; time-outs are on the clock of clock_ms(). */
static void init_conditions(struct server *server)
{
    pthread_condattr_t monotonic;

    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&server->lock, NULL);
    (void)pthread_cond_init(&server->work, NULL);
    (void)pthread_cond_init(&server->ended, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

enum status server_new(const struct server_limits *limits,
                       const struct server_hooks *hooks, void *context,
                       struct server **server_r, struct errtext *err)
{
    struct server *server = calloc(1, sizeof(*server));
    enum status status;

    if (server == NULL)
        return status_no_memory(err);
    server->limits = *limits;
    server->hooks = *hooks;
    server->context = context;
    server->epoll_fd = server->wake_fd = server->reserve_fd = -1;
    server->wake_source.kind = SOURCE_WAKE;
    server_set_times(server, limits->frame_timeout_ms, limits->queue_age_ms);
    init_conditions(server);
    server->scratch = malloc(limits->frame_bytes_max + 1);
    server->workers = calloc(limits->workers, sizeof(*server->workers));
    if (server->scratch == NULL || server->workers == NULL)
        status = status_no_memory(err);
    else
        status = open_descriptors(server, err);
    if (status != STATUS_OK) {
        server_free(&server);
        return status;
    }
    *server_r = server;
    return STATUS_OK;
}

/* Looks a user up by name. */
static enum status find_user(const char *name, uid_t *uid_r,
                             struct errtext *err)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char buffer[PASSWD_BYTES];
    int rc = getpwnam_r(name, &entry, buffer, sizeof(buffer), &found);

    if (found == NULL) {
        errtext_set(err,
                    rc == 0 ? "there is no user \"%s\""
                            : "user \"%s\" could not be looked up",
                    name);
        return rc == 0 ? STATUS_INVALID : STATUS_TEMPFAIL;
    }
    *uid_r = entry.pw_uid;
    return STATUS_OK;
}

enum status server_add_door(struct server *server,
                            const struct listen_settings *set,
                            struct listen_inherited *inherited,
                            const struct server_peers *peers,
                            struct errtext *err)
{
    struct door *door = &server->doors[server->door_count];
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = door};
    enum status status = STATUS_OK;

    if (server->door_count == SERVER_DOORS_MAX ||
        peers->count > SERVER_PEERS_MAX) {
        errtext_set(err, "%s: at most %d sockets with %d users each", set->path,
                    SERVER_DOORS_MAX, SERVER_PEERS_MAX);
        return STATUS_INVALID;
    }
    for (size_t i = 0; i < peers->count && status == STATUS_OK; i++)
        status = find_user(peers->names[i], &door->peers[i], err);
    if (status == STATUS_OK)
        status = listen_open(set, inherited, &door->listener, err);
    if (status != STATUS_OK)
        return status;
    door->source.kind = SOURCE_DOOR;
    door->peer_count = peers->count;
    server->door_count++;
    if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, door->listener.fd, &event) !=
        0) {
        errtext_set(err, "%s: cannot be watched", set->path);
        return STATUS_TEMPFAIL;
    }
    return STATUS_OK;
}

/* Starts one thread and counts it. */
static bool start_thread(struct server *server, pthread_t *thread,
                         void *(*body)(void *), void *argument)
{
    bool started;

    (void)pthread_mutex_lock(&server->lock);
    started = pthread_create(thread, NULL, body, argument) == 0;
    if (started)
        server->running++;
    (void)pthread_mutex_unlock(&server->lock);
    return started;
}

enum status server_start(struct server *server, struct errtext *err)
{
    bool started = true;

    atomic_store(&server->round_ms, clock_ms());
    for (unsigned i = 0; i < server->limits.workers && started; i++) {
        struct worker *worker = &server->workers[i];

        worker->server = server;
        worker->index = i;
        started = start_thread(server, &worker->thread, worker_main, worker);
        if (started)
            server->workers_started++;
    }
    if (started)
        server->reader_started =
            start_thread(server, &server->reader, server_reader, server);
    if (server->reader_started)
        return STATUS_OK;
    errtext_set(err, "no threads for a server");
    return STATUS_TEMPFAIL;
}

/* Waits until no thread runs; false: some still do at deadline_ms. */
static bool wait_for_threads(struct server *server, int64_t deadline_ms)
{
    struct timespec until = {.tv_sec = (time_t)(deadline_ms / 1000),
                             .tv_nsec = (long)(deadline_ms % 1000) * 1000000};
    int rc = 0;
    bool ended;

    (void)pthread_mutex_lock(&server->lock);
    while (server->running > 0 && rc == 0)
        rc = pthread_cond_timedwait(&server->ended, &server->lock, &until);
    ended = server->running == 0;
    (void)pthread_mutex_unlock(&server->lock);
    return ended;
}

enum status server_stop(struct server *server, int64_t deadline_ms,
                        struct errtext *err)
{
    (void)pthread_mutex_lock(&server->lock);
    server->stop_by_ms = deadline_ms;
    /* Nobody but the reading thread knows when the queue stays empty. */
    server->ending = server->ending || !server->reader_started;
    (void)pthread_cond_broadcast(&server->work);
    (void)pthread_mutex_unlock(&server->lock);
    atomic_store(&server->stopping, true);
    wake_reader(server);
    if (!wait_for_threads(server, deadline_ms + AFTER_DEADLINE_MS)) {
        errtext_set(err, "a thread did not end in time");
        return STATUS_TEMPFAIL;
    }
    if (server->reader_started)
        (void)pthread_join(server->reader, NULL);
    server->reader_started = false;
    while (server->workers_started > 0)
        (void)pthread_join(server->workers[--server->workers_started].thread,
                           NULL);
    return STATUS_OK;
}

/* Frees what a list still holds. */
static void free_list(struct connection_list *list)
{
    struct connection *connection;

    while ((connection = connection_list_take(list)) != NULL)
        connection_free(&connection);
}

void server_free(struct server **server)
{
    struct server *old = *server;
    int descriptors[3];

    *server = NULL;
    /* Threads that did not end still use it. */
    if (old == NULL || old->running > 0)
        return;
    for (size_t i = 0; i < old->door_count; i++) {
        if (old->doors[i].listener.path != NULL)
            listen_close(&old->doors[i].listener);
    }
    free_list(&old->kept);
    free_list(&old->queue);
    free_list(&old->dead);
    descriptors[0] = old->epoll_fd;
    descriptors[1] = old->wake_fd;
    descriptors[2] = old->reserve_fd;
    for (size_t i = 0; i < ARRAY_SIZE(descriptors); i++) {
        if (descriptors[i] >= 0)
            (void)close(descriptors[i]);
    }
    (void)pthread_cond_destroy(&old->work);
    (void)pthread_cond_destroy(&old->ended);
    (void)pthread_mutex_destroy(&old->lock);
    free(old->scratch);
    free(old->workers);
    free(old);
}

void server_set_times(struct server *server, int64_t frame_timeout_ms,
                      int64_t queue_age_ms)
{
    atomic_store(&server->frame_timeout_ms, frame_timeout_ms);
    atomic_store(&server->queue_age_ms, queue_age_ms);
}

void server_counts(struct server *server, struct server_counts *out)
{
    out->connections = atomic_load(&server->connections);
    out->in_flight = atomic_load(&server->in_flight);
    out->accepted = atomic_load(&server->accepted);
    for (size_t i = 0; i < SERVER_WHY_COUNT; i++)
        out->turned_away[i] = atomic_load(&server->turned_away[i]);
    (void)pthread_mutex_lock(&server->lock);
    out->queued = server->queued;
    (void)pthread_mutex_unlock(&server->lock);
}

bool server_alive(struct server *server, int64_t within_ms)
{
    int64_t long_ago_ms = clock_ms() - within_ms;
    bool all_busy = true;

    if (atomic_load(&server->round_ms) < long_ago_ms)
        return false;
    for (unsigned i = 0; i < server->limits.workers && all_busy; i++) {
        int64_t since_ms = atomic_load(&server->workers[i].busy_since_ms);

        all_busy = since_ms != 0 && since_ms < long_ago_ms;
    }
    return !all_busy;
}
