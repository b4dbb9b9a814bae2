/* store_read - see store.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_mailbox.h"
#include "store_private.h"

#include "secret.h"

#include <stdlib.h>
#include <string.h>

/* A mailbox with more has its newest used. */
#define APP_PASSWORDS_MAX 100

static const struct store_sql app_passwords_sql = {
    STORE_SLOT_APP_PASSWORDS,
    "SELECT id, hash, services FROM app_password"
    " WHERE address = ? AND active = 1"
    " AND (expires IS NULL OR expires > UTC_TIMESTAMP())"
    " ORDER BY id DESC LIMIT 100",
    "ntn"};

struct find_id {
    const char *directory;
    const char *id;
    struct account account;
};

static enum status run_find_id(struct store_connection *db, void *arg,
                               struct errtext *err)
{
    struct find_id *find = arg;

    account_clear(&find->account);
    return store_read_mailbox_id(db, find->directory, find->id, &find->account,
                                 err);
}

enum status store_find_id(struct store *store, const char *directory,
                          const char *id, int64_t deadline_ms,
                          struct account *account_r, struct errtext *err)
{
    static const struct store_work work = {
        .run = run_find_id, .reads_only = true, .sync = true};
    struct find_id find = {.directory = directory, .id = id};
    enum status status = store_work(store, &work, &find, deadline_ms, err);

    if (status == STATUS_OK)
        *account_r = find.account;
    else
        account_clear(&find.account);
    return status;
}

struct aliases {
    const char *address;
    char **list;
    size_t count;
};

static enum status run_aliases(struct store_connection *db, void *arg,
                               struct errtext *err)
{
    struct aliases *aliases = arg;

    store_aliases_free(&aliases->list, aliases->count);
    aliases->count = 0;
    return store_read_aliases(db, aliases->address, &aliases->list,
                              &aliases->count, err);
}

enum status store_load_aliases(struct store *store, struct account *account,
                               int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work work = {
        .run = run_aliases, .reads_only = true, .sync = true};
    struct aliases aliases = {.address = account->address};
    enum status status = store_work(store, &work, &aliases, deadline_ms, err);

    if (status != STATUS_OK) {
        store_aliases_free(&aliases.list, aliases.count);
        return STATUS_TEMPFAIL;
    }
    store_aliases_free(&account->aliases, account->alias_count);
    account->aliases = aliases.list;
    account->alias_count = aliases.count;
    account->aliases_known = true;
    return STATUS_OK;
}

struct app_passwords {
    const char *address;
    struct store_app_password *list;
    size_t count;
};

void store_app_passwords_free(struct store_app_password **list, size_t count)
{
    for (size_t i = 0; *list != NULL && i < count; i++)
        secret_free(&(*list)[i].hash);
    free(*list);
    *list = NULL;
}

static enum status read_app_password(struct store_connection *db,
                                     struct app_passwords *found,
                                     struct errtext *err)
{
    struct store_app_password *one = &found->list[found->count];
    enum status status =
        store_column_copy(db, &app_passwords_sql, 1, &one->hash, err);

    if (status != STATUS_OK)
        return status;
    one->id = store_column_number(db, &app_passwords_sql, 0);
    one->services = (unsigned)store_column_number(db, &app_passwords_sql, 2);
    found->count++;
    return STATUS_OK;
}

static enum status run_app_passwords(struct store_connection *db, void *arg,
                                     struct errtext *err)
{
    struct app_passwords *found = arg;
    struct store_param params[] = {store_text(found->address)};
    enum status status;

    store_app_passwords_free(&found->list, found->count);
    found->count = 0;
    status = store_execute(db, &app_passwords_sql, params, 1, NULL, err);
    if (status == STATUS_OK)
        status = store_fetch(db, &app_passwords_sql, err);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    found->list = calloc(APP_PASSWORDS_MAX, sizeof(*found->list));
    if (found->list == NULL)
        return status_no_memory(err);
    while (status == STATUS_OK && found->count < APP_PASSWORDS_MAX) {
        status = read_app_password(db, found, err);
        if (status == STATUS_OK)
            status = store_fetch(db, &app_passwords_sql, err);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status store_app_passwords(struct store *store, const char *address,
                                int64_t deadline_ms,
                                struct store_app_password **list_r,
                                size_t *count_r, struct errtext *err)
{
    static const struct store_work work = {
        .run = run_app_passwords, .reads_only = true, .sync = true};
    struct app_passwords found = {.address = address};
    enum status status = store_work(store, &work, &found, deadline_ms, err);

    if (status != STATUS_OK) {
        store_app_passwords_free(&found.list, found.count);
        return STATUS_TEMPFAIL;
    }
    *list_r = found.list;
    *count_r = found.count;
    return STATUS_OK;
}
