/* client - see client.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "client.h"

#include "clock.h"
#include "secret.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG_WAIT_MS 10

/* Says which call failed, on what, and why: errno is still the call's. */
static enum status trouble(const char *call, const char *what,
                           struct errtext *err)
{
    char text[96];

    errtext_set(err, "%s%s: %s", call, what,
                strerror_r(errno, text, sizeof(text)));
    return STATUS_TEMPFAIL;
}

static enum status late(const char *what, struct errtext *err)
{
    errtext_set(err, "deadline passed while %s", what);
    return STATUS_TEMPFAIL;
}

static enum status wait_for(int fd, short events, int64_t deadline_ms,
                            const char *what, struct errtext *err)
{
    struct pollfd item = {.fd = fd, .events = events};
    int ready;

    do {
        ready = poll(&item, 1, clock_left_ms(deadline_ms));
    } while (ready < 0 && errno == EINTR);
    if (ready < 0)
        return trouble("poll", "", err);
    return ready > 0 ? STATUS_OK : late(what, err);
}

/*
 * Connects fd. A unix socket whose queue is full says EAGAIN, and poll(2)
 * cannot tell when there is room again.
 */
static enum status connect_within(int fd,
                                  const struct client_question *question,
                                  struct errtext *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(question->path);

    if (len == 0 || len >= sizeof(address.sun_path)) {
        errtext_set(err, "the configured path is none of a socket");
        return STATUS_TEMPFAIL;
    }
    memcpy(address.sun_path, question->path, len);
    while (connect(fd, (const struct sockaddr *)&address, sizeof(address)) !=
           0) {
        int left_ms = clock_left_ms(question->deadline_ms);

        if (errno != EAGAIN && errno != EINTR)
            return trouble("connect to ", question->path, err);
        if (left_ms == 0)
            return late("connecting", err);
        clock_sleep_ms(left_ms < BACKLOG_WAIT_MS ? left_ms : BACKLOG_WAIT_MS);
    }
    return STATUS_OK;
}

