/* store_forward - see store_forward.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_forward.h"

#include "store_event.h"
#include "store_mailbox.h"
#include "store_private.h"

#include "address.h"
#include "strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_BYTES_MAX (8 * STORE_FORWARD_BYTES_MAX)

static const struct store_sql find_sql = {
    STORE_SLOT_FORWARD_FIND,
    "SELECT targets, owner, kind = 'self', active FROM alias WHERE address = ?",
    "ttnn"};

static const struct store_sql add_sql = {
    STORE_SLOT_FORWARD_ADD,
    "INSERT INTO alias (address, domain, local_part, targets, kind, active)"
    " VALUES (?, ?, ?, ?, 'admin', ?)",
    NULL};

static const struct store_sql own_sql = {
    STORE_SLOT_FORWARD_OWN,
    "UPDATE alias SET targets = ? WHERE address = ? AND kind = 'self'", NULL};

static const struct store_sql sender_add_sql = {
    STORE_SLOT_SENDER_ADD,
    "INSERT INTO sender_acl (login, sender) VALUES (?, ?)", NULL};

static const struct store_sql sender_find_sql = {
    STORE_SLOT_SENDER_FIND,
    "SELECT sender FROM sender_acl WHERE login = ? AND sender = ?", "t"};

static const struct store_sql alias_domain_sql = {
    STORE_SLOT_ALIAS_DOMAIN_FIND,
    "SELECT target FROM alias_domain WHERE name = ?", "t"};

/* The arguments of one call, for its body. */
struct forward_work {
    const char *address; /* or the login */
    const char *targets; /* or the sender */
    const char *who;
    bool active;
    bool full;
    struct store_forward found;
    char *target;
};

void store_forward_clear(struct store_forward *alias)
{
    free(alias->targets);
    free(alias->owner);
    *alias = (struct store_forward){0};
}

static enum status run_find(struct store_connection *db, void *arg,
                            struct errtext *err)
{
    struct forward_work *work = arg;
    struct store_param params[] = {store_text(work->address)};
    struct store_forward *found = &work->found;
    enum status status;

    store_forward_clear(found);
    status = store_execute(db, &find_sql, params, 1, NULL, err);
    if (status == STATUS_OK)
        status = store_fetch(db, &find_sql, err);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    found->is_self = store_column_number(db, &find_sql, 2) != 0;
    found->active = store_column_number(db, &find_sql, 3) != 0;
    status = store_column_copy(db, &find_sql, 0, &found->targets, err);
    if (status == STATUS_OK)
        status = store_column_copy(db, &find_sql, 1, &found->owner, err);
    return status;
}

enum status store_forward_find(struct store *store, const char *address,
                               int64_t deadline_ms,
                               struct store_forward *alias_r,
                               struct errtext *err)
{
    static const struct store_work how = {
        .run = run_find, .reads_only = true, .sync = true};
    struct forward_work work = {.address = address};
    enum status status = store_work(store, &how, &work, deadline_ms, err);

    if (status == STATUS_OK)
        *alias_r = work.found;
    else
        store_forward_clear(&work.found);
    return status;
}

/* Writes the event; before may be NULL. */
static enum status tell(struct store_connection *db, const char *kind,
                        const struct forward_work *work, const char *member,
                        const char *before, struct errtext *err)
{
    struct strbuf old = STRBUF_INIT(EVENT_BYTES_MAX);
    struct strbuf new = STRBUF_INIT(EVENT_BYTES_MAX);
    struct store_event event = {
        .kind = kind,
        .who = work->who,
        .address = work->address,
        .domain = address_domain_of(work->address),
    };
    enum status status;

    if (before != NULL) {
        strbuf_append_char(&old, '{');
        store_event_member(&old, member, before);
        strbuf_append_char(&old, '}');
    }
    strbuf_append_char(&new, '{');
    store_event_member(&new, member, work->targets);
    strbuf_append_char(&new, '}');
    event.before = before != NULL ? strbuf_text(&old) : NULL;
    event.after = strbuf_text(&new);
    status = old.failed || new.failed ? status_no_memory(err)
                                      : store_event_insert(db, &event, err);
    strbuf_clear(&old);
    strbuf_clear(&new);
    return status;
}

static enum status insert(struct store_connection *db,
                          const struct forward_work *work, struct errtext *err)
{
    char local_part[ADDRESS_LOCAL_BYTES_MAX + 1];
    struct store_param params[] = {
        store_text(work->address),
        store_text(address_domain_of(work->address)),
        store_text(local_part),
        store_text(work->targets),
        store_number(work->active),
    };

    (void)snprintf(local_part, sizeof(local_part), "%.*s",
                   (int)(address_domain_of(work->address) - work->address - 1),
                   work->address);
    return store_execute(db, &add_sql, params, ARRAY_SIZE(params), NULL, err);
}

