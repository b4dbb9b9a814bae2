/* listen - see listen.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_INHERITED 3 /* systemd's SD_LISTEN_FDS_START */
#define BACKLOG 4096      /* the kernel cuts it to net.core.somaxconn */
#define GROUP_BYTES_MAX 65536
#define DIRECTORY_MODE 0755

/* Says what the system would not do, and why. */
static enum status no_call(const char *call, const char *path,
                           struct errtext *err)
{
    int number = errno;
    char text[128];

    errtext_set(err, "%s: %s: %s", path, call,
                strerror_r(number, text, sizeof(text)));
    return number == EACCES || number == EPERM || number == ENOTDIR ||
                   number == EROFS
               ? STATUS_INVALID
               : STATUS_TEMPFAIL;
}

/* Reads a small decimal number of the environment; -1: absent or not one. */
static long environment_number(const char *name)
{
    const char *text = getenv(name);
    char *end = NULL;
    long number;

    if (text == NULL || text[0] < '0' || text[0] > '9')
        return -1;
    errno = 0;
    number = strtol(text, &end, 10);
    return errno == 0 && *end == '\0' ? number : -1;
}

void listen_inherited_take(struct listen_inherited *inherited_r)
{
    long count = environment_number("LISTEN_FDS");

    inherited_r->count = 0;
    if (environment_number("LISTEN_PID") != (long)getpid())
        count = 0;
    if (count > LISTEN_INHERITED_MAX)
        count = LISTEN_INHERITED_MAX;
    for (long i = 0; i < count; i++) {
        int fd = FIRST_INHERITED + (int)i;

        if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
            inherited_r->fds[inherited_r->count++] = fd;
    }
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
}

#define NAME_BYTES 128 /* of a socket: a path, or "[address]:port" */

/* "127.0.0.1:10050", "[::1]:10050". */
static void inet_name(const struct sockaddr_storage *name, socklen_t len,
                      char *out, size_t size)
{
    char host[INET6_ADDRSTRLEN];
    char port[8];

    if (getnameinfo((const struct sockaddr *)(const void *)name, len, host,
                    sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        (void)snprintf(out, size,
                       name->ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host,
                       port);
}

/* Writes where a listening socket is bound; "" for others. */
static void bound_path(int fd, char *out, size_t size)
{
    struct sockaddr_storage name = {0};
    struct sockaddr_un local = {0};
    socklen_t len = sizeof(name);
    int listening = 0;
    socklen_t listening_len = sizeof(listening);

    out[0] = '\0';
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &listening_len) !=
            0 ||
        listening == 0 ||
        getsockname(fd, (struct sockaddr *)(void *)&name, &len) != 0)
        return;
    if (name.ss_family == AF_INET || name.ss_family == AF_INET6) {
        inet_name(&name, len, out, size);
    } else if (name.ss_family == AF_UNIX) {
        memcpy(&local, &name, sizeof(local));
        if (strnlen(local.sun_path, sizeof(local.sun_path)) < size)
            memcpy(out, local.sun_path,
                   strnlen(local.sun_path, sizeof(local.sun_path)) + 1);
    }
}

size_t listen_inherited_close(struct listen_inherited *inherited,
                              struct errtext *err)
{
    char path[NAME_BYTES];
    size_t left = 0;

    for (size_t i = 0; i < inherited->count; i++) {
        if (inherited->fds[i] < 0)
            continue;
        bound_path(inherited->fds[i], path, sizeof(path));
        errtext_set(err, "%s",
                    path[0] != '\0' ? path : "not a listening socket");
        (void)close(inherited->fds[i]);
        inherited->fds[i] = -1;
        left++;
    }
    return left;
}

/* Takes the inherited socket bound to path; -1 if there is none. */
static int take_inherited(struct listen_inherited *inherited, const char *path)
{
    char bound[NAME_BYTES];

    for (size_t i = 0; inherited != NULL && i < inherited->count; i++) {
        int fd = inherited->fds[i];

        if (fd < 0)
            continue;
        bound_path(fd, bound, sizeof(bound));
        if (strcmp(bound, path) == 0) {
            inherited->fds[i] = -1;
            return fd;
        }
    }
    return -1;
}

