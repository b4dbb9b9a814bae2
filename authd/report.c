/* report - see report.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "report.h"

#include "clock.h"
#include "directory.h"
#include "memory.h"
#include "metrics.h"
#include "throttle.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define HOSTS_MAX 32 /* of one directory, shown */

#define REQUESTS(result)                                                       \
    {                                                                          \
        "provost_auth_requests_total", "result=\"" result "\"", "counter",     \
            "Login attempts by result"                                         \
    }
#define TURNED_AWAY(why)                                                       \
    {                                                                          \
        "provost_auth_turned_away_total", "reason=\"" why "\"", "counter",     \
            "Connections that met no worker, by reason"                        \
    }
#define MAILBOXES(made)                                                        \
    {                                                                          \
        "provost_auth_mailboxes_total", "change=\"" made "\"", "counter",      \
            "Mailboxes changed by a login"                                     \
    }
#define RELOADS(result)                                                        \
    {                                                                          \
        "provost_auth_reloads_total", "result=\"" result "\"", "counter",      \
            "Reloads of the settings"                                          \
    }
#define GAUGE(name, help)                                                      \
    {                                                                          \
        "provost_auth_" name, "", "gauge", help                                \
    }

/* The rows; enums of other modules are offsets from the first of a block. */
enum {
    COUNT_REQUESTS, /* + enum login_result */
    COUNT_TURNED_AWAY = COUNT_REQUESTS + 4,
    COUNT_MAILBOXES = COUNT_TURNED_AWAY + SERVER_WHY_COUNT,
    COUNT_RELOADS = COUNT_MAILBOXES + 7,
    GAUGE_CONNECTIONS = COUNT_RELOADS + 2,
    GAUGE_QUEUED,
    GAUGE_IN_FLIGHT,
    GAUGE_VERIFIED,
    GAUGE_REFUSED,
    GAUGE_THROTTLE,
    GAUGE_STORE,
    GAUGE_STARTED,
    ROW_COUNT
};

static const struct metric table[ROW_COUNT] = {
    [COUNT_REQUESTS + LOGIN_IN] = REQUESTS("ok"),
    [COUNT_REQUESTS + LOGIN_WRONG] = REQUESTS("wrong"),
    [COUNT_REQUESTS + LOGIN_REFUSED] = REQUESTS("refused"),
    [COUNT_REQUESTS + LOGIN_TEMPORARY] = REQUESTS("temporary"),
    [COUNT_TURNED_AWAY + SERVER_INVALID] = TURNED_AWAY("invalid"),
    [COUNT_TURNED_AWAY + SERVER_QUEUE_FULL] = TURNED_AWAY("queue_full"),
    [COUNT_TURNED_AWAY + SERVER_QUEUE_AGE] = TURNED_AWAY("queue_age"),
    [COUNT_TURNED_AWAY + SERVER_SLOW] = TURNED_AWAY("slow"),
    [COUNT_TURNED_AWAY + SERVER_IDLE] = TURNED_AWAY("idle"),
    [COUNT_TURNED_AWAY + SERVER_CROWDED] = TURNED_AWAY("crowded"),
    [COUNT_TURNED_AWAY + SERVER_STOPPING] = TURNED_AWAY("stopping"),
    [COUNT_TURNED_AWAY + SERVER_NO_DESCRIPTOR] = TURNED_AWAY("no_descriptor"),
    [COUNT_TURNED_AWAY + SERVER_PEER_REFUSED] = TURNED_AWAY("peer_refused"),
    [COUNT_MAILBOXES] = MAILBOXES("create"),
    [COUNT_MAILBOXES + 1] = MAILBOXES("update"),
    [COUNT_MAILBOXES + 2] = MAILBOXES("adopt"),
    [COUNT_MAILBOXES + 3] = MAILBOXES("rename"),
    [COUNT_MAILBOXES + 4] = MAILBOXES("reactivate"),
    [COUNT_MAILBOXES + 5] = MAILBOXES("deactivate"),
    [COUNT_MAILBOXES + 6] = MAILBOXES("other"),
    [COUNT_RELOADS] = RELOADS("failed"),
    [COUNT_RELOADS + 1] = RELOADS("ok"),
    [GAUGE_CONNECTIONS] = GAUGE("connections", "Open connections"),
    [GAUGE_QUEUED] = GAUGE("queued", "Attempts waiting for a worker"),
    [GAUGE_IN_FLIGHT] = GAUGE("in_flight", "Attempts in a worker"),
    [GAUGE_VERIFIED] = GAUGE("remembered_verified", "Remembered logins"),
    [GAUGE_REFUSED] = GAUGE("remembered_refused", "Remembered refused pairs"),
    [GAUGE_THROTTLE] = GAUGE("throttle_buckets", "Counters of failures"),
    [GAUGE_STORE] = GAUGE("store_up", "1: the database answers"),
    [GAUGE_STARTED] = GAUGE("start_time_seconds", "Start, since 1970 UTC"),
};

