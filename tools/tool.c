/* tool - see tool.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "address.h"
#include "clock.h"
#include "quantity.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

void tool_error(const char *fmt, ...)
{
    struct strbuf text = STRBUF_INIT(16384);
    va_list args;

    va_start(args, fmt);
    strbuf_vappendf(&text, fmt, args);
    va_end(args);
    (void)fprintf(stderr, "%s: ", program_invocation_short_name);
    output_escaped(stderr, strbuf_text(&text));
    (void)fputs("\n", stderr);
    strbuf_clear(&text);
}

int tool_failed(enum status status, const struct errtext *err)
{
    tool_error("%s", err->text);
    switch (status) {
    case STATUS_OK:
        return EX_OK;
    case STATUS_NOT_FOUND:
        return EX_NOUSER;
    case STATUS_DENIED:
        return EX_NOPERM;
    case STATUS_INVALID:
        return EX_DATAERR;
    case STATUS_TEMPFAIL:
        return EX_TEMPFAIL;
    }
    return EX_SOFTWARE;
}

bool tool_confirm(const struct tool *tool, const char *fmt, ...)
{
    struct strbuf text = STRBUF_INIT(16384);
    char answer[16] = "";
    va_list args;

    if (tool->yes)
        return true;
    va_start(args, fmt);
    strbuf_vappendf(&text, fmt, args);
    va_end(args);
    if (isatty(STDIN_FILENO)) {
        output_escaped(stderr, strbuf_text(&text));
        (void)fputs(" [y/N] ", stderr);
        if (fgets(answer, sizeof(answer), stdin) == NULL)
            answer[0] = '\0';
    } else {
        tool_error("%s Not done: say --yes", strbuf_text(&text));
    }
    strbuf_clear(&text);
    return answer[0] == 'y' || answer[0] == 'Y';
}

/* The row of an option word, and where "=value" starts (or NULL). */
static const struct tool_option *find_option(const struct tool_option *options,
                                             const char *word,
                                             const char **value_r)
{
    size_t len = strcspn(word, "=");

    *value_r = word[len] == '=' ? word + len + 1 : NULL;
    for (; options->name != NULL; options++) {
        if (strlen(options->name) == len &&
            strncmp(options->name, word, len) == 0)
            return options;
    }
    return NULL;
}

/* Takes the option at words[i]; returns how many words it used, 0: a fault. */
static int take_option(const struct arguments *arguments, int i,
                       const struct tool_option *options)
{
    const char *word = arguments->words[i] + 2;
    const char *value = NULL;
    const struct tool_option *option = find_option(options, word, &value);

    if (option == NULL) {
        tool_error("unknown option --%s", word);
        return 0;
    }
    if (option->flag != NULL) {
        if (value != NULL) {
            tool_error("--%s takes no value", option->name);
            return 0;
        }
        *option->flag = true;
        return 1;
    }
    if (value != NULL) {
        *option->value = value;
        return 1;
    }
    if (i + 1 >= arguments->count) {
        tool_error("--%s needs a value", option->name);
        return 0;
    }
    *option->value = arguments->words[i + 1];
    return 2;
}

/* Takes the options out; false with a message for a fault. */
static bool take_options(struct arguments *arguments,
                         const struct tool_option *options)
{
    int kept = 0;
    int i = 0;

    while (i < arguments->count) {
        char *word = arguments->words[i];
        int used;

        if (strcmp(word, "--") == 0) {
            for (i++; i < arguments->count; i++)
                arguments->words[kept++] = arguments->words[i];
            break;
        }
        if (strncmp(word, "--", 2) != 0) {
            arguments->words[kept++] = word;
            i++;
            continue;
        }
        used = take_option(arguments, i, options);
        if (used == 0)
            return false;
        i += used;
    }
    arguments->count = kept;
    return true;
}

bool tool_arguments(struct arguments *arguments,
                    const struct tool_option *options, int min, int max)
{
    if (!take_options(arguments, options))
        return false;
    if (arguments->count > max)
        tool_error("unexpected word \"%s\"", arguments->words[max]);
    else if (arguments->count < min)
        tool_error("a word is missing; see provostctl help");
    return arguments->count >= min && arguments->count <= max;
}

/*
 * The store knows its user by the kernel's word where no password is set; root
 * types provostctl, and is to be let in as that user.
 */
static void connect_as_user(struct store_settings *set)
{
    const struct passwd *entry;

    if (geteuid() != 0 || set->password != NULL || set->user == NULL)
        return;
    entry = getpwnam(set->user);
    if (entry != NULL)
        set->connect_uid = entry->pw_uid;
}

