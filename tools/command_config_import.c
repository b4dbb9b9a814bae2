/* command_config_import - provostctl config import saslauthd|dovecot-ldap */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "import_config.h"
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define SECRETS "/etc/provost/secrets/"

/* Reads the file into text, which has room for one byte over the bound. */
static int read_file(const char *path, char *text, size_t size, size_t *len_r)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t got = 1;

    *len_r = 0;
    if (fd < 0) {
        tool_error("%s: %s", path, strerrordesc_np(errno));
        return EX_NOINPUT;
    }
    while (got != 0 && *len_r < size) {
        got = read(fd, text + *len_r, size - *len_r);
        if (got < 0 && errno != EINTR) {
            tool_error("%s: %s", path, strerrordesc_np(errno));
            (void)close(fd);
            return EX_NOINPUT;
        }
        if (got > 0)
            *len_r += (size_t)got;
    }
    (void)close(fd);
    return EX_OK;
}

/* Writes all of text; false with errno. */
static bool write_all(int fd, const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        ssize_t done = write(fd, text, left);

        if (done < 0 && errno != EINTR)
            return false;
        if (done > 0) {
            text += done;
            left -= (size_t)done;
        }
    }
    return true;
}

/* The services run in the group provost, where there is one. */
static void let_services_read(int fd)
{
    const struct group *services = getgrnam("provost");

    if (services != NULL && fchown(fd, (uid_t)-1, services->gr_gid) == 0)
        (void)fchmod(fd, 0640);
}

/* Makes the file of the password; one that is there is left alone. */
static int write_secret(const char *path, const char *secret)
{
    int fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool written;

    if (fd < 0) {
        tool_error("%s: %s: the password was not written", path,
                   strerrordesc_np(errno));
        return EX_CANTCREAT;
    }
    let_services_read(fd);
    written = write_all(fd, secret) && write_all(fd, "\n") && fsync(fd) == 0;
    if (!written)
        tool_error("%s: %s: the password was not written", path,
                   strerrordesc_np(errno));
    if (close(fd) != 0 || !written) {
        (void)unlink(path);
        return EX_IOERR;
    }
    return EX_OK;
}

static bool is_name(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= 64 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == len;
}

/* Reads the words into names; path has room for a default. */
static int read_names(struct import_config_names *names, char *path,
                      size_t size)
{
    if (names->directory == NULL)
        names->directory = "imported";
    if (!is_name(names->directory)) {
        tool_error("--name is letters, digits, '-', '_' and '.'");
        return EX_USAGE;
    }
    if (names->secret_file != NULL && names->secret_file[0] != '/') {
        tool_error("--secret-file needs a path that begins with '/', as "
                   "provost.conf has it");
        return EX_USAGE;
    }
    (void)snprintf(path, size, SECRETS "%s", names->directory);
    return EX_OK;
}

/* Prints the block, or says why there is none. */
static int convert(enum import_config_format format, const char *path,
                   const char *text, size_t len,
                   const struct import_config_names *names, char **secret)
{
    struct strbuf block = STRBUF_INIT(IMPORT_CONFIG_BLOCK_MAX);
    struct errtext err = {{0}};
    enum status status =
        import_config(format, text, len, names, &block, secret, &err);
    int code = EX_OK;

    if (status == STATUS_OK) {
        (void)fputs(strbuf_text(&block), stdout);
    } else {
        tool_error("%s: %s", path, err.text);
        code = status == STATUS_INVALID ? EX_DATAERR : EX_TEMPFAIL;
    }
    strbuf_clear(&block);
    return code;
}

int config_import(struct tool *tool, struct arguments *arguments)
{
    struct import_config_names names = {NULL, NULL};
    const struct tool_option options[] = {
        {"name", &names.directory, NULL},
        {"secret-file", &names.secret_file, NULL},
        {NULL, NULL, NULL},
    };
    static char text[IMPORT_CONFIG_BYTES_MAX + 1];
    enum import_config_format format = IMPORT_SASLAUTHD;
    bool writes;
    char path[128];
    char *secret = NULL;
    size_t len = 0;
    int code;

    (void)tool;
    if (!tool_arguments(arguments, options, 2, 2))
        return EX_USAGE;
    if (strcmp(arguments->words[0], "dovecot-ldap") == 0) {
        format = IMPORT_DOVECOT;
    } else if (strcmp(arguments->words[0], "saslauthd") != 0) {
        tool_error("saslauthd or dovecot-ldap, not \"%s\"",
                   arguments->words[0]);
        return EX_USAGE;
    }
    code = read_names(&names, path, sizeof(path));
    writes = names.secret_file != NULL;
    if (!writes)
        names.secret_file = path;
    if (code == EX_OK)
        code = read_file(arguments->words[1], text, sizeof(text), &len);
    if (code == EX_OK)
        code = convert(format, arguments->words[1], text, len, &names, &secret);
    if (code == EX_OK && secret != NULL && writes)
        code = write_secret(names.secret_file, secret);
    secret_free(&secret);
    secret_wipe(text, sizeof(text));
    return code;
}
