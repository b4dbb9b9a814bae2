/* request - see request.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "request.h"

#include <string.h>

bool request_is_whole(const char *data, size_t len, size_t *used_r)
{
    const char *end;

    /* A request without any attribute is an empty line. */
    if (len > 0 && data[0] == '\n') {
        *used_r = 1;
        return true;
    }
    end = memmem(data, len, "\n\n", 2);
    if (end == NULL)
        return false;
    *used_r = (size_t)(end - data) + 2;
    return true;
}

/* A decimal number that fits, or 0: what else is sent means "not told". */
static uint64_t read_number(const char *text, uint64_t max)
{
    uint64_t number = 0;

    if (text[0] == '\0')
        return 0;
    for (; *text != '\0'; text++) {
        unsigned digit = (unsigned)(*text - '0');

        if (*text < '0' || *text > '9' || number > (max - digit) / 10)
            return 0;
        number = number * 10 + digit;
    }
    return number;
}

/* What is read of a request, beside its strings. */
struct reading {
    struct policy_request *request;
    bool is_policy;
};

/* Most of what Postfix sends is not ours: the first byte tells. */
static bool is(const char *name, const char *word)
{
    return name[0] == word[0] && strcmp(name, word) == 0;
}

static void take_attribute(struct reading *reading, const char *name,
                           const char *value)
{
    struct policy_request *request = reading->request;

    if (is(name, "protocol_state"))
        request->state = value;
    else if (is(name, "sasl_username"))
        request->sasl_username = value;
    else if (is(name, "sender"))
        request->sender = value;
    else if (is(name, "recipient"))
        request->recipient = value;
    else if (is(name, "instance"))
        request->instance = value;
    else if (is(name, "client_address"))
        request->client = value;
    else if (is(name, "queue_id"))
        request->queue_id = value;
    else if (is(name, "request"))
        reading->is_policy = strcmp(value, "smtpd_access_policy") == 0;
    else if (is(name, "size"))
        request->size = read_number(value, UINT64_MAX / 2);
    else if (is(name, "recipient_count"))
        request->recipient_count = (uint32_t)read_number(value, UINT32_MAX);
    else if (is(name, "encryption_protocol"))
        request->tls = value[0] != '\0';
}

enum status request_parse(char *text, size_t len,
                          struct policy_request *request_r, struct errtext *err)
{
    struct reading reading = {.request = request_r};

    *request_r = (struct policy_request){
        .state = "",
        .sasl_username = "",
        .sender = "",
        .recipient = "",
        .instance = "",
        .client = "",
        .queue_id = "",
    };
    if (len > REQUEST_BYTES_MAX || memchr(text, '\0', len) != NULL) {
        errtext_set(err, len > REQUEST_BYTES_MAX ? "over 16 KiB" : "a NUL");
        return STATUS_INVALID;
    }
    while (len > 0 && text[0] != '\n') {
        char *end = memchr(text, '\n', len);
        char *equals =
            end != NULL ? memchr(text, '=', (size_t)(end - text)) : NULL;

        if (equals == NULL || equals == text) {
            errtext_set(err, "a line without a name and \"=\"");
            return STATUS_INVALID;
        }
        *equals = '\0';
        *end = '\0';
        take_attribute(&reading, text, equals + 1);
        len -= (size_t)(end + 1 - text);
        text = end + 1;
    }
    if (len == 0) {
        errtext_set(err, "no empty line at the end");
        return STATUS_INVALID;
    }
    return reading.is_policy ? STATUS_OK : STATUS_NOT_FOUND;
}
