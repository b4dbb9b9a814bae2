/* store_import - see store_import.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_import.h"

#include "store_private.h"

#include "clock.h"
#include "secret.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_ROWS 500
#define PAGE "500"
#define TEXTS "tttttttttttttttttttt"
#define NO_SUCH_TABLE 1146
#define NO_SUCH_COLUMN 1054

/* One list of one program: its text, and how many columns it has. */
struct list {
    const char *text;
    const char *newer; /* for a schema that has `column` of `table`, or NULL */
    const char *table;
    const char *column;
    size_t columns;
};

static const struct store_sql probe_sql = {
    STORE_SLOT_IMPORT_PROBE,
    "SELECT COUNT(*) FROM information_schema.columns"
    " WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ?",
    "n"};

#define DOMAIN_USE                                                             \
    " (SELECT COUNT(*) FROM mailbox m WHERE m.domain = d.domain),"             \
    " (SELECT COUNT(*) FROM alias a WHERE a.domain = d.domain"                 \
    " AND NOT EXISTS (SELECT 1 FROM mailbox m WHERE m.username = a.address))"

#define MAILCOW_MAILBOX(authsource)                                            \
    "SELECT m.username, m.password, m.name,"                                   \
    " CONCAT(COALESCE(m.mailbox_path_prefix, '/var/vmail/'), m.domain, '/',"   \
    " m.local_part, '/'), m.quota, m.active, m.kind, " authsource              \
    ", JSON_VALUE(m.attributes, '$.smtp_access'),"                             \
    " JSON_VALUE(m.attributes, '$.imap_access'),"                              \
    " JSON_VALUE(m.attributes, '$.pop3_access'),"                              \
    " JSON_VALUE(m.attributes, '$.sieve_access'),"                             \
    " JSON_VALUE(m.attributes, '$.tls_enforce_in'),"                           \
    " JSON_VALUE(m.attributes, '$.tls_enforce_out'),"                          \
    " (SELECT GROUP_CONCAT(t.tag_name ORDER BY t.tag_name) FROM tags_mailbox"  \
    " t WHERE t.username = m.username),"                                       \
    " (SELECT COUNT(*) FROM app_passwd p WHERE p.mailbox = m.username)"        \
    " FROM mailbox m WHERE m.username > ? ORDER BY m.username LIMIT " PAGE

#define MAILCOW_ALIAS(internal)                                                \
    "SELECT a.address, a.goto, a.active, m.username IS NOT NULL, " internal    \
    " FROM alias a LEFT JOIN mailbox m ON m.username = a.address"              \
    " WHERE a.address > ? ORDER BY a.address LIMIT " PAGE

static const struct list lists[][STORE_IMPORT_LISTS] = {
    [STORE_IMPORT_POSTFIXADMIN] =
        {
            [STORE_IMPORT_DOMAINS] =
                {"SELECT d.domain, d.active, d.mailboxes, d.aliases,"
                 " d.maxquota, d.quota, d.backupmx," DOMAIN_USE
                 ", (SELECT MAX(x.target_domain) FROM alias_domain x"
                 " WHERE x.alias_domain = d.domain AND x.active = 1)"
                 " FROM domain d WHERE d.domain > ? AND d.domain <> 'ALL'"
                 " ORDER BY d.domain LIMIT " PAGE,
                 NULL, NULL, NULL, IMPORT_DOMAIN_COLUMNS},
            [STORE_IMPORT_ALIAS_DOMAINS] =
                {"SELECT alias_domain, target_domain, active FROM alias_domain"
                 " WHERE alias_domain > ? ORDER BY alias_domain LIMIT " PAGE,
                 NULL, NULL, NULL, IMPORT_ALIAS_DOMAIN_COLUMNS},
            [STORE_IMPORT_MAILBOXES] =
                {"SELECT username, password, name, maildir, quota, active"
                 " FROM mailbox WHERE username > ? ORDER BY username"
                 " LIMIT " PAGE,
                 NULL, NULL, NULL, IMPORT_ACTIVE + 1},
            [STORE_IMPORT_ALIASES] = {MAILCOW_ALIAS("0"), NULL, NULL, NULL,
                                      IMPORT_ALIAS_COLUMNS},
        },
    [STORE_IMPORT_MAILCOW] =
        {
            [STORE_IMPORT_DOMAINS] =
                {"SELECT d.domain, d.active, d.mailboxes, d.aliases,"
                 " d.maxquota, d.quota, d.backupmx," DOMAIN_USE
                 ", NULL FROM domain d WHERE d.domain > ? ORDER BY d.domain"
                 " LIMIT " PAGE,
                 NULL, NULL, NULL, IMPORT_DOMAIN_COLUMNS},
            [STORE_IMPORT_ALIAS_DOMAINS] =
                {"SELECT alias_domain, target_domain, active FROM alias_domain"
                 " WHERE alias_domain > ? ORDER BY alias_domain LIMIT " PAGE,
                 NULL, NULL, NULL, IMPORT_ALIAS_DOMAIN_COLUMNS},
            [STORE_IMPORT_MAILBOXES] = {MAILCOW_MAILBOX("'mailcow'"),
                                        MAILCOW_MAILBOX("m.authsource"),
                                        "mailbox", "authsource",
                                        IMPORT_MAILBOX_COLUMNS},
            [STORE_IMPORT_ALIASES] = {MAILCOW_ALIAS("0"),
                                      MAILCOW_ALIAS("a.internal"), "alias",
                                      "internal", IMPORT_ALIAS_COLUMNS},
            [STORE_IMPORT_SENDERS] =
                {"SELECT CAST(id AS CHAR), logged_in_as, send_as"
                 " FROM sender_acl WHERE id > CAST(? AS UNSIGNED)"
                 " ORDER BY id LIMIT " PAGE,
                 NULL, NULL, NULL, IMPORT_SENDER_COLUMNS},
        },
};

