/* server_reader - see server_internal.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "server_internal.h"

#include "clock.h"
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 256
#define ACCEPTS_AT_ONCE 64 /* then the others have their turn */
#define ROUND_MS_MAX 2000  /* longest time in epoll_wait: see server_alive */
#define STOPPING_ROUND_MS 20
#define DISCARD_MS 1000 /* a refused peer may finish sending what it sends */
#define ACCEPT_PAUSE_MS 10

/* Says good-bye without having met a worker; the connection stays open. */
void server_turn_away(struct server *server, struct connection *connection,
                      enum server_why why)
{
    atomic_fetch_add(&server->turned_away[why], 1);
    connection->reply_wait_ms = 0;
    server->hooks.turn_away(server->context, &connection->request, why);
}

/* Opens the reserve descriptor again after it was given up. */
void server_restore_reserve(struct server *server)
{
    if (server->reserve_fd < 0)
        server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Ends a connection in the reading thread; events may still name it. */
static void drop(struct server *server, struct connection *connection)
{
    (void)connection_send_reply(connection);
    connection_list_remove(connection);
    connection_close(connection);
    connection_list_append(&server->dead, connection);
    atomic_fetch_sub(&server->connections, 1);
}

/*
 * Sends what was answered in this round. Not one by one in the round: who is
 * woken by a reply may take the processor from this thread, which then starts
 * again with cold caches.
 */
static void send_replies(struct server *server)
{
    while (server->replying != NULL) {
        struct connection *connection = server->replying;

        server->replying = connection->next_replying;
        connection->replying = false;
        if (connection->fd >= 0 && !connection_send_reply(connection))
            drop(server, connection);
    }
}

/* Tells a hook what it may see of a connection. */
static void show_frame(struct connection *connection, size_t len)
{
    connection->request.data = connection->data;
    connection->request.len = len;
}

/* Turns away one that has sent no whole frame. */
static void turn_away_unread(struct server *server,
                             struct connection *connection, enum server_why why)
{
    show_frame(connection, 0);
    server_turn_away(server, connection, why);
    drop(server, connection);
}

/* Has epoll watch the connection, if it does not yet. */
static bool watch(struct server *server, struct connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP,
                                .data.ptr = connection};

    if (!connection->watched)
        connection->watched = epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD,
                                        connection->fd, &event) == 0;
    return connection->watched;
}

/* While a worker has it, no event may name it. */
static void unwatch(struct server *server, struct connection *connection)
{
    if (connection->watched)
        (void)epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
    connection->watched = false;
}

/* Keeps the connection on list until deadline_ms, watching for more bytes. */
static void await_bytes(struct server *server, struct connection *connection,
                        struct connection_list *list, int64_t deadline_ms)
{
    if (connection->list != list) {
        connection_list_remove(connection);
        connection->deadline_ms = deadline_ms;
        connection_list_append(list, connection);
    }
    if (!watch(server, connection)) {
        if (connection->discarding)
            drop(server, connection);
        else
            turn_away_unread(server, connection, SERVER_NO_DESCRIPTOR);
    }
}

/* Refuses what was sent, and lets the peer finish sending it. */
static void refuse_frame(struct server *server, struct connection *connection)
{
    show_frame(connection, connection->len);
    (void)connection_send_reply(connection);
    server_turn_away(server, connection, SERVER_INVALID);
    connection_consume(connection, connection->len);
    show_frame(connection, 0);
    (void)shutdown(connection->fd, SHUT_WR);
    connection->discarding = true;
    await_bytes(server, connection, &server->discarding,
                clock_ms() + DISCARD_MS);
}

/* Hands a whole frame to the workers, or turns it away when they are behind. */
static void enqueue(struct server *server, struct connection *connection)
{
    bool room;

    /* What a worker has is on no list of the reading thread. */
    if (connection->replying)
        send_replies(server);
    if (connection->fd < 0)
        return; /* it did not take its reply */
    connection_list_remove(connection);
    unwatch(server, connection);
    connection->request.arrived_ms = clock_ms();
    connection->deadline_ms =
        connection->request.arrived_ms + atomic_load(&server->queue_age_ms);
    show_frame(connection, connection->frame_len);
    (void)pthread_mutex_lock(&server->lock);
    room = server->queued < server->limits.queue_max;
    if (room) {
        connection_list_append(&server->queue, connection);
        server->queued++;
    }
    (void)pthread_mutex_unlock(&server->lock);
    if (room) {
        (void)pthread_cond_signal(&server->work);
    } else {
        server_turn_away(server, connection, SERVER_QUEUE_FULL);
        drop(server, connection);
    }
}

