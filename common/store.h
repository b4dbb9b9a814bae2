/*
 * store - domains, mailboxes and their history in MariaDB
 *
 * Prepared statements only; a pool of at most max_connections; every
 * transaction runs whole again after a deadlock, a lost connection or a
 * cluster's refusal (design section 5), inside its deadline. A commit whose
 * answer was lost is looked up before anything is decided. Thread-safe. The
 * only place, with the other store*.c, that knows SQL.
 *
 * NOT_FOUND is an answer of the store; no answer is TEMPFAIL.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_H
#define COMMON_STORE_H

#include "account.h"
#include "settings.h"
#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/*
 * Makes a store; no connection is opened yet. set is borrowed.
 * Returns STATUS_OK and an owned *store_r; STATUS_TEMPFAIL without memory.
 */
enum status store_open(const struct store_settings *set, struct store **store_r,
                       struct errtext *err) MUST_CHECK;

/* Closes all connections, frees *store and sets it to NULL. */
void store_close(struct store **store);

#define STORE_AWAY_BYTES 256

/*
 * Writes which hosts before the one in use did not answer the last time they
 * were asked, "db1, db2", cut to the size; "": there is none.
 */
void store_hosts_away(struct store *store, char text_r[STORE_AWAY_BYTES]);

/*
 * Compares the schema with this program: STATUS_OK; STATUS_INVALID when the
 * schema is missing, too old for us, or says that we are too old for it (err
 * tells which and the command that helps); STATUS_TEMPFAIL: no answer.
 */
enum status store_check_schema(struct store *store, int64_t deadline_ms,
                               struct errtext *err) MUST_CHECK;

/* A domain row; starts as {0}; limits of 0: none. */
struct store_domain {
    char *name; /* canonical; NULL: there is no such domain */
    char *name_unicode;
    bool active;
    uint64_t max_mailboxes, mailboxes_used;
    uint64_t quota_bytes, quota_allotted; /* sum of mailbox quotas */
    uint64_t max_quota_bytes;             /* of one mailbox */
    uint64_t max_usage_bytes;             /* 0: as quota_bytes */
    uint64_t max_aliases, aliases_used;
    struct rate rate_messages;   /* of all mailboxes together */
    struct rate rate_recipients; /* likewise */
};
void store_domain_clear(struct store_domain *domain);

/* What there is about one address; starts as {0}. */
struct store_found {
    struct store_domain domain; /* name NULL: not a domain of ours */
    struct account account;     /* address NULL: no mailbox */
};
void store_found_clear(struct store_found *found);

/*
 * Reads the mailbox at a canonical address with its domain, alias domains
 * resolved first (found->domain.name and account.address are the targets);
 * aliases are not loaded. Callers that ask at the same time may share a query,
 * which begins after each of them has called. A mailbox costs one query, what
 * is none or has an alias domain a second one.
 *
 * Returns STATUS_OK also when there is neither; STATUS_TEMPFAIL: no answer.
 */
enum status store_find(struct store *store, const char *address,
                       int64_t deadline_ms, struct store_found *found_r,
                       struct errtext *err) MUST_CHECK;

/*
 * Reads the mailbox of a directory's immutable id.
 * Returns STATUS_OK, STATUS_NOT_FOUND or STATUS_TEMPFAIL.
 */
enum status store_find_id(struct store *store, const char *directory,
                          const char *id, int64_t deadline_ms,
                          struct account *account_r,
                          struct errtext *err) MUST_CHECK;

/* Loads the directory-made aliases of account into it (aliases_known). */
enum status store_load_aliases(struct store *store, struct account *account,
                               int64_t deadline_ms,
                               struct errtext *err) MUST_CHECK;

/* One app password that is valid now. */
struct store_app_password {
    uint64_t id;
    char *hash; /* a secret */
    unsigned services;
};
void store_app_passwords_free(struct store_app_password **list, size_t count);

/* Reads the app passwords of a mailbox that are active and not expired. */
enum status store_app_passwords(struct store *store, const char *address,
                                int64_t deadline_ms,
                                struct store_app_password **list_r,
                                size_t *count_r,
                                struct errtext *err) MUST_CHECK;

/* One last login; strings borrowed. */
struct store_login {
    const char *address;
    unsigned service;
    const char *client;    /* "" unknown */
    int64_t at;            /* seconds UTC */
    uint64_t app_password; /* 0: main password */
};

/* Writes a batch of last logins in one transaction (called behind). */
enum status store_logins_write(struct store *store,
                               const struct store_login *logins, size_t count,
                               int64_t deadline_ms,
                               struct errtext *err) MUST_CHECK;

/* One line of history; strings borrowed, NULL: none. */
struct store_event {
    const char *kind;    /* "create", "update", "refused", ... */
    const char *who;     /* "authd", "admin:root", "sync" */
    const char *address; /* mailbox */
    const char *domain;
    const char *directory;
    const char *reason; /* code and sentence */
    uint64_t run;       /* of sync; 0: none */
    const char *before; /* JSON object of what changed */
    const char *after;
};

/*
 * Writes an event by itself. once_in_seconds > 0: not if the same (kind,
 * address, reason) was written in that time.
 */
enum status store_event_write(struct store *store,
                              const struct store_event *event,
                              unsigned once_in_seconds, int64_t deadline_ms,
                              struct errtext *err) MUST_CHECK;

#endif
