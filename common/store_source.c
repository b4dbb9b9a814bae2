/* store_source - see store_domain.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_domain.h"

#include "store_event.h"
#include "store_mailbox.h"
#include "store_private.h"

#define EVENT_BYTES_MAX 4096

/* An id is worth nothing in another directory. */
static const struct store_sql source_sql = {
    STORE_SLOT_MAILBOX_SOURCE,
    "UPDATE mailbox SET source = ?,"
    " directory_id = IF(? IS NULL OR directory <=> ?, directory_id, NULL),"
    " directory = COALESCE(?, directory), modified = UTC_TIMESTAMP()"
    " WHERE address = ?",
    NULL};

struct source_change {
    const char *address;
    enum account_source source;
    const char *directory;
    const char *who;
    struct account found;
};

static enum status read_mailbox(struct store_connection *db,
                                struct source_change *change,
                                struct errtext *err)
{
    enum status status;

    account_clear(&change->found);
    status = store_read_mailbox(db, change->address, true, &change->found, err);
    if (status == STATUS_NOT_FOUND)
        errtext_set(err, "%s is no mailbox", change->address);
    return status;
}

static void describe(struct strbuf *json, enum account_source source,
                     const char *directory)
{
    strbuf_append_char(json, '{');
    store_event_member(json, "source", account_source_name(source));
    if (directory != NULL)
        store_event_member(json, "directory", directory);
    strbuf_append_char(json, '}');
}

static enum status tell(struct store_connection *db,
                        const struct source_change *change, struct errtext *err)
{
    struct strbuf old = STRBUF_INIT(EVENT_BYTES_MAX);
    struct strbuf new = STRBUF_INIT(EVENT_BYTES_MAX);
    struct store_event event = {
        .kind = "source",
        .who = change->who,
        .address = change->address,
        .domain = change->found.domain,
        .directory = change->directory,
    };
    enum status status;

    describe(&old, change->found.source, change->found.directory);
    describe(&new, change->source,
             change->directory != NULL ? change->directory
                                       : change->found.directory);
    event.before = strbuf_text(&old);
    event.after = strbuf_text(&new);
    status = old.failed || new.failed ? status_no_memory(err)
                                      : store_event_insert(db, &event, err);
    strbuf_clear(&old);
    strbuf_clear(&new);
    return status;
}

static enum status run_source(struct store_connection *db, void *arg,
                              struct errtext *err)
{
    struct source_change *change = arg;
    struct store_param params[] = {
        store_text(account_source_name(change->source)),
        store_text(change->directory),
        store_text(change->directory),
        store_text(change->directory),
        store_text(change->address),
    };
    enum status status = read_mailbox(db, change, err);

    if (status == STATUS_OK)
        status = store_execute(db, &source_sql, params, ARRAY_SIZE(params),
                               NULL, err);
    if (status == STATUS_OK)
        status = tell(db, change, err);
    return status;
}

enum status store_mailbox_source(struct store *store, const char *address,
                                 enum account_source source,
                                 const char *directory, const char *who,
                                 int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work work = {
        .run = run_source, .sync = true, .token = true};
    struct source_change change = {
        .address = address,
        .source = source,
        .directory = source == ACCOUNT_LDAP ? directory : NULL,
        .who = who,
    };
    enum status status = store_work(store, &work, &change, deadline_ms, err);

    account_clear(&change.found);
    return status;
}
