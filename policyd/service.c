/* service - see service.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "service.h"

#include "clock.h"
#include "request.h"

#include <stdio.h>
#include <string.h>

#define REPLY_BYTES_MAX (POLICY_TEXT_BYTES_MAX + 16)

static enum server_frame look(void *context, const unsigned char *data,
                              size_t len, size_t *used_r)
{
    (void)context;
    if (request_is_whole((const char *)data, len, used_r))
        return *used_r <= REQUEST_BYTES_MAX ? SERVER_FRAME_WHOLE
                                            : SERVER_FRAME_INVALID;
    return len > REQUEST_BYTES_MAX ? SERVER_FRAME_INVALID : SERVER_FRAME_MORE;
}

static bool reply(struct server_request *request, const char *text)
{
    char line[REPLY_BYTES_MAX];
    int len = snprintf(line, sizeof(line), "action=%s\n\n", text);

    return len > 0 && (size_t)len < sizeof(line) &&
           server_reply(request, line, (size_t)len);
}

/* Decides by the rules of now, and answers. */
static bool decide(struct service *service, struct server_request *frame,
                   const struct policy_request *request)
{
    struct generation *generation = generations_hold(service->generations);
    int64_t deadline_ms =
        frame->arrived_ms + generation->settings->policy.deadline_ms;
    struct policy_answer answer;
    bool sent;

    if (!policy_decide_now(generation->policy, request, &answer))
        policy_decide(generation->policy, request, deadline_ms, &answer);
    generations_release(service->generations, &generation);
    sent = reply(frame, answer.text);
    report_answer(service->report, request, &answer,
                  clock_ms() - frame->arrived_ms);
    return sent;
}

static enum server_after answer(struct service *service,
                                struct server_request *frame)
{
    char text[REQUEST_BYTES_MAX];
    struct policy_request request;
    struct errtext err = {{0}};
    bool sent = false;

    if (frame->len > sizeof(text))
        return SERVER_CLOSE;
    memcpy(text, frame->data, frame->len);
    switch (request_parse(text, frame->len, &request, &err)) {
    case STATUS_OK:
        sent = decide(service, frame, &request);
        break;
    case STATUS_NOT_FOUND:
        report_other(service->report);
        sent = reply(frame, "DUNNO");
        break;
    case STATUS_DENIED:
    case STATUS_INVALID:
    case STATUS_TEMPFAIL:
        report_invalid(service->report, err.text);
        break;
    }
    return sent ? SERVER_KEEP : SERVER_CLOSE;
}

static enum server_after handle(void *context, unsigned worker,
                                struct server_request *request)
{
    (void)worker;
    return answer(context, request);
}

/*
 * A whole request that waited too long is answered all the same: its deadline
 * is over, so that nothing is asked, and each rule makes its own choice.
 */
static void turn_away(void *context, struct server_request *request,
                      enum server_why why)
{
    struct service *service = context;

    report_turned_away(service->report, why);
    if (request->len > 0 && why != SERVER_INVALID)
        (void)answer(service, request);
}

const struct server_hooks service_hooks = {
    .frame = look,
    .handle = handle,
    .turn_away = turn_away,
};
