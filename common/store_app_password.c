/* store_app_password - app passwords, as an administrator sees them */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_admin.h"

#include "store_event.h"
#include "store_mailbox.h"
#include "store_private.h"

#include <inttypes.h>
#include <stdlib.h>

#define EVENT_BYTES_MAX 4096
#define ISO(column) "DATE_FORMAT(" column ", '%Y-%m-%dT%H:%i:%sZ')"

static const struct store_sql count_sql = {
    STORE_SLOT_APP_PASSWORD_COUNT,
    "SELECT COUNT(*) FROM app_password WHERE address = ? AND active = 1"
    " AND (expires IS NULL OR expires > UTC_TIMESTAMP())",
    "n"};

static const struct store_sql add_sql = {
    STORE_SLOT_APP_PASSWORD_ADD,
    "INSERT INTO app_password (address, name, hash, services, expires)"
    " VALUES (?, ?, ?, ?, IF(? = 0, NULL, UTC_TIMESTAMP() + INTERVAL ? "
    "SECOND))",
    NULL};

static const struct store_sql id_sql = {STORE_SLOT_APP_PASSWORD_ID,
                                        "SELECT LAST_INSERT_ID()", "n"};

static const struct store_sql read_sql = {
    STORE_SLOT_APP_PASSWORD_READ,
    "SELECT active, name FROM app_password WHERE address = ? AND id = ?"
    " FOR UPDATE",
    "nt"};

static const struct store_sql revoke_sql = {
    STORE_SLOT_APP_PASSWORD_REVOKE,
    "UPDATE app_password SET active = 0 WHERE address = ? AND id = ?", NULL};

#define CREATED ISO("created")
#define EXPIRES ISO("expires")
#define USED ISO("last_used")

static const struct store_sql list_sql = {
    STORE_SLOT_APP_PASSWORD_LIST,
    "SELECT id, name, services, active,"
    " expires IS NOT NULL AND expires <= UTC_TIMESTAMP(),"
    " " CREATED ", " EXPIRES ", " USED ", last_service, last_client"
    " FROM app_password WHERE address = ? ORDER BY id",
    "ntnnnttttt"};

/* One call and its mailbox. */
struct order {
    const struct store_app_password_new *wanted;
    const char *address;
    const char *who;
    uint64_t id;
    bool landed; /* an earlier try was committed after all */
    struct account found;
};

/* Reads the one number of a SELECT's one row. */
static enum status read_number(struct store_connection *db,
                               const struct store_sql *sql,
                               const struct store_param *params, size_t count,
                               uint64_t *number_r, struct errtext *err)
{
    enum status status = store_execute(db, sql, params, count, NULL, err);

    if (status == STATUS_OK)
        status = store_fetch(db, sql, err);
    if (status == STATUS_OK)
        *number_r = store_column_number(db, sql, 0);
    return status == STATUS_NOT_FOUND ? STATUS_TEMPFAIL : status;
}

static void append_services(struct strbuf *buf, unsigned services)
{
    const char *before = "";

    for (unsigned bit = 1; bit <= ACCOUNT_SIEVE; bit *= 2) {
        if ((services & bit) == 0)
            continue;
        strbuf_appendf(buf, "%s%s", before, account_service_name(bit));
        before = ",";
    }
}

static enum status tell(struct store_connection *db, struct order *order,
                        uint64_t id, const char *kind, const char *name,
                        struct errtext *err)
{
    struct strbuf json = STRBUF_INIT(EVENT_BYTES_MAX);
    struct strbuf value = STRBUF_INIT(EVENT_BYTES_MAX / 4);
    struct store_event event = {
        .kind = kind,
        .who = order->who,
        .address = order->address,
        .domain = order->found.domain,
        .directory = order->found.directory,
    };
    enum status status;

    strbuf_appendf(&value, "%" PRIu64, id);
    strbuf_append_char(&json, '{');
    store_event_member(&json, "id", strbuf_text(&value));
    store_event_member(&json, "name", name);
    if (order->wanted != NULL) {
        strbuf_truncate(&value, 0);
        append_services(&value, order->wanted->services);
        store_event_member(&json, "services", strbuf_text(&value));
    }
    strbuf_append_char(&json, '}');
    if (order->wanted != NULL)
        event.after = strbuf_text(&json);
    else
        event.before = strbuf_text(&json);
    status = json.failed ? status_no_memory(err)
                         : store_event_insert(db, &event, err);
    strbuf_clear(&value);
    strbuf_clear(&json);
    /* Then this try is rolled back, and the number is the earlier one's. */
    order->landed = status == STATUS_DENIED;
    if (status == STATUS_OK)
        order->id = id;
    return status;
}

static enum status insert(struct store_connection *db,
                          const struct order *order, uint64_t *id_r,
                          struct errtext *err)
{
    const struct store_app_password_new *wanted = order->wanted;
    struct store_param params[] = {
        store_text(wanted->address),
        store_text(wanted->name),
        store_text(wanted->hash),
        store_number(wanted->services),
        store_signed(wanted->expire_seconds),
        store_signed(wanted->expire_seconds),
    };
    enum status status =
        store_execute(db, &add_sql, params, ARRAY_SIZE(params), NULL, err);

