/*
 * daemon - the frame of provost-authd and provost-policyd
 *
 * Options, settings to be checked only, signals, systemd, the end; what is
 * served is the program's, by six functions. Here and in control_server alone
 * common/ writes to the log, which is opened here; it still never exits.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DAEMON_H
#define COMMON_DAEMON_H

#include "listen.h"
#include "log.h"
#include "status.h"
#include "strbuf.h"

#include <stdbool.h>
#include <stdint.h>

struct daemon_hooks {
    const char *name; /* of the program, and in the log */
    const char *path; /* of the settings, unless told by -c */
    /*
     * Reads the settings at path and prepares everything but sockets and
     * threads. fixed_level: they do not choose the level of log. STATUS_OK and
     * an owned *service_r; else a line for each fault, STATUS_INVALID when the
     * settings are to blame.
     */
    enum status (*make)(const char *path, struct log *log, bool fixed_level,
                        void **service_r, struct strbuf *faults);
    /* Opens the sockets, starts the threads; all signals are blocked. */
    enum status (*start)(void *service, struct listen_inherited *inherited,
                         struct errtext *err);
    /* Reads the settings again; bad ones are logged and the old ones stay. */
    enum status (*reload)(void *service, struct strbuf *faults);
    /* For the watchdog. */
    bool (*alive)(void *service);
    /*
     * Stops: STATUS_TEMPFAIL if a thread did not end by deadline_ms; nothing
     * may be freed then.
     */
    enum status (*stop)(void *service, int64_t deadline_ms,
                        struct errtext *err);
    /* Frees *service, stopped or never started, and sets it to NULL. */
    void (*release)(void **service);
};

/*
 * Runs the program until SIGTERM or SIGINT: -c file, -d debug, -s syslog, -t
 * check the settings, -v version. SIGHUP reloads.
 * Returns its exit status, of sysexits(3).
 */
int daemon_run(const struct daemon_hooks *hooks, int argc, char **argv);

/* The level that log_level names. */
enum log_level daemon_level(const char *name);

/* Writes each line of faults, after a reload that failed. */
void daemon_log_faults(struct log *log, const char *faults);

/* Closes sockets of systemd that no setting named, and tells of them. */
void daemon_close_unused(struct log *log, struct listen_inherited *inherited);

#endif