/* Forgets the frame that was answered; the peer may have sent the next one. */
static void forget_frame(struct server *server, struct connection *connection)
{
    connection_consume(connection, connection->frame_len);
    if (connection->len > 0)
        return;
    connection_list_remove(connection);
    connection->deadline_ms = clock_ms() + server->limits.idle_timeout_ms;
    connection_list_append(&server->idle, connection);
}

/* Answers a frame here, if that needs no waiting; false: a worker has to. */
static bool answer_at_once(struct server *server, struct connection *connection,
                           bool *kept_r)
{
    enum server_after after = SERVER_CLOSE;
    bool answered;

    if (server->hooks.at_once == NULL)
        return false;
    connection->request.arrived_ms = clock_ms();
    connection->reply_wait_ms = 0;
    show_frame(connection, connection->frame_len);
    connection->replies_later = true;
    answered =
        server->hooks.at_once(server->context, &connection->request, &after);
    connection->replies_later = false;
    if (connection->reply_len > 0 && !connection->replying) {
        connection->replying = true;
        connection->next_replying = server->replying;
        server->replying = connection;
    }
    if (!answered)
        return false;
    *kept_r = after == SERVER_KEEP && !atomic_load(&server->stopping) &&
              server->limits.idle_timeout_ms > 0;
    if (*kept_r)
        forget_frame(server, connection);
    else
        drop(server, connection);
    return true;
}

/*
 * Looks whether what was received is a frame by now. True: it was and has been
 * answered, and there may be another one behind it.
 */
static bool look_once(struct server *server, struct connection *connection)
{
    enum server_frame frame = SERVER_FRAME_MORE;
    bool again = false;

    if (connection->len > 0)
        frame = server->hooks.frame(server->context, connection->data,
                                    connection->len, &connection->frame_len);
    if (frame == SERVER_FRAME_MORE &&
        connection->len > server->limits.frame_bytes_max)
        frame = SERVER_FRAME_INVALID;
    switch (frame) {
    case SERVER_FRAME_MORE:
        if (connection->list == &server->idle && connection->len == 0)
            await_bytes(server, connection, &server->idle, 0);
        else
            await_bytes(server, connection, &server->reading,
                        clock_ms() + atomic_load(&server->frame_timeout_ms));
        break;
    case SERVER_FRAME_WHOLE:
        if (answer_at_once(server, connection, &again))
            break;
        enqueue(server, connection);
        break;
    case SERVER_FRAME_INVALID:
        refuse_frame(server, connection);
        break;
    }
    return again;
}

static void look_for_frame(struct server *server, struct connection *connection)
{
    while (look_once(server, connection))
        continue;
}

/* Throws away what a refused peer still sends. */
static void discard(struct server *server, struct connection *connection)
{
    ssize_t got = recv(connection->fd, server->scratch,
                       server->limits.frame_bytes_max + 1, MSG_DONTWAIT);

    if (got > 0) {
        secret_wipe(server->scratch, (size_t)got);
        await_bytes(server, connection, &server->discarding, 0);
    } else {
        drop(server, connection);
    }
}

/* Reads what there is; the end of the stream before a frame ends it. */
static void read_more(struct server *server, struct connection *connection)
{
    size_t room = server->limits.frame_bytes_max + 1 - connection->len;
    ssize_t got = recv(connection->fd, server->scratch, room, MSG_DONTWAIT);
    enum status status;

    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        drop(server, connection);
        return;
    }
    if (got > 0) {
        status = connection_append(connection, server->scratch, (size_t)got);
        secret_wipe(server->scratch, (size_t)got);
        if (status != STATUS_OK) {
            turn_away_unread(server, connection, SERVER_CROWDED);
            return;
        }
    }
    look_for_frame(server, connection);
}

/* True if the door lets this peer in; root could become any of them. */
static bool peer_allowed(const struct door *door, uid_t uid)
{
    bool allowed = door->peer_count == 0 || uid == 0;

    for (size_t i = 0; i < door->peer_count && !allowed; i++)
        allowed = door->peers[i] == uid;
    return allowed;
}

