/*
 * exchange - the two messages of the LOGIN mechanism
 *
 * LOGIN was never standardised; this is what libsasl2's own does and what
 * mail clients expect: "Username:", "Password:", and a first message that
 * comes with the command is the user name. Pure: bytes in, prompt or fields
 * out. The client is not trusted.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SASLPLUGIN_EXCHANGE_H
#define SASLPLUGIN_EXCHANGE_H

#include "credentials.h"
#include "status.h"
#include "wire.h"

#include <stdbool.h>
#include <stddef.h>

enum exchange_step {
    EXCHANGE_START,
    EXCHANGE_USER,     /* asked for the user name */
    EXCHANGE_PASSWORD, /* asked for the password */
    EXCHANGE_OVER
};

/* One exchange; starts as {0}; holds no password. */
struct exchange {
    enum exchange_step step;
    size_t user_len;
    char user[WIRE_USER_BYTES_MAX + 1];
};

/*
 * Takes the client's next message; data may be NULL when len is 0.
 *
 * Returns STATUS_OK and either *prompt_r, a constant text to send, or NULL
 * there and *credentials_r, which points into exchange and into data. Or
 * STATUS_INVALID for NUL, an over-long message, or one after the end;
 * STATUS_DENIED for an empty user name or password. The exchange is then over.
 */
enum status exchange_feed(struct exchange *exchange, const char *data,
                          size_t len, const char **prompt_r,
                          struct credentials *credentials_r,
                          struct errtext *err) MUST_CHECK;

#endif
