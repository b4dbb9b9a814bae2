/* exchange - see exchange.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "exchange.h"

#include <string.h>

static enum status take_user(struct exchange *exchange,
                             const struct credential *message,
                             struct errtext *err)
{
    enum status status = credentials_check_user(message, err);

    if (status != STATUS_OK)
        return status;
    memcpy(exchange->user, message->data, message->len);
    exchange->user[message->len] = '\0';
    exchange->user_len = message->len;
    return STATUS_OK;
}

static enum status take_password(const struct exchange *exchange,
                                 const struct credential *message,
                                 struct credentials *credentials_r,
                                 struct errtext *err)
{
    enum status status = credentials_check_password(message, err);

    if (status != STATUS_OK)
        return status;
    credentials_r->authzid = (struct credential){"", 0};
    credentials_r->user =
        (struct credential){exchange->user, exchange->user_len};
    credentials_r->password = *message;
    return STATUS_OK;
}

enum status exchange_feed(struct exchange *exchange, const char *data,
                          size_t len, const char **prompt_r,
                          struct credentials *credentials_r,
                          struct errtext *err)
{
    const struct credential message = {data, len};
    enum exchange_step step = exchange->step;
    enum status status;

    exchange->step = EXCHANGE_OVER;
    if (step == EXCHANGE_START && len == 0) {
        exchange->step = EXCHANGE_USER;
        *prompt_r = "Username:";
        return STATUS_OK;
    }
    if (step == EXCHANGE_START || step == EXCHANGE_USER) {
        status = take_user(exchange, &message, err);
        if (status != STATUS_OK)
            return status;
        exchange->step = EXCHANGE_PASSWORD;
        *prompt_r = "Password:";
        return STATUS_OK;
    }
    if (step == EXCHANGE_PASSWORD) {
        status = take_password(exchange, &message, credentials_r, err);
        if (status == STATUS_OK)
            *prompt_r = NULL;
        return status;
    }
    errtext_set(err, "message after the end of the LOGIN exchange");
    return STATUS_INVALID;
}
