/*
 * doctor - the rooms of `provostctl doctor`
 *
 * command_doctor.c has the table of checks; each check looks at one thing and
 * tells what it found. What reads the files of neighbours is pure, and lives in
 * doctor_words and doctor_jail.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_DOCTOR_H
#define TOOLS_DOCTOR_H

#include "finding.h"
#include "strbuf.h"
#include "tool.h"

#include <stdbool.h>
#include <sys/types.h>

#define DOCTOR_PROGRAM_MS 5000 /* postconf, or a look at a socket */

/* What is known of Postfix; owned texts. */
struct doctor_mail {
    char *parameters; /* as "postconf -x" prints them; NULL: no Postfix */
    char *services;   /* master.cf, as "postconf -M" prints it */
    char *overrides;  /* its -o, as "postconf -Px" prints them */
    char *config_directory;
    char *queue_directory;
    char *owner;      /* mail_owner: "postfix" */
    bool takes_auth;  /* a service lets people log in */
    bool asks_policy; /* a restriction list has a policy service */
    bool asks_ours;   /* which is provost-policyd */
};

struct doctor {
    struct tool *tool;
    struct findings *findings;
    const char *postfix_dir;  /* where main.cf is; NULL: Postfix's own */
    const char *fail2ban_dir; /* where jail.conf is */
    const char *fix;          /* "counters", or NULL */
    struct doctor_mail mail;
    bool wants_plugin; /* an smtpd.conf names it */
    bool has_store;    /* it answers, with a schema for us */
};

typedef void doctor_check(struct doctor *doctor);

/* doctor_host.c */
doctor_check doctor_secrets;
doctor_check doctor_daemons;
doctor_check doctor_plugin;
doctor_check doctor_library;
doctor_check doctor_fail2ban;

/* doctor_socket.c */
doctor_check doctor_sockets;

/* doctor_postfix.c */
doctor_check doctor_postfix;
doctor_check doctor_maps;

/* doctor_policy.c */
doctor_check doctor_policy;

/* doctor_store.c */
doctor_check doctor_store;
doctor_check doctor_grants;
doctor_check doctor_engines;
doctor_check doctor_cluster;
doctor_check doctor_clock;
doctor_check doctor_counters;

/* doctor_directory.c */
doctor_check doctor_directories;

/* Asks Postfix, once; what it does not tell stays NULL. */
void doctor_mail_ask(struct doctor *doctor);
void doctor_mail_clear(struct doctor_mail *mail);

/* A value of main.cf, or its default; owned. NULL: there is none. */
char *doctor_parameter(const struct doctor *doctor, const char *name);

/* The value that counts for one service of master.cf; owned, NULL as above. */
char *doctor_parameter_of(const struct doctor *doctor, const char *service,
                          const char *name);

/*
 * Calls see for each smtpd of master.cf; takes_auth tells whether people can
 * log in there.
 */
struct doctor_service;
typedef void doctor_see_smtpd(struct doctor *doctor,
                              const struct doctor_service *service,
                              bool takes_auth);
void doctor_each_smtpd(struct doctor *doctor, doctor_see_smtpd *see);

/* Reads a file; owned. NULL: it cannot be read, or is over a megabyte. */
char *doctor_read_file(const char *path);

/* How a socket was opened. */
struct doctor_opened {
    int number;          /* an errno; 0: somebody listens, and lets us in */
    bool tried;          /* false: it takes root to look with other eyes */
    struct errtext text; /* what is in the way */
};

/*
 * Connects as user (NULL: as we are) inside root (NULL: no jail), in a child.
 */
void doctor_open_socket(const char *root, const char *user, const char *path,
                        struct doctor_opened *opened_r);

/* What to do about it, or NULL. */
const char *doctor_socket_advice(const struct doctor_opened *opened);

/* The part of path behind the queue directory, or NULL if it lies elsewhere. */
const char *doctor_inside_queue(const struct doctor *doctor, const char *path);

#endif
