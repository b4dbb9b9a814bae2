/* fuzz_wire_reply - OK is never read where it was not sent in full */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "fuzz.h"
#include "wire.h"

#include <stdbool.h>

/* A complete reply is the count, the word, and a text without controls. */
static void check_reply(const struct wire_reply *reply, const uint8_t *data,
                        size_t size)
{
    size_t len = strlen(reply->text);

    FUZZ_CHECK(len <= WIRE_REPLY_BYTES_MAX);
    for (size_t i = 0; i < len; i++)
        FUZZ_CHECK((unsigned char)reply->text[i] >= ' ' &&
                   reply->text[i] != 0x7f);
    if (reply->verdict == WIRE_TEMPORARY) {
        FUZZ_CHECK(size >= 2 && size <= 3 && len == 0);
        return;
    }
    FUZZ_CHECK(memcmp(data + 2, reply->verdict == WIRE_OK ? "OK" : "NO", 2) ==
               0);
    FUZZ_CHECK(len == 0 || size == 5 + len);
}

/* The same bytes as a text to send: it comes back, or is not OK. */
static void check_encode(const uint8_t *data, size_t size)
{
    unsigned char out[WIRE_REPLY_BYTES_MAX + 2];
    char *text = fuzz_text(data, size);
    struct wire_reply reply = {.verdict = WIRE_NO};
    bool complete = false;
    size_t len = wire_reply_encode(WIRE_OK, text, out);

    FUZZ_CHECK(len <= sizeof(out));
    if (wire_reply_parse(out, len, &complete, &reply, NULL) == STATUS_OK) {
        FUZZ_CHECK(complete);
        FUZZ_CHECK(reply.verdict == WIRE_TEMPORARY ||
                   strcmp(reply.text, text) == 0);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_reply reply = {.verdict = WIRE_NO};
    bool complete = false;
    enum status status = wire_reply_parse(data, size, &complete, &reply, NULL);

    FUZZ_CHECK(status == STATUS_OK || status == STATUS_INVALID);
    if (status == STATUS_OK && complete)
        check_reply(&reply, data, size);
    complete = complete && reply.verdict != WIRE_TEMPORARY;
    for (size_t len = 0; complete && len < size; len++) {
        bool early = true;

        FUZZ_CHECK(wire_reply_parse(data, len, &early, &reply, NULL) ==
                   STATUS_OK);
        FUZZ_CHECK(!early);
    }
    check_encode(data, size);
    return 0;
}
