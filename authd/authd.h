/*
 * authd - the login service: doors, workers, keeper, control socket
 *
 * Puts together what common/ offers. One struct, made and ended by main.c.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef AUTHD_AUTHD_H
#define AUTHD_AUTHD_H

#include "listen.h"
#include "log.h"
#include "status.h"
#include "strbuf.h"

#include <stdbool.h>
#include <stdint.h>

struct authd;

/*
 * Reads the settings at path (borrowed) and prepares everything but sockets
 * and threads of its own. fixed_level: the settings do not choose the level of
 * log (borrowed).
 *
 * Returns STATUS_OK and an owned *authd_r (authd_free); else a line for each
 * fault, STATUS_INVALID when the settings are to blame.
 */
enum status authd_new(const char *path, struct log *log, bool fixed_level,
                      struct authd **authd_r, struct strbuf *faults) MUST_CHECK;

/*
 * Opens all sockets, asks the store for its schema, starts the threads.
 *
 * Returns STATUS_OK, also when the store gives no answer yet; STATUS_INVALID
 * when a socket or the schema has to be put right first; STATUS_TEMPFAIL.
 */
enum status authd_start(struct authd *authd, struct listen_inherited *inherited,
                        struct errtext *err) MUST_CHECK;

/*
 * Reads the settings again. Faults, a line each, are logged and appended;
 * the settings in force stay then. Any thread; one at a time.
 */
enum status authd_reload(struct authd *authd, struct strbuf *faults) MUST_CHECK;

/* For the watchdog: false if it no longer serves. */
bool authd_alive(struct authd *authd);

/*
 * Stops: no new connections, what is queued is answered, last logins written.
 * STATUS_TEMPFAIL if something did not end by deadline_ms: then nothing may be
 * freed, and the process has to go.
 */
enum status authd_stop(struct authd *authd, int64_t deadline_ms,
                       struct errtext *err) MUST_CHECK;

/* Frees *authd, stopped or never started, and sets it to NULL. */
void authd_free(struct authd **authd);

#endif
