/* keeper - see keeper.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "keeper.h"

#include "clock.h"
#include "login.h"
#include "store.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUND_MS 2000      /* between batches of last logins */
#define CHECK_UP_MS 15000  /* between questions to a store that answers */
#define CHECK_DOWN_MS 2000 /* and to one that does not */
#define ANSWER_MS 2000     /* how long one of them may take */
#define NOTICE_SECONDS 60

struct keeper {
    struct generations *generations;
    struct report *report;
    struct log *log;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;  /* under the lock */
    bool check_now; /* under the lock */
    /* The thread that checks the store. */
    const char *store_state;
    char store_away[STORE_AWAY_BYTES]; /* as it was logged last */
    int64_t next_check_ms;
};

enum status keeper_new(struct generations *generations, struct report *report,
                       struct log *log, struct keeper **keeper_r,
                       struct errtext *err)
{
    struct keeper *keeper = calloc(1, sizeof(*keeper));
    pthread_condattr_t monotonic;

    if (keeper == NULL)
        return status_no_memory(err);
    keeper->generations = generations;
    keeper->report = report;
    keeper->log = log;
    keeper->store_state = "unknown";
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&keeper->lock, NULL);
    (void)pthread_cond_init(&keeper->wake, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    *keeper_r = keeper;
    return STATUS_OK;
}

/* Logs only what changed; the rest is in status and metrics. */
static void log_store(struct keeper *keeper, const char *state,
                      const char *text)
{
    const struct log_field fields[] = {LOG_TEXT("error", text)};

    if (strcmp(state, keeper->store_state) == 0)
        return;
    if (strcmp(state, "up") == 0)
        log_line(keeper->log, LOG_LEVEL_INFO, "store answers", NULL, 0);
    else if (strcmp(state, "schema") == 0)
        log_line(keeper->log, LOG_LEVEL_ERROR,
                 "store has another schema than this program", fields, 1);
    else
        log_line(keeper->log, LOG_LEVEL_ERROR,
                 "store does not answer, logins are temporary failures", fields,
                 1);
}

/* A cluster that goes on without one of its nodes should not do so unseen. */
static void log_hosts(struct keeper *keeper, struct store *store)
{
    char away[STORE_AWAY_BYTES];
    const struct log_field fields[] = {LOG_TEXT("hosts", away)};

    store_hosts_away(store, away);
    if (strcmp(away, keeper->store_away) == 0)
        return;
    if (away[0] != '\0')
        log_line(keeper->log, LOG_LEVEL_WARNING,
                 "hosts of the store do not answer, using the next", fields, 1);
    else
        log_line(keeper->log, LOG_LEVEL_INFO,
                 "the first host of the store answers again", NULL, 0);
    memcpy(keeper->store_away, away, sizeof(away));
}

enum status keeper_check_store(struct keeper *keeper, int64_t deadline_ms,
                               struct errtext *err)
{
    struct generation *generation = generations_hold(keeper->generations);
    struct errtext reason = {0};
    enum status status = store_check_schema(login_store(generation->login),
                                            deadline_ms, &reason);
    const char *state = status == STATUS_OK        ? "up"
                        : status == STATUS_INVALID ? "schema"
                                                   : "down";

    if (status == STATUS_OK)
        log_hosts(keeper, login_store(generation->login));
    generations_release(keeper->generations, &generation);
    log_store(keeper, state, reason.text);
    keeper->store_state = state;
    keeper->next_check_ms =
        clock_ms() + (status == STATUS_OK ? CHECK_UP_MS : CHECK_DOWN_MS);
    report_store(keeper->report, state, reason.text);
    errtext_set(err, "%s", reason.text);
    return status;
}

/* Writes the last logins that were collected. */
static void write_behind(struct keeper *keeper)
{
    struct generation *generation = generations_hold(keeper->generations);
    struct errtext err = {0};

    if (login_write_behind(generation->login, clock_ms() + ANSWER_MS, &err) !=
        STATUS_OK) {
        const struct log_field fields[] = {LOG_TEXT("error", err.text)};

        log_line_limited(keeper->log, LOG_LEVEL_WARNING, "write_behind",
                         NOTICE_SECONDS,
                         "last logins not written, trying again", fields, 1);
    }
    generations_release(keeper->generations, &generation);
}

/* Waits for the next round; false: it is time to stop. */
static bool wait_round(struct keeper *keeper, bool *check_now_r)
{
    int64_t until_ms = clock_ms() + ROUND_MS;
    struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                             .tv_nsec = (long)(until_ms % 1000) * 1000000};
    int rc = 0;
    bool go_on;

    (void)pthread_mutex_lock(&keeper->lock);
    while (!keeper->stopping && !keeper->check_now && rc == 0)
        rc = pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until);
    go_on = !keeper->stopping;
    *check_now_r = keeper->check_now;
    keeper->check_now = false;
    (void)pthread_mutex_unlock(&keeper->lock);
    return go_on;
}

static void *keeper_main(void *argument)
{
    struct keeper *keeper = argument;
    bool check_now = false;

    while (wait_round(keeper, &check_now)) {
        write_behind(keeper);
        (void)generations_bury(keeper->generations);
        if (check_now || clock_ms() >= keeper->next_check_ms) {
            /* Reported and logged by itself. */
            if (keeper_check_store(keeper, clock_ms() + ANSWER_MS, NULL) !=
                STATUS_OK)
                continue;
        }
    }
    return NULL;
}

enum status keeper_start(struct keeper *keeper, struct errtext *err)
{
    if (pthread_create(&keeper->thread, NULL, keeper_main, keeper) != 0) {
        errtext_set(err, "no thread for the keeper");
        return STATUS_TEMPFAIL;
    }
    keeper->started = true;
    return STATUS_OK;
}

void keeper_wake(struct keeper *keeper)
{
    (void)pthread_mutex_lock(&keeper->lock);
    keeper->check_now = true;
    (void)pthread_cond_signal(&keeper->wake);
    (void)pthread_mutex_unlock(&keeper->lock);
}

void keeper_stop(struct keeper *keeper)
{
    if (!keeper->started)
        return;
    (void)pthread_mutex_lock(&keeper->lock);
    keeper->stopping = true;
    (void)pthread_cond_signal(&keeper->wake);
    (void)pthread_mutex_unlock(&keeper->lock);
    (void)pthread_join(keeper->thread, NULL);
    keeper->started = false;
}

void keeper_free(struct keeper **keeper)
{
    if (*keeper == NULL)
        return;
    (void)pthread_cond_destroy(&(*keeper)->wake);
    (void)pthread_mutex_destroy(&(*keeper)->lock);
    free(*keeper);
    *keeper = NULL;
}
