/*
 * keys - the auxprop "provost": SCRAM keys for libsasl2's own mechanism
 *
 * One property, authPassword, for SCRAM-SHA-256 alone. People who have no keys
 * get some that nothing fits, so that a client cannot tell who exists; a
 * password is never given, and nothing is for another mechanism.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SASLPLUGIN_KEYS_H
#define SASLPLUGIN_KEYS_H

#include "options.h"

#include <sasl/sasl.h>

#include <sasl/saslplug.h>

/*
 * Answers one look-up. Returns SASL_OK also where nothing of ours was asked
 * for; SASL_NOUSER for a name that nobody can have and for other mechanisms;
 * SASL_UNAVAIL where there is no answer.
 */
int keys_lookup(sasl_server_params_t *sparams, const struct options *options,
                unsigned flags, const char *user, unsigned len);

#endif
