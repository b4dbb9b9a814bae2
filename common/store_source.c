/* store_source - see store_domain.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_domain.h"

#include "store_event.h"
#include "store_mailbox.h"
#include "store_private.h"

#include <string.h>

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

/* Writes the row that was read, and the event. */
static enum status write_source(struct store_connection *db,
                                const struct source_change *change,
                                struct errtext *err)
{
    struct store_param params[] = {
        store_text(account_source_name(change->source)),
        store_text(change->directory),
        store_text(change->directory),
        store_text(change->directory),
        store_text(change->address),
    };
    enum status status =
        store_execute(db, &source_sql, params, ARRAY_SIZE(params), NULL, err);

    return status == STATUS_OK ? tell(db, change, err) : status;
}

static enum status run_source(struct store_connection *db, void *arg,
                              struct errtext *err)
{
    struct source_change *change = arg;
    enum status status =
        store_take_mailbox(db, change->address, &change->found, err);

    return status == STATUS_OK ? write_source(db, change, err) : status;
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

/* Many at once: the events but the last have no token, see store_event. */
struct source_batch {
    struct source_change change; /* of the one that is switched now */
    const char *const *addresses;
    size_t count;
    size_t changed;
};

static bool is_switched(const struct source_change *change)
{
    const char *directory = change->found.directory;

    return change->found.source == change->source &&
           (change->directory == NULL ||
            (directory != NULL && strcmp(directory, change->directory) == 0));
}

static enum status switch_one(struct store_connection *db,
                              struct source_batch *batch, struct errtext *err)
{
    struct source_change *change = &batch->change;
    enum status status =
        store_take_mailbox(db, change->address, &change->found, err);

    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status != STATUS_OK || is_switched(change))
        return status;
    /* One event of a transaction carries its token: the first. */
    if (batch->changed > 0)
        db->token[0] = '\0';
    status = write_source(db, change, err);
    batch->changed++;
    return status;
}

static enum status run_batch(struct store_connection *db, void *arg,
                             struct errtext *err)
{
    struct source_batch *batch = arg;
    enum status status = STATUS_OK;

    batch->changed = 0;
    for (size_t i = 0; status == STATUS_OK && i < batch->count; i++) {
        batch->change.address = batch->addresses[i];
        status = switch_one(db, batch, err);
    }
    return status;
}

enum status store_mailbox_sources(struct store *store,
                                  const char *const *addresses, size_t count,
                                  enum account_source source,
                                  const char *directory, const char *who,
                                  int64_t deadline_ms, size_t *changed_r,
                                  struct errtext *err)
{
    static const struct store_work work = {
        .run = run_batch, .sync = true, .token = true};
    struct source_batch batch = {
        .change = {.source = source,
                   .directory = source == ACCOUNT_LDAP ? directory : NULL,
                   .who = who},
        .addresses = addresses,
        .count = count,
    };
    enum status status = store_work(store, &work, &batch, deadline_ms, err);

    account_clear(&batch.change.found);
    if (status == STATUS_OK)
        *changed_r = batch.changed;
    return status == STATUS_OK ? STATUS_OK : STATUS_TEMPFAIL;
}
