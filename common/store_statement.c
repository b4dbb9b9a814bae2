/* store_statement - see store_private.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_private.h"

#include "secret.h"

#include <assert.h>
#include <errmsg.h>
#include <stdlib.h>
#include <string.h>

/* What a text column holds without being fetched a second time. */
#define COLUMN_BYTES 400
/* Larger than any text column we read; longer ones are an error. */
#define COLUMN_BYTES_MAX ((unsigned long)1 << 20)

struct column {
    unsigned long len;
    my_bool is_null;
    uint64_t number;
    char *text; /* `small`, or owned and larger */
    char small[COLUMN_BYTES];
};

struct store_statement {
    MYSQL_STMT *stmt;
    size_t count; /* of columns */
    struct column columns[];
};

struct store_param store_text(const char *text)
{
    return (struct store_param){.text = text};
}

struct store_param store_number(uint64_t number)
{
    return (struct store_param){.is_number = true, .number = number};
}

struct store_param store_signed(int64_t number)
{
    return (struct store_param){
        .is_number = true, .is_signed = true, .number = (uint64_t)number};
}

static void drop_large(struct column *column)
{
    if (column->text != NULL && column->text != column->small) {
        secret_wipe(column->text, column->len);
        free(column->text);
    }
    column->text = NULL;
}

static void free_statement(struct store_statement **statement)
{
    if (*statement == NULL)
        return;
    for (size_t i = 0; i < (*statement)->count; i++) {
        drop_large(&(*statement)->columns[i]);
        /* Hashes pass through here. */
        secret_wipe((*statement)->columns[i].small, COLUMN_BYTES);
    }
    /* After mysql_close nothing is sent for it any more. */
    if ((*statement)->stmt != NULL)
        (void)mysql_stmt_close((*statement)->stmt);
    free(*statement);
    *statement = NULL;
}

void store_statements_free(struct store_connection *db)
{
    for (size_t i = 0; i < STORE_SLOT_COUNT; i++)
        free_statement(&db->statements[i]);
}

static enum status statement_failed(struct store_connection *db,
                                    MYSQL_STMT *stmt, const char *what,
                                    struct errtext *err)
{
    return store_failed(db, what, mysql_stmt_errno(stmt),
                        mysql_stmt_error(stmt), err);
}

/* Ties the result columns to their memory, once for all executions. */
static bool bind_columns(struct store_statement *statement, const char *columns)
{
    MYSQL_BIND binds[STORE_COLUMNS_MAX] = {{0}};

    for (size_t i = 0; i < statement->count; i++) {
        struct column *column = &statement->columns[i];

        binds[i].length = &column->len;
        binds[i].is_null = &column->is_null;
        if (columns[i] == 'n') {
            binds[i].buffer_type = MYSQL_TYPE_LONGLONG;
            binds[i].buffer = &column->number;
            binds[i].is_unsigned = 1;
        } else {
            binds[i].buffer_type = MYSQL_TYPE_STRING;
            binds[i].buffer = column->small;
            binds[i].buffer_length = COLUMN_BYTES - 1;
        }
    }
    return statement->count == 0 ||
           mysql_stmt_bind_result(statement->stmt, binds) == 0;
}

static enum status prepare(struct store_connection *db,
                           const struct store_sql *sql,
                           struct store_statement *statement,
                           struct errtext *err)
{
    int failed = 0;
    int want = mysql_stmt_prepare_start(&failed, statement->stmt, sql->text,
                                        (unsigned long)strlen(sql->text));

    while (want != 0) {
        int got = store_wait(db, want);

        if (got < 0)
            return store_failed(db, "prepare", 0, "", err);
        want = mysql_stmt_prepare_cont(&failed, statement->stmt, got);
    }
    if (failed != 0)
        return statement_failed(db, statement->stmt, "prepare", err);
    assert(mysql_stmt_field_count(statement->stmt) == statement->count);
    if (!bind_columns(statement, sql->columns))
        return statement_failed(db, statement->stmt, "prepare", err);
    return STATUS_OK;
}

