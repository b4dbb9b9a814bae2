/* notify - see notify.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "notify.h"

#include "clock.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify_send(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    size_t len;
    int fd;

    if (path == NULL || (path[0] != '/' && path[0] != '@'))
        return;
    len = strlen(path);
    if (len >= sizeof(name.sun_path))
        return;
    memcpy(name.sun_path, path, len + 1);
    if (path[0] == '@')
        name.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    /* Nobody is helped by a reason when systemd does not listen. */
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL,
                 (struct sockaddr *)(void *)&name,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    (void)close(fd);
}

void notify_reloading(void)
{
    char state[80];

    (void)snprintf(state, sizeof(state),
                   "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reloading",
                   (long long)clock_ms() * 1000);
    notify_send(state);
}

/* A positive decimal number of the environment, or 0. */
static int64_t environment_number(const char *name)
{
    const char *text = getenv(name);
    char *end = NULL;
    long long number;

    if (text == NULL || text[0] < '0' || text[0] > '9')
        return 0;
    errno = 0;
    number = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' ? number : 0;
}

int64_t notify_watchdog_ms(void)
{
    int64_t pid = environment_number("WATCHDOG_PID");

    if (pid != 0 && pid != (int64_t)getpid())
        return 0;
    return environment_number("WATCHDOG_USEC") / 1000 / 2;
}
