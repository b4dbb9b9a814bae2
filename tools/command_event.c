/* command_event - provostctl event ... */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "clock.h"
#include "event_follow.h"
#include "store_history.h"
#include "strbuf.h"

#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define CHANGE_BYTES_MAX ((size_t)4 << 20)
#define CHANGE_BYTES_SHOWN 1000 /* in a table; other formats have all */
#define FOLLOW_PAUSE_MS 1000

/* What is asked for, with what it owns. */
struct event_words {
    struct store_event_query query;
    char *address;
    char *domain;
};

static void clear_words(struct event_words *words)
{
    free(words->address);
    free(words->domain);
}

/* Reads "[--user A] [--domain D] ..." and opens the store. */
static int read_words(struct tool *tool, struct arguments *arguments,
                      struct event_words *words)
{
    const char *user = NULL;
    const char *domain = NULL;
    const char *since = NULL;
    const char *run = NULL;
    const struct tool_option options[] = {
        {"user", &user, NULL},
        {"domain", &domain, NULL},
        {"kind", &words->query.kind, NULL},
        {"since", &since, NULL},
        {"run", &run, NULL},
        {NULL, NULL, NULL},
    };
    int code = EX_OK;

    if (!tool_arguments(arguments, options, 0, 0))
        return EX_USAGE;
    if (user != NULL)
        code = tool_address(user, &words->address);
    if (code == EX_OK && domain != NULL)
        code = tool_domain(domain, &words->domain);
    if (code == EX_OK && since != NULL)
        code = tool_time(since, &words->query.since);
    if (code == EX_OK && run != NULL)
        code = tool_number(run, &words->query.run);
    if (code == EX_OK && run != NULL && words->query.run == 0) {
        tool_error("--run is the number of a run of sync, from 1");
        code = EX_DATAERR;
    }
    words->query.address = words->address;
    words->query.domain = words->domain;
    return code == EX_OK ? tool_store(tool, false) : code;
}

static void append_value(struct strbuf *buf, const json_t *value)
{
    char *text = NULL;

    if (json_is_string(value))
        strbuf_append(buf, json_string_value(value));
    else if (value != NULL)
        text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    if (text != NULL)
        strbuf_append(buf, text);
    free(text);
}

/* Appends "key old -> new" for each key; what is on one side alone shows so. */
static void append_changes(struct strbuf *buf, json_t *before, json_t *after)
{
    const char *key;
    json_t *value;

    json_object_foreach(before, key, value)
    {
        strbuf_appendf(buf, "%s%s ", buf->len > 0 ? ", " : "", key);
        append_value(buf, value);
        if (json_object_get(after, key) != NULL) {
            strbuf_append(buf, " -> ");
            append_value(buf, json_object_get(after, key));
        }
    }
    json_object_foreach(after, key, value)
    {
        if (json_object_get(before, key) != NULL)
            continue;
        strbuf_appendf(buf, "%s%s -> ", buf->len > 0 ? ", " : "", key);
        append_value(buf, value);
    }
}

static json_t *object_of(const char *text)
{
    return text != NULL ? json_loads(text, 0, NULL) : NULL;
}

/* Cuts a text for a table, and shows that. */
static void cut(struct strbuf *buf)
{
    size_t len = CHANGE_BYTES_SHOWN;

    if (buf->len <= len)
        return;
    while (len > 0 && ((unsigned char)strbuf_text(buf)[len] & 0xc0) == 0x80)
        len--;
    strbuf_truncate(buf, len);
    strbuf_append(buf, " ...");
}

/* What was changed, for people: "quota 5G -> 10G". */
static void output_changes(struct output *out,
                           const struct store_event_row *event)
{
    struct strbuf buf = STRBUF_INIT(CHANGE_BYTES_MAX);
    json_t *before = object_of(event->before);
    json_t *after = object_of(event->after);

    append_changes(&buf, before, after);
    cut(&buf);
    output_text(out, buf.len > 0 ? strbuf_text(&buf) : NULL);
    strbuf_clear(&buf);
    json_decref(before);
    json_decref(after);
}

/* A row for programs: every field by itself. */
static void print_fields(struct output *out,
                         const struct store_event_row *event)
{
    output_number(out, event->id);
    output_text(out, event->at);
    output_text(out, event->kind);
    output_text(out, event->who);
    output_text(out, event->address);
    output_text(out, event->domain);
    output_text(out, event->directory);
    if (event->run != 0)
        output_number(out, event->run);
    else
        output_text(out, NULL);
    output_text(out, event->reason);
    output_json(out, event->before);
    output_json(out, event->after);
    output_row(out);
}

/* A row for people: whom or what it is about, and what became of it. */
static void print_people(struct output *out,
                         const struct store_event_row *event)
{
    output_text(out, event->at);
    output_text(out, event->kind);
    output_text(out, event->address != NULL ? event->address : event->domain);
    output_text(out, event->who);
    output_text(out, event->reason);
    output_changes(out, event);
    output_row(out);
}

static void print_event(struct output *out, enum output_format format,
                        const struct store_event_row *event)
{
    if (format == OUTPUT_TABLE)
        print_people(out, event);
    else
        print_fields(out, event);
}

