/* provost - see provost.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "provost.h"

#include "credentials.h"
#include "exchange.h"
#include "glue.h"
#include "keys.h"
#include "options.h"
#include "plain.h"
#include "secret.h"

#include <string.h>

/*
 * Weak, so that the plugin needs libc alone and still loads where libsasl2
 * itself was loaded privately; it then ranks itself as for an old one.
 */
#pragma weak sasl_version_info

/*
 * Read while the program starts, as root and before any chroot, and constant
 * from then on. libsasl2 starts once per process.
 */
static struct options options;

/* libsasl2 does not ask twice for a mechanism that answered SASL_NOTDONE. */
static int check_strength(void *glob_context, sasl_server_params_t *sparams,
                          void **conn_context)
{
    (void)glob_context;
    (void)conn_context;
    /* max_ssf may be 1 for the rank's sake; what we bring is no layer. */
    if (sparams->props.min_ssf > sparams->external_ssf)
        return SASL_NOTDONE;
    return SASL_OK;
}

static int begin_plain(void *glob_context, sasl_server_params_t *sparams,
                       const char *challenge, unsigned challenge_len,
                       void **conn_context)
{
    (void)glob_context;
    (void)sparams;
    (void)challenge;
    (void)challenge_len;
    *conn_context = NULL;
    return SASL_OK;
}

static int step_plain(void *conn_context, sasl_server_params_t *sparams,
                      const char *data, unsigned len, const char **reply_r,
                      unsigned *reply_len_r, sasl_out_params_t *oparams)
{
    struct credentials credentials;
    struct errtext err = {{0}};
    enum status status;

    (void)conn_context;
    *reply_r = NULL;
    *reply_len_r = 0;
    status = plain_parse(data, len, &credentials, &err);
    if (status != STATUS_OK)
        return glue_fail(sparams->utils, status, &err);
    return glue_login(sparams, &options, &credentials, oparams);
}

static int begin_login(void *glob_context, sasl_server_params_t *sparams,
                       const char *challenge, unsigned challenge_len,
                       void **conn_context)
{
    struct exchange *exchange = sparams->utils->malloc(sizeof(*exchange));

    (void)glob_context;
    (void)challenge;
    (void)challenge_len;
    if (exchange == NULL)
        return SASL_NOMEM;
    memset(exchange, 0, sizeof(*exchange));
    *conn_context = exchange;
    return SASL_OK;
}

static int step_login(void *conn_context, sasl_server_params_t *sparams,
                      const char *data, unsigned len, const char **reply_r,
                      unsigned *reply_len_r, sasl_out_params_t *oparams)
{
    struct credentials credentials;
    struct errtext err = {{0}};
    const char *prompt = NULL;
    enum status status;

    *reply_r = NULL;
    *reply_len_r = 0;
    status =
        exchange_feed(conn_context, data, len, &prompt, &credentials, &err);
    if (status != STATUS_OK)
        return glue_fail(sparams->utils, status, &err);
    if (prompt == NULL)
        return glue_login(sparams, &options, &credentials, oparams);
    *reply_r = prompt;
    *reply_len_r = (unsigned)strlen(prompt);
    return SASL_CONTINUE;
}

/* People type their password where the user name belongs: wiped as well. */
static void end_login(void *conn_context, const sasl_utils_t *utils)
{
    if (conn_context == NULL)
        return;
    secret_wipe(conn_context, sizeof(struct exchange));
    utils->free(conn_context);
}

static sasl_server_plug_t mechanisms[] = {
    {
        .mech_name = "PLAIN",
        .features = SASL_FEAT_WANT_CLIENT_FIRST,
        .mech_new = begin_plain,
        .mech_step = step_plain,
        .mech_avail = check_strength,
    },
    {
        .mech_name = "LOGIN",
        .mech_new = begin_login,
        .mech_step = step_login,
        .mech_dispose = end_login,
        .mech_avail = check_strength,
    },
};

static const char *read_option(const sasl_utils_t *utils, const char *name)
{
    const char *value = NULL;

    if (utils->getopt == NULL || utils->getopt(utils->getopt_context, NULL,
                                               name, &value, NULL) != SASL_OK)
        return NULL;
    return value;
}

