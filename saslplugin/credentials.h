/*
 * credentials - what a client sent, as pointers into what it sent
 *
 * Nothing is copied: the one copy of a password that this plugin makes is the
 * frame to the login service, which is wiped after the send. The client is
 * not trusted; what is checked here never reaches a socket.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SASLPLUGIN_CREDENTIALS_H
#define SASLPLUGIN_CREDENTIALS_H

#include "status.h"

#include <stddef.h>

/* Bytes of the client's message; borrowed, and not terminated. */
struct credential {
    const char *data;
    size_t len;
};

struct credentials {
    struct credential authzid;  /* len 0: the client asked for no other name */
    struct credential user;     /* a NUL stands behind it, not counted */
    struct credential password; /* never logged, never copied but to send */
};

/*
 * Checks one field before anything is done with it.
 *
 * Returns STATUS_OK; STATUS_INVALID when it is over the bound of the wire or
 * holds NUL; STATUS_DENIED when it is empty, or a user name of blanks alone:
 * nobody is called that, and an empty password is an anonymous bind.
 */
enum status credentials_check_user(const struct credential *user,
                                   struct errtext *err) MUST_CHECK;
enum status credentials_check_password(const struct credential *password,
                                       struct errtext *err) MUST_CHECK;

#endif
