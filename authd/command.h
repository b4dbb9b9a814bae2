/*
 * command - what the control socket of authd answers
 *
 * The hooks of a small server of its own, so that it answers also when every
 * login worker is busy. Internal to authd.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef AUTHD_COMMAND_H
#define AUTHD_COMMAND_H

#include "generation.h"
#include "log.h"
#include "report.h"
#include "server.h"
#include "strbuf.h"

/* What the hooks need; all borrowed. */
struct commands {
    struct generations *generations;
    struct report *report;
    struct server *doors; /* the server that is reported on */
    struct log *log;
    enum status (*reload)(void *context, struct strbuf *faults);
    void *reload_context;
};

extern const struct server_hooks command_hooks;
extern const struct server_limits command_limits;

#endif
