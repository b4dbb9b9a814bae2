/* command_sync - provostctl sync ... */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "store_history.h"
#include "store_sync.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define RUNS_SHOWN 50

static const struct output_column run_columns[] = {
    {"run", "RUN", OUTPUT_NUMBER},
    {"directory", "DIRECTORY", OUTPUT_TEXT},
    {"kind", "KIND", OUTPUT_TEXT},
    {"started", "STARTED", OUTPUT_TEXT},
    {"finished", "FINISHED", OUTPUT_TEXT},
    {"exit_code", "EXIT", OUTPUT_TEXT},
    {"seen", "SEEN", OUTPUT_NUMBER},
    {"created", "CREATED", OUTPUT_NUMBER},
    {"changed", "CHANGED", OUTPUT_NUMBER},
    {"renamed", "RENAMED", OUTPUT_NUMBER},
    {"suspended", "SUSPENDED", OUTPUT_NUMBER},
    {"refused", "REFUSED", OUTPUT_NUMBER},
    {"unchanged", "UNCHANGED", OUTPUT_NUMBER},
    {"withheld", "WITHHELD", OUTPUT_NUMBER},
    {"ms", "MS", OUTPUT_NUMBER},
    {"host", "HOST", OUTPUT_TEXT},
    {"reason", "REASON", OUTPUT_TEXT},
};

/* A run that has no end is at work, or was killed: it has no exit code. */
static const char *exit_text(const struct store_sync_run *run, char *text,
                             size_t size)
{
    if (run->finished == NULL)
        return NULL;
    (void)snprintf(text, size, "%d", run->exit_code);
    return text;
}

static bool show_run(const struct store_sync_run *run, void *arg)
{
    struct output *out = arg;
    char code[16];

    output_number(out, run->id);
    output_text(out, run->directory);
    output_text(out, run->kind);
    output_text(out, run->started);
    output_text(out, run->finished);
    output_text(out, exit_text(run, code, sizeof(code)));
    output_number(out, run->seen);
    output_number(out, run->created);
    output_number(out, run->changed);
    output_number(out, run->renamed);
    output_number(out, run->suspended);
    output_number(out, run->refused);
    output_number(out, run->unchanged);
    output_number(out, run->withheld);
    output_number(out, run->ms);
    output_text(out, run->host);
    output_text(out, run->reason);
    output_row(out);
    return true;
}

int sync_list(struct tool *tool, struct arguments *arguments)
{
    struct store_sync_run_query query = {.limit = RUNS_SHOWN};
    const char *directory = NULL;
    const char *limit = NULL;
    const struct tool_option options[] = {
        {"directory", &directory, NULL},
        {"limit", &limit, NULL},
        {NULL, NULL, NULL},
    };
    struct output *out = NULL;
    struct errtext err = {{0}};
    enum status status;
    int code = EX_OK;

    if (!tool_arguments(arguments, options, 0, 0))
        return EX_USAGE;
    if (limit != NULL)
        code = tool_number(limit, &query.limit);
    if (code == EX_OK)
        code = tool_store(tool, false);
    if (code == EX_OK)
        code = tool_begin(tool, run_columns, ARRAY_SIZE(run_columns), &out);
    if (code != EX_OK)
        return code;
    query.directory = directory;
    status = store_sync_runs(tool->store, &query,
                             &(struct store_sync_run_visitor){show_run, out},
                             tool_deadline(tool), &err);
    if (status != STATUS_OK)
        code = tool_failed(status, &err);
    return tool_end(&out, code);
}

static const struct output_column change_columns[] = {
    {"action", "ACTION", OUTPUT_TEXT}, {"address", "ADDRESS", OUTPUT_TEXT},
    {"reason", "REASON", OUTPUT_TEXT}, {"before", "BEFORE", OUTPUT_TEXT},
    {"after", "AFTER", OUTPUT_TEXT},
};

/* One run: its row was there, and what it held back. */
struct showing {
    struct output *out;
    bool found;
};

static void show_change(struct output *out, const char *action,
                        const char *address, const char *reason)
{
    output_text(out, action);
    output_text(out, address);
    output_text(out, reason);
}

/* "- anna@example.org  missing from the directory", a line each. */
static void show_withheld(struct output *out, char *plan)
{
    char *rest = plan;
    char *line;

    while ((line = strsep(&rest, "\n")) != NULL) {
        char *what = strstr(line, "  ");

        if (strncmp(line, "- ", 2) != 0 || what == NULL)
            continue;
        *what = '\0';
        show_change(out, "withheld", line + 2, what + 2);
        output_text(out, NULL);
        output_text(out, NULL);
        output_row(out);
    }
}

static bool show_plan(const struct store_sync_run *run, void *arg)
{
    struct showing *showing = arg;
    char *plan = run->plan != NULL ? strdup(run->plan) : NULL;

    showing->found = true;
    if (plan != NULL)
        show_withheld(showing->out, plan);
    free(plan);
    return true;
}

static bool show_event(const struct store_event_row *event, void *arg)
{
    struct output *out = arg;

    show_change(out, event->kind, event->address, event->reason);
    output_json(out, event->before);
    output_json(out, event->after);
    output_row(out);
    return true;
}

int sync_show(struct tool *tool, struct arguments *arguments)
{
    const struct tool_option options[] = {{NULL, NULL, NULL}};
    struct store_sync_run_query query = {.limit = 1};
    struct store_event_query events = {.max = UINT64_MAX};
    struct showing showing = {NULL, false};
    struct errtext err = {{0}};
    enum status status;
    int code;

    if (!tool_arguments(arguments, options, 1, 1))
        return EX_USAGE;
    code = tool_number(arguments->words[0], &query.id);
    if (code == EX_OK && query.id == 0) {
        tool_error("a run has a number from 1 on; see provostctl sync list");
        code = EX_DATAERR;
    }
    if (code == EX_OK)
        code = tool_store(tool, false);
    if (code == EX_OK)
        code = tool_begin(tool, change_columns, ARRAY_SIZE(change_columns),
                          &showing.out);
    if (code != EX_OK)
        return code;
    events.run = query.id;
    status =
        store_sync_runs(tool->store, &query,
                        &(struct store_sync_run_visitor){show_plan, &showing},
                        tool_deadline(tool), &err);
    if (status == STATUS_OK && !showing.found) {
        errtext_set(&err, "there is no run %s", arguments->words[0]);
        status = STATUS_NOT_FOUND;
    }
    if (status == STATUS_OK)
        status = store_event_list(
            tool->store, &events,
            &(struct store_event_visitor){show_event, showing.out},
            tool_deadline(tool), &err);
    if (status != STATUS_OK)
        code = tool_failed(status, &err);
    return tool_end(&showing.out, code);
}
