/*
 * report - what the login service shows: its log lines and its counters
 *
 * One line per decision: the sentence, then the same keys in the same order.
 * Thread-safe.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef AUTHD_REPORT_H
#define AUTHD_REPORT_H

#include "generation.h"
#include "log.h"
#include "login.h"
#include "server.h"
#include "strbuf.h"
#include "wire.h"

#include <stdbool.h>
#include <stdint.h>

struct report;

/* Returns counters at 0 that write to log (borrowed), or NULL. */
struct report *report_new(struct log *log);

/* Frees *report and sets it to NULL; it may be NULL. */
void report_free(struct report **report);

/* Counts one decision and writes its line. wire NULL: no frame was read. */
void report_decision(struct report *report, const struct wire_request *wire,
                     const struct login_answer *answer, int64_t took_ms);

/* Counts whom the server turned away. */
void report_turned_away(struct report *report, enum server_why why);

/* Counts a reload. */
void report_reload(struct report *report, bool success);

/* What the keeper last heard of the store: "up", "down", "schema". */
void report_store(struct report *report, const char *state, const char *text);

/* What status and metrics are made of. */
struct report_sources {
    const struct generation *generation;
    struct server *server;
};

/* Appends the text of the control words status and metrics. */
void report_append_status(struct report *report,
                          const struct report_sources *sources,
                          struct strbuf *buf);
void report_append_metrics(struct report *report,
                           const struct report_sources *sources,
                           struct strbuf *buf);

#endif
