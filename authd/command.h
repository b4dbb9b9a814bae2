/*
 * command - what the control socket of authd answers
 *
 * For control_server.h. Internal to authd.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef AUTHD_COMMAND_H
#define AUTHD_COMMAND_H

#include "control.h"
#include "generation.h"
#include "log.h"
#include "report.h"
#include "server.h"
#include "strbuf.h"

#include <stdbool.h>

/* What they need; all borrowed. */
struct commands {
    struct generations *generations;
    struct report *report;
    struct server *doors; /* the server that is reported on */
    struct log *log;
    enum status (*reload)(void *context, struct strbuf *faults);
    void *reload_context;
};

/* Does what a word asks for; context is a struct commands. */
bool command_obey(void *context, enum control_word word, const char *argument,
                  struct strbuf *text);

#endif
