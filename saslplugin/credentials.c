/* credentials - see credentials.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "credentials.h"

#include "wire.h"

#include <string.h>

static enum status check(const struct credential *field, const char *name,
                         size_t bytes_max, struct errtext *err)
{
    if (field->len > bytes_max) {
        errtext_set(err, "%s of more than %zu bytes", name, bytes_max);
        return STATUS_INVALID;
    }
    if (field->len == 0) {
        errtext_set(err, "empty %s", name);
        return STATUS_DENIED;
    }
    if (memchr(field->data, '\0', field->len) != NULL) {
        errtext_set(err, "NUL byte in the %s", name);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

static size_t count_blanks(const struct credential *field)
{
    size_t blanks = 0;

    while (blanks < field->len && strchr(" \t\r\n\v\f", field->data[blanks]))
        blanks++;
    return blanks;
}

enum status credentials_check_user(const struct credential *user,
                                   struct errtext *err)
{
    enum status status = check(user, "user name", WIRE_USER_BYTES_MAX, err);

    if (status == STATUS_OK && count_blanks(user) == user->len) {
        errtext_set(err, "user name of blanks");
        return STATUS_DENIED;
    }
    return status;
}

enum status credentials_check_password(const struct credential *password,
                                       struct errtext *err)
{
    return check(password, "password", WIRE_PASSWORD_BYTES_MAX, err);
}
