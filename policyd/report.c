/* report - see report.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "report.h"

#include "clock.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#define NOTICE_SECONDS 10

/* What became of a finding: warned of, deferred, rejected. */
enum outcome {
    OUTCOME_WARN,
    OUTCOME_DEFER,
    OUTCOME_REJECT,
    OUTCOME_COUNT
};
static const char *const outcome_names[] = {"warn", "defer", "reject"};

struct report {
    struct log *log;
    int64_t start_ms;
    int64_t start_seconds;
    atomic_uint_fast64_t dunno;
    atomic_uint_fast64_t findings[POLICY_RULE_COUNT][OUTCOME_COUNT];
    atomic_uint_fast64_t away;
    atomic_uint_fast64_t provisioned;
    atomic_uint_fast64_t other;
    atomic_uint_fast64_t invalid;
    atomic_uint_fast64_t turned_away[SERVER_WHY_COUNT];
    atomic_uint_fast64_t reloads[2];
};

static void count(atomic_uint_fast64_t *counter)
{
    (void)atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static uint64_t value_of(atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

struct report *report_new(struct log *log)
{
    struct report *report = calloc(1, sizeof(*report));

    if (report == NULL)
        return NULL;
    report->log = log;
    report->start_ms = clock_ms();
    report->start_seconds = clock_wall_seconds();
    return report;
}

void report_free(struct report **report)
{
    free(*report);
    *report = NULL;
}

static enum outcome outcome_of(const struct policy_finding *finding)
{
    if (!finding->enforced)
        return OUTCOME_WARN;
    return finding->action == POLICY_REJECT ? OUTCOME_REJECT : OUTCOME_DEFER;
}

static void log_finding(struct report *report,
                        const struct policy_request *request,
                        const struct policy_finding *finding, int64_t took_ms)
{
    const struct log_field fields[] = {
        LOG_TEXT("rule", policy_rule_name(finding->rule)),
        LOG_TEXT("state", request->state),
        LOG_TEXT("client", request->client),
        LOG_TEXT("queue_id", request->queue_id),
        LOG_TEXT("login", request->sasl_username),
        LOG_TEXT("sender", request->sender),
        LOG_TEXT("recipient", request->recipient),
        LOG_TEXT("subject", finding->subject),
        LOG_TEXT("numbers", finding->numbers),
        LOG_TEXT("text", finding->text),
        LOG_TEXT("instance", request->instance),
        LOG_NUMBER("took_ms", took_ms),
    };
    static const char *const sentences[] = {"would refuse", "deferred",
                                            "rejected"};
    const char *sentence = sentences[outcome_of(finding)];
    enum log_level level = LOG_LEVEL_INFO;

    if (finding->away) {
        sentence = finding->enforced ? "deferred, no answer" : "no answer";
        /* One that lets mail in is no news for each request of an outage. */
        level = finding->enforced ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG;
    }
    log_line(report->log, level, sentence, fields, ARRAY_SIZE(fields));
}

static void log_dunno(struct report *report,
                      const struct policy_request *request, int64_t took_ms)
{
    const struct log_field fields[] = {
        LOG_TEXT("state", request->state),
        LOG_TEXT("client", request->client),
        LOG_TEXT("queue_id", request->queue_id),
        LOG_TEXT("login", request->sasl_username),
        LOG_TEXT("sender", request->sender),
        LOG_TEXT("recipient", request->recipient),
        LOG_TEXT("instance", request->instance),
        LOG_NUMBER("took_ms", took_ms),
    };

    log_line(report->log, LOG_LEVEL_DEBUG, "dunno", fields, ARRAY_SIZE(fields));
}

void report_answer(struct report *report, const struct policy_request *request,
                   const struct policy_answer *answer, int64_t took_ms)
{
    for (size_t i = 0; i < answer->finding_count; i++) {
        const struct policy_finding *finding = &answer->findings[i];

        count(&report->findings[finding->rule][outcome_of(finding)]);
        log_finding(report, request, finding, took_ms);
    }
    if (answer->action == POLICY_DUNNO)
        count(&report->dunno);
    if (answer->finding_count == 0)
        log_dunno(report, request, took_ms);
    if (answer->provisioned)
        count(&report->provisioned);
    if (answer->away) {
        const struct log_field fields[] = {LOG_TEXT("error", answer->err.text)};

        count(&report->away);
        log_line_limited(report->log, LOG_LEVEL_WARNING, "away", NOTICE_SECONDS,
                         "something did not answer in time; each rule does "
                         "what its store_away says",
                         fields, ARRAY_SIZE(fields));
    }
}

void report_other(struct report *report)
{
    count(&report->other);
}

void report_invalid(struct report *report, const char *text)
{
    const struct log_field fields[] = {LOG_TEXT("error", text)};

    count(&report->invalid);
    log_line_limited(report->log, LOG_LEVEL_WARNING, "request", NOTICE_SECONDS,
                     "closing a connection that sent no policy request", fields,
                     ARRAY_SIZE(fields));
}

void report_turned_away(struct report *report, enum server_why why)
{
    const struct log_field fields[] = {
        LOG_TEXT("reason", server_why_name(why))};

    count(&report->turned_away[why]);
    if (why != SERVER_IDLE && why != SERVER_STOPPING)
        log_line_limited(report->log, LOG_LEVEL_WARNING, server_why_name(why),
                         NOTICE_SECONDS, "turning a connection away", fields,
                         ARRAY_SIZE(fields));
}

void report_reload(struct report *report, bool success)
{
    count(&report->reloads[success ? 1 : 0]);
}

void report_append_status(struct report *report,
                          const struct report_sources *sources,
                          struct strbuf *buf)
{
    struct server_counts now;
    struct policy_stats stats;

    server_counts(sources->server, &now);
    policy_stats(sources->generation->policy, &stats);
    strbuf_appendf(
        buf, "version %s\nup_seconds %lld\nconnections %u\n", PACKAGE_VERSION,
        (long long)(clock_ms() - report->start_ms) / 1000, now.connections);
    strbuf_appendf(buf, "dunno %" PRIu64 "\nno_answer %" PRIu64 "\n",
                   value_of(&report->dunno), value_of(&report->away));
    for (int rule = 0; rule < POLICY_RULE_COUNT; rule++) {
        strbuf_appendf(
            buf, "rule %s %s", policy_rule_name((enum policy_rule)rule),
            policy_mode(sources->generation->policy, (enum policy_rule)rule));
        for (int i = 0; i < OUTCOME_COUNT; i++)
            strbuf_appendf(buf, " %s %" PRIu64, outcome_names[i],
                           value_of(&report->findings[rule][i]));
        strbuf_append_char(buf, '\n');
    }
    strbuf_appendf(buf, "accounts %zu\ninstances %zu\n", stats.accounts,
                   stats.instances);
}

static void append_head(struct strbuf *buf, const char *name, const char *type,
                        const char *help)
{
    strbuf_appendf(buf, "# HELP provost_policy_%s %s\n", name, help);
    strbuf_appendf(buf, "# TYPE provost_policy_%s %s\n", name, type);
}

static void append_one(struct strbuf *buf, const char *name, const char *type,
                       const char *help, uint64_t value)
{
    append_head(buf, name, type, help);
    strbuf_appendf(buf, "provost_policy_%s %" PRIu64 "\n", name, value);
}

static void append_actions(struct report *report, struct strbuf *buf)
{
    append_head(buf, "actions_total", "counter", "Answers by rule and action");
    strbuf_appendf(buf,
                   "provost_policy_actions_total{rule=\"\",action=\"dunno\"} "
                   "%" PRIu64 "\n",
                   value_of(&report->dunno));
    for (int rule = 0; rule < POLICY_RULE_COUNT; rule++) {
        for (int i = 0; i < OUTCOME_COUNT; i++)
            strbuf_appendf(
                buf,
                "provost_policy_actions_total{rule=\"%s\",action=\"%s\"} "
                "%" PRIu64 "\n",
                policy_rule_name((enum policy_rule)rule), outcome_names[i],
                value_of(&report->findings[rule][i]));
    }
}

static void append_turned_away(struct report *report, struct strbuf *buf)
{
    append_head(buf, "turned_away_total", "counter",
                "Connections that met no worker, by reason");
    for (int i = 0; i < SERVER_WHY_COUNT; i++)
        strbuf_appendf(buf,
                       "provost_policy_turned_away_total{reason=\"%s\"} "
                       "%" PRIu64 "\n",
                       server_why_name((enum server_why)i),
                       value_of(&report->turned_away[i]));
}

static void append_rates(const struct report_sources *sources,
                         struct strbuf *buf)
{
    struct rate_keeper_stats stats;

    if (sources->keeper == NULL)
        return;
    rate_keeper_stats(sources->keeper, &stats);
    append_one(buf, "rate_counters", "gauge", "Counters of what was sent",
               stats.rates.counters);
    append_one(buf, "rate_forgotten_total", "counter",
               "Counters given up for want of room", stats.rates.forgotten);
    append_one(buf, "rate_rows_total", "counter", "Counters written",
               stats.rows_written);
    append_one(buf, "rate_flushes_failed_total", "counter",
               "Rounds in which the counters could not be written",
               stats.flushes_failed);
}

void report_append_metrics(struct report *report,
                           const struct report_sources *sources,
                           struct strbuf *buf)
{
    struct server_counts now;
    struct policy_stats stats;

    server_counts(sources->server, &now);
    policy_stats(sources->generation->policy, &stats);
    append_actions(report, buf);
    append_turned_away(report, buf);
    append_one(buf, "no_answer_total", "counter",
               "Requests for which something did not answer in time",
               value_of(&report->away));
    append_one(buf, "provisioned_total", "counter",
               "Mailboxes made for a recipient",
               value_of(&report->provisioned));
    append_one(buf, "other_requests_total", "counter",
               "Requests of another kind", value_of(&report->other));
    append_one(buf, "invalid_requests_total", "counter", "Malformed requests",
               value_of(&report->invalid));
    append_one(buf, "reloads_ok_total", "counter", "Reloads of the settings",
               value_of(&report->reloads[1]));
    append_one(buf, "reloads_failed_total", "counter",
               "Reloads that kept the old settings",
               value_of(&report->reloads[0]));
    append_one(buf, "connections", "gauge", "Open connections",
               now.connections);
    append_one(buf, "accounts", "gauge", "Accounts remembered", stats.accounts);
    append_one(buf, "account_hits_total", "counter",
               "Look-ups answered from memory", stats.account_hits);
    append_one(buf, "account_misses_total", "counter",
               "Look-ups that asked the database", stats.account_misses);
    append_one(buf, "instances", "gauge", "Messages between RCPT and end",
               stats.instances);
    append_one(buf, "instances_forgotten_total", "counter",
               "Messages forgotten before their end, for want of room",
               stats.instances_forgotten);
    append_rates(sources, buf);
    append_one(buf, "start_time_seconds", "gauge", "Start, since 1970 UTC",
               (uint64_t)report->start_seconds);
}