/* Finds the connection's prepared statement, or prepares it. */
static enum status statement_of(struct store_connection *db,
                                const struct store_sql *sql,
                                struct errtext *err)
{
    size_t count = sql->columns != NULL ? strlen(sql->columns) : 0;
    struct store_statement *statement = db->statements[sql->slot];
    enum status status;

    if (statement != NULL)
        return STATUS_OK;
    assert(count <= STORE_COLUMNS_MAX);
    statement =
        calloc(1, sizeof(*statement) + count * sizeof(statement->columns[0]));
    if (statement == NULL)
        return status_no_memory(err);
    statement->count = count;
    statement->stmt = mysql_stmt_init(db->mysql);
    if (statement->stmt == NULL) {
        free(statement);
        return status_no_memory(err);
    }
    status = prepare(db, sql, statement, err);
    if (db->broken) {
        /* Closing it now would talk to the server: mysql_close comes first. */
        db->statements[sql->slot] = statement;
        return STATUS_TEMPFAIL;
    }
    if (status != STATUS_OK) {
        free_statement(&statement);
        return STATUS_TEMPFAIL;
    }
    db->statements[sql->slot] = statement;
    return STATUS_OK;
}

/* The library wants writable buffers and does not write to parameters. */
static void *writable(const void *data)
{
    union {
        const void *from;
        void *to;
    } both = {.from = data};

    return both.to;
}

static bool bind_params(MYSQL_STMT *stmt, const struct store_param *params,
                        size_t count)
{
    MYSQL_BIND binds[STORE_PARAMS_MAX] = {{0}};

    assert(count <= STORE_PARAMS_MAX);
    assert(mysql_stmt_param_count(stmt) == count);
    for (size_t i = 0; i < count; i++) {
        if (params[i].is_number) {
            binds[i].buffer_type = MYSQL_TYPE_LONGLONG;
            binds[i].buffer = writable(&params[i].number);
            binds[i].is_unsigned = !params[i].is_signed;
        } else if (params[i].text == NULL) {
            binds[i].buffer_type = MYSQL_TYPE_NULL;
        } else {
            binds[i].buffer_type = MYSQL_TYPE_STRING;
            binds[i].buffer = writable(params[i].text);
            binds[i].buffer_length = (unsigned long)strlen(params[i].text);
        }
    }
    return count == 0 || mysql_stmt_bind_param(stmt, binds) == 0;
}

/* Sends the statement and takes the answer whole, so that nothing is left on
 * the line for the next one. */
static enum status send_statement(struct store_connection *db, MYSQL_STMT *stmt,
                                  bool has_rows, struct errtext *err)
{
    int failed = 0;
    int want = mysql_stmt_execute_start(&failed, stmt);

    while (want != 0) {
        int got = store_wait(db, want);

        if (got < 0)
            return store_failed(db, "execute", 0, "", err);
        want = mysql_stmt_execute_cont(&failed, stmt, got);
    }
    if (failed != 0)
        return statement_failed(db, stmt, "execute", err);
    if (!has_rows)
        return STATUS_OK;
    want = mysql_stmt_store_result_start(&failed, stmt);
    while (want != 0) {
        int got = store_wait(db, want);

        if (got < 0)
            return store_failed(db, "execute", 0, "", err);
        want = mysql_stmt_store_result_cont(&failed, stmt, got);
    }
    if (failed != 0)
        return statement_failed(db, stmt, "execute", err);
    return STATUS_OK;
}

enum status store_execute(struct store_connection *db,
                          const struct store_sql *sql,
                          const struct store_param *params, size_t count,
                          uint64_t *rows_r, struct errtext *err)
{
    struct store_statement *statement;
    enum status status;

    if (db->broken)
        return store_failed(db, "execute", CR_SERVER_GONE_ERROR,
                            "the connection is gone", err);
    status = statement_of(db, sql, err);
    if (status != STATUS_OK)
        return status;
    statement = db->statements[sql->slot];
    if (!bind_params(statement->stmt, params, count))
        return statement_failed(db, statement->stmt, "execute", err);
    status = send_statement(db, statement->stmt, sql->columns != NULL, err);
    if (status == STATUS_OK && rows_r != NULL)
        *rows_r = mysql_stmt_affected_rows(statement->stmt);
    return status;
}