/* Looks a group up by name; "" gives -1, which chown leaves alone. */
static enum status find_group(const char *name, gid_t *gid_r,
                              struct errtext *err)
{
    struct group entry;
    struct group *found = NULL;
    char *buffer;
    int rc;

    *gid_r = (gid_t)-1;
    if (name[0] == '\0')
        return STATUS_OK;
    buffer = malloc(GROUP_BYTES_MAX);
    if (buffer == NULL)
        return status_no_memory(err);
    rc = getgrnam_r(name, &entry, buffer, GROUP_BYTES_MAX, &found);
    if (found != NULL)
        *gid_r = entry.gr_gid;
    free(buffer);
    if (found != NULL)
        return STATUS_OK;
    errtext_set(err,
                rc == 0 ? "there is no group \"%s\""
                        : "group \"%s\" could not be looked up",
                name);
    return rc == 0 ? STATUS_INVALID : STATUS_TEMPFAIL;
}

/* Makes the directories above path that are missing. */
static enum status make_directories(const char *path, struct errtext *err)
{
    char part[sizeof(((struct sockaddr_un *)0)->sun_path)];
    mode_t saved = umask(0777 & ~DIRECTORY_MODE);
    enum status status = STATUS_OK;

    for (const char *slash = strchr(path + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        size_t len = (size_t)(slash - path);

        memcpy(part, path, len);
        part[len] = '\0';
        if (mkdir(part, DIRECTORY_MODE) != 0 && errno != EEXIST &&
            errno != EROFS && errno != EACCES) {
            status = no_call("mkdir", part, err);
            break;
        }
    }
    (void)umask(saved);
    return status;
}

/* True if a living process listens at name; a full backlog is one, too. */
static bool somebody_answers(const struct sockaddr_un *name)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool answers = true;

    /* In doubt the file stays: a wrong yes costs a start, a wrong no a peer. */
    if (fd < 0)
        return true;
    if (connect(fd, (const struct sockaddr *)(const void *)name,
                sizeof(*name)) != 0)
        answers = errno != ECONNREFUSED && errno != ENOENT;
    (void)close(fd);
    return answers;
}

/* Removes what an earlier process left at the path, if it is safe to. */
static enum status clear_path(const struct sockaddr_un *name,
                              struct errtext *err)
{
    struct stat found;

    if (lstat(name->sun_path, &found) != 0)
        return errno == ENOENT ? STATUS_OK
                               : no_call("lstat", name->sun_path, err);
    if (!S_ISSOCK(found.st_mode)) {
        errtext_set(err, "%s: is there already and is not a socket",
                    name->sun_path);
        return STATUS_INVALID;
    }
    if (somebody_answers(name)) {
        errtext_set(err, "%s: another process listens there", name->sun_path);
        return STATUS_INVALID;
    }
    if (unlink(name->sun_path) != 0 && errno != ENOENT)
        return no_call("unlink", name->sun_path, err);
    return STATUS_OK;
}

/* Makes the file: mode first (by umask, so at no moment more), then group. */
static enum status bind_file(int fd, const struct sockaddr_un *name,
                             mode_t mode, gid_t gid, struct errtext *err)
{
    mode_t saved = umask(0777 & ~mode);
    int rc = bind(fd, (const struct sockaddr *)(const void *)name,
                  (socklen_t)sizeof(*name));

    (void)umask(saved);
    if (rc != 0)
        return no_call("bind", name->sun_path, err);
    if (gid != (gid_t)-1 && lchown(name->sun_path, (uid_t)-1, gid) != 0) {
        enum status status =
            no_call("chown (is the process a member of the group?)",
                    name->sun_path, err);

        (void)unlink(name->sun_path);
        return status;
    }
    return STATUS_OK;
}

/* Binds and listens; on failure nothing stays behind. */
static enum status open_own(const struct listen_settings *set, gid_t gid,
                            struct listener *listener, struct errtext *err)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct stat made;
    enum status status;

    memcpy(name.sun_path, set->path, strlen(set->path) + 1);
    status = make_directories(set->path, err);
    if (status == STATUS_OK)
        status = clear_path(&name, err);
    if (status != STATUS_OK)
        return status;
    listener->fd =
        socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0)
        return no_call("socket", set->path, err);
    status = bind_file(listener->fd, &name, set->mode, gid, err);
    if (status != STATUS_OK)
        return status;
    if (lstat(set->path, &made) == 0) {
        listener->dev = made.st_dev;
        listener->ino = made.st_ino;
    }
    if (listen(listener->fd, BACKLOG) != 0)
        return no_call("listen", set->path, err);
    return STATUS_OK;
}

