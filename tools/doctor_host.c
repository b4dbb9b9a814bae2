/* doctor_host - files, daemons and neighbours of the host; see doctor.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "doctor.h"

#include "child.h"
#include "clock.h"
#include "daemons.h"
#include "directory_probe.h"
#include "doctor_jail.h"

#include <dirent.h>
#include <dlfcn.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define STATUS_BYTES_MAX 65536

/* ----------------------------------------------------------------- secrets --
 */

/* Who has to read the secrets: the daemon's user, as far as it is known. */
static const struct passwd *reader(const struct doctor *doctor)
{
    const struct settings *settings = doctor->tool->settings;
    struct stat st;

    if (stat(settings->auth.control_path, &st) == 0)
        return getpwuid(st.st_uid);
    return getpwnam("provost");
}

/* Can the daemons read the file, and nobody else? */
static void look_at_secret(struct doctor *doctor, const char *path)
{
    const struct passwd *user = reader(doctor);
    struct errtext fix = {{0}};
    struct stat st;

    if (path == NULL || path[0] == '\0')
        return;
    if (stat(path, &st) != 0) {
        findings_add(doctor->findings, FINDING_ERROR, "secret", -1,
                     "write the password into it, with mode 0640",
                     "%s cannot be found", path);
        return;
    }
    errtext_set(&fix, "chgrp %s %s; chmod 0640 %s",
                user != NULL ? user->pw_name : "provost", path, path);
    if ((st.st_mode & (S_IRWXO | S_IWGRP)) != 0)
        findings_add(doctor->findings, FINDING_ERROR, "secret", -1, fix.text,
                     "%s has mode %04o: others may read or change it", path,
                     (unsigned)st.st_mode & 07777U);
    else if (user != NULL && user->pw_uid != 0 && st.st_uid != user->pw_uid &&
             (st.st_gid != user->pw_gid || (st.st_mode & S_IRGRP) == 0))
        findings_add(doctor->findings, FINDING_ERROR, "secret", -1, fix.text,
                     "%s cannot be read by %s, who the daemons are", path,
                     user->pw_name);
    else if (user != NULL && st.st_uid != 0 && st.st_uid != user->pw_uid)
        findings_add(doctor->findings, FINDING_WARNING, "secret", -1,
                     "chown root FILE",
                     "%s belongs to uid %u, who is neither root nor %s", path,
                     (unsigned)st.st_uid, user->pw_name);
    else
        findings_add(doctor->findings, FINDING_OK, "secret", -1, NULL,
                     "%s, mode %04o", path, (unsigned)st.st_mode & 07777U);
}

