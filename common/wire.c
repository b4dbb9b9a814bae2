/* wire - see wire.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "wire.h"

#include "secret.h"

#include <string.h>

#define COUNT_BYTES 2 /* in front of each string, big-endian */
#define WORD_BYTES 2  /* "OK", "NO" */

static const struct {
    const char *name;
    size_t bytes_max;
} bounds[WIRE_FIELD_COUNT] = {
    [WIRE_USER] = {"user", WIRE_USER_BYTES_MAX},
    [WIRE_PASSWORD] = {"password", WIRE_PASSWORD_BYTES_MAX},
    [WIRE_SERVICE] = {"service", WIRE_SERVICE_BYTES_MAX},
    [WIRE_REALM] = {"realm", WIRE_REALM_BYTES_MAX},
    [WIRE_CLIENT] = {"client address", WIRE_CLIENT_BYTES_MAX},
};

/* A field inside the received bytes; bytes is what has arrived of len. */
struct span {
    const char *start;
    size_t len;
    size_t bytes;
};

static size_t read_count(const unsigned char *data)
{
    return (size_t)data[0] << 8 | data[1];
}

static void write_count(unsigned char *out, size_t count)
{
    out[0] = (unsigned char)(count >> 8);
    out[1] = (unsigned char)(count & 0xff);
}

static enum status check_length(size_t field, size_t len, struct errtext *err)
{
    if (len <= bounds[field].bytes_max)
        return STATUS_OK;
    errtext_set(err, "%s of %zu bytes, more than %zu", bounds[field].name, len,
                bounds[field].bytes_max);
    return STATUS_INVALID;
}

static enum status check_bytes(size_t field, const char *start, size_t len,
                               struct errtext *err)
{
    if (len == 0 || memchr(start, '\0', len) == NULL)
        return STATUS_OK;
    errtext_set(err, "NUL byte in the %s", bounds[field].name);
    return STATUS_INVALID;
}

/*
 * Finds the fields in what has arrived. *found_r is the number of complete
 * ones, *used_r the bytes these take. What has arrived of the next field is
 * judged already: a peer that is wrong is not waited for.
 */
static enum status find_fields(const unsigned char *data, size_t len,
                               struct span spans[WIRE_FIELD_COUNT],
                               size_t *found_r, size_t *used_r,
                               struct errtext *err)
{
    size_t used = 0;
    size_t field = 0;

    while (field < WIRE_FIELD_COUNT && len - used >= COUNT_BYTES) {
        struct span *span = &spans[field];
        size_t left = len - used - COUNT_BYTES;
        enum status status;

        span->len = read_count(data + used);
        span->start = (const char *)data + used + COUNT_BYTES;
        span->bytes = left < span->len ? left : span->len;
        status = check_length(field, span->len, err);
        if (status == STATUS_OK)
            status = check_bytes(field, span->start, span->bytes, err);
        if (status != STATUS_OK)
            return status;
        if (span->bytes < span->len)
            break;
        used += COUNT_BYTES + span->len;
        field++;
    }
    *found_r = field;
    *used_r = used;
    return STATUS_OK;
}

static void copy_fields(const struct span spans[WIRE_FIELD_COUNT], size_t found,
                        struct wire_request *req)
{
    char *at = req->text;

    for (size_t i = 0; i < WIRE_FIELD_COUNT; i++) {
        req->fields[i] = at;
        if (i < found) {
            memcpy(at, spans[i].start, spans[i].len);
            at += spans[i].len;
        }
        *at++ = '\0';
    }
}

enum status wire_request_parse(const unsigned char *data, size_t len,
                               enum wire_progress *progress_r,
                               struct wire_request *req_r, struct errtext *err)
{
    struct span spans[WIRE_FIELD_COUNT];
    size_t found;
    size_t used;
    enum status status = find_fields(data, len, spans, &found, &used, err);

    if (status != STATUS_OK)
        return status;
    if (found == WIRE_FIELD_COUNT && used < len) {
        errtext_set(err, "bytes behind the fifth field");
        return STATUS_INVALID;
    }
    if (found < WIRE_CLIENT || used < len) {
        *progress_r = WIRE_MORE;
        return STATUS_OK;
    }
    copy_fields(spans, found, req_r);
    *progress_r = found == WIRE_FIELD_COUNT ? WIRE_FIVE : WIRE_FOUR;
    return STATUS_OK;
}

