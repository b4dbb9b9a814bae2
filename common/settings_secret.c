/* settings_secret - see settings_secret.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "settings_secret.h"

#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status refuse(struct errtext *err, const char *path,
                          const char *sentence)
{
    errtext_set(err, "%s %s", path, sentence);
    return STATUS_INVALID;
}

static enum status check_file(int fd, const char *path, struct errtext *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return refuse(err, path, "is not a regular file");
    if ((st.st_mode & S_IRWXO) != 0)
        return refuse(err, path, "can be reached by everybody: chmod o= it");
    if ((st.st_mode & S_IWGRP) != 0)
        return refuse(err, path, "can be written by its group: chmod g-w it");
    return STATUS_OK;
}

/* Checks the len bytes at text, and cuts the line end. */
static enum status check_secret(char *text, size_t len, const char *path,
                                struct errtext *err)
{
    if (len > 0 && text[len - 1] == '\n')
        text[--len] = '\0';
    if (len == 0)
        return refuse(err, path, "is empty: write the password into it");
    if (len > SETTINGS_SECRET_BYTES_MAX)
        return refuse(err, path, "holds more than 1024 bytes");
    if (memchr(text, '\0', len) != NULL)
        return refuse(err, path, "holds a NUL byte: a password is text");
    if (strpbrk(text, "\r\n") != NULL)
        return refuse(err, path,
                      "holds more than one line, or a Windows line "
                      "end: write the password alone");
    return STATUS_OK;
}

/* Reads at most size bytes; false with errno. */
static bool read_some(int fd, char *text, size_t size, size_t *len_r)
{
    ssize_t got = 1;

    *len_r = 0;
    while (got != 0 && *len_r < size) {
        got = read(fd, text + *len_r, size - *len_r);
        if (got > 0)
            *len_r += (size_t)got;
        else if (got < 0 && errno != EINTR)
            return false;
    }
    return true;
}

enum status settings_secret_read(const char *path, char **secret_r,
                                 struct errtext *err)
{
    char text[SETTINGS_SECRET_BYTES_MAX + 3] = "";
    size_t len = 0;
    enum status status = STATUS_INVALID;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return refuse(err, path,
                      errno == ENOENT   ? "does not exist: make it, "
                                          "with mode 0600"
                      : errno == EACCES ? "cannot be read: permission denied"
                                        : "cannot be opened");
    status = check_file(fd, path, err);
    if (status != STATUS_OK)
        goto out;
    if (!read_some(fd, text, sizeof(text) - 1, &len)) {
        status = refuse(err, path, "cannot be read");
        goto out;
    }
    status = check_secret(text, len, path, err);
    if (status != STATUS_OK)
        goto out;
    *secret_r = strdup(text);
    if (*secret_r == NULL)
        status = status_no_memory(err);
out:
    secret_wipe(text, sizeof(text));
    (void)close(fd);
    return status;
}
