/*
 * policyd - the policy service: sockets, rules, counters, control socket
 *
 * Puts together what common/ and the rules offer; main.c runs it.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_POLICYD_H
#define POLICYD_POLICYD_H

#include "daemon.h"

/*
 * The service is up also when the store gives no answer yet. A reload forgets
 * what is remembered of accounts.
 */
extern const struct daemon_hooks policyd_hooks;

#endif
