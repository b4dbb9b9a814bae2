/*
 * store_mailbox - the rows of a mailbox, read and written inside a transaction
 *
 * For apply, which knows the order of things; here is the SQL alone. Every
 * function returns STATUS_TEMPFAIL for no answer; the others are named.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_MAILBOX_H
#define COMMON_STORE_MAILBOX_H

#include "account.h"
#include "status.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_connection;

/* What a change costs one domain; differences may be negative. */
struct store_charge {
    const char *domain; /* canonical, borrowed */
    int64_t mailboxes;
    int64_t quota_bytes;
    int64_t aliases;
    bool needs_active;     /* a mailbox comes into it */
    bool quota_grows;      /* else quota_bytes is taken without a question */
    uint64_t wanted_bytes; /* quota_grows: of the one mailbox */
    bool unlimited;        /* the mailbox becomes, or comes as, unlimited */
};

/*
 * Takes the charge from the domain's counters if its limits allow all of it:
 * one conditional UPDATE, exact on any number of nodes.
 * STATUS_DENIED: they do not, or there is no such domain; nothing changed.
 */
enum status store_charge(struct store_connection *db,
                         const struct store_charge *charge,
                         struct errtext *err) MUST_CHECK;

/* Reads a domain. STATUS_NOT_FOUND: there is none. */
enum status store_read_domain(struct store_connection *db, const char *name,
                              struct store_domain *domain_r,
                              struct errtext *err) MUST_CHECK;

/* Reads a mailbox, and locks its row if asked. STATUS_NOT_FOUND. */
enum status store_read_mailbox(struct store_connection *db, const char *address,
                               bool lock, struct account *account_r,
                               struct errtext *err) MUST_CHECK;

/*
 * Reads and locks the mailbox that somebody named, whatever an earlier try has
 * read into *account. STATUS_NOT_FOUND: err says that it is none.
 */
enum status store_take_mailbox(struct store_connection *db, const char *address,
                               struct account *account,
                               struct errtext *err) MUST_CHECK;

enum status store_read_mailbox_id(struct store_connection *db,
                                  const char *directory, const char *id,
                                  struct account *account_r,
                                  struct errtext *err) MUST_CHECK;

/* Writes a new row. STATUS_DENIED: address or id is there already. */
enum status store_insert_mailbox(struct store_connection *db,
                                 const struct account *account,
                                 struct errtext *err) MUST_CHECK;

/* Writes count new rows at once; the same answers for all of them. */
enum status store_insert_mailboxes(struct store_connection *db,
                                   const struct account *const *accounts,
                                   size_t count,
                                   struct errtext *err) MUST_CHECK;

/*
 * Writes all but password, the administrator's block and mail_path into the
 * row at address, which account may move to another address. The caller holds
 * the row's lock since it read the pins.
 * STATUS_DENIED: address or id is there already.
 */
enum status store_update_mailbox(struct store_connection *db,
                                 const char *address,
                                 const struct account *account,
                                 struct errtext *err) MUST_CHECK;

/* An alias row, as far as apply asks; starts as {0}. */
struct store_alias {
    char *owner;   /* NULL: no mailbox's; owned */
    char *targets; /* owned */
    bool is_self;
    bool is_directory;
};
void store_alias_clear(struct store_alias *alias);

/* STATUS_NOT_FOUND: the address is free. */
enum status store_read_alias(struct store_connection *db, const char *address,
                             struct store_alias *alias_r,
                             struct errtext *err) MUST_CHECK;

/* kind: "self", "directory", "rename". STATUS_DENIED: it is taken. */
enum status store_insert_alias(struct store_connection *db, const char *address,
                               const char *kind, const char *owner,
                               struct errtext *err) MUST_CHECK;

/* Many at once; the same answers for all of them. */
struct store_new_alias {
    const char *address;
    const char *kind;
    const char *owner;
};
enum status store_insert_aliases(struct store_connection *db,
                                 const struct store_new_alias *aliases,
                                 size_t count, struct errtext *err) MUST_CHECK;

/* Removes an alias of owner, of whatever kind. */
enum status store_drop_alias(struct store_connection *db, const char *address,
                             const char *owner, struct errtext *err) MUST_CHECK;

/* Lets an alias end so many seconds from now. */
enum status store_expire_alias(struct store_connection *db, const char *address,
                               uint64_t seconds,
                               struct errtext *err) MUST_CHECK;

/* Removes an alias that the directory made for owner. */
enum status store_delete_alias(struct store_connection *db, const char *address,
                               const char *owner,
                               struct errtext *err) MUST_CHECK;

/* Makes an alias of that owner another kind; true: it was there. */
enum status store_turn_alias(struct store_connection *db, const char *address,
                             const char *kind, const char *owner,
                             struct errtext *err) MUST_CHECK;

/* Reads the directory-made aliases of owner, sorted, owned. */
enum status store_read_aliases(struct store_connection *db, const char *owner,
                               char ***list_r, size_t *count_r,
                               struct errtext *err) MUST_CHECK;
void store_aliases_free(char ***list, size_t count);

/*
 * Moves what hangs on a mailbox from its old name to its new one: aliases and
 * their targets, quota, app passwords, sender rights, last logins.
 */
enum status store_move_rows(struct store_connection *db, const char *old_name,
                            const char *new_name,
                            struct errtext *err) MUST_CHECK;

#endif
