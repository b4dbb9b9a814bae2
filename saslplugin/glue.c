/* glue - see glue.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "glue.h"

#include "client.h"
#include "clock.h"
#include "wire.h"

#include <stdbool.h>
#include <string.h>

#ifndef SASL_SET_HASH_STRENGTH_BITS /* the headers before 2.1.28 lack it */
#define SASL_SET_HASH_STRENGTH_BITS(x) (((x) / 8) << 16)
#endif

#define MILLISECONDS 1000

int glue_code(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return SASL_OK;
    case STATUS_NOT_FOUND:
    case STATUS_DENIED:
        return SASL_BADAUTH;
    case STATUS_INVALID:
        return SASL_BADPROT;
    case STATUS_TEMPFAIL:
        break;
    }
    return SASL_UNAVAIL;
}

struct glue_rank glue_rank(int major, int minor, int step)
{
    static const struct glue_rank by_hash = {0, SASL_SET_HASH_STRENGTH_BITS(8)};
    static const struct glue_rank by_layer = {1, 0};

    if (major != 2)
        return major > 2 ? by_hash : by_layer;
    if (minor != 1)
        return minor > 1 ? by_hash : by_layer;
    return step >= 28 ? by_hash : by_layer;
}

int glue_fail(const sasl_utils_t *utils, enum status status,
              const struct errtext *err)
{
    /* A refusal is logged by the service, and once more by the program. */
    int level = status == STATUS_TEMPFAIL ? SASL_LOG_ERR : SASL_LOG_NOTE;

    utils->log(utils->conn, level, "provost: %s", err->text);
    utils->seterror(utils->conn, SASL_NOLOG, "provost: %s", err->text);
    return glue_code(status);
}

/*
 * What the program's own canonicalisation says. It may refuse a name (Cyrus
 * IMAP's does); a store of properties that is down is no refusal.
 */
static enum status canon_status(int code, struct errtext *err)
{
    if (code == SASL_OK)
        return STATUS_OK;
    errtext_set(err, "the program did not take the user name (SASL %d)", code);
    switch (code) {
    case SASL_BADAUTH:
    case SASL_NOAUTHZ:
    case SASL_NOUSER:
    case SASL_DISABLED:
        return STATUS_DENIED;
    case SASL_BADPROT:
    case SASL_BUFOVER:
        return STATUS_INVALID;
    default:
        return STATUS_TEMPFAIL;
    }
}

/* Names the person to the program, as both identities. */
static enum status set_user(const sasl_server_params_t *sparams,
                            const char *name, size_t len,
                            sasl_out_params_t *oparams, struct errtext *err)
{
    int code = sparams->canon_user(sparams->utils->conn, name, (unsigned)len,
                                   SASL_CU_AUTHID | SASL_CU_AUTHZID |
                                       SASL_CU_EXTERNALLY_VERIFIED,
                                   oparams);

    return canon_status(code, err);
}

static bool same(const struct credential *name, const char *other, size_t len)
{
    return name->len == len && memcmp(name->data, other, len) == 0;
}

/* To act as somebody else is not on offer, whatever password comes with it. */
static enum status check_authzid(const sasl_server_params_t *sparams,
                                 const struct credentials *credentials,
                                 const char *name, struct errtext *err)
{
    const struct credential *authzid = &credentials->authzid;

    if (authzid->len == 0 || same(authzid, name, strlen(name)) ||
        same(authzid, credentials->user.data, credentials->user.len))
        return STATUS_OK;
    errtext_set(err, "%s asked to act as somebody else", name);
    sparams->utils->log(sparams->utils->conn, SASL_LOG_FAIL, "provost: %s",
                        err->text);
    return STATUS_DENIED;
}

/* Returns text, or "" where the program did not give it or it is too long. */
static const char *fitting(const char *text, size_t bytes_max)
{
    return text != NULL && strlen(text) <= bytes_max ? text : "";
}

static enum status ask(const sasl_server_params_t *sparams,
                       const struct options *options,
                       const struct credentials *credentials,
                       char name_r[WIRE_REPLY_BYTES_MAX + 1],
                       struct errtext *err)
{
    const struct credential *user = &credentials->user;
    bool has_domain = memchr(user->data, '@', user->len) != NULL;
    struct client_question question = {
        .path = options->path,
        .deadline_ms =
            clock_ms() + (int64_t)options->timeout_seconds * MILLISECONDS,
        .service = sparams->service != NULL ? sparams->service : "",
        .realm = "",
        .address = fitting(sparams->ipremoteport, WIRE_CLIENT_BYTES_MAX),
    };

    if (!has_domain && sparams->user_realm != NULL)
        question.realm = sparams->user_realm;
    return client_ask(&question, credentials, name_r, err);
}

static void finish(sasl_out_params_t *oparams)
{
    oparams->doneflag = 1;
    oparams->mech_ssf = 0;
    oparams->maxoutbuf = 0;
    oparams->encode_context = NULL;
    oparams->encode = NULL;
    oparams->decode_context = NULL;
    oparams->decode = NULL;
    oparams->param_version = 0;
}

int glue_login(const sasl_server_params_t *sparams,
               const struct options *options,
               const struct credentials *credentials,
               sasl_out_params_t *oparams)
{
    char name[WIRE_REPLY_BYTES_MAX + 1];
    struct errtext err = {{0}};
    enum status status;

    /* The name as typed first: the program logs it when the login fails. */
    status = set_user(sparams, credentials->user.data, credentials->user.len,
                      oparams, &err);
    if (status == STATUS_OK)
        status = ask(sparams, options, credentials, name, &err);
    if (status == STATUS_OK)
        status = check_authzid(sparams, credentials, name, &err);
    if (status == STATUS_OK)
        status = set_user(sparams, name, strlen(name), oparams, &err);
    if (status != STATUS_OK)
        return glue_fail(sparams->utils, status, &err);
    finish(oparams);
    return SASL_OK;
}