static const char *const made_words[] = {"create", "update",     "adopt",
                                         "rename", "reactivate", "deactivate"};

/* Upper bounds of the histogram, in ms, and as Prometheus writes them. */
static const struct {
    int64_t ms;
    const char *seconds;
} buckets[] = {
    {5, "0.005"},  {10, "0.01"},  {25, "0.025"}, {50, "0.05"},
    {100, "0.1"},  {250, "0.25"}, {500, "0.5"},  {1000, "1"},
    {2500, "2.5"}, {5000, "5"},   {10000, "10"},
};

struct report {
    struct log *log;
    struct metrics *metrics;
    int64_t start_ms;
    _Atomic uint32_t next_id;
    _Atomic uint64_t durations[ARRAY_SIZE(buckets) + 1];
    _Atomic int64_t duration_sum_ms;
    pthread_mutex_t lock; /* of what follows */
    char store_state[16];
    struct errtext store_text;
};

struct report *report_new(struct log *log)
{
    struct report *report = calloc(1, sizeof(*report));
    uint32_t first = 0;

    if (report == NULL)
        return NULL;
    report->log = log;
    report->start_ms = clock_ms();
    report->metrics = metrics_new(table, ROW_COUNT);
    if (report->metrics == NULL) {
        free(report);
        return NULL;
    }
    /* Ids are for grep, not for secrecy: without randomness they start at 0. */
    if (getrandom(&first, sizeof(first), GRND_NONBLOCK) < 0)
        first = 0;
    atomic_init(&report->next_id, first);
    (void)pthread_mutex_init(&report->lock, NULL);
    metrics_set(report->metrics, GAUGE_STARTED, clock_wall_seconds());
    report_store(report, "unknown", "");
    return report;
}

void report_free(struct report **report)
{
    if (*report == NULL)
        return;
    metrics_free(&(*report)->metrics);
    (void)pthread_mutex_destroy(&(*report)->lock);
    free(*report);
    *report = NULL;
}

/* Puts a duration into the histogram. */
static void count_duration(struct report *report, int64_t took_ms)
{
    size_t i = 0;

    while (i < ARRAY_SIZE(buckets) && took_ms > buckets[i].ms)
        i++;
    atomic_fetch_add(&report->durations[i], 1);
    atomic_fetch_add(&report->duration_sum_ms, took_ms);
}

/* Counts what a login did to a mailbox. */
static void count_made(struct report *report, const char *made)
{
    size_t i = 0;

    if (made == NULL || made[0] == '\0')
        return;
    while (i < ARRAY_SIZE(made_words) && strcmp(made, made_words[i]) != 0)
        i++;
    metrics_add(report->metrics, COUNT_MAILBOXES + i, 1);
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

/* Keys that were handed out are no login yet, and no wrong password. */
static bool is_about_keys(const struct login_answer *answer)
{
    return strcmp(or_empty(answer->how), "keys") == 0;
}

/* The words that people, and the fail2ban filter, look for. */
static const char *sentence_of(const struct login_answer *answer)
{
    switch (answer->result) {
    case LOGIN_IN:
        return is_about_keys(answer) ? "keys given" : "login ok";
    case LOGIN_WRONG:
        return "wrong password";
    case LOGIN_REFUSED:
        return "refused";
    case LOGIN_TEMPORARY:
        break;
    }
    return "temporary";
}

/* What an administrator has to mend is an error, not only a warning. */
static enum log_level level_of(const struct login_answer *answer)
{
    static const char *const errors[] = {"hash_unverifiable",
                                         "directory_not_configured"};

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        if (answer->reason != NULL && strcmp(answer->reason, errors[i]) == 0)
            return LOG_LEVEL_ERROR;
    }
    return answer->result == LOGIN_TEMPORARY ? LOG_LEVEL_WARNING
                                             : LOG_LEVEL_INFO;
}

/*
 * What the client typed: stock modules of libsasl2 cut it at the '@' and send
 * the second half as the realm.
 */
