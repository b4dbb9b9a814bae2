/* login_behind - last logins, collected and written in batches */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "login_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* uthash would exit(3) without memory. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define BEHIND_MAX 20000 /* rows that wait; beyond it, new ones are dropped */
#define BATCH_ROWS 500   /* a transaction: a cluster's write set stays small */
#define KEY_BYTES (ADDRESS_BYTES_MAX + 40)
#define CLIENT_BYTES_MAX 63

/* Thousands of them wait on a busy host, so it is kept small. */
struct row {
    UT_hash_handle hh;
    int64_t at;
    uint64_t app_password;
    char *client; /* owned */
    unsigned service;
    char key[]; /* service and app password, blank, address */
};

struct login_behind {
    pthread_mutex_t lock;
    struct row *rows;
};

enum status login_behind_new(struct login_behind **behind_r,
                             struct errtext *err)
{
    struct login_behind *behind = calloc(1, sizeof(*behind));

    if (behind == NULL)
        return status_no_memory(err);
    (void)pthread_mutex_init(&behind->lock, NULL);
    *behind_r = behind;
    return STATUS_OK;
}

static void free_row(struct row *row)
{
    free(row->client);
    free(row);
}

static const char *address_of(const struct row *row)
{
    return strchr(row->key, ' ') + 1;
}

static void free_rows(struct row *rows)
{
    struct row *row;
    struct row *next;

    HASH_ITER(hh, rows, row, next)
    {
        HASH_DEL(rows, row);
        free_row(row);
    }
}

void login_behind_free(struct login_behind **behind)
{
    if (*behind == NULL)
        return;
    free_rows((*behind)->rows);
    (void)pthread_mutex_destroy(&(*behind)->lock);
    free(*behind);
    *behind = NULL;
}

static struct row *new_row(const char *key)
{
    size_t len = strlen(key);
    struct row *row = calloc(1, sizeof(*row) + len + 1);

    if (row != NULL)
        memcpy(row->key, key, len + 1);
    return row;
}

/* Finds or adds the row of a key; NULL when full or without memory. */
static struct row *row_of(struct login_behind *behind, const char *key)
{
    struct row *row = NULL;

    HASH_FIND_STR(behind->rows, key, row);
    if (row != NULL || HASH_COUNT(behind->rows) >= BEHIND_MAX)
        return row;
    row = new_row(key);
    if (row == NULL)
        return NULL;
    HASH_ADD_STR(behind->rows, key, row);
    if (row->hh.tbl == NULL) {
        free_row(row);
        return NULL;
    }
    return row;
}

/* Without memory the client is not known. */
static void set_client(struct row *row, const char *client)
{
    if (row->client != NULL && strcmp(row->client, client) == 0)
        return;
    free(row->client);
    row->client = client[0] != '\0' ? strndup(client, CLIENT_BYTES_MAX) : NULL;
}

void login_behind_add(struct login_behind *behind,
                      const struct store_login *seen)
{
    char key[KEY_BYTES];
    struct row *row;

    (void)snprintf(key, sizeof(key), "%u:%" PRIu64 " %s", seen->service,
                   seen->app_password, seen->address);
    (void)pthread_mutex_lock(&behind->lock);
    row = row_of(behind, key);
    if (row != NULL && seen->at >= row->at) {
        set_client(row, seen->client);
        row->service = seen->service;
        row->at = seen->at;
        row->app_password = seen->app_password;
    }
    (void)pthread_mutex_unlock(&behind->lock);
}

/* Fills at most BATCH_ROWS from the front of rows; returns how many. */
static size_t fill_batch(struct row *rows, struct store_login *batch)
{
    size_t count = 0;

    for (struct row *row = rows; row != NULL && count < BATCH_ROWS;
         row = row->hh.next)
        batch[count++] = (struct store_login){
            .address = address_of(row),
            .service = row->service,
            .client = row->client != NULL ? row->client : "",
            .at = row->at,
            .app_password = row->app_password,
        };
    return count;
}

static void drop_first(struct row **rows, size_t count)
{
    while (count-- > 0 && *rows != NULL) {
        struct row *first = *rows;

        HASH_DEL(*rows, first);
        free_row(first);
    }
}

/* Puts rows that could not be written back among those that came since. */
static void put_back(struct login_behind *behind, struct row *rows)
{
    for (struct row *row = rows; row != NULL; row = row->hh.next) {
        struct store_login seen = {
            .address = address_of(row),
            .service = row->service,
            .client = row->client != NULL ? row->client : "",
            .at = row->at,
            .app_password = row->app_password,
        };

        login_behind_add(behind, &seen);
    }
    free_rows(rows);
}

enum status login_behind_write(struct login_behind *behind, struct store *store,
                               int64_t deadline_ms, struct errtext *err)
{
    struct store_login *batch = calloc(BATCH_ROWS, sizeof(*batch));
    enum status status = STATUS_OK;
    struct row *rows;

    if (batch == NULL)
        return status_no_memory(err);
    (void)pthread_mutex_lock(&behind->lock);
    rows = behind->rows;
    behind->rows = NULL;
    (void)pthread_mutex_unlock(&behind->lock);
    while (rows != NULL && status == STATUS_OK) {
        size_t count = fill_batch(rows, batch);

        status = store_logins_write(store, batch, count, deadline_ms, err);
        if (status == STATUS_OK)
            drop_first(&rows, count);
    }
    if (rows != NULL)
        put_back(behind, rows);
    free(batch);
    return status;
}
