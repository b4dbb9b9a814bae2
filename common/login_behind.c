/* login_behind - last logins, collected and written in batches */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "login_private.h"

#include "strbuf.h"

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
#define NOTES_MAX 2000
#define NOTE_SECONDS 86400

/* Thousands of them wait on a busy host, so it is kept small. */
struct row {
    UT_hash_handle hh;
    int64_t at;
    uint64_t app_password;
    char *client; /* owned */
    unsigned service;
    char key[]; /* service and app password, blank, address */
};

/* A refusal that waits to become an event. */
struct note {
    UT_hash_handle hh;
    const char *result; /* constants */
    const char *reason;
    char *directory; /* owned, NULL: none */
    char service[16];
    char client[CLIENT_BYTES_MAX + 1];
    const char *address; /* in key */
    char key[];          /* reason, blank, address */
};

struct login_behind {
    pthread_mutex_t lock;
    struct row *rows;
    struct note *notes;
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

static void free_note(struct note *note)
{
    free(note->directory);
    free(note);
}

static void free_notes(struct note *notes)
{
    struct note *note;
    struct note *next;

    HASH_ITER(hh, notes, note, next)
    {
        HASH_DEL(notes, note);
        free_note(note);
    }
}

void login_behind_free(struct login_behind **behind)
{
    if (*behind == NULL)
        return;
    free_rows((*behind)->rows);
    free_notes((*behind)->notes);
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

static struct note *new_note(const struct login_failure *failure,
                             const char *key)
{
    size_t len = strlen(key);
    struct note *note = calloc(1, sizeof(*note) + len + 1);

    if (note == NULL)
        return NULL;
    memcpy(note->key, key, len + 1);
    note->address = strchr(note->key, ' ') + 1;
    note->result = failure->result;
    note->reason = failure->reason;
    (void)snprintf(note->service, sizeof(note->service), "%s",
                   failure->service);
    (void)snprintf(note->client, sizeof(note->client), "%s", failure->client);
    if (failure->directory != NULL)
        note->directory = strdup(failure->directory);
    return note;
}

void login_behind_note(struct login_behind *behind,
                       const struct login_failure *failure)
{
    char key[KEY_BYTES + 64];
    struct note *note = NULL;

    (void)snprintf(key, sizeof(key), "%s %s", failure->reason,
                   failure->address);
    (void)pthread_mutex_lock(&behind->lock);
    HASH_FIND_STR(behind->notes, key, note);
    if (note == NULL && HASH_COUNT(behind->notes) < NOTES_MAX) {
        note = new_note(failure, key);
        if (note != NULL)
            HASH_ADD_STR(behind->notes, key, note);
        if (note != NULL && note->hh.tbl == NULL)
            free_note(note);
    }
    (void)pthread_mutex_unlock(&behind->lock);
}

static enum status write_note(struct store *store, const struct note *note,
                              int64_t deadline_ms, struct errtext *err)
{
    struct strbuf how = STRBUF_INIT(1024);
    struct store_event event = {
        .kind = note->result,
        .who = "authd",
        .address = note->address,
        .domain = address_domain_of(note->address),
        .directory = note->directory,
        .reason = note->reason,
    };
    enum status status;

    /* A constant word and an IP address: nothing in them to escape. */
    strbuf_appendf(&how, "{\"service\": \"%s\", \"client\": \"%s\"}",
                   note->service, note->client);
    event.after = strbuf_text(&how);
    status = store_event_write(store, &event, NOTE_SECONDS, deadline_ms, err);
    strbuf_clear(&how);
    return status;
}

/* What could not be written is tried again, and is not worth more than that. */
static enum status write_notes(struct login_behind *behind, struct store *store,
                               int64_t deadline_ms, struct errtext *err)
{
    enum status status = STATUS_OK;
    struct note *notes;
    struct note *note;
    struct note *next;

    (void)pthread_mutex_lock(&behind->lock);
    notes = behind->notes;
    behind->notes = NULL;
    (void)pthread_mutex_unlock(&behind->lock);
    HASH_ITER(hh, notes, note, next)
    {
        if (status == STATUS_OK)
            status = write_note(store, note, deadline_ms, err);
        if (status != STATUS_OK)
            login_behind_note(behind, &(struct login_failure){
                                          .address = note->address,
                                          .directory = note->directory,
                                          .result = note->result,
                                          .reason = note->reason,
                                          .service = note->service,
                                          .client = note->client,
                                      });
    }
    free_notes(notes);
    return status;
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
    if (status == STATUS_OK)
        status = write_notes(behind, store, deadline_ms, err);
    free(batch);
    return status;
}
