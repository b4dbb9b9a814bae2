/*
 * directory - finds people in one LDAP directory and checks their passwords
 *
 * A struct directory is all hosts of one `directories` row: resolver memory,
 * host health with a circuit breaker, pooled connections for searches
 * (service identity) and others for binds of people. Thread-safe. Callers see
 * none of it. Every call ends by its deadline, also against a peer that
 * accepts and stays silent, in TLS too (facts/ldap.md B 4 to 8); the resolver
 * has no deadline of its own and runs in a thread of its own.
 *
 * Referrals are never followed. What the directory sends is not trusted:
 * values with NUL, over-long or not UTF-8 are refused. The only place, with
 * the other directory*.c, that knows libldap.
 *
 * With TLS the certificate has to name the host as it is configured. libldap
 * with GnuTLS looks for the machine's own name where that is "localhost".
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DIRECTORY_H
#define COMMON_DIRECTORY_H

#include "settings.h"
#include "status.h"
#include "strbuf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIRECTORY_VALUE_BYTES_MAX 4096 /* one value */
#define DIRECTORY_VALUES_MAX 5000      /* of one attribute */

/* Why the directory said no, where it says so (AD sub-codes, ppolicy). */
enum directory_reason {
    DIRECTORY_NO_REASON,
    DIRECTORY_BAD_PASSWORD, /* 49 without a sub-code, and 52e: the only one
                               that may be remembered as a refused pair */
    DIRECTORY_NO_SUCH_USER,
    DIRECTORY_PASSWORD_EXPIRED,
    DIRECTORY_MUST_CHANGE,
    DIRECTORY_ACCOUNT_EXPIRED,
    DIRECTORY_ACCOUNT_DISABLED,
    DIRECTORY_ACCOUNT_LOCKED,
    DIRECTORY_NOT_NOW, /* outside the hours of logon */
    DIRECTORY_NOT_FROM_HERE,
    DIRECTORY_SEVERAL_ENTRIES,
    DIRECTORY_OTHER_REFUSAL /* a definite no of another kind */
};

/* Returns a constant code for logs ("bad_password", "account_locked", ...). */
const char *directory_reason_name(enum directory_reason reason);

/* One person; starts as {0}; every string is owned. */
struct directory_entry {
    char *dn;
    char *id;                   /* text form of id_field; NULL: none */
    struct text_list usernames; /* username_field, as the directory has them */
    struct text_list values;    /* attribute_field, all of them */
    struct text_list aliases;   /* alias_field, prefixes still on */
    char *name;                 /* first name_field value; "" if none */
    char *quota;                /* first quota_field value; NULL: none */
    bool disabled;              /* disabled_filter matched */
};

/* Frees what entry holds and makes it {0} again. */
void directory_entry_clear(struct directory_entry *entry);

struct directory;

/*
 * Makes a handle and starts its threads; no server is contacted yet. set is
 * borrowed and must outlive the handle. The first call in a process sets
 * LDAPNOINIT in the environment (the host's ldap.conf is none of ours), so it
 * comes before the program starts threads.
 *
 * Returns STATUS_OK and an owned *dir_r; STATUS_INVALID for settings that
 * libldap refuses (a CA file that cannot be read) or that would bind
 * anonymously by mistake; STATUS_TEMPFAIL.
 */
enum status directory_open(const struct directory_settings *set,
                           struct directory **dir_r,
                           struct errtext *err) MUST_CHECK;

/* Waits for nobody: no call may be in flight. Frees *dir, sets it to NULL. */
void directory_close(struct directory **dir);

/*
 * Finds the one entry whose login_fields (or username_field) equal login,
 * inside `filter`, under any base DN. Its lists are whole, and with
 * group_method in_chain the groups among its values are all of them.
 * *remembered_r tells that the entry came from memory (entry_ttl). It may be
 * out of date (moved, renamed): when a bind as a remembered entry is refused,
 * the caller drops it (directory_forget), finds again, and binds once more if
 * the DN is another.
 *
 * Returns STATUS_OK and *entry_r; STATUS_NOT_FOUND: every base answered that
 * there is none; STATUS_DENIED: several match, the first two DNs in err;
 * STATUS_INVALID: the entry's values cannot be used (err names the attribute);
 * STATUS_TEMPFAIL: no complete answer by deadline_ms.
 */
enum status directory_find(struct directory *dir, const char *login,
                           int64_t deadline_ms, struct directory_entry *entry_r,
                           bool *remembered_r, struct errtext *err) MUST_CHECK;

/*
 * Appends to filter what directory_find searches for, as a person may read and
 * repeat it. Returns STATUS_OK, or STATUS_TEMPFAIL without memory.
 */
enum status directory_find_filter(const struct directory_settings *set,
                                  const char *login, struct strbuf *filter,
                                  struct errtext *err) MUST_CHECK;

/*
 * Checks a password by a simple bind as dn (never empty, neither the password:
 * both are refused here as STATUS_INVALID before any network use).
 *
 * Returns STATUS_OK, and in err what a password policy says of it ("" or how
 * long the password is good for); STATUS_DENIED and *reason_r for a definite
 * no, which "the password has to be changed first" is, too;
 * STATUS_TEMPFAIL for no answer (busy, unavailable, time-out, down).
 */
enum status directory_verify(struct directory *dir, const char *dn,
                             const char *password, int64_t deadline_ms,
                             enum directory_reason *reason_r,
                             struct errtext *err) MUST_CHECK;

/* Drops the remembered entry of login, or all for NULL; returns how many. */
size_t directory_forget(struct directory *dir, const char *login);

/* What a host looks like now, for the control socket and metrics. */
struct directory_host_state {
    const char *host;         /* borrowed from the settings */
    bool up;                  /* breaker closed */
    char error[ERRTEXT_SIZE]; /* last failure, "" if none */
    int64_t retry_in_ms;      /* 0: now */
};

struct directory_counts {
    uint64_t searches, binds, connects, failures;
    size_t entries_remembered;
};

/* Fills at most max states; returns how many hosts there are. */
size_t directory_hosts(struct directory *dir, struct directory_host_state *out,
                       size_t max);
void directory_counts(struct directory *dir, struct directory_counts *out);

#endif