static void put_user(const struct wire_request *wire, char *out, size_t size)
{
    const char *realm = wire->fields[WIRE_REALM];

    (void)snprintf(out, size, "%s%s%s", wire->fields[WIRE_USER],
                   realm[0] != '\0' ? "@" : "", realm);
}

void report_decision(struct report *report, const struct wire_request *wire,
                     const struct login_answer *answer, int64_t took_ms)
{
    uint32_t number = atomic_fetch_add(&report->next_id, 1);
    char user[WIRE_USER_BYTES_MAX + WIRE_REALM_BYTES_MAX + 2] = "";
    char client[WIRE_CLIENT_BYTES_MAX + 1] = "";
    char id[16];
    const struct log_field fields[] = {
        LOG_TEXT("id", id),
        LOG_TEXT("user", user),
        LOG_TEXT("mailbox", or_empty(answer->address)),
        LOG_TEXT("service", wire != NULL ? wire->fields[WIRE_SERVICE] : ""),
        LOG_TEXT("client", client),
        LOG_TEXT("directory", or_empty(answer->directory)),
        LOG_TEXT("how", or_empty(answer->how)),
        LOG_TEXT("made", or_empty(answer->made)),
        LOG_TEXT("reason", or_empty(answer->reason)),
        LOG_TEXT("text", answer->text.text),
        LOG_NUMBER("took_ms", took_ms),
    };

    (void)snprintf(id, sizeof(id), "%08x", number);
    if (wire != NULL) {
        put_user(wire, user, sizeof(user));
        throttle_client(wire->fields[WIRE_CLIENT], client, sizeof(client));
    }
    if (!is_about_keys(answer))
        metrics_add(report->metrics, COUNT_REQUESTS + (size_t)answer->result,
                    1);
    count_duration(report, took_ms);
    count_made(report, answer->made);
    log_line(report->log, level_of(answer), sentence_of(answer), fields,
             ARRAY_SIZE(fields));
}

void report_turned_away(struct report *report, enum server_why why)
{
    metrics_add(report->metrics, COUNT_TURNED_AWAY + (size_t)why, 1);
}

void report_reload(struct report *report, bool success)
{
    metrics_add(report->metrics, COUNT_RELOADS + (success ? 1 : 0), 1);
}

void report_store(struct report *report, const char *state, const char *text)
{
    (void)pthread_mutex_lock(&report->lock);
    (void)snprintf(report->store_state, sizeof(report->store_state), "%s",
                   state);
    errtext_set(&report->store_text, "%s", text);
    (void)pthread_mutex_unlock(&report->lock);
    metrics_set(report->metrics, GAUGE_STORE, strcmp(state, "up") == 0);
}

/* Brings the gauges up to date. */
static void measure(struct report *report, const struct report_sources *sources)
{
    const struct login_shared *shared = sources->generation->shared;
    struct server_counts counts;
    size_t verified = 0;
    size_t refused = 0;

    server_counts(sources->server, &counts);
    memory_counts(shared->memory, &verified, &refused);
    metrics_set(report->metrics, GAUGE_CONNECTIONS, counts.connections);
    metrics_set(report->metrics, GAUGE_QUEUED, counts.queued);
    metrics_set(report->metrics, GAUGE_IN_FLIGHT, counts.in_flight);
    metrics_set(report->metrics, GAUGE_VERIFIED, (int64_t)verified);
    metrics_set(report->metrics, GAUGE_REFUSED, (int64_t)refused);
    metrics_set(report->metrics, GAUGE_THROTTLE,
                (int64_t)throttle_count(shared->throttle));
}

/* Appends a value inside double quotes, as labels and status want it. */
static void append_quoted(struct strbuf *buf, const char *text)
{
    strbuf_append_char(buf, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            strbuf_append_char(buf, '\\');
        strbuf_append_char(buf, (unsigned char)*text < ' ' ? ' ' : *text);
    }
    strbuf_append_char(buf, '"');
}

/* What one line about a host is made of. */
struct host_line {
    const char *directory;
    const struct directory_host_state *state;
};

/* Calls append for each host of each directory. */
static void each_host(const struct generation *generation, struct strbuf *buf,
                      void (*append)(struct strbuf *buf,
                                     const struct host_line *line))
{
    const struct settings *settings = generation->settings;
    size_t count = login_directory_count(generation->login);

    for (size_t i = 0; i < count && i < settings->directory_count; i++) {
        struct directory_host_state states[HOSTS_MAX];
        size_t hosts = directory_hosts(login_directory(generation->login, i),
                                       states, HOSTS_MAX);

        for (size_t k = 0; k < hosts && k < HOSTS_MAX; k++) {
            struct host_line line = {settings->directories[i].name, &states[k]};

            append(buf, &line);
        }
    }
}

