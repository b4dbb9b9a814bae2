/* store_list - see store_list.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_list.h"

#include "store_private.h"

#include "address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_ROWS 500
#define ISO(column) "DATE_FORMAT(" column ", '%Y-%m-%dT%H:%i:%sZ')"

/* Columns behind those of the mailbox. */
enum {
    LIST_BYTES = sizeof(STORE_MAILBOX_TYPES) - 1,
    LIST_MESSAGES,
    LIST_LAST_LOGIN
};

#define LAST_LOGIN ISO("MAX(l.at)")
#define CREATED ISO("m.created")
#define MODIFIED ISO("m.modified")
#define EXPIRES ISO("expires")
#define AT ISO("at")
/* Of quota2 q, which may have no row, and where Dovecot counts below 0. */
#define USED                                                                   \
    "GREATEST(COALESCE(q.bytes, 0), 0), GREATEST(COALESCE(q.messages, 0), 0)"

static const struct store_sql list_sql = {
    STORE_SLOT_MAILBOX_LIST,
    "SELECT " STORE_MAILBOX_COLUMNS ", " USED ","
    " (SELECT " LAST_LOGIN " FROM last_login l WHERE l.address = m.address)"
    " FROM mailbox m LEFT JOIN quota2 q ON q.username = m.address"
    " WHERE m.address > ? AND (? IS NULL OR m.domain = ?)"
    " AND (? IS NULL OR m.template = ?) AND (? IS NULL OR m.source = ?)"
    " ORDER BY m.address LIMIT 500",
    STORE_MAILBOX_TYPES "nnt"};

static const struct store_sql template_sql = {
    STORE_SLOT_TEMPLATE_LIST,
    "SELECT COALESCE(template, ''), COUNT(*) FROM mailbox GROUP BY template"
    " ORDER BY template",
    "tn"};

static const struct store_sql facts_sql = {
    STORE_SLOT_MAILBOX_FACTS,
    "SELECT " CREATED ", " MODIFIED ", " USED ","
    " (SELECT COUNT(*) FROM app_password p WHERE p.address = m.address"
    " AND p.active = 1 AND (p.expires IS NULL OR p.expires > UTC_TIMESTAMP()))"
    " FROM mailbox m LEFT JOIN quota2 q ON q.username = m.address"
    " WHERE m.address = ?",
    "ttnnn"};

static const struct store_sql aliases_sql = {
    STORE_SLOT_MAILBOX_ALIASES,
    "SELECT address, kind, " EXPIRES ", '', 0 FROM alias"
    " WHERE owner = ? AND kind <> 'self' ORDER BY kind, address",
    "ttttn"};

/* No index has them: they are few, and asked for by people alone. */
static const struct store_sql leading_sql = {
    STORE_SLOT_MAILBOX_LEADING,
    "SELECT address, kind, " EXPIRES ", '', 0 FROM alias"
    " WHERE owner IS NULL AND FIND_IN_SET(?, targets) ORDER BY address",
    "ttttn"};

static const struct store_sql logins_sql = {
    STORE_SLOT_MAILBOX_LOGINS,
    "SELECT service, NULL, " AT ", client, COALESCE(app_password, 0)"
    " FROM last_login WHERE address = ? ORDER BY service",
    "ttttn"};

/* One page of mailboxes. */
struct page {
    const struct store_mailbox_query *query;
    const char *after;
    struct account accounts[PAGE_ROWS];
    struct store_mailbox_row rows[PAGE_ROWS];
    char last_logins[PAGE_ROWS][STORE_TIME_SIZE];
    size_t count;
};

static void clear_page(struct page *page)
{
    for (size_t i = 0; i < page->count; i++)
        account_clear(&page->accounts[i]);
    page->count = 0;
}

/* Takes a time, which may be NULL, into memory of the caller. */
static void copy_time(const char *from, char to[STORE_TIME_SIZE])
{
    (void)snprintf(to, STORE_TIME_SIZE, "%s", from != NULL ? from : "");
}

static enum status take_row(struct store_connection *db, struct page *page,
                            struct errtext *err)
{
    struct account *account = &page->accounts[page->count];
    struct store_mailbox_row *row = &page->rows[page->count];
    const char *last_login = store_column(db, &list_sql, LIST_LAST_LOGIN);
    enum status status = store_row_mailbox(db, &list_sql, 0, account, err);

    if (status != STATUS_OK)
        return status;
    copy_time(last_login, page->last_logins[page->count]);
    *row = (struct store_mailbox_row){
        .account = account,
        .used_bytes = store_column_number(db, &list_sql, LIST_BYTES),
        .used_messages = store_column_number(db, &list_sql, LIST_MESSAGES),
        .last_login =
            last_login != NULL ? page->last_logins[page->count] : NULL,
    };
    page->count++;
    return STATUS_OK;
}

static enum status run_page(struct store_connection *db, void *arg,
                            struct errtext *err)
{
    struct page *page = arg;
    const struct store_mailbox_query *query = page->query;
    struct store_param params[] = {
        store_text(page->after),          store_text(query->domain),
        store_text(query->domain),        store_text(query->template_name),
        store_text(query->template_name), store_text(query->source),
        store_text(query->source),
    };
    enum status status;

