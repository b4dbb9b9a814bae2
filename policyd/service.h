/*
 * service - Postfix's requests, one after the other on each connection
 *
 * The hooks of the server behind the sockets of policy.listen. Internal to
 * policyd.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_SERVICE_H
#define POLICYD_SERVICE_H

#include "generation.h"
#include "report.h"
#include "server.h"

/* What the hooks need; all borrowed. */
struct service {
    struct generations *generations;
    struct report *report;
};

extern const struct server_hooks service_hooks;

#endif
