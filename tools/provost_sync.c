/*
 * provost-sync - keeps mailboxes in step with the directory
 *
 * By hand, by cron every minute (--if-due), or looking only (plan). What a run
 * does is sync.h's; here are the command line and the order of directories.
 */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "sync.h"
#include "tool.h"

#include "clock.h"
#include "store_attempt.h"
#include "store_history.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define PRUNE_MS 20000 /* the next minute goes on */

/* What was asked for. */
struct words {
    struct tool tool;
    struct sync_options options;
    const char *directory; /* NULL: all */
    bool if_due;
    bool json;
    bool changes;
    bool follow;
};

static void print_usage(FILE *out)
{
    (void)fputs(
        "usage: provost-sync [-c FILE] [--directory NAME] [--json]\n"
        "                    [--allow-removals N]\n"
        "                    [plan | --if-due | --changes | --follow]\n",
        out);
}

/* Removes what is older than event.keep; silent when told to be. */
static int keep_history(struct tool *tool, bool quiet)
{
    int64_t keep_seconds = tool->settings->event.keep_ms / 1000;
    struct errtext err = {{0}};
    uint64_t count = 0;
    uint64_t attempts = 0;
    uint64_t aliases = 0;
    uint64_t runs = 0;
    int64_t before = clock_wall_seconds() - keep_seconds;
    enum status status = store_event_prune(tool->store, before,
                                           clock_ms() + PRUNE_MS, &count, &err);

    if (status == STATUS_OK)
        status = store_attempts_prune(tool->store, before,
                                      clock_ms() + PRUNE_MS, &attempts, &err);
    if (status == STATUS_OK)
        status = store_runs_prune(tool->store, before, clock_ms() + PRUNE_MS,
                                  &runs, &err);
    if (status == STATUS_OK)
        status = store_alias_prune(tool->store, clock_ms() + PRUNE_MS, &aliases,
                                   &err);
    if (status != STATUS_OK)
        return tool_failed(status, &err);
    if (!quiet)
        (void)printf("%llu events and %llu attempts were older than "
                     "event.keep\n",
                     (unsigned long long)count, (unsigned long long)attempts);
    return EX_OK;
}