/* Sends the oldest one that has sent no whole frame away; false: none is. */
static bool make_room(struct server *server)
{
    struct connection *oldest = server->discarding.first;

    if (oldest != NULL) {
        drop(server, oldest);
        return true;
    }
    oldest =
        server->idle.first != NULL ? server->idle.first : server->reading.first;
    if (oldest == NULL)
        return false;
    turn_away_unread(server, oldest, SERVER_CROWDED);
    return true;
}

/* Takes in one accepted descriptor, which is ours now. */
static void welcome(struct server *server, size_t door, int fd, bool last_fd)
{
    struct connection *connection = connection_new(fd, door);
    bool crowded;

    if (connection == NULL) {
        (void)close(fd);
        return;
    }
    atomic_fetch_add(&server->accepted, 1);
    crowded =
        atomic_load(&server->connections) >= server->limits.connections_max;
    if (!peer_allowed(&server->doors[door], connection->request.peer_uid)) {
        atomic_fetch_add(&server->connections, 1);
        turn_away_unread(server, connection, SERVER_PEER_REFUSED);
        return;
    }
    crowded = crowded && (server->limits.keeps_old || !make_room(server));
    atomic_fetch_add(&server->connections, 1);
    if (last_fd)
        turn_away_unread(server, connection, SERVER_NO_DESCRIPTOR);
    else if (crowded)
        turn_away_unread(server, connection, SERVER_CROWDED);
    else
        read_more(server, connection);
}

