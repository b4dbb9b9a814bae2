/* fuzz_exchange - a LOGIN exchange ends, and keeps nothing but the user name */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "exchange.h"
#include "fuzz.h"

#include <stdbool.h>

#define MESSAGES_MAX 3 /* nothing, the user, the password */

static void check_found(const struct credentials *found)
{
    FUZZ_CHECK(found->user.len > 0 && found->user.len <= WIRE_USER_BYTES_MAX);
    FUZZ_CHECK(strlen(found->user.data) == found->user.len);
    FUZZ_CHECK(found->password.len > 0 &&
               found->password.len <= WIRE_PASSWORD_BYTES_MAX);
    FUZZ_CHECK(memchr(found->password.data, '\0', found->password.len) == NULL);
    FUZZ_CHECK(found->authzid.len == 0);
}

/* Feeds one message from memory of its own; returns true if more may come. */
static bool feed(struct exchange *exchange, const uint8_t *data, size_t size)
{
    char *message = fuzz_text(data, size);
    struct credentials found = {.user = {NULL, 0}};
    const char *prompt = "unset";
    enum status status =
        exchange_feed(exchange, message, size, &prompt, &found, NULL);

    FUZZ_CHECK(status == STATUS_OK || status == STATUS_INVALID ||
               status == STATUS_DENIED);
    if (status == STATUS_OK && prompt == NULL)
        check_found(&found);
    FUZZ_CHECK((status == STATUS_OK && prompt != NULL) ==
               (exchange->step != EXCHANGE_OVER));
    FUZZ_CHECK(exchange->user_len <= WIRE_USER_BYTES_MAX);
    FUZZ_CHECK(exchange->user[exchange->user_len] == '\0');
    free(message);
    return exchange->step != EXCHANGE_OVER;
}

/* The input is the client's messages, each ended by a newline. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct exchange exchange = {0};
    int messages = 0;
    bool more = true;

    while (more) {
        const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
        size_t len = end != NULL ? (size_t)(end - data) : size;

        more = feed(&exchange, data, len);
        FUZZ_CHECK(++messages <= MESSAGES_MAX);
        len += end != NULL ? 1 : 0;
        data += len;
        size -= len;
    }
    FUZZ_CHECK(!feed(&exchange, data, size));
    return 0;
}
