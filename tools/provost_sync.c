/*
 * provost-sync - what cron runs every minute
 *
 * Today it keeps the history within event.keep. Directories are not read yet.
 */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "clock.h"
#include "store_attempt.h"
#include "store_history.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define PRUNE_MS 20000 /* the next minute goes on */

static void print_usage(FILE *out)
{
    (void)fputs("usage: provost-sync [-c FILE] [--if-due]\n", out);
}

/* Removes what is older than event.keep; silent when told to be. */
static int keep_history(struct tool *tool, bool quiet)
{
    int64_t keep_seconds = tool->settings->event.keep_ms / 1000;
    struct errtext err = {{0}};
    uint64_t count = 0;
    uint64_t attempts = 0;
    int64_t before = clock_wall_seconds() - keep_seconds;
    enum status status = store_event_prune(tool->store, before,
                                           clock_ms() + PRUNE_MS, &count, &err);

    if (status == STATUS_OK)
        status = store_attempts_prune(tool->store, before,
                                      clock_ms() + PRUNE_MS, &attempts, &err);
    if (status != STATUS_OK)
        return tool_failed(status, &err);
    if (!quiet)
        (void)printf("%llu events and %llu attempts were older than "
                     "event.keep\n",
                     (unsigned long long)count, (unsigned long long)attempts);
    return EX_OK;
}

/* Reads the command line; returns -1, or the exit status to end with. */
static int read_options(struct tool *tool, int argc, char **argv, bool *quiet)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"if-due", no_argument, NULL, 'd'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    int letter;

    while ((letter = getopt_long(argc, argv, "c:hv", options, NULL)) != -1) {
        switch (letter) {
        case 'c':
            tool->settings_path = optarg;
            break;
        case 'd':
            *quiet = true;
            break;
        case 'v':
            (void)puts("provost-sync " PACKAGE_VERSION);
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

int main(int argc, char **argv)
{
    struct tool tool = {.settings_path = PROVOST_CONF};
    bool quiet = false;
    int code = read_options(&tool, argc, argv, &quiet);

    if (code >= 0)
        return code;
    code = tool_store(&tool, false);
    if (code == EX_OK)
        code = keep_history(&tool, quiet);
    store_close(&tool.store);
    settings_free(&tool.settings);
    return code;
}
