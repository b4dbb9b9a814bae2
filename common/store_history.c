/* store_history - see store_history.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_history.h"

#include "store_private.h"

#include "clock.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_ROWS 200
#define TEXT_COLUMNS 9

/*
 * A list goes along one index, by id: that of address, domain, kind or run, or
 * the primary key; the other conditions are asked of what it finds. The columns
 * are TEXT_COLUMNS texts, then numbers.
 */
#define LIST_COLUMNS                                                           \
    "SELECT DATE_FORMAT(at, '%Y-%m-%dT%H:%i:%sZ'), kind, who, address,"        \
    " domain, directory, reason, before_json, after_json, id,"                 \
    " COALESCE(run, 0) FROM event WHERE "
#define LIST_REST                                                              \
    " AND (? IS NULL OR domain = ?) AND (? IS NULL OR kind = ?)"               \
    " AND (? = 0 OR run = ?)"                                                  \
    " AND at >= '1970-01-01' + INTERVAL ? SECOND"
#define LIST_UP " AND id > ? AND id < ? ORDER BY id LIMIT 200"
#define LIST_DOWN " AND id > ? AND id < ? ORDER BY id DESC LIMIT 200"
#define LIST_TYPES "tttttttttnn"
#define LIST(slot, where)                                                      \
    {                                                                          \
        {STORE_SLOT_EVENT_LIST_FIRST + 2 * (slot),                             \
         LIST_COLUMNS where LIST_REST LIST_UP, LIST_TYPES},                    \
        {                                                                      \
            STORE_SLOT_EVENT_LIST_FIRST + 2 * (slot) + 1,                      \
                LIST_COLUMNS where LIST_REST LIST_DOWN, LIST_TYPES             \
        }                                                                      \
    }

enum along {
    ALONG_ADDRESS,
    ALONG_DOMAIN,
    ALONG_KIND,
    ALONG_RUN,
    ALONG_ID
};

static const struct store_sql list_sql[][2] = {
    [ALONG_ADDRESS] = LIST(ALONG_ADDRESS, "address = ?"),
    [ALONG_DOMAIN] = LIST(ALONG_DOMAIN, "domain = ?"),
    [ALONG_KIND] = LIST(ALONG_KIND, "kind = ?"),
    [ALONG_RUN] = LIST(ALONG_RUN, "run = ?"),
    [ALONG_ID] = LIST(ALONG_ID, "? IS NULL"),
};

static const struct store_sql near_sql = {
    STORE_SLOT_EVENT_NEAR,
    "SELECT id, GREATEST(TIMESTAMPDIFF(SECOND, '1970-01-01', at), 0)"
    " FROM event WHERE id >= ? ORDER BY id LIMIT 1",
    "nn"};

/* Looks at the oldest rows alone: there is no index on at. */
static const struct store_sql prune_sql = {
    STORE_SLOT_EVENT_PRUNE,
    "DELETE event FROM event JOIN (SELECT id FROM event ORDER BY id LIMIT 500)"
    " AS oldest USING (id) WHERE event.at < '1970-01-01' + INTERVAL ? SECOND",
    NULL};

/* A row that was read, with what it owns. */
struct kept {
    char *texts[TEXT_COLUMNS];
    uint64_t id, run;
};

struct page {
    const struct store_event_query *query;
    const struct store_sql *sql;
    const char *key;   /* of the index; NULL: none */
    bool by_run;       /* the key is query->run */
    uint64_t from;     /* ids are greater than this, */
    uint64_t to;       /* and smaller than this */
    struct kept *rows; /* PAGE_ROWS */
    size_t count;
};

static void clear_page(struct page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        for (size_t j = 0; j < TEXT_COLUMNS; j++)
            free(page->rows[i].texts[j]);
    }
    memset(page->rows, 0, PAGE_ROWS * sizeof(*page->rows));
    page->count = 0;
}

static enum status keep_row(struct store_connection *db, struct page *page,
                            struct errtext *err)
{
    struct kept *row = &page->rows[page->count++];
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < TEXT_COLUMNS; i++)
        status = store_column_copy(db, page->sql, i, &row->texts[i], err);
    row->id = store_column_number(db, page->sql, TEXT_COLUMNS);
    row->run = store_column_number(db, page->sql, TEXT_COLUMNS + 1);
    return status;
}

static enum status run_page(struct store_connection *db, void *arg,
                            struct errtext *err)
{
    struct page *page = arg;
    const struct store_event_query *query = page->query;
    struct store_param params[] = {
        page->by_run ? store_number(query->run) : store_text(page->key),
        store_text(query->domain),
        store_text(query->domain),
        store_text(query->kind),
        store_text(query->kind),
        store_number(query->run),
        store_number(query->run),
        store_signed(query->since),
        store_number(page->from),
        store_number(page->to),
    };
    enum status status;

