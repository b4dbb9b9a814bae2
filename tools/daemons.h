/*
 * daemons - asking the daemons of this host by their control sockets
 *
 * One list of daemons for every command that tells them something. A daemon
 * that does not run remembers nothing, and is no fault.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_DAEMONS_H
#define TOOLS_DAEMONS_H

#include "control.h"
#include "settings.h"
#include "status.h"
#include "strbuf.h"
#include "tool.h"

#include <stddef.h>

#define DAEMONS_MAX 4

/* One daemon; the strings are borrowed from the settings. */
struct daemon {
    const char *name;
    const char *control_path;
};

/* Fills in the daemons of this host; returns how many. */
size_t daemons_list(const struct settings *settings,
                    struct daemon list_r[DAEMONS_MAX]);

/*
 * Asks one daemon before deadline_ms.
 *
 * Returns STATUS_OK and its text appended; STATUS_NOT_FOUND: it does not run;
 * otherwise as control_ask.
 */
enum status daemons_ask(const struct daemon *daemon, enum control_word word,
                        const char *argument, int64_t deadline_ms,
                        struct strbuf *text, struct errtext *err) MUST_CHECK;

/*
 * Makes every daemon forget what it remembers of a person ("all": everybody),
 * after a change that has to count at once. A daemon that cannot be asked is
 * told of, with what that means; the change itself is done.
 */
void daemons_flush(const struct tool *tool, const char *user);

#endif
