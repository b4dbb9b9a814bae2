/* authd - see authd.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "authd.h"

#include "clock.h"
#include "command.h"
#include "control_server.h"
#include "door.h"
#include "generation.h"
#include "keeper.h"
#include "report.h"
#include "server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ANSWER_MS 3000 /* what the store may take at the start */
#define STUCK_MS 30000       /* beyond a login's deadline: nothing moves */

struct authd {
    const char *path;
    struct log *log;
    bool fixed_level;
    struct generations *generations;
    struct report *report;
    struct keeper *keeper;
    struct server *server;
    struct control_server *control;
    struct doors doors;
    struct commands commands;
    pthread_mutex_t reload_lock;
    /* What the sockets and threads were made for: a reload cannot change it. */
    struct server_limits limits;
    char *control_path;
};

static void release(void **service)
{
    struct authd *old = *service;

    *service = NULL;
    if (old == NULL)
        return;
    server_free(&old->server);
    control_server_free(&old->control);
    keeper_free(&old->keeper);
    generations_free(&old->generations);
    report_free(&old->report);
    for (size_t i = 0; i < old->doors.count; i++)
        free(old->doors.paths[i]);
    free(old->control_path);
    (void)pthread_mutex_destroy(&old->reload_lock);
    free(old);
}

/* What one server for the doors is allowed. */
static struct server_limits limits_of(const struct auth_settings *auth)
{
    return (struct server_limits){
        .connections_max = auth->max_connections,
        .queue_max = auth->queue_max,
        .workers = auth->workers,
        .frame_bytes_max = WIRE_REQUEST_BYTES_MAX,
        .frame_timeout_ms = auth->client_timeout_ms,
        .idle_timeout_ms = 0,
        .queue_age_ms = auth->queue_age_ms,
        .reply_timeout_ms = 0,
    };
}

/* Says which directories are trusted without being verified. */
static void warn_of_directories(struct authd *authd,
                                const struct settings *settings)
{
    for (size_t i = 0; i < settings->directory_count; i++) {
        const struct log_field fields[] = {
            LOG_TEXT("directory", settings->directories[i].name)};

        if (settings->directories[i].ignore_ssl_errors)
            log_line(authd->log, LOG_LEVEL_WARNING,
                     "the certificates of a directory are not verified "
                     "(ignore_ssl_errors)",
                     fields, 1);
        if (settings->directories[i].allow_cleartext)
            log_line(authd->log, LOG_LEVEL_WARNING,
                     "passwords may go to a directory in clear text "
                     "(allow_cleartext)",
                     fields, 1);
    }
}

static enum status make(const char *path, struct log *log, bool fixed_level,
                        void **service_r, struct strbuf *faults)
{
    struct authd *authd = calloc(1, sizeof(*authd));
    void *made = authd;
    struct errtext err = {0};
    enum status status;

    if (authd == NULL)
        goto no_memory;
    (void)pthread_mutex_init(&authd->reload_lock, NULL);
    authd->path = path;
    authd->log = log;
    authd->fixed_level = fixed_level;
    authd->generations = generations_new();
    authd->report = report_new(log);
    if (authd->generations == NULL || authd->report == NULL)
        goto no_memory;
    if (keeper_new(authd->generations, authd->report, log, &authd->keeper,
                   &err) != STATUS_OK)
        goto no_memory;
    status = generations_load(authd->generations, path, faults);
    if (status != STATUS_OK) {
        release(&made);
        return status;
    }
    authd->doors.generations = authd->generations;
    authd->doors.report = authd->report;
    authd->doors.log = log;
    *service_r = authd;
    return STATUS_OK;
no_memory:
    release(&made);
    strbuf_append(faults, "out of memory\n");
    return STATUS_TEMPFAIL;
}

/* Opens the sockets that people log in through. */
static enum status open_doors(struct authd *authd,
                              const struct auth_settings *auth,
                              struct listen_inherited *inherited,
                              struct errtext *err)
{
    enum status status;

    authd->limits = limits_of(auth);
    status = server_new(&authd->limits, &door_hooks, &authd->doors,
                        &authd->server, err);
    for (size_t i = 0; i < auth->socket_count && status == STATUS_OK; i++) {
        const struct socket_settings *set = &auth->sockets[i];
        const struct listen_settings where = {
            .path = set->path, .mode = set->mode, .group = set->group};
        const struct server_peers peers = {
            (const char *const *)set->allowed.items, set->allowed.count};

        status = server_add_door(authd->server, &where, inherited, &peers, err);
        if (status != STATUS_OK)
            break;
        authd->doors.paths[i] = strdup(set->path);
        if (authd->doors.paths[i] == NULL)
            status = status_no_memory(err);
        else
            authd->doors.count++;
        atomic_store(&authd->doors.kind[i], set->kind);
    }
    (void)doors_configure(&authd->doors, auth);
    return status;
}