void wire_request_wipe(struct wire_request *req)
{
    secret_wipe(req, sizeof(*req));
}

enum status wire_request_encode(const char *const fields[WIRE_FIELD_COUNT],
                                const size_t lens[WIRE_FIELD_COUNT],
                                unsigned char *out, size_t *len_r,
                                struct errtext *err)
{
    size_t used = 0;

    /* All are judged before any is copied: a refusal leaves no password. */
    for (size_t i = 0; i < WIRE_FIELD_COUNT; i++) {
        enum status status = check_length(i, lens[i], err);

        if (status == STATUS_OK)
            status = check_bytes(i, fields[i], lens[i], err);
        if (status != STATUS_OK)
            return status;
    }
    for (size_t i = 0; i < WIRE_FIELD_COUNT; i++) {
        write_count(out + used, lens[i]);
        used += COUNT_BYTES;
        if (lens[i] > 0)
            memcpy(out + used, fields[i], lens[i]);
        used += lens[i];
    }
    *len_r = used;
    return STATUS_OK;
}

size_t wire_reply_encode(enum wire_verdict verdict, const char *text,
                         unsigned char *out)
{
    static const size_t room = WIRE_REPLY_BYTES_MAX - WORD_BYTES - 1;
    size_t len = strlen(text);
    size_t count = 0;

    /* Half of an address would be another person's. */
    if (verdict == WIRE_OK && len > room)
        verdict = WIRE_TEMPORARY;
    if (len > room)
        len = room;
    if (verdict != WIRE_TEMPORARY) {
        memcpy(out + COUNT_BYTES, verdict == WIRE_OK ? "OK" : "NO", WORD_BYTES);
        count = WORD_BYTES;
        if (len > 0) {
            out[COUNT_BYTES + count++] = ' ';
            memcpy(out + COUNT_BYTES + count, text, len);
            count += len;
        }
    }
    write_count(out, count);
    return COUNT_BYTES + count;
}

static bool readable(const unsigned char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] < 0x20 || text[i] == 0x7f)
            return false;
    }
    return true;
}

/* Takes the whole reply apart: a word, and behind a blank its text. */
static enum status take_reply(const unsigned char *text, size_t len,
                              struct wire_reply *reply_r, struct errtext *err)
{
    struct wire_reply reply = {.verdict = WIRE_TEMPORARY};

    if (!readable(text, len)) {
        errtext_set(err, "control byte in the reply");
        return STATUS_INVALID;
    }
    if (memcmp(text, "OK", WORD_BYTES) == 0) {
        reply.verdict = WIRE_OK;
    } else if (memcmp(text, "NO", WORD_BYTES) == 0) {
        reply.verdict = WIRE_NO;
    } else {
        errtext_set(err, "reply is neither OK nor NO");
        return STATUS_INVALID;
    }
    if (len > WORD_BYTES && text[WORD_BYTES] != ' ') {
        errtext_set(err, "reply begins with an unknown word");
        return STATUS_INVALID;
    }
    if (len > WORD_BYTES + 1)
        memcpy(reply.text, text + WORD_BYTES + 1, len - WORD_BYTES - 1);
    *reply_r = reply;
    return STATUS_OK;
}

enum status wire_reply_parse(const unsigned char *data, size_t len,
                             bool *complete_r, struct wire_reply *reply_r,
                             struct errtext *err)
{
    size_t count;

    if (len < COUNT_BYTES) {
        *complete_r = false;
        return STATUS_OK;
    }
    count = read_count(data);
    if (count > WIRE_REPLY_BYTES_MAX) {
        errtext_set(err, "reply of %zu bytes, more than %d", count,
                    WIRE_REPLY_BYTES_MAX);
        return STATUS_INVALID;
    }
    if (len > COUNT_BYTES + count) {
        errtext_set(err, "bytes behind the reply");
        return STATUS_INVALID;
    }
    if (count < WORD_BYTES) {
        reply_r->verdict = WIRE_TEMPORARY;
        reply_r->text[0] = '\0';
        *complete_r = true;
        return STATUS_OK;
    }
    if (len < COUNT_BYTES + count) {
        *complete_r = false;
        return STATUS_OK;
    }
    if (take_reply(data + COUNT_BYTES, count, reply_r, err) != STATUS_OK)
        return STATUS_INVALID;
    *complete_r = true;
    return STATUS_OK;
}
