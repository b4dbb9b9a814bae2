/*
 * sasl_peer - something on a socket that answers as the password asks it to
 *
 * usage: sasl_peer SOCKET          serves
 *        sasl_peer -d SOCKET       listens, and never accepts; its queue is
 * full sasl_peer -x SOCKET       closes each connection as soon as it is there
 *
 * For the plugin's test alone. Prints "ready", and one line for each request.
 */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "clock.h"
#include "wire.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* What a password makes the peer send, and how. */
struct script {
    const char *password;
    const char *bytes;
    size_t len;
    int pause_ms; /* between bytes */
    bool waits;   /* until the client hangs up, else closes */
};

#define OK_REPLY "\0\22OK ada@example.org"
#define BYTES(text) (text), sizeof(text) - 1

static const struct script scripts[] = {
    {"good", BYTES(OK_REPLY), 0, false},
    {"other", BYTES("\0\22OK bob@example.org"), 0, false},
    {"dribble", BYTES(OK_REPLY), 20, false},
    {"bad", BYTES("\0\6NO bad"), 0, false},
    {"none", BYTES("\0\0"), 0, false},
    {"count-one", BYTES("\0\1"), 0, true},
    {"silent", BYTES(""), 0, true},
    {"drip", BYTES(OK_REPLY), 1000, false},
    {"close", BYTES(""), 0, false},
    {"one-byte", BYTES("\0"), 0, false},
    {"partial", BYTES("\0\22OK ada@ex"), 0, false},
    {"partial-wait", BYTES("\0\22OK ada@ex"), 0, true},
    {"over-long", BYTES("\4\0OK ada@example.org"), 0, true},
    {"huge", BYTES("\377\377OK ada@example.org"), 0, true},
    {"no-name", BYTES("\0\2OK"), 0, false},
    {"no-address", BYTES("\0\6OK ada"), 0, false},
    {"blank", BYTES("\0\10OK a b@c"), 0, false},
    {"word", BYTES("\0\7ZZ what"), 0, false},
    {"newline", BYTES("\0\10OK a@b\nc"), 0, false},
    {"behind", BYTES("\0\2OKX"), 0, false},
};

static unsigned char received[WIRE_REQUEST_BYTES_MAX];

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static int listen_at(const char *path, int backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)unlink(path);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        chmod(path, 0666) != 0 || listen(fd, backlog) != 0)
        die(path);
    return fd;
}

/* Reads one request; returns the number of reads it took, 0 for none. */
static int receive(int fd, struct wire_request *req)
{
    size_t len = 0;

    for (int reads = 1;; reads++) {
        enum wire_progress progress = WIRE_MORE;
        ssize_t now = read(fd, received + len, sizeof(received) - len);

        if (now <= 0)
            return 0;
        len += (size_t)now;
        if (wire_request_parse(received, len, &progress, req, NULL) !=
            STATUS_OK)
            return 0;
        if (progress != WIRE_MORE)
            return reads;
    }
}

static void play(int fd, const struct script *script)
{
    char byte;

    if (script->pause_ms == 0) {
        (void)send(fd, script->bytes, script->len, MSG_NOSIGNAL);
    } else {
        for (size_t i = 0; i < script->len; i++) {
            if (send(fd, script->bytes + i, 1, MSG_NOSIGNAL) != 1)
                return;
            clock_sleep_ms(script->pause_ms);
        }
    }
    while (script->waits && read(fd, &byte, 1) > 0)
        continue;
}

static void answer(int fd, const char *password)
{
    static const struct script no = {"", BYTES("\0\2NO"), 0, false};

    /* "silent:more" is as silent as "silent". */
    for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
        size_t len = strlen(scripts[i].password);

        if (strncmp(scripts[i].password, password, len) == 0 &&
            (password[len] == '\0' || password[len] == ':')) {
            play(fd, &scripts[i]);
            return;
        }
    }
    play(fd, &no);
}

static void serve(int listener, bool closes)
{
    static struct wire_request req;

    for (;;) {
        int fd = accept(listener, NULL, NULL);
        int reads = 0;

        if (fd < 0)
            die("accept");
        if (!closes)
            reads = receive(fd, &req);
        if (reads > 0) {
            (void)printf("request user=%s service=%s realm=%s client=%s "
                         "reads=%d\n",
                         req.fields[WIRE_USER], req.fields[WIRE_SERVICE],
                         req.fields[WIRE_REALM], req.fields[WIRE_CLIENT],
                         reads);
            answer(fd, req.fields[WIRE_PASSWORD]);
        }
        (void)close(fd);
    }
}

/* Fills the queue of a listener that nobody accepts from. */
static void be_deaf(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)listen_at(path, 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        die(path);
    (void)printf("ready\n");
    for (;;)
        (void)pause();
}

int main(int argc, char **argv)
{
    bool deaf = argc == 3 && strcmp(argv[1], "-d") == 0;
    bool closes = argc == 3 && strcmp(argv[1], "-x") == 0;

    if (argc != 2 && !deaf && !closes)
        return EXIT_FAILURE;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    if (deaf) {
        be_deaf(argv[2]);
    } else {
        int listener = listen_at(argv[argc - 1], 64);

        (void)printf("ready\n");
        serve(listener, closes);
    }
    return EXIT_SUCCESS;
}
