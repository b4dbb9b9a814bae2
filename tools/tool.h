/*
 * tool - what every command of provostctl is given
 *
 * A command is a row of the table in provostctl.c and one function. It gets
 * its words, asks for what it needs (settings, store), and returns an exit
 * code of sysexits(3). Faults go to standard error as "provostctl: sentence".
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_TOOL_H
#define TOOLS_TOOL_H

#include "output.h"
#include "settings.h"
#include "status.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tool {
    const char *settings_path;
    enum output_format format;
    bool headers;
    bool yes;                  /* answers every question */
    struct settings *settings; /* owned; NULL until tool_settings */
    struct store *store;       /* owned; NULL until tool_store */
    char who[96];              /* for events: "admin:anna" */
};

/* The words behind noun and verb; options are taken out by `options`. */
struct arguments {
    int count;
    char **words;
};

typedef int command_function(struct tool *tool, struct arguments *arguments);

struct command {
    const char *noun;
    const char *verb;     /* "": the noun is the command */
    const char *synopsis; /* arguments as in a manual: "NAME [--quota SIZE]" */
    const char *help;     /* one line */
    command_function *run;
};

/* One option of a command; ends with a row whose name is NULL. */
struct tool_option {
    const char *name;   /* without "--" */
    const char **value; /* set to the text behind; or */
    bool *flag;         /* set to true */
};

/*
 * Takes "--name value", "--name=value" and flags out of arguments, wherever
 * they stand ("--" ends them), and checks that from min to max words are left.
 * Returns false, with a message, for an unknown option, one without its value,
 * or the wrong number of words.
 */
bool tool_arguments(struct arguments *arguments,
                    const struct tool_option *options, int min, int max);

/* Loads the settings once. EX_OK, or EX_CONFIG / EX_TEMPFAIL with messages. */
int tool_settings(struct tool *tool);

/*
 * Opens the store once (settings first) and, unless any_schema, checks the
 * schema. EX_OK or the exit code, with a message.
 */
int tool_store(struct tool *tool, bool any_schema);

/* Until when one question to the store may take. */
int64_t tool_deadline(const struct tool *tool);

/* Prints "provostctl: ..." to standard error. */
void tool_error(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Prints err as an error and returns the exit code status stands for. */
int tool_failed(enum status status, const struct errtext *err);

/*
 * Asks a question on the terminal; true for yes. Without a terminal and
 * without --yes it is no, and says so.
 */
bool tool_confirm(const struct tool *tool, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

/* Canonical forms of words, with a message and EX_DATAERR if they are none. */
int tool_domain(const char *word, char **domain_r);
int tool_address(const char *word, char **address_r);
int tool_size(const char *word, uint64_t *bytes_r);
int tool_number(const char *word, uint64_t *number_r);
int tool_duration(const char *word, int64_t *seconds_r);

/*
 * A point in time: "4d" (so long before now), "2026-11-24" (its beginning) or
 * "2026-11-24T06:30:00Z", in UTC.
 */
int tool_time(const char *word, int64_t *seconds_r);

/*
 * Starts a listing to standard output in the format that was asked for.
 * EX_OK and *out_r for tool_end, or the exit code, with a message.
 */
int tool_begin(const struct tool *tool, const struct output_column *columns,
               size_t count, struct output **out_r);

/* Ends a listing; returns code, or another one if that was EX_OK, and says. */
int tool_end(struct output **out, int code);

/* All commands, for what is made from the table; borrowed. */
const struct command *tool_commands(size_t *count_r);

/* The functions of the table, by noun. */
command_function app_password_add;
command_function app_password_list;
command_function app_password_revoke;
command_function cache_flush;
command_function completion_print;
command_function config_check;
command_function config_import;
command_function config_show;
command_function db_migrate;
command_function directory_show;
command_function directory_test;
command_function doctor_command;
command_function domain_add;
command_function domain_alias;
command_function domain_edit;
command_function domain_list;
command_function domain_remove;
command_function domain_show;
command_function event_follow;
command_function event_list;
command_function import_mailcow;
command_function import_maildir;
command_function import_postfixadmin;
command_function mailbox_add;
command_function mailbox_block;
command_function mailbox_edit;
command_function mailbox_list;
command_function mailbox_pin;
command_function mailbox_preview;
command_function mailbox_remove;
command_function mailbox_rename;
command_function mailbox_show;
command_function mailbox_source;
command_function mailbox_unblock;
command_function mailbox_unpin;
command_function metrics_print;
command_function password_set;
command_function policy_explain;
command_function policy_test;
command_function sync_list;
command_function sync_show;
command_function template_affected;
command_function template_diff;
command_function template_list;
command_function template_show;
command_function why_run;

#endif