int tool_settings(struct tool *tool)
{
    struct strbuf faults = STRBUF_INIT(SETTINGS_FAULTS_BYTES_MAX);
    enum status status;

    if (tool->settings != NULL)
        return EX_OK;
    status = settings_load(tool->settings_path, &tool->settings, &faults);
    if (status != STATUS_OK)
        (void)fputs(strbuf_text(&faults), stderr);
    strbuf_clear(&faults);
    if (status == STATUS_OK) {
        connect_as_user(&tool->settings->store);
        return EX_OK;
    }
    return status == STATUS_TEMPFAIL ? EX_TEMPFAIL : EX_CONFIG;
}

int tool_store(struct tool *tool, bool any_schema)
{
    struct errtext err = {{0}};
    enum status status = STATUS_OK;
    int code = tool_settings(tool);

    if (code != EX_OK)
        return code;
    if (tool->store == NULL)
        status = store_open(&tool->settings->store, &tool->store, &err);
    if (status == STATUS_OK && !any_schema)
        status = store_check_schema(tool->store, tool_deadline(tool), &err);
    if (status == STATUS_OK)
        return EX_OK;
    code = tool_failed(status, &err);
    return status == STATUS_INVALID ? EX_CONFIG : code;
}

int64_t tool_deadline(const struct tool *tool)
{
    return clock_ms() + tool->settings->store.timeout_ms;
}

int tool_domain(const char *word, char **domain_r)
{
    struct errtext err = {{0}};
    enum status status = address_domain(word, domain_r, &err);

    return status == STATUS_OK ? EX_OK : tool_failed(status, &err);
}

int tool_address(const char *word, char **address_r)
{
    struct errtext err = {{0}};
    enum status status = address_canonical(word, address_r, &err);

    return status == STATUS_OK ? EX_OK : tool_failed(status, &err);
}

int tool_size(const char *word, uint64_t *bytes_r)
{
    struct errtext err = {{0}};
    enum status status = quantity_size(word, bytes_r, &err);

    return status == STATUS_OK ? EX_OK : tool_failed(status, &err);
}

int tool_number(const char *word, uint64_t *number_r)
{
    struct errtext err = {{0}};
    enum status status = quantity_number(word, 0, UINT32_MAX, number_r, &err);

    return status == STATUS_OK ? EX_OK : tool_failed(status, &err);
}

int tool_duration(const char *word, int64_t *seconds_r)
{
    struct errtext err = {{0}};
    int64_t ms = 0;
    enum status status = quantity_duration_ms(word, &ms, &err);

    if (status != STATUS_OK)
        return tool_failed(status, &err);
    *seconds_r = ms / 1000;
    return EX_OK;
}

/* Reads a date, with or without a time of day. */
static bool read_date(const char *word, int64_t *seconds_r)
{
    struct tm parts = {0};
    const char *end = strptime(word, "%Y-%m-%d", &parts);
    int day = parts.tm_mday;
    time_t at;

    if (end != NULL && *end == 'T')
        end = strptime(end + 1, "%H:%M:%SZ", &parts);
    if (end == NULL || *end != '\0' || parts.tm_year < 70)
        return false;
    at = timegm(&parts);
    *seconds_r = (int64_t)at;
    /* The 30th of February would be a day in March. */
    return at >= 0 && parts.tm_mday == day;
}

int tool_time(const char *word, int64_t *seconds_r)
{
    int64_t ago = 0;
    int64_t now = (int64_t)time(NULL);

    if (strchr(word, '-') == NULL) {
        int code = tool_duration(word, &ago);

        if (code == EX_OK)
            *seconds_r = ago < now ? now - ago : 0;
        return code;
    }
    if (read_date(word, seconds_r))
        return EX_OK;
    tool_error("\"%s\" is no time: write 4d, 2026-11-24 or "
               "2026-11-24T06:30:00Z",
               word);
    return EX_DATAERR;
}

int tool_begin(const struct tool *tool, const struct output_column *columns,
               size_t count, struct output **out_r)
{
    *out_r = output_begin(stdout, tool->format, tool->headers, columns, count);
    if (*out_r != NULL)
        return EX_OK;
    tool_error("out of memory");
    return EX_TEMPFAIL;
}

int tool_end(struct output **out, int code)
{
    if (output_end(out))
        return code;
    tool_error("the listing could not be written");
    return code == EX_OK ? EX_IOERR : code;
}
