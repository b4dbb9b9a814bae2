/* store_sync - see store_sync.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_sync.h"

#include "store_private.h"

#include "address.h"
#include "clock.h"
#include "store_event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_ROWS 5000
#define MADE                                                                   \
    "(SELECT CONCAT(@@server_uid, ' ', DATE_FORMAT(t.create_time,"             \
    " '%Y-%m-%d %H:%i:%s')) FROM information_schema.tables t"                  \
    " WHERE t.table_schema = DATABASE() AND t.table_name = 'lease')"

/* A row there is always: of an unknown directory it is all NULL. */
static const struct store_sql state_sql = {
    STORE_SLOT_SYNC_STATE,
    "SELECT s.directory IS NOT NULL,"
    " COALESCE(TIMESTAMPDIFF(SECOND, s.started, UTC_TIMESTAMP()) + 1, 0),"
    " COALESCE(s.accepted, ''), COALESCE(s.store_made, ''),"
    " COALESCE(" MADE ", ''), COALESCE(s.cookie_for, ''), s.cookie"
    " FROM (SELECT 1) AS one"
    " LEFT JOIN sync_directory s ON s.directory = ?",
    "nnttttt"};

static const struct store_sql note_sql = {
    STORE_SLOT_SYNC_NOTE,
    "INSERT INTO sync_directory"
    " (directory, started, accepted, store_made, cookie, cookie_for)"
    " VALUES (?, IF(?, UTC_TIMESTAMP(), NULL), COALESCE(?, ''),"
    " COALESCE(?, ''), NULLIF(?, ''), COALESCE(?, ''))"
    " ON DUPLICATE KEY UPDATE"
    " started = COALESCE(VALUES(started), started),"
    " accepted = COALESCE(?, accepted),"
    " store_made = COALESCE(?, store_made),"
    " cookie = IF(? IS NULL, cookie, VALUES(cookie)),"
    " cookie_for = COALESCE(?, cookie_for)",
    NULL};

static const struct store_sql mailboxes_sql = {
    STORE_SLOT_SYNC_MAILBOXES,
    "SELECT address, directory, directory_id, LEFT(fingerprint, 16),"
    " sync_print, source, directory_state FROM mailbox WHERE address > ?"
    " ORDER BY address LIMIT 5000",
    "ttttntt"};

static const struct store_sql aliases_sql = {
    STORE_SLOT_SYNC_ALIASES,
    "SELECT address FROM alias WHERE address > ? AND kind <> 'self'"
    " ORDER BY address LIMIT 5000",
    "t"};

#define SINCE(column)                                                          \
    "COALESCE(TIMESTAMPDIFF(SECOND, " column ", UTC_TIMESTAMP()) + 1, 0)"

static const struct store_sql people_sql = {
    STORE_SLOT_SYNC_PEOPLE,
    "SELECT directory_id, domain, print, problem, missing_runs,"
    " " SINCE("missing_since") ", " SINCE(
        "removed") " FROM sync_person WHERE directory = ? AND directory_id > ?"
                   " ORDER BY directory_id LIMIT 5000",
    "ttntnnn"};

static const struct store_sql person_put_sql = {
    STORE_SLOT_SYNC_PERSON_PUT,
    "INSERT INTO sync_person (directory, directory_id, domain, print, problem,"
    " missing_runs, missing_since)"
    " VALUES (?, ?, ?, ?, ?, ?,"
    " IF(? < 0, NULL, UTC_TIMESTAMP() - INTERVAL ? SECOND))"
    " ON DUPLICATE KEY UPDATE domain = VALUES(domain), print = VALUES(print),"
    " problem = VALUES(problem), missing_runs = VALUES(missing_runs),"
    " missing_since = IF(VALUES(missing_since) IS NULL, NULL,"
    " COALESCE(missing_since, VALUES(missing_since)))",
    NULL};

static const struct store_sql removal_sql = {
    STORE_SLOT_SYNC_REMOVAL,
    "INSERT INTO sync_person (directory, directory_id, domain, removed)"
    " VALUES (?, ?, ?, UTC_TIMESTAMP())"
    " ON DUPLICATE KEY UPDATE domain = VALUES(domain),"
    " removed = VALUES(removed)",
    NULL};

