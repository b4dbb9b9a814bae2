/*
 * doctor_jail - reads fail2ban's jails
 *
 * Which jails are on, with which filter in which mode: sections of several
 * files that override each other, [DEFAULT], and "%(name)s". Pure.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_DOCTOR_JAIL_H
#define TOOLS_DOCTOR_JAIL_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>

#define JAILS_MAX 1000

struct jails;

/* Returns no jails yet; owned (jails_free). NULL: no memory. */
struct jails *jails_new(void);
void jails_free(struct jails **jails);

/*
 * Reads one more file, whose values replace those of earlier ones. Returns
 * STATUS_OK; STATUS_TEMPFAIL: no memory, or more than JAILS_MAX jails.
 */
enum status jails_read(struct jails *jails, const char *text,
                       struct errtext *err) MUST_CHECK;

/* What a jail is about; the texts live until jails_free. */
struct jail_seen {
    const char *name;
    char filter[128]; /* "postfix" */
    char mode[64];    /* "auth"; "": the filter's own */
    bool enabled;
};

/* Fills in the jail at index; false when there is none any more. */
bool jails_at(const struct jails *jails, size_t index,
              struct jail_seen *seen_r);

/*
 * True if this jail counts Postfix's line of a failed AUTH, which looks the
 * same for a wrong password and for an outage, and is on.
 */
bool jail_counts_outages(const struct jail_seen *seen);

#endif