/* The values of many rows, a column after the other. */
struct rows {
    MYSQL_BIND binds[STORE_PARAMS_MAX];
    uint64_t *numbers;
    void **texts;
    unsigned long *lens; /* of the texts */
    char *indicators;
};

static void free_rows(struct rows *rows)
{
    free(rows->numbers);
    free(rows->texts);
    free(rows->lens);
    free(rows->indicators);
}

static bool make_rows(struct rows *rows, size_t cells)
{
    rows->numbers = calloc(cells, sizeof(*rows->numbers));
    rows->texts = calloc(cells, sizeof(*rows->texts));
    rows->lens = calloc(cells, sizeof(*rows->lens));
    rows->indicators = calloc(cells, sizeof(*rows->indicators));
    return rows->numbers != NULL && rows->texts != NULL && rows->lens != NULL &&
           rows->indicators != NULL;
}

static void set_cell(struct rows *rows, size_t cell,
                     const struct store_param *param)
{
    rows->indicators[cell] = STMT_INDICATOR_NONE;
    if (param->is_number) {
        rows->numbers[cell] = param->number;
    } else if (param->text == NULL) {
        rows->indicators[cell] = STMT_INDICATOR_NULL;
    } else {
        rows->texts[cell] = writable(param->text);
        rows->lens[cell] = (unsigned long)strlen(param->text);
    }
}

/* Lays count rows of width params out as the library wants them. */
static void lay_out(struct rows *rows, const struct store_param *params,
                    size_t width, size_t count)
{
    for (size_t column = 0; column < width; column++) {
        MYSQL_BIND *bind = &rows->binds[column];
        size_t first = column * count;

        for (size_t row = 0; row < count; row++)
            set_cell(rows, first + row, &params[row * width + column]);
        bind->u.indicator = &rows->indicators[first];
        if (params[column].is_number) {
            bind->buffer_type = MYSQL_TYPE_LONGLONG;
            bind->buffer = &rows->numbers[first];
            bind->is_unsigned = !params[column].is_signed;
        } else {
            bind->buffer_type = MYSQL_TYPE_STRING;
            bind->buffer = &rows->texts[first];
            bind->length = &rows->lens[first];
        }
    }
}

static enum status send_rows(struct store_connection *db, MYSQL_STMT *stmt,
                             const struct store_param *params, size_t width,
                             unsigned count, struct errtext *err)
{
    struct rows rows = {.texts = NULL};
    unsigned none = 0;
    enum status status;

    if (!make_rows(&rows, width * count)) {
        free_rows(&rows);
        return status_no_memory(err);
    }
    lay_out(&rows, params, width, count);
    if (mysql_stmt_attr_set(stmt, STMT_ATTR_ARRAY_SIZE, &count) != 0 ||
        mysql_stmt_bind_param(stmt, rows.binds) != 0)
        status = statement_failed(db, stmt, "execute", err);
    else
        status = send_statement(db, stmt, false, err);
    /* The library keeps the size, and would read rows that are gone. */
    (void)mysql_stmt_attr_set(stmt, STMT_ATTR_ARRAY_SIZE, &none);
    free_rows(&rows);
    return status;
}

static enum status execute_each(struct store_connection *db,
                                const struct store_sql *sql,
                                const struct store_param *params, size_t width,
                                unsigned count, struct errtext *err)
{
    enum status status = STATUS_OK;

    for (unsigned i = 0; status == STATUS_OK && i < count; i++)
        status = store_execute(db, sql, params + i * width, width, NULL, err);
    return status;
}

