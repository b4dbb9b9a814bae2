/* server_connection - see server_connection.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "server_connection.h"

#include "clock.h"
#include "secret.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Writes down who the peer is, as the kernel knows it. */
static void identify_peer(struct connection *connection)
{
    struct ucred peer = {0};
    socklen_t len = sizeof(peer);

    connection->request.peer_uid = (uid_t)-1;
    if (getsockopt(connection->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
        return;
    connection->request.peer_uid = peer.uid;
    connection->request.peer_pid = peer.pid;
}

struct connection *connection_new(int fd, size_t door)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    if (connection == NULL)
        return NULL;
    connection->source.kind = SOURCE_CONNECTION;
    connection->fd = fd;
    connection->request.door = door;
    identify_peer(connection);
    return connection;
}

void connection_close(struct connection *connection)
{
    if (connection->fd >= 0)
        (void)close(connection->fd);
    connection->fd = -1;
}

void connection_free(struct connection **connection)
{
    if (*connection == NULL)
        return;
    connection_close(*connection);
    if ((*connection)->data != NULL)
        secret_wipe((*connection)->data, (*connection)->len);
    free((*connection)->data);
    free(*connection);
    *connection = NULL;
}

enum status connection_append(struct connection *connection,
                              const unsigned char *bytes, size_t len)
{
    unsigned char *data = malloc(connection->len + len);

    if (data == NULL)
        return STATUS_TEMPFAIL;
    if (connection->data != NULL) {
        memcpy(data, connection->data, connection->len);
        secret_wipe(connection->data, connection->len);
        free(connection->data);
    }
    memcpy(data + connection->len, bytes, len);
    connection->data = data;
    connection->len += len;
    return STATUS_OK;
}

void connection_consume(struct connection *connection, size_t len)
{
    size_t left = connection->len - len;

    memmove(connection->data, connection->data + len, left);
    secret_wipe(connection->data + left, len);
    connection->len = left;
    if (left == 0) {
        free(connection->data);
        connection->data = NULL;
    }
}

void connection_list_append(struct connection_list *list,
                            struct connection *connection)
{
    connection->list = list;
    connection->next = NULL;
    connection->previous = list->last;
    if (list->last != NULL)
        list->last->next = connection;
    else
        list->first = connection;
    list->last = connection;
}

void connection_list_remove(struct connection *connection)
{
    struct connection_list *list = connection->list;

    if (list == NULL)
        return;
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        list->first = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    else
        list->last = connection->previous;
    connection->list = NULL;
    connection->previous = NULL;
    connection->next = NULL;
}

struct connection *connection_list_take(struct connection_list *list)
{
    struct connection *first = list->first;

    if (first != NULL)
        connection_list_remove(first);
    return first;
}

/* The connection whose request a hook was given. */
static struct connection *connection_of(struct server_request *request)
{
    char *start = (char *)request - offsetof(struct connection, request);

    return (struct connection *)(void *)start;
}

/* Waits until the peer makes room, if there is time; false: it did not. */
static bool wait_for_room(int fd, int64_t deadline_ms)
{
    struct pollfd wanted = {.fd = fd, .events = POLLOUT};

    return clock_left_ms(deadline_ms) > 0 &&
           poll(&wanted, 1, clock_left_ms(deadline_ms)) > 0;
}

static bool send_all(const struct connection *connection, const void *data,
                     size_t len)
{
    int64_t deadline_ms = clock_ms() + connection->reply_wait_ms;
    const unsigned char *bytes = data;

    while (len > 0) {
        ssize_t sent =
            send(connection->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent >= 0) {
            bytes += sent;
            len -= (size_t)sent;
        } else if (errno == EAGAIN) {
            if (!wait_for_room(connection->fd, deadline_ms))
                return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool connection_send_reply(struct connection *connection)
{
    size_t len = connection->reply_len;

    connection->reply_len = 0;
    return len == 0 || send_all(connection, connection->reply, len);
}

bool server_reply(struct server_request *request, const void *data, size_t len)
{
    struct connection *connection = connection_of(request);

    if (connection->replies_later &&
        len <= sizeof(connection->reply) - connection->reply_len) {
        memcpy(connection->reply + connection->reply_len, data, len);
        connection->reply_len += len;
        return true;
    }
    return connection_send_reply(connection) && send_all(connection, data, len);
}