/* Rows of one page; the texts are owned. */
struct page {
    const struct list *list;
    struct store_sql sql;
    const char *after;
    char *texts[PAGE_ROWS][STORE_IMPORT_COLUMNS_MAX];
    size_t rows;
};

static void clear_page(struct page *page)
{
    for (size_t row = 0; row < page->rows; row++) {
        for (size_t i = 0; i < page->list->columns; i++)
            secret_free(&page->texts[row][i]);
    }
    page->rows = 0;
}

/* Chooses the text that this schema has the columns for. */
static enum status choose(struct store_connection *db, struct page *page,
                          struct errtext *err)
{
    const struct list *list = page->list;
    struct store_param params[] = {store_text(list->table),
                                   store_text(list->column)};
    enum status status = STATUS_OK;

    if (page->sql.text != NULL)
        return STATUS_OK;
    page->sql.text = list->text;
    if (list->newer == NULL)
        return STATUS_OK;
    status = store_execute(db, &probe_sql, params, 2, NULL, err);
    if (status == STATUS_OK)
        status = store_fetch(db, &probe_sql, err);
    if (status == STATUS_OK && store_column_number(db, &probe_sql, 0) > 0)
        page->sql.text = list->newer;
    if (status != STATUS_OK)
        page->sql.text = NULL;
    return status;
}

static enum status take_row(struct store_connection *db, struct page *page,
                            struct errtext *err)
{
    char **row = page->texts[page->rows++];
    enum status status = STATUS_OK;

    for (size_t i = 0; i < page->list->columns; i++)
        row[i] = NULL;
    for (size_t i = 0; status == STATUS_OK && i < page->list->columns; i++)
        status = store_column_copy(db, &page->sql, i, &row[i], err);
    if (status == STATUS_OK && row[0] == NULL) {
        errtext_set(err, "store: a row without its key");
        status = STATUS_TEMPFAIL;
    }
    return status;
}

static enum status run_page(struct store_connection *db, void *arg,
                            struct errtext *err)
{
    struct page *page = arg;
    struct store_param params[] = {store_text(page->after)};
    enum status status;

    clear_page(page);
    status = choose(db, page, err);
    if (status == STATUS_OK)
        status = store_execute(db, &page->sql, params, 1, NULL, err);
    if (status != STATUS_OK &&
        (db->error == NO_SUCH_TABLE || db->error == NO_SUCH_COLUMN))
        return STATUS_INVALID;
    while (status == STATUS_OK) {
        status = store_fetch(db, &page->sql, err);
        if (status == STATUS_OK && page->rows == PAGE_ROWS) {
            errtext_set(err, "store: a page has too many rows");
            status = STATUS_TEMPFAIL;
        }
        if (status == STATUS_OK)
            status = take_row(db, page, err);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Reads the next page; *last_r owns the key it ended with. */
static enum status read_page(struct store *source, struct page *page,
                             char **last, struct errtext *err)
{
    static const struct store_work work = {.run = run_page, .reads_only = true};
    char *key = NULL;
    enum status status;

    page->after = *last;
    status = store_work(source, &work, page,
                        clock_ms() + source->set->timeout_ms, err);
    if (status != STATUS_OK || page->rows == 0)
        return status;
    key = strdup(page->texts[page->rows - 1][0]);
    if (key == NULL)
        return status_no_memory(err);
    free(*last);
    *last = key;
    return STATUS_OK;
}

static enum status show_page(const struct page *page,
                             const struct store_import_visitor *visitor,
                             struct errtext *err)
{
    enum status status = STATUS_OK;

    for (size_t row = 0; status == STATUS_OK && row < page->rows; row++)
        status = visitor->visit((const char *const *)page->texts[row],
                                visitor->arg, err);
    return status;
}

enum status store_import_list(struct store *source, enum store_import_kind kind,
                              enum store_import_list list,
                              const struct store_import_visitor *visitor,
                              struct errtext *err)
{
    struct page *page = calloc(1, sizeof(*page));
    char *last = strdup("");
    enum status status = STATUS_OK;
    bool more = true;

    if (page == NULL || last == NULL) {
        status = status_no_memory(err);
        goto out;
    }
    page->list = &lists[kind][list];
    page->sql = (struct store_sql){
        (enum store_slot)(STORE_SLOT_IMPORT_FIRST + (int)list), NULL,
        &TEXTS[sizeof(TEXTS) - 1 - page->list->columns]};
    while (status == STATUS_OK && more && page->list->text != NULL) {
        status = read_page(source, page, &last, err);
        if (status == STATUS_OK)
            status = show_page(page, visitor, err);
        more = page->rows == PAGE_ROWS;
    }
    clear_page(page);
out:
    free(last);
    free(page);
    return status;
}
