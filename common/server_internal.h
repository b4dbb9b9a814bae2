/*
 * server_internal - what server.c and server_reader.c share
 *
 * server.c makes, starts and stops the server and runs the workers;
 * server_reader.c is the thread that accepts and reads.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_SERVER_INTERNAL_H
#define COMMON_SERVER_INTERNAL_H

#include "server_connection.h"

#include <pthread.h>
#include <stdatomic.h>

struct door {
    struct source source;
    struct listener listener;
    uid_t peers[SERVER_PEERS_MAX];
    size_t peer_count;
};

struct worker {
    struct server *server;
    unsigned index;
    pthread_t thread;
    _Atomic int64_t busy_since_ms; /* 0: it waits for work */
};

struct server {
    struct server_limits limits;
    struct server_hooks hooks;
    void *context;
    _Atomic int64_t frame_timeout_ms;
    _Atomic int64_t queue_age_ms;
    struct door doors[SERVER_DOORS_MAX];
    size_t door_count;
    struct worker *workers;
    unsigned workers_started;
    pthread_t reader;
    bool reader_started;

    /* The reading thread's own. */
    int epoll_fd;
    int reserve_fd; /* given up to accept one more and say good-bye */
    struct source wake_source;
    unsigned char *scratch; /* frame_bytes_max + 1 bytes */
    bool doors_closed;
    struct connection_list reading;
    struct connection_list idle;
    struct connection_list discarding;
    struct connection_list dead; /* freed when the round's events are done */
    struct connection *replying; /* whose replies go out at the round's end */

    /* Shared under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct connection_list queue;
    struct connection_list kept; /* on the way back to the reading thread */
    unsigned queued;
    bool ending; /* workers leave when the queue is empty */
    int64_t stop_by_ms;
    pthread_cond_t ended;
    unsigned running; /* threads that have not ended */

    int wake_fd;
    _Atomic bool stopping;
    _Atomic int64_t round_ms; /* when the reading thread last came round */
    _Atomic unsigned connections;
    _Atomic unsigned in_flight;
    _Atomic uint64_t accepted;
    _Atomic uint64_t turned_away[SERVER_WHY_COUNT];
};

/* Says good-bye to one that met no worker; the connection stays open. */
void server_turn_away(struct server *server, struct connection *connection,
                      enum server_why why);

/* Opens the reserve descriptor again after it was given up. */
void server_restore_reserve(struct server *server);

/* Called last by each thread, so that server_stop need not wait for ever. */
void server_thread_ended(struct server *server);

/* The reading thread; argument is the server. */
void *server_reader(void *argument);

#endif
