/* store_rate - see store_rate.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_rate.h"

#include "store_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct store_sql clock_sql = {
    STORE_SLOT_RATE_CLOCK,
    "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV"
    " 1000",
    "n"};

static const struct store_sql write_sql = {
    STORE_SLOT_RATE_WRITE,
    "INSERT INTO rate_usage (node, kind, subject, period, bucket, count, batch,"
    " expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    " ON DUPLICATE KEY UPDATE count = VALUES(count), batch = VALUES(batch)",
    NULL};

#define WRITE_PARAMS 8

static const struct store_sql nodes_sql = {
    STORE_SLOT_RATE_NODES,
    "SELECT node, MAX(batch) FROM rate_usage GROUP BY node ORDER BY node"
    " LIMIT 64",
    "tn"};
_Static_assert(STORE_RATE_NODES_MAX == 64, "as in the statement");

static const struct store_sql read_sql = {
    STORE_SLOT_RATE_READ,
    "SELECT subject, kind, period, bucket, count, batch, expires"
    " FROM rate_usage WHERE node = ? AND batch > ?"
    " AND expires > UNIX_TIMESTAMP() ORDER BY batch LIMIT 501",
    "tnnnnnn"};

static const struct store_sql prune_sql = {
    STORE_SLOT_RATE_PRUNE,
    "DELETE FROM rate_usage WHERE expires < UNIX_TIMESTAMP()"
    " AND (node = ? OR expires < UNIX_TIMESTAMP() - 3600) LIMIT 500",
    NULL};
_Static_assert(STORE_RATE_ROWS_MAX == 500, "as in the statements");

static const struct store_sql renames_sql = {
    STORE_SLOT_RATE_RENAMES,
    "SELECT id, JSON_VALUE(before_json, '$.address'), address FROM event"
    " WHERE kind = 'rename' AND id > ? AND at > UTC_TIMESTAMP() - INTERVAL 1"
    " DAY AND address IS NOT NULL ORDER BY id LIMIT 100",
    "ntt"};
_Static_assert(STORE_RATE_RENAMES_MAX == 100, "as in the statement");

/* The arguments of one call, for its body. */
struct rate_work {
    const char *node;
    uint64_t number; /* a batch, or an id */
    const struct store_rate_row *write;
    struct store_rate_row *rows;
    struct store_rate_node *nodes;
    struct store_rate_rename *renames;
    size_t count;
    uint64_t result;
};

/* Copies a column into room of size bytes. False: it is longer, or NULL. */
static bool copy_text(const struct store_connection *db,
                      const struct store_sql *sql, size_t column, char *text,
                      size_t size)
{
    const char *value = store_column(db, sql, column);

    return value != NULL && snprintf(text, size, "%s", value) < (int)size;
}

static enum status run_clock(struct store_connection *db, void *arg,
                             struct errtext *err)
{
    struct rate_work *work = arg;
    enum status status = store_execute(db, &clock_sql, NULL, 0, NULL, err);

    if (status == STATUS_OK)
        status = store_fetch(db, &clock_sql, err);
    if (status == STATUS_OK)
        work->result = store_column_number(db, &clock_sql, 0);
    return status == STATUS_OK ? STATUS_OK : STATUS_TEMPFAIL;
}

enum status store_rate_clock(struct store *store, int64_t deadline_ms,
                             int64_t *utc_ms_r, struct errtext *err)
{
    static const struct store_work how = {.run = run_clock, .reads_only = true};
    struct rate_work work = {.result = 0};
    enum status status = store_work(store, &how, &work, deadline_ms, err);

    if (status == STATUS_OK)
        *utc_ms_r = (int64_t)work.result;
    return status;
}

static enum status run_write(struct store_connection *db, void *arg,
                             struct errtext *err)
{
    const struct rate_work *work = arg;
    struct store_param *params =
        calloc(work->count, WRITE_PARAMS * sizeof(*params));
    enum status status;

    if (params == NULL)
        return status_no_memory(err);
    for (size_t i = 0; i < work->count; i++) {
        const struct store_rate_row *from = &work->write[i];
        struct store_param *row = &params[i * WRITE_PARAMS];

        row[0] = store_text(work->node);
        row[1] = store_number(from->kind);
        row[2] = store_text(from->subject);
        row[3] = store_number(from->seconds);
        row[4] = store_signed(from->bucket);
        row[5] = store_number(from->count);
        row[6] = store_number(work->number);
        row[7] = store_signed(from->expires);
    }
    status = store_execute_rows(db, &write_sql, params, WRITE_PARAMS,
                                (unsigned)work->count, err);
    free(params);
    return status;
}

enum status store_rate_write(struct store *store, const char *node,
                             uint64_t batch, const struct store_rate_row *rows,
                             size_t count, int64_t deadline_ms,
                             struct errtext *err)
{
    static const struct store_work how = {.run = run_write};
    struct rate_work work = {
        .node = node, .number = batch, .write = rows, .count = count};

