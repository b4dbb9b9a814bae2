/*
 * door - one frame of the saslauthd protocol, from the socket to the reply
 *
 * The hooks of the server that main.c's doors belong to. Internal to authd.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef AUTHD_DOOR_H
#define AUTHD_DOOR_H

#include "generation.h"
#include "log.h"
#include "report.h"
#include "server.h"
#include "wire.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* What the hooks need; all borrowed but the paths. */
struct doors {
    struct generations *generations;
    struct report *report;
    struct log *log;
    char *paths[SERVER_DOORS_MAX];
    _Atomic bool canonical_only[SERVER_DOORS_MAX];
    _Atomic enum socket_kind kind[SERVER_DOORS_MAX];
    atomic_uint provisioning; /* such requests now */
    size_t count;
    struct wire_request scratch; /* the reading thread's */
};

extern const struct server_hooks door_hooks;

/*
 * Takes over the per-socket settings; returns how many doors are not there, or
 * would begin or cease to give keys away, which takes a restart.
 */
size_t doors_configure(struct doors *doors, const struct auth_settings *auth);

#endif
