/* control - see control.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "control.h"

#include "clock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const struct control_row rows[CONTROL_WORD_COUNT] = {
    [CONTROL_STATUS] = {"status", "", "state, counters and hosts"},
    [CONTROL_METRICS] = {"metrics", "", "counters as Prometheus text"},
    [CONTROL_FLUSH] = {"flush", "USER, or all",
                       "forget what is remembered of a person"},
    [CONTROL_THROTTLE_LIST] = {"throttle list", "", "who is held back"},
    [CONTROL_RELOAD] = {"reload", "", "read the settings again"},
    [CONTROL_POLICY_TEST] = {"policy test", "NAME=VALUE, tabs between",
                             "what a request would be answered (policyd)"},
    [CONTROL_POLICY_EXPLAIN] = {"policy explain", "NAME=VALUE, tabs between",
                                "the same, rule by rule (policyd)"},
};

const struct control_row *control_row(enum control_word word)
{
    return &rows[word];
}

/* The row that line begins with, whole words; -1: none. */
static int find_row(const char *line, size_t len)
{
    for (int i = 0; i < CONTROL_WORD_COUNT; i++) {
        size_t word_len = strlen(rows[i].word);

        if (len >= word_len && memcmp(line, rows[i].word, word_len) == 0 &&
            (len == word_len || line[word_len] == ' '))
            return i;
    }
    return -1;
}

enum status control_parse(const char *line, size_t len,
                          enum control_word *word_r,
                          char argument_r[CONTROL_ARGUMENT_BYTES_MAX + 1],
                          struct errtext *err)
{
    size_t skip;
    int found;

    if (len > 0 && line[len - 1] == '\n')
        len--;
    if (len > 0 && line[len - 1] == '\r')
        len--;
    found = find_row(line, len);
    if (found < 0 || memchr(line, '\0', len) != NULL) {
        errtext_set(err, "unknown request");
        return STATUS_INVALID;
    }
    skip = strlen(rows[found].word);
    skip += len > skip ? 1 : 0;
    len -= skip;
    if ((len > 0) != (rows[found].argument[0] != '\0') ||
        len > CONTROL_ARGUMENT_BYTES_MAX) {
        errtext_set(err, "usage: %s %s", rows[found].word,
                    rows[found].argument);
        return STATUS_INVALID;
    }
    memcpy(argument_r, line + skip, len);
    argument_r[len] = '\0';
    *word_r = (enum control_word)found;
    return STATUS_OK;
}

void control_append_reply(struct strbuf *buf, bool success, const char *text)
{
    strbuf_appendf(buf, "%s %zu\n", success ? "ok" : "error", strlen(text));
    strbuf_append(buf, text);
}

/* Connects; the socket does not block. */
static enum status dial(const char *path, int *fd_r, struct errtext *err)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    char reason[128];
    int fd;

    if (strlen(path) >= sizeof(name.sun_path)) {
        errtext_set(err, "%s: too long for a socket", path);
        return STATUS_INVALID;
    }
    memcpy(name.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)(void *)&name,
                           (socklen_t)sizeof(name)) == 0) {
        *fd_r = fd;
        return STATUS_OK;
    }
    errtext_set(err, "%s: %s", path, strerror_r(errno, reason, sizeof(reason)));
    if (fd >= 0)
        (void)close(fd);
    return STATUS_TEMPFAIL;
}

/* Sends the request line; it fits into any socket's buffer. */
static enum status send_line(int fd, enum control_word word,
                             const char *argument, struct errtext *err)
{
    char line[CONTROL_REQUEST_BYTES_MAX + 1];
    int len = snprintf(line, sizeof(line), "%s%s%s\n", rows[word].word,
                       argument[0] != '\0' ? " " : "", argument);

    if (len < 0 || (size_t)len >= sizeof(line) ||
        strpbrk(argument, "\r\n") != NULL) {
        errtext_set(err, "this cannot be asked in one line");
        return STATUS_INVALID;
    }
    if (send(fd, line, (size_t)len, MSG_NOSIGNAL) == len)
        return STATUS_OK;
    errtext_set(err, "the daemon does not listen");
    return STATUS_TEMPFAIL;
}

/* Reads until the peer closes. */
static enum status read_all(int fd, int64_t deadline_ms, struct strbuf *reply,
                            struct errtext *err)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    char chunk[4096];

    while (poll(&wanted, 1, clock_left_ms(deadline_ms)) > 0) {
        ssize_t got = recv(fd, chunk, sizeof(chunk), 0);

        if (got == 0)
            return STATUS_OK;
        if (got > 0)
            strbuf_append_len(reply, chunk, (size_t)got);
        else if (errno != EAGAIN && errno != EINTR)
            break;
    }
    errtext_set(err, "the daemon gave no answer");
    return STATUS_TEMPFAIL;
}

/* Takes "ok N" or "error N" and N bytes apart. */
static enum status take_reply(const struct strbuf *reply, struct strbuf *text,
                              struct errtext *err)
{
    const char *start = strbuf_text(reply);
    const char *body = strchr(start, '\n');
    bool success = strncmp(start, "ok ", 3) == 0;
    const char *number = start + (success ? 3 : 6);
    char *end = NULL;
    unsigned long long len;

    if (body == NULL || (!success && strncmp(start, "error ", 6) != 0))
        goto broken;
    len = strtoull(number, &end, 10);
    body++;
    if (end == number || *end != '\n' ||
        len != reply->len - (size_t)(body - start))
        goto broken;
    strbuf_append_len(text, body, (size_t)len);
    if (success)
        return STATUS_OK;
    errtext_set(err, "%s", body);
    return STATUS_DENIED;
broken:
    errtext_set(err, "the daemon's answer is incomplete");
    return STATUS_TEMPFAIL;
}

enum status control_ask(const char *path, enum control_word word,
                        const char *argument, int64_t deadline_ms,
                        struct strbuf *text, struct errtext *err)
{
    struct strbuf reply = STRBUF_INIT(CONTROL_REPLY_BYTES_MAX);
    enum status status;
    int fd = -1;

    status = dial(path, &fd, err);
    if (status == STATUS_OK)
        status = send_line(fd, word, argument, err);
    if (status == STATUS_OK)
        status = read_all(fd, deadline_ms, &reply, err);
    if (status == STATUS_OK)
        status = take_reply(&reply, text, err);
    if (fd >= 0)
        (void)close(fd);
    strbuf_clear(&reply);
    return status;
}
