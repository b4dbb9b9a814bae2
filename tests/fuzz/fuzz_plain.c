/* fuzz_plain - the fields of a PLAIN message lie inside it and are whole */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "fuzz.h"
#include "plain.h"
#include "wire.h"

static void check_field(const struct credential *field, size_t bytes_max)
{
    FUZZ_CHECK(field->len <= bytes_max);
    FUZZ_CHECK(field->len == 0 ||
               memchr(field->data, '\0', field->len) == NULL);
}

/* Put together again, the fields are the message, byte for byte. */
static void check_whole(const struct credentials *found, const uint8_t *data,
                        size_t size)
{
    const char *start = (const char *)data;

    FUZZ_CHECK(found->authzid.data == start);
    FUZZ_CHECK(found->user.data == start + found->authzid.len + 1);
    FUZZ_CHECK(found->password.data == found->user.data + found->user.len + 1);
    FUZZ_CHECK(found->password.data + found->password.len == start + size);
    FUZZ_CHECK(found->user.data[found->user.len] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct credentials found = {.user = {NULL, 0}};
    enum status status = plain_parse((const char *)data, size, &found, NULL);

    FUZZ_CHECK(status == STATUS_OK || status == STATUS_INVALID ||
               status == STATUS_DENIED);
    FUZZ_CHECK((status == STATUS_OK) == (found.user.data != NULL));
    if (status != STATUS_OK)
        return 0;
    check_field(&found.authzid, WIRE_USER_BYTES_MAX);
    check_field(&found.user, WIRE_USER_BYTES_MAX);
    check_field(&found.password, WIRE_PASSWORD_BYTES_MAX);
    FUZZ_CHECK(found.user.len > 0 && found.password.len > 0);
    check_whole(&found, data, size);
    return 0;
}