static const struct store_sql person_forget_sql = {
    STORE_SLOT_SYNC_PERSON_FORGET,
    "DELETE FROM sync_person WHERE directory = ? AND problem = ''"
    " AND missing_runs = 0"
    " AND (removed IS NULL OR removed < UTC_TIMESTAMP() - INTERVAL 1 DAY)",
    NULL};

static const struct store_sql print_sql = {
    STORE_SLOT_SYNC_PRINT,
    "UPDATE mailbox SET sync_print = ? WHERE address = ? AND directory = ?"
    " AND directory_id = ?",
    NULL};

static const struct store_sql run_begin_sql = {
    STORE_SLOT_SYNC_RUN_BEGIN,
    "INSERT INTO sync_run (directory, kind, host, started)"
    " VALUES (?, ?, ?, UTC_TIMESTAMP())",
    NULL};

static const struct store_sql run_id_sql = {STORE_SLOT_SYNC_RUN_ID,
                                            "SELECT LAST_INSERT_ID()", "n"};

static const struct store_sql run_end_sql = {
    STORE_SLOT_SYNC_RUN_END,
    "UPDATE sync_run SET finished = UTC_TIMESTAMP(), exit_code = ?, seen = ?,"
    " created = ?, changed = ?, renamed = ?, suspended = ?, refused = ?,"
    " unchanged = ?, skipped = ?, withheld = ?, ms = ?, reason = LEFT(?, 512),"
    " plan = ? WHERE id = ?",
    NULL};

#define ISO(column) "DATE_FORMAT(" column ", '%Y-%m-%dT%H:%i:%sZ')"

static const struct store_sql runs_sql = {
    STORE_SLOT_SYNC_RUNS,
    "SELECT id, directory, kind, host, " ISO("started") ", " ISO(
        "finished") ", COALESCE(exit_code, 0), seen, created, changed,"
                    " renamed, suspended, refused, unchanged, skipped,"
                    " withheld, ms, reason, IF(? = 0, NULL, plan)"
                    " FROM sync_run WHERE (? IS NULL OR directory = ?)"
                    " AND (? = 0 OR id = ?) ORDER BY id DESC LIMIT ?",
    "nttttt"
    "nnnnnnnnnnn"
    "tt"};

void store_sync_state_clear(struct store_sync_state *state)
{
    free(state->cookie);
    *state = (struct store_sync_state){0};
}

struct state_read {
    const char *directory;
    struct store_sync_state state;
};

static void copy_column(const struct store_connection *db,
                        const struct store_sql *sql, size_t column, char *out,
                        size_t size)
{
    const char *text = store_column(db, sql, column);

    (void)snprintf(out, size, "%s", text != NULL ? text : "");
}

static enum status run_state(struct store_connection *db, void *arg,
                             struct errtext *err)
{
    struct state_read *read = arg;
    struct store_sync_state *state = &read->state;
    struct store_param params[] = {store_text(read->directory)};
    enum status status = store_execute(db, &state_sql, params, 1, NULL, err);

    store_sync_state_clear(state);
    if (status == STATUS_OK)
        status = store_fetch(db, &state_sql, err);
    if (status != STATUS_OK)
        return STATUS_TEMPFAIL;
    state->known = store_column_number(db, &state_sql, 0) != 0;
    state->started_seconds =
        (int64_t)store_column_number(db, &state_sql, 1) - 1;
    copy_column(db, &state_sql, 2, state->accepted, sizeof(state->accepted));
    copy_column(db, &state_sql, 3, state->store_made,
                sizeof(state->store_made));
    copy_column(db, &state_sql, 4, state->store_is, sizeof(state->store_is));
    copy_column(db, &state_sql, 5, state->cookie_for,
                sizeof(state->cookie_for));
    return store_column_copy(db, &state_sql, 6, &state->cookie, err);
}

