/*
 * plain - the one message of the PLAIN mechanism (RFC 4616)
 *
 * Pure: bytes in, fields out. The client is not trusted.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SASLPLUGIN_PLAIN_H
#define SASLPLUGIN_PLAIN_H

#include "credentials.h"
#include "status.h"

#include <stddef.h>

/*
 * Takes "authzid NUL user NUL password" apart; *credentials_r points into
 * data, which may be NULL when len is 0.
 *
 * Returns STATUS_OK; STATUS_INVALID for any other shape and for an over-long
 * field; STATUS_DENIED for an empty user name or password.
 */
enum status plain_parse(const char *data, size_t len,
                        struct credentials *credentials_r,
                        struct errtext *err) MUST_CHECK;

#endif
