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

/* What a frame holds: a request, and the text its strings point into. */
struct frame {
    struct policy_request request;
    char text[REQUEST_BYTES_MAX];
};

static enum status read_frame(const struct server_request *from,
                              struct frame *frame, struct errtext *err)
{
    if (from->len > sizeof(frame->text)) {
        errtext_set(err, "over 16 KiB");
        return STATUS_INVALID;
    }
    memcpy(frame->text, from->data, from->len);
    return request_parse(frame->text, from->len, &frame->request, err);
}

/*
 * Decides by the rules of now, and answers. may_wait false: only if memory
 * alone can tell. *after_r is only set where it returns true.
 */
static bool decide(struct service *service, struct server_request *from,
                   const struct policy_request *request, bool may_wait,
                   enum server_after *after_r)
{
    struct generation *generation = generations_hold(service->generations);
    int64_t deadline_ms =
        from->arrived_ms + generation->settings->policy.deadline_ms;
    struct policy_answer answer NOT_CLEARED;
    bool decided = true;

    if (may_wait)
        policy_decide(generation->policy, request, deadline_ms, &answer);
    else
        decided = policy_decide_now(generation->policy, request, &answer);
    generations_release(service->generations, &generation);
    if (!decided)
        return false;
    *after_r = reply(from, answer.text) ? SERVER_KEEP : SERVER_CLOSE;
    report_answer(service->report, request, &answer,
                  clock_ms() - from->arrived_ms);
    return true;
}

static bool answer(struct service *service, struct server_request *from,
                   bool may_wait, enum server_after *after_r)
{
    struct errtext err = {{0}};
    struct frame frame NOT_CLEARED;

    *after_r = SERVER_CLOSE;
    switch (read_frame(from, &frame, &err)) {
    case STATUS_OK:
        return decide(service, from, &frame.request, may_wait, after_r);
    case STATUS_NOT_FOUND:
        report_other(service->report);
        *after_r = reply(from, "DUNNO") ? SERVER_KEEP : SERVER_CLOSE;
        return true;
    case STATUS_DENIED:
    case STATUS_INVALID:
    case STATUS_TEMPFAIL:
        report_invalid(service->report, err.text);
        return true;
    }
    return true;
}

static bool at_once(void *context, struct server_request *request,
                    enum server_after *after_r)
{
    return answer(context, request, false, after_r);
}

static enum server_after handle(void *context, unsigned worker,
                                struct server_request *request)
{
    enum server_after after = SERVER_CLOSE;

    (void)worker;
    (void)answer(context, request, true, &after);
    return after;
}

/* Nothing is said: Postfix defers, or does what its default_action is. */
static void turn_away(void *context, struct server_request *request,
                      enum server_why why)
{
    struct service *service = context;

    (void)request;
    report_turned_away(service->report, why);
}

const struct server_hooks service_hooks = {
    .frame = look,
    .at_once = at_once,
    .handle = handle,
    .turn_away = turn_away,
};
