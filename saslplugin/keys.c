/* keys - see keys.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "keys.h"

#include "client.h"
#include "clock.h"
#include "glue.h"
#include "secret.h"
#include "wire.h"

#include <stdbool.h>
#include <string.h>

/* The asterisk: of who logs in, not of whom he acts for. */
#define PROPERTY "*authPassword"
#define MECHANISM "SCRAM-SHA-256"
#define MILLISECONDS 1000

/* Says if the property was asked for and is not there yet. */
static bool is_wanted(const sasl_server_params_t *sparams, unsigned flags)
{
    const struct propval *value = sparams->utils->prop_get(sparams->propctx);

    if ((flags & SASL_AUXPROP_AUTHZID) != 0)
        return false;
    for (; value != NULL && value->name != NULL; value++) {
        if (strcmp(value->name, PROPERTY) == 0)
            return value->values == NULL ||
                   (flags & SASL_AUXPROP_OVERRIDE) != 0;
    }
    return false;
}

/* SCRAM-SHA-1 would find our keys of no use, and call that a fault of ours. */
static bool is_our_mechanism(const sasl_server_params_t *sparams)
{
    const void *name = NULL;

    return sparams->utils->getprop(sparams->utils->conn, SASL_MECHNAME,
                                   &name) != SASL_OK ||
           name == NULL || strncmp(name, MECHANISM, strlen(MECHANISM)) == 0;
}

static enum status ask(const sasl_server_params_t *sparams,
                       const struct options *options,
                       const struct credential *user,
                       char keys_r[WIRE_REPLY_BYTES_MAX + 1],
                       struct errtext *err)
{
    const char *address = sparams->ipremoteport;
    struct client_question question = {
        .path = options->keys_path,
        .deadline_ms =
            clock_ms() + (int64_t)options->timeout_seconds * MILLISECONDS,
        .service = sparams->service != NULL ? sparams->service : "",
        .realm = "",
        .address = address != NULL && strlen(address) <= WIRE_CLIENT_BYTES_MAX
                       ? address
                       : "",
    };
    enum status status = credentials_check_user(user, err);

    if (memchr(user->data, '@', user->len) == NULL &&
        sparams->user_realm != NULL)
        question.realm = sparams->user_realm;
    return status == STATUS_OK ? client_keys(&question, user, keys_r, err)
                               : status;
}

int keys_lookup(sasl_server_params_t *sparams, const struct options *options,
                unsigned flags, const char *user, unsigned len)
{
    const struct credential person = {user, len};
    char keys[WIRE_REPLY_BYTES_MAX + 1] = "";
    struct errtext err = {{0}};
    enum status status;
    int code = SASL_NOUSER;

    if (!is_wanted(sparams, flags))
        return SASL_OK;
    if (!is_our_mechanism(sparams))
        return SASL_NOUSER;
    status = ask(sparams, options, &person, keys, &err);
    if (status == STATUS_OK) {
        if ((flags & SASL_AUXPROP_OVERRIDE) != 0)
            sparams->utils->prop_erase(sparams->propctx, PROPERTY);
        code = sparams->utils->prop_set(sparams->propctx, PROPERTY, keys,
                                        (int)strlen(keys));
    } else if (status == STATUS_TEMPFAIL) {
        code = glue_fail(sparams->utils, status, &err);
    }
    secret_wipe(keys, sizeof(keys));
    return code;
}
