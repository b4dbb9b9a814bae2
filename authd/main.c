/* main - provost-authd, the login service: options, signals, end */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "authd.h"
#include "clock.h"
#include "listen.h"
#include "log.h"
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
#define DEFAULT_PATH PROVOST_SYSCONFDIR "/provost/provost.conf"

struct options {
    const char *path;
    bool check_only;
    bool debug;
    bool to_syslog;
};

static void print_usage(FILE *out)
{
    (void)fprintf(out, "usage: provost-authd [-dstv] [-c file]\n");
}

/* Reads the command line; returns -1, or the exit status to end with. */
static int read_options(int argc, char **argv, struct options *options)
{
    int option;

    options->path = DEFAULT_PATH;
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
            (void)printf("provost-authd %s\n", PACKAGE_VERSION);
            return EX_OK;
        case 'h':
            print_usage(stdout);
            return EX_OK;
        default:
            print_usage(stderr);
            return EX_USAGE;
        }
    }
    if (optind == argc)
        return -1;
    print_usage(stderr);
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

static void reload(struct authd *authd)
{
    struct strbuf faults = STRBUF_INIT(FAULTS_BYTES_MAX);
    enum status status;

    notify_reloading();
    status = authd_reload(authd, &faults);
    strbuf_clear(&faults);
    notify_send(status == STATUS_OK
                    ? "READY=1\nSTATUS=serving"
                    : "READY=1\nSTATUS=serving with the old settings: the new "
                      "ones are bad, see the log");
}

/* Serves until a signal ends it; returns the signal. */
static int serve(struct authd *authd, const sigset_t *waited)
{
    int64_t watchdog_ms = notify_watchdog_ms();
    int64_t next_ping_ms = clock_ms();

    for (;;) {
        int64_t tick_ms =
            watchdog_ms > 0 && watchdog_ms < TICK_MS ? watchdog_ms : TICK_MS;
        struct timespec tick = {.tv_sec = (time_t)(tick_ms / 1000),
                                .tv_nsec = (long)(tick_ms % 1000) * 1000000};
        int number = sigtimedwait(waited, NULL, &tick);

        if (number == SIGHUP)
            reload(authd);
        else if (number > 0)
            return number;
        if (watchdog_ms > 0 && clock_ms() >= next_ping_ms &&
            authd_alive(authd)) {
            notify_send("WATCHDOG=1");
            next_ping_ms = clock_ms() + watchdog_ms;
        }
    }
}

/* Ends what was started; never frees what a thread may still use. */
static int stop(struct authd **authd, struct log *log)
{
    struct errtext err = {0};
    enum status status;

    notify_send("STOPPING=1\nSTATUS=answering what is queued");
    log_line(log, LOG_LEVEL_INFO, "stopping", NULL, 0);
    status = authd_stop(*authd, clock_ms() + DRAIN_MS, &err);
    if (status != STATUS_OK) {
        const struct log_field fields[] = {LOG_TEXT("error", err.text)};

        log_line(log, LOG_LEVEL_ERROR, "stopped the hard way", fields, 1);
        _exit(EX_SOFTWARE);
    }
    authd_free(authd);
    log_line(log, LOG_LEVEL_INFO, "stopped", NULL, 0);
    return EX_OK;
}

/* From whole settings to the end of the process. */
static int run(struct authd **authd, struct log *log, const sigset_t *waited,
               const char *path)
{
    struct listen_inherited inherited;
    struct errtext err = {0};
    enum status status;

    if (geteuid() == 0)
        log_line(log, LOG_LEVEL_WARNING,
                 "running as root: a user of its own would do", NULL, 0);
    listen_inherited_take(&inherited);
    status = authd_start(*authd, &inherited, &err);
    if (status != STATUS_OK) {
        const struct log_field fields[] = {LOG_TEXT("error", err.text)};
        struct errtext ignored;

        log_line(log, LOG_LEVEL_ERROR, "cannot start", fields, 1);
        if (authd_stop(*authd, clock_ms() + DRAIN_MS, &ignored) == STATUS_OK)
            authd_free(authd);
        return exit_code(status);
    }
    {
        const struct log_field fields[] = {LOG_TEXT("version", PACKAGE_VERSION),
                                           LOG_TEXT("settings", path)};

        log_line(log, LOG_LEVEL_INFO, "serving", fields, ARRAY_SIZE(fields));
    }
    notify_send("READY=1\nSTATUS=serving");
    (void)serve(*authd, waited);
    return stop(authd, log);
}

/* Reads the settings; then checks only, or serves. */
static int start(const struct options *options, struct log *log)
{
    struct strbuf faults = STRBUF_INIT(FAULTS_BYTES_MAX);
    struct authd *authd = NULL;
    sigset_t waited;
    enum status status;
    int code;

    block_signals(&waited);
    status = authd_new(options->path, log, options->debug, &authd, &faults);
    if (status != STATUS_OK) {
        (void)fputs(strbuf_text(&faults), stderr);
        code = exit_code(status);
    } else if (options->check_only) {
        (void)puts("ok");
        authd_free(&authd);
        code = EX_OK;
    } else {
        code = run(&authd, log, &waited, options->path);
    }
    strbuf_clear(&faults);
    return code;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    struct log *log = NULL;
    struct errtext err = {0};
    int code = read_options(argc, argv, &options);

    if (code >= 0)
        return code;
    protect_process();
    raise_descriptors();
    if (log_open("provost-authd",
                 options.to_syslog ? LOG_TO_SYSLOG : LOG_TO_STDERR,
                 options.debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, &log,
                 &err) != STATUS_OK) {
        (void)fprintf(stderr, "provost-authd: %s\n", err.text);
        return EX_TEMPFAIL;
    }
    code = start(&options, log);
    log_close(&log);
    return code;
}
