/* sync_report - see sync_report.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "sync_report.h"

#include "account.h"
#include "clock.h"
#include "output.h"
#include "strbuf.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRAW_MS 200   /* on a terminal */
#define LINE_MS 30000 /* elsewhere */
#define TEXT_BYTES_MAX ((size_t)1 << 20)

struct sync_report {
    enum sync_report_form form;
    bool terminal;
    bool drawn; /* a bar stands on the line */
    const char *directory;
    const char *what;
    int64_t began_ms; /* of what */
    int64_t drawn_ms;
    bool any; /* an element of the JSON list is there */
    bool any_change;
    bool failed;
};

struct sync_report *sync_report_new(enum sync_report_form form)
{
    struct sync_report *report = calloc(1, sizeof(*report));

    if (report == NULL)
        return NULL;
    report->form = form;
    report->terminal = isatty(STDERR_FILENO) == 1;
    if (form == SYNC_REPORT_JSON)
        (void)fputs("[", stdout);
    return report;
}

void sync_report_free(struct sync_report **report)
{
    free(*report);
    *report = NULL;
}

/* Takes the bar away, so that a line can stand there. */
static void erase(struct sync_report *report)
{
    if (report->drawn)
        (void)fputs("\r\033[K", stderr);
    report->drawn = false;
}

void sync_report_begin(struct sync_report *report, const char *directory)
{
    json_t *name;

    report->directory = directory;
    report->what = NULL;
    report->any_change = false;
    if (report->form != SYNC_REPORT_JSON)
        return;
    (void)printf("%s\n{\"directory\": ", report->any ? "," : "");
    report->any = true;
    name = json_string(directory);
    if (name == NULL || json_dumpf(name, stdout, JSON_ENCODE_ANY) != 0)
        report->failed = true;
    json_decref(name);
    (void)fputs(", \"changes\": [", stdout);
}

/* "0:08" */
static void append_time(struct strbuf *text, uint64_t seconds)
{
    strbuf_appendf(text, "%" PRIu64 ":%02" PRIu64, seconds / 60, seconds % 60);
}

static void describe(const struct sync_report *report, uint64_t done,
                     uint64_t about, struct strbuf *text)
{
    int64_t took_ms = clock_ms() - report->began_ms;
    uint64_t rate = took_ms > 0 ? done * 1000 / (uint64_t)took_ms : 0;
    char bar[OUTPUT_BAR_SIZE];

    strbuf_appendf(text, "%s: %s ", report->directory, report->what);
    if (about > 0) {
        output_bar(done < about ? done : about, about, bar);
        strbuf_appendf(text, "%s ", bar);
    }
    strbuf_appendf(text, "%" PRIu64 ", %" PRIu64 " a second", done, rate);
    if (about > done && rate > 0) {
        strbuf_append(text, ", ");
        append_time(text, (about - done) / rate);
        strbuf_append(text, " left");
    }
}

void sync_report_progress(struct sync_report *report, const char *what,
                          uint64_t done, uint64_t about)
{
    struct strbuf text = STRBUF_INIT(TEXT_BYTES_MAX);
    int64_t now_ms = clock_ms();

    if (report->form == SYNC_REPORT_QUIET)
        return;
    if (report->what == NULL || strcmp(report->what, what) != 0) {
        report->what = what;
        report->began_ms = now_ms;
        report->drawn_ms = now_ms;
        return;
    }
    if (now_ms - report->drawn_ms < (report->terminal ? DRAW_MS : LINE_MS))
        return;
    report->drawn_ms = now_ms;
    describe(report, done, about, &text);
    if (report->terminal)
        (void)fputs("\r\033[K", stderr);
    output_escaped(stderr, strbuf_text(&text));
    if (!report->terminal)
        (void)fputs("\n", stderr);
    report->drawn = report->terminal;
    (void)fflush(stderr);
    strbuf_clear(&text);
}

static bool shows_lines(const struct sync_report *report)
{
    return report->form == SYNC_REPORT_PLAN || report->form == SYNC_REPORT_JSON;
}

/* A line of text, or an element of the JSON list; object is taken over. */
static void show(struct sync_report *report, const char *symbol,
                 const char *address, const char *text, json_t *object)
{
    erase(report);
    if (report->form == SYNC_REPORT_JSON) {
        (void)fputs(report->any_change ? ",\n  " : "\n  ", stdout);
        report->any_change = true;
        if (object == NULL || json_dumpf(object, stdout, JSON_COMPACT) != 0)
            report->failed = true;
    } else {
        (void)printf("%s ", symbol);
        output_escaped(stdout, address != NULL ? address : "-");
        (void)fputs(text[0] != '\0' ? "  " : "", stdout);
        output_escaped(stdout, text);
        (void)fputs("\n", stdout);
    }
    json_decref(object);
}