    if (status == STATUS_OK)
        status = read_number(db, &id_sql, NULL, 0, id_r, err);
    return status;
}

static enum status run_add(struct store_connection *db, void *arg,
                           struct errtext *err)
{
    struct order *order = arg;
    struct store_param params[] = {store_text(order->address)};
    uint64_t count = 0;
    uint64_t id = 0;
    enum status status =
        store_take_mailbox(db, order->address, &order->found, err);

    if (status == STATUS_OK)
        status = read_number(db, &count_sql, params, 1, &count, err);
    if (status == STATUS_OK && count >= STORE_APP_PASSWORDS_MAX) {
        errtext_set(err, "%.150s has %" PRIu64 " app passwords: revoke some",
                    order->address, count);
        return STATUS_DENIED;
    }
    if (status == STATUS_OK)
        status = insert(db, order, &id, err);
    if (status == STATUS_OK)
        status =
            tell(db, order, id, "app_password_add", order->wanted->name, err);
    return status;
}

enum status store_app_password_add(struct store *store,
                                   const struct store_app_password_new *wanted,
                                   const char *who, int64_t deadline_ms,
                                   uint64_t *id_r, struct errtext *err)
{
    static const struct store_work work = {
        .run = run_add, .sync = true, .token = true};
    struct order order = {
        .wanted = wanted, .address = wanted->address, .who = who};
    enum status status = store_work(store, &work, &order, deadline_ms, err);

    account_clear(&order.found);
    if (order.landed)
        status = STATUS_OK;
    if (status == STATUS_OK)
        *id_r = order.id;
    return status;
}

static enum status run_revoke(struct store_connection *db, void *arg,
                              struct errtext *err)
{
    struct order *order = arg;
    struct store_param params[] = {
        store_text(order->address),
        store_number(order->id),
    };
    enum status status =
        store_take_mailbox(db, order->address, &order->found, err);
    char *name = NULL;
    bool active = false;

    if (status == STATUS_OK)
        status = store_execute(db, &read_sql, params, 2, NULL, err);
    if (status != STATUS_OK)
        return status;
    status = store_fetch(db, &read_sql, err);
    if (status == STATUS_NOT_FOUND)
        errtext_set(err, "%.150s has no app password %" PRIu64, order->address,
                    order->id);
    if (status == STATUS_OK) {
        active = store_column_number(db, &read_sql, 0) != 0;
        status = store_column_copy(db, &read_sql, 1, &name, err);
    }
    if (status == STATUS_OK && active) {
        status = store_execute(db, &revoke_sql, params, 2, NULL, err);
        if (status == STATUS_OK)
            status =
                tell(db, order, order->id, "app_password_revoke", name, err);
    }
    free(name);
    return status;
}

enum status store_app_password_revoke(struct store *store, const char *address,
                                      uint64_t id, const char *who,
                                      int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work work = {
        .run = run_revoke, .sync = true, .token = true};
    struct order order = {.address = address, .who = who, .id = id};
    enum status status = store_work(store, &work, &order, deadline_ms, err);

    account_clear(&order.found);
    return order.landed ? STATUS_OK : status;
}

struct listing {
    const char *address;
    const struct store_app_password_visitor *visitor;
    bool begun; /* rows that were shown are not shown again */
};

static void show(struct store_connection *db, const struct listing *listing)
{
    struct store_app_password_row row = {
        .id = store_column_number(db, &list_sql, 0),
        .name = store_column(db, &list_sql, 1),
        .services = (unsigned)store_column_number(db, &list_sql, 2),
        .active = store_column_number(db, &list_sql, 3) != 0,
        .expired = store_column_number(db, &list_sql, 4) != 0,
        .created = store_column(db, &list_sql, 5),
        .expires = store_column(db, &list_sql, 6),
        .last_used = store_column(db, &list_sql, 7),
        .last_service = store_column(db, &list_sql, 8),
        .last_client = store_column(db, &list_sql, 9),
    };

    listing->visitor->visit(&row, listing->visitor->arg);
}

static enum status run_list(struct store_connection *db, void *arg,
                            struct errtext *err)
{
    struct listing *listing = arg;
    struct store_param params[] = {store_text(listing->address)};
    enum status status;

    if (listing->begun)
        return STATUS_INVALID;
    status = store_execute(db, &list_sql, params, 1, NULL, err);
    while (status == STATUS_OK) {
        status = store_fetch(db, &list_sql, err);
        if (status != STATUS_OK)
            break;
        listing->begun = true;
        show(db, listing);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status
store_app_password_list(struct store *store, const char *address,
                        const struct store_app_password_visitor *visitor,
                        int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work work = {
        .run = run_list, .reads_only = true, .sync = true};
    struct listing listing = {.address = address, .visitor = visitor};
    enum status status = store_work(store, &work, &listing, deadline_ms, err);

    /* The connection broke in the middle of the list. */
    return status == STATUS_OK ? status : STATUS_TEMPFAIL;
}
