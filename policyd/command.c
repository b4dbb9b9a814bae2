/* command - see command.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "command.h"

#include "clock.h"
#include "control.h"
#include "request.h"

#include <string.h>

#define NOTICE_SECONDS 10

const struct server_limits command_limits = {
    .connections_max = 16,
    .queue_max = 16,
    .workers = 1,
    .frame_bytes_max = CONTROL_REQUEST_BYTES_MAX,
    .frame_timeout_ms = 5000,
    .idle_timeout_ms = 0,
    .queue_age_ms = 30000,
    .reply_timeout_ms = 2000,
};

static enum server_frame look(void *context, const unsigned char *data,
                              size_t len, size_t *used_r)
{
    const unsigned char *end = memchr(data, '\n', len);

    (void)context;
    if (end == NULL)
        return SERVER_FRAME_MORE;
    *used_r = (size_t)(end - data) + 1;
    return SERVER_FRAME_WHOLE;
}

static void reply(struct server_request *request, bool success,
                  const char *text)
{
    struct strbuf buf = STRBUF_INIT(CONTROL_REPLY_BYTES_MAX);

    control_append_reply(&buf, success, text);
    (void)server_reply(request, strbuf_text(&buf), buf.len);
    strbuf_clear(&buf);
}

/* A line of `policy explain`: columns with tabs between. */
static void append_row(const struct policy_row *row, void *arg)
{
    strbuf_appendf(arg, "rule\t%s\t%s\t%s\t%s\t%s\t%s\n",
                   policy_rule_name(row->rule), row->mode, row->outcome,
                   row->subject, row->numbers, row->text);
}

static void append_answer(const struct policy_answer *answer,
                          struct strbuf *text)
{
    for (size_t i = 0; i < answer->finding_count; i++) {
        const struct policy_finding *finding = &answer->findings[i];

        strbuf_appendf(text, "finding\t%s\t%s\t%s\t%s\t%s\n",
                       policy_rule_name(finding->rule),
                       finding->enforced ? "enforced" : "would refuse",
                       finding->subject, finding->numbers, finding->text);
    }
    if (answer->away)
        strbuf_appendf(text, "away\t%s\n", answer->err.text);
    strbuf_appendf(text, "action\t%s\n", answer->text);
}

/* Makes a request of the argument's attributes, with tabs between them. */
static bool rehearse(const char *argument, const struct generation *generation,
                     bool explains, struct strbuf *text)
{
    struct policy_visitor visitor = {append_row, text};
    char lines[CONTROL_ARGUMENT_BYTES_MAX + 64] =
        "request=smtpd_access_policy\n";
    size_t len = strlen(lines);
    struct policy_request request;
    struct policy_answer answer;
    struct errtext err = {{0}};

    for (const char *p = argument; *p != '\0'; p++)
        lines[len++] = *p == '\t' ? '\n' : *p;
    lines[len++] = '\n';
    lines[len++] = '\n';
    if (request_parse(lines, len, &request, &err) != STATUS_OK) {
        strbuf_appendf(text, "the request has %s\n", err.text);
        return false;
    }
    policy_rehearse(generation->policy, &request,
                    clock_ms() + generation->settings->policy.deadline_ms,
                    explains ? &visitor : NULL, &answer);
    append_answer(&answer, text);
    return true;
}

static void flush(struct commands *commands, const char *argument,
                  const struct generation *generation, struct strbuf *text)
{
    size_t count = policy_flush(generation->policy);
    const struct log_field fields[] = {
        LOG_TEXT("user", argument),
        LOG_NUMBER("entries", (int64_t)count),
    };

    log_line(commands->log, LOG_LEVEL_INFO, "flushed", fields,
             ARRAY_SIZE(fields));
    strbuf_appendf(text, "flushed %zu\n", count);
}

/* Does what was asked; false: it could not be done, text says why. */
static bool obey(struct commands *commands, enum control_word word,
                 const char *argument, const struct generation *generation,
                 struct strbuf *text)
{
    const struct report_sources sources = {generation, commands->server,
                                           commands->keeper};

    switch (word) {
    case CONTROL_STATUS:
        report_append_status(commands->report, &sources, text);
        break;
    case CONTROL_METRICS:
        report_append_metrics(commands->report, &sources, text);
        break;
    case CONTROL_FLUSH:
        flush(commands, argument, generation, text);
        break;
    case CONTROL_POLICY_TEST:
    case CONTROL_POLICY_EXPLAIN:
        return rehearse(argument, generation, word == CONTROL_POLICY_EXPLAIN,
                        text);
    case CONTROL_THROTTLE_LIST:
        strbuf_append(text, "this is provost-policyd: ask provost-authd\n");
        return false;
    case CONTROL_RELOAD:
    case CONTROL_WORD_COUNT:
        break;
    }
    return true;
}

static bool obey_now(struct commands *commands, enum control_word word,
                     const char *argument, struct strbuf *text)
{
    struct generation *generation;
    bool success;

    /* Nobody may hold the generation that a reload wants to close. */
    if (word == CONTROL_RELOAD)
        return commands->reload(commands->reload_context, text) == STATUS_OK;
    generation = generations_hold(commands->generations);
    success = obey(commands, word, argument, generation, text);
    generations_release(commands->generations, &generation);
    return success;
}

static enum server_after handle(void *context, unsigned worker,
                                struct server_request *request)
{
    struct strbuf text = STRBUF_INIT(CONTROL_REPLY_BYTES_MAX / 2);
    char argument[CONTROL_ARGUMENT_BYTES_MAX + 1];
    struct errtext err = {0};
    enum control_word word;
    bool success;

    (void)worker;
    if (control_parse((const char *)request->data, request->len, &word,
                      argument, &err) != STATUS_OK) {
        reply(request, false, err.text);
        return SERVER_CLOSE;
    }
    success = obey_now(context, word, argument, &text);
    if (text.failed)
        reply(request, false, "the answer would be too long");
    else
        reply(request, success, strbuf_text(&text));
    strbuf_clear(&text);
    return SERVER_CLOSE;
}

static void turn_away(void *context, struct server_request *request,
                      enum server_why why)
{
    struct commands *commands = context;
    const struct log_field fields[] = {
        LOG_TEXT("reason", server_why_name(why)),
        LOG_NUMBER("uid", request->peer_uid),
        LOG_NUMBER("pid", request->peer_pid),
    };

    if (why != SERVER_PEER_REFUSED)
        reply(request, false, server_why_name(why));
    log_line_limited(commands->log, LOG_LEVEL_WARNING, "control",
                     NOTICE_SECONDS, "turning a control connection away",
                     fields, ARRAY_SIZE(fields));
}

const struct server_hooks command_hooks = {
    .frame = look,
    .handle = handle,
    .turn_away = turn_away,
};
