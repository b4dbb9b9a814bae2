/* store_alias_domain - other names of domains; see store_domain.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_domain.h"

#include "store_event.h"
#include "store_private.h"

#include "address.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_ROWS 100

/* Locks the target, so that it is not removed meanwhile. */
static const struct store_sql lock_sql = {
    STORE_SLOT_DOMAIN_LOCK,
    "SELECT name FROM domain WHERE name = ? LOCK IN SHARE MODE", "t"};

static const struct store_sql name_taken_sql = {
    STORE_SLOT_DOMAIN_NAME_TAKEN,
    "SELECT name FROM alias_domain WHERE name = ?"
    " UNION ALL SELECT name FROM domain WHERE name = ?",
    "t"};

static const struct store_sql add_sql = {
    STORE_SLOT_ALIAS_DOMAIN_ADD,
    "INSERT INTO alias_domain (name, name_unicode, target) VALUES (?, ?, ?)",
    NULL};

static const struct store_sql remove_sql = {
    STORE_SLOT_ALIAS_DOMAIN_REMOVE, "DELETE FROM alias_domain WHERE name = ?",
    NULL};

static const struct store_sql list_sql = {
    STORE_SLOT_ALIAS_DOMAIN_LIST,
    "SELECT name, name_unicode, target, active FROM alias_domain"
    " WHERE name > ? AND (? IS NULL OR target = ?) ORDER BY name LIMIT 100",
    "tttn"};

/* The arguments of one change. */
struct alias_work {
    const char *name;
    const char *name_unicode;
    const char *target;
    const char *who;
};

static enum status tell(struct store_connection *db, const char *kind,
                        const struct alias_work *work, struct errtext *err)
{
    struct store_event event = {
        .kind = kind,
        .who = work->who,
        .domain = work->name,
        .reason = work->target,
    };

    return store_event_insert(db, &event, err);
}

/* Whether there is such a name: STATUS_OK or STATUS_NOT_FOUND. */
static enum status look_for(struct store_connection *db,
                            const struct store_sql *sql, const char *name,
                            struct errtext *err)
{
    struct store_param params[] = {store_text(name), store_text(name)};
    enum status status = store_execute(
        db, sql, params, sql == &name_taken_sql ? 2 : 1, NULL, err);

    return status == STATUS_OK ? store_fetch(db, sql, err) : status;
}

/* Holds the target until the end of the transaction. */
static enum status lock_target(struct store_connection *db, const char *target,
                               struct errtext *err)
{
    enum status status = look_for(db, &lock_sql, target, err);

    if (status != STATUS_NOT_FOUND)
        return status;
    status = look_for(db, &name_taken_sql, target, err);
    if (status == STATUS_TEMPFAIL)
        return status;
    errtext_set(err,
                status == STATUS_OK
                    ? "%s is an alias domain itself; name its domain"
                    : "%s is no domain",
                target);
    return STATUS_NOT_FOUND;
}

/* Says that a name is used; what is free is STATUS_OK. */
static enum status check_free(struct store_connection *db, const char *name,
                              struct errtext *err)
{
    enum status status = look_for(db, &name_taken_sql, name, err);