static int begin(struct tool *tool, struct output **out_r)
{
    static const struct output_column fields[] = {
        {"id", "ID", OUTPUT_NUMBER},       {"at", "AT", OUTPUT_TEXT},
        {"kind", "KIND", OUTPUT_TEXT},     {"who", "WHO", OUTPUT_TEXT},
        {"user", "USER", OUTPUT_TEXT},     {"domain", "DOMAIN", OUTPUT_TEXT},
        {"directory", "DIR", OUTPUT_TEXT}, {"run", "RUN", OUTPUT_NUMBER},
        {"reason", "REASON", OUTPUT_TEXT}, {"before", "BEFORE", OUTPUT_TEXT},
        {"after", "AFTER", OUTPUT_TEXT},
    };
    static const struct output_column people[] = {
        {"at", "AT", OUTPUT_TEXT},         {"kind", "KIND", OUTPUT_TEXT},
        {"about", "ABOUT", OUTPUT_TEXT},   {"who", "WHO", OUTPUT_TEXT},
        {"reason", "REASON", OUTPUT_TEXT}, {"change", "CHANGE", OUTPUT_TEXT},
    };

    if (tool->format == OUTPUT_TABLE)
        return tool_begin(tool, people, ARRAY_SIZE(people), out_r);
    return tool_begin(tool, fields, ARRAY_SIZE(fields), out_r);
}

struct listing {
    struct output *out;
    enum output_format format;
    struct event_follow *follow; /* NULL: each event is new */
};

static bool list_one(const struct store_event_row *event, void *arg)
{
    struct listing *listing = arg;

    if (listing->follow == NULL ||
        event_follow_note(listing->follow, event->id, clock_ms()))
        print_event(listing->out, listing->format, event);
    return true;
}

int event_list(struct tool *tool, struct arguments *arguments)
{
    struct event_words words = {{0}, NULL, NULL};
    struct listing listing = {NULL, tool->format, NULL};
    struct store_event_visitor visitor = {list_one, &listing};
    struct errtext err = {{0}};
    int code = read_words(tool, arguments, &words);

    if (code == EX_OK)
        code = begin(tool, &listing.out);
    if (code == EX_OK) {
        /* A page has the store's own time limit, the whole list has none. */
        enum status status = store_event_list(tool->store, &words.query,
                                              &visitor, INT64_MAX, &err);

        if (status != STATUS_OK)
            code = tool_failed(status, &err);
        code = tool_end(&listing.out, code);
    }
    clear_words(&words);
    return code;
}

static bool note_newest(const struct store_event_row *event, void *arg)
{
    uint64_t *newest = arg;

    *newest = event->id;
    return false;
}

/* Finds the last event there is, from where on to follow. */
static int find_newest(struct tool *tool, uint64_t *newest)
{
    struct store_event_query query = {.newest_first = true, .max = 1};
    struct store_event_visitor visitor = {note_newest, newest};
    struct errtext err = {{0}};
    enum status status = store_event_list(tool->store, &query, &visitor,
                                          tool_deadline(tool), &err);

    return status == STATUS_OK ? EX_OK : tool_failed(status, &err);
}

/* Waits for the next look; false when nobody reads any more. */
static bool pause_or_end(void)
{
    struct pollfd reader = {.fd = STDOUT_FILENO, .events = 0};

    return poll(&reader, 1, FOLLOW_PAUSE_MS) <= 0 ||
           (reader.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0;
}

/* Looks again and again; a store that is away is waited for. */
static int follow(struct tool *tool, struct store_event_query *query,
                  struct listing *listing)
{
    struct store_event_visitor visitor = {list_one, listing};
    bool away = false;

    do {
        struct errtext err = {{0}};
        enum status status;

        query->from_id = listing->follow->settled;
        status =
            store_event_list(tool->store, query, &visitor, INT64_MAX, &err);
        output_flush(listing->out);
        if (status != STATUS_OK && status != STATUS_TEMPFAIL)
            return tool_failed(status, &err);
        if (status == STATUS_TEMPFAIL && !away)
            tool_error("%s; waiting for it", err.text);
        else if (status == STATUS_OK && away)
            tool_error("the store answers again");
        away = status == STATUS_TEMPFAIL;
        event_follow_settle(listing->follow, clock_ms());
    } while (pause_or_end());
    return EX_OK;
}

int event_follow(struct tool *tool, struct arguments *arguments)
{
    struct event_words words = {{0}, NULL, NULL};
    struct event_follow seen = {0};
    struct listing listing = {NULL, tool->format, &seen};
    int code;

    /* An array would never end. */
    if (tool->format == OUTPUT_JSON)
        tool->format = OUTPUT_LINES;
    listing.format = tool->format;
    code = read_words(tool, arguments, &words);
    if (code == EX_OK && words.query.since == 0)
        code = find_newest(tool, &seen.settled);
    if (code == EX_OK)
        code = begin(tool, &listing.out);
    if (code == EX_OK) {
        output_flush(listing.out);
        code = tool_end(&listing.out, follow(tool, &words.query, &listing));
    }
    clear_words(&words);
    return code;
}
