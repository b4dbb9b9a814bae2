/* store_attempt - see store_attempt.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_attempt.h"

#include "store_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REASON_PLACES 8U
#define CLIENT_PLACES (STORE_ATTEMPTS_MAX / REASON_PLACES)
#define WRITE_PARAMS 9

/* Columns are set from left to right: what is compared is set last. */
#define SAME                                                                   \
    "(reason = VALUES(reason) AND client = VALUES(client)"                     \
    " AND service = VALUES(service))"

static const struct store_sql write_sql = {
    STORE_SLOT_ATTEMPT_WRITE,
    "INSERT INTO attempt (address, place, result, reason, service, client,"
    " times, first_at, last_at) VALUES (?, ?, ?, LEFT(?, 64), ?, LEFT(?, 64),"
    " ?, FROM_UNIXTIME(?), FROM_UNIXTIME(?)) ON DUPLICATE KEY UPDATE"
    " first_at = IF(" SAME ", first_at, VALUES(first_at)),"
    " times = IF(" SAME ", LEAST(times + VALUES(times), 4000000000),"
    " VALUES(times)), last_at = IF(" SAME ", GREATEST(last_at,"
    " VALUES(last_at)), VALUES(last_at)), result = VALUES(result),"
    " reason = VALUES(reason), service = VALUES(service),"
    " client = VALUES(client)",
    NULL};

#define ISO(column) "DATE_FORMAT(" column ", '%Y-%m-%dT%H:%i:%sZ')"

static const struct store_sql list_sql = {
    STORE_SLOT_ATTEMPT_LIST,
    "SELECT " ISO("last_at") ", " ISO(
        "first_at") ", result, reason, service,"
                    " client, times FROM attempt WHERE address = ? ORDER BY "
                    "last_at DESC,"
                    " place",
    "ttttttn"};

/* FNV-1a; nobody gains by collisions: each client has few places. */
static unsigned hash(const char *text)
{
    uint32_t value = 2166136261U;

    for (; *text != '\0'; text++)
        value = (value ^ (unsigned char)*text) * 16777619U;
    return value;
}

unsigned store_attempt_place(const struct store_attempt *attempt)
{
    return hash(attempt->reason) % REASON_PLACES * CLIENT_PLACES +
           hash(attempt->client) % CLIENT_PLACES;
}

static enum status run_write(struct store_connection *db, void *arg,
                             struct errtext *err)
{
    const struct store_batch *batch = arg;
    struct store_param *params =
        calloc(batch->count, WRITE_PARAMS * sizeof(*params));
    enum status status;

    if (params == NULL)
        return status_no_memory(err);
    for (size_t i = 0; i < batch->count; i++) {
        const struct store_attempt *attempt = batch->rows[i];
        struct store_param *row = &params[i * WRITE_PARAMS];

        row[0] = store_text(attempt->address);
        row[1] = store_number(store_attempt_place(attempt));
        row[2] = store_text(attempt->result);
        row[3] = store_text(attempt->reason);
        row[4] = store_text(attempt->service);
        row[5] = store_text(attempt->client);
        row[6] = store_number(attempt->times);
        row[7] = store_signed(attempt->first);
        row[8] = store_signed(attempt->last);
    }
    status = store_execute_rows(db, &write_sql, params, WRITE_PARAMS,
                                (unsigned)batch->count, err);
    free(params);
    return status;
}

/* By key, so that two batches do not deadlock; of one place the newest last. */
static int compare(const void *a, const void *b)
{
    const struct store_attempt *left = *(const void *const *)a;
    const struct store_attempt *right = *(const void *const *)b;
    int order = strcmp(left->address, right->address);
    unsigned here = store_attempt_place(left);
    unsigned there = store_attempt_place(right);

    if (order != 0)
        return order;
    if (here != there)
        return here < there ? -1 : 1;
    return left->last < right->last ? -1 : left->last > right->last;
}

enum status store_attempts_write(struct store *store,
                                 const struct store_attempt *attempts,
                                 size_t count, int64_t deadline_ms,
                                 struct errtext *err)
{
    static const struct store_sorting how = {
        .work = {.run = run_write},
        .row_bytes = sizeof(*attempts),
        .rows_max = STORE_ATTEMPT_ROWS,
        .compare = compare,
    };

    return store_work_sorted(store, &how, attempts, count, deadline_ms, err);
}

struct list {
    const char *address;
    char texts[STORE_ATTEMPTS_MAX][6][65];
    uint64_t times[STORE_ATTEMPTS_MAX];
    size_t count;
};

/* Reads all rows first: a transaction that is run again tells none twice. */
static enum status run_list(struct store_connection *db, void *arg,
                            struct errtext *err)
{
    struct list *list = arg;
    struct store_param params[] = {store_text(list->address)};
    enum status status = store_execute(db, &list_sql, params, 1, NULL, err);

    list->count = 0;
    while (status == STATUS_OK) {
        status = store_fetch(db, &list_sql, err);
        if (status != STATUS_OK || list->count == STORE_ATTEMPTS_MAX)
            continue;
        for (size_t i = 0; i < 6; i++) {
            const char *text = store_column(db, &list_sql, i);

            (void)snprintf(list->texts[list->count][i], 65, "%s",
                           text != NULL ? text : "");
        }
        list->times[list->count++] = store_column_number(db, &list_sql, 6);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status store_attempt_list(struct store *store, const char *address,
                               const struct store_attempt_visitor *visitor,
                               int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work work = {.run = run_list};
    struct list *list = calloc(1, sizeof(*list));
    enum status status;

    if (list == NULL)
        return status_no_memory(err);
    list->address = address;
    status = store_work(store, &work, list, deadline_ms, err);
    for (size_t i = 0; status == STATUS_OK && i < list->count; i++) {
        char(*texts)[65] = list->texts[i];
        struct store_attempt_row row = {texts[0],      texts[1], texts[2],
                                        texts[3],      texts[4], texts[5],
                                        list->times[i]};

        if (!visitor->visit(&row, visitor->arg))
            break;
    }
    free(list);
    return status;
}

static const struct store_sql prune_sql = {
    STORE_SLOT_ATTEMPT_PRUNE,
    "DELETE FROM attempt WHERE last_at < '1970-01-01' + INTERVAL ? SECOND"
    " ORDER BY last_at LIMIT 500",
    NULL};

enum status store_attempts_prune(struct store *store, int64_t before,
                                 int64_t deadline_ms, uint64_t *count_r,
                                 struct errtext *err)
{
    return store_prune(store, &prune_sql, before, deadline_ms, count_r, err);
}
