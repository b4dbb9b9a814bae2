/* policyd - see policyd.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "policyd.h"

#include "clock.h"
#include "command.h"
#include "control_server.h"
#include "generation.h"
#include "rate_keeper.h"
#include "report.h"
#include "request.h"
#include "server.h"
#include "service.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ANSWER_MS 3000 /* what the store may take at the start */
#define STUCK_MS 30000       /* beyond a deadline: nothing moves */
#define FRAME_MS 10000       /* a client that sends byte by byte */
/* Postfix leaves after 300 s by itself; who does not keeps others out. */
#define IDLE_MS (900 * 1000)
/*
 * A request that waited for a worker until its deadline is answered by the
 * worker all the same, at once, and keeps its connection.
 */
#define QUEUE_MS (600 * 1000)

struct policyd {
    const char *path;
    struct log *log;
    bool fixed_level;
    struct generations *generations;
    struct generation *first; /* whose settings store and keeper were made of */
    struct store *store;
    struct rate_keeper *keeper;
    struct report *report;
    struct server *server;
    struct control_server *control;
    struct service service;
    struct commands commands;
    pthread_mutex_t reload_lock;
};

static void release(void **service)
{
    struct policyd *old = *service;

    *service = NULL;
    if (old == NULL)
        return;
    server_free(&old->server);
    control_server_free(&old->control);
    if (old->first != NULL)
        generations_release(old->generations, &old->first);
    generations_free(&old->generations);
    rate_keeper_free(&old->keeper);
    store_close(&old->store);
    report_free(&old->report);
    (void)pthread_mutex_destroy(&old->reload_lock);
    free(old);
}

static struct server_limits limits_of(const struct policy_settings *set)
{
    return (struct server_limits){
        .connections_max = set->max_connections,
        .queue_max = set->max_connections,
        .workers = set->workers,
        .keeps_old = true,
        .frame_bytes_max = REQUEST_BYTES_MAX,
        .frame_timeout_ms = FRAME_MS,
        .idle_timeout_ms = IDLE_MS,
        .queue_age_ms = QUEUE_MS,
        .reply_timeout_ms = FRAME_MS,
    };
}

/* The store, the counters and the first rules, of the first settings. */
static enum status build(struct policyd *policyd, struct settings **settings,
                         struct errtext *err)
{
    const struct policy_settings *set = &(*settings)->policy;
    const struct rate_keeper_settings counted = {
        .node = set->node,
        .flush_ms = set->rate_flush_ms,
        .counters_max = set->rate_max,
        .share = set->share_rates,
    };
    enum status status = store_open(&(*settings)->store, &policyd->store, err);

    if (status == STATUS_OK)
        status = rate_keeper_new(&counted, policyd->store, policyd->log,
                                 &policyd->keeper, err);
    if (status != STATUS_OK) {
        settings_free(settings);
        return status;
    }
    status = generations_add(policyd->generations, settings, policyd->store,
                             policyd->keeper, err);
    if (status == STATUS_OK)
        policyd->first = generations_hold(policyd->generations);
    return status;
}

static enum status make(const char *path, struct log *log, bool fixed_level,
                        void **service_r, struct strbuf *faults)
{
    struct policyd *policyd = calloc(1, sizeof(*policyd));
    void *made = policyd;
    struct settings *settings = NULL;
    struct errtext err = {{0}};
    enum status status;

    if (policyd == NULL) {
        strbuf_append(faults, "out of memory\n");
        return STATUS_TEMPFAIL;
    }
    (void)pthread_mutex_init(&policyd->reload_lock, NULL);
    policyd->path = path;
    policyd->log = log;
    policyd->fixed_level = fixed_level;
    policyd->generations = generations_new();
    policyd->report = report_new(log);
    status = settings_load(path, &settings, faults);
    if (status == STATUS_OK &&
        (policyd->generations == NULL || policyd->report == NULL)) {
        settings_free(&settings);
        status = status_no_memory(&err);
    } else if (status == STATUS_OK) {
        status = build(policyd, &settings, &err);
    }
    if (status != STATUS_OK) {
        if (err.text[0] != '\0')
            strbuf_appendf(faults, "%s: %s\n", path, err.text);
        release(&made);
        return status;
    }
    policyd->service.generations = policyd->generations;
    policyd->service.report = policyd->report;
    *service_r = policyd;
    return STATUS_OK;
}

static enum status open_sockets(struct policyd *policyd,
                                const struct policy_settings *set,
                                struct listen_inherited *inherited,
                                struct errtext *err)
{
    const struct server_limits limits = limits_of(set);
    const struct server_peers everybody = {0};
    enum status status = server_new(&limits, &service_hooks, &policyd->service,
                                    &policyd->server, err);

    for (size_t i = 0; i < set->listen_count && status == STATUS_OK; i++) {
        const struct policy_listen_settings *one = &set->listens[i];
        const struct listen_settings where = {
            .path = one->path,
            .mode = one->mode,
            .group = one->group,
            .host = one->host,
            .port = one->port,
        };

        status = server_add_door(policyd->server, &where, inherited, &everybody,
                                 err);
    }
    return status;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_list(const struct text_list *a, const struct text_list *b)
{
    bool same = a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++)
        same = same_text(a->items[i], b->items[i]);
    return same;
}

