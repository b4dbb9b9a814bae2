/* store_domain - see store_domain.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_domain.h"

#include "store_event.h"
#include "store_mailbox.h"
#include "store_private.h"

#include "address.h"
#include "quantity.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_ROWS 100
#define EVENT_BYTES_MAX 4096

static const struct store_sql list_sql = {
    STORE_SLOT_DOMAIN_LIST,
    "SELECT " STORE_DOMAIN_COLUMNS
    " FROM domain d WHERE d.name > ? ORDER BY d.name LIMIT 100",
    STORE_DOMAIN_TYPES};

static const struct store_sql name_taken_sql = {
    STORE_SLOT_DOMAIN_NAME_TAKEN,
    "SELECT name FROM alias_domain WHERE name = ?"
    " UNION ALL SELECT name FROM domain WHERE name = ?",
    "t"};

static const struct store_sql add_sql = {
    STORE_SLOT_DOMAIN_ADD,
    "INSERT INTO domain (name, name_unicode, active, max_mailboxes, quota,"
    " max_quota, max_usage, max_aliases, rate_messages, rate_messages_period,"
    " rate_recipients, rate_recipients_period)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    NULL};

static const struct store_sql edit_sql = {
    STORE_SLOT_DOMAIN_EDIT,
    "UPDATE domain SET active = IF(?, ?, active),"
    " max_mailboxes = IF(?, ?, max_mailboxes), quota = IF(?, ?, quota),"
    " max_quota = IF(?, ?, max_quota), max_usage = IF(?, ?, max_usage),"
    " max_aliases = IF(?, ?, max_aliases),"
    " rate_messages = IF(?, ?, rate_messages),"
    " rate_messages_period = IF(?, ?, rate_messages_period),"
    " rate_recipients = IF(?, ?, rate_recipients),"
    " rate_recipients_period = IF(?, ?, rate_recipients_period)"
    " WHERE name = ?",
    NULL};

/* Locks the domain: a create in it waits, and finds it gone. */
static const struct store_sql remove_sql = {
    STORE_SLOT_DOMAIN_REMOVE, "DELETE FROM domain WHERE name = ?", NULL};

static const struct store_sql in_use_sql = {
    STORE_SLOT_DOMAIN_IN_USE,
    "SELECT (SELECT COUNT(*) FROM mailbox WHERE domain = ?),"
    " (SELECT COUNT(*) FROM alias WHERE domain = ?),"
    " (SELECT COUNT(*) FROM alias_domain WHERE target = ?)",
    "nnn"};

static const struct store_sql usage_sql = {
    STORE_SLOT_DOMAIN_USAGE,
    "SELECT GREATEST(COALESCE(SUM(bytes), 0), 0),"
    " GREATEST(COALESCE(SUM(messages), 0), 0) FROM quota2 WHERE domain = ?",
    "nn"};

/* The arguments of one call, for its body. */
struct domain_work {
    const struct store_domain *domain; /* as wanted */
    const char *name;
    const char *who;
    unsigned fields;
    struct store_domain found;
};

/* Reads what is there, whatever an earlier try read. */
static enum status read_again(struct store_connection *db,
                              struct domain_work *work, const char *name,
                              struct errtext *err)
{
    store_domain_clear(&work->found);
    return store_read_domain(db, name, &work->found, err);
}

static void append_size(struct strbuf *json, const char *name, uint64_t bytes)
{
    struct strbuf text = STRBUF_INIT(64);

    quantity_append_size(&text, bytes);
    store_event_member(json, name, strbuf_text(&text));
    strbuf_clear(&text);
}

static void append_count(struct strbuf *json, const char *name, uint64_t count)
{
    struct strbuf text = STRBUF_INIT(64);

    if (count == 0)
        strbuf_append(&text, "unlimited");
    else
        strbuf_appendf(&text, "%" PRIu64, count);
    store_event_member(json, name, strbuf_text(&text));
    strbuf_clear(&text);
}

static void append_rate(struct strbuf *json, const char *name, struct rate rate)
{
    struct strbuf text = STRBUF_INIT(64);

    quantity_append_rate(&text, rate);
    store_event_member(json, name, strbuf_text(&text));
    strbuf_clear(&text);
}

