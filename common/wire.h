/*
 * wire - the saslauthd protocol, both ends (pure: bytes in, fields out)
 *
 * Request: four counted strings (two bytes, big-endian, then the bytes): user,
 * password, service, realm; a fifth, the client address, follows in the same
 * send from clients that know it (our plugin, newer libsasl2, Dovecot's Lua).
 * Reply: one counted string that starts with "OK" or "NO"; a count below two
 * tells libsasl2 "no answer", which Postfix makes a 454 (facts: it is the only
 * temporary answer that leaks no descriptor in the client).
 *
 * The peer is not trusted: fields are bounded one by one, NUL is refused.
 * Linked into the plugin: libc only.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_WIRE_H
#define COMMON_WIRE_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>

#define WIRE_USER_BYTES_MAX 1024
#define WIRE_PASSWORD_BYTES_MAX 8192
#define WIRE_SERVICE_BYTES_MAX 128
#define WIRE_REALM_BYTES_MAX 256
#define WIRE_CLIENT_BYTES_MAX 128
#define WIRE_REQUEST_BYTES_MAX                                                 \
    (10 + WIRE_USER_BYTES_MAX + WIRE_PASSWORD_BYTES_MAX +                      \
     WIRE_SERVICE_BYTES_MAX + WIRE_REALM_BYTES_MAX + WIRE_CLIENT_BYTES_MAX)
#define WIRE_REPLY_BYTES_MAX 1023 /* libsasl2 cuts what is longer */

enum wire_field {
    WIRE_USER,
    WIRE_PASSWORD,
    WIRE_SERVICE,
    WIRE_REALM,
    WIRE_CLIENT, /* "ip;port" or "ip"; "" from a peer that sent four fields */
    WIRE_FIELD_COUNT
};

/* One request; terminated copies; holds a password: see wire_request_wipe. */
struct wire_request {
    const char *fields[WIRE_FIELD_COUNT]; /* into text, never NULL when OK */
    char text[WIRE_REQUEST_BYTES_MAX + WIRE_FIELD_COUNT];
};

enum wire_progress {
    WIRE_MORE, /* a field is still incomplete: read on */
    WIRE_FOUR, /* four fields, and not one byte behind them: complete */
    WIRE_FIVE  /* five fields, and not one byte behind them: complete */
};

/*
 * Looks at the len bytes received so far.
 *
 * Returns STATUS_OK and *progress_r (and *req_r when it is complete); or
 * STATUS_INVALID when a field is over its bound, holds NUL, or bytes follow
 * the fifth: nothing read later can make it right.
 */
enum status wire_request_parse(const unsigned char *data, size_t len,
                               enum wire_progress *progress_r,
                               struct wire_request *req_r,
                               struct errtext *err) MUST_CHECK;

/* Overwrites the whole of req. */
void wire_request_wipe(struct wire_request *req);

/*
 * Writes the request of the given fields (lens[i] bytes at fields[i]) to out,
 * which holds WIRE_REQUEST_BYTES_MAX bytes; five fields always.
 *
 * Returns STATUS_OK and *len_r, or STATUS_INVALID as above.
 */
enum status wire_request_encode(const char *const fields[WIRE_FIELD_COUNT],
                                const size_t lens[WIRE_FIELD_COUNT],
                                unsigned char *out, size_t *len_r,
                                struct errtext *err) MUST_CHECK;

/* What a reply says. */
enum wire_verdict {
    WIRE_OK,       /* text: the canonical address, or "" */
    WIRE_NO,       /* text: a code, for logs only */
    WIRE_TEMPORARY /* count below two: no answer */
};

struct wire_reply {
    enum wire_verdict verdict;
    char text[WIRE_REPLY_BYTES_MAX + 1];
};

/*
 * Writes a reply to out, which holds WIRE_REPLY_BYTES_MAX + 2 bytes. The text
 * may be ""; one over the bound is cut behind NO, and turns OK into TEMPORARY,
 * since half of an address is another person's.
 *
 * Returns the number of bytes to send.
 */
size_t wire_reply_encode(enum wire_verdict verdict, const char *text,
                         unsigned char *out);

/*
 * Looks at the len bytes of a reply received so far.
 *
 * Returns STATUS_OK, *complete_r, and *reply_r when complete; or
 * STATUS_INVALID for a reply that is over-long, followed by more bytes, holds
 * control bytes or is neither OK nor NO (treat all of these as no answer).
 */
enum status wire_reply_parse(const unsigned char *data, size_t len,
                             bool *complete_r, struct wire_reply *reply_r,
                             struct errtext *err) MUST_CHECK;

#endif
