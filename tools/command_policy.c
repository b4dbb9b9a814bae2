/* command_policy - provostctl policy ... */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "clock.h"
#include "control.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define COLUMNS_MAX 8

/* What the options say of the message. */
struct message {
    const char *sender;
    const char *recipient;
    const char *size;
    const char *login;
    const char *state;
    bool tls;
};

static void append(struct strbuf *buf, const char *name, const char *value)
{
    if (value != NULL)
        strbuf_appendf(buf, "%s%s=%s", buf->len > 0 ? "\t" : "", name, value);
}

/* The attributes as the control socket takes them; false: not printable. */
static bool make_argument(const struct message *message, struct strbuf *buf)
{
    char bytes_text[32];
    uint64_t bytes = 0;

    append(buf, "protocol_state", message->state);
    append(buf, "instance", "provostctl");
    append(buf, "sender", message->sender);
    append(buf, "recipient", message->recipient);
    append(buf, "sasl_username", message->login);
    append(buf, "encryption_protocol", message->tls ? "TLSv1.3" : NULL);
    if (message->size != NULL) {
        if (tool_size(message->size, &bytes) != EX_OK)
            return false;
        (void)snprintf(bytes_text, sizeof(bytes_text), "%llu",
                       (unsigned long long)bytes);
        append(buf, "size", bytes_text);
    }
    if (strchr(strbuf_text(buf), '\n') != NULL) {
        tool_error("a value has a line feed in it");
        return false;
    }
    return true;
}

/* Cuts a line at its tabs; returns how many columns there are. */
static size_t cut(char *line, char *columns[COLUMNS_MAX])
{
    size_t count = 0;
    char *column;

    while (count < COLUMNS_MAX && (column = strsep(&line, "\t")) != NULL)
        columns[count++] = column;
    return count;
}

static void show(struct output *out, char *const *columns, size_t count,
                 size_t wanted)
{
    for (size_t i = 0; i < wanted; i++)
        output_text(out,
                    i < count && columns[i][0] != '\0' ? columns[i] : NULL);
    output_row(out);
}

/* The rows that begin with word, and at last the answer. */
static int show_reply(const struct tool *tool, char *text, const char *word,
                      const struct output_column *table, size_t wanted)
{
    struct output *out =
        output_begin(stdout, tool->format, tool->headers, table, wanted);
    char *answer[COLUMNS_MAX] = {NULL};
    char *line;

    if (out == NULL)
        return EX_TEMPFAIL;
    while ((line = strsep(&text, "\n")) != NULL) {
        char *columns[COLUMNS_MAX];
        size_t count = cut(line, columns);

        if (strcmp(columns[0], word) == 0)
            show(out, columns + 1, count - 1, wanted);
        else if (strcmp(columns[0], "away") == 0 && count > 1)
            tool_error("something did not answer: %s", columns[1]);
        else if (strcmp(columns[0], "action") == 0 && count > 1)
            answer[wanted - 1] = columns[1];
    }
    if (answer[wanted - 1] != NULL) {
        static char label[] = "answer";
        static char nothing[] = "";

        for (size_t i = 0; i + 1 < wanted; i++)
            answer[i] = i == 0 ? label : nothing;
        show(out, answer, wanted, wanted);
    }
    return output_end(&out) ? EX_OK : EX_IOERR;
}

static int ask(struct tool *tool, struct arguments *arguments,
               enum control_word word, const char *row,
               const struct output_column *table, size_t wanted)
{
    struct message message = {.state = "RCPT"};
    const struct tool_option options[] = {
        {.name = "sender", .value = &message.sender},
        {.name = "recipient", .value = &message.recipient},
        {.name = "size", .value = &message.size},
        {.name = "login", .value = &message.login},
        {.name = "state", .value = &message.state},
        {.name = "tls", .flag = &message.tls},
        {.name = NULL}};
    struct strbuf argument = STRBUF_INIT(CONTROL_ARGUMENT_BYTES_MAX);
    struct strbuf text = STRBUF_INIT(CONTROL_REPLY_BYTES_MAX);
    struct errtext err = {{0}};
    char *copy = NULL;
    enum status status;
    int code;

    if (!tool_arguments(arguments, options, 0, 0))
        return EX_USAGE;
    code = tool_settings(tool);
    if (code == EX_OK && !make_argument(&message, &argument))
        code = EX_DATAERR;
    if (code != EX_OK)
        goto out;
    status = control_ask(
        tool->settings->policy.control_path, word, strbuf_text(&argument),
        clock_ms() + tool->settings->policy.deadline_ms + 2000, &text, &err);
    if (status == STATUS_DENIED) {
        tool_error("provost-policyd: %s", strbuf_text(&text));
        code = EX_DATAERR;
    } else if (status != STATUS_OK ||
               strbuf_take(&text, &copy, &err) != STATUS_OK) {
        code = tool_failed(STATUS_TEMPFAIL, &err);
    } else {
        code = show_reply(tool, copy, row, table, wanted);
    }
out:
    free(copy);
    strbuf_clear(&argument);
    strbuf_clear(&text);
    return code;
}

int policy_test(struct tool *tool, struct arguments *arguments)
{
    static const struct output_column table[] = {
        {"rule", "RULE", OUTPUT_TEXT},
        {"effect", "EFFECT", OUTPUT_TEXT},
        {"subject", "SUBJECT", OUTPUT_TEXT},
        {"numbers", "NUMBERS", OUTPUT_TEXT},
        {"text", "TEXT", OUTPUT_TEXT},
    };

    return ask(tool, arguments, CONTROL_POLICY_TEST, "finding", table,
               ARRAY_SIZE(table));
}

int policy_explain(struct tool *tool, struct arguments *arguments)
{
    static const struct output_column table[] = {
        {"rule", "RULE", OUTPUT_TEXT},
        {"mode", "MODE", OUTPUT_TEXT},
        {"outcome", "OUTCOME", OUTPUT_TEXT},
        {"subject", "SUBJECT", OUTPUT_TEXT},
        {"numbers", "NUMBERS", OUTPUT_TEXT},
        {"text", "TEXT", OUTPUT_TEXT},
    };

    return ask(tool, arguments, CONTROL_POLICY_EXPLAIN, "rule", table,
               ARRAY_SIZE(table));
}
