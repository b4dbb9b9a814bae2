/* provision_client - see provision_client.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "provision_client.h"

#include "clock.h"
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Waits until the socket is ready for events; false: it is deadline_ms. */
static bool ready(int fd, short events, int64_t deadline_ms)
{
    struct pollfd poller = {.fd = fd, .events = events};
    int rc;

    do {
        rc = poll(&poller, 1, clock_left_ms(deadline_ms));
    } while (rc < 0 && errno == EINTR);
    return rc > 0;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    int fd;

    if (len >= sizeof(address.sun_path))
        return -1;
    memcpy(address.sun_path, path, len + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    /* EAGAIN: authd's backlog is full, which is no answer either. */
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static bool send_all(int fd, const unsigned char *bytes, size_t len,
                     int64_t deadline_ms)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

        if (sent > 0) {
            bytes += sent;
            len -= (size_t)sent;
        } else if (errno != EINTR &&
                   (errno != EAGAIN || !ready(fd, POLLOUT, deadline_ms))) {
            return false;
        }
    }
    return true;
}

static bool receive(int fd, struct wire_reply *reply, int64_t deadline_ms)
{
    unsigned char bytes[WIRE_REPLY_BYTES_MAX + 2];
    bool complete = false;
    size_t len = 0;

    while (!complete && len < sizeof(bytes)) {
        ssize_t got;

        if (!ready(fd, POLLIN, deadline_ms))
            return false;
        got = recv(fd, bytes + len, sizeof(bytes) - len, 0);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            return false;
        len += (size_t)got;
        if (wire_reply_parse(bytes, len, &complete, reply, NULL) != STATUS_OK)
            return false;
    }
    return complete;
}

static enum verdict_provision read_reply(const struct wire_reply *reply)
{
    switch (reply->verdict) {
    case WIRE_OK:
        return PROVISION_MADE;
    case WIRE_NO:
        return strcmp(reply->text, "limit") == 0 ? PROVISION_LIMIT
                                                 : PROVISION_UNKNOWN;
    case WIRE_TEMPORARY:
        break;
    }
    return PROVISION_NO_ANSWER;
}

enum verdict_provision provision_ask(const char *path, const char *address,
                                     int64_t deadline_ms)
{
    const char *fields[WIRE_FIELD_COUNT] = {address, "", "provision", "", ""};
    size_t lens[WIRE_FIELD_COUNT] = {strlen(address), 0, strlen("provision"), 0,
                                     0};
    unsigned char bytes[WIRE_REQUEST_BYTES_MAX];
    struct wire_reply reply;
    size_t len = 0;
    bool answered;
    int fd;

    if (wire_request_encode(fields, lens, bytes, &len, NULL) != STATUS_OK)
        return PROVISION_NO_ANSWER;
    fd = connect_to(path);
    if (fd < 0)
        return PROVISION_NO_ANSWER;
    answered = send_all(fd, bytes, len, deadline_ms) &&
               receive(fd, &reply, deadline_ms);
    (void)close(fd);
    return answered ? read_reply(&reply) : PROVISION_NO_ANSWER;
}
