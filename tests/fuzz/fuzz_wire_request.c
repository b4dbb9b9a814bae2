/* fuzz_wire_request - what is read comes out again; nothing incomplete does */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "fuzz.h"
#include "wire.h"

static struct wire_request req;

/* Whatever was read is in bounds, so that it can be written again. */
static void check_round_trip(enum wire_progress progress, const uint8_t *data,
                             size_t size)
{
    static unsigned char out[WIRE_REQUEST_BYTES_MAX];
    size_t lens[WIRE_FIELD_COUNT];
    size_t len = 0;

    for (size_t i = 0; i < WIRE_FIELD_COUNT; i++)
        lens[i] = strlen(req.fields[i]);
    FUZZ_CHECK(wire_request_encode(req.fields, lens, out, &len, NULL) ==
               STATUS_OK);
    if (progress == WIRE_FOUR) {
        FUZZ_CHECK(lens[WIRE_CLIENT] == 0);
        len -= 2;
    }
    FUZZ_CHECK(len == size);
    FUZZ_CHECK(memcmp(out, data, size) == 0);
}

/*
 * A prefix of a good request is never refused and never complete, but for
 * the four fields that may be all there is.
 */
static void check_prefixes(const uint8_t *data, size_t size)
{
    size_t step = size > 512 ? size / 256 : 1;
    size_t complete = 0;

    for (size_t len = 0; len < size; len += step) {
        enum wire_progress progress = WIRE_FIVE;

        FUZZ_CHECK(wire_request_parse(data, len, &progress, &req, NULL) ==
                   STATUS_OK);
        FUZZ_CHECK(progress != WIRE_FIVE);
        if (progress == WIRE_FOUR)
            complete++;
    }
    FUZZ_CHECK(complete <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errtext err = {{0}};
    enum wire_progress progress = WIRE_MORE;
    enum status status = wire_request_parse(data, size, &progress, &req, &err);

    FUZZ_CHECK(status == STATUS_OK || status == STATUS_INVALID);
    FUZZ_CHECK((status == STATUS_OK) == (err.text[0] == '\0'));
    if (status != STATUS_OK)
        return 0;
    /* Whoever reads may trust this to be the end of any valid request. */
    FUZZ_CHECK(size <= WIRE_REQUEST_BYTES_MAX);
    if (progress != WIRE_MORE)
        check_round_trip(progress, data, size);
    check_prefixes(data, size);
    wire_request_wipe(&req);
    return 0;
}
