/*
 * client - asks the login service over its unix socket
 *
 * One connection for one question, closed before the call returns: no state
 * between sessions. Every wait is poll(2) up to one deadline; no signals, no
 * alarm, no threads. The service is trusted to know people, not to be there:
 * whatever goes wrong is STATUS_TEMPFAIL and never a refusal.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SASLPLUGIN_CLIENT_H
#define SASLPLUGIN_CLIENT_H

#include "credentials.h"
#include "status.h"
#include "wire.h"

#include <stdint.h>

/* All strings are borrowed for the call. */
struct client_question {
    const char *path;    /* of the socket; "" is unusable */
    int64_t deadline_ms; /* of clock_ms() */
    const char *service; /* "smtp" */
    const char *realm;   /* beside a user without '@'; or "" */
    const char *address; /* the client's, "ip;port"; or "" */
};

/*
 * Asks whether the password is the user's.
 *
 * Returns STATUS_OK and name_r, the canonical address of the person, which
 * has an '@' and no blanks; STATUS_DENIED when the service said no;
 * STATUS_TEMPFAIL for everything else.
 */
enum status client_ask(const struct client_question *question,
                       const struct credentials *credentials,
                       char name_r[WIRE_REPLY_BYTES_MAX + 1],
                       struct errtext *err) MUST_CHECK;

/*
 * Asks for the SCRAM keys of a user, at a socket that gives them away.
 *
 * Returns STATUS_OK and keys_r, a secret, of a person or made up for nobody;
 * STATUS_DENIED for a name that nobody can have; STATUS_TEMPFAIL.
 */
enum status client_keys(const struct client_question *question,
                        const struct credential *user,
                        char keys_r[WIRE_REPLY_BYTES_MAX + 1],
                        struct errtext *err) MUST_CHECK;

#endif
