/* store_alias - see store_mailbox.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_mailbox.h"

#include "store_private.h"

#include "address.h"

#include <stdlib.h>
#include <string.h>

/* Of one mailbox; a directory entry with more is a fault of the entry. */
#define ALIASES_MAX 10000

static const struct store_sql list_sql = {
    STORE_SLOT_ALIASES,
    "SELECT address FROM alias WHERE owner = ? AND kind = 'directory'"
    " ORDER BY address",
    "t"};

static const struct store_sql read_sql = {
    STORE_SLOT_ALIAS_READ,
    "SELECT owner, targets, kind = 'self', kind = 'directory' FROM alias"
    " WHERE address = ?",
    "ttnn"};

static const struct store_sql insert_sql = {
    STORE_SLOT_ALIAS_ADD,
    "INSERT INTO alias (address, domain, local_part, targets, kind, owner)"
    " VALUES (?, ?, ?, ?, ?, ?)",
    NULL};

static const struct store_sql delete_sql = {
    STORE_SLOT_ALIAS_REMOVE,
    "DELETE FROM alias WHERE address = ? AND owner = ? AND kind = 'directory'",
    NULL};

static const struct store_sql turn_sql = {
    STORE_SLOT_ALIAS_TURN,
    "UPDATE alias SET kind = ?, targets = owner, active = 1, expires = NULL"
    " WHERE address = ? AND owner = ?",
    NULL};

static const struct store_sql drop_sql = {
    STORE_SLOT_ALIAS_DROP, "DELETE FROM alias WHERE address = ? AND owner = ?",
    NULL};

static const struct store_sql expire_sql = {
    STORE_SLOT_ALIAS_EXPIRE,
    "UPDATE alias SET expires = UTC_TIMESTAMP() + INTERVAL ? SECOND"
    " WHERE address = ?",
    NULL};

/*
 * What a rename moves, in this order; params has a digit a parameter, 1 new
 * name, 0 old one. Rows that an earlier mailbox of the new name left behind
 * make room.
 */
static const struct {
    const char *text;
    const char *params;
} moves[] = {
    {"UPDATE alias SET targets = ? WHERE owner = ? AND targets = ?", "100"},
    {"UPDATE alias SET owner = ? WHERE owner = ?", "10"},
    {"UPDATE alias SET targets = TRIM(BOTH ',' FROM REPLACE("
     "CONCAT(',', targets, ','), CONCAT(',', ?, ','), CONCAT(',', ?, ',')))"
     " WHERE kind = 'admin' AND FIND_IN_SET(?, targets)",
     "010"},
    {"DELETE FROM quota2 WHERE username = ?", "1"},
    {"UPDATE quota2 SET username = ? WHERE username = ?", "10"},
    {"UPDATE app_password SET address = ? WHERE address = ?", "10"},
    {"UPDATE IGNORE sender_acl SET login = ? WHERE login = ?", "10"},
    {"DELETE FROM last_login WHERE address = ?", "1"},
    {"UPDATE last_login SET address = ? WHERE address = ?", "10"},
    {"UPDATE IGNORE attempt SET address = ? WHERE address = ?", "10"},
};
_Static_assert(ARRAY_SIZE(moves) ==
                   STORE_SLOT_MOVE_LAST - STORE_SLOT_MOVE_FIRST + 1,
               "each move has its slot");

void store_alias_clear(struct store_alias *alias)
{
    free(alias->owner);
    free(alias->targets);
    *alias = (struct store_alias){0};
}

enum status store_read_alias(struct store_connection *db, const char *address,
                             struct store_alias *alias_r, struct errtext *err)
{
    struct store_param params[] = {store_text(address)};
    struct store_alias alias = {0};
    enum status status = store_execute(db, &read_sql, params, 1, NULL, err);

    if (status == STATUS_OK)
        status = store_fetch(db, &read_sql, err);
    if (status == STATUS_OK)
        status = store_column_copy(db, &read_sql, 0, &alias.owner, err);
    if (status == STATUS_OK)
        status = store_column_copy(db, &read_sql, 1, &alias.targets, err);
    if (status != STATUS_OK) {
        store_alias_clear(&alias);
        return status;
    }
    alias.is_self = store_column_number(db, &read_sql, 2) != 0;
    alias.is_directory = store_column_number(db, &read_sql, 3) != 0;
    *alias_r = alias;
    return STATUS_OK;
}

#define INSERT_PARAMS 6

/* Fills in a row's parameters; local_part has to live as long as they do. */
static enum status fill_insert(struct store_param *params,
                               const struct store_new_alias *alias,
                               char local_part[ADDRESS_LOCAL_BYTES_MAX + 1],
                               struct errtext *err)
{
    const char *at = strrchr(alias->address, '@');

