/*
 * server_connection - one connection of a server, and lists of them
 *
 * Internal to server.c. A connection is on one list at a time and belongs to
 * one thread at a time: the reading thread, or the worker that took it.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_SERVER_CONNECTION_H
#define COMMON_SERVER_CONNECTION_H

#include "server.h"

/* What an epoll event is about; first member of each of these. */
enum source_kind {
    SOURCE_WAKE,
    SOURCE_DOOR,
    SOURCE_CONNECTION
};
struct source {
    enum source_kind kind;
};

struct connection_list;

#define CONNECTION_REPLY_BYTES 64 /* what short replies have */

struct connection {
    struct source source;
    struct server_request request; /* what hooks see */
    int fd;                        /* -1: closed, waits to be freed */
    bool watched;                  /* epoll looks at the descriptor */
    bool discarding;               /* whatever still comes is thrown away */
    int reply_wait_ms;             /* 0 in the reading thread */
    bool replies_later;            /* short replies wait in reply */
    size_t reply_len;
    char reply[CONNECTION_REPLY_BYTES];
    bool replying; /* it is one of those whose replies wait */
    struct connection *next_replying;
    unsigned char *data; /* owned; len bytes received so far */
    size_t len;
    size_t frame_len; /* bytes of data that are the frame */
    int64_t deadline_ms;
    struct connection *previous;
    struct connection *next;
    struct connection_list *list; /* that it is on; NULL: none */
};

/* First in, first out; deadlines of one list ascend. */
struct connection_list {
    struct connection *first;
    struct connection *last;
};

/* Returns a connection that owns fd, or NULL without memory (fd stays). */
struct connection *connection_new(int fd, size_t door);

/* Closes the descriptor; the struct stays for who still points to it. */
void connection_close(struct connection *connection);

/* Closes, wipes and frees *connection, sets it to NULL. On no list. */
void connection_free(struct connection **connection);

/* Adds len received bytes. STATUS_TEMPFAIL without memory. */
enum status connection_append(struct connection *connection,
                              const unsigned char *bytes,
                              size_t len) MUST_CHECK;

/* Forgets the first len bytes; the rest is the beginning of what follows. */
void connection_consume(struct connection *connection, size_t len);

/* Sends the reply that waits, if any; false: it was not taken, and is gone. */
bool connection_send_reply(struct connection *connection);

void connection_list_append(struct connection_list *list,
                            struct connection *connection);

/* Takes it off the list that it is on, if any. */
void connection_list_remove(struct connection *connection);

/* Takes the first one off; NULL: the list is empty. */
struct connection *connection_list_take(struct connection_list *list);

#endif
