/*
 * why - what the rooms of provostctl why share
 *
 * command_why.c walks the gates, why_directory.c those of the directory. What
 * is shown is evidence; the verdict is that of a login_attempt that writes
 * nothing.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_WHY_H
#define TOOLS_WHY_H

#include "finding.h"
#include "tool.h"

#include "address.h"
#include "directory.h"
#include "login.h"
#include "store.h"

#include <stdbool.h>
#include <stdint.h>

/* What one question is about. */
struct why {
    struct tool *tool;
    struct findings *findings;
    struct login_shared shared; /* owned, and stays empty */
    struct login *login;        /* owned */
    const char *service;
    char client[64]; /* in the throttle's form, "": not given */
    char *password;  /* owned, a secret; NULL: not given */
    struct address_login name;
    struct store_found found;
    const struct directory_settings *set; /* whose entry it is; or NULL */
    struct directory_entry entry;         /* owned */
    bool has_entry;
    unsigned events_shown;
    bool throttled;    /* authd would not let this client try */
    unsigned attempts; /* shown */
    int64_t deadline_ms;
};

/* A gate that was not looked at, since one before it is closed. */
void why_not_reached(struct why *why, const char *gate);

/*
 * The gates from the choice of a directory to the template, each told or told
 * not to be reached. read is false if the store did not answer.
 */
void why_look_at_directory(struct why *why, bool read);

#endif
