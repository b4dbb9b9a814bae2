/*
 * glue - between libsasl2's interface and ours
 *
 * The only place that turns a status into a SASL code:
 *
 *     OK          SASL_OK       235
 *     NOT_FOUND   SASL_BADAUTH  535  as wrong as a wrong password
 *     DENIED      SASL_BADAUTH  535
 *     INVALID     SASL_BADPROT  535  malformed; the service was not asked
 *     TEMPFAIL    SASL_UNAVAIL  454  never a refusal
 *
 * SASL_NOUSER, SASL_DISABLED and SASL_EXPIRED are never returned: Postfix
 * would tell the client, and with that an attacker, that the account exists.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SASLPLUGIN_GLUE_H
#define SASLPLUGIN_GLUE_H

#include "credentials.h"
#include "options.h"
#include "status.h"

#include <sasl/sasl.h>

#include <sasl/saslplug.h>

/* What makes libsasl2 try our PLAIN before its own, whichever it loads last. */
struct glue_rank {
    sasl_ssf_t max_ssf;
    unsigned flags; /* to be added to the security flags */
};

/* Returns the code of the table above. */
int glue_code(enum status status);

/*
 * Returns what outranks the stock modules in that version of libsasl2: from
 * 2.1.28 on it compares the strength of a hash, before that the layer's.
 */
struct glue_rank glue_rank(int major, int minor, int step);

/*
 * Tells the program why an exchange did not succeed, and its log where a
 * human has to know; returns glue_code(status).
 */
int glue_fail(const sasl_utils_t *utils, enum status status,
              const struct errtext *err);

/*
 * Has the credentials checked and names the person in oparams, canonically,
 * as authentication and authorization identity.
 *
 * Returns a SASL code; on anything but SASL_OK the program was told why.
 */
int glue_login(const sasl_server_params_t *sparams,
               const struct options *options,
               const struct credentials *credentials,
               sasl_out_params_t *oparams);

#endif
