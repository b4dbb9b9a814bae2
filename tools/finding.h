/*
 * finding - what a look-around has found, line by line
 *
 * `why`, `directory test` and `doctor` tell each thing they looked at: fine, a
 * warning, or an error, with what was seen and what to do about it. Lines are
 * printed as they come.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_FINDING_H
#define TOOLS_FINDING_H

#include "status.h"
#include "tool.h"

#include <stdint.h>

enum finding_level {
    FINDING_OK,
    FINDING_SKIPPED, /* not reached, or nothing to look at */
    FINDING_WARNING,
    FINDING_ERROR
};

struct findings;

/* Starts a list on standard output in tool's format; owned. NULL: no memory. */
struct findings *findings_begin(const struct tool *tool);

/*
 * One line. took_ms is -1 where time says nothing; fix may be NULL or "".
 */
void findings_add(struct findings *findings, enum finding_level level,
                  const char *what, int64_t took_ms, const char *fix,
                  const char *fmt, ...) PRINTF_LIKE(6, 7);

/* How many lines of this level there are so far. */
unsigned findings_count(const struct findings *findings,
                        enum finding_level level);

/*
 * Ends the list, frees *findings. Returns EX_OK without an error among them,
 * EX_UNAVAILABLE (69) with one, EX_IOERR if it could not be written.
 */
int findings_end(struct findings **findings);

#endif
