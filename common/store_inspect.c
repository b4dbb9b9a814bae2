/* store_inspect - see store_inspect.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_inspect.h"

#include "store_event.h"
#include "store_private.h"
#include "strbuf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 10000 /* of an answer; what is beyond is not shown */
#define PAGE_ROWS 100

/* What each domain's rows come to. */
#define COUNTED                                                                \
    "SELECT d.name, d.mailboxes_used, d.quota_allotted, d.aliases_used,"       \
    " (SELECT COUNT(*) FROM mailbox m WHERE m.domain = d.name) AS mailboxes,"  \
    " (SELECT COALESCE(SUM(m.quota), 0) FROM mailbox m"                        \
    " WHERE m.domain = d.name) AS quota,"                                      \
    " (SELECT COUNT(*) FROM alias a WHERE a.domain = d.name"                   \
    " AND a.kind IN ('directory', 'admin')) AS aliases FROM domain d"

static const struct store_sql questions[STORE_QUESTIONS] = {
    [STORE_ASK_GRANTS] = {STORE_SLOT_ASK_FIRST, "SHOW GRANTS", "t"},
    [STORE_ASK_ENGINES] = {STORE_SLOT_ASK_FIRST + 1,
                           "SELECT table_name, engine FROM"
                           " information_schema.tables"
                           " WHERE table_schema = DATABASE()"
                           " AND table_type = 'BASE TABLE'"
                           " AND engine <> 'InnoDB'",
                           "tt"},
    [STORE_ASK_KEYLESS] = {STORE_SLOT_ASK_FIRST + 2,
                           "SELECT t.table_name FROM"
                           " information_schema.tables t LEFT JOIN"
                           " information_schema.table_constraints c"
                           " ON c.table_schema = t.table_schema"
                           " AND c.table_name = t.table_name"
                           " AND c.constraint_type = 'PRIMARY KEY'"
                           " WHERE t.table_schema = DATABASE()"
                           " AND t.table_type = 'BASE TABLE'"
                           " AND c.constraint_name IS NULL",
                           "t"},
    [STORE_ASK_VARIABLES] =
        {STORE_SLOT_ASK_FIRST + 3,
         "SELECT LOWER(variable_name), variable_value FROM"
         " information_schema.global_variables WHERE variable_name IN"
         " ('VERSION', 'WSREP_ON', 'INNODB_AUTOINC_LOCK_MODE',"
         " 'BINLOG_FORMAT', 'INNODB_FLUSH_LOG_AT_TRX_COMMIT',"
         " 'WSREP_SYNC_WAIT', 'WSREP_AUTO_INCREMENT_CONTROL',"
         " 'AUTO_INCREMENT_INCREMENT', 'DEFAULT_STORAGE_ENGINE')"
         " UNION ALL SELECT LOWER(variable_name), variable_value FROM"
         " information_schema.global_status WHERE variable_name IN"
         " ('WSREP_CLUSTER_STATUS', 'WSREP_READY', 'WSREP_CLUSTER_SIZE',"
         " 'WSREP_LOCAL_STATE_COMMENT')",
         "tt"},
    [STORE_ASK_CLOCK] = {STORE_SLOT_ASK_FIRST + 4,
                         "SELECT 'utc', CAST(TIMESTAMPDIFF(SECOND,"
                         " '1970-01-01', UTC_TIMESTAMP()) AS CHAR)",
                         "tt"},
    [STORE_ASK_COUNTERS] =
        {STORE_SLOT_ASK_FIRST + 5,
         "SELECT name, CONCAT('mailboxes ', mailboxes_used, ' counted ',"
         " mailboxes, ', quota ', quota_allotted, ' counted ', quota,"
         " ', aliases ', aliases_used, ' counted ', aliases)"
         " FROM (" COUNTED ") AS c WHERE mailboxes_used <> mailboxes"
         " OR quota_allotted <> quota OR aliases_used <> aliases"
         " ORDER BY name",
         "tt"},
    [STORE_ASK_MAILBOXES] =
        {STORE_SLOT_ASK_FIRST + 6,
         "SELECT CONCAT(source, ' ', IF(admin_state <> '-', 'blocked',"
         " IF(directory_state <> 'present', directory_state,"
         " template_state))), CAST(COUNT(*) AS CHAR)"
         " FROM mailbox GROUP BY 1 ORDER BY 1",
         "tt"},
    [STORE_ASK_EVENTS] = {STORE_SLOT_ASK_FIRST + 7,
                          "SELECT kind, CAST(COUNT(*) AS CHAR) FROM event"
                          " GROUP BY kind ORDER BY kind",
                          "tt"},
};

