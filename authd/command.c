/* command - see command.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "command.h"

#include "clock.h"
#include "control.h"
#include "throttle.h"

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

/* Forgets a person, or everybody. */
static void flush(struct commands *commands, const char *argument,
                  const struct generation *generation, struct strbuf *text)
{
    size_t count = login_flush(generation->login,
                               strcmp(argument, "all") == 0 ? NULL : argument);
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
    const struct report_sources sources = {generation, commands->doors};

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
    case CONTROL_THROTTLE_LIST:
        throttle_append(generation->shared->throttle, clock_ms(), text);
        break;
    case CONTROL_RELOAD:
        return commands->reload(commands->reload_context, text) == STATUS_OK;
    case CONTROL_POLICY_TEST:
    case CONTROL_POLICY_EXPLAIN:
        strbuf_append(text, "this is provost-authd: ask provost-policyd\n");
        return false;
    case CONTROL_WORD_COUNT:
        break;
    }
    return true;
}

static enum server_after handle(void *context, unsigned worker,
                                struct server_request *request)
{
    struct commands *commands = context;
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
    {
        struct generation *generation = generations_hold(commands->generations);

        success = obey(commands, word, argument, generation, &text);
        generations_release(commands->generations, &generation);
    }
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
