/* door - see door.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "door.h"

#include "apply.h"
#include "clock.h"
#include "login.h"
#include "secret.h"

#include <stdio.h>
#include <string.h>

#define ANSWER_MARGIN_MS                                                       \
    200                   /* kept of the deadline for reply and scheduling     \
                           */
#define NOTICE_SECONDS 10 /* between lines about one kind of bad peer */

/* Sends a reply; who does not read it has gone. */
static void reply(struct server_request *request, enum wire_verdict verdict,
                  const char *text)
{
    unsigned char bytes[WIRE_REPLY_BYTES_MAX + 2];
    size_t len = wire_reply_encode(verdict, text, bytes);

    (void)server_reply(request, bytes, len);
}

static enum server_frame look(void *context, const unsigned char *data,
                              size_t len, size_t *used_r)
{
    struct doors *doors = context;
    enum wire_progress progress = WIRE_MORE;
    enum status status =
        wire_request_parse(data, len, &progress, &doors->scratch, NULL);

    wire_request_wipe(&doors->scratch);
    if (status != STATUS_OK)
        return SERVER_FRAME_INVALID;
    if (progress == WIRE_MORE)
        return SERVER_FRAME_MORE;
    *used_r = len;
    return SERVER_FRAME_WHOLE;
}

/* The time by which the attempt has to have its answer. */
static int64_t deadline_of(const struct server_request *request,
                           const struct auth_settings *auth)
{
    int64_t margin_ms = auth->deadline_ms / 10;

    if (margin_ms > ANSWER_MARGIN_MS)
        margin_ms = ANSWER_MARGIN_MS;
    return request->arrived_ms + auth->deadline_ms - margin_ms;
}

/* Tells the client what was decided. */
static void reply_answer(struct server_request *request,
                         const struct login_answer *answer)
{
    switch (answer->result) {
    case LOGIN_IN:
        reply(request, WIRE_OK, answer->address != NULL ? answer->address : "");
        break;
    case LOGIN_WRONG:
    case LOGIN_REFUSED:
        reply(request, WIRE_NO, answer->reason != NULL ? answer->reason : "");
        break;
    case LOGIN_TEMPORARY:
        reply(request, WIRE_TEMPORARY, "");
        break;
    }
}

/* Has the login decide one frame that was read whole. */
static void decide(struct doors *doors, const struct server_request *request,
                   const struct wire_request *wire, struct login_answer *answer)
{
    struct generation *generation = generations_hold(doors->generations);
    struct login_request attempt = {
        .user = wire->fields[WIRE_USER],
        .password = wire->fields[WIRE_PASSWORD],
        .service = wire->fields[WIRE_SERVICE],
        .realm = wire->fields[WIRE_REALM],
        .client = wire->fields[WIRE_CLIENT],
        .canonical_only = atomic_load(&doors->canonical_only[request->door]),
        .deadline_ms = deadline_of(request, &generation->settings->auth),
    };

    login_attempt(generation->login, &attempt, answer);
    generations_release(doors->generations, &generation);
}

/* The names of a full domain, among the reasons of an answer. */
static bool is_full(const char *reason)
{
    static const enum apply_limit limits[] = {LIMIT_MAX_MAILBOXES,
                                              LIMIT_DOMAIN_QUOTA,
                                              LIMIT_MAX_QUOTA, LIMIT_UNLIMITED};

    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        if (strcmp(reason, apply_limit_name(limits[i])) == 0)
            return true;
    }
    return false;
}

/*
 * Mail for somebody unknown. It must not keep people from logging in, so that
 * it has a quarter of the workers.
 */
static void provide(struct doors *doors, const struct server_request *request,
                    const struct wire_request *wire,
                    struct login_answer *answer)
{
    struct generation *generation = generations_hold(doors->generations);
    const struct auth_settings *auth = &generation->settings->auth;
    struct login_request attempt = {
        .user = wire->fields[WIRE_USER],
        .service = "provision",
        .realm = "",
        .client = "",
        .provision = true,
        .deadline_ms = deadline_of(request, auth),
    };
    unsigned before = atomic_fetch_add(&doors->provisioning, 1);