static void read_timeout(const sasl_utils_t *utils)
{
    struct errtext err = {{0}};

    if (options_timeout(read_option(utils, "provost_timeout"),
                        &options.timeout_seconds, &err) == STATUS_OK)
        return;
    options.timeout_seconds = OPTIONS_TIMEOUT_SECONDS_DEFAULT;
    utils->log(NULL, SASL_LOG_ERR, "provost: %s: using %d", err.text,
               options.timeout_seconds);
}

/*
 * Returns whether the program turned us on. A value that cannot be used is no
 * reason to step aside: the program would then ask some other module, which
 * knows nobody and refuses everybody. Logins are "no answer" until it is
 * mended.
 */
static bool read_options(const sasl_utils_t *utils)
{
    struct errtext err = {{0}};

    switch (options_path("provost_path", read_option(utils, "provost_path"),
                         options.path, &err)) {
    case STATUS_OK:
        break;
    case STATUS_NOT_FOUND:
        return false;
    case STATUS_DENIED:
    case STATUS_INVALID:
    case STATUS_TEMPFAIL:
        options.path[0] = '\0';
        utils->log(NULL, SASL_LOG_ERR, "provost: %s: no login will succeed",
                   err.text);
        break;
    }
    read_timeout(utils);
    return true;
}

static void rank_mechanisms(void)
{
    int major = 0;
    int minor = 0;
    int step = 0;
    struct glue_rank rank;

    if (sasl_version_info != NULL)
        sasl_version_info(NULL, NULL, &major, &minor, &step, NULL);
    rank = glue_rank(major, minor, step);
    for (size_t i = 0; i < ARRAY_SIZE(mechanisms); i++) {
        mechanisms[i].max_ssf = rank.max_ssf;
        mechanisms[i].security_flags =
            SASL_SEC_NOANONYMOUS | SASL_SEC_PASS_CREDENTIALS | rank.flags;
    }
}

int sasl_server_plug_init(const sasl_utils_t *utils, int max_version,
                          int *out_version, sasl_server_plug_t **pluglist,
                          int *plugcount)
{
    if (max_version < SASL_SERVER_PLUG_VERSION)
        return SASL_BADVERS;
    *out_version = SASL_SERVER_PLUG_VERSION;
    *pluglist = mechanisms;
    *plugcount = 0;
    if (!read_options(utils))
        return SASL_OK;
    rank_mechanisms();
    *plugcount = (int)ARRAY_SIZE(mechanisms);
    return SASL_OK;
}

/* libsasl2 passes over this answer, as if we were not there. */
static int look_up_nothing(void *glob_context, sasl_server_params_t *sparams,
                           unsigned flags, const char *user, unsigned len)
{
    (void)glob_context;
    (void)sparams;
    (void)flags;
    (void)user;
    (void)len;
    return SASL_NOMECH;
}

static int look_up_keys(void *glob_context, sasl_server_params_t *sparams,
                        unsigned flags, const char *user, unsigned len)
{
    (void)glob_context;
    return keys_lookup(sparams, &options, flags, user, len);
}

static char auxprop_name[] = "provost";

static sasl_auxprop_plug_t auxprop = {
    .auxprop_lookup = look_up_nothing,
    .name = auxprop_name,
};

int sasl_auxprop_plug_init(const sasl_utils_t *utils, int max_version,
                           int *out_version, sasl_auxprop_plug_t **plug,
                           const char *plugname)
{
    struct errtext err = {{0}};

    (void)plugname;
    if (max_version < SASL_AUXPROP_PLUG_VERSION)
        return SASL_BADVERS;
    *out_version = SASL_AUXPROP_PLUG_VERSION;
    *plug = &auxprop;
    if (!options_switch(read_option(utils, "provost_auxprop")))
        return SASL_OK;
    /* As above: what cannot be used is no reason to step aside. */
    if (options_path("provost_keys_path",
                     read_option(utils, "provost_keys_path"), options.keys_path,
                     &err) != STATUS_OK) {
        options.keys_path[0] = '\0';
        utils->log(NULL, SASL_LOG_ERR,
                   "provost: %s: no login by SCRAM will succeed", err.text);
    }
    read_timeout(utils);
    auxprop.auxprop_lookup = look_up_keys;
    return SASL_OK;
}
