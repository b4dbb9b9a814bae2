/* directory_socket - see directory_socket.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_socket.h"

#include "clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define STAGGER_MS 250 /* RFC 8305 section 5 */
#define KEEP_IDLE_SECONDS 30
#define KEEP_INTERVAL_SECONDS 10
#define KEEP_COUNT 3
#define LOCAL_RETRY_MS 10

/* The attempts under way; slots of ended ones have fd -1. */
struct race {
    const struct directory_addresses *addresses;
    struct pollfd fds[DIRECTORY_ADDRESSES_MAX];
    size_t started;
    size_t pending;
    int64_t next_start_ms;
    int last_errno;
};

static enum status fail(int errnum, struct errtext *err)
{
    char text[128];

    errtext_set(err, "connect: %s", strerror_r(errnum, text, sizeof(text)));
    return STATUS_TEMPFAIL;
}

/* A dead peer is noticed within a minute, also by an idle connection. */
static void tune(int fd)
{
    static const int on = 1;
    static const int idle = KEEP_IDLE_SECONDS;
    static const int interval = KEEP_INTERVAL_SECONDS;
    static const int count = KEEP_COUNT;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval,
                     sizeof(interval));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
}

/* Starts the next address. Returns true if it is connected already. */
static bool start_next(struct race *race)
{
    size_t slot = race->started++;
    const struct directory_address *address = &race->addresses->list[slot];
    int fd = socket(address->storage.ss_family,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const struct sockaddr *peer = (const struct sockaddr *)&address->storage;

    race->fds[slot].fd = fd;
    race->fds[slot].events = POLLOUT;
    race->next_start_ms = clock_ms() + STAGGER_MS;
    if (fd >= 0 && connect(fd, peer, address->len) == 0)
        return true;
    if (fd >= 0 && errno == EINPROGRESS) {
        race->pending++;
        return false;
    }
    race->last_errno = errno;
    if (fd >= 0)
        (void)close(fd);
    race->fds[slot].fd = -1;
    race->next_start_ms = clock_ms();
    return false;
}

/* Looks at the attempts that poll(2) reported; returns the winner or -1. */
static int look(struct race *race)
{
    for (size_t i = 0; i < race->started; i++) {
        struct pollfd *slot = &race->fds[i];
        socklen_t len = sizeof(race->last_errno);
        int error = 0;

        if (slot->fd < 0 || slot->revents == 0)
            continue;
        if (getsockopt(slot->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 &&
            error == 0)
            return (int)i;
        race->last_errno = error;
        (void)close(slot->fd);
        slot->fd = -1;
        race->pending--;
        race->next_start_ms = clock_ms();
    }
    return -1;
}

/* Runs the race; returns the winning slot, or -1 with last_errno set. */
static int run(struct race *race, int64_t deadline_ms)
{
    for (;;) {
        bool more = race->started < race->addresses->count;
        int64_t until_ms = deadline_ms;
        int winner;

        if (clock_left_ms(deadline_ms) == 0) {
            race->last_errno = ETIMEDOUT;
            return -1;
        }
        if (more && (race->pending == 0 || clock_ms() >= race->next_start_ms)) {
            if (start_next(race))
                return (int)race->started - 1;
            continue;
        }
        if (race->pending == 0)
            return -1;
        if (more && race->next_start_ms < until_ms)
            until_ms = race->next_start_ms;
        if (poll(race->fds, race->started, clock_left_ms(until_ms)) <= 0)
            continue;
        winner = look(race);
        if (winner >= 0)
            return winner;
    }
}

enum status
directory_socket_connect(const struct directory_addresses *addresses,
                         int64_t deadline_ms, int *fd_r, struct errtext *err)
{
    struct race race = {.addresses = addresses};
    int winner = run(&race, deadline_ms);

    for (size_t i = 0; i < race.started; i++) {
        if ((int)i != winner && race.fds[i].fd >= 0)
            (void)close(race.fds[i].fd);
    }
    if (winner < 0)
        return fail(race.last_errno, err);
    tune(race.fds[winner].fd);
    *fd_r = race.fds[winner].fd;
    return STATUS_OK;
}

enum status directory_socket_local(const char *path, int64_t deadline_ms,
                                   int *fd_r, struct errtext *err)
{
    struct sockaddr_un peer = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    int fd;

    if (len >= sizeof(peer.sun_path)) {
        errtext_set(err, "socket path over %zu bytes",
                    sizeof(peer.sun_path) - 1);
        return STATUS_TEMPFAIL;
    }
    memcpy(peer.sun_path, path, len + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(errno, err);
    while (connect(fd, (const struct sockaddr *)&peer, sizeof(peer)) != 0) {
        int errnum = errno;

        /* EAGAIN: the server's queue is full, and nothing would tell us. */
        if (errnum != EAGAIN || clock_left_ms(deadline_ms) == 0) {
            (void)close(fd);
            return fail(errnum == EAGAIN ? ETIMEDOUT : errnum, err);
        }
        clock_sleep_ms(LOCAL_RETRY_MS);
    }
    *fd_r = fd;
    return STATUS_OK;
}