    answer->reason = "busy";
    if (before < (auth->workers + 3) / 4)
        login_attempt(generation->login, &attempt, answer);
    (void)atomic_fetch_sub(&doors->provisioning, 1);
    generations_release(doors->generations, &generation);
}

/* policyd is told which no it is. */
static void reply_provided(struct server_request *request,
                           const struct login_answer *answer)
{
    if (answer->result == LOGIN_IN && answer->address != NULL)
        reply(request, WIRE_OK, answer->address);
    else if (is_full(answer->reason))
        reply(request, WIRE_NO, "limit");
    else if (answer->result == LOGIN_REFUSED || answer->result == LOGIN_WRONG)
        reply(request, WIRE_NO, "unknown");
    else
        reply(request, WIRE_TEMPORARY, "");
}

/* Keys of somebody who logs in by SCRAM; the peer was allowed to have them. */
static void find_keys(struct doors *doors, const struct server_request *request,
                      const struct wire_request *wire,
                      struct login_answer *answer)
{
    struct generation *generation = generations_hold(doors->generations);
    struct login_request attempt = {
        .user = wire->fields[WIRE_USER],
        .service = wire->fields[WIRE_SERVICE],
        .realm = wire->fields[WIRE_REALM],
        .client = wire->fields[WIRE_CLIENT],
        .keys = true,
        .deadline_ms = deadline_of(request, &generation->settings->auth),
    };

    login_attempt(generation->login, &attempt, answer);
    generations_release(doors->generations, &generation);
}

/* Who has no keys is not told apart from who has some. */
static void reply_keys(struct server_request *request,
                       const struct login_answer *answer)
{
    char text[WIRE_REPLY_BYTES_MAX + 1];
    int len = -1;

    if (answer->keys != NULL && answer->address != NULL)
        len = snprintf(text, sizeof(text), "%s %s", answer->address,
                       answer->keys);
    if (len > 0 && (size_t)len < sizeof(text))
        reply(request, WIRE_OK, text);
    else if (answer->result == LOGIN_TEMPORARY)
        reply(request, WIRE_TEMPORARY, "");
    else
        reply(request, WIRE_NO, "unknown");
    secret_wipe(text, sizeof(text));
}

static void attempt(struct doors *doors, enum socket_kind kind,
                    const struct server_request *request,
                    const struct wire_request *wire,
                    struct login_answer *answer)
{
    switch (kind) {
    case SOCKET_LOGIN:
        decide(doors, request, wire, answer);
        break;
    case SOCKET_PROVISION:
        provide(doors, request, wire, answer);
        break;
    case SOCKET_KEYS:
        find_keys(doors, request, wire, answer);
        break;
    }
}

static void reply_by_kind(struct server_request *request, enum socket_kind kind,
                          const struct login_answer *answer)
{
    switch (kind) {
    case SOCKET_LOGIN:
        reply_answer(request, answer);
        break;
    case SOCKET_PROVISION:
        reply_provided(request, answer);
        break;
    case SOCKET_KEYS:
        reply_keys(request, answer);
        break;
    }
}

static enum server_after handle(void *context, unsigned worker,
                                struct server_request *request)
{
    struct doors *doors = context;
    struct login_answer answer = {.result = LOGIN_TEMPORARY,
                                  .reason = "protocol"};
    enum wire_progress progress = WIRE_MORE;
    struct wire_request wire;
    enum socket_kind kind = atomic_load(&doors->kind[request->door]);