    clear_page(page);
    status =
        store_execute(db, &list_sql, params, ARRAY_SIZE(params), NULL, err);
    while (status == STATUS_OK && page->count < PAGE_ROWS) {
        status = store_fetch(db, &list_sql, err);
        if (status == STATUS_OK)
            status = take_row(db, page, err);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Shows a page; false when the visitor has seen enough. */
static bool show_page(const struct page *page,
                      const struct store_mailbox_visitor *visitor)
{
    for (size_t i = 0; i < page->count; i++) {
        if (!visitor->visit(&page->rows[i], visitor->arg))
            return false;
    }
    return true;
}

enum status store_mailbox_list(struct store *store,
                               const struct store_mailbox_query *query,
                               const struct store_mailbox_visitor *visitor,
                               int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work how = {
        .run = run_page, .reads_only = true, .sync = true};
    char after[ADDRESS_BYTES_MAX + 1] = "";
    struct page *page = calloc(1, sizeof(*page));
    enum status status;

    if (page == NULL)
        return status_no_memory(err);
    page->query = query;
    page->after = after;
    do {
        status = store_work(store, &how, page, deadline_ms, err);
        if (status != STATUS_OK || page->count == 0 ||
            !show_page(page, visitor))
            break;
        (void)snprintf(after, sizeof(after), "%s",
                       page->accounts[page->count - 1].address);
    } while (page->count == PAGE_ROWS);
    clear_page(page);
    free(page);
    return status;
}

/* A short list that is shown while it is read. */
struct showing {
    const struct store_sql *sql;
    const char *address; /* the parameter, NULL: none */
    const struct store_part_visitor *parts;
    const struct store_template_visitor *templates;
    bool begun; /* what was shown is not shown again by another try */
};

static void show_row(struct store_connection *db, const struct showing *showing)
{
    const struct store_sql *sql = showing->sql;

    if (showing->templates != NULL) {
        showing->templates->visit(store_column(db, sql, 0),
                                  store_column_number(db, sql, 1),
                                  showing->templates->arg);
    } else {
        struct store_mailbox_part part = {
            .name = store_column(db, sql, 0),
            .kind = store_column(db, sql, 1),
            .at = store_column(db, sql, 2),
            .client = store_column(db, sql, 3),
            .app_password = store_column_number(db, sql, 4),
        };

        showing->parts->visit(&part, showing->parts->arg);
    }
}

static enum status run_show(struct store_connection *db, void *arg,
                            struct errtext *err)
{
    struct showing *showing = arg;
    struct store_param params[] = {store_text(showing->address)};
    enum status status;

    if (showing->begun)
        return STATUS_INVALID;
    status = store_execute(db, showing->sql, params,
                           showing->address != NULL ? 1 : 0, NULL, err);
    while (status == STATUS_OK) {
        status = store_fetch(db, showing->sql, err);
        if (status != STATUS_OK)
            break;
        showing->begun = true;
        show_row(db, showing);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status show(struct store *store, struct showing *showing,
                        int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work how = {
        .run = run_show, .reads_only = true, .sync = true};
    enum status status = store_work(store, &how, showing, deadline_ms, err);

    return status == STATUS_OK ? status : STATUS_TEMPFAIL;
}

enum status store_template_list(struct store *store,
                                const struct store_template_visitor *visitor,
                                int64_t deadline_ms, struct errtext *err)
{
    struct showing showing = {.sql = &template_sql, .templates = visitor};

    return show(store, &showing, deadline_ms, err);
}

enum status store_mailbox_aliases(struct store *store, const char *address,
                                  const struct store_part_visitor *visitor,
                                  int64_t deadline_ms, struct errtext *err)
{
    struct showing showing = {
        .sql = &aliases_sql, .address = address, .parts = visitor};

    return show(store, &showing, deadline_ms, err);
}

enum status store_mailbox_leading(struct store *store, const char *address,
                                  const struct store_part_visitor *visitor,
                                  int64_t deadline_ms, struct errtext *err)
{
    struct showing showing = {
        .sql = &leading_sql, .address = address, .parts = visitor};

    return show(store, &showing, deadline_ms, err);
}

enum status store_mailbox_logins(struct store *store, const char *address,
                                 const struct store_part_visitor *visitor,
                                 int64_t deadline_ms, struct errtext *err)
{
    struct showing showing = {
        .sql = &logins_sql, .address = address, .parts = visitor};

    return show(store, &showing, deadline_ms, err);
}

struct find_facts {
    const char *address;
    struct store_mailbox_facts facts;
};

static enum status run_facts(struct store_connection *db, void *arg,
                             struct errtext *err)
{
    struct find_facts *find = arg;
    struct store_param params[] = {store_text(find->address)};
    enum status status = store_execute(db, &facts_sql, params, 1, NULL, err);

    if (status == STATUS_OK)
        status = store_fetch(db, &facts_sql, err);
    if (status == STATUS_NOT_FOUND)
        errtext_set(err, "%s is no mailbox", find->address);
    if (status != STATUS_OK)
        return status;
    copy_time(store_column(db, &facts_sql, 0), find->facts.created);
    copy_time(store_column(db, &facts_sql, 1), find->facts.modified);
    find->facts.used_bytes = store_column_number(db, &facts_sql, 2);
    find->facts.used_messages = store_column_number(db, &facts_sql, 3);
    find->facts.app_passwords = store_column_number(db, &facts_sql, 4);
    return STATUS_OK;
}

enum status store_mailbox_facts(struct store *store, const char *address,
                                int64_t deadline_ms,
                                struct store_mailbox_facts *facts_r,
                                struct errtext *err)
{
    static const struct store_work how = {
        .run = run_facts, .reads_only = true, .sync = true};
    struct find_facts find = {.address = address};
    enum status status = store_work(store, &how, &find, deadline_ms, err);

    if (status == STATUS_OK)
        *facts_r = find.facts;
    return status;
}
