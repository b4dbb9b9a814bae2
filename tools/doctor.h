/*
 * doctor - the rooms of `provostctl doctor`
 *
 * command_doctor.c has the table of checks; each check looks at one thing and
 * tells what it found. The parsers are pure.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_DOCTOR_H
#define TOOLS_DOCTOR_H

#include "finding.h"
#include "strbuf.h"
#include "tool.h"

#include <stdbool.h>

struct doctor {
    struct tool *tool;
    struct findings *findings;
    const char *postfix_dir;  /* where main.cf is */
    const char *fail2ban_dir; /* where jail.conf is */
    const char *fix;          /* "counters", or NULL */
    bool has_store;           /* it answers, with a schema for us */
};

typedef void doctor_check(struct doctor *doctor);

/* doctor_host.c */
doctor_check doctor_settings;
doctor_check doctor_secrets;
doctor_check doctor_sockets;
doctor_check doctor_plugin;
doctor_check doctor_library;
doctor_check doctor_fail2ban;

/* doctor_postfix.c */
doctor_check doctor_postfix;
doctor_check doctor_policy_place;

/* doctor_store.c */
doctor_check doctor_store;
doctor_check doctor_grants;
doctor_check doctor_engines;
doctor_check doctor_cluster;
doctor_check doctor_clock;
doctor_check doctor_counters;

/* doctor_directory.c */
doctor_check doctor_directories;

/*
 * Runs a program, with standard error in the bin, and appends what it prints.
 * Returns false if it cannot be run or ends with another status than 0.
 */
bool doctor_run(char *const *argv, struct strbuf *out);

/* Where a restriction list names a policy service (pure). */
enum policy_place {
    POLICY_ABSENT,
    POLICY_WELL,  /* behind reject_unauth_destination, or nothing is ahead */
    POLICY_EARLY, /* ahead of it: it would see mail that is not for us */
    POLICY_DEAD   /* behind a permit: it is never asked */
};

/*
 * Reads main.cf's value of smtpd_recipient_restrictions; relay tells whether
 * smtpd_relay_restrictions has reject_unauth_destination.
 */
enum policy_place doctor_policy_place_in(const char *restrictions, bool relay);

/*
 * Finds "key: value" in a SASL configuration; owned, NULL: none or no memory.
 */
char *doctor_sasl_value(const char *text, const char *key);

/*
 * Reads fail2ban's jails in order of their files: true if a jail with the
 * stock filter "postfix" in a mode that counts every failed AUTH is on. jail_r
 * gets its name.
 */
bool doctor_jail_bans(const char *text, char *jail_r, size_t size);

#endif
