/*
 * doctor_words - reads the files of neighbours
 *
 * SASL configurations, master.cf as postconf prints it, restriction lists, and
 * values of a cluster's variables. Pure: texts in, findings out.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_DOCTOR_WORDS_H
#define TOOLS_DOCTOR_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Finds "key: value" in a SASL configuration, as libsasl2 reads it: keys in
 * any case, the first one counts. Owned; NULL: none, or no memory.
 */
char *doctor_sasl_value(const char *text, const char *key);

/*
 * Returns the number of the first line that makes libsasl2 refuse the whole
 * file (no colon, or no value), or 0.
 */
unsigned doctor_sasl_fault(const char *text);

/* True if list (words between blanks or commas) has word, in any case. */
bool doctor_has_word(const char *list, const char *word);

/*
 * Returns the first word of mech_list that no daemon of ours can check, in
 * word_r, or false.
 */
bool doctor_foreign_mechanism(const char *list, char *word_r, size_t size);

/* One line of master.cf, as "postconf -M" prints it. */
struct doctor_service {
    char name[128]; /* "submission/inet", as "postconf -P" has it */
    bool chrooted;
    char program[64]; /* "smtpd" */
};

/*
 * Reads a line; chroot_default tells what "-" means. Returns false if it is
 * none.
 */
bool doctor_service_read(const char *line, bool chroot_default,
                         struct doctor_service *service_r);

/*
 * Finds the value of "parameter", or of "service/type/parameter", in what
 * postconf prints; owned. NULL: it is not there, or no memory.
 */
char *doctor_postconf_value(const char *text, const char *name);

/* Where a restriction list asks a policy service. */
enum policy_place {
    POLICY_ABSENT,
    POLICY_WELL,  /* behind reject_unauth_destination, or relaying is closed */
    POLICY_EARLY, /* ahead of it: an "OK" would make an open relay */
    POLICY_LATE,  /* behind permit_sasl_authenticated: our people pass by */
    POLICY_DEAD   /* behind permit or reject: it is never asked */
};

/*
 * Looks at one restriction list; relay_closed tells whether another list, asked
 * before, has reject_unauth_destination; takes_auth, whether people log in.
 */
enum policy_place doctor_policy_place(const char *restrictions,
                                      bool relay_closed, bool takes_auth);

/*
 * Where the list's first policy service is: "unix:private/policy",
 * "inet:127.0.0.1:10031". Returns false if there is none.
 */
bool doctor_policy_endpoint(const char *restrictions, char *endpoint_r,
                            size_t size);

/* True if a restriction list ends relaying by itself. */
bool doctor_closes_relay(const char *restrictions);

/*
 * Judges a variable of a cluster's node. Returns NULL if it is as it should be
 * or not known, else what to do; *bad_r: it is an error, not a warning.
 */
const char *doctor_cluster_advice(const char *name, const char *value,
                                  bool *bad_r);

#endif