/* A row, kept until the answer is whole: a second try must not show it twice.
 */
struct kept {
    char *name;
    char *value; /* NULL: the question has one column, or SQL NULL */
};

struct asking {
    const struct store_sql *sql;
    struct kept *rows;
    size_t count;
};

static void forget(struct asking *asking)
{
    for (size_t i = 0; i < asking->count; i++) {
        free(asking->rows[i].name);
        free(asking->rows[i].value);
    }
    free(asking->rows);
    asking->rows = NULL;
    asking->count = 0;
}

static enum status keep(struct store_connection *db, struct asking *asking,
                        struct errtext *err)
{
    struct kept *rows =
        reallocarray(asking->rows, asking->count + 1, sizeof(*rows));
    enum status status;

    if (rows == NULL)
        return status_no_memory(err);
    asking->rows = rows;
    rows[asking->count] = (struct kept){NULL, NULL};
    status =
        store_column_copy(db, asking->sql, 0, &rows[asking->count].name, err);
    if (status == STATUS_OK && asking->sql->columns[1] != '\0')
        status = store_column_copy(db, asking->sql, 1,
                                   &rows[asking->count].value, err);
    asking->count++;
    return status;
}

static enum status run_ask(struct store_connection *db, void *arg,
                           struct errtext *err)
{
    struct asking *asking = arg;
    enum status status;

