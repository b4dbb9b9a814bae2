/* store_inspect - see store_inspect.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_inspect.h"

#include "store_event.h"
#include "store_private.h"
#include "strbuf.h"

#include <inttypes.h>
#include <stdio.h>

#define ROWS_MAX 10000

/* CURRENT_USER() as information_schema writes it: 'user'@'host'. */
#define MYSELF "CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')"

/* What each domain's rows come to. */
#define COUNTED                                                                \
    "SELECT d.name, d.mailboxes_used, d.quota_allotted, d.aliases_used,"       \
    " (SELECT COUNT(*) FROM mailbox m WHERE m.domain = d.name) AS mailboxes,"  \
    " (SELECT COALESCE(SUM(m.quota), 0) FROM mailbox m"                        \
    " WHERE m.domain = d.name) AS quota,"                                      \
    " (SELECT COUNT(*) FROM alias a WHERE a.domain = d.name"                   \
    " AND a.kind IN ('directory', 'admin')) AS aliases FROM domain d"

static const struct store_sql questions[STORE_QUESTIONS] = {
    [STORE_ASK_GLOBAL_RIGHTS] =
        {STORE_SLOT_ASK_FIRST,
         "SELECT privilege_type, is_grantable FROM"
         " information_schema.user_privileges WHERE grantee = " MYSELF
         " AND privilege_type <> 'USAGE'",
         "tt"},
    [STORE_ASK_SCHEMA_RIGHTS] =
        {STORE_SLOT_ASK_FIRST + 1,
         "SELECT privilege_type, is_grantable FROM"
         " information_schema.schema_privileges WHERE grantee = " MYSELF
         " AND DATABASE() LIKE table_schema",
         "tt"},
    [STORE_ASK_FOREIGN_RIGHTS] =
        {STORE_SLOT_ASK_FIRST + 2,
         "SELECT table_schema, privilege_type FROM"
         " information_schema.schema_privileges WHERE grantee = " MYSELF
         " AND DATABASE() NOT LIKE table_schema",
         "tt"},
    [STORE_ASK_ENGINES] = {STORE_SLOT_ASK_FIRST + 3,
                           "SELECT table_name, engine FROM"
                           " information_schema.tables"
                           " WHERE table_schema = DATABASE()"
                           " AND table_type = 'BASE TABLE'"
                           " AND engine <> 'InnoDB'",
                           "tt"},
    [STORE_ASK_VARIABLES] =
        {STORE_SLOT_ASK_FIRST + 4,
         "SELECT LOWER(variable_name), variable_value FROM"
         " information_schema.global_variables WHERE variable_name IN"
         " ('VERSION', 'WSREP_ON', 'INNODB_AUTOINC_LOCK_MODE',"
         " 'BINLOG_FORMAT', 'INNODB_FLUSH_LOG_AT_TRX_COMMIT')"
         " UNION ALL SELECT LOWER(variable_name), variable_value FROM"
         " information_schema.global_status WHERE variable_name IN"
         " ('WSREP_CLUSTER_STATUS', 'WSREP_READY', 'WSREP_CLUSTER_SIZE')",
         "tt"},
    [STORE_ASK_CLOCK] = {STORE_SLOT_ASK_FIRST + 5,
                         "SELECT 'utc', CAST(TIMESTAMPDIFF(SECOND,"
                         " '1970-01-01', UTC_TIMESTAMP()) AS CHAR)",
                         "tt"},
    [STORE_ASK_COUNTERS] =
        {STORE_SLOT_ASK_FIRST + 6,
         "SELECT name, CONCAT('mailboxes ', mailboxes_used, ' counted ',"
         " mailboxes, ', quota ', quota_allotted, ' counted ', quota,"
         " ', aliases ', aliases_used, ' counted ', aliases)"
         " FROM (" COUNTED ") AS c WHERE mailboxes_used <> mailboxes"
         " OR quota_allotted <> quota OR aliases_used <> aliases",
         "tt"},
    [STORE_ASK_TOTALS] =
        {STORE_SLOT_ASK_FIRST + 7,
         "SELECT 'domains', CAST(COUNT(*) AS CHAR) FROM domain"
         " UNION ALL SELECT CONCAT('mailboxes ', source, ' ',"
         " IF(admin_state <> '-', 'blocked', IF(directory_state <> 'present',"
         " directory_state, template_state))), CAST(COUNT(*) AS CHAR)"
         " FROM mailbox GROUP BY 1"
         " UNION ALL SELECT 'quota_allotted',"
         " CAST(COALESCE(SUM(quota_allotted), 0) AS CHAR) FROM domain"
         " UNION ALL SELECT 'usage', CAST(COALESCE(SUM(bytes), 0) AS CHAR)"
         " FROM quota2"
         " UNION ALL SELECT 'newest_event',"
         " CAST(COALESCE(MAX(id), 0) AS CHAR) FROM event",
         "tt"},
};

struct asking {
    const struct store_sql *sql;
    const struct store_answer_visitor *visitor;
};

static enum status run_ask(struct store_connection *db, void *arg,
                           struct errtext *err)
{
    const struct asking *asking = arg;
    enum status status = store_execute(db, asking->sql, NULL, 0, NULL, err);

    for (int i = 0; status == STATUS_OK && i < ROWS_MAX; i++) {
        status = store_fetch(db, asking->sql, err);
        if (status == STATUS_OK)
            asking->visitor->visit(store_column(db, asking->sql, 0),
                                   store_column(db, asking->sql, 1),
                                   asking->visitor->arg);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status store_ask(struct store *store, enum store_question question,
                      const struct store_answer_visitor *visitor,
                      int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work how = {.run = run_ask, .reads_only = true};
    struct asking asking = {&questions[question], visitor};

    return store_work(store, &how, &asking, deadline_ms, err);
}

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
    if (status == STATUS_OK)
        status = store_execute(db, &counted_sql, name, 1, NULL, err);
    if (status == STATUS_OK)
        status = store_fetch(db, &counted_sql, err);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < ARRAY_SIZE(recount->numbers); i++)
        recount->numbers[i] = store_column_number(db, &counted_sql, i + 1);
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
