/*
 * policy_limit - the policy service that does nothing: the limit of all others
 *
 * usage: policy_limit SOCKET
 *
 * One thread, epoll; what ends in an empty line is answered with DUNNO unread.
 */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define EVENTS 64
#define REQUEST_BYTES_MAX 16384

static const char answer[] = "action=DUNNO\n\n";

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(fd, 1024) != 0)
        return -1;
    return fd;
}

static void watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};

    (void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void serve(int fd)
{
    char data[REQUEST_BYTES_MAX];
    ssize_t len = recv(fd, data, sizeof(data), 0);

    if (len <= 0)
        (void)close(fd);
    else if (len >= 2 && memcmp(data + len - 2, "\n\n", 2) == 0)
        (void)send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    struct rlimit files = {65536, 65536};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int door = argc == 2 ? listen_at(argv[1]) : -1;

    if (door < 0 || epoll < 0)
        return 75;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    watch(epoll, door);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);

        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == door)
                watch(epoll, accept4(door, NULL, NULL, SOCK_CLOEXEC));
            else
                serve(events[i].data.fd);
        }
    }
}