enum status store_execute_rows(struct store_connection *db,
                               const struct store_sql *sql,
                               const struct store_param *params, size_t width,
                               unsigned count, struct errtext *err)
{
    enum status status;

    assert(width <= STORE_PARAMS_MAX && sql->columns == NULL && count > 0);
    /*
     * A node whose transaction lost a conflict takes it back and says so at
     * its next statement, but not where that is a bulk: then the rows of the
     * bulk alone would be committed, with success. So in a cluster each row is
     * a statement.
     */
    if (count == 1 || db->cluster)
        return execute_each(db, sql, params, width, count, err);
    if (db->broken)
        return store_failed(db, "execute", CR_SERVER_GONE_ERROR,
                            "the connection is gone", err);
    status = statement_of(db, sql, err);
    if (status != STATUS_OK)
        return status;
    return send_rows(db, db->statements[sql->slot]->stmt, params, width, count,
                     err);
}

/* Fetches again what did not fit into a column's small memory. */
static enum status fetch_large(struct store_connection *db,
                               struct store_statement *statement,
                               unsigned index, struct errtext *err)
{
    struct column *column = &statement->columns[index];
    unsigned long len = column->len;
    MYSQL_BIND bind = {
        .buffer_type = MYSQL_TYPE_STRING,
        .buffer_length = len,
        .length = &column->len,
        .is_null = &column->is_null,
    };
    char *text;

    if (len > COLUMN_BYTES_MAX) {
        db->error = 0;
        errtext_set(err, "store: a column holds %lu bytes", len);
        return STATUS_TEMPFAIL;
    }
    text = malloc(len + 1);
    if (text == NULL)
        return status_no_memory(err);
    bind.buffer = text;
    if (mysql_stmt_fetch_column(statement->stmt, &bind, index, 0) != 0) {
        free(text);
        return statement_failed(db, statement->stmt, "fetch", err);
    }
    text[len] = '\0';
    column->len = len;
    column->text = text;
    return STATUS_OK;
}

static enum status take_column(struct store_connection *db,
                               struct store_statement *statement,
                               const char *columns, unsigned index,
                               struct errtext *err)
{
    struct column *column = &statement->columns[index];

    if (columns[index] == 'n' || column->is_null)
        return STATUS_OK;
    if (column->len >= COLUMN_BYTES)
        return fetch_large(db, statement, index, err);
    column->small[column->len] = '\0';
    column->text = column->small;
    return STATUS_OK;
}

enum status store_fetch(struct store_connection *db,
                        const struct store_sql *sql, struct errtext *err)
{
    struct store_statement *statement = db->statements[sql->slot];
    int rc;

    for (size_t i = 0; i < statement->count; i++)
        drop_large(&statement->columns[i]);
    /* The rows are here already, so that this does not wait. */
    rc = mysql_stmt_fetch(statement->stmt);
    if (rc == MYSQL_NO_DATA) {
        (void)mysql_stmt_free_result(statement->stmt);
        return STATUS_NOT_FOUND;
    }
    if (rc != 0 && rc != MYSQL_DATA_TRUNCATED)
        return statement_failed(db, statement->stmt, "fetch", err);
    for (unsigned i = 0; i < statement->count; i++) {
        enum status status = take_column(db, statement, sql->columns, i, err);

        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

const char *store_column(const struct store_connection *db,
                         const struct store_sql *sql, size_t column)
{
    const struct store_statement *statement = db->statements[sql->slot];

    assert(column < statement->count && sql->columns[column] == 't');
    return statement->columns[column].text;
}

uint64_t store_column_number(const struct store_connection *db,
                             const struct store_sql *sql, size_t column)
{
    const struct store_statement *statement = db->statements[sql->slot];
    const struct column *cell = &statement->columns[column];

    assert(column < statement->count && sql->columns[column] == 'n');
    return cell->is_null ? 0 : cell->number;
}

enum status store_column_copy(const struct store_connection *db,
                              const struct store_sql *sql, size_t column,
                              char **text_r, struct errtext *err)
{
    const char *text = store_column(db, sql, column);
    char *copy;

    if (text == NULL)
        return STATUS_OK;
    copy = strdup(text);
    if (copy == NULL)
        return status_no_memory(err);
    *text_r = copy;
    return STATUS_OK;
}