    clear_page(page);
    status =
        store_execute(db, page->sql, params, ARRAY_SIZE(params), NULL, err);
    while (status == STATUS_OK && page->count < PAGE_ROWS) {
        status = store_fetch(db, page->sql, err);
        if (status == STATUS_OK)
            status = keep_row(db, page, err);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static bool show_row(const struct kept *row,
                     const struct store_event_visitor *visitor)
{
    struct store_event_row shown = {
        .id = row->id,
        .at = row->texts[0],
        .kind = row->texts[1],
        .who = row->texts[2],
        .address = row->texts[3],
        .domain = row->texts[4],
        .directory = row->texts[5],
        .run = row->run,
        .reason = row->texts[6],
        .before = row->texts[7],
        .after = row->texts[8],
    };

    return visitor->visit(&shown, visitor->arg);
}

/* Chooses the index: the condition that leaves the fewest. */
static void choose_index(struct page *page)
{
    const struct store_event_query *query = page->query;
    enum along along = ALONG_ID;

    if (query->address != NULL)
        along = ALONG_ADDRESS;
    else if (query->domain != NULL)
        along = ALONG_DOMAIN;
    else if (query->kind != NULL)
        along = ALONG_KIND;
    else if (query->run != 0)
        along = ALONG_RUN;
    page->by_run = along == ALONG_RUN;
    page->key = along == ALONG_ADDRESS  ? query->address
                : along == ALONG_DOMAIN ? query->domain
                                        : query->kind;
    if (along == ALONG_ID || along == ALONG_RUN)
        page->key = NULL;
    page->sql = &list_sql[along][query->newest_first ? 1 : 0];
    page->from = query->newest_first ? 0 : query->from_id;
    page->to = INT64_MAX;
    if (query->newest_first && query->from_id != 0)
        page->to = query->from_id;
}

/*
 * Finds where the ids of a time begin. There is no index on at, but both grow
 * together, give or take what transactions and the nodes' clocks differ; an
 * hour is more than that.
 */
#define SINCE_SLACK_SECONDS 3600

/* Cuts the ids of the page down to those that may be since the query's time. */
static enum status run_since(struct store_connection *db, void *arg,
                             struct errtext *err)
{
    struct page *page = arg;
    int64_t wanted = page->query->since - SINCE_SLACK_SECONDS;
    uint64_t low = page->from; /* this id, and all before, are older */
    uint64_t high = page->to;

    while (low + 1 < high) {
        uint64_t middle = low + (high - low) / 2;
        struct store_param params[] = {store_number(middle)};
        enum status status = store_execute(db, &near_sql, params, 1, NULL, err);

        if (status == STATUS_OK)
            status = store_fetch(db, &near_sql, err);
        if (status == STATUS_TEMPFAIL)
            return status;
        if (status == STATUS_OK &&
            (int64_t)store_column_number(db, &near_sql, 1) < wanted)
            low = store_column_number(db, &near_sql, 0);
        else
            high = middle;
    }
    page->from = low;
    return STATUS_OK;
}

enum status store_event_list(struct store *store,
                             const struct store_event_query *query,
                             const struct store_event_visitor *visitor,
                             int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work how = {
        .run = run_page, .reads_only = true, .sync = true};
    static const struct store_work since = {
        .run = run_since, .reads_only = true, .sync = true};
    struct page page = {.query = query};
    uint64_t left = query->max > 0 ? query->max : UINT64_MAX;
    enum status status = STATUS_OK;
    bool more = true;

    page.rows = calloc(PAGE_ROWS, sizeof(*page.rows));
    if (page.rows == NULL)
        return status_no_memory(err);
    choose_index(&page);
    if (query->since > 0)
        status = store_work(store, &since, &page, deadline_ms, err);
    while (more && status == STATUS_OK) {
        status = store_work(store, &how, &page, deadline_ms, err);
        more = page.count == PAGE_ROWS;
        for (size_t i = 0; status == STATUS_OK && i < page.count; i++) {
            if (left-- == 0 || !show_row(&page.rows[i], visitor)) {
                more = false;
                break;
            }
            if (query->newest_first)
                page.to = page.rows[i].id;
            else
                page.from = page.rows[i].id;
        }
    }
    clear_page(&page);
    free(page.rows);
    return status;
}

struct prune {
    const struct store_sql *sql;
    int64_t before;
    uint64_t count;
};

static enum status run_prune(struct store_connection *db, void *arg,
                             struct errtext *err)
{
    struct prune *prune = arg;
    struct store_param params[] = {store_signed(prune->before)};

    return store_execute(db, prune->sql, params, 1, &prune->count, err);
}

enum status store_prune(struct store *store, const struct store_sql *sql,
                        int64_t before, int64_t deadline_ms, uint64_t *count_r,
                        struct errtext *err)
{
    static const struct store_work how = {.run = run_prune};
    struct prune prune = {.sql = sql, .before = before};
    enum status status;

    *count_r = 0;
    do {
        status = store_work(store, &how, &prune, deadline_ms, err);
        if (status == STATUS_OK)
            *count_r += prune.count;
    } while (status == STATUS_OK && prune.count == STORE_PRUNE_ROWS &&
             clock_left_ms(deadline_ms) > 0);
    return status;
}

enum status store_event_prune(struct store *store, int64_t before,
                              int64_t deadline_ms, uint64_t *count_r,
                              struct errtext *err)
{
    return store_prune(store, &prune_sql, before, deadline_ms, count_r, err);
}

static const struct store_sql runs_prune_sql = {
    STORE_SLOT_SYNC_RUN_PRUNE,
    "DELETE FROM sync_run WHERE started < '1970-01-01' + INTERVAL ? SECOND"
    " ORDER BY id LIMIT 500",
    NULL};

enum status store_runs_prune(struct store *store, int64_t before,
                             int64_t deadline_ms, uint64_t *count_r,
                             struct errtext *err)
{
    return store_prune(store, &runs_prune_sql, before, deadline_ms, count_r,
                       err);
}

/* Aliases of renames; an administrator's that has ended is the administrator's.
 */
static const struct store_sql alias_prune_sql = {
    STORE_SLOT_ALIAS_PRUNE,
    "DELETE FROM alias WHERE expires < '1970-01-01' + INTERVAL ? SECOND"
    " AND kind = 'rename' LIMIT 500",
    NULL};

enum status store_alias_prune(struct store *store, int64_t deadline_ms,
                              uint64_t *count_r, struct errtext *err)
{
    return store_prune(store, &alias_prune_sql, clock_wall_seconds(),
                       deadline_ms, count_r, err);
}