    if (status == STATUS_OK) {
        errtext_set(err, "%s is a domain or an alias domain already", name);
        return STATUS_DENIED;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status run_add(struct store_connection *db, void *arg,
                           struct errtext *err)
{
    const struct alias_work *work = arg;
    struct store_param params[] = {
        store_text(work->name),
        store_text(work->name_unicode),
        store_text(work->target),
    };
    enum status status = lock_target(db, work->target, err);

    if (status == STATUS_OK)
        status = check_free(db, work->name, err);
    if (status == STATUS_OK)
        status =
            store_execute(db, &add_sql, params, ARRAY_SIZE(params), NULL, err);
    if (status == STATUS_OK)
        status = tell(db, "alias_domain_add", work, err);
    return status;
}

enum status store_alias_domain_add(struct store *store, const char *name,
                                   const char *name_unicode, const char *target,
                                   const char *who, int64_t deadline_ms,
                                   struct errtext *err)
{
    static const struct store_work how = {
        .run = run_add, .sync = true, .token = true};
    struct alias_work work = {name, name_unicode, target, who};

    return store_work(store, &how, &work, deadline_ms, err);
}

static enum status run_remove(struct store_connection *db, void *arg,
                              struct errtext *err)
{
    const struct alias_work *work = arg;
    struct store_param params[] = {store_text(work->name)};
    uint64_t rows = 0;
    enum status status = store_execute(db, &remove_sql, params, 1, &rows, err);

    if (status == STATUS_OK && rows == 0) {
        errtext_set(err, "%s is no alias domain", work->name);
        return STATUS_NOT_FOUND;
    }
    if (status == STATUS_OK)
        status = tell(db, "alias_domain_remove", work, err);
    return status;
}

enum status store_alias_domain_remove(struct store *store, const char *name,
                                      const char *who, int64_t deadline_ms,
                                      struct errtext *err)
{
    static const struct store_work how = {.run = run_remove, .token = true};
    struct alias_work work = {.name = name, .who = who};

    return store_work(store, &how, &work, deadline_ms, err);
}

/* One row of the list, with what it owns. */
struct kept {
    char *texts[3]; /* name, name_unicode, target */
    bool active;
};

struct page {
    const char *target; /* NULL: all */
    const char *after;
    struct kept rows[PAGE_ROWS];
    size_t count;
};

static void clear_page(struct page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        for (size_t j = 0; j < ARRAY_SIZE(page->rows[i].texts); j++)
            free(page->rows[i].texts[j]);
    }
    memset(page->rows, 0, sizeof(page->rows));
    page->count = 0;
}

static enum status run_page(struct store_connection *db, void *arg,
                            struct errtext *err)
{
    struct page *page = arg;
    struct store_param params[] = {store_text(page->after),
                                   store_text(page->target),
                                   store_text(page->target)};
    enum status status;

    clear_page(page);
    status =
        store_execute(db, &list_sql, params, ARRAY_SIZE(params), NULL, err);
    while (status == STATUS_OK && page->count < PAGE_ROWS) {
        struct kept *row = &page->rows[page->count];

        status = store_fetch(db, &list_sql, err);
        if (status != STATUS_OK)
            break;
        page->count++;
        row->active = store_column_number(db, &list_sql, 3) != 0;
        for (size_t i = 0; status == STATUS_OK && i < 3; i++)
            status = store_column_copy(db, &list_sql, i, &row->texts[i], err);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Shows a page; false when the visitor has seen enough. */
static bool show_page(const struct page *page,
                      const struct store_alias_domain_visitor *visitor)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct kept *row = &page->rows[i];
        struct store_alias_domain alias = {row->texts[0], row->texts[1],
                                           row->texts[2], row->active};

        if (!visitor->visit(&alias, visitor->arg))
            return false;
    }
    return true;
}

enum status
store_alias_domain_list(struct store *store, const char *target,
                        const struct store_alias_domain_visitor *visitor,
                        int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work how = {
        .run = run_page, .reads_only = true, .sync = true};
    char last[ADDRESS_DOMAIN_BYTES_MAX + 1] = "";
    struct page page = {.target = target, .after = last};
    enum status status;

    do {
        size_t len;

        status = store_work(store, &how, &page, deadline_ms, err);
        if (status != STATUS_OK || page.count == 0 ||
            !show_page(&page, visitor))
            break;
        len = strlen(page.rows[page.count - 1].texts[0]);
        if (len >= sizeof(last))
            break;
        memcpy(last, page.rows[page.count - 1].texts[0], len + 1);
    } while (page.count == PAGE_ROWS);
    clear_page(&page);
    return status;
}
