/*
 * server - listens on unix sockets, reads whole frames, lets workers answer
 *
 * One thread accepts and reads (epoll): a frame goes to a bounded queue when
 * it is whole, so that slow, partial and silent peers never hold a worker. A
 * fixed set of workers takes frames from the queue; one that waited longer
 * than its limit is turned away instead. What a frame is, and what is answered,
 * is the program's: three functions, and a fourth for what can be answered
 * without waiting, and without the way to a worker and back. Peers are not
 * trusted; every connection has a deadline and a bounded buffer, which is wiped
 * before it is freed, since frames may hold passwords.
 *
 * Too many connections, or no descriptor left: the oldest connection that
 * has sent no whole frame goes, so that nobody can starve others by holding
 * sockets open; only if there is none, the new one is turned away. With
 * keeps_old it is always the new one, for peers that stay and may be trusted.
 *
 * authd and policyd use it for their doors, and both for the control socket.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_SERVER_H
#define COMMON_SERVER_H

#include "listen.h"
#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SERVER_DOORS_MAX 64
#define SERVER_PEERS_MAX 64 /* allowed users of one door */

struct server_limits {
    unsigned connections_max;
    unsigned queue_max; /* whole frames waiting for a worker */
    unsigned workers;
    bool keeps_old; /* beyond connections_max a new one has to go */
    size_t frame_bytes_max;
    int64_t frame_timeout_ms; /* from accept, or first byte, to a whole frame */
    int64_t idle_timeout_ms;  /* a kept connection without a byte; 0: none is
                                 kept */
    int64_t queue_age_ms;     /* an older frame is turned away */
    int64_t reply_timeout_ms; /* how long a worker may wait for a peer to read
                                 its reply; 0: not at all */
};

/* One connection as hooks see it; data is the frame, wiped afterwards. */
struct server_request {
    size_t door; /* in the order of server_add_door */
    uid_t peer_uid;
    pid_t peer_pid;
    const unsigned char *data;
    size_t len;
    int64_t arrived_ms; /* clock_ms() when the frame was whole */
};

enum server_frame {
    SERVER_FRAME_MORE,
    SERVER_FRAME_WHOLE,
    SERVER_FRAME_INVALID /* nothing read later can make it right */
};

enum server_after {
    SERVER_CLOSE,
    SERVER_KEEP /* read the next frame */
};

/* Why a connection ends without having met a worker. */
enum server_why {
    SERVER_INVALID,       /* what it sent is no frame, or over the bound */
    SERVER_QUEUE_FULL,    /* a whole frame */
    SERVER_QUEUE_AGE,     /* a whole frame */
    SERVER_SLOW,          /* no whole frame in time */
    SERVER_IDLE,          /* a kept connection had nothing to say */
    SERVER_CROWDED,       /* it made room for another one, or found none */
    SERVER_STOPPING,      /* maybe a whole frame */
    SERVER_NO_DESCRIPTOR, /* nothing was read */
    SERVER_PEER_REFUSED   /* nothing was read, and no reply is sent */
};
#define SERVER_WHY_COUNT 9

/* Returns a constant code for logs ("queue_full", ...). */
const char *server_why_name(enum server_why why);

struct server_hooks {
    /*
     * Looks at the len bytes received so far (at least 1, never more than
     * frame_bytes_max + 1). WHOLE: *used_r bytes are the frame. Called in the
     * reading thread: must not wait.
     */
    enum server_frame (*frame)(void *context, const unsigned char *data,
                               size_t len, size_t *used_r);
    /*
     * Answers one frame, with server_reply, in the reading thread: must not
     * wait. Returns true and *after_r; or false, and handle is called for the
     * same frame. May be NULL. A short reply goes out when all that had been
     * sent by then has been looked at.
     */
    bool (*at_once)(void *context, struct server_request *request,
                    enum server_after *after_r);
    /* Answers one frame, with server_reply; in a worker: may wait. */
    enum server_after (*handle)(void *context, unsigned worker,
                                struct server_request *request);
    /*
     * Says good-bye, with server_reply, and logs. request->len is 0 unless a
     * whole frame was read (or, for INVALID, something). Must not wait.
     */
    void (*turn_away)(void *context, struct server_request *request,
                      enum server_why why);
};

struct server;

/*
 * Makes a server without doors and threads; hooks are copied, context is
 * handed to them.
 * Returns STATUS_OK and an owned *server_r (server_free), or STATUS_TEMPFAIL.
 */
enum status server_new(const struct server_limits *limits,
                       const struct server_hooks *hooks, void *context,
                       struct server **server_r,
                       struct errtext *err) MUST_CHECK;

/* Who may connect: user names; none: whoever the socket's mode lets in. */
struct server_peers {
    const char *const *names;
    size_t count;
};

/*
 * Opens one more socket; before server_start. A peer that is neither root nor
 * in peers is closed without being read. Results as listen_open's, and
 * STATUS_INVALID for a user name that does not exist.
 */
enum status server_add_door(struct server *server,
                            const struct listen_settings *set,
                            struct listen_inherited *inherited,
                            const struct server_peers *peers,
                            struct errtext *err) MUST_CHECK;

/* Starts the threads. All signals should be blocked by the caller. */
enum status server_start(struct server *server, struct errtext *err) MUST_CHECK;

/* Sends a reply; true if all of it was taken. Only from within a hook. */
bool server_reply(struct server_request *request, const void *data, size_t len);

/*
 * Stops: takes what already stands at the doors, closes them and removes
 * their files, turns away who has sent no whole frame, lets the workers empty
 * the queue, and joins the threads; frames still queued at deadline_ms are
 * turned away.
 *
 * Returns STATUS_OK; or STATUS_TEMPFAIL if a worker had not come back a second
 * after the deadline, in which case only the end of the process can help.
 */
enum status server_stop(struct server *server, int64_t deadline_ms,
                        struct errtext *err) MUST_CHECK;

/* Frees a server that was never started or was stopped; sets it to NULL. */
void server_free(struct server **server);

/* Settings that a reload may change while it runs. */
void server_set_times(struct server *server, int64_t frame_timeout_ms,
                      int64_t queue_age_ms);

struct server_counts {
    unsigned connections; /* now */
    unsigned queued;      /* now */
    unsigned in_flight;   /* in workers, now */
    uint64_t accepted;    /* ever */
    uint64_t turned_away[SERVER_WHY_COUNT];
};
void server_counts(struct server *server, struct server_counts *out);

/*
 * For a watchdog: false if the reading thread has not come round, or every
 * worker has been busy, for longer than within_ms.
 */
bool server_alive(struct server *server, int64_t within_ms);

#endif
