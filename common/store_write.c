/* store_write - see store.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_private.h"

#include <stdlib.h>
#include <string.h>

#define LOGINS_A_TRANSACTION 500

/* A batch that comes late does not put the clock back. */
static const struct store_sql login_sql = {
    STORE_SLOT_LOGIN_WRITE,
    "INSERT INTO last_login (address, service, at, client, app_password)"
    " VALUES (?, ?, FROM_UNIXTIME(?), LEFT(?, 64), NULLIF(?, 0))"
    " ON DUPLICATE KEY UPDATE"
    " client = IF(VALUES(at) >= at, VALUES(client), client),"
    " app_password = IF(VALUES(at) >= at, VALUES(app_password), app_password),"
    " at = GREATEST(at, VALUES(at))",
    NULL};

#define LOGIN_PARAMS 5

/* The number alone names it: a rename may just have moved its mailbox. */
static const struct store_sql app_password_sql = {
    STORE_SLOT_LOGIN_APP_PASSWORD,
    "UPDATE app_password SET last_service = ?, last_client = LEFT(?, 64),"
    " last_used = FROM_UNIXTIME(?) WHERE id = ?"
    " AND (last_used IS NULL OR last_used <= FROM_UNIXTIME(?))",
    NULL};

#define APP_PASSWORD_PARAMS 5

/* Each app password has its own last use. */
static enum status write_app_passwords(struct store_connection *db,
                                       const struct store_batch *logins,
                                       struct errtext *err)
{
    struct store_param *params =
        calloc(logins->count, APP_PASSWORD_PARAMS * sizeof(*params));
    enum status status = STATUS_OK;
    unsigned count = 0;

    if (params == NULL)
        return status_no_memory(err);
    for (size_t i = 0; i < logins->count; i++) {
        const struct store_login *login = logins->rows[i];
        struct store_param *row = &params[count * APP_PASSWORD_PARAMS];

        if (login->app_password == 0)
            continue;
        row[0] = store_text(account_service_name(login->service));
        row[1] = store_text(login->client != NULL ? login->client : "");
        row[2] = store_signed(login->at);
        row[3] = store_number(login->app_password);
        row[4] = store_signed(login->at);
        count++;
    }
    if (count > 0)
        status = store_execute_rows(db, &app_password_sql, params,
                                    APP_PASSWORD_PARAMS, count, err);
    free(params);
    return status;
}

static enum status write_logins(struct store_connection *db,
                                const struct store_batch *logins,
                                struct errtext *err)
{
    struct store_param *params =
        calloc(logins->count, LOGIN_PARAMS * sizeof(*params));
    enum status status;

    if (params == NULL)
        return status_no_memory(err);
    for (size_t i = 0; i < logins->count; i++) {
        const struct store_login *login = logins->rows[i];
        struct store_param *row = &params[i * LOGIN_PARAMS];

        row[0] = store_text(login->address);
        row[1] = store_text(account_service_name(login->service));
        row[2] = store_signed(login->at);
        row[3] = store_text(login->client != NULL ? login->client : "");
        row[4] = store_number(login->app_password);
    }
    status = store_execute_rows(db, &login_sql, params, LOGIN_PARAMS,
                                (unsigned)logins->count, err);
    free(params);
    return status;
}

static enum status run_logins(struct store_connection *db, void *arg,
                              struct errtext *err)
{
    const struct store_batch *logins = arg;
    enum status status = write_logins(db, logins, err);

    return status == STATUS_OK ? write_app_passwords(db, logins, err) : status;
}

/* All batches lock rows in one order, so that two of them do not deadlock. */
static int compare_logins(const void *a, const void *b)
{
    const struct store_login *left = *(const void *const *)a;
    const struct store_login *right = *(const void *const *)b;
    int order = strcmp(left->address, right->address);

    if (order != 0)
        return order;
    if (left->service != right->service)
        return left->service < right->service ? -1 : 1;
    return left->app_password < right->app_password
               ? -1
               : left->app_password > right->app_password;
}

enum status store_logins_write(struct store *store,
                               const struct store_login *logins, size_t count,
                               int64_t deadline_ms, struct errtext *err)
{
    static const struct store_sorting how = {
        .work = {.run = run_logins},
        .row_bytes = sizeof(*logins),
        .rows_max = LOGINS_A_TRANSACTION,
        .compare = compare_logins,
    };

    return store_work_sorted(store, &how, logins, count, deadline_ms, err);
}
