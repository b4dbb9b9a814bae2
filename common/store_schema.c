/* store_schema - see store_schema.h and store.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_schema.h"

#include "store_private.h"
#include "store_script.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)256 * 1024)
#define PATH_BYTES_MAX 4096
#define NO_SUCH_TABLE 1146

static const struct store_sql schema_sql = {
    STORE_SLOT_SCHEMA,
    "SELECT COALESCE(MAX(version), 0), COALESCE(MAX(oldest_program), 0)"
    " FROM schema_version",
    "nn"};

static const struct store_sql schema_write_sql = {
    STORE_SLOT_SCHEMA_WRITE,
    "INSERT INTO schema_version (version, oldest_program, applied)"
    " VALUES (?, ?, UTC_TIMESTAMP())",
    NULL};

struct schema {
    unsigned version; /* 0: none yet */
    unsigned oldest_program;
};

/* Reads the schema's version; no table is version 0. */
static enum status run_version(struct store_connection *db, void *arg,
                               struct errtext *err)
{
    struct schema *schema = arg;
    enum status status = store_execute(db, &schema_sql, NULL, 0, NULL, err);

    *schema = (struct schema){0, 0};
    if (status == STATUS_TEMPFAIL && db->error == NO_SUCH_TABLE)
        return STATUS_OK;
    if (status == STATUS_OK)
        status = store_fetch(db, &schema_sql, err);
    if (status != STATUS_OK)
        return STATUS_TEMPFAIL;
    schema->version = (unsigned)store_column_number(db, &schema_sql, 0);
    schema->oldest_program = (unsigned)store_column_number(db, &schema_sql, 1);
    return STATUS_OK;
}

/* Says whether this program is too old for the schema. */
static enum status check_oldest(const struct schema *schema,
                                struct errtext *err)
{
    if (schema->oldest_program <= STORE_SCHEMA_VERSION)
        return STATUS_OK;
    errtext_set(err,
                "the schema is version %u and wants programs that know %u; "
                "this one knows %d: upgrade it",
                schema->version, schema->oldest_program, STORE_SCHEMA_VERSION);
    return STATUS_INVALID;
}

enum status store_check_schema(struct store *store, int64_t deadline_ms,
                               struct errtext *err)
{
    static const struct store_work work = {.run = run_version,
                                           .reads_only = true};
    struct schema schema = {0, 0};
    enum status status = store_work(store, &work, &schema, deadline_ms, err);

