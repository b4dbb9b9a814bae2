/* options - see options.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "options.h"

#include <stddef.h>
#include <string.h>

enum status options_path(const char *name, const char *text,
                         char path_r[OPTIONS_PATH_SIZE], struct errtext *err)
{
    size_t len;

    if (text == NULL || text[0] == '\0') {
        errtext_set(err, "%s is not set", name);
        return STATUS_NOT_FOUND;
    }
    len = strlen(text);
    if (len >= OPTIONS_PATH_SIZE) {
        errtext_set(err, "%s is longer than %d bytes", name,
                    OPTIONS_PATH_SIZE - 1);
        return STATUS_INVALID;
    }
    memcpy(path_r, text, len + 1);
    return STATUS_OK;
}

bool options_switch(const char *text)
{
    static const char *const words[] = {"yes", "on", "true", "1", "t"};

    for (size_t i = 0; text != NULL && i < ARRAY_SIZE(words); i++) {
        if (strcmp(text, words[i]) == 0)
            return true;
    }
    return false;
}

enum status options_timeout(const char *text, int *seconds_r,
                            struct errtext *err)
{
    int seconds = 0;

    if (text == NULL || text[0] == '\0') {
        *seconds_r = OPTIONS_TIMEOUT_SECONDS_DEFAULT;
        return STATUS_OK;
    }
    for (size_t i = 0; text[i] >= '0' && text[i] <= '9' && i < 2; i++) {
        seconds = seconds * 10 + (text[i] - '0');
        if (text[i + 1] != '\0')
            continue;
        if (seconds < 1 || seconds > OPTIONS_TIMEOUT_SECONDS_MAX)
            break;
        *seconds_r = seconds;
        return STATUS_OK;
    }
    errtext_set(err, "provost_timeout is not a number of seconds from 1 to %d",
                OPTIONS_TIMEOUT_SECONDS_MAX);
    return STATUS_INVALID;
}