enum status store_sync_state_read(struct store *store, const char *directory,
                                  int64_t deadline_ms,
                                  struct store_sync_state *state_r,
                                  struct errtext *err)
{
    static const struct store_work work = {
        .run = run_state, .reads_only = true, .sync = true};
    struct state_read read = {.directory = directory};
    enum status status = store_work(store, &work, &read, deadline_ms, err);

    if (status == STATUS_OK)
        *state_r = read.state;
    else
        store_sync_state_clear(&read.state);
    return status;
}

/* A write under the lease. */
struct held {
    const struct store_lease *lease;
    enum status (*write)(struct store_connection *db, struct held *held,
                         struct errtext *err);
    const char *directory;
    const void *rows;
    size_t count;
    uint64_t id; /* what the write found out */
};

static enum status run_held(struct store_connection *db, void *arg,
                            struct errtext *err)
{
    struct held *held = arg;
    enum status status = store_lease_hold(db, held->lease, err);

    return status == STATUS_OK ? held->write(db, held, err) : status;
}

static enum status write_held(struct store *store, struct held *held,
                              int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work work = {.run = run_held, .sync = true};

    return store_work(store, &work, held, deadline_ms, err);
}

static enum status write_note(struct store_connection *db, struct held *held,
                              struct errtext *err)
{
    const struct store_sync_note *note = held->rows;
    struct store_param params[] = {
        store_text(note->directory), store_number(note->started),
        store_text(note->accepted),  store_text(note->store_made),
        store_text(note->cookie),    store_text(note->cookie_for),
        store_text(note->accepted),  store_text(note->store_made),
        store_text(note->cookie),    store_text(note->cookie_for),
    };

    return store_execute(db, &note_sql, params, ARRAY_SIZE(params), NULL, err);
}

enum status store_sync_note(struct store *store,
                            const struct store_lease *lease,
                            const struct store_sync_note *note,
                            int64_t deadline_ms, struct errtext *err)
{
    struct held held = {.lease = lease, .write = write_note, .rows = note};

    return write_held(store, &held, deadline_ms, err);
}

/* A list that is read in pages along a text key. */
struct pages {
    const struct store_sql *sql;
    const char *directory; /* first parameter, or NULL: none */
    bool (*visit)(const struct store_connection *db,
                  const struct store_sql *sql, void *arg);
    void *arg;
    size_t key; /* column */
    char after[1024];
    size_t count;
};

/* The rows are all here once the statement is done: it is not tried again. */
static enum status run_page(struct store_connection *db, void *arg,
                            struct errtext *err)
{
    struct pages *pages = arg;
    struct store_param params[2];
    size_t count = 0;
    enum status status;