    if (status == STATUS_OK)
        status = check_oldest(&schema, err);
    if (status != STATUS_OK)
        return status;
    if (schema.version == 0) {
        errtext_set(err, "the database has no schema: run provostctl db "
                         "migrate");
        return STATUS_INVALID;
    }
    if (schema.version < STORE_SCHEMA_VERSION) {
        errtext_set(err,
                    "the schema is version %u and this program wants %d: run "
                    "provostctl db migrate",
                    schema.version, STORE_SCHEMA_VERSION);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

/* Returns the number in front of a schema file's name, or 0. */
static unsigned number_of(const char *name)
{
    size_t len = strlen(name);
    unsigned number = 0;

    for (int i = 0; i < 3; i++) {
        if (name[i] < '0' || name[i] > '9')
            return 0;
        number = number * 10 + (unsigned)(name[i] - '0');
    }
    if (name[3] != '-' || len < 9 || strcmp(name + len - 4, ".sql") != 0)
        return 0;
    return number;
}

struct schema_files {
    char *names[STORE_SCHEMA_VERSION]; /* owned; file 1 is names[0] */
};

static void free_files(struct schema_files *files)
{
    for (size_t i = 0; i < STORE_SCHEMA_VERSION; i++)
        free(files->names[i]);
}

static enum status add_file(struct schema_files *files, const char *directory,
                            const char *name, struct errtext *err)
{
    unsigned number = number_of(name);

    if (number == 0)
        return STATUS_OK;
    if (number > STORE_SCHEMA_VERSION || files->names[number - 1] != NULL) {
        errtext_set(err, "%s/%s is not of this program, which knows schema %d",
                    directory, name, STORE_SCHEMA_VERSION);
        return STATUS_INVALID;
    }
    files->names[number - 1] = strdup(name);
    return files->names[number - 1] != NULL ? STATUS_OK : status_no_memory(err);
}

static enum status find_files(const char *directory, struct schema_files *files,
                              struct errtext *err)
{
    DIR *dir = opendir(directory);
    enum status status = STATUS_OK;
    const struct dirent *entry;

    if (dir == NULL) {
        errtext_set(err, "%s: cannot be read (error %d)", directory, errno);
        return STATUS_INVALID;
    }
    while (status == STATUS_OK && (entry = readdir(dir)) != NULL)
        status = add_file(files, directory, entry->d_name, err);
    (void)closedir(dir);
    for (size_t i = 0; status == STATUS_OK && i < STORE_SCHEMA_VERSION; i++) {
        if (files->names[i] == NULL) {
            errtext_set(err, "%s: file %03zu-*.sql is missing", directory,
                        i + 1);
            status = STATUS_INVALID;
        }
    }
    return status;
}

static enum status read_file(const char *directory, const char *name,
                             struct strbuf *text, struct errtext *err)
{
    char path[PATH_BYTES_MAX];
    char block[4096];
    size_t len;
    FILE *file;

    if (snprintf(path, sizeof(path), "%s/%s", directory, name) >=
        (int)sizeof(path)) {
        errtext_set(err, "%s: the name is too long", directory);
        return STATUS_INVALID;
    }
    file = fopen(path, "re");
    if (file == NULL) {
        errtext_set(err, "%s: cannot be read (error %d)", path, errno);
        return STATUS_INVALID;
    }
    while ((len = fread(block, 1, sizeof(block), file)) > 0)
        strbuf_append_len(text, block, len);
    if (ferror(file) != 0 || text->failed) {
        errtext_set(err, "%s: cannot be read whole", path);
        (void)fclose(file);
        return STATUS_INVALID;
    }
    (void)fclose(file);
    return STATUS_OK;
}

/* Runs the statements of one file, or with db NULL only counts them. */
static enum status run_script(struct store_connection *db, const char *text,
                              unsigned *count_r, struct errtext *err)
{
    struct strbuf statement = STRBUF_INIT(FILE_BYTES_MAX);
    unsigned count = 0;
    enum status status;

    while ((status = store_script_next(&text, &statement, err)) == STATUS_OK) {
        count++;
        if (db != NULL)
            status = store_run(db, strbuf_text(&statement), err);
        if (status != STATUS_OK)
            break;
    }
    strbuf_clear(&statement);
    *count_r = count;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status write_version(struct store_connection *db, unsigned version,
                                 unsigned oldest, struct errtext *err)
{
    struct store_param params[] = {
        store_number(version),
        store_number(oldest),
    };
    enum status status = store_execute(db, &schema_write_sql, params,
                                       ARRAY_SIZE(params), NULL, err);

    /* Somebody migrates at the same time: the same file, the same result. */
    return status == STATUS_DENIED ? STATUS_OK : status;
}

/* Carries out one file; with db NULL only tells what it is. */
static enum status take_file(struct store_connection *db, const char *directory,
                             const char *name, struct strbuf *report,
                             struct errtext *err)
{
    struct strbuf text = STRBUF_INIT(FILE_BYTES_MAX);
    unsigned oldest = 0;
    unsigned count = 0;
    struct errtext why = {{0}};
    enum status status = read_file(directory, name, &text, err);

    if (status != STATUS_OK)
        goto out;
    status = store_script_oldest(strbuf_text(&text), &oldest, &why);
    if (status == STATUS_OK)
        status = run_script(db, strbuf_text(&text), &count, &why);
    if (status == STATUS_OK && db != NULL)
        status = write_version(db, number_of(name), oldest, &why);
    if (status != STATUS_OK) {
        errtext_set(err, "%s, statement %u: %.150s", name, count, why.text);
        goto out;
    }
    strbuf_appendf(report, "%s: %u statements%s\n", name, count,
                   db != NULL ? " done" : "");
out:
    strbuf_clear(&text);
    return status;
}

static enum status take_files(struct store_connection *db,
                              const char *directory,
                              const struct schema_files *files,
                              const struct schema *schema,
                              struct strbuf *report, struct errtext *err)
{
    enum status status = STATUS_OK;

    for (unsigned i = schema->version;
         status == STATUS_OK && i < STORE_SCHEMA_VERSION; i++)
        status = take_file(db, directory, files->names[i], report, err);
    if (schema->version >= STORE_SCHEMA_VERSION)
        strbuf_appendf(report, "the schema is version %u: nothing to do\n",
                       schema->version);
    return status;
}

enum status store_migrate(struct store *store, const char *directory,
                          bool plan_only, int64_t deadline_ms,
                          struct strbuf *report, struct errtext *err)
{
    struct schema_files files = {{NULL}};
    struct schema schema = {0, 0};
    struct store_connection *db = NULL;
    unsigned error = 0;
    enum status status = find_files(directory, &files, err);

    if (status != STATUS_OK)
        goto out;
    status = store_checkout(store, deadline_ms, &db, &error, err);
    if (status != STATUS_OK)
        goto out;
    status = run_version(db, &schema, err);
    if (status == STATUS_OK)
        status = check_oldest(&schema, err);
    /* A table of millions may take longer than any login's query. */
    if (status == STATUS_OK)
        status = store_run(db, "SET SESSION max_statement_time = 0", err);
    if (status == STATUS_OK)
        status = take_files(plan_only ? NULL : db, directory, &files, &schema,
                            report, err);
out:
    if (db != NULL) {
        db->broken = true; /* it has no time limit any more */
        store_checkin(store, &db);
    }
    free_files(&files);
    return status;
}