static bool is_inet(const struct listen_settings *set)
{
    return set->host != NULL && set->host[0] != '\0';
}

/* Reads the IP address and port of set; a host name is none. */
static enum status read_address(const struct listen_settings *set,
                                struct sockaddr_storage *name_r,
                                socklen_t *len_r, struct errtext *err)
{
    const struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
        .ai_socktype = SOCK_STREAM,
    };
    struct addrinfo *found = NULL;
    char port[16];

    (void)snprintf(port, sizeof(port), "%u", set->port);
    if (getaddrinfo(set->host, port, &hints, &found) != 0) {
        errtext_set(err, "%s: has to be an IP address", set->host);
        return STATUS_INVALID;
    }
    memcpy(name_r, found->ai_addr, found->ai_addrlen);
    *len_r = found->ai_addrlen;
    freeaddrinfo(found);
    return STATUS_OK;
}

char *listen_name(const struct listen_settings *set)
{
    struct sockaddr_storage name = {0};
    char text[NAME_BYTES] = "";
    socklen_t len;

    if (!is_inet(set))
        return strdup(set->path);
    if (read_address(set, &name, &len, NULL) == STATUS_OK)
        inet_name(&name, len, text, sizeof(text));
    return strdup(text[0] != '\0' ? text : set->host);
}

/* Binds an address and listens. */
static enum status open_inet(const struct listen_settings *set,
                             struct listener *listener, struct errtext *err)
{
    struct sockaddr_storage name = {0};
    const int on = 1;
    socklen_t len;
    enum status status = read_address(set, &name, &len, err);

    if (status != STATUS_OK)
        return status;
    listener->fd =
        socket(name.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0)
        return no_call("socket", listener->path, err);
    (void)setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (name.ss_family == AF_INET6)
        (void)setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
                         sizeof(on));
    if (bind(listener->fd, (struct sockaddr *)(void *)&name, len) != 0)
        return no_call("bind", listener->path, err);
    if (listen(listener->fd, BACKLOG) != 0)
        return no_call("listen", listener->path, err);
    return STATUS_OK;
}

static enum status check_path(const char *path, struct errtext *err)
{
    if (path[0] == '/' &&
        strlen(path) < sizeof(((struct sockaddr_un *)0)->sun_path))
        return STATUS_OK;
    errtext_set(err, "%s: has to be an absolute path of at most %zu bytes",
                path, sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
    return STATUS_INVALID;
}

enum status listen_open(const struct listen_settings *set,
                        struct listen_inherited *inherited,
                        struct listener *listener_r, struct errtext *err)
{
    struct listener listener = LISTENER_NONE;
    enum status status = STATUS_OK;
    gid_t gid = (gid_t)-1;

    if (!is_inet(set))
        status = check_path(set->path, err);
    if (status == STATUS_OK && !is_inet(set))
        status = find_group(set->group, &gid, err);
    if (status != STATUS_OK)
        return status;
    listener.path = listen_name(set);
    if (listener.path == NULL)
        return status_no_memory(err);
    listener.fd = take_inherited(inherited, listener.path);
    listener.inherited = listener.fd >= 0;
    if (!listener.inherited && is_inet(set))
        status = open_inet(set, &listener, err);
    else if (!listener.inherited)
        status = open_own(set, gid, &listener, err);
    else if (fcntl(listener.fd, F_SETFL, O_NONBLOCK) != 0)
        status = no_call("fcntl", set->path, err);
    if (status != STATUS_OK) {
        listen_close(&listener);
        return status;
    }
    *listener_r = listener;
    return STATUS_OK;
}

void listen_close(struct listener *listener)
{
    struct stat found;

    if (listener->fd >= 0 && !listener->inherited && listener->ino != 0 &&
        lstat(listener->path, &found) == 0 && S_ISSOCK(found.st_mode) &&
        found.st_dev == listener->dev && found.st_ino == listener->ino)
        (void)unlink(listener->path);
    if (listener->fd >= 0)
        (void)close(listener->fd);
    free(listener->path);
    *listener = (struct listener)LISTENER_NONE;
}
