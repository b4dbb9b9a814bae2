/*
 * store_admin - what an administrator does to one mailbox
 *
 * What changes settings or counts goes by a plan through apply; here is the
 * rest: blocks, pins, passwords, app passwords, removal. Each change and its
 * event are one transaction; who is as in store_event. Addresses are
 * canonical.
 *
 * Every function returns STATUS_OK, also when it was so already;
 * STATUS_NOT_FOUND with a sentence; STATUS_TEMPFAIL: nothing was written, or
 * the answer was lost (a second try finds it). Others are named.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_ADMIN_H
#define COMMON_STORE_ADMIN_H

#include "account.h"
#include "status.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sets what the administrator says; the directory's word stays as it is. */
enum status store_mailbox_block(struct store *store, const char *address,
                                enum account_admin_state state, const char *who,
                                int64_t deadline_ms,
                                struct errtext *err) MUST_CHECK;

/*
 * Pins some settings as they are (ACCOUNT_SET_BIT()s) and frees others. What
 * is freed is decided anew by the next login or sync: the fingerprint goes.
 */
enum status store_mailbox_pin(struct store *store, const char *address,
                              unsigned pin, unsigned unpin, const char *who,
                              int64_t deadline_ms,
                              struct errtext *err) MUST_CHECK;

/*
 * Sets the local hash of a mailbox of source local. The event holds no hash.
 * STATUS_DENIED: a directory checks the password of this mailbox.
 */
enum status store_mailbox_password(struct store *store, const char *address,
                                   const char *hash, const char *who,
                                   int64_t deadline_ms,
                                   struct errtext *err) MUST_CHECK;

/*
 * Removes the rows of a mailbox: itself, its aliases of every kind, app
 * passwords, quota, sender rights, last logins; and takes them off the
 * domains' counters. Never the mail: *mail_path_r (owned) is where it lies.
 */
enum status store_mailbox_remove(struct store *store, const char *address,
                                 const char *who, int64_t deadline_ms,
                                 char **mail_path_r,
                                 struct errtext *err) MUST_CHECK;

/* An app password to be made; everything borrowed. */
struct store_app_password_new {
    const char *address;
    const char *name;       /* "" allowed */
    const char *hash;       /* of password_app_hash */
    unsigned services;      /* enum account_service bits, not 0 */
    int64_t expire_seconds; /* from now; 0: never */
};

/* A mailbox has at most so many: a login may have to try them all. */
#define STORE_APP_PASSWORDS_MAX 100

/*
 * Adds one and gives its number. STATUS_DENIED: the mailbox has
 * STORE_APP_PASSWORDS_MAX that are not revoked.
 */
enum status store_app_password_add(struct store *store,
                                   const struct store_app_password_new *wanted,
                                   const char *who, int64_t deadline_ms,
                                   uint64_t *id_r,
                                   struct errtext *err) MUST_CHECK;

/* Ends one for good; STATUS_NOT_FOUND: the mailbox has none of that number. */
enum status store_app_password_revoke(struct store *store, const char *address,
                                      uint64_t id, const char *who,
                                      int64_t deadline_ms,
                                      struct errtext *err) MUST_CHECK;

/* One app password as it is listed; times "2026-11-24T06:30:00Z". */
struct store_app_password_row {
    uint64_t id;
    const char *name;
    unsigned services;
    bool active;  /* not revoked */
    bool expired; /* by the store's clock */
    const char *created;
    const char *expires;   /* NULL: never */
    const char *last_used; /* NULL: never */
    const char *last_service;
    const char *last_client;
};

/* Who wants to see them; row lives until visit returns. */
struct store_app_password_visitor {
    void (*visit)(const struct store_app_password_row *row, void *arg);
    void *arg;
};

/* Shows the app passwords of a mailbox, revoked ones too, oldest first. */
enum status
store_app_password_list(struct store *store, const char *address,
                        const struct store_app_password_visitor *visitor,
                        int64_t deadline_ms, struct errtext *err) MUST_CHECK;

#endif
