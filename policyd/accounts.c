/* accounts - see accounts.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "accounts.h"

#include "clock.h"
#include "fact_table.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * Who finds few leading looks up for all that wait, itself among them. More
 * lead when those that do take long.
 */
#define LEADERS_FEW 2
#define LEADERS_MAX 8
#define LEADER_MS 20
#define ACCOUNTS_FAIR_MS 100 /* a store that lives has answered by then */

/* One key that is being looked up. All of it under the lock of accounts. */
struct flight {
    struct flight *next;
    pthread_cond_t turn;
    unsigned waiters;
    bool taken; /* by a leader */
    bool alone; /* it was left open once */
    bool done;  /* out of the list; the last waiter frees it */
    bool stale; /* forgotten meanwhile: the answer is not kept */
    enum status status;
    struct fact *fact; /* held for the flight */
    struct errtext err;
    enum accounts_kind kind;
    char key[];
};

struct accounts {
    struct fact_table *table;
    struct accounts_source source;
    pthread_condattr_t monotonic;
    pthread_mutex_t lock;
    struct flight *flights;
    unsigned leaders;
    int64_t led_ms;  /* when the last of them began */
    int64_t away_ms; /* until then nothing is asked */
};

/* What a leader takes along. */
struct lot {
    struct flight *flights[ACCOUNTS_TOGETHER_MAX];
    const char *keys[ACCOUNTS_TOGETHER_MAX];
    struct fact *facts[ACCOUNTS_TOGETHER_MAX];
    size_t count;
};

enum status accounts_new(struct accounts_limits limits,
                         struct accounts_source source,
                         struct accounts **accounts_r, struct errtext *err)
{
    struct accounts *accounts = calloc(1, sizeof(*accounts));

    if (accounts == NULL)
        return status_no_memory(err);
    accounts->source = source;
    if (fact_table_new(limits, &accounts->table, err) != STATUS_OK) {
        free(accounts);
        return STATUS_TEMPFAIL;
    }
    if (pthread_mutex_init(&accounts->lock, NULL) != 0 ||
        pthread_condattr_init(&accounts->monotonic) != 0) {
        fact_table_free(&accounts->table);
        free(accounts);
        return status_no_memory(err);
    }
    (void)pthread_condattr_setclock(&accounts->monotonic, CLOCK_MONOTONIC);
    *accounts_r = accounts;
    return STATUS_OK;
}

void accounts_free(struct accounts **accounts)
{
    if (*accounts == NULL)
        return;
    fact_table_free(&(*accounts)->table);
    (void)pthread_condattr_destroy(&(*accounts)->monotonic);
    (void)pthread_mutex_destroy(&(*accounts)->lock);
    free(*accounts);
    *accounts = NULL;
}

struct fact *accounts_peek(struct accounts *accounts, enum accounts_kind kind,
                           const char *key, int64_t now_ms)
{
    return fact_table_find(accounts->table, kind, key, now_ms);
}

void accounts_expect(struct accounts *accounts, const struct fact_key *keys,
                     size_t count)
{
    fact_table_expect(accounts->table, keys, count);
}

static struct flight *new_flight(struct accounts *accounts,
                                 enum accounts_kind kind, const char *key)
{
    size_t len = strlen(key);
    struct flight *flight = calloc(1, sizeof(*flight) + len + 1);

    if (flight == NULL)
        return NULL;
    if (pthread_cond_init(&flight->turn, &accounts->monotonic) != 0) {
        free(flight);
        return NULL;
    }
    flight->kind = kind;
    memcpy(flight->key, key, len + 1);
    return flight;
}

/* Joins the flight of a key, or begins it; NULL without memory. */
static struct flight *board(struct accounts *accounts, enum accounts_kind kind,
                            const char *key)
{
    struct flight **link = &accounts->flights;

    while (*link != NULL && ((*link)->kind != kind || (*link)->stale ||
                             strcmp((*link)->key, key) != 0))
        link = &(*link)->next;
    if (*link == NULL) {
        while (*link != NULL)
            link = &(*link)->next;
        *link = new_flight(accounts, kind, key);
    }
    if (*link != NULL)
        (*link)->waiters++;
    return *link;
}

