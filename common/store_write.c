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

struct logins {
    const struct store_login *const *sorted;
    size_t count;
};

static enum status run_logins(struct store_connection *db, void *arg,
                              struct errtext *err)
{
    const struct logins *logins = arg;
    struct store_param *params =
        calloc(logins->count, LOGIN_PARAMS * sizeof(*params));
    enum status status;

    if (params == NULL)
        return status_no_memory(err);
    for (size_t i = 0; i < logins->count; i++) {
        const struct store_login *login = logins->sorted[i];
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

/* All batches lock rows in one order, so that two of them do not deadlock. */
static int compare_logins(const void *a, const void *b)
{
    const struct store_login *const *left = a;
    const struct store_login *const *right = b;
    int order = strcmp((*left)->address, (*right)->address);

    if (order != 0)
        return order;
    return (*left)->service < (*right)->service
               ? -1
               : (*left)->service > (*right)->service;
}

enum status store_logins_write(struct store *store,
                               const struct store_login *logins, size_t count,
                               int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work work = {.run = run_logins};
    const struct store_login **sorted;
    enum status status = STATUS_OK;

    if (count == 0)
        return STATUS_OK;
    sorted = calloc(count, sizeof(*sorted));
    if (sorted == NULL)
        return status_no_memory(err);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &logins[i];
    qsort(sorted, count, sizeof(*sorted), compare_logins);
    for (size_t i = 0; status == STATUS_OK && i < count;
         i += LOGINS_A_TRANSACTION) {
        struct logins part = {
            .sorted = sorted + i,
            .count = count - i < LOGINS_A_TRANSACTION ? count - i
                                                      : LOGINS_A_TRANSACTION,
        };

        status = store_work(store, &work, &part, deadline_ms, err);
    }
    free(sorted);
    return status;
}