void doctor_secrets(struct doctor *doctor)
{
    const struct settings *settings = doctor->tool->settings;
    struct stat st;

    if (stat(doctor->tool->settings_path, &st) == 0 &&
        (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        findings_add(doctor->findings, FINDING_ERROR, "settings", -1,
                     "chmod go-w it", "%s can be changed by others than root",
                     doctor->tool->settings_path);
    look_at_secret(doctor, settings->store.password_file);
    for (size_t i = 0; i < settings->directory_count; i++)
        look_at_secret(doctor, settings->directories[i].bind_password_file);
}

/* ----------------------------------------------------------------- daemons --
 */

/* The lines of a daemon's status that tell of a host that is down. */
static void tell_hosts(struct doctor *doctor, const char *daemon,
                       const char *status)
{
    const char *line = status;

    while (line != NULL && *line != '\0') {
        const char *end = strchr(line, '\n');
        int len = (int)(end != NULL ? (size_t)(end - line) : strlen(line));

        if (strncmp(line, "host ", 5) == 0 &&
            memmem(line, (size_t)len, " down", 5) != NULL)
            findings_add(doctor->findings, FINDING_WARNING, daemon, -1,
                         "see what is said about this host below",
                         "%.*s, as the daemon sees it", len, line);
        line = end != NULL ? end + 1 : NULL;
    }
}

static void look_at_daemon(struct doctor *doctor, const struct daemon *daemon)
{
    struct strbuf text = STRBUF_INIT(STATUS_BYTES_MAX);
    struct errtext err = {{0}};
    struct errtext fix = {{0}};
    int64_t began = clock_ms();
    enum status status = daemons_ask(daemon, CONTROL_STATUS, "",
                                     began + DOCTOR_PROGRAM_MS, &text, &err);

    errtext_set(&fix, "systemctl start %s; journalctl -u %s", daemon->name,
                daemon->name);
    if (status == STATUS_OK) {
        findings_add(doctor->findings, FINDING_OK, daemon->name,
                     clock_ms() - began, NULL, "runs, %.*s",
                     (int)strcspn(strbuf_text(&text), "\n"),
                     strbuf_text(&text));
        tell_hosts(doctor, daemon->name, strbuf_text(&text));
    } else if (status == STATUS_NOT_FOUND && !doctor->mail.asks_ours &&
               strcmp(daemon->name, "provost-policyd") == 0) {
        findings_add(doctor->findings, FINDING_SKIPPED, daemon->name, -1, NULL,
                     "does not run here, and no smtpd asks it");
    } else {
        findings_add(doctor->findings, FINDING_ERROR, daemon->name, -1,
                     fix.text, "%s", err.text);
    }
    strbuf_clear(&text);
}

void doctor_daemons(struct doctor *doctor)
{
    struct daemon list[DAEMONS_MAX];
    size_t count = daemons_list(doctor->tool->settings, list);

    for (size_t i = 0; i < count; i++)
        look_at_daemon(doctor, &list[i]);
}

/* ------------------------------------------------------ plugin and library --
 */

/*
 * Says in which directory the libsasl2 of this host is: its plugins are in
 * "sasl2" beside it. In a child, because a library is loaded.
 */
static int find_libsasl(const void *arg, int fd)
{
    static const char *const names[] = {"libsasl2.so.2", "libsasl2.so.3"};
    char path[PATH_BYTES];

    (void)arg;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        void *library = dlopen(names[i], RTLD_LAZY | RTLD_LOCAL);
        void *entry =
            library != NULL ? dlsym(library, "sasl_server_init") : NULL;
        Dl_info info;

        if (entry == NULL || dladdr(entry, &info) == 0)
            continue;
        (void)snprintf(path, sizeof(path), "%.*s/sasl2",
                       (int)(strrchr(info.dli_fname, '/') - info.dli_fname),
                       info.dli_fname);
        child_say(fd, path);
        return 0;
    }
    return 1;
}

/* Loads the plugin, in a child: what it does there does not touch us. */
static int load_plugin(const void *arg, int fd)
{
    const char *path = arg;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    if (handle == NULL) {
        const char *why = dlerror();

        child_say(fd, why != NULL ? why : "unknown");
        return 1;
    }
    if (dlsym(handle, "sasl_server_plug_init") == NULL) {
        child_say(fd, "it has no sasl_server_plug_init: it is no SASL plugin");
        return 1;
    }
    return 0;
}

/* Where libsasl2 looks for plugins: SASL_PATH, or beside itself. */
static void plugin_path(struct strbuf *path)
{
    const char *set = getenv("SASL_PATH");

    if (set != NULL && set[0] != '\0')
        strbuf_append(path, set);
    else if (child_do(find_libsasl, NULL, clock_ms() + DOCTOR_PROGRAM_MS,
                      path) != 0)
        strbuf_append(path, PROVOST_SASLDIR);
}

/* The first directory that has the plugin; false: none has. */
static bool find_plugin(const char *path, char *file, size_t size)
{
    while (*path != '\0') {
        size_t len = strcspn(path, ":");

        (void)snprintf(file, size, "%.*s/libprovost.so", (int)len, path);
        if (access(file, F_OK) == 0)
            return true;
        path += len + strspn(path + len, ":");
    }
    return false;
}

static void tell_no_plugin(struct doctor *doctor, const char *path)
{
    static const char ours[] = PROVOST_SASLDIR "/libprovost.so";
    bool installed = access(ours, F_OK) == 0;

    if (installed)
        findings_add(doctor->findings, FINDING_ERROR, "plugin", -1,
                     "configure --with-sasldir where libsasl2 looks, and make "
                     "install",
                     "it is in " PROVOST_SASLDIR ", but libsasl2 looks in %s",
                     path);
    else if (doctor->wants_plugin)
        findings_add(doctor->findings, FINDING_ERROR, "plugin", -1,
                     "make install",
                     "an smtpd.conf has provost_path, and there is no "
                     "libprovost.so in %s",
                     path);
    else
        findings_add(doctor->findings, FINDING_SKIPPED, "plugin", -1, NULL,
                     "not installed in %s, and no smtpd.conf asks for it",
                     path);
}

void doctor_plugin(struct doctor *doctor)
{
    struct strbuf path = STRBUF_INIT(PATH_BYTES);
    struct strbuf said = STRBUF_INIT(PATH_BYTES);
    char file[PATH_BYTES];

    plugin_path(&path);
    if (!find_plugin(strbuf_text(&path), file, sizeof(file)))
        tell_no_plugin(doctor, strbuf_text(&path));
    else if (child_do(load_plugin, file, clock_ms() + DOCTOR_PROGRAM_MS,
                      &said) == 0)
        findings_add(doctor->findings, FINDING_OK, "plugin", -1, NULL,
                     "%s can be loaded", file);
    else
        findings_add(doctor->findings, FINDING_ERROR, "plugin", -1,
                     "make install again, for this system",
                     "%s cannot be loaded: %s", file, strbuf_text(&said));
    strbuf_clear(&path);
    strbuf_clear(&said);
}

void doctor_library(struct doctor *doctor)
{
    const struct settings *settings = doctor->tool->settings;
    char text[128];
    bool hangs = directory_library_describe(text, sizeof(text));
    bool by_ssl = false;

    for (size_t i = 0; settings != NULL && i < settings->directory_count; i++)
        by_ssl = by_ssl || settings->directories[i].use_ssl;
    if (hangs)
        findings_add(doctor->findings, by_ssl ? FINDING_WARNING : FINDING_OK,
                     "libldap", -1,
                     by_ssl ? "use_tls (StartTLS) instead of use_ssl, or "
                              "OpenLDAP 2.6.9"
                            : NULL,
                     "%s: it never returns from an LDAPS server that is silent "
                     "(ITS#8047); Provost ends that itself, other programs of "
                     "this host do not",
                     text);
    else
        findings_add(doctor->findings, FINDING_OK, "libldap", -1, NULL, "%s",
                     text);
}

/* ---------------------------------------------------------------- fail2ban --
 */

static int is_conf(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

static int is_local(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 6 && strcmp(entry->d_name + len - 6, ".local") == 0;
}

/* Reads one file; true if it is there and was read. */
static bool read_jails(struct doctor *doctor, struct jails *jails,
                       const char *name)
{
    char path[PATH_BYTES];
    struct errtext err = {{0}};
    char *text;
    bool done;

    (void)snprintf(path, sizeof(path), "%s/%s", doctor->fail2ban_dir, name);
    text = doctor_read_file(path);
    if (text == NULL)
        return false;
    done = jails_read(jails, text, &err) == STATUS_OK;
    if (!done)
        findings_add(doctor->findings, FINDING_WARNING, "fail2ban", -1, NULL,
                     "%s: %s", path, err.text);
    free(text);
    return done;
}

static void read_folder(struct doctor *doctor, struct jails *jails,
                        int (*wanted)(const struct dirent *))
{
    struct dirent **list = NULL;
    char path[PATH_BYTES];
    int count;

    (void)snprintf(path, sizeof(path), "%s/jail.d", doctor->fail2ban_dir);
    count = scandir(path, &list, wanted, alphasort);
    for (int i = 0; i < count; i++) {
        (void)snprintf(path, sizeof(path), "jail.d/%s", list[i]->d_name);
        (void)read_jails(doctor, jails, path);
        free(list[i]);
    }
    free(list);
}

static void tell_jails(struct doctor *doctor, const struct jails *jails)
{
    unsigned bad = 0;
    bool ours = false;
    struct jail_seen seen;

    for (size_t i = 0; jails_at(jails, i, &seen); i++) {
        ours = ours || (seen.enabled && strcmp(seen.filter, "provost") == 0);
        if (!jail_counts_outages(&seen))
            continue;
        bad++;
        findings_add(doctor->findings, FINDING_WARNING, "fail2ban", -1,
                     "turn it off (enabled = false in jail.local), and use the "
                     "jail of conf/fail2ban",
                     "jail %s (%s%s%s%s) counts temporary failures (454) as "
                     "guesses: it bans people while a directory is down",
                     seen.name, seen.filter,
                     seen.mode[0] != '\0' ? "[mode=" : "", seen.mode,
                     seen.mode[0] != '\0' ? "]" : "");
    }
    if (bad == 0)
        findings_add(doctor->findings, FINDING_OK, "fail2ban", -1, NULL,
                     "no jail bans people during an outage%s",
                     ours ? ", and Provost's counts wrong passwords" : "");
}

void doctor_fail2ban(struct doctor *doctor)
{
    struct jails *jails = jails_new();
    bool found;

    if (jails == NULL)
        return;
    /* In the order in which fail2ban reads them. */
    found = read_jails(doctor, jails, "jail.conf");
    read_folder(doctor, jails, is_conf);
    found = read_jails(doctor, jails, "jail.local") || found;
    read_folder(doctor, jails, is_local);
    if (found)
        tell_jails(doctor, jails);
    else
        findings_add(doctor->findings, FINDING_SKIPPED, "fail2ban", -1, NULL,
                     "there is none in %s", doctor->fail2ban_dir);
    jails_free(&jails);
}
