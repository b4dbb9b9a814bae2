/*
 * store_import - the tables of PostfixAdmin and mailcow, read
 *
 * Another program's database, opened as a store of its own whose schema is
 * never checked or written. Rows come in pages, so that neither memory nor a
 * time limit grows with their number. Everything is text as it stands there;
 * what it means is the caller's to judge, and not to trust.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_IMPORT_H
#define COMMON_STORE_IMPORT_H

#include "status.h"
#include "store.h"

#include <stdbool.h>
#include <stdint.h>

enum store_import_kind {
    STORE_IMPORT_POSTFIXADMIN,
    STORE_IMPORT_MAILCOW
};

enum store_import_list {
    STORE_IMPORT_DOMAINS,
    STORE_IMPORT_ALIAS_DOMAINS,
    STORE_IMPORT_MAILBOXES,
    STORE_IMPORT_ALIASES,
    STORE_IMPORT_SENDERS, /* mailcow's alone */
    STORE_IMPORT_LISTS
};

/* Columns of STORE_IMPORT_DOMAINS; sizes are MiB. */
enum {
    IMPORT_DOMAIN_NAME,
    IMPORT_DOMAIN_ACTIVE,
    IMPORT_DOMAIN_MAILBOXES, /* limits; the words differ, see import_rows.h */
    IMPORT_DOMAIN_ALIASES,
    IMPORT_DOMAIN_MAX_QUOTA,
    IMPORT_DOMAIN_QUOTA,
    IMPORT_DOMAIN_BACKUP,         /* "1": a backup MX */
    IMPORT_DOMAIN_MAILBOXES_USED, /* rows there */
    IMPORT_DOMAIN_ALIASES_USED,
    IMPORT_DOMAIN_ALIAS_OF, /* PostfixAdmin: an alias domain is a domain too */
    IMPORT_DOMAIN_COLUMNS
};

/* Of STORE_IMPORT_ALIAS_DOMAINS. */
enum {
    IMPORT_ALIAS_DOMAIN_NAME,
    IMPORT_ALIAS_DOMAIN_TARGET,
    IMPORT_ALIAS_DOMAIN_ACTIVE,
    IMPORT_ALIAS_DOMAIN_COLUMNS
};

/* Of STORE_IMPORT_MAILBOXES; PostfixAdmin has those to IMPORT_ACTIVE. */
enum {
    IMPORT_ADDRESS,
    IMPORT_PASSWORD, /* a secret */
    IMPORT_NAME,
    IMPORT_PATH,
    IMPORT_QUOTA, /* bytes */
    IMPORT_ACTIVE,
    IMPORT_KIND,
    IMPORT_AUTHSOURCE,
    IMPORT_SMTP,
    IMPORT_IMAP,
    IMPORT_POP3,
    IMPORT_SIEVE,
    IMPORT_TLS_IN,
    IMPORT_TLS_OUT,
    IMPORT_TAGS,
    IMPORT_APP_PASSWORDS, /* how many */
    IMPORT_MAILBOX_COLUMNS
};

/* Of STORE_IMPORT_ALIASES. */
enum {
    IMPORT_ALIAS_ADDRESS,
    IMPORT_ALIAS_TARGETS,
    IMPORT_ALIAS_ACTIVE,
    IMPORT_ALIAS_IS_MAILBOX, /* "1": a mailbox has this address */
    IMPORT_ALIAS_INTERNAL,   /* "1": for senders of the host alone */
    IMPORT_ALIAS_COLUMNS
};

/* Of STORE_IMPORT_SENDERS. */
enum {
    IMPORT_SENDER_ID,
    IMPORT_SENDER_LOGIN,
    IMPORT_SENDER_ADDRESS,
    IMPORT_SENDER_COLUMNS
};

#define STORE_IMPORT_COLUMNS_MAX IMPORT_MAILBOX_COLUMNS

/* Who wants to see rows; a value that is NULL there is NULL. */
struct store_import_visitor {
    /* columns live until it returns; not STATUS_OK ends the list. */
    enum status (*visit)(const char *const *columns, void *arg,
                         struct errtext *err);
    void *arg;
};

/*
 * Shows each row of a list in the order of its key, each once. Nothing is
 * waited for longer than source's timeout.
 *
 * Returns STATUS_OK; what visit returned; STATUS_INVALID when the database has
 * no such tables; STATUS_TEMPFAIL: no answer.
 */
enum status store_import_list(struct store *source, enum store_import_kind kind,
                              enum store_import_list list,
                              const struct store_import_visitor *visitor,
                              struct errtext *err) MUST_CHECK;

#endif