    if (pages->directory != NULL)
        params[count++] = store_text(pages->directory);
    params[count++] = store_text(pages->after);
    pages->count = 0;
    status = store_execute(db, pages->sql, params, count, NULL, err);
    while (status == STATUS_OK) {
        status = store_fetch(db, pages->sql, err);
        if (status != STATUS_OK)
            break;
        pages->count++;
        if (!pages->visit(db, pages->sql, pages->arg)) {
            db->error = 0;
            status = status_no_memory(err);
        }
        if (pages->count == PAGE_ROWS)
            copy_column(db, pages->sql, pages->key, pages->after,
                        sizeof(pages->after));
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status read_pages(struct store *store, struct pages *pages,
                              int64_t page_ms, struct errtext *err)
{
    static const struct store_work work = {
        .run = run_page, .reads_only = true, .sync = true};
    enum status status;

    do {
        status = store_work(store, &work, pages, clock_ms() + page_ms, err);
    } while (status == STATUS_OK && pages->count == PAGE_ROWS);
    return status;
}

static bool visit_mailbox(const struct store_connection *db,
                          const struct store_sql *sql, void *arg)
{
    const struct store_roster_visitor *visitor = arg;
    struct store_roster_row row = {
        .address = store_column(db, sql, 0),
        .directory = store_column(db, sql, 1),
        .directory_id = store_column(db, sql, 2),
        .fingerprint = store_column(db, sql, 3),
        .sync_print = store_column_number(db, sql, 4),
    };
    const char *source = store_column(db, sql, 5);
    const char *state = store_column(db, sql, 6);

    if (source == NULL || state == NULL ||
        !account_source_from(source, &row.source) ||
        !account_directory_state_from(state, &row.directory_state))
        return false;
    return visitor->mailbox(&row, visitor->arg);
}

static bool visit_alias(const struct store_connection *db,
                        const struct store_sql *sql, void *arg)
{
    const struct store_roster_visitor *visitor = arg;

    return visitor->alias(store_column(db, sql, 0), visitor->arg);
}

enum status store_roster(struct store *store,
                         const struct store_roster_visitor *visitor,
                         int64_t page_ms, struct errtext *err)
{
    struct store_roster_visitor copy = *visitor;
    struct pages mailboxes = {
        .sql = &mailboxes_sql, .visit = visit_mailbox, .arg = &copy};
    struct pages aliases = {
        .sql = &aliases_sql, .visit = visit_alias, .arg = &copy};
    enum status status = read_pages(store, &mailboxes, page_ms, err);

    return status == STATUS_OK ? read_pages(store, &aliases, page_ms, err)
                               : status;
}

static const struct store_sql census_sql = {
    STORE_SLOT_SYNC_CENSUS,
    "SELECT domain, COUNT(*) FROM mailbox WHERE directory = ?"
    " AND directory_id IS NOT NULL AND domain > ? GROUP BY domain"
    " ORDER BY domain LIMIT 5000",
    "tn"};

static bool visit_census(const struct store_connection *db,
                         const struct store_sql *sql, void *arg)
{
    const struct store_census_visitor *visitor = arg;

    return visitor->visit(store_column(db, sql, 0),
                          store_column_number(db, sql, 1), visitor->arg);
}

enum status store_sync_census(struct store *store, const char *directory,
                              const struct store_census_visitor *visitor,
                              int64_t deadline_ms, struct errtext *err)
{
    struct store_census_visitor copy = *visitor;
    struct pages pages = {.sql = &census_sql,
                          .directory = directory,
                          .visit = visit_census,
                          .arg = &copy};

    return read_pages(store, &pages, deadline_ms - clock_ms(), err);
}

static bool visit_person(const struct store_connection *db,
                         const struct store_sql *sql, void *arg)
{
    const struct store_sync_people_visitor *visitor = arg;
    struct store_sync_person person = {
        .id = store_column(db, sql, 0),
        .domain = store_column(db, sql, 1),
        .print = store_column_number(db, sql, 2),
        .problem = store_column(db, sql, 3),
        .missing_runs = store_column_number(db, sql, 4),
        .missing_seconds = (int64_t)store_column_number(db, sql, 5) - 1,
        .removed_seconds = (int64_t)store_column_number(db, sql, 6) - 1,
    };

    return visitor->visit(&person, visitor->arg);
}

enum status store_sync_people(struct store *store, const char *directory,
                              const struct store_sync_people_visitor *visitor,
                              int64_t deadline_ms, struct errtext *err)
{
    struct store_sync_people_visitor copy = *visitor;
    struct pages pages = {.sql = &people_sql,
                          .directory = directory,
                          .visit = visit_person,
                          .arg = &copy};

    return read_pages(store, &pages, deadline_ms - clock_ms(), err);
}

enum status store_sync_note_removal(struct store_connection *db,
                                    const char *directory, const char *id,
                                    const char *domain, struct errtext *err)
{
    struct store_param params[] = {store_text(directory), store_text(id),
                                   store_text(domain)};

    return store_execute(db, &removal_sql, params, 3, NULL, err);
}

struct telling {
    const struct store_lease *lease;
    const struct store_event *events;
    size_t count;
    unsigned once_in_seconds;
};

static enum status run_telling(struct store_connection *db, void *arg,
                               struct errtext *err)
{
    const struct telling *telling = arg;
    enum status status = store_lease_hold(db, telling->lease, err);

    if (status == STATUS_OK && telling->once_in_seconds == 0) {
        status =
            store_event_insert_many(db, telling->events, telling->count, err);
        /* An earlier try was committed after all. */
        return status == STATUS_DENIED ? STATUS_OK : status;
    }
    for (size_t i = 0; status == STATUS_OK && i < telling->count; i++)
        status = store_event_insert_once(db, &telling->events[i],
                                         telling->once_in_seconds, err);
    return status;
}

enum status store_sync_events_write(struct store *store,
                                    const struct store_lease *lease,
                                    const struct store_event *events,
                                    size_t count, unsigned once_in_seconds,
                                    int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work work = {
        .run = run_telling, .sync = true, .token = true};
    struct telling telling = {lease, events, count, once_in_seconds};

    if (count == 0)
        return STATUS_OK;
    return store_work(store, &work, &telling, deadline_ms, err);
}

#define PERSON_PARAMS 8

static enum status write_people(struct store_connection *db, struct held *held,
                                struct errtext *err)
{
    const struct store_sync_person *people = held->rows;
    struct store_param forget[] = {store_text(held->directory)};
    struct store_param *params =
        calloc(held->count + 1, PERSON_PARAMS * sizeof(*params));
    enum status status = STATUS_OK;

    if (params == NULL)
        return status_no_memory(err);
    for (size_t i = 0; i < held->count; i++) {
        const struct store_sync_person *person = &people[i];
        struct store_param *row = &params[i * PERSON_PARAMS];
        int64_t since = person->missing_seconds;

        row[0] = store_text(held->directory);
        row[1] = store_text(person->id);
        row[2] = store_text(person->domain != NULL ? person->domain : "");
        row[3] = store_number(person->print);
        row[4] = store_text(person->problem);
        row[5] = store_number(person->missing_runs);
        row[6] = store_signed(since);
        row[7] = store_signed(since > 0 ? since : 0);
    }
    if (held->count > 0)
        status = store_execute_rows(db, &person_put_sql, params, PERSON_PARAMS,
                                    (unsigned)held->count, err);
    free(params);
    if (status == STATUS_OK)
        status = store_execute(db, &person_forget_sql, forget, 1, NULL, err);
    return status;
}

enum status store_sync_people_write(struct store *store,
                                    const struct store_lease *lease,
                                    const char *directory,
                                    const struct store_sync_person *people,
                                    size_t count, int64_t deadline_ms,
                                    struct errtext *err)
{
    struct held held = {.lease = lease,
                        .write = write_people,
                        .directory = directory,
                        .rows = people,
                        .count = count};

    return write_held(store, &held, deadline_ms, err);
}

static enum status write_prints(struct store_connection *db, struct held *held,
                                struct errtext *err)
{
    const struct store_sync_print *prints = held->rows;
    struct store_param *params = calloc(held->count + 1, 4 * sizeof(*params));
    enum status status = STATUS_OK;

    if (params == NULL)
        return status_no_memory(err);
    for (size_t i = 0; i < held->count; i++) {
        params[4 * i] = store_number(prints[i].print);
        params[4 * i + 1] = store_text(prints[i].address);
        params[4 * i + 2] = store_text(held->directory);
        params[4 * i + 3] = store_text(prints[i].id);
    }
    if (held->count > 0)
        status = store_execute_rows(db, &print_sql, params, 4,
                                    (unsigned)held->count, err);
    free(params);
    return status;
}

enum status store_sync_prints_write(struct store *store,
                                    const struct store_lease *lease,
                                    const char *directory,
                                    const struct store_sync_print *prints,
                                    size_t count, int64_t deadline_ms,
                                    struct errtext *err)
{
    struct held held = {.lease = lease,
                        .write = write_prints,
                        .directory = directory,
                        .rows = prints,
                        .count = count};

    return write_held(store, &held, deadline_ms, err);
}

static enum status write_begin(struct store_connection *db, struct held *held,
                               struct errtext *err)
{
    const struct store_sync_run *run = held->rows;
    struct store_param params[] = {store_text(run->directory),
                                   store_text(run->kind),
                                   store_text(run->host)};
    enum status status =
        store_execute(db, &run_begin_sql, params, 3, NULL, err);

    if (status == STATUS_OK)
        status = store_execute(db, &run_id_sql, NULL, 0, NULL, err);
    if (status == STATUS_OK)
        status = store_fetch(db, &run_id_sql, err);
    if (status == STATUS_OK)
        held->id = store_column_number(db, &run_id_sql, 0);
    return status == STATUS_NOT_FOUND ? STATUS_TEMPFAIL : status;
}

enum status store_sync_run_begin(struct store *store,
                                 const struct store_lease *lease,
                                 const struct store_sync_run *run,
                                 int64_t deadline_ms, uint64_t *id_r,
                                 struct errtext *err)
{
    struct held held = {.lease = lease, .write = write_begin, .rows = run};
    enum status status = write_held(store, &held, deadline_ms, err);

    if (status == STATUS_OK)
        *id_r = held.id;
    return status;
}

static enum status run_end(struct store_connection *db, void *arg,
                           struct errtext *err)
{
    const struct store_sync_run *run = arg;
    struct store_param params[] = {
        store_signed(run->exit_code), store_number(run->seen),
        store_number(run->created),   store_number(run->changed),
        store_number(run->renamed),   store_number(run->suspended),
        store_number(run->refused),   store_number(run->unchanged),
        store_number(run->skipped),   store_number(run->withheld),
        store_number(run->ms),        store_text(run->reason),
        store_text(run->plan),        store_number(run->id),
    };

    return store_execute(db, &run_end_sql, params, ARRAY_SIZE(params), NULL,
                         err);
}

enum status store_sync_run_end(struct store *store,
                               const struct store_sync_run *run,
                               int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work work = {.run = run_end};
    struct store_sync_run copy = *run;

    return store_work(store, &work, &copy, deadline_ms, err);
}

struct runs_read {
    const struct store_sync_run_query *query;
    const struct store_sync_run_visitor *visitor;
};

static struct store_sync_run run_of_row(const struct store_connection *db)
{
    const struct store_sql *sql = &runs_sql;

    return (struct store_sync_run){
        .id = store_column_number(db, sql, 0),
        .directory = store_column(db, sql, 1),
        .kind = store_column(db, sql, 2),
        .host = store_column(db, sql, 3),
        .started = store_column(db, sql, 4),
        .finished = store_column(db, sql, 5),
        .exit_code = (int)store_column_number(db, sql, 6),
        .seen = store_column_number(db, sql, 7),
        .created = store_column_number(db, sql, 8),
        .changed = store_column_number(db, sql, 9),
        .renamed = store_column_number(db, sql, 10),
        .suspended = store_column_number(db, sql, 11),
        .refused = store_column_number(db, sql, 12),
        .unchanged = store_column_number(db, sql, 13),
        .skipped = store_column_number(db, sql, 14),
        .withheld = store_column_number(db, sql, 15),
        .ms = store_column_number(db, sql, 16),
        .reason = store_column(db, sql, 17),
        .plan = store_column(db, sql, 18),
    };
}

static enum status run_runs(struct store_connection *db, void *arg,
                            struct errtext *err)
{
    const struct runs_read *read = arg;
    const struct store_sync_run_query *query = read->query;
    struct store_param params[] = {
        store_number(query->id),      store_text(query->directory),
        store_text(query->directory), store_number(query->id),
        store_number(query->id),      store_number(query->limit),
    };
    enum status status =
        store_execute(db, &runs_sql, params, ARRAY_SIZE(params), NULL, err);

    while (status == STATUS_OK) {
        struct store_sync_run run;

        status = store_fetch(db, &runs_sql, err);
        if (status != STATUS_OK)
            break;
        run = run_of_row(db);
        if (!read->visitor->visit(&run, read->visitor->arg))
            return STATUS_OK;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status store_sync_runs(struct store *store,
                            const struct store_sync_run_query *query,
                            const struct store_sync_run_visitor *visitor,
                            int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work work = {.run = run_runs, .reads_only = true};
    struct runs_read read = {query, visitor};

    return store_work(store, &work, &read, deadline_ms, err);
}