static json_t *object_of(const char *action, const char *address)
{
    json_t *object = json_object();

    (void)json_object_set_new(object, "action", json_string(action));
    (void)json_object_set_new(object, "address",
                              address != NULL ? json_string(address)
                                              : json_null());
    return object;
}

/* "quota 5G -> 7G", and the same as members of object. */
static void tell_change(const char *name, const char *before, const char *after,
                        struct strbuf *text, json_t *object)
{
    json_t *pair = json_object();

    strbuf_appendf(text, "%s%s %s -> %s", text->len > 0 ? ", " : "", name,
                   before[0] != '\0' ? before : "-",
                   after[0] != '\0' ? after : "-");
    (void)json_object_set_new(pair, "before", json_string(before));
    (void)json_object_set_new(pair, "after", json_string(after));
    (void)json_object_set_new(object, name, pair);
}

static void tell_setting(const struct plan *plan, enum account_setting setting,
                         struct strbuf *text, json_t *object)
{
    struct strbuf before = STRBUF_INIT(TEXT_BYTES_MAX);
    struct strbuf after = STRBUF_INIT(TEXT_BYTES_MAX);

    account_append_setting(&before, &plan->before, setting);
    account_append_setting(&after, &plan->target, setting);
    if (strcmp(strbuf_text(&before), strbuf_text(&after)) != 0)
        tell_change(account_setting_name(setting), strbuf_text(&before),
                    strbuf_text(&after), text, object);
    strbuf_clear(&before);
    strbuf_clear(&after);
}

static const char *text_of(const char *text)
{
    return text != NULL ? text : "";
}

static void tell_changes(const struct plan *plan, struct strbuf *text,
                         json_t *object)
{
    const struct account *before = &plan->before;
    const struct account *target = &plan->target;

    if (before->directory_state != target->directory_state)
        tell_change("directory_state",
                    account_directory_state_name(before->directory_state),
                    account_directory_state_name(target->directory_state), text,
                    object);
    if (strcmp(text_of(before->directory_id), text_of(target->directory_id)) !=
        0)
        tell_change("directory_id", text_of(before->directory_id),
                    text_of(target->directory_id), text, object);
    if (strcmp(text_of(before->template_name),
               text_of(target->template_name)) != 0)
        tell_change("template", text_of(before->template_name),
                    text_of(target->template_name), text, object);
    for (unsigned i = 0; i < ACCOUNT_SETTING_COUNT; i++) {
        if ((plan->changed & ACCOUNT_SET_BIT(i)) != 0)
            tell_setting(plan, (enum account_setting)i, text, object);
    }
}

static void tell_new(const struct plan *plan, struct strbuf *text,
                     json_t *object)
{
    struct strbuf quota = STRBUF_INIT(TEXT_BYTES_MAX);

    account_append_setting(&quota, &plan->target, ACCOUNT_SET_QUOTA);
    strbuf_appendf(text, "template %s, quota %s",
                   text_of(plan->target.template_name), strbuf_text(&quota));
    (void)json_object_set_new(object, "template",
                              json_string(text_of(plan->target.template_name)));
    (void)json_object_set_new(
        object, "quota",
        json_integer((json_int_t)plan->target.set.quota_bytes));
    strbuf_clear(&quota);
}

static const char *symbol_of(const struct plan *plan)
{
    switch (plan->kind) {
    case PLAN_CREATE:
        return "+";
    case PLAN_RENAME:
        return ">";
    case PLAN_DEACTIVATE:
        return "-";
    case PLAN_NOTHING:
    case PLAN_UPDATE:
    case PLAN_ADOPT:
    case PLAN_REACTIVATE:
    case PLAN_REFUSED:
        break;
    }
    return "~";
}

void sync_report_plan(struct sync_report *report, const struct plan *plan)
{
    struct strbuf text = STRBUF_INIT(TEXT_BYTES_MAX);
    json_t *changes;
    json_t *object;

    if (!shows_lines(report))
        return;
    object = object_of(plan_kind_name(plan->kind), plan->target.address);
    changes = json_object();
    if (plan->old_address != NULL) {
        strbuf_appendf(&text, "was %s", plan->old_address);
        (void)json_object_set_new(object, "old_address",
                                  json_string(plan->old_address));
    }
    if (plan->kind == PLAN_CREATE)
        tell_new(plan, &text, object);
    else
        tell_changes(plan, &text, changes);
    (void)json_object_set_new(object, "changes", changes);
    show(report, symbol_of(plan), plan->target.address, strbuf_text(&text),
         object);
    strbuf_clear(&text);
}

