/* store_admin - see store_admin.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_admin.h"

#include "store_event.h"
#include "store_mailbox.h"
#include "store_private.h"

#include <string.h>

#define EVENT_BYTES_MAX 4096

static const struct store_sql block_sql = {
    STORE_SLOT_MAILBOX_BLOCK,
    "UPDATE mailbox SET admin_state = ?, modified = UTC_TIMESTAMP()"
    " WHERE address = ?",
    NULL};

static const struct store_sql pin_sql = {
    STORE_SLOT_MAILBOX_PIN,
    "UPDATE mailbox SET pinned = ?, fingerprint = IF(? = 0, fingerprint, NULL),"
    " modified = UTC_TIMESTAMP() WHERE address = ?",
    NULL};

static const struct store_sql password_sql = {
    STORE_SLOT_MAILBOX_PASSWORD,
    "UPDATE mailbox SET password = ?, modified = UTC_TIMESTAMP()"
    " WHERE address = ?",
    NULL};

/* One call and its mailbox. */
struct order {
    const char *address;
    const char *who;
    enum account_admin_state state;
    unsigned pin;
    unsigned unpin;
    const char *hash;
    bool landed; /* an earlier try was committed after all */
    struct account found;
};

/* Writes the event; before and after are values of member, or NULL. */
static enum status tell(struct store_connection *db, struct order *order,
                        const char *kind, const char *member,
                        const char *before, const char *after,
                        struct errtext *err)
{
    struct strbuf old = STRBUF_INIT(EVENT_BYTES_MAX);
    struct strbuf new = STRBUF_INIT(EVENT_BYTES_MAX);
    struct store_event event = {
        .kind = kind,
        .who = order->who,
        .address = order->address,
        .domain = order->found.domain,
        .directory = order->found.directory,
    };
    enum status status;

    if (member != NULL) {
        strbuf_append_char(&old, '{');
        store_event_member(&old, member, before);
        strbuf_append_char(&old, '}');
        strbuf_append_char(&new, '{');
        store_event_member(&new, member, after);
        strbuf_append_char(&new, '}');
        event.before = strbuf_text(&old);
        event.after = strbuf_text(&new);
    }
    status = old.failed || new.failed ? status_no_memory(err)
                                      : store_event_insert(db, &event, err);
    strbuf_clear(&old);
    strbuf_clear(&new);
    /* Then this try is rolled back. */
    order->landed = status == STATUS_DENIED;
    return status;
}

static enum status run(struct store *store, const struct store_work *work,
                       struct order *order, int64_t deadline_ms,
                       struct errtext *err)
{
    enum status status = store_work(store, work, order, deadline_ms, err);

    account_clear(&order->found);
    return order->landed ? STATUS_OK : status;
}

static enum status run_block(struct store_connection *db, void *arg,
                             struct errtext *err)
{
    struct order *order = arg;
    struct store_param params[] = {
        store_text(account_admin_state_name(order->state)),
        store_text(order->address),
    };
    enum status status =
        store_take_mailbox(db, order->address, &order->found, err);

    if (status != STATUS_OK || order->found.admin_state == order->state)
        return status;
    status =
        store_execute(db, &block_sql, params, ARRAY_SIZE(params), NULL, err);
    if (status != STATUS_OK)
        return status;
    return tell(
        db, order, order->state == ACCOUNT_UNBLOCKED ? "unblock" : "block",
        "admin_state", account_admin_state_name(order->found.admin_state),
        account_admin_state_name(order->state), err);
}

enum status store_mailbox_block(struct store *store, const char *address,
                                enum account_admin_state state, const char *who,
                                int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work work = {
        .run = run_block, .sync = true, .token = true};
    struct order order = {.address = address, .who = who, .state = state};

    return run(store, &work, &order, deadline_ms, err);
}

static enum status run_pin(struct store_connection *db, void *arg,
                           struct errtext *err)
{
    struct strbuf before = STRBUF_INIT(EVENT_BYTES_MAX / 4);
    struct strbuf after = STRBUF_INIT(EVENT_BYTES_MAX / 4);
    struct order *order = arg;
    enum status status =
        store_take_mailbox(db, order->address, &order->found, err);
    unsigned old = order->found.pinned;
    unsigned new = (old | order->pin) & ~order->unpin;
    struct store_param params[] = {
        store_number(new),
        store_number(old & order->unpin),
        store_text(order->address),
    };

    if (status != STATUS_OK || old == new)
        return status;
    status = store_execute(db, &pin_sql, params, ARRAY_SIZE(params), NULL, err);
    account_append_pins(&before, old);
    account_append_pins(&after, new);
    if (status == STATUS_OK)
        status = tell(db, order, order->unpin != 0 ? "unpin" : "pin", "pinned",
                      strbuf_text(&before), strbuf_text(&after), err);
    strbuf_clear(&before);
    strbuf_clear(&after);
    return status;
}

enum status store_mailbox_pin(struct store *store, const char *address,
                              unsigned pin, unsigned unpin, const char *who,
                              int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work work = {
        .run = run_pin, .sync = true, .token = true};
    struct order order = {
        .address = address, .who = who, .pin = pin, .unpin = unpin};

    return run(store, &work, &order, deadline_ms, err);
}

static enum status run_password(struct store_connection *db, void *arg,
                                struct errtext *err)
{
    struct order *order = arg;
    struct store_param params[] = {
        store_text(order->hash),
        store_text(order->address),
    };
    enum status status =
        store_take_mailbox(db, order->address, &order->found, err);

    if (status == STATUS_OK && order->found.source != ACCOUNT_LOCAL) {
        errtext_set(err,
                    "directory %.60s checks the password of %.100s (provostctl "
                    "mailbox source ADDRESS local would change that)",
                    order->found.directory != NULL ? order->found.directory
                                                   : "?",
                    order->address);
        return STATUS_DENIED;
    }
    if (status == STATUS_OK)
        status = store_execute(db, &password_sql, params, ARRAY_SIZE(params),
                               NULL, err);
    if (status == STATUS_OK)
        status = tell(db, order, "password", NULL, NULL, NULL, err);
    return status;
}

enum status store_mailbox_password(struct store *store, const char *address,
                                   const char *hash, const char *who,
                                   int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work work = {
        .run = run_password, .sync = true, .token = true};
    struct order order = {.address = address, .who = who, .hash = hash};

    return run(store, &work, &order, deadline_ms, err);
}
