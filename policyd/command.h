/*
 * command - what the control socket of policyd answers
 *
 * The hooks of a small server of its own, so that it answers also when every
 * worker is busy. Internal to policyd.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_COMMAND_H
#define POLICYD_COMMAND_H

#include "generation.h"
#include "log.h"
#include "rate_keeper.h"
#include "report.h"
#include "server.h"
#include "strbuf.h"

/* What the hooks need; all borrowed. */
struct commands {
    struct generations *generations;
    struct report *report;
    struct server *server; /* the one that is reported on */
    struct rate_keeper *keeper;
    struct log *log;
    enum status (*reload)(void *context, struct strbuf *faults);
    void *reload_context;
};

extern const struct server_hooks command_hooks;
extern const struct server_limits command_limits;

#endif