static bool read_number(const char *text, uint64_t *number_r)
{
    char *end = NULL;

    *number_r = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

/* The word behind the options: "plan" or none. */
static int read_word(struct words *words, int argc, char **argv)
{
    if (optind < argc && strcmp(argv[optind], "plan") == 0) {
        words->options.plan = true;
        optind++;
    }
    if (words->options.allow_removals && (words->follow || words->if_due)) {
        tool_error("--allow-removals is for one run that somebody looks at");
        return EX_USAGE;
    }
    if (optind == argc &&
        words->options.plan + words->if_due + words->changes + words->follow <=
            1)
        return -1;
    print_usage(stderr);
    return EX_USAGE;
}

/* Reads the command line; returns -1, or the exit status to end with. */
static int read_words(struct words *words, int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"directory", required_argument, NULL, 'D'},
        {"allow-removals", required_argument, NULL, 'a'},
        {"if-due", no_argument, NULL, 'd'},
        {"changes", no_argument, NULL, 'C'},
        {"follow", no_argument, NULL, 'F'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    int letter;

    while ((letter = getopt_long(argc, argv, "c:hv", options, NULL)) != -1) {
        switch (letter) {
        case 'c':
            words->tool.settings_path = optarg;
            break;
        case 'D':
            words->directory = optarg;
            break;
        case 'a':
            words->options.allow_removals = true;
            if (read_number(optarg, &words->options.removals_most))
                break;
            tool_error("--allow-removals takes a number of mailboxes");
            return EX_USAGE;
        case 'd':
            words->if_due = true;
            break;
        case 'C':
            words->changes = true;
            break;
        case 'F':
            words->follow = true;
            break;
        case 'j':
            words->json = true;
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
    return read_word(words, argc, argv);
}

/* Which of two exit codes says more. */
static int worse(int a, int b)
{
    static const int order[] = {
        EX_OK,       SYNC_EXIT_CHANGES, SYNC_EXIT_REFUSED, SYNC_EXIT_WITHHELD,
        EX_TEMPFAIL, EX_CONFIG};
    /* What is not in the list is worse than all of it. */
    size_t rank_a = ARRAY_SIZE(order);
    size_t rank_b = ARRAY_SIZE(order);

    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        if (order[i] == a)
            rank_a = i;
        if (order[i] == b)
            rank_b = i;
    }
    return rank_a > rank_b ? a : b;
}

/* True if it is time for a run; *code_r is set where nobody can say. */
static bool is_due(struct words *words, const struct directory_settings *set,
                   int *code_r)
{
    struct store_sync_state state = {.known = false};
    struct errtext err = {{0}};
    int64_t interval = (int64_t)set->sync_interval_minutes * 60;
    enum status status =
        store_sync_state_read(words->tool.store, set->name,
                              tool_deadline(&words->tool), &state, &err);
    bool due = state.started_seconds < 0 || state.started_seconds >= interval;

    store_sync_state_clear(&state);
    if (status == STATUS_OK)
        return due;
    *code_r = worse(*code_r, tool_failed(status, &err));
    return false;
}

/* --follow stays with one directory: another one needs a process of its own. */
static int follow_one(struct words *words, struct sync_report *report)
{
    const struct settings *settings = words->tool.settings;
    const struct directory_settings *set = NULL;

    for (size_t i = 0; i < settings->directory_count; i++) {
        const struct directory_settings *one = &settings->directories[i];

        if ((!one->import_users && !one->periodic_full_sync) ||
            (words->directory != NULL &&
             strcmp(words->directory, one->name) != 0))
            continue;
        if (set != NULL) {
            tool_error("say which directory to follow: --directory %s or %s",
                       set->name, one->name);
            return EX_USAGE;
        }
        set = one;
    }
    if (set == NULL) {
        tool_error("import_users and periodic_full_sync are off: there is "
                   "nothing to follow");
        return EX_CONFIG;
    }
    return sync_follow(&(struct sync_call){.store = words->tool.store,
                                           .settings = settings,
                                           .set = set,
                                           .options = &words->options,
                                           .report = report});
}

static int run_directories(struct words *words, struct sync_report *report)
{
    const struct settings *settings = words->tool.settings;
    int code = EX_OK;

    for (size_t i = 0; i < settings->directory_count; i++) {
        const struct directory_settings *set = &settings->directories[i];
        struct sync_call call = {
            .store = words->tool.store,
            .settings = settings,
            .set = set,
            .options = &words->options,
            .report = report,
        };

        if (sync_is_stopped() || (words->directory != NULL &&
                                  strcmp(words->directory, set->name) != 0))
            continue;
        if (!set->import_users && !set->periodic_full_sync) {
            if (!words->if_due && !words->json)
                (void)printf("%s: import_users and periodic_full_sync are "
                             "off: there is nothing to do\n",
                             set->name);
            continue;
        }
        if (words->if_due && !is_due(words, set, &code))
            continue;
        code = worse(code, words->changes ? sync_run_changes(&call)
                                          : sync_run_full(&call));
    }
    return code;
}

/* All that was asked for, with the store open. */
static int run(struct words *words)
{
    enum sync_report_form form = SYNC_REPORT_RUN;
    struct sync_report *report;
    int code;

    if (words->directory != NULL &&
        settings_directory(words->tool.settings, words->directory) == NULL) {
        tool_error("there is no directory %s in the settings",
                   words->directory);
        return EX_CONFIG;
    }
    if (words->json)
        form = SYNC_REPORT_JSON;
    else if (words->options.plan)
        form = SYNC_REPORT_PLAN;
    else if (words->if_due)
        form = SYNC_REPORT_QUIET;
    report = sync_report_new(form);
    if (report == NULL)
        return EX_TEMPFAIL;
    sync_stop_on_signals();
    code = words->follow ? follow_one(words, report)
                         : run_directories(words, report);
    if (!sync_report_close(report)) {
        tool_error("the report could not be written");
        code = worse(code, EX_TEMPFAIL);
    }
    sync_report_free(&report);
    if (words->options.plan || words->follow || sync_is_stopped())
        return code;
    return worse(code,
                 keep_history(&words->tool, words->if_due || words->json));
}

int main(int argc, char **argv)
{
    struct words words = {.tool = {.settings_path = PROVOST_CONF}};
    int code = read_words(&words, argc, argv);

    if (code >= 0)
        return code;
    code = tool_store(&words.tool, false);
    if (code == EX_OK)
        code = run(&words);
    store_close(&words.tool.store);
    settings_free(&words.tool.settings);
    return code;
}
