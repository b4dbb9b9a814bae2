/*
 * sync_report - what a run shows while it is at work, and at its end
 *
 * On a terminal a bar with rate and remaining time, on standard error;
 * elsewhere a line every 30 s; nothing if it is to be quiet. Lines of a plan
 * and the summary go to standard output, as text or as one JSON document.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_SYNC_REPORT_H
#define TOOLS_SYNC_REPORT_H

#include "provision.h"
#include "status.h"

#include <stdbool.h>
#include <stdint.h>

struct sync_counts {
    uint64_t seen;
    uint64_t created;
    uint64_t changed;
    uint64_t renamed;
    uint64_t suspended;
    uint64_t refused;
    uint64_t unchanged;
    uint64_t skipped; /* not for us: other domains, switches that are off */
    uint64_t withheld;
};

struct sync_report;

enum sync_report_form {
    SYNC_REPORT_QUIET, /* errors alone */
    SYNC_REPORT_RUN,   /* progress and summary */
    SYNC_REPORT_PLAN,  /* a line each change as well */
    SYNC_REPORT_JSON   /* that as JSON */
};

/* An owned object, or NULL without memory. */
struct sync_report *sync_report_new(enum sync_report_form form);
void sync_report_free(struct sync_report **report);

/* A run over a directory begins; its name is borrowed until the next. */
void sync_report_begin(struct sync_report *report, const char *directory);

/*
 * How far it is: what ("reading", "writing"), done of about so many (0: not
 * known). Draws now and then, whatever the rate of calls.
 */
void sync_report_progress(struct sync_report *report, const char *what,
                          uint64_t done, uint64_t about);

/* A change, with what differs; or one that is refused or withheld. */
void sync_report_plan(struct sync_report *report, const struct plan *plan);
void sync_report_refusal(struct sync_report *report, const char *address,
                         const char *code, const char *sentence);
void sync_report_withheld(struct sync_report *report, const char *address,
                          const char *what);
/* Somebody is missing from the directory: "2 of 3 runs, since 5h". */
void sync_report_missing(struct sync_report *report, const char *address,
                         const char *what);

/* By which way changes are found, and a remark, of which no JSON is made. */
void sync_report_way(struct sync_report *report, const char *way);
void sync_report_note(struct sync_report *report, const char *text);

/* --follow is connected. */
void sync_report_following(struct sync_report *report, const char *directory,
                           const char *way);

/* The end of a directory; reason ("": none) says what was withheld or failed.
 */
void sync_report_end(struct sync_report *report,
                     const struct sync_counts *counts, int64_t ms, int code,
                     const char *reason);

/* The end of all; false if it could not be written. */
bool sync_report_close(struct sync_report *report);

#endif