/* A line with one sentence. */
static void show_sentence(struct sync_report *report, const char *symbol,
                          const char *action, const char *address,
                          const char *code, const char *sentence)
{
    struct strbuf text = STRBUF_INIT(TEXT_BYTES_MAX);
    json_t *object;

    if (!shows_lines(report))
        return;
    object = object_of(action, address);
    if (code != NULL) {
        strbuf_appendf(&text, "%s: ", code);
        (void)json_object_set_new(object, "code", json_string(code));
    }
    strbuf_append(&text, sentence);
    (void)json_object_set_new(object, "reason", json_string(sentence));
    show(report, symbol, address, strbuf_text(&text), object);
    strbuf_clear(&text);
}

void sync_report_refusal(struct sync_report *report, const char *address,
                         const char *code, const char *sentence)
{
    show_sentence(report, "!", "refused", address, code, sentence);
}

void sync_report_withheld(struct sync_report *report, const char *address,
                          const char *what)
{
    show_sentence(report, "!", "withheld", address, "withheld", what);
}

void sync_report_missing(struct sync_report *report, const char *address,
                         const char *what)
{
    show_sentence(report, "?", "missing", address, "missing", what);
}

static void end_json(const struct sync_counts *counts, int64_t ms, int code,
                     const char *reason)
{
    json_t *summary = json_pack(
        "{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:i,s:s}", "seen",
        (json_int_t)counts->seen, "created", (json_int_t)counts->created,
        "changed", (json_int_t)counts->changed, "renamed",
        (json_int_t)counts->renamed, "suspended", (json_int_t)counts->suspended,
        "refused", (json_int_t)counts->refused, "unchanged",
        (json_int_t)counts->unchanged, "skipped", (json_int_t)counts->skipped,
        "withheld", (json_int_t)counts->withheld, "ms", (json_int_t)ms,
        "exit_code", code, "reason", reason);

    (void)fputs("\n], \"summary\": ", stdout);
    if (summary == NULL || json_dumpf(summary, stdout, 0) != 0)
        (void)fputs("null", stdout);
    (void)fputs("}", stdout);
    json_decref(summary);
}

void sync_report_way(struct sync_report *report, const char *way)
{
    if (report->form == SYNC_REPORT_RUN)
        (void)printf("%s: changes by %s\n", report->directory, way);
}

void sync_report_note(struct sync_report *report, const char *text)
{
    if (report->form != SYNC_REPORT_RUN && report->form != SYNC_REPORT_PLAN)
        return;
    (void)printf("%s: ", report->directory);
    output_escaped(stdout, text);
    (void)fputs(": all are read\n", stdout);
}

void sync_report_following(struct sync_report *report, const char *directory,
                           const char *way)
{
    if (report->form == SYNC_REPORT_QUIET)
        return;
    (void)printf("%s: following by %s\n", directory, way);
    (void)fflush(stdout);
}

void sync_report_end(struct sync_report *report,
                     const struct sync_counts *counts, int64_t ms, int code,
                     const char *reason)
{
    erase(report);
    if (report->form == SYNC_REPORT_QUIET)
        return;
    if (report->form == SYNC_REPORT_JSON) {
        end_json(counts, ms, code, reason);
        return;
    }
    (void)printf("%s: %" PRIu64 " seen, %" PRIu64 " created, %" PRIu64
                 " changed, %" PRIu64 " renamed, %" PRIu64
                 " suspended, %" PRIu64 " refused, %" PRIu64
                 " unchanged, %" PRIu64 " skipped",
                 report->directory, counts->seen, counts->created,
                 counts->changed, counts->renamed, counts->suspended,
                 counts->refused, counts->unchanged, counts->skipped);
    if (counts->withheld > 0)
        (void)printf(", %" PRIu64 " withheld", counts->withheld);
    (void)printf(" (%" PRId64 ".%" PRId64 " s)\n", ms / 1000, ms % 1000 / 100);
    if (reason[0] == '\0')
        return;
    (void)fputs("  ", stdout);
    output_escaped(stdout, reason);
    (void)fputs("\n", stdout);
    (void)fflush(stdout);
}

bool sync_report_close(struct sync_report *report)
{
    erase(report);
    if (report->form == SYNC_REPORT_JSON)
        (void)fputs("\n]\n", stdout);
    return fflush(stdout) == 0 && !report->failed && ferror(stdout) == 0;
}
