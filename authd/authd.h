/*
 * authd - the login service: doors, workers, keeper, control socket
 *
 * Puts together what common/ offers; main.c runs it.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef AUTHD_AUTHD_H
#define AUTHD_AUTHD_H

#include "daemon.h"

/* The service is up also when the store gives no answer yet. */
extern const struct daemon_hooks authd_hooks;

#endif