static void append_host_status(struct strbuf *buf, const struct host_line *line)
{
    strbuf_appendf(buf, "host %s %s %s", line->directory, line->state->host,
                   line->state->up ? "up" : "down");
    if (!line->state->up)
        strbuf_appendf(buf, " retry_in_ms=%lld",
                       (long long)line->state->retry_in_ms);
    if (line->state->error[0] != '\0') {
        strbuf_append(buf, " error=");
        append_quoted(buf, line->state->error);
    }
    strbuf_append_char(buf, '\n');
}

static void append_host_metric(struct strbuf *buf, const struct host_line *line)
{
    strbuf_append(buf, "provost_ldap_up{directory=");
    append_quoted(buf, line->directory);
    strbuf_append(buf, ",host=");
    append_quoted(buf, line->state->host);
    strbuf_appendf(buf, "} %d\n", line->state->up ? 1 : 0);
}

/* "provost_auth_requests_total{result="ok"}" -> "requests_total ok". */
static void append_row_status(const struct report *report, struct strbuf *buf,
                              size_t row)
{
    const char *label = strchr(table[row].labels, '"');

    strbuf_append(buf, table[row].name + strlen("provost_auth_"));
    if (label != NULL)
        strbuf_appendf(buf, " %.*s", (int)strcspn(label + 1, "\""), label + 1);
    strbuf_appendf(buf, " %lld\n",
                   (long long)metrics_get(report->metrics, row));
}

void report_append_status(struct report *report,
                          const struct report_sources *sources,
                          struct strbuf *buf)
{
    int64_t now_ms = clock_ms();

    measure(report, sources);
    strbuf_appendf(
        buf,
        "version %s\npid %ld\nuptime_seconds %lld\nsettings_age_seconds %lld\n",
        PACKAGE_VERSION, (long)getpid(),
        (long long)(now_ms - report->start_ms) / 1000,
        (long long)(now_ms - sources->generation->loaded_ms) / 1000);
    for (size_t row = 0; row < ROW_COUNT; row++) {
        if (row != GAUGE_STORE && row != GAUGE_STARTED)
            append_row_status(report, buf, row);
    }
    (void)pthread_mutex_lock(&report->lock);
    strbuf_appendf(buf, "store %s", report->store_state);
    if (report->store_text.text[0] != '\0') {
        strbuf_append(buf, " error=");
        append_quoted(buf, report->store_text.text);
    }
    (void)pthread_mutex_unlock(&report->lock);
    strbuf_append_char(buf, '\n');
    each_host(sources->generation, buf, append_host_status);
}

/* Appends the histogram of how long attempts took. */
static void append_durations(struct report *report, struct strbuf *buf)
{
    static const char name[] = "provost_auth_duration_seconds";
    uint64_t total = 0;
    int64_t sum_ms = atomic_load(&report->duration_sum_ms);

    strbuf_appendf(buf,
                   "# HELP %s Time from a whole request to its answer\n"
                   "# TYPE %s histogram\n",
                   name, name);
    for (size_t i = 0; i <= ARRAY_SIZE(buckets); i++) {
        total += atomic_load(&report->durations[i]);
        strbuf_appendf(buf, "%s_bucket{le=\"%s\"} %llu\n", name,
                       i < ARRAY_SIZE(buckets) ? buckets[i].seconds : "+Inf",
                       (unsigned long long)total);
    }
    strbuf_appendf(buf, "%s_sum %lld.%03lld\n%s_count %llu\n", name,
                   (long long)sum_ms / 1000, (long long)sum_ms % 1000, name,
                   (unsigned long long)total);
}

void report_append_metrics(struct report *report,
                           const struct report_sources *sources,
                           struct strbuf *buf)
{
    measure(report, sources);
    metrics_append(report->metrics, buf);
    append_durations(report, buf);
    strbuf_append(buf, "# HELP provost_ldap_up 1: the host answers\n"
                       "# TYPE provost_ldap_up gauge\n");
    each_host(sources->generation, buf, append_host_metric);
    strbuf_appendf(buf,
                   "# HELP provost_auth_build_info The version that runs\n"
                   "# TYPE provost_auth_build_info gauge\n"
                   "provost_auth_build_info{version=\"%s\"} 1\n",
                   PACKAGE_VERSION);
}