/* No descriptor is left: makes room, or gives the reserve for a good-bye. */
static int accept_without_descriptor(struct server *server, int listener_fd,
                                     bool *reserve_used_r)
{
    int fd = -1;

    *reserve_used_r = false;
    if (make_room(server))
        fd = accept4(listener_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0 || server->reserve_fd < 0)
        return fd;
    (void)close(server->reserve_fd);
    server->reserve_fd = -1;
    *reserve_used_r = true;
    return accept4(listener_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

/* Accepts one; false: there is none, or not now. */
static bool accept_one(struct server *server, size_t index)
{
    int listener_fd = server->doors[index].listener.fd;
    bool reserve_used = false;
    int fd = accept4(listener_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    int number;

    if (fd < 0 && (errno == EMFILE || errno == ENFILE))
        fd = accept_without_descriptor(server, listener_fd, &reserve_used);
    if (fd >= 0) {
        welcome(server, index, fd, reserve_used);
        if (reserve_used)
            server_restore_reserve(server);
        return true;
    }
    number = errno;
    server_restore_reserve(server);
    if (number == EINTR || number == ECONNABORTED)
        return true;
    /* The door stays readable: without a pause this would be a busy loop. */
    if (number != EAGAIN)
        clock_sleep_ms(ACCEPT_PAUSE_MS);
    return false;
}

/* Turns away what waited too long for a worker, or all of it. */
static void expire_queue(struct server *server, int64_t now_ms,
                         enum server_why why)
{
    for (;;) {
        struct connection *oldest;

        (void)pthread_mutex_lock(&server->lock);
        oldest = server->queue.first;
        if (oldest != NULL && why == SERVER_QUEUE_AGE &&
            oldest->deadline_ms > now_ms)
            oldest = NULL;
        if (oldest != NULL) {
            connection_list_remove(oldest);
            server->queued--;
        }
        (void)pthread_mutex_unlock(&server->lock);
        if (oldest == NULL)
            return;
        server_turn_away(server, oldest, why);
        drop(server, oldest);
    }
}

/* Turns away whose time is over. */
static void expire(struct server *server, int64_t now_ms)
{
    struct connection *oldest;

    while ((oldest = server->reading.first) != NULL &&
           oldest->deadline_ms <= now_ms)
        turn_away_unread(server, oldest, SERVER_SLOW);
    while ((oldest = server->idle.first) != NULL &&
           oldest->deadline_ms <= now_ms)
        turn_away_unread(server, oldest, SERVER_IDLE);
    while ((oldest = server->discarding.first) != NULL &&
           oldest->deadline_ms <= now_ms)
        drop(server, oldest);
    expire_queue(server, now_ms, SERVER_QUEUE_AGE);
}

/* Frees what was dropped, now that no event can name it. */
static void bury(struct server *server)
{
    struct connection *connection;

    while ((connection = connection_list_take(&server->dead)) != NULL)
        connection_free(&connection);
}

/* Takes back the connections that workers keep for another frame. */
static void take_back(struct server *server)
{
    struct connection *connection;
    uint64_t count;

    if (read(server->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
        return;
    for (;;) {
        (void)pthread_mutex_lock(&server->lock);
        connection = connection_list_take(&server->kept);
        (void)pthread_mutex_unlock(&server->lock);
        if (connection == NULL)
            return;
        forget_frame(server, connection);
        look_for_frame(server, connection);
    }
}

/* Shuts the doors behind those who stand there already. */
static void close_doors(struct server *server)
{
    server->doors_closed = true;
    for (size_t i = 0; i < server->door_count; i++) {
        struct listener *listener = &server->doors[i].listener;

        /* What waits at a socket of systemd's is the next process's. */
        for (size_t n = 0; n < server->limits.connections_max; n++) {
            if (listener->inherited || !accept_one(server, i))
                break;
        }
        (void)epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, listener->fd, NULL);
        listen_close(listener);
    }
}

/* One round of stopping; true: the queue is empty, workers may leave. */
static bool stop_round(struct server *server, int64_t now_ms)
{
    bool empty;
    int64_t stop_by_ms;

    if (!server->doors_closed)
        close_doors(server);
    while (server->reading.first != NULL)
        turn_away_unread(server, server->reading.first, SERVER_STOPPING);
    while (server->idle.first != NULL)
        turn_away_unread(server, server->idle.first, SERVER_STOPPING);
    while (server->discarding.first != NULL)
        drop(server, server->discarding.first);
    (void)pthread_mutex_lock(&server->lock);
    stop_by_ms = server->stop_by_ms;
    (void)pthread_mutex_unlock(&server->lock);
    if (now_ms >= stop_by_ms)
        expire_queue(server, now_ms, SERVER_STOPPING);
    (void)pthread_mutex_lock(&server->lock);
    empty = server->queue.first == NULL;
    if (empty) {
        server->ending = true;
        (void)pthread_cond_broadcast(&server->work);
    }
    (void)pthread_mutex_unlock(&server->lock);
    return empty;
}

/* The earlier of a limit and the deadline of a list's first. */
static int64_t earlier(int64_t until_ms, const struct connection_list *list)
{
    return list->first != NULL && list->first->deadline_ms < until_ms
               ? list->first->deadline_ms
               : until_ms;
}

/* How long epoll may wait. */
static int wait_ms(struct server *server, int64_t now_ms)
{
    int64_t until_ms = now_ms + ROUND_MS_MAX;

    if (atomic_load(&server->stopping))
        return STOPPING_ROUND_MS;
    until_ms = earlier(until_ms, &server->reading);
    until_ms = earlier(until_ms, &server->idle);
    until_ms = earlier(until_ms, &server->discarding);
    (void)pthread_mutex_lock(&server->lock);
    until_ms = earlier(until_ms, &server->queue);
    (void)pthread_mutex_unlock(&server->lock);
    return clock_left_ms(until_ms);
}

/* Does what one event asks for. */
static void take_event(struct server *server, struct source *source)
{
    switch (source->kind) {
    case SOURCE_WAKE:
        take_back(server);
        break;
    case SOURCE_DOOR: {
        size_t index = (size_t)((struct door *)(void *)source - server->doors);

        for (int i = 0; i < ACCEPTS_AT_ONCE && !server->doors_closed; i++) {
            if (!accept_one(server, index))
                break;
        }
        break;
    }
    case SOURCE_CONNECTION: {
        struct connection *connection = (struct connection *)(void *)source;

        if (connection->fd < 0)
            break; /* dropped earlier in this round */
        if (connection->discarding)
            discard(server, connection);
        else
            read_more(server, connection);
        break;
    }
    }
}

/* The reading thread. */
void *server_reader(void *argument)
{
    struct server *server = argument;
    struct epoll_event events[EVENTS_AT_ONCE];
    bool done = false;

    while (!done) {
        int64_t now_ms = clock_ms();
        int count;

        atomic_store(&server->round_ms, now_ms);
        count = epoll_wait(server->epoll_fd, events, EVENTS_AT_ONCE,
                           wait_ms(server, now_ms));
        for (int i = 0; i < count; i++)
            take_event(server, events[i].data.ptr);
        expire(server, clock_ms());
        if (atomic_load(&server->stopping))
            done = stop_round(server, clock_ms());
        send_replies(server);
        bury(server);
    }
    server_thread_ended(server);
    return NULL;
}
