/* plain - see plain.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "plain.h"

#include "wire.h"

#include <stdbool.h>
#include <string.h>

/* Takes the bytes before the next NUL off the front of rest. */
static bool take_field(struct credential *rest, struct credential *field_r)
{
    const char *end = NULL;

    if (rest->len > 0)
        end = memchr(rest->data, '\0', rest->len);
    if (end == NULL)
        return false;
    field_r->data = rest->data;
    field_r->len = (size_t)(end - rest->data);
    rest->data = end + 1;
    rest->len -= field_r->len + 1;
    return true;
}

enum status plain_parse(const char *data, size_t len,
                        struct credentials *credentials_r, struct errtext *err)
{
    struct credential rest = {data, len};
    struct credentials found;
    enum status status;

    if (!take_field(&rest, &found.authzid) || !take_field(&rest, &found.user)) {
        errtext_set(err, "PLAIN message without a password");
        return STATUS_INVALID;
    }
    found.password = rest;
    if (found.authzid.len > WIRE_USER_BYTES_MAX) {
        errtext_set(err, "authorization name of more than %d bytes",
                    WIRE_USER_BYTES_MAX);
        return STATUS_INVALID;
    }
    status = credentials_check_user(&found.user, err);
    if (status == STATUS_OK)
        status = credentials_check_password(&found.password, err);
    if (status == STATUS_OK)
        *credentials_r = found;
    return status;
}
