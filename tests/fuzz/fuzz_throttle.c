/* fuzz_throttle - a client has one spelling, a block is read or refused */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "fuzz.h"
#include "throttle.h"

#define CLIENT_BYTES 64

/* What throttle_client gives is an address, and stays as it is. */
static void check_client(const char *client)
{
    char again[CLIENT_BYTES];

    FUZZ_CHECK(strlen(client) < CLIENT_BYTES);
    FUZZ_CHECK(strspn(client, "0123456789abcdef:.") == strlen(client));
    throttle_client(client, again, sizeof(again));
    FUZZ_CHECK(strcmp(client, again) == 0);
}

/* One failure closes the bucket of a client, in whatever spelling. */
static void check_buckets(const char *wire, const char *client,
                          const char *const *trusted, size_t count)
{
    struct throttle_limits limits = {1, 1, 1000, 10};
    struct strbuf buf = STRBUF_INIT(100000);
    struct throttle *throttle = NULL;
    struct errtext err = {{0}};
    enum status status = throttle_new(limits, trusted, count, &throttle, &err);

    FUZZ_CHECK(status == STATUS_OK || status == STATUS_INVALID);
    FUZZ_CHECK((status == STATUS_OK) == (throttle != NULL));
    FUZZ_CHECK((status == STATUS_OK) == (err.text[0] == '\0'));
    if (throttle == NULL)
        return;
    throttle_failure(throttle, wire, client, 0);
    FUZZ_CHECK(throttle_open(throttle, wire, client, 0) == (client[0] == '\0'));
    FUZZ_CHECK(throttle_open(throttle, wire, client, 1000));
    throttle_failure(throttle, wire, client, 1000);
    throttle_append(throttle, 1000, &buf);
    FUZZ_CHECK((buf.len > 0) == (client[0] != '\0'));
    (void)throttle_flush(throttle, wire);
    (void)throttle_flush(throttle, NULL);
    FUZZ_CHECK(throttle_count(throttle) == 0);
    throttle_free(&throttle);
    strbuf_clear(&buf);
}

/* The input is a client as the wire has it, and a trusted block. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    const char *const trusted[] = {text};
    char client[CLIENT_BYTES];

    throttle_client(text, client, sizeof(client));
    check_client(client);
    check_buckets(text, client, NULL, 0);
    check_buckets(text, client, trusted, 1);
    free(text);
    return 0;
}