    forget(asking);
    status = store_execute(db, asking->sql, NULL, 0, NULL, err);
    while (status == STATUS_OK) {
        status = store_fetch(db, asking->sql, err);
        if (status == STATUS_OK && asking->count < ROWS_MAX)
            status = keep(db, asking, err);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status store_ask(struct store *store, enum store_question question,
                      const struct store_answer_visitor *visitor,
                      int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work how = {
        .run = run_ask, .reads_only = true, .sync = true};
    struct asking asking = {.sql = &questions[question]};
    enum status status = store_work(store, &how, &asking, deadline_ms, err);

    for (size_t i = 0; status == STATUS_OK && i < asking.count; i++) {
        if (asking.rows[i].name != NULL)
            visitor->visit(asking.rows[i].name, asking.rows[i].value,
                           visitor->arg);
    }
    forget(&asking);
    return status;
}

/* ----------------------------------------------------------- domains in use --
 */

static const struct store_sql uses_sql = {
    STORE_SLOT_DOMAIN_USES,
    "SELECT d.name, d.mailboxes_used, d.max_mailboxes, d.quota_allotted,"
    " d.quota, d.max_usage, (SELECT CAST(COALESCE(SUM(GREATEST(q.bytes, 0)), 0)"
    " AS UNSIGNED) FROM quota2 q WHERE q.domain = d.name), d.aliases_used,"
    " d.max_aliases FROM domain d WHERE d.name > ? ORDER BY d.name LIMIT 100",
    "tnnnnnnnn"};

struct uses {
    char *names[PAGE_ROWS];
    struct store_domain_use rows[PAGE_ROWS];
    size_t count;
    const char *from;
};

static void forget_uses(struct uses *uses)
{
    for (size_t i = 0; i < uses->count; i++)
        free(uses->names[i]);
    uses->count = 0;
}

static enum status keep_use(struct store_connection *db, struct uses *uses,
                            struct errtext *err)
{
    char **name = &uses->names[uses->count];
    enum status status = store_column_copy(db, &uses_sql, 0, name, err);

    if (status != STATUS_OK)
        return status;
    uses->rows[uses->count++] = (struct store_domain_use){
        .name = *name,
        .mailboxes = store_column_number(db, &uses_sql, 1),
        .max_mailboxes = store_column_number(db, &uses_sql, 2),
        .allotted_bytes = store_column_number(db, &uses_sql, 3),
        .quota_bytes = store_column_number(db, &uses_sql, 4),
        .max_usage_bytes = store_column_number(db, &uses_sql, 5),
        .used_bytes = store_column_number(db, &uses_sql, 6),
        .aliases = store_column_number(db, &uses_sql, 7),
        .max_aliases = store_column_number(db, &uses_sql, 8),
    };
    return STATUS_OK;
}

static enum status run_uses(struct store_connection *db, void *arg,
                            struct errtext *err)
{
    struct uses *uses = arg;
    struct store_param from[] = {store_text(uses->from)};
    enum status status;

    forget_uses(uses);
    status = store_execute(db, &uses_sql, from, 1, NULL, err);
    while (status == STATUS_OK) {
        status = store_fetch(db, &uses_sql, err);
        if (status == STATUS_OK && uses->count < PAGE_ROWS)
            status = keep_use(db, uses, err);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status store_domain_uses(struct store *store,
                              const struct store_use_visitor *visitor,
                              int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work how = {
        .run = run_uses, .reads_only = true, .sync = true};
    struct uses *uses = calloc(1, sizeof(*uses));
    char *from = strdup("");
    enum status status = STATUS_OK;
    bool more = true;

    if (uses == NULL || from == NULL)
        status = status_no_memory(err);
    while (status == STATUS_OK && more) {
        uses->from = from;
        status = store_work(store, &how, uses, deadline_ms, err);
        if (status != STATUS_OK)
            break;
        for (size_t i = 0; i < uses->count; i++)
            visitor->visit(&uses->rows[i], visitor->arg);
        more = uses->count == PAGE_ROWS;
        if (more) {
            free(from);
            from = uses->names[PAGE_ROWS - 1];
            uses->names[PAGE_ROWS - 1] = NULL;
        }
    }
    if (uses != NULL)
        forget_uses(uses);
    free(uses);
    free(from);
    return status;
}

/* ----------------------------------------------------------------- recount --
 */

static const struct store_sql lock_sql = {
    STORE_SLOT_RECOUNT_LOCK,
    "SELECT name FROM domain WHERE name = ? FOR UPDATE", "t"};
static const struct store_sql counted_sql = {
    STORE_SLOT_RECOUNT_READ, COUNTED " WHERE d.name = ?", "tnnnnnn"};
static const struct store_sql recount_sql = {
    STORE_SLOT_RECOUNT_WRITE,
    "UPDATE domain SET mailboxes_used = ?, quota_allotted = ?,"
    " aliases_used = ? WHERE name = ?",
    NULL};

struct recount {
    const char *name;
    const char *who;
    uint64_t numbers[6]; /* three as they were, three as counted */
};

static void append_numbers(struct strbuf *json, const uint64_t numbers[3])
{
    static const char *const names[] = {"mailboxes_used", "quota_allotted",
                                        "aliases_used"};
    char text[32];

    strbuf_append_char(json, '{');
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(text, sizeof(text), "%" PRIu64, numbers[i]);
        store_event_member(json, names[i], text);
    }
    strbuf_append_char(json, '}');
}

static enum status tell_recount(struct store_connection *db,
                                const struct recount *recount,
                                struct errtext *err)
{
    struct strbuf before = STRBUF_INIT(1024);
    struct strbuf after = STRBUF_INIT(1024);
    struct store_event event = {
        .kind = "recount", .who = recount->who, .domain = recount->name};
    enum status status;

    append_numbers(&before, recount->numbers);
    append_numbers(&after, recount->numbers + 3);
    event.before = strbuf_text(&before);
    event.after = strbuf_text(&after);
    status = store_event_insert(db, &event, err);
    strbuf_clear(&before);
    strbuf_clear(&after);
    return status;
}

static enum status run_recount(struct store_connection *db, void *arg,
                               struct errtext *err)
{
    struct recount *recount = arg;
    struct store_param name[] = {store_text(recount->name)};
    enum status status = store_execute(db, &lock_sql, name, 1, NULL, err);

    if (status == STATUS_OK)
        status = store_fetch(db, &lock_sql, err);
    if (status == STATUS_NOT_FOUND)
        errtext_set(err, "%s is no domain", recount->name);
    if (status == STATUS_OK)
        status = store_execute(db, &counted_sql, name, 1, NULL, err);
    if (status == STATUS_OK)
        status = store_fetch(db, &counted_sql, err);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < ARRAY_SIZE(recount->numbers); i++)
        recount->numbers[i] = store_column_number(db, &counted_sql, i + 1);
    if (memcmp(recount->numbers, recount->numbers + 3,
               3 * sizeof(recount->numbers[0])) == 0)
        return STATUS_OK;
    {
        struct store_param params[] = {store_number(recount->numbers[3]),
                                       store_number(recount->numbers[4]),
                                       store_number(recount->numbers[5]),
                                       store_text(recount->name)};

        status = store_execute(db, &recount_sql, params, ARRAY_SIZE(params),
                               NULL, err);
    }
    if (status == STATUS_OK)
        status = tell_recount(db, recount, err);
    return status;
}

enum status store_domain_recount(struct store *store, const char *name,
                                 const char *who, int64_t deadline_ms,
                                 struct errtext *err)
{
    static const struct store_work how = {
        .run = run_recount, .sync = true, .token = true};
    struct recount recount = {.name = name, .who = who};

    return store_work(store, &how, &recount, deadline_ms, err);
}
