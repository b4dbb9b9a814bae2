/* daemon - see daemon.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "daemon.h"

#include "clock.h"
#include "notify.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define FAULTS_BYTES_MAX 20480
#define DRAIN_MS 10000
#define TICK_MS 1000

struct options {
    const char *path;
    bool check_only;
    bool debug;
    bool to_syslog;
};

static void print_usage(FILE *out, const char *name)
{
    (void)fprintf(out, "usage: %s [-dstv] [-c file]\n", name);
}

/* Reads the command line; returns -1, or the exit status to end with. */
static int read_options(const struct daemon_hooks *hooks, int argc, char **argv,
                        struct options *options)
{
    const char *name = hooks->name;
    int option;

    options->path = hooks->path;
    while ((option = getopt(argc, argv, "c:dhstv")) != -1) {
        switch (option) {
        case 'c':
            options->path = optarg;
            break;
        case 'd':
            options->debug = true;
            break;
        case 's':
            options->to_syslog = true;
            break;
        case 't':
            options->check_only = true;
            break;
        case 'v':
            (void)printf("%s %s\n", name, PACKAGE_VERSION);
            return EX_OK;
        case 'h':
            print_usage(stdout, name);
            return EX_OK;
        default:
            print_usage(stderr, name);
            return EX_USAGE;
        }
    }
    if (optind == argc)
        return -1;
    print_usage(stderr, name);
    return EX_USAGE;
}

/* Keeps passwords in this process, and the process small. */
static void protect_process(void)
{
    static const struct rlimit none = {0, 0};

    (void)signal(SIGPIPE, SIG_IGN);
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)umask(0027);
    (void)mallopt(M_ARENA_MAX, 2);
}

/* Every connection is a descriptor: takes as many as the system gives. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* Blocks the signals that the main thread waits for, in all threads. */
static void block_signals(sigset_t *waited)
{
    (void)sigemptyset(waited);
    (void)sigaddset(waited, SIGTERM);
    (void)sigaddset(waited, SIGINT);
    (void)sigaddset(waited, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, waited, NULL);
}

static int exit_code(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return EX_OK;
    case STATUS_INVALID:
        return EX_CONFIG;
    case STATUS_NOT_FOUND:
    case STATUS_DENIED:
    case STATUS_TEMPFAIL:
        break;
    }
    return EX_TEMPFAIL;
}

/* The service, and what it is led by. */
struct running {
    const struct daemon_hooks *hooks;
    void *service;
    struct log *log;
    sigset_t waited;
    bool stuck; /* a thread did not end: nothing may be freed */
};

static void reload(const struct running *running)
{
    struct strbuf faults = STRBUF_INIT(FAULTS_BYTES_MAX);
    enum status status;

    notify_reloading();
    status = running->hooks->reload(running->service, &faults);
    strbuf_clear(&faults);
    notify_send(status == STATUS_OK
                    ? "READY=1\nSTATUS=serving"
                    : "READY=1\nSTATUS=serving with the old settings: the new "
                      "ones are bad, see the log");
}

/* Serves until a signal ends it. */
static void serve(const struct running *running)
{
    int64_t watchdog_ms = notify_watchdog_ms();
    int64_t next_ping_ms = clock_ms();

    for (;;) {
        int64_t tick_ms =
            watchdog_ms > 0 && watchdog_ms < TICK_MS ? watchdog_ms : TICK_MS;
        struct timespec tick = {.tv_sec = (time_t)(tick_ms / 1000),
                                .tv_nsec = (long)(tick_ms % 1000) * 1000000};
        int number = sigtimedwait(&running->waited, NULL, &tick);

        if (number == SIGHUP)
            reload(running);
        else if (number > 0)
            return;
        if (watchdog_ms > 0 && clock_ms() >= next_ping_ms &&
            running->hooks->alive(running->service)) {
            notify_send("WATCHDOG=1");
            next_ping_ms = clock_ms() + watchdog_ms;
        }
    }
}

/* Ends what was started; never frees what a thread may still use. */
static int stop(struct running *running)
{
    struct errtext err = {0};

    notify_send("STOPPING=1\nSTATUS=answering what is queued");
    log_line(running->log, LOG_LEVEL_INFO, "stopping", NULL, 0);
    if (running->hooks->stop(running->service, clock_ms() + DRAIN_MS, &err) !=
        STATUS_OK) {
        const struct log_field fields[] = {LOG_TEXT("error", err.text)};

        log_line(running->log, LOG_LEVEL_ERROR, "stopped the hard way", fields,
                 1);
        running->stuck = true;
        return EX_SOFTWARE;
    }
    running->hooks->release(&running->service);
    log_line(running->log, LOG_LEVEL_INFO, "stopped", NULL, 0);
    return EX_OK;
}

