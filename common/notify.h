/*
 * notify - tells systemd how we are (its datagram protocol, without its
 * library)
 *
 * Does nothing when the program was not started by systemd. A process that
 * handles passwords links no more than it needs.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_NOTIFY_H
#define COMMON_NOTIFY_H

#include <stdint.h>

/* Sends assignments such as "READY=1\nSTATUS=serving". */
void notify_send(const char *state);

/* "RELOADING=1" with the time that systemd wants beside it. */
void notify_reloading(void);

/* Returns how often the watchdog wants a ping, in ms; 0: it does not. */
int64_t notify_watchdog_ms(void);

#endif
