/* store_lease - see store_lease.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_lease.h"

#include "store_private.h"

#include <inttypes.h>
#include <stdio.h>

static const struct store_sql make_sql = {
    STORE_SLOT_LEASE_MAKE,
    "INSERT IGNORE INTO lease (name, epoch, holder, until)"
    " VALUES (?, 0, '', UTC_TIMESTAMP(3))",
    NULL};

static const struct store_sql take_sql = {
    STORE_SLOT_LEASE_TAKE,
    "UPDATE lease SET epoch = epoch + 1, holder = ?,"
    " until = UTC_TIMESTAMP(3) + INTERVAL ? SECOND"
    " WHERE name = ? AND (holder = '' OR until < UTC_TIMESTAMP(3))",
    NULL};

static const struct store_sql read_sql = {
    STORE_SLOT_LEASE_READ,
    "SELECT epoch, holder,"
    " GREATEST(TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(3), until), 0)"
    " FROM lease WHERE name = ?",
    "ntn"};

static const struct store_sql hold_sql = {
    STORE_SLOT_LEASE_HOLD,
    "UPDATE lease SET until = UTC_TIMESTAMP(3) + INTERVAL ? SECOND"
    " WHERE name = ? AND epoch = ? AND holder <> ''",
    NULL};

static const struct store_sql release_sql = {
    STORE_SLOT_LEASE_RELEASE,
    "UPDATE lease SET holder = '', until = UTC_TIMESTAMP(3)"
    " WHERE name = ? AND epoch = ?",
    NULL};

struct taking {
    struct store_lease lease;
    const char *holder;
    char other[256]; /* who has it, "" : we */
    uint64_t other_seconds;
};

static enum status read_lease(struct store_connection *db,
                              struct taking *taking, bool taken,
                              struct errtext *err)
{
    struct store_param params[] = {store_text(taking->lease.name)};
    enum status status = store_execute(db, &read_sql, params, 1, NULL, err);

    if (status == STATUS_OK)
        status = store_fetch(db, &read_sql, err);
    if (status != STATUS_OK)
        return STATUS_TEMPFAIL;
    taking->lease.epoch = store_column_number(db, &read_sql, 0);
    taking->other[0] = '\0';
    if (!taken)
        (void)snprintf(taking->other, sizeof(taking->other), "%s",
                       store_column(db, &read_sql, 1));
    taking->other_seconds = store_column_number(db, &read_sql, 2);
    return STATUS_OK;
}

static enum status run_take(struct store_connection *db, void *arg,
                            struct errtext *err)
{
    struct taking *taking = arg;
    struct store_param name[] = {store_text(taking->lease.name)};
    struct store_param params[] = {
        store_text(taking->holder),
        store_number(STORE_LEASE_SECONDS),
        store_text(taking->lease.name),
    };
    uint64_t rows = 0;
    enum status status = store_execute(db, &make_sql, name, 1, NULL, err);

    if (status == STATUS_OK)
        status = store_execute(db, &take_sql, params, 3, &rows, err);
    if (status != STATUS_OK)
        return STATUS_TEMPFAIL;
    return read_lease(db, taking, rows > 0, err);
}

enum status store_lease_take(struct store *store, const char *name,
                             const char *holder, int64_t deadline_ms,
                             struct store_lease *lease_r, struct errtext *err)
{
    static const struct store_work work = {.run = run_take, .sync = true};
    struct taking taking = {.holder = holder};
    enum status status;

    (void)snprintf(taking.lease.name, sizeof(taking.lease.name), "%s", name);
    status = store_work(store, &work, &taking, deadline_ms, err);
    if (status != STATUS_OK)
        return status;
    if (taking.other[0] != '\0') {
        errtext_set(err,
                    "another run is at work: %s (its lease ends in %" PRIu64
                    " s unless it is renewed)",
                    taking.other, taking.other_seconds);
        return STATUS_DENIED;
    }
    *lease_r = taking.lease;
    return STATUS_OK;
}

enum status store_lease_hold(struct store_connection *db,
                             const struct store_lease *lease,
                             struct errtext *err)
{
    struct store_param params[] = {
        store_number(STORE_LEASE_SECONDS),
        store_text(lease->name),
        store_number(lease->epoch),
    };
    uint64_t rows = 0;
    enum status status = store_execute(db, &hold_sql, params, 3, &rows, err);

    if (status == STATUS_OK && rows == 0) {
        errtext_set(err, "another run took the lease: this one was too slow, "
                         "and writes nothing any more");
        return STATUS_INVALID;
    }
    return status;
}

static enum status run_hold(struct store_connection *db, void *arg,
                            struct errtext *err)
{
    return store_lease_hold(db, arg, err);
}

enum status store_lease_renew(struct store *store,
                              const struct store_lease *lease,
                              int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work work = {.run = run_hold};
    struct store_lease copy = *lease;

    return store_work(store, &work, &copy, deadline_ms, err);
}

static enum status run_release(struct store_connection *db, void *arg,
                               struct errtext *err)
{
    const struct store_lease *lease = arg;
    struct store_param params[] = {store_text(lease->name),
                                   store_number(lease->epoch)};

    return store_execute(db, &release_sql, params, 2, NULL, err);
}

void store_lease_release(struct store *store, const struct store_lease *lease,
                         int64_t deadline_ms)
{
    static const struct store_work work = {.run = run_release};
    struct store_lease copy = *lease;

    if (store_work(store, &work, &copy, deadline_ms, NULL) != STATUS_OK)
        return;
}
