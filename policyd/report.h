/*
 * report - what provost-policyd shows: its log lines and its counters
 *
 * One line a refusal, the same keys in the same order; DUNNO at debug level.
 * Thread-safe.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_REPORT_H
#define POLICYD_REPORT_H

#include "generation.h"
#include "log.h"
#include "rate_keeper.h"
#include "rule.h"
#include "server.h"
#include "strbuf.h"

#include <stdbool.h>
#include <stdint.h>

struct report;

/* Returns counters at 0 that write to log (borrowed), or NULL. */
struct report *report_new(struct log *log);

/* Frees *report and sets it to NULL; it may be NULL. */
void report_free(struct report **report);

/* Counts one answer and writes its lines. */
void report_answer(struct report *report, const struct policy_request *request,
                   const struct policy_answer *answer, int64_t took_ms);

/* Counts a request that is no policy request, or malformed (text says how). */
void report_other(struct report *report);
void report_invalid(struct report *report, const char *text);

/* Counts whom the server turned away. */
void report_turned_away(struct report *report, enum server_why why);

/* Counts a reload. */
void report_reload(struct report *report, bool success);

/* What status and metrics are made of. */
struct report_sources {
    const struct generation *generation;
    struct server *server;
    struct rate_keeper *keeper;
};

/* Appends the text of the control words status and metrics. */
void report_append_status(struct report *report,
                          const struct report_sources *sources,
                          struct strbuf *buf);
void report_append_metrics(struct report *report,
                           const struct report_sources *sources,
                           struct strbuf *buf);

#endif
