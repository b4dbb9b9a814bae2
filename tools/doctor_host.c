/* doctor_host - files, sockets and neighbours of the host; see doctor.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "doctor.h"

#include "clock.h"
#include "control.h"
#include "directory_probe.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_BYTES_MAX ((size_t)1 << 20)

bool doctor_run(char *const *argv, struct strbuf *out)
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    char bytes[4096];
    ssize_t got;
    pid_t pid;
    int status = -1;
    int rc;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    (void)posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
                                           O_WRONLY, 0);
    rc = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    while (rc == 0 && (got = read(ends[0], bytes, sizeof(bytes))) > 0)
        strbuf_append_len(out, bytes, (size_t)got);
    (void)close(ends[0]);
    if (rc != 0 || waitpid(pid, &status, 0) != pid)
        return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 && !out->failed;
}

void doctor_settings(struct doctor *doctor)
{
    const struct settings *settings = doctor->tool->settings;

    findings_add(doctor->findings, FINDING_OK, "settings", -1, NULL,
                 "%s: %zu directories, %zu templates",
                 doctor->tool->settings_path, settings->directory_count,
                 settings->template_count);
}

/* Can the services, which run as this user, read the file? */
static void look_at_secret(struct doctor *doctor, const char *path)
{
    const struct passwd *user = getpwnam(doctor->tool->settings->store.user);
    struct stat st;
    bool readable;

    if (path == NULL || path[0] == '\0')
        return;
    if (stat(path, &st) != 0) {
        findings_add(doctor->findings, FINDING_ERROR, "secret", -1, NULL,
                     "%s cannot be found", path);
        return;
    }
    readable = user == NULL || st.st_uid == user->pw_uid ||
               (st.st_gid == user->pw_gid && (st.st_mode & S_IRGRP) != 0);
    if (readable)
        findings_add(doctor->findings, FINDING_OK, "secret", -1, NULL,
                     "%s, mode %04o", path, (unsigned)st.st_mode & 07777U);
    else
        findings_add(doctor->findings, FINDING_ERROR, "secret", -1,
                     "chgrp provost FILE; chmod 0640 FILE",
                     "%s cannot be read by the user %s", path, user->pw_name);
}

void doctor_secrets(struct doctor *doctor)
{
    const struct settings *settings = doctor->tool->settings;

    look_at_secret(doctor, settings->store.password_file);
    for (size_t i = 0; i < settings->directory_count; i++)
        look_at_secret(doctor, settings->directories[i].bind_password_file);
}

/* ---------------------------------------------------------------- sockets --
 */