/* Says what a reload cannot change. */
static void warn_of_restart(struct policyd *policyd,
                            const struct settings *settings)
{
    const struct settings *first = policyd->first->settings;
    const struct policy_settings *was = &first->policy;
    const struct policy_settings *is = &settings->policy;
    bool differs =
        was->listen_count != is->listen_count ||
        was->max_connections != is->max_connections ||
        was->workers != is->workers ||
        was->rate_flush_ms != is->rate_flush_ms ||
        was->rate_max != is->rate_max || was->share_rates != is->share_rates ||
        !same_text(was->node, is->node) ||
        !same_text(was->control_path, is->control_path) ||
        !same_text(first->store.socket, settings->store.socket) ||
        !same_list(&first->store.hosts, &settings->store.hosts) ||
        !same_text(first->store.user, settings->store.user) ||
        !same_text(first->store.password, settings->store.password) ||
        !same_text(first->store.database, settings->store.database);

    for (size_t i = 0; !differs && i < is->listen_count; i++)
        differs = !same_text(was->listens[i].path, is->listens[i].path) ||
                  !same_text(was->listens[i].host, is->listens[i].host) ||
                  was->listens[i].port != is->listens[i].port;
    if (differs)
        log_line(policyd->log, LOG_LEVEL_WARNING,
                 "store, sockets, workers, max_connections and the keeping of "
                 "rates stay as they are until a restart",
                 NULL, 0);
}

static enum status load(struct policyd *policyd, struct strbuf *faults)
{
    struct settings *settings = NULL;
    struct errtext err = {{0}};
    enum status status = settings_load(policyd->path, &settings, faults);

    if (status != STATUS_OK)
        return status;
    warn_of_restart(policyd, settings);
    status = generations_add(policyd->generations, &settings, policyd->store,
                             policyd->keeper, &err);
    if (status != STATUS_OK)
        strbuf_appendf(faults, "%s: %s\n", policyd->path, err.text);
    return status;
}

static enum status reload(void *service, struct strbuf *faults)
{
    struct policyd *policyd = service;
    struct generation *generation;
    enum status status;

    (void)pthread_mutex_lock(&policyd->reload_lock);
    status = load(policyd, faults);
    report_reload(policyd->report, status == STATUS_OK);
    if (status == STATUS_OK) {
        generation = generations_hold(policyd->generations);
        if (!policyd->fixed_level)
            log_set_level(policyd->log,
                          daemon_level(generation->settings->log_level));
        generations_release(policyd->generations, &generation);
        /* It stays for its settings; what it remembers goes. */
        (void)policy_flush(policyd->first->policy);
        log_line(policyd->log, LOG_LEVEL_INFO, "reloaded", NULL, 0);
    } else {
        daemon_log_faults(policyd->log, strbuf_text(faults));
    }
    (void)pthread_mutex_unlock(&policyd->reload_lock);
    return status;
}

/* Opens the control socket; an empty path turns it off. */
static enum status open_control(struct policyd *policyd,
                                const struct policy_settings *set,
                                struct listen_inherited *inherited,
                                struct errtext *err)
{
    const struct control_server_settings control = {
        .path = set->control_path,
        .group = set->control_group,
        .log = policyd->log,
        .obey = command_obey,
        .context = &policyd->commands,
    };

    policyd->commands = (struct commands){
        .generations = policyd->generations,
        .report = policyd->report,
        .server = policyd->server,
        .keeper = policyd->keeper,
        .log = policyd->log,
        .reload = reload,
        .reload_context = policyd,
    };
    return control_server_open(&control, inherited, &policyd->control, err);
}

/* Down is no reason to stay away: each rule has its choice for that. */
static enum status look_at_store(struct policyd *policyd, struct errtext *err)
{
    struct errtext why = {{0}};
    enum status status =
        store_check_schema(policyd->store, clock_ms() + FIRST_ANSWER_MS, &why);
    const struct log_field fields[] = {LOG_TEXT("error", why.text)};

    if (status == STATUS_INVALID) {
        *err = why;
        return status;
    }
    if (status != STATUS_OK)
        log_line(policyd->log, LOG_LEVEL_ERROR, "store does not answer", fields,
                 1);
    else
        log_line(policyd->log, LOG_LEVEL_INFO, "store answers", NULL, 0);
    return STATUS_OK;
}

static enum status start(void *service, struct listen_inherited *inherited,
                         struct errtext *err)
{
    struct policyd *policyd = service;
    const struct settings *settings = policyd->first->settings;
    enum status status;

    if (!policyd->fixed_level)
        log_set_level(policyd->log, daemon_level(settings->log_level));
    status = open_sockets(policyd, &settings->policy, inherited, err);
    if (status == STATUS_OK)
        status = open_control(policyd, &settings->policy, inherited, err);
    daemon_close_unused(policyd->log, inherited);
    if (status == STATUS_OK)
        status = look_at_store(policyd, err);
    if (status == STATUS_OK)
        status = rate_keeper_start(policyd->keeper,
                                   clock_ms() + FIRST_ANSWER_MS, err);
    if (status == STATUS_OK)
        status = control_server_start(policyd->control, err);
    if (status == STATUS_OK)
        status = server_start(policyd->server, err);
    return status;
}

static bool alive(void *service)
{
    struct policyd *policyd = service;
    struct generation *generation = generations_hold(policyd->generations);
    int64_t within_ms = STUCK_MS + generation->settings->policy.deadline_ms;

    generations_release(policyd->generations, &generation);
    return server_alive(policyd->server, within_ms);
}

static enum status stop(void *service, int64_t deadline_ms, struct errtext *err)
{
    struct policyd *policyd = service;
    enum status status = STATUS_OK;

    if (policyd->server != NULL)
        status = server_stop(policyd->server, deadline_ms, err);
    if (status == STATUS_OK)
        status = control_server_stop(policyd->control, deadline_ms, err);
    if (status == STATUS_OK)
        rate_keeper_stop(policyd->keeper);
    return status;
}

const struct daemon_hooks policyd_hooks = {
    .name = "provost-policyd",
    .path = PROVOST_SYSCONFDIR "/provost/provost.conf",
    .make = make,
    .start = start,
    .reload = reload,
    .alive = alive,
    .stop = stop,
    .release = release,
};