static void unlink_flight(struct accounts *accounts, struct flight *flight)
{
    struct flight **link = &accounts->flights;

    while (*link != NULL && *link != flight)
        link = &(*link)->next;
    if (*link == flight)
        *link = flight->next;
    flight->next = NULL;
}

/* Leaves a flight; the last one frees it unless a leader is on it. */
static void leave(struct accounts *accounts, struct flight *flight)
{
    flight->waiters--;
    if (flight->waiters > 0 || (flight->taken && !flight->done))
        return;
    if (!flight->done)
        unlink_flight(accounts, flight);
    fact_release(&flight->fact);
    (void)pthread_cond_destroy(&flight->turn);
    free(flight);
}

/* Recipients and logins are what is asked for by the thousand. */
static bool goes_together(const struct flight *flight)
{
    return (flight->kind == ACCOUNTS_RECIPIENT ||
            flight->kind == ACCOUNTS_LOGIN) &&
           !flight->alone;
}

/* Takes own, and with it others of its kind that nobody looks up yet. */
static void take_lot(struct accounts *accounts, struct flight *own,
                     struct lot *lot)
{
    lot->flights[lot->count++] = own;
    for (struct flight *flight = accounts->flights;
         flight != NULL && lot->count < ACCOUNTS_TOGETHER_MAX &&
         goes_together(own);
         flight = flight->next) {
        if (flight != own && flight->kind == own->kind && !flight->taken &&
            !flight->alone)
            lot->flights[lot->count++] = flight;
    }
    for (size_t i = 0; i < lot->count; i++) {
        lot->flights[i]->taken = true;
        lot->keys[i] = lot->flights[i]->key;
    }
}

/*
 * Gives one flight its answer; or leaves it open, to be looked up again. The
 * leader stays in it until it has woken the others.
 */
static void land(struct accounts *accounts, struct flight *flight,
                 enum status status, struct fact *fact, bool again,
                 const struct errtext *err)
{
    flight->waiters++;
    if (again || (status == STATUS_OK && fact == NULL && !flight->alone)) {
        flight->taken = false;
        flight->alone = true;
    } else {
        flight->done = true;
        flight->fact = fact;
        flight->status = fact != NULL ? STATUS_OK : STATUS_TEMPFAIL;
        flight->err = *err;
        unlink_flight(accounts, flight);
        if (fact != NULL && !flight->stale)
            fact_table_add(accounts->table, flight->kind, flight->key, fact,
                           clock_ms());
    }
}

/* Wakes one who waits for a leader. */
static void nudge(struct accounts *accounts)
{
    for (struct flight *flight = accounts->flights; flight != NULL;
         flight = flight->next) {
        if (!flight->taken) {
            (void)pthread_cond_broadcast(&flight->turn);
            return;
        }
    }
}

/* Looks up for those that wait. The lock is held before and afterwards. */
static void lead(struct accounts *accounts, struct flight *own,
                 int64_t deadline_ms)
{
    struct lot lot = {.count = 0};
    struct errtext err = {{0}};
    enum status status;
    int64_t began_ms = clock_ms();
    bool out_of_time;

    take_lot(accounts, own, &lot);
    accounts->leaders++;
    accounts->led_ms = began_ms;
    (void)pthread_mutex_unlock(&accounts->lock);
    status =
        accounts->source.load(accounts->source.context, own->kind, lot.keys,
                              lot.count, deadline_ms, lot.facts, &err);
    (void)pthread_mutex_lock(&accounts->lock);
    accounts->leaders--;
    out_of_time = status != STATUS_OK && clock_left_ms(deadline_ms) == 0;
    /* One that had no time to ask has learnt nothing of the store. */
    if (status != STATUS_OK &&
        (!out_of_time || clock_ms() - began_ms >= ACCOUNTS_FAIR_MS))
        accounts->away_ms = clock_ms() + ACCOUNTS_AWAY_MS;
    for (size_t i = 0; i < lot.count; i++)
        land(accounts, lot.flights[i], status, lot.facts[i],
             out_of_time && lot.flights[i] != own, &err);
    nudge(accounts);
    /* Who is woken wants the lock. */
    (void)pthread_mutex_unlock(&accounts->lock);
    for (size_t i = 0; i < lot.count; i++)
        (void)pthread_cond_broadcast(&lot.flights[i]->turn);
    (void)pthread_mutex_lock(&accounts->lock);
    for (size_t i = 0; i < lot.count; i++)
        leave(accounts, lot.flights[i]);
}

