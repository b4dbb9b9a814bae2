/*
 * listen - sockets to listen on: our own, or handed down by systemd
 *
 * A path that is in use is never taken over: only a socket is replaced, and
 * only if nobody answers at it. A socket has its final mode from its first
 * moment. Programs only; one thread at a time, since the umask is everybody's.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_LISTEN_H
#define COMMON_LISTEN_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define LISTEN_INHERITED_MAX 32

/* Sockets that were open when the program started; -1: none, or taken. */
struct listen_inherited {
    int fds[LISTEN_INHERITED_MAX];
    size_t count;
};

/* Reads and removes LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES. */
void listen_inherited_take(struct listen_inherited *inherited_r);

/*
 * Closes those that no listen_open took; returns how many there were, with
 * the path of one of them in err.
 */
size_t listen_inherited_close(struct listen_inherited *inherited,
                              struct errtext *err);

/* What to open; strings borrowed for the time of the call. */
struct listen_settings {
    const char *path;  /* absolute */
    mode_t mode;       /* e.g. 0660 */
    const char *group; /* "": the group of the process */
    const char *host;  /* an IP address, instead of a path; NULL or "": none */
    unsigned port;     /* at host */
};

/* An open socket; path is owned. Starts as LISTENER_NONE. */
struct listener {
    int fd;         /* non-blocking, close-on-exec; -1: none */
    char *path;     /* "127.0.0.1:10050", "[::1]:10050" of a host */
    bool inherited; /* neither chmod nor unlink is ours */
    dev_t dev;      /* of the file we made, so that we remove only ours */
    ino_t ino;
};
#define LISTENER_NONE                                                          \
    {                                                                          \
        .fd = -1                                                               \
    }

/*
 * Says where set listens, as logs and the path of a listener do: owned, NULL
 * without memory.
 */
char *listen_name(const struct listen_settings *set);

/*
 * Opens the socket of set, taken from inherited (may be NULL) when one of
 * those is bound to the path. Missing directories are made with mode 0755: the
 * socket's own mode is the fence, and its peers have to get there.
 *
 * Returns STATUS_OK and *listener_r (listen_close); STATUS_INVALID when the
 * path cannot be used (no such group, in use by a living process, something
 * that is not a socket, too long); STATUS_TEMPFAIL: the system would not.
 */
enum status listen_open(const struct listen_settings *set,
                        struct listen_inherited *inherited,
                        struct listener *listener_r,
                        struct errtext *err) MUST_CHECK;

/* Closes it, removes the file if it is still ours; {-1} is fine. */
void listen_close(struct listener *listener);

#endif