    if (at == NULL || at - alias->address > ADDRESS_LOCAL_BYTES_MAX) {
        errtext_set(err, "%s is no address", alias->address);
        return STATUS_TEMPFAIL;
    }
    memcpy(local_part, alias->address, (size_t)(at - alias->address));
    local_part[at - alias->address] = '\0';
    params[0] = store_text(alias->address);
    params[1] = store_text(at + 1);
    params[2] = store_text(local_part);
    params[3] = store_text(alias->owner);
    params[4] = store_text(alias->kind);
    params[5] = store_text(alias->owner);
    return STATUS_OK;
}

enum status store_insert_alias(struct store_connection *db, const char *address,
                               const char *kind, const char *owner,
                               struct errtext *err)
{
    struct store_new_alias alias = {address, kind, owner};

    return store_insert_aliases(db, &alias, 1, err);
}

enum status store_insert_aliases(struct store_connection *db,
                                 const struct store_new_alias *aliases,
                                 size_t count, struct errtext *err)
{
    struct store_param *params =
        calloc(count + 1, INSERT_PARAMS * sizeof(*params));
    char(*locals)[ADDRESS_LOCAL_BYTES_MAX + 1] =
        calloc(count + 1, sizeof(*locals));
    enum status status = STATUS_OK;

    if (params == NULL || locals == NULL)
        status = status_no_memory(err);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = fill_insert(&params[i * INSERT_PARAMS], &aliases[i], locals[i],
                             err);
    if (status == STATUS_OK && count > 0)
        status = store_execute_rows(db, &insert_sql, params, INSERT_PARAMS,
                                    (unsigned)count, err);
    free(params);
    free(locals);
    return status;
}

enum status store_drop_alias(struct store_connection *db, const char *address,
                             const char *owner, struct errtext *err)
{
    struct store_param params[] = {store_text(address), store_text(owner)};

    return store_execute(db, &drop_sql, params, ARRAY_SIZE(params), NULL, err);
}

enum status store_expire_alias(struct store_connection *db, const char *address,
                               uint64_t seconds, struct errtext *err)
{
    struct store_param params[] = {store_number(seconds), store_text(address)};

    return store_execute(db, &expire_sql, params, ARRAY_SIZE(params), NULL,
                         err);
}

enum status store_delete_alias(struct store_connection *db, const char *address,
                               const char *owner, struct errtext *err)
{
    struct store_param params[] = {store_text(address), store_text(owner)};

    return store_execute(db, &delete_sql, params, ARRAY_SIZE(params), NULL,
                         err);
}

enum status store_turn_alias(struct store_connection *db, const char *address,
                             const char *kind, const char *owner,
                             struct errtext *err)
{
    struct store_param params[] = {
        store_text(kind),
        store_text(address),
        store_text(owner),
    };
    uint64_t rows = 0;
    enum status status =
        store_execute(db, &turn_sql, params, ARRAY_SIZE(params), &rows, err);

    return status == STATUS_OK && rows == 0 ? STATUS_NOT_FOUND : status;
}

void store_aliases_free(char ***list, size_t count)
{
    for (size_t i = 0; *list != NULL && i < count; i++)
        free((*list)[i]);
    free(*list);
    *list = NULL;
}

/* Adds one to a list that has room for a power of two of them. */
static enum status add_alias(char ***list, size_t count, const char *address,
                             struct errtext *err)
{
    if (count == ALIASES_MAX) {
        errtext_set(err, "store: a mailbox has over %d aliases", ALIASES_MAX);
        return STATUS_TEMPFAIL;
    }
    if ((count & (count - 1)) == 0) {
        size_t room = count > 0 ? 2 * count : 1;
        char **larger = realloc(*list, room * sizeof(*larger));

        if (larger == NULL)
            return status_no_memory(err);
        *list = larger;
    }
    (*list)[count] = strdup(address);
    return (*list)[count] != NULL ? STATUS_OK : status_no_memory(err);
}

enum status store_read_aliases(struct store_connection *db, const char *owner,
                               char ***list_r, size_t *count_r,
                               struct errtext *err)
{
    struct store_param params[] = {store_text(owner)};
    char **list = NULL;
    size_t count = 0;
    enum status status = store_execute(db, &list_sql, params, 1, NULL, err);

    while (status == STATUS_OK) {
        status = store_fetch(db, &list_sql, err);
        if (status == STATUS_OK)
            status =
                add_alias(&list, count, store_column(db, &list_sql, 0), err);
        if (status == STATUS_OK)
            count++;
    }
    if (status != STATUS_NOT_FOUND) {
        store_aliases_free(&list, count);
        return STATUS_TEMPFAIL;
    }
    *list_r = list;
    *count_r = count;
    return STATUS_OK;
}

enum status store_move_rows(struct store_connection *db, const char *old_name,
                            const char *new_name, struct errtext *err)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < ARRAY_SIZE(moves); i++) {
        struct store_sql sql = {(enum store_slot)(STORE_SLOT_MOVE_FIRST + i),
                                moves[i].text, NULL};
        struct store_param params[3];
        size_t count = strlen(moves[i].params);

        for (size_t n = 0; n < count; n++)
            params[n] =
                store_text(moves[i].params[n] == '1' ? new_name : old_name);
        status = store_execute(db, &sql, params, count, NULL, err);
    }
    return status;
}
