/*
 * store_list - mailboxes one after the other, and all about one of them
 *
 * A listing is read in pages along the primary key: its memory does not grow,
 * no transaction is held, and the visitor may ask the store itself. Times are
 * "2026-11-24T06:30:00Z". STATUS_TEMPFAIL is no answer, whatever was shown by
 * then.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_LIST_H
#define COMMON_STORE_LIST_H

#include "account.h"
#include "status.h"
#include "store.h"

#include <stdbool.h>
#include <stdint.h>

#define STORE_TIME_SIZE 24 /* "2026-11-24T06:30:00Z" and NUL */

/* Which mailboxes; what is NULL does not matter. */
struct store_mailbox_query {
    const char *domain; /* canonical */
    const char *template_name;
    const char *source; /* "local" or "ldap" */
};

/* One mailbox of a listing; borrowed; its aliases are not loaded. */
struct store_mailbox_row {
    const struct account *account;
    uint64_t used_bytes;
    uint64_t used_messages;
    const char *last_login; /* NULL: never */
};

struct store_mailbox_visitor {
    /* Returns false to end the list. row lives until it returns. */
    bool (*visit)(const struct store_mailbox_row *row, void *arg);
    void *arg;
};

/* Calls the visitor for each mailbox of query in address order. */
enum status store_mailbox_list(struct store *store,
                               const struct store_mailbox_query *query,
                               const struct store_mailbox_visitor *visitor,
                               int64_t deadline_ms,
                               struct errtext *err) MUST_CHECK;

/* How many mailboxes have a template; name "": none. Borrowed. */
struct store_template_visitor {
    void (*visit)(const char *name, uint64_t mailboxes, void *arg);
    void *arg;
};
enum status store_template_list(struct store *store,
                                const struct store_template_visitor *visitor,
                                int64_t deadline_ms,
                                struct errtext *err) MUST_CHECK;

/* What is stored about a mailbox beside its row. */
struct store_mailbox_facts {
    char created[STORE_TIME_SIZE];
    char modified[STORE_TIME_SIZE];
    uint64_t used_bytes;
    uint64_t used_messages;
    uint64_t app_passwords; /* that are valid now */
};

/* STATUS_OK; STATUS_NOT_FOUND: no such mailbox; STATUS_TEMPFAIL. */
enum status store_mailbox_facts(struct store *store, const char *address,
                                int64_t deadline_ms,
                                struct store_mailbox_facts *facts_r,
                                struct errtext *err) MUST_CHECK;

/* A row that belongs to a mailbox: an alias, or a last login. Borrowed. */
struct store_mailbox_part {
    const char *name;      /* the alias, or the service */
    const char *kind;      /* of the alias; NULL of a login */
    const char *at;        /* when it expires (NULL: never), or was */
    const char *client;    /* of the login */
    uint64_t app_password; /* of the login; 0: the main password */
};

struct store_part_visitor {
    void (*visit)(const struct store_mailbox_part *part, void *arg);
    void *arg;
};

/*
 * Shows a mailbox's own aliases, its address left out; aliases that are
 * nobody's own and lead to it among others; and its last logins.
 */
enum status store_mailbox_aliases(struct store *store, const char *address,
                                  const struct store_part_visitor *visitor,
                                  int64_t deadline_ms,
                                  struct errtext *err) MUST_CHECK;
enum status store_mailbox_leading(struct store *store, const char *address,
                                  const struct store_part_visitor *visitor,
                                  int64_t deadline_ms,
                                  struct errtext *err) MUST_CHECK;
enum status store_mailbox_logins(struct store *store, const char *address,
                                 const struct store_part_visitor *visitor,
                                 int64_t deadline_ms,
                                 struct errtext *err) MUST_CHECK;

#endif