/* A frame fits a socket's buffer, so that this is one send, almost always. */
static enum status send_all(int fd, const unsigned char *data, size_t len,
                            int64_t deadline_ms, struct errtext *err)
{
    size_t sent = 0;

    while (sent < len) {
        ssize_t now = send(fd, data + sent, len - sent, MSG_NOSIGNAL);
        enum status status;

        if (now >= 0) {
            sent += (size_t)now;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return trouble("send", "", err);
        status = wait_for(fd, POLLOUT, deadline_ms, "sending", err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status send_question(int fd, const struct client_question *question,
                                 const struct credentials *credentials,
                                 struct errtext *err)
{
    const char *const fields[WIRE_FIELD_COUNT] = {
        [WIRE_USER] = credentials->user.data,
        [WIRE_PASSWORD] = credentials->password.data,
        [WIRE_SERVICE] = question->service,
        [WIRE_REALM] = question->realm,
        [WIRE_CLIENT] = question->address,
    };
    const size_t lens[WIRE_FIELD_COUNT] = {
        [WIRE_USER] = credentials->user.len,
        [WIRE_PASSWORD] = credentials->password.len,
        [WIRE_SERVICE] = strlen(question->service),
        [WIRE_REALM] = strlen(question->realm),
        [WIRE_CLIENT] = strlen(question->address),
    };
    unsigned char frame[WIRE_REQUEST_BYTES_MAX];
    size_t len = 0;
    enum status status = STATUS_TEMPFAIL;

    /* What the client sent is in bounds by now; the rest is the program's. */
    if (wire_request_encode(fields, lens, frame, &len, err) == STATUS_OK)
        status = send_all(fd, frame, len, question->deadline_ms, err);
    secret_wipe(frame, len);
    return status;
}

static enum status receive_reply(int fd, int64_t deadline_ms,
                                 struct wire_reply *reply_r,
                                 struct errtext *err)
{
    /* One byte more than a reply has, to notice what follows it. */
    unsigned char data[WIRE_REPLY_BYTES_MAX + 3];
    size_t len = 0;
    bool complete = false;

    while (!complete) {
        enum status status =
            wait_for(fd, POLLIN, deadline_ms, "waiting for the reply", err);
        ssize_t now;

        if (status != STATUS_OK)
            return status;
        now = recv(fd, data + len, sizeof(data) - len, 0);
        if (now < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (now < 0)
            return trouble("recv", "", err);
        if (now == 0) {
            errtext_set(err, "connection closed after %zu bytes of reply", len);
            return STATUS_TEMPFAIL;
        }
        len += (size_t)now;
        if (wire_reply_parse(data, len, &complete, reply_r, err) != STATUS_OK)
            return STATUS_TEMPFAIL;
    }
    return STATUS_OK;
}

/* The name goes to the program as the person's: a word with a domain. */
static bool is_address(const char *name)
{
    const char *at = strrchr(name, '@');

    return at != NULL && at != name && at[1] != '\0' &&
           strchr(name, ' ') == NULL;
}

static enum status judge(const struct wire_reply *reply,
                         char name_r[WIRE_REPLY_BYTES_MAX + 1],
                         struct errtext *err)
{
    switch (reply->verdict) {
    case WIRE_OK:
        if (!is_address(reply->text)) {
            errtext_set(err, "the service said OK without an address");
            return STATUS_TEMPFAIL;
        }
        memcpy(name_r, reply->text, sizeof(reply->text));
        return STATUS_OK;
    case WIRE_NO:
        errtext_set(err, "refused by the service");
        return STATUS_DENIED;
    case WIRE_TEMPORARY:
        break;
    }
    errtext_set(err, "the service has no answer at present");
    return STATUS_TEMPFAIL;
}

static enum status exchange(const struct client_question *question,
                            const struct credentials *credentials,
                            struct wire_reply *reply_r, struct errtext *err)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    enum status status;

    if (fd < 0)
        return trouble("socket", "", err);
    status = connect_within(fd, question, err);
    if (status == STATUS_OK)
        status = send_question(fd, question, credentials, err);
    if (status == STATUS_OK)
        status = receive_reply(fd, question->deadline_ms, reply_r, err);
    (void)close(fd);
    return status;
}

enum status client_ask(const struct client_question *question,
                       const struct credentials *credentials,
                       char name_r[WIRE_REPLY_BYTES_MAX + 1],
                       struct errtext *err)
{
    struct wire_reply reply;
    enum status status = exchange(question, credentials, &reply, err);

    return status == STATUS_OK ? judge(&reply, name_r, err) : status;
}

/* "ADDRESS KEYS": the keys are a word without blanks. */
static enum status judge_keys(const struct wire_reply *reply,
                              char keys_r[WIRE_REPLY_BYTES_MAX + 1],
                              struct errtext *err)
{
    const char *blank = strchr(reply->text, ' ');

    if (reply->verdict == WIRE_OK && blank != NULL && blank[1] != '\0' &&
        strchr(blank + 1, ' ') == NULL) {
        memcpy(keys_r, blank + 1, strlen(blank + 1) + 1);
        return STATUS_OK;
    }
    switch (reply->verdict) {
    case WIRE_OK:
        errtext_set(err, "the service said OK without keys: is its socket of "
                         "kind \"keys\"?");
        return STATUS_TEMPFAIL;
    case WIRE_NO:
        errtext_set(err, "refused by the service");
        return STATUS_DENIED;
    case WIRE_TEMPORARY:
        break;
    }
    errtext_set(err, "the service has no answer at present");
    return STATUS_TEMPFAIL;
}

enum status client_keys(const struct client_question *question,
                        const struct credential *user,
                        char keys_r[WIRE_REPLY_BYTES_MAX + 1],
                        struct errtext *err)
{
    const struct credentials credentials = {
        .authzid = {"", 0}, .user = *user, .password = {"", 0}};
    struct wire_reply reply;
    enum status status = exchange(question, &credentials, &reply, err);

    if (status == STATUS_OK)
        status = judge_keys(&reply, keys_r, err);
    secret_wipe(&reply, sizeof(reply));
    return status;
}