static void describe(struct strbuf *json, const struct store_domain *domain,
                     unsigned fields)
{
    strbuf_append_char(json, '{');
    if ((fields & STORE_DOMAIN_ACTIVE) != 0)
        store_event_member(json, "active", domain->active ? "yes" : "no");
    if ((fields & STORE_DOMAIN_MAX_MAILBOXES) != 0)
        append_count(json, "max_mailboxes", domain->max_mailboxes);
    if ((fields & STORE_DOMAIN_QUOTA) != 0)
        append_size(json, "quota", domain->quota_bytes);
    if ((fields & STORE_DOMAIN_MAX_QUOTA) != 0)
        append_size(json, "max_quota", domain->max_quota_bytes);
    if ((fields & STORE_DOMAIN_MAX_USAGE) != 0)
        append_size(json, "max_usage", domain->max_usage_bytes);
    if ((fields & STORE_DOMAIN_MAX_ALIASES) != 0)
        append_count(json, "max_aliases", domain->max_aliases);
    if ((fields & STORE_DOMAIN_RATE_MESSAGES) != 0)
        append_rate(json, "rate_messages", domain->rate_messages);
    if ((fields & STORE_DOMAIN_RATE_RECIPIENTS) != 0)
        append_rate(json, "rate_recipients", domain->rate_recipients);
    strbuf_append_char(json, '}');
}

/* Writes what became of a domain; before and after may be NULL. */
static enum status tell(struct store_connection *db, const char *kind,
                        const struct domain_work *work,
                        const struct store_domain *before,
                        const struct store_domain *after, struct errtext *err)
{
    struct strbuf old = STRBUF_INIT(EVENT_BYTES_MAX);
    struct strbuf new = STRBUF_INIT(EVENT_BYTES_MAX);
    struct store_event event = {
        .kind = kind,
        .who = work->who,
        .domain = work->name,
    };
    enum status status;

    if (before != NULL)
        describe(&old, before, work->fields);
    if (after != NULL)
        describe(&new, after, work->fields);
    event.before = before != NULL ? strbuf_text(&old) : NULL;
    event.after = after != NULL ? strbuf_text(&new) : NULL;
    status = old.failed || new.failed ? status_no_memory(err)
                                      : store_event_insert(db, &event, err);
    strbuf_clear(&old);
    strbuf_clear(&new);
    return status;
}

/* Returns STATUS_OK if neither a domain nor an alias domain has the name. */
static enum status check_free(struct store_connection *db, const char *name,
                              struct errtext *err)
{
    struct store_param params[] = {store_text(name), store_text(name)};
    enum status status =
        store_execute(db, &name_taken_sql, params, 2, NULL, err);