/* Connects as another user, in a child; returns an errno, 0 for success. */
static int connect_as(const struct passwd *user, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int status = 0;
    pid_t pid;

    if (strlen(path) >= sizeof(address.sun_path))
        return ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    (void)fflush(stdout);
    pid = fork();
    if (pid == 0) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (user != NULL && geteuid() == 0 &&
            (initgroups(user->pw_name, user->pw_gid) != 0 ||
             setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
            _exit(EPERM);
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
            _exit(errno < 255 ? errno : 255);
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return EIO;
    return WEXITSTATUS(status);
}

static const char *advice_for(int number)
{
    switch (number) {
    case ENOENT:
    case ECONNREFUSED:
        return "systemctl start provost-authd";
    case EACCES:
    case EPERM:
        return "let the group of the socket, and of the folders above it, be "
               "postfix";
    default:
        return NULL;
    }
}

void doctor_sockets(struct doctor *doctor)
{
    const struct auth_settings *auth = &doctor->tool->settings->auth;
    const struct passwd *postfix = getpwnam("postfix");
    struct strbuf text = STRBUF_INIT(CONTROL_REPLY_BYTES_MAX);
    struct errtext err = {{0}};
    char why[128];

    for (size_t i = 0; i < auth->socket_count; i++) {
        const char *path = auth->sockets[i].path;
        int number = connect_as(postfix, path);

        if (number == 0)
            findings_add(doctor->findings, FINDING_OK, "socket", -1, NULL,
                         "%s lets %s in", path,
                         postfix != NULL ? "postfix" : "us");
        else
            findings_add(doctor->findings, FINDING_ERROR, "socket", -1,
                         advice_for(number), "%s, as %s: %s", path,
                         postfix != NULL ? "postfix" : "us",
                         strerror_r(number, why, sizeof(why)));
    }
    if (control_ask(auth->control_path, CONTROL_STATUS, "", clock_ms() + 2000,
                    &text, &err) == STATUS_OK)
        findings_add(doctor->findings, FINDING_OK, "provost-authd", -1, NULL,
                     "runs");
    else
        findings_add(doctor->findings, FINDING_ERROR, "provost-authd", -1,
                     "systemctl start provost-authd", "%s", err.text);
    strbuf_clear(&text);
}

/* ----------------------------------------------------- plugin and library --
 */

/* Loads the plugin in a child: what it does there does not touch us. */
static bool loads(const char *path)
{
    int status = 0;
    pid_t pid;

    (void)fflush(stdout);
    pid = fork();
    if (pid == 0) {
        void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

        _exit(handle != NULL && dlsym(handle, "sasl_server_plug_init") != NULL
                  ? 0
                  : 1);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

void doctor_plugin(struct doctor *doctor)
{
    static const char path[] = PROVOST_SASLDIR "/libprovost.so";

    if (access(path, R_OK) != 0)
        findings_add(doctor->findings, FINDING_WARNING, "plugin", -1,
                     "make install, with --with-sasldir where libsasl2 looks "
                     "(saslpluginviewer -s)",
                     "%s is not there", path);
    else if (loads(path))
        findings_add(doctor->findings, FINDING_OK, "plugin", -1, NULL,
                     "%s can be loaded", path);
    else
        findings_add(doctor->findings, FINDING_ERROR, "plugin", -1,
                     "make install again", "%s cannot be loaded", path);
}

void doctor_library(struct doctor *doctor)
{
    char text[128];
    bool hangs = directory_library_describe(text, sizeof(text));

    findings_add(doctor->findings, FINDING_OK, "libldap", -1, NULL, "%s%s",
                 text,
                 hangs ? "; it hangs on silent LDAPS servers, which Provost "
                         "keeps it from, and other programs do not"
                       : "");
}

/* --------------------------------------------------------------- fail2ban --
 */

/* True if line is "key = value"; *value_r points behind the blanks. */
static bool is_key(const char *line, const char *key, const char **value_r)
{
    size_t len = strlen(key);

    if (strncmp(line, key, len) != 0)
        return false;
    line += len;
    line += strspn(line, " \t");
    if (*line != '=')
        return false;
    *value_r = line + 1 + strspn(line + 1, " \t");
    return true;
}

/* What is known of the jail that is being read. */
struct jail {
    char name[64];
    bool on;
    bool stock;  /* filter = postfix */
    bool counts; /* mode = auth, or one that has it in it */
};

static bool has_mode(const char *value)
{
    return strstr(value, "auth") != NULL ||
           strstr(value, "aggressive") != NULL ||
           strstr(value, "extra") != NULL;
}

static void read_jail_line(struct jail *jail, const char *line)
{
    const char *value;

    if (is_key(line, "enabled", &value)) {
        jail->on = strncmp(value, "true", 4) == 0 ||
                   strncmp(value, "yes", 3) == 0 || value[0] == '1';
    } else if (is_key(line, "filter", &value)) {
        jail->stock = strncmp(value, "postfix", 7) == 0 &&
                      strchr("[ \t", value[7]) != NULL;
        if (strncmp(value, "postfix[", 8) == 0 && has_mode(value))
            jail->counts = true;
    } else if (is_key(line, "mode", &value)) {
        jail->counts = has_mode(value);
    }
}

bool doctor_jail_bans(const char *text, char *jail_r, size_t size)
{
    /* The jails that Debian's jail.conf has, by name. */
    struct jail jails[2] = {
        {.name = "postfix", .stock = true},
        {.name = "postfix-sasl", .stock = true, .counts = true}};
    struct jail other = {.name = ""};
    struct jail *now = &other;
    const char *line = text;
    bool bans = false;

    while (line != NULL && *line != '\0' && !bans) {
        const char *end = strchr(line, '\n');

        if (line[0] == '[') {
            size_t len = strcspn(line + 1, "]\n");

            bans = other.on && other.stock && other.counts;
            if (bans)
                break;
            now = &other;
            other = (struct jail){.name = ""};
            (void)snprintf(other.name, sizeof(other.name), "%.*s", (int)len,
                           line + 1);
            for (size_t i = 0; i < ARRAY_SIZE(jails); i++) {
                if (strcmp(jails[i].name, other.name) == 0)
                    now = &jails[i];
            }
        } else {
            read_jail_line(now, line);
        }
        line = end != NULL ? end + 1 : NULL;
    }
    if (other.on && other.stock && other.counts) {
        (void)snprintf(jail_r, size, "%s", other.name);
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(jails); i++) {
        if (jails[i].on && jails[i].stock && jails[i].counts) {
            (void)snprintf(jail_r, size, "%s", jails[i].name);
            return true;
        }
    }
    return false;
}

static void append_file(const char *path, struct strbuf *out)
{
    char bytes[4096];
    FILE *file = fopen(path, "re");
    size_t got;

    if (file == NULL)
        return;
    while ((got = fread(bytes, 1, sizeof(bytes), file)) > 0)
        strbuf_append_len(out, bytes, got);
    strbuf_append_char(out, '\n');
    (void)fclose(file);
}

static int is_jail_file(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

/* All of fail2ban's jails, in the order in which it reads them. */
static void append_jails(const char *dir, struct strbuf *out)
{
    struct dirent **list = NULL;
    char path[4096];
    int count;

    (void)snprintf(path, sizeof(path), "%s/jail.conf", dir);
    append_file(path, out);
    (void)snprintf(path, sizeof(path), "%s/jail.d", dir);
    count = scandir(path, &list, is_jail_file, alphasort);
    for (int i = 0; i < count; i++) {
        (void)snprintf(path, sizeof(path), "%s/jail.d/%s", dir,
                       list[i]->d_name);
        append_file(path, out);
        free(list[i]);
    }
    free(list);
    (void)snprintf(path, sizeof(path), "%s/jail.local", dir);
    append_file(path, out);
}

void doctor_fail2ban(struct doctor *doctor)
{
    struct strbuf text = STRBUF_INIT(FILE_BYTES_MAX);
    char jail[64];

    append_jails(doctor->fail2ban_dir, &text);
    if (text.len == 0)
        findings_add(doctor->findings, FINDING_SKIPPED, "fail2ban", -1, NULL,
                     "not installed");
    else if (doctor_jail_bans(strbuf_text(&text), jail, sizeof(jail)))
        findings_add(doctor->findings, FINDING_WARNING, "fail2ban", -1,
                     "turn it off, and use the jail of conf/fail2ban",
                     "jail %s counts temporary failures too: it bans people "
                     "while a directory is down",
                     jail);
    else
        findings_add(doctor->findings, FINDING_OK, "fail2ban", -1, NULL,
                     "no jail bans people during an outage");
    strbuf_clear(&text);
}