    (void)worker;
    if (wire_request_parse(request->data, request->len, &progress, &wire,
                           &answer.text) == STATUS_OK &&
        progress != WIRE_MORE)
        attempt(doors, kind, request, &wire, &answer);
    reply_by_kind(request, kind, &answer);
    report_decision(doors->report, progress != WIRE_MORE ? &wire : NULL,
                    &answer, clock_ms() - request->arrived_ms);
    login_answer_clear(&answer);
    wire_request_wipe(&wire);
    return SERVER_CLOSE;
}

/* One line, not too often, about a peer that no decision was made for. */
static void notice(struct doors *doors, const struct server_request *request,
                   enum server_why why)
{
    static const char *const sentences[SERVER_WHY_COUNT] = {
        [SERVER_SLOW] = "closing a connection that sent no whole request",
        [SERVER_CROWDED] = "too many connections, closing the oldest idle one",
        [SERVER_NO_DESCRIPTOR] = "no file descriptor left, turning away",
        [SERVER_PEER_REFUSED] = "closing a connection of a user who is not "
                                "allowed",
    };
    const struct log_field fields[] = {
        LOG_TEXT("reason", server_why_name(why)),
        LOG_TEXT("socket", doors->paths[request->door]),
        LOG_NUMBER("uid", request->peer_uid),
        LOG_NUMBER("pid", request->peer_pid),
    };

    if (sentences[why] != NULL)
        log_line_limited(doors->log, LOG_LEVEL_WARNING, sentences[why],
                         NOTICE_SECONDS, sentences[why], fields,
                         ARRAY_SIZE(fields));
}

/* A frame that was read, whole or wrong, but met no worker, is a decision. */
static void report_frame(struct doors *doors, struct server_request *request,
                         enum server_why why)
{
    struct login_answer answer = {.result = LOGIN_TEMPORARY,
                                  .reason = server_why_name(why)};
    enum wire_progress progress = WIRE_MORE;
    struct wire_request wire;
    bool whole = wire_request_parse(request->data, request->len, &progress,
                                    &wire, &answer.text) == STATUS_OK &&
                 progress != WIRE_MORE;

    if (why == SERVER_INVALID) {
        answer.result = LOGIN_REFUSED;
        answer.reason = "protocol";
    }
    report_decision(doors->report, whole ? &wire : NULL, &answer,
                    whole ? clock_ms() - request->arrived_ms : 0);
    wire_request_wipe(&wire);
}

static void turn_away(void *context, struct server_request *request,
                      enum server_why why)
{
    struct doors *doors = context;

    /* Two zero bytes, too, for who sent nothing: libsasl2 leaks a descriptor
       in its client when a connection just closes. */
    if (why == SERVER_INVALID)
        reply(request, WIRE_NO, "protocol");
    else if (why != SERVER_PEER_REFUSED)
        reply(request, WIRE_TEMPORARY, "");
    report_turned_away(doors->report, why);
    if (request->len > 0)
        report_frame(doors, request, why);
    else
        notice(doors, request, why);
}

const struct server_hooks door_hooks = {
    .frame = look,
    .handle = handle,
    .turn_away = turn_away,
};

/* Who may have keys was settled when the socket was opened. */
static bool same_use(struct doors *doors, size_t door,
                     const struct socket_settings *set)
{
    return (atomic_load(&doors->kind[door]) == SOCKET_KEYS) ==
           (set->kind == SOCKET_KEYS);
}

size_t doors_configure(struct doors *doors, const struct auth_settings *auth)
{
    size_t strange = 0;

    for (size_t i = 0; i < auth->socket_count; i++) {
        const struct socket_settings *set = &auth->sockets[i];
        size_t door = 0;

        while (door < doors->count &&
               strcmp(doors->paths[door], set->path) != 0)
            door++;
        if (door == doors->count || !same_use(doors, door, set)) {
            strange++;
            continue;
        }
        atomic_store(&doors->canonical_only[door], set->canonical_only);
        atomic_store(&doors->kind[door], set->kind);
    }
    return strange;
}