static bool may_lead(const struct accounts *accounts, int64_t now_ms)
{
    return accounts->leaders < LEADERS_FEW ||
           (accounts->leaders < LEADERS_MAX &&
            now_ms - accounts->led_ms >= LEADER_MS);
}

static void wait_turn(struct accounts *accounts, struct flight *flight,
                      int64_t until_ms)
{
    struct timespec until = {
        .tv_sec = (time_t)(until_ms / 1000),
        .tv_nsec = (long)(until_ms % 1000) * 1000000,
    };

    (void)pthread_cond_timedwait(&flight->turn, &accounts->lock, &until);
}

/* Stays until the flight is done, or it is deadline_ms. */
static enum status ride(struct accounts *accounts, struct flight *flight,
                        int64_t deadline_ms, struct errtext *err)
{
    while (!flight->done) {
        int64_t now_ms = clock_ms();
        int64_t until_ms = now_ms + LEADER_MS;

        if (now_ms >= deadline_ms ||
            (!flight->taken && now_ms < accounts->away_ms)) {
            errtext_set(err, now_ms >= deadline_ms ? "no answer in time"
                                                   : "no answer a moment ago");
            return STATUS_TEMPFAIL;
        }
        if (!flight->taken && may_lead(accounts, now_ms)) {
            lead(accounts, flight, deadline_ms);
            continue;
        }
        if (flight->taken || until_ms > deadline_ms)
            until_ms = deadline_ms;
        wait_turn(accounts, flight, until_ms);
    }
    if (flight->status != STATUS_OK)
        errtext_set(err, "%s", flight->err.text);
    return flight->status;
}

enum status accounts_get(struct accounts *accounts, enum accounts_kind kind,
                         const char *key, int64_t deadline_ms,
                         struct fact **fact_r, struct errtext *err)
{
    struct fact *fact = fact_table_find(accounts->table, kind, key, clock_ms());
    struct flight *flight;
    enum status status;

    if (fact != NULL) {
        *fact_r = fact;
        return STATUS_OK;
    }
    if (strlen(key) > ACCOUNTS_KEY_BYTES_MAX) {
        errtext_set(err, "a name of over %d bytes", ACCOUNTS_KEY_BYTES_MAX);
        return STATUS_TEMPFAIL;
    }
    (void)pthread_mutex_lock(&accounts->lock);
    flight = board(accounts, kind, key);
    if (flight == NULL) {
        (void)pthread_mutex_unlock(&accounts->lock);
        return status_no_memory(err);
    }
    status = ride(accounts, flight, deadline_ms, err);
    if (status == STATUS_OK) {
        (void)atomic_fetch_add(&flight->fact->holders, 1);
        *fact_r = flight->fact;
    }
    leave(accounts, flight);
    (void)pthread_mutex_unlock(&accounts->lock);
    return status;
}

void accounts_forget(struct accounts *accounts, enum accounts_kind kind,
                     const char *key)
{
    (void)pthread_mutex_lock(&accounts->lock);
    for (struct flight *flight = accounts->flights; flight != NULL;
         flight = flight->next) {
        if (flight->kind == kind && strcmp(flight->key, key) == 0)
            flight->stale = true;
    }
    fact_table_forget(accounts->table, kind, key);
    (void)pthread_mutex_unlock(&accounts->lock);
}

size_t accounts_flush(struct accounts *accounts)
{
    size_t count;

    (void)pthread_mutex_lock(&accounts->lock);
    for (struct flight *flight = accounts->flights; flight != NULL;
         flight = flight->next)
        flight->stale = true;
    accounts->away_ms = 0;
    count = fact_table_flush(accounts->table);
    (void)pthread_mutex_unlock(&accounts->lock);
    return count;
}

void accounts_stats(struct accounts *accounts, struct accounts_stats *stats_r)
{
    fact_table_stats(accounts->table, stats_r);
}