static enum status run_add(struct store_connection *db, void *arg,
                           struct errtext *err)
{
    struct forward_work *work = arg;
    struct store_charge charge = {
        .domain = address_domain_of(work->address),
        .aliases = 1,
    };
    enum status status = store_charge(db, &charge, err);

    work->full = status == STATUS_DENIED;
    if (work->full)
        errtext_set(err, "%.200s takes no more aliases", charge.domain);
    if (status != STATUS_OK)
        return status;
    status = insert(db, work, err);
    if (status == STATUS_DENIED)
        errtext_set(err, "%.200s is taken", work->address);
    if (status == STATUS_OK)
        status = tell(db, "alias_add", work, "targets", NULL, err);
    return status;
}

enum status store_forward_add(struct store *store, const char *address,
                              const char *targets, bool active, const char *who,
                              int64_t deadline_ms, bool *full_r,
                              struct errtext *err)
{
    static const struct store_work how = {
        .run = run_add, .sync = true, .token = true};
    struct forward_work work = {
        .address = address, .targets = targets, .active = active, .who = who};
    enum status status = store_work(store, &how, &work, deadline_ms, err);

    *full_r = work.full;
    return status;
}

static enum status run_own(struct store_connection *db, void *arg,
                           struct errtext *err)
{
    struct forward_work *work = arg;
    struct store_param params[] = {store_text(work->targets),
                                   store_text(work->address)};
    enum status status = run_find(db, work, err);

    if (status != STATUS_OK)
        return status;
    if (work->found.targets == NULL || !work->found.is_self) {
        errtext_set(err, "%.200s is no mailbox", work->address);
        return STATUS_NOT_FOUND;
    }
    status = store_execute(db, &own_sql, params, ARRAY_SIZE(params), NULL, err);
    if (status == STATUS_OK)
        status = tell(db, "forward", work, "targets", work->found.targets, err);
    return status;
}

enum status store_forward_own(struct store *store, const char *address,
                              const char *targets, const char *who,
                              int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work how = {
        .run = run_own, .sync = true, .token = true};
    struct forward_work work = {
        .address = address, .targets = targets, .who = who};
    enum status status = store_work(store, &how, &work, deadline_ms, err);

    store_forward_clear(&work.found);
    return status;
}

static enum status run_sender_add(struct store_connection *db, void *arg,
                                  struct errtext *err)
{
    const struct forward_work *work = arg;
    struct store_param params[] = {store_text(work->address),
                                   store_text(work->targets)};
    enum status status = store_execute(db, &sender_add_sql, params,
                                       ARRAY_SIZE(params), NULL, err);

    if (status == STATUS_OK)
        status = tell(db, "sender_add", work, "sender", NULL, err);
    return status;
}

enum status store_sender_add(struct store *store, const char *login,
                             const char *sender, const char *who,
                             int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work how = {
        .run = run_sender_add, .sync = true, .token = true};
    struct forward_work work = {
        .address = login, .targets = sender, .who = who};

    return store_work(store, &how, &work, deadline_ms, err);
}

static enum status run_sender_find(struct store_connection *db, void *arg,
                                   struct errtext *err)
{
    const struct forward_work *work = arg;
    struct store_param params[] = {store_text(work->address),
                                   store_text(work->targets)};
    enum status status = store_execute(db, &sender_find_sql, params,
                                       ARRAY_SIZE(params), NULL, err);

    return status == STATUS_OK ? store_fetch(db, &sender_find_sql, err)
                               : status;
}

enum status store_sender_find(struct store *store, const char *login,
                              const char *sender, int64_t deadline_ms,
                              struct errtext *err)
{
    static const struct store_work how = {
        .run = run_sender_find, .reads_only = true, .sync = true};
    struct forward_work work = {.address = login, .targets = sender};

    return store_work(store, &how, &work, deadline_ms, err);
}

static enum status run_alias_domain(struct store_connection *db, void *arg,
                                    struct errtext *err)
{
    struct forward_work *work = arg;
    struct store_param params[] = {store_text(work->address)};
    enum status status =
        store_execute(db, &alias_domain_sql, params, 1, NULL, err);

    free(work->target);
    work->target = NULL;
    if (status == STATUS_OK)
        status = store_fetch(db, &alias_domain_sql, err);
    if (status == STATUS_OK)
        return store_column_copy(db, &alias_domain_sql, 0, &work->target, err);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status store_alias_domain_find(struct store *store, const char *name,
                                    int64_t deadline_ms, char **target_r,
                                    struct errtext *err)
{
    static const struct store_work how = {
        .run = run_alias_domain, .reads_only = true, .sync = true};
    struct forward_work work = {.address = name};
    enum status status = store_work(store, &how, &work, deadline_ms, err);

    if (status == STATUS_OK)
        *target_r = work.target;
    else
        free(work.target);
    return status;
}
