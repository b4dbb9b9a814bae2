/* control_server - see control_server.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "control_server.h"

#include "server.h"

#include <stdlib.h>
#include <string.h>

#define NOTICE_SECONDS 10
#define SOCKET_MODE 0660

struct control_server {
    struct control_server_settings set; /* but path and group */
    struct server *server;
};

static const struct server_limits limits = {
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

static enum server_after handle(void *context, unsigned worker,
                                struct server_request *request)
{
    const struct control_server *control = context;
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
    success = control->set.obey(control->set.context, word, argument, &text);
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
    const struct control_server *control = context;
    const struct log_field fields[] = {
        LOG_TEXT("reason", server_why_name(why)),
        LOG_NUMBER("uid", request->peer_uid),
        LOG_NUMBER("pid", request->peer_pid),
    };

    if (why != SERVER_PEER_REFUSED)
        reply(request, false, server_why_name(why));
    log_line_limited(control->set.log, LOG_LEVEL_WARNING, "control",
                     NOTICE_SECONDS, "turning a control connection away",
                     fields, ARRAY_SIZE(fields));
}

enum status control_server_open(const struct control_server_settings *set,
                                struct listen_inherited *inherited,
                                struct control_server **control_r,
                                struct errtext *err)
{
    static const struct server_hooks hooks = {
        .frame = look,
        .handle = handle,
        .turn_away = turn_away,
    };
    const struct listen_settings where = {
        .path = set->path, .mode = SOCKET_MODE, .group = set->group};
    const struct server_peers everybody = {0};
    struct control_server *control;
    enum status status;

    if (set->path[0] == '\0') {
        *control_r = NULL;
        return STATUS_OK;
    }
    control = calloc(1, sizeof(*control));
    if (control == NULL)
        return status_no_memory(err);
    control->set = *set;
    control->set.path = control->set.group = NULL;
    status = server_new(&limits, &hooks, control, &control->server, err);
    if (status == STATUS_OK)
        status = server_add_door(control->server, &where, inherited, &everybody,
                                 err);
    if (status != STATUS_OK) {
        control_server_free(&control);
        return status;
    }
    *control_r = control;
    return STATUS_OK;
}

enum status control_server_start(struct control_server *control,
                                 struct errtext *err)
{
    return control != NULL ? server_start(control->server, err) : STATUS_OK;
}

enum status control_server_stop(struct control_server *control,
                                int64_t deadline_ms, struct errtext *err)
{
    return control != NULL ? server_stop(control->server, deadline_ms, err)
                           : STATUS_OK;
}

void control_server_free(struct control_server **control)
{
    if (*control == NULL)
        return;
    server_free(&(*control)->server);
    free(*control);
    *control = NULL;
}
