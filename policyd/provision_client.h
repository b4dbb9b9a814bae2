/*
 * provision_client - asks authd to make sure that an address exists
 *
 * One short connection to authd's socket of kind provision. Whatever goes
 * wrong is no answer. Thread-safe.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_PROVISION_CLIENT_H
#define POLICYD_PROVISION_CLIENT_H

#include "verdict.h"

#include <stdint.h>

/* Asks at the socket path, until deadline_ms at most. */
enum verdict_provision provision_ask(const char *path, const char *address,
                                     int64_t deadline_ms);

#endif