/* Says what a reload cannot change; door count 0: not started yet. */
static void warn_of_restart(struct authd *authd,
                            const struct auth_settings *auth)
{
    struct server_limits limits = limits_of(auth);
    size_t strange = doors_configure(&authd->doors, auth);

    if (strange > 0 || authd->doors.count != auth->socket_count ||
        strcmp(authd->control_path, auth->control_path) != 0 ||
        limits.connections_max != authd->limits.connections_max ||
        limits.queue_max != authd->limits.queue_max ||
        limits.workers != authd->limits.workers)
        log_line(authd->log, LOG_LEVEL_WARNING,
                 "sockets, workers, queue_max and max_connections stay as they "
                 "are until a restart",
                 NULL, 0);
}

/* Puts the settings of the new generation into force elsewhere. */
static void take_over(struct authd *authd)
{
    struct generation *generation = generations_hold(authd->generations);
    const struct settings *settings = generation->settings;

    if (!authd->fixed_level)
        log_set_level(authd->log, daemon_level(settings->log_level));
    server_set_times(authd->server, settings->auth.client_timeout_ms,
                     settings->auth.queue_age_ms);
    warn_of_restart(authd, &settings->auth);
    warn_of_directories(authd, settings);
    generations_release(authd->generations, &generation);
}

static enum status reload(void *service, struct strbuf *faults)
{
    struct authd *authd = service;
    enum status status;

    (void)pthread_mutex_lock(&authd->reload_lock);
    status = generations_load(authd->generations, authd->path, faults);
    report_reload(authd->report, status == STATUS_OK);
    if (status == STATUS_OK) {
        take_over(authd);
        keeper_wake(authd->keeper);
        log_line(authd->log, LOG_LEVEL_INFO, "reloaded", NULL, 0);
    } else {
        daemon_log_faults(authd->log, strbuf_text(faults));
    }
    (void)pthread_mutex_unlock(&authd->reload_lock);
    return status;
}

/* Opens the control socket; an empty path turns it off. */
static enum status open_control(struct authd *authd,
                                const struct auth_settings *auth,
                                struct listen_inherited *inherited,
                                struct errtext *err)
{
    const struct control_server_settings set = {
        .path = auth->control_path,
        .group = auth->control_group,
        .log = authd->log,
        .obey = command_obey,
        .context = &authd->commands,
    };

    authd->control_path = strdup(auth->control_path);
    if (authd->control_path == NULL)
        return status_no_memory(err);
    authd->commands = (struct commands){
        .generations = authd->generations,
        .report = authd->report,
        .doors = authd->server,
        .log = authd->log,
        .reload = reload,
        .reload_context = authd,
    };
    return control_server_open(&set, inherited, &authd->control, err);
}

/* Starts all threads. */
static enum status start_threads(struct authd *authd, struct errtext *err)
{
    enum status status = keeper_start(authd->keeper, err);

    if (status == STATUS_OK)
        status = control_server_start(authd->control, err);
    if (status == STATUS_OK)
        status = server_start(authd->server, err);
    return status;
}

static enum status start(void *service, struct listen_inherited *inherited,
                         struct errtext *err)
{
    struct authd *authd = service;
    struct generation *generation = generations_hold(authd->generations);
    const struct settings *settings = generation->settings;
    enum status status;

    if (!authd->fixed_level)
        log_set_level(authd->log, daemon_level(settings->log_level));
    warn_of_directories(authd, settings);
    status = open_doors(authd, &settings->auth, inherited, err);
    if (status == STATUS_OK)
        status = open_control(authd, &settings->auth, inherited, err);
    generations_release(authd->generations, &generation);
    daemon_close_unused(authd->log, inherited);
    if (status != STATUS_OK)
        return status;
    /* Down is no reason to stay away: logins are 454 until it is back. */
    status =
        keeper_check_store(authd->keeper, clock_ms() + FIRST_ANSWER_MS, err);
    if (status == STATUS_INVALID)
        return status;
    return start_threads(authd, err);
}

static bool alive(void *service)
{
    struct authd *authd = service;
    struct generation *generation = generations_hold(authd->generations);
    int64_t within_ms = STUCK_MS + generation->settings->auth.deadline_ms;

    generations_release(authd->generations, &generation);
    return server_alive(authd->server, within_ms);
}

static enum status stop(void *service, int64_t deadline_ms, struct errtext *err)
{
    struct authd *authd = service;
    enum status status = STATUS_OK;

    if (authd->server != NULL)
        status = server_stop(authd->server, deadline_ms, err);
    if (status == STATUS_OK)
        status = control_server_stop(authd->control, deadline_ms, err);
    if (status == STATUS_OK)
        keeper_stop(authd->keeper);
    return status;
}

const struct daemon_hooks authd_hooks = {
    .name = "provost-authd",
    .path = PROVOST_SYSCONFDIR "/provost/provost.conf",
    .make = make,
    .start = start,
    .reload = reload,
    .alive = alive,
    .stop = stop,
    .release = release,
};
