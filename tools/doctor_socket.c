/* doctor_socket - sockets, with the eyes of who has to open them */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "doctor.h"

#include "child.h"
#include "clock.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define OTHER_FAULT 255 /* no errno is as high */

/* What the child needs; looked up before it is in the jail. */
struct visit {
    const char *root;
    const char *user;
    gid_t gid;
    uid_t uid;
    struct sockaddr_un name;
};

/* Becomes the user, in the jail, in the order in which smtpd does. */
static int change_eyes(const struct visit *visit)
{
    if (visit->user != NULL && initgroups(visit->user, visit->gid) != 0)
        return -1;
    if (visit->root != NULL && (chroot(visit->root) != 0 || chdir("/") != 0))
        return -1;
    if (visit->user != NULL &&
        (setgid(visit->gid) != 0 || setuid(visit->uid) != 0))
        return -1;
    return 0;
}

/* Names the first thing on the way that this user may not pass. */
static void say_obstacle(const char *path, int fd)
{
    char part[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    struct errtext text = {{0}};

    for (size_t i = 1; path[i] != '\0'; i++) {
        if (path[i] != '/')
            continue;
        (void)snprintf(part, sizeof(part), "%.*s", (int)i, path);
        if (access(part, X_OK) == 0)
            continue;
        errtext_set(&text, "the folder %s cannot be passed", part);
        child_say(fd, text.text);
        return;
    }
    child_say(fd, "the socket's mode and group do not allow it");
}

static int pay_visit(const void *arg, int fd)
{
    const struct visit *visit = arg;
    int number;
    int peer;

    if (change_eyes(visit) != 0) {
        child_say(fd, "the jail cannot be entered");
        return OTHER_FAULT;
    }
    peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (peer < 0)
        return OTHER_FAULT;
    if (connect(peer, (const struct sockaddr *)&visit->name,
                sizeof(visit->name)) == 0)
        return 0;
    number = errno;
    if (number == EACCES)
        say_obstacle(visit->name.sun_path, fd);
    else if (number == ENOENT)
        child_say(fd, "there is no such socket");
    else if (number == ECONNREFUSED)
        child_say(fd, "nobody listens");
    else
        child_say(fd, strerrordesc_np(number));
    return number < OTHER_FAULT ? number : OTHER_FAULT;
}

void doctor_open_socket(const char *root, const char *user, const char *path,
                        struct doctor_opened *opened_r)
{
    struct visit visit = {.name = {.sun_family = AF_UNIX}};
    struct strbuf said = STRBUF_INIT(sizeof(opened_r->text));
    const struct passwd *entry = user != NULL ? getpwnam(user) : NULL;

    *opened_r = (struct doctor_opened){.tried = true};
    if (strlen(path) >= sizeof(visit.name.sun_path)) {
        opened_r->number = ENAMETOOLONG;
        errtext_set(&opened_r->text, "the path is too long for a socket");
        return;
    }
    memcpy(visit.name.sun_path, path, strlen(path) + 1);
    if ((root != NULL || user != NULL) && geteuid() != 0) {
        *opened_r = (struct doctor_opened){.number = EPERM};
        errtext_set(&opened_r->text, "only root can look with %s's eyes",
                    user != NULL ? user : "another user");
        return;
    }
    if (user != NULL && entry == NULL) {
        opened_r->number = ESRCH;
        errtext_set(&opened_r->text, "there is no user %s", user);
        return;
    }
    visit.root = root;
    if (entry != NULL) {
        visit.user = user;
        visit.uid = entry->pw_uid;
        visit.gid = entry->pw_gid;
    }
    opened_r->number =
        child_do(pay_visit, &visit, clock_ms() + DOCTOR_PROGRAM_MS, &said);
    errtext_set(&opened_r->text, "%s",
                opened_r->number < 0 ? "no connection in time"
                                     : strbuf_text(&said));
    strbuf_clear(&said);
}

const char *doctor_socket_advice(const struct doctor_opened *opened)
{
    switch (opened->number) {
    case ENOENT:
    case ECONNREFUSED:
        return "systemctl start provost-authd; does auth.sockets have it?";
    case EACCES:
        return "mode = \"0660\" and group = \"postfix\" for the socket; "
               "install -d -m 0750 -o provost -g postfix for its folder";
    default:
        return NULL;
    }
}

const char *doctor_inside_queue(const struct doctor *doctor, const char *path)
{
    const char *queue = doctor->mail.queue_directory;
    size_t len = queue != NULL ? strlen(queue) : 0;

    if (len == 0 || strncmp(path, queue, len) != 0 || path[len] != '/')
        return NULL;
    return path + len;
}

static bool is_allowed(const struct socket_settings *set, const char *user)
{
    for (size_t i = 0; i < set->allowed.count; i++) {
        if (strcmp(set->allowed.items[i], user) == 0)
            return true;
    }
    return set->allowed.count == 0;
}

static void look_at_socket(struct doctor *doctor,
                           const struct socket_settings *set)
{
    const char *inside = set->kind == SOCKET_LOGIN
                             ? doctor_inside_queue(doctor, set->path)
                             : NULL;
    const char *owner = inside != NULL ? doctor->mail.owner : NULL;
    struct doctor_opened opened;

    doctor_open_socket(inside != NULL ? doctor->mail.queue_directory : NULL,
                       owner, inside != NULL ? inside : set->path, &opened);
    if (!opened.tried) {
        findings_add(doctor->findings, FINDING_SKIPPED, "socket", -1,
                     "run provostctl doctor as root", "%s: %s", set->path,
                     opened.text.text);
        return;
    }
    if (opened.number != 0)
        findings_add(doctor->findings, FINDING_ERROR, "socket", -1,
                     doctor_socket_advice(&opened), "%s%s%s%s: %s", set->path,
                     owner != NULL ? ", by " : "", owner != NULL ? owner : "",
                     inside != NULL ? " in Postfix's jail" : "",
                     opened.text.text);
    else if (owner != NULL && !is_allowed(set, owner))
        findings_add(doctor->findings, FINDING_ERROR, "socket", -1,
                     "add the user to \"allowed\", or leave the list empty",
                     "%s: %s may not ask there", set->path, owner);
    else
        findings_add(doctor->findings, FINDING_OK, "socket", -1, NULL,
                     "%s%s%s%s", set->path,
                     owner != NULL ? " lets in " : " answers",
                     owner != NULL ? owner : "",
                     inside != NULL ? ", also from Postfix's jail" : "");
}

void doctor_sockets(struct doctor *doctor)
{
    const struct auth_settings *auth = &doctor->tool->settings->auth;

    for (size_t i = 0; i < auth->socket_count; i++)
        look_at_socket(doctor, &auth->sockets[i]);
}
