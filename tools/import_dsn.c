/* import_dsn - see import_dsn.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "import_dsn.h"

#include "quantity.h"
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_SOCKET "/run/mysqld/mysqld.sock"
#define DEFAULT_PORT 3306
#define TIMEOUT_MS 60000 /* of one page of rows */

static const struct {
    const char *key; /* '-' stands for '_' too */
    size_t offset;
} texts[] = {
    {"socket", offsetof(struct store_settings, socket)},
    {"user", offsetof(struct store_settings, user)},
    {"password", offsetof(struct store_settings, password)},
    {"database", offsetof(struct store_settings, database)},
    {"ssl-ca", offsetof(struct store_settings, ca_file)},
};

static char **text_at(struct store_settings *set, size_t i)
{
    return (char **)(void *)((char *)set + texts[i].offset);
}

void import_dsn_free(struct store_settings *set)
{
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        secret_free(text_at(set, i));
    text_list_clear(&set->hosts);
}

static enum status fault(unsigned line, const char *sentence,
                         struct errtext *err)
{
    errtext_set(err, "line %u: %s", line, sentence);
    return STATUS_INVALID;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static char *trim(char *text)
{
    size_t len = strlen(text);

    while (len > 0 && is_blank(text[len - 1]))
        text[--len] = '\0';
    while (is_blank(*text))
        text++;
    return text;
}

/* The value without its quotes. */
static char *unquote(char *value)
{
    size_t len = strlen(value);

    if (len >= 2 && (value[0] == '"' || value[0] == '\'') &&
        value[len - 1] == value[0]) {
        value[len - 1] = '\0';
        return value + 1;
    }
    return value;
}

static bool is_key(const char *key, const char *wanted)
{
    for (; *key != '\0' && *wanted != '\0'; key++, wanted++) {
        if (*key != *wanted && !(*wanted == '-' && *key == '_'))
            return false;
    }
    return *key == *wanted;
}

static enum status set_value(struct store_settings *set, const char *key,
                             const char *value, unsigned line,
                             struct errtext *err)
{
    struct errtext ignored = {{0}};
    uint64_t port = 0;

    if (is_key(key, "port")) {
        if (quantity_number(value, 1, 65535, &port, &ignored) != STATUS_OK)
            return fault(line, "a port is from 1 to 65535", err);
        set->port = (unsigned)port;
        return STATUS_OK;
    }
    if (is_key(key, "host")) {
        text_list_clear(&set->hosts);
        if (value[0] == '\0' || strcmp(value, "localhost") == 0)
            return STATUS_OK; /* the socket */
        return text_list_add(&set->hosts, value, err);
    }
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        if (!is_key(key, texts[i].key))
            continue;
        secret_free(text_at(set, i));
        *text_at(set, i) = strdup(value);
        return *text_at(set, i) != NULL ? STATUS_OK : status_no_memory(err);
    }
    return fault(line,
                 "only socket, host, port, user, password, database and "
                 "ssl-ca can stand here",
                 err);
}

static enum status take_line(struct store_settings *set, char *text,
                             unsigned line, struct errtext *err)
{
    char *key = trim(text);
    char *sign;

    if (*key == '\0' || *key == '#' || *key == ';' || *key == '[')
        return STATUS_OK;
    sign = strchr(key, '=');
    if (sign == NULL)
        return fault(line, "not \"key = value\"", err);
    *sign = '\0';
    return set_value(set, trim(key), unquote(trim(sign + 1)), line, err);
}

/* Fills in what has to be there. */
static enum status complete(struct store_settings *set, struct errtext *err)
{
    if (set->database == NULL || set->database[0] == '\0') {
        errtext_set(err, "database is missing: name the one to read");
        return STATUS_INVALID;
    }
    if (set->socket == NULL && set->hosts.count == 0)
        set->socket = strdup(DEFAULT_SOCKET);
    if (set->socket == NULL)
        set->socket = strdup("");
    if (set->user == NULL)
        set->user = strdup("root");
    if (set->socket == NULL || set->user == NULL)
        return status_no_memory(err);
    return STATUS_OK;
}

enum status import_dsn_parse(const char *text, size_t len,
                             struct store_settings *set_r, struct errtext *err)
{
    struct store_settings set = {
        .port = DEFAULT_PORT, .max_connections = 1, .timeout_ms = TIMEOUT_MS};
    char copy[IMPORT_DSN_BYTES_MAX + 1];
    enum status status = STATUS_OK;
    unsigned line = 0;
    char *at = copy;

    if (len > IMPORT_DSN_BYTES_MAX || memchr(text, '\0', len) != NULL)
        return fault(1, "this is no file of \"key = value\" lines", err);
    memcpy(copy, text, len);
    copy[len] = '\0';
    while (status == STATUS_OK && at != NULL && *at != '\0') {
        char *next = strchr(at, '\n');

        if (next != NULL)
            *next++ = '\0';
        status = take_line(&set, at, ++line, err);
        at = next;
    }
    if (status == STATUS_OK)
        status = complete(&set, err);
    secret_wipe(copy, sizeof(copy));
    if (status == STATUS_OK)
        *set_r = set;
    else
        import_dsn_free(&set);
    return status;
}

static enum status check_mode(int fd, const char *path, struct errtext *err)
{
    const char *sentence = NULL;
    struct stat st;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        sentence = "is not a regular file";
    else if ((st.st_mode & S_IRWXO) != 0)
        sentence = "can be reached by everybody: chmod o= it";
    else if ((st.st_mode & S_IWGRP) != 0)
        sentence = "can be written by its group: chmod g-w it";
    if (sentence == NULL)
        return STATUS_OK;
    errtext_set(err, "%.150s %s", path, sentence);
    return STATUS_INVALID;
}

enum status import_dsn_read(const char *path, struct store_settings *set_r,
                            struct errtext *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    char text[IMPORT_DSN_BYTES_MAX + 1];
    struct errtext reason = {{0}};
    enum status status;
    ssize_t got;

    if (fd < 0) {
        errtext_set(err, "%.150s: %s", path, strerrordesc_np(errno));
        return STATUS_INVALID;
    }
    status = check_mode(fd, path, err);
    if (status == STATUS_OK) {
        got = read(fd, text, sizeof(text));
        status = got < 0 ? STATUS_INVALID
                         : import_dsn_parse(text, (size_t)got, set_r, &reason);
        if (status != STATUS_OK)
            errtext_set(err, "%.100s: %.140s", path,
                        got < 0 ? "cannot be read" : reason.text);
    }
    secret_wipe(text, sizeof(text));
    (void)close(fd);
    return status;
}
