/* store_event - see store_event.h and store.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_event.h"

#include "store_private.h"

#include "clock.h"

#include <stdlib.h>
#include <string.h>

#define EVENT_COLUMNS                                                          \
    "(at, kind, who, address, domain, directory, run, reason, before_json,"    \
    " after_json, token)"

static const struct store_sql event_sql = {
    STORE_SLOT_EVENT_WRITE,
    "INSERT INTO event " EVENT_COLUMNS
    " VALUES (UTC_TIMESTAMP(), ?, ?, ?, ?, ?, NULLIF(?, 0), LEFT(?, 512), ?,"
    " ?, ?)",
    NULL};

/*
 * The token makes it one in each period on all nodes, the SELECT one in the
 * period before as well.
 */
static const struct store_sql event_once_sql = {
    STORE_SLOT_EVENT_ONCE,
    "INSERT INTO event " EVENT_COLUMNS
    " SELECT UTC_TIMESTAMP(), ?, ?, ?, ?, ?, NULLIF(?, 0), LEFT(?, 512), ?, ?,"
    " MD5(CONCAT_WS(CHAR(10), ?, COALESCE(?, ''), COALESCE(?, ''), ?))"
    " FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM event e"
    " WHERE e.address <=> ? AND e.kind = ? AND e.reason <=> LEFT(?, 512)"
    " AND e.at > UTC_TIMESTAMP() - INTERVAL ? SECOND)",
    NULL};

#define EVENT_PARAMS 10

static void fill_event(struct store_param *params,
                       const struct store_event *event, const char *token)
{
    params[0] = store_text(event->kind);
    params[1] = store_text(event->who);
    params[2] = store_text(event->address);
    params[3] = store_text(event->domain);
    params[4] = store_text(event->directory);
    params[5] = store_number(event->run);
    params[6] = store_text(event->reason);
    params[7] = store_text(event->before);
    params[8] = store_text(event->after);
    params[9] = store_text(token);
}

enum status store_event_insert(struct store_connection *db,
                               const struct store_event *event,
                               struct errtext *err)
{
    return store_event_insert_many(db, event, 1, err);
}

enum status store_event_insert_many(struct store_connection *db,
                                    const struct store_event *events,
                                    size_t count, struct errtext *err)
{
    struct store_param *params =
        calloc(count + 1, EVENT_PARAMS * sizeof(*params));
    enum status status;

    if (params == NULL)
        return status_no_memory(err);
    for (size_t i = 0; i < count; i++)
        fill_event(&params[i * EVENT_PARAMS], &events[i],
                   i == 0 && db->token[0] != '\0' ? db->token : NULL);
    status = store_execute_rows(db, &event_sql, params, EVENT_PARAMS,
                                (unsigned)count, err);
    free(params);
    /* Each try begins with it again. */
    if (status == STATUS_OK)
        db->token[0] = '\0';
    return status;
}

enum status store_event_insert_once(struct store_connection *db,
                                    const struct store_event *event,
                                    unsigned once_in_seconds,
                                    struct errtext *err)
{
    uint64_t period = (uint64_t)clock_wall_seconds() / once_in_seconds;
    struct store_param params[] = {
        store_text(event->kind),       store_text(event->who),
        store_text(event->address),    store_text(event->domain),
        store_text(event->directory),  store_number(event->run),
        store_text(event->reason),     store_text(event->before),
        store_text(event->after),      store_text(event->kind),
        store_text(event->address),    store_text(event->reason),
        store_number(period),          store_text(event->address),
        store_text(event->kind),       store_text(event->reason),
        store_number(once_in_seconds),
    };
    enum status status = store_execute(db, &event_once_sql, params,
                                       ARRAY_SIZE(params), NULL, err);

    return status == STATUS_DENIED ? STATUS_OK : status;
}

struct event_write {
    const struct store_event *event;
    unsigned once_in_seconds;
};

static enum status run_event_once(struct store_connection *db, void *arg,
                                  struct errtext *err)
{
    const struct event_write *write = arg;

    return store_event_insert_once(db, write->event, write->once_in_seconds,
                                   err);
}

static enum status run_event(struct store_connection *db, void *arg,
                             struct errtext *err)
{
    const struct event_write *write = arg;
    enum status status = store_event_insert(db, write->event, err);

    return status == STATUS_DENIED ? STATUS_OK : status;
}

enum status store_event_write(struct store *store,
                              const struct store_event *event,
                              unsigned once_in_seconds, int64_t deadline_ms,
                              struct errtext *err)
{
    static const struct store_work always = {.run = run_event, .token = true};
    static const struct store_work once = {.run = run_event_once};
    struct event_write write = {.event = event,
                                .once_in_seconds = once_in_seconds};

    if (once_in_seconds == 0)
        return store_work(store, &always, &write, deadline_ms, err);
    return store_work(store, &once, &write, deadline_ms, err);
}

/* Returns the length of the UTF-8 character at text, or 0 if it is none. */
static size_t character(const unsigned char *text)
{
    size_t len = 0;

    if (text[0] < 0x80)
        return 1;
    if (text[0] >= 0xc2 && text[0] <= 0xdf)
        len = 2;
    else if (text[0] >= 0xe0 && text[0] <= 0xef)
        len = 3;
    else if (text[0] >= 0xf0 && text[0] <= 0xf4)
        len = 4;
    for (size_t i = 1; i < len; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    /* Over-long forms, surrogates, and what lies above U+10FFFF. */
    if ((text[0] == 0xe0 && text[1] < 0xa0) ||
        (text[0] == 0xed && text[1] > 0x9f) ||
        (text[0] == 0xf0 && text[1] < 0x90) ||
        (text[0] == 0xf4 && text[1] > 0x8f))
        return 0;
    return len;
}

static void append_string(struct strbuf *json, const char *value)
{
    strbuf_append_char(json, '"');
    while (*value != '\0') {
        size_t len = character((const unsigned char *)value);

        if (len == 0)
            strbuf_append(json, "\\ufffd");
        else if (*value == '"' || *value == '\\')
            strbuf_appendf(json, "\\%c", *value);
        else if ((unsigned char)*value < 0x20 || *value == 0x7f)
            strbuf_appendf(json, "\\u%04x", (unsigned)(unsigned char)*value);
        else
            strbuf_append_len(json, value, len);
        value += len > 0 ? len : 1;
    }
    strbuf_append_char(json, '"');
}

void store_event_member(struct strbuf *json, const char *name,
                        const char *value)
{
    if (json->len > 1)
        strbuf_append(json, ", ");
    append_string(json, name);
    strbuf_append(json, ": ");
    append_string(json, value);
}