    if (status == STATUS_OK)
        status = store_fetch(db, &name_taken_sql, err);
    if (status == STATUS_OK) {
        errtext_set(err, "%s is a domain or an alias domain already", name);
        return STATUS_DENIED;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status run_add(struct store_connection *db, void *arg,
                           struct errtext *err)
{
    struct domain_work *work = arg;
    const struct store_domain *domain = work->domain;
    struct store_param params[] = {
        store_text(domain->name),
        store_text(domain->name_unicode != NULL ? domain->name_unicode
                                                : domain->name),
        store_number(domain->active),
        store_number(domain->max_mailboxes),
        store_number(domain->quota_bytes),
        store_number(domain->max_quota_bytes),
        store_number(domain->max_usage_bytes),
        store_number(domain->max_aliases),
        store_number(domain->rate_messages.count),
        store_number(domain->rate_messages.seconds),
        store_number(domain->rate_recipients.count),
        store_number(domain->rate_recipients.seconds),
    };
    enum status status = check_free(db, domain->name, err);

    if (status == STATUS_OK)
        status =
            store_execute(db, &add_sql, params, ARRAY_SIZE(params), NULL, err);
    if (status == STATUS_OK)
        status = tell(db, "domain_add", work, NULL, domain, err);
    return status;
}

enum status store_domain_add(struct store *store,
                             const struct store_domain *domain, const char *who,
                             int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work how = {
        .run = run_add, .sync = true, .token = true};
    struct domain_work work = {
        .domain = domain, .name = domain->name, .who = who, .fields = ~0U};

    return store_work(store, &how, &work, deadline_ms, err);
}

static enum status run_edit(struct store_connection *db, void *arg,
                            struct errtext *err)
{
    struct domain_work *work = arg;
    const struct store_domain *domain = work->domain;
    unsigned fields = work->fields;
    struct store_param params[] = {
        store_number((fields & STORE_DOMAIN_ACTIVE) != 0),
        store_number(domain->active),
        store_number((fields & STORE_DOMAIN_MAX_MAILBOXES) != 0),
        store_number(domain->max_mailboxes),
        store_number((fields & STORE_DOMAIN_QUOTA) != 0),
        store_number(domain->quota_bytes),
        store_number((fields & STORE_DOMAIN_MAX_QUOTA) != 0),
        store_number(domain->max_quota_bytes),
        store_number((fields & STORE_DOMAIN_MAX_USAGE) != 0),
        store_number(domain->max_usage_bytes),
        store_number((fields & STORE_DOMAIN_MAX_ALIASES) != 0),
        store_number(domain->max_aliases),
        store_number((fields & STORE_DOMAIN_RATE_MESSAGES) != 0),
        store_number(domain->rate_messages.count),
        store_number((fields & STORE_DOMAIN_RATE_MESSAGES) != 0),
        store_number(domain->rate_messages.seconds),
        store_number((fields & STORE_DOMAIN_RATE_RECIPIENTS) != 0),
        store_number(domain->rate_recipients.count),
        store_number((fields & STORE_DOMAIN_RATE_RECIPIENTS) != 0),
        store_number(domain->rate_recipients.seconds),
        store_text(domain->name),
    };
    enum status status = read_again(db, work, domain->name, err);

    if (status == STATUS_NOT_FOUND)
        errtext_set(err, "%s is no domain", domain->name);
    if (status == STATUS_OK)
        status =
            store_execute(db, &edit_sql, params, ARRAY_SIZE(params), NULL, err);
    if (status == STATUS_OK)
        status = tell(db, "domain_edit", work, &work->found, domain, err);
    return status;
}

enum status store_domain_edit(struct store *store,
                              const struct store_domain *domain,
                              unsigned fields, const char *who,
                              int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work how = {
        .run = run_edit, .sync = true, .token = true};
    struct domain_work work = {
        .domain = domain, .name = domain->name, .who = who, .fields = fields};
    enum status status = store_work(store, &how, &work, deadline_ms, err);

    store_domain_clear(&work.found);
    return status;
}

static enum status check_unused(struct store_connection *db, const char *name,
                                struct errtext *err)
{
    struct store_param params[] = {
        store_text(name),
        store_text(name),
        store_text(name),
    };
    uint64_t mailboxes;
    uint64_t aliases;
    uint64_t domains;
    enum status status =
        store_execute(db, &in_use_sql, params, ARRAY_SIZE(params), NULL, err);

    if (status == STATUS_OK)
        status = store_fetch(db, &in_use_sql, err);
    if (status != STATUS_OK)
        return STATUS_TEMPFAIL;
    mailboxes = store_column_number(db, &in_use_sql, 0);
    aliases = store_column_number(db, &in_use_sql, 1);
    domains = store_column_number(db, &in_use_sql, 2);
    if (mailboxes + aliases + domains == 0)
        return STATUS_OK;
    errtext_set(err,
                "%s has %" PRIu64 " mailboxes, %" PRIu64
                " more addresses and %" PRIu64 " alias domains",
                name, mailboxes, aliases > mailboxes ? aliases - mailboxes : 0,
                domains);
    return STATUS_DENIED;
}

static enum status run_remove(struct store_connection *db, void *arg,
                              struct errtext *err)
{
    struct domain_work *work = arg;
    struct store_param params[] = {store_text(work->name)};
    enum status status = read_again(db, work, work->name, err);

    if (status == STATUS_NOT_FOUND)
        errtext_set(err, "%s is no domain", work->name);
    /* The DELETE first, for its lock: what is counted then stays so. */
    if (status == STATUS_OK)
        status = store_execute(db, &remove_sql, params, 1, NULL, err);
    if (status == STATUS_OK)
        status = check_unused(db, work->name, err);
    if (status == STATUS_OK)
        status = tell(db, "domain_remove", work, &work->found, NULL, err);
    return status;
}

enum status store_domain_remove(struct store *store, const char *name,
                                const char *who, int64_t deadline_ms,
                                struct errtext *err)
{
    static const struct store_work how = {
        .run = run_remove, .sync = true, .token = true};
    struct domain_work work = {.name = name, .who = who, .fields = ~0U};
    enum status status = store_work(store, &how, &work, deadline_ms, err);

    store_domain_clear(&work.found);
    return status;
}

static enum status run_find(struct store_connection *db, void *arg,
                            struct errtext *err)
{
    struct domain_work *work = arg;

    return read_again(db, work, work->name, err);
}

enum status store_domain_find(struct store *store, const char *name,
                              int64_t deadline_ms,
                              struct store_domain *domain_r,
                              struct errtext *err)
{
    static const struct store_work how = {
        .run = run_find, .reads_only = true, .sync = true};
    struct domain_work work = {.name = name};
    enum status status = store_work(store, &how, &work, deadline_ms, err);

    if (status == STATUS_OK)
        *domain_r = work.found;
    else
        store_domain_clear(&work.found);
    return status;
}

/* One page of the list. */
struct page {
    const char *after;
    struct store_domain rows[PAGE_ROWS];
    size_t count;
};

static void clear_page(struct page *page)
{
    for (size_t i = 0; i < page->count; i++)
        store_domain_clear(&page->rows[i]);
    page->count = 0;
}

static enum status run_page(struct store_connection *db, void *arg,
                            struct errtext *err)
{
    struct page *page = arg;
    struct store_param params[] = {store_text(page->after)};
    enum status status;

    clear_page(page);
    status = store_execute(db, &list_sql, params, 1, NULL, err);
    while (status == STATUS_OK && page->count < PAGE_ROWS) {
        status = store_fetch(db, &list_sql, err);
        if (status == STATUS_OK)
            status = store_row_domain(db, &list_sql, 0,
                                      &page->rows[page->count], err);
        if (status == STATUS_OK)
            page->count++;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Shows a page; false when the visitor has seen enough. */
static bool show_page(const struct page *page,
                      const struct store_domain_visitor *visitor)
{
    for (size_t i = 0; i < page->count; i++) {
        if (!visitor->visit(&page->rows[i], visitor->arg))
            return false;
    }
    return true;
}

enum status store_domain_list(struct store *store,
                              const struct store_domain_visitor *visitor,
                              int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work how = {
        .run = run_page, .reads_only = true, .sync = true};
    char last[ADDRESS_DOMAIN_BYTES_MAX + 1] = "";
    struct page page = {.after = last};
    enum status status;

    do {
        size_t len;

        status = store_work(store, &how, &page, deadline_ms, err);
        if (status != STATUS_OK || page.count == 0 ||
            !show_page(&page, visitor))
            break;
        len = strlen(page.rows[page.count - 1].name);
        if (len >= sizeof(last))
            break;
        memcpy(last, page.rows[page.count - 1].name, len + 1);
    } while (page.count == PAGE_ROWS);
    clear_page(&page);
    return status;
}

/* The arguments of one question for what is used. */
struct usage_work {
    const char *name;
    struct store_domain_usage found;
};

static enum status run_usage(struct store_connection *db, void *arg,
                             struct errtext *err)
{
    struct usage_work *work = arg;
    struct store_param params[] = {store_text(work->name)};
    enum status status = store_execute(db, &usage_sql, params, 1, NULL, err);

    if (status == STATUS_OK)
        status = store_fetch(db, &usage_sql, err);
    if (status != STATUS_OK)
        return STATUS_TEMPFAIL;
    work->found.bytes = store_column_number(db, &usage_sql, 0);
    work->found.messages = store_column_number(db, &usage_sql, 1);
    return STATUS_OK;
}

enum status store_domain_usage(struct store *store, const char *name,
                               int64_t deadline_ms,
                               struct store_domain_usage *usage_r,
                               struct errtext *err)
{
    static const struct store_work how = {
        .run = run_usage, .reads_only = true, .sync = true};
    struct usage_work work = {.name = name};
    enum status status = store_work(store, &how, &work, deadline_ms, err);

    if (status == STATUS_OK)
        *usage_r = work.found;
    return status;
}