    if (count == 0)
        return STATUS_OK;
    return store_work(store, &how, &work, deadline_ms, err);
}

static enum status run_nodes(struct store_connection *db, void *arg,
                             struct errtext *err)
{
    struct rate_work *work = arg;
    enum status status = store_execute(db, &nodes_sql, NULL, 0, NULL, err);

    work->count = 0;
    if (status != STATUS_OK)
        return status;
    while ((status = store_fetch(db, &nodes_sql, err)) == STATUS_OK) {
        struct store_rate_node *node = &work->nodes[work->count];

        if (!copy_text(db, &nodes_sql, 0, node->name, sizeof(node->name)))
            continue;
        node->batch = store_column_number(db, &nodes_sql, 1);
        work->count++;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status store_rate_nodes(struct store *store, int64_t deadline_ms,
                             struct store_rate_node *nodes, size_t *count_r,
                             struct errtext *err)
{
    static const struct store_work how = {.run = run_nodes, .reads_only = true};
    struct rate_work work = {.nodes = nodes};
    enum status status = store_work(store, &how, &work, deadline_ms, err);

    if (status == STATUS_OK)
        *count_r = work.count;
    return status;
}

static enum status run_read(struct store_connection *db, void *arg,
                            struct errtext *err)
{
    struct rate_work *work = arg;
    struct store_param params[] = {
        store_text(work->node),
        store_number(work->number),
    };
    enum status status =
        store_execute(db, &read_sql, params, ARRAY_SIZE(params), NULL, err);

    work->count = 0;
    if (status != STATUS_OK)
        return status;
    while ((status = store_fetch(db, &read_sql, err)) == STATUS_OK) {
        struct store_rate_row *row = &work->rows[work->count];

        if (!copy_text(db, &read_sql, 0, row->subject, sizeof(row->subject)))
            continue;
        row->kind = (unsigned)store_column_number(db, &read_sql, 1);
        row->seconds = (uint32_t)store_column_number(db, &read_sql, 2);
        row->bucket = (int64_t)store_column_number(db, &read_sql, 3);
        row->count = (uint32_t)store_column_number(db, &read_sql, 4);
        row->batch = store_column_number(db, &read_sql, 5);
        row->expires = (int64_t)store_column_number(db, &read_sql, 6);
        work->count++;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status store_rate_read(struct store *store, const char *node,
                            uint64_t batch, int64_t deadline_ms,
                            struct store_rate_row *rows, size_t *count_r,
                            struct errtext *err)
{
    /* A reader that decides: on a cluster, after what was committed before. */
    static const struct store_work how = {
        .run = run_read, .reads_only = true, .sync = true};
    struct rate_work work = {.node = node, .number = batch, .rows = rows};
    enum status status = store_work(store, &how, &work, deadline_ms, err);

    if (status == STATUS_OK)
        *count_r = work.count;
    return status;
}

static enum status run_prune(struct store_connection *db, void *arg,
                             struct errtext *err)
{
    struct rate_work *work = arg;
    struct store_param params[] = {store_text(work->node)};

    return store_execute(db, &prune_sql, params, ARRAY_SIZE(params),
                         &work->result, err);
}

enum status store_rate_prune(struct store *store, const char *node,
                             int64_t deadline_ms, uint64_t *removed_r,
                             struct errtext *err)
{
    static const struct store_work how = {.run = run_prune};
    struct rate_work work = {.node = node};
    enum status status = store_work(store, &how, &work, deadline_ms, err);

    if (status == STATUS_OK)
        *removed_r = work.result;
    return status;
}

static enum status run_renames(struct store_connection *db, void *arg,
                               struct errtext *err)
{
    struct rate_work *work = arg;
    struct store_param params[] = {store_number(work->number)};
    enum status status =
        store_execute(db, &renames_sql, params, ARRAY_SIZE(params), NULL, err);

    work->count = 0;
    if (status != STATUS_OK)
        return status;
    while ((status = store_fetch(db, &renames_sql, err)) == STATUS_OK) {
        struct store_rate_rename *rename = &work->renames[work->count];

        if (!copy_text(db, &renames_sql, 1, rename->from,
                       sizeof(rename->from)) ||
            !copy_text(db, &renames_sql, 2, rename->to, sizeof(rename->to)))
            continue;
        rename->id = store_column_number(db, &renames_sql, 0);
        work->count++;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status store_rate_renames(struct store *store, uint64_t id,
                               int64_t deadline_ms,
                               struct store_rate_rename *renames,
                               size_t *count_r, struct errtext *err)
{
    static const struct store_work how = {.run = run_renames,
                                          .reads_only = true};
    struct rate_work work = {.number = id, .renames = renames};
    enum status status = store_work(store, &how, &work, deadline_ms, err);

    if (status == STATUS_OK)
        *count_r = work.count;
    return status;
}