static int cannot_start(struct running *running, enum status status,
                        const struct errtext *err)
{
    const struct log_field fields[] = {LOG_TEXT("error", err->text)};
    struct errtext ignored;

    log_line(running->log, LOG_LEVEL_ERROR, "cannot start", fields, 1);
    running->stuck =
        running->hooks->stop(running->service, clock_ms() + DRAIN_MS,
                             &ignored) != STATUS_OK;
    if (!running->stuck)
        running->hooks->release(&running->service);
    return exit_code(status);
}

/* From whole settings to the end of the service. */
static int run(struct running *running, const char *path)
{
    const struct log_field fields[] = {LOG_TEXT("version", PACKAGE_VERSION),
                                       LOG_TEXT("settings", path)};
    struct listen_inherited inherited;
    struct errtext err = {0};
    enum status status;

    if (geteuid() == 0)
        log_line(running->log, LOG_LEVEL_WARNING,
                 "running as root: a user of its own would do", NULL, 0);
    listen_inherited_take(&inherited);
    status = running->hooks->start(running->service, &inherited, &err);
    if (status != STATUS_OK)
        return cannot_start(running, status, &err);
    log_line(running->log, LOG_LEVEL_INFO, "serving", fields,
             ARRAY_SIZE(fields));
    notify_send("READY=1\nSTATUS=serving");
    serve(running);
    return stop(running);
}

/* Reads the settings; then checks only, or serves. */
static int start(struct running *running, const struct options *options)
{
    struct strbuf faults = STRBUF_INIT(FAULTS_BYTES_MAX);
    enum status status;
    int code;

    block_signals(&running->waited);
    status = running->hooks->make(options->path, running->log, options->debug,
                                  &running->service, &faults);
    if (status != STATUS_OK) {
        (void)fputs(strbuf_text(&faults), stderr);
        code = exit_code(status);
    } else if (options->check_only) {
        (void)puts("ok");
        running->hooks->release(&running->service);
        code = EX_OK;
    } else {
        code = run(running, options->path);
    }
    strbuf_clear(&faults);
    return code;
}

enum log_level daemon_level(const char *name)
{
    static const char *const names[] = {
        [LOG_LEVEL_ERROR] = "error",
        [LOG_LEVEL_WARNING] = "warning",
        [LOG_LEVEL_INFO] = "info",
        [LOG_LEVEL_DEBUG] = "debug",
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(names[i], name) == 0)
            return (enum log_level)i;
    }
    return LOG_LEVEL_INFO;
}

void daemon_log_faults(struct log *log, const char *faults)
{
    for (const char *line = faults; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        char text[LOG_LINE_BYTES_MAX];
        const struct log_field fields[] = {LOG_TEXT("fault", text)};

        (void)snprintf(text, sizeof(text), "%.*s", (int)len, line);
        log_line(log, LOG_LEVEL_ERROR, "bad settings, keeping the old ones",
                 fields, 1);
        line += len + (line[len] == '\n' ? 1 : 0);
    }
}

void daemon_close_unused(struct log *log, struct listen_inherited *inherited)
{
    struct errtext path = {0};
    size_t unused = listen_inherited_close(inherited, &path);
    const struct log_field fields[] = {
        LOG_TEXT("socket", path.text),
        LOG_NUMBER("count", (int64_t)unused),
    };

    if (unused > 0)
        log_line(log, LOG_LEVEL_WARNING,
                 "closing inherited sockets that no setting names", fields,
                 ARRAY_SIZE(fields));
}

int daemon_run(const struct daemon_hooks *hooks, int argc, char **argv)
{
    struct options options = {0};
    struct running running = {.hooks = hooks};
    struct errtext err = {0};
    int code = read_options(hooks, argc, argv, &options);

    if (code >= 0)
        return code;
    protect_process();
    raise_descriptors();
    if (log_open(hooks->name, options.to_syslog ? LOG_TO_SYSLOG : LOG_TO_STDERR,
                 options.debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, &running.log,
                 &err) != STATUS_OK) {
        (void)fprintf(stderr, "%s: %s\n", hooks->name, err.text);
        return EX_TEMPFAIL;
    }
    code = start(&running, &options);
    if (!running.stuck)
        log_close(&running.log);
    return code;
}
