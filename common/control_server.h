/*
 * control_server - the control socket of a daemon
 *
 * A small server of its own, so that it answers also when every worker of the
 * daemon is busy: it reads the requests of control.h and sends the replies.
 * What a word does is the daemon's, by one function. Whom it turns away it
 * tells the daemon's log, as daemon.h may write to it. Programs only.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_CONTROL_SERVER_H
#define COMMON_CONTROL_SERVER_H

#include "control.h"
#include "listen.h"
#include "log.h"
#include "status.h"
#include "strbuf.h"

#include <stdbool.h>
#include <stdint.h>

/* All of it is borrowed, and outlives the server but for path and group. */
struct control_server_settings {
    const char *path; /* "": there is no such socket */
    const char *group;
    struct log *log;
    /*
     * Does what was asked; called in one thread, and may wait. Appends what is
     * answered to text; false: it could not be done, and text says why.
     */
    bool (*obey)(void *context, enum control_word word, const char *argument,
                 struct strbuf *text);
    void *context;
};

struct control_server;

/*
 * Opens the socket, for root and the group. Returns STATUS_OK and an owned
 * *control_r, NULL without a path; other results as server_add_door's.
 */
enum status control_server_open(const struct control_server_settings *set,
                                struct listen_inherited *inherited,
                                struct control_server **control_r,
                                struct errtext *err) MUST_CHECK;

/* As server_start and server_stop; NULL is done with at once. */
enum status control_server_start(struct control_server *control,
                                 struct errtext *err) MUST_CHECK;
enum status control_server_stop(struct control_server *control,
                                int64_t deadline_ms,
                                struct errtext *err) MUST_CHECK;

/* Frees *control, stopped or never started, and sets it to NULL. */
void control_server_free(struct control_server **control);

#endif
