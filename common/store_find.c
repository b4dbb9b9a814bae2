/* store_find - see store.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_private.h"

#include "address.h"
#include "clock.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * Logins that arrive together ask together: a query for sixteen mailboxes costs
 * the server little more than one for one. Who finds nobody asking leads: it
 * takes those that wait, itself among them, asks for all and hands out the
 * answers. Those that come meanwhile are the next lot. One caller alone waits
 * for nobody. A query begins after all whom it answers have called.
 */
#define TOGETHER_MAX 16
/* A leader that takes longer is not waited for: another leads beside it. */
#define LEADER_MS 20
#define LEADERS_MAX 4

#define FIND_TYPES STORE_DOMAIN_TYPES STORE_MAILBOX_TYPES
#define FIND_COLUMNS "SELECT " STORE_DOMAIN_COLUMNS ", " STORE_MAILBOX_COLUMNS
#define FIND_MAILBOXES                                                         \
    FIND_COLUMNS " FROM mailbox m JOIN domain d ON d.name = m.domain"          \
                 " WHERE m.address IN "

/* Mailboxes under their own names, by the number of them. */
static const struct store_sql together_sql[] = {
    {STORE_SLOT_FIND_1, FIND_MAILBOXES "(?)", FIND_TYPES},
    {STORE_SLOT_FIND_2, FIND_MAILBOXES "(?, ?)", FIND_TYPES},
    {STORE_SLOT_FIND_4, FIND_MAILBOXES "(?, ?, ?, ?)", FIND_TYPES},
    {STORE_SLOT_FIND_8, FIND_MAILBOXES "(?, ?, ?, ?, ?, ?, ?, ?)", FIND_TYPES},
    {STORE_SLOT_FIND_16,
     FIND_MAILBOXES "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
     FIND_TYPES},
};

/* Whatever there is; the alias domain, if it is one, is resolved inside. */
static const struct store_sql alone_sql = {
    STORE_SLOT_FIND,
    FIND_COLUMNS " FROM domain d LEFT JOIN mailbox m"
                 " ON m.domain = d.name AND m.local_part = ?"
                 " WHERE d.name = COALESCE((SELECT a.target"
                 " FROM alias_domain a"
                 " WHERE a.name = ? AND a.active = 1), ?)",
    FIND_TYPES};

/*
 * One caller. What is above the line is under the lock of struct store_finds,
 * what is below under the caller's own, so that those who are woken do not meet
 * at one lock. It is kept for the next call and freed with the store alone: it
 * may be signalled when it has gone already, because who is woken by a signal
 * before the unlock only waits for the lock.
 */
struct store_caller {
    const char *address;
    struct store_caller *next;   /* while it waits to be taken, or is unused */
    struct store_caller **place; /* with a leader; NULL: not taken */
    bool promised; /* its answer is on the way: it may not leave */
    /* ---- */
    pthread_mutex_t lock;
    pthread_cond_t turn;
    bool nudged; /* it may be its turn to lead */
    bool answered;
    enum status status; /* NOT_FOUND: ask alone */
    struct store_found found;
    struct errtext err;
};

/* What a leader asks for, in its own memory. */
struct lot {
    struct store_caller *callers[TOGETHER_MAX]; /* NULL: it has left */
    char addresses[TOGETHER_MAX][ADDRESS_BYTES_MAX + 1];
    struct store_found found[TOGETHER_MAX];
    size_t count;
};

void store_finds_close(struct store_finds *finds)
{
    while (finds->unused != NULL) {
        struct store_caller *caller = finds->unused;

        finds->unused = caller->next;
        (void)pthread_cond_destroy(&caller->turn);
        (void)pthread_mutex_destroy(&caller->lock);
        free(caller);
    }
    (void)pthread_mutex_destroy(&finds->lock);
    (void)pthread_condattr_destroy(&finds->monotonic);
}

enum status store_finds_open(struct store_finds *finds, struct errtext *err)
{
    *finds = (struct store_finds){.first = NULL};
    if (pthread_condattr_init(&finds->monotonic) != 0)
        return status_no_memory(err);
    (void)pthread_condattr_setclock(&finds->monotonic, CLOCK_MONOTONIC);
    if (pthread_mutex_init(&finds->lock, NULL) == 0)
        return STATUS_OK;
    (void)pthread_condattr_destroy(&finds->monotonic);
    return status_no_memory(err);
}

static struct store_caller *new_caller(const struct store_finds *finds)
{
    struct store_caller *caller = calloc(1, sizeof(*caller));

    if (caller == NULL)
        return NULL;
    if (pthread_mutex_init(&caller->lock, NULL) != 0) {
        free(caller);
        return NULL;
    }
    if (pthread_cond_init(&caller->turn, &finds->monotonic) != 0) {
        (void)pthread_mutex_destroy(&caller->lock);
        free(caller);
        return NULL;
    }
    return caller;
}

/* The LEFT JOIN's mailbox: NULL in its key is "none". */
static enum status read_found(struct store_connection *db,
                              const struct store_sql *sql,
                              struct store_found *found, struct errtext *err)
{
    enum status status = store_row_domain(db, sql, 0, &found->domain, err);

    if (status != STATUS_OK ||
        store_column(db, sql, STORE_DOMAIN_COUNT) == NULL)
        return status;
    return store_row_mailbox(db, sql, STORE_DOMAIN_COUNT, &found->account, err);
}

/* Gives one row to all that asked for it. */
static enum status hand_out(struct store_connection *db,
                            const struct store_sql *sql, struct lot *lot,
                            struct errtext *err)
{
    const char *address = store_column(db, sql, STORE_DOMAIN_COUNT);
    enum status status = STATUS_OK;

    for (size_t i = 0; i < lot->count && status == STATUS_OK; i++) {
        if (address != NULL && strcmp(lot->addresses[i], address) == 0)
            status = read_found(db, sql, &lot->found[i], err);
    }
    return status;
}

static void clear_lot(struct lot *lot)
{
    for (size_t i = 0; i < lot->count; i++)
        store_found_clear(&lot->found[i]);
}

static enum status run_together(struct store_connection *db, void *arg,
                                struct errtext *err)
{
    struct lot *lot = arg;
    struct store_param params[TOGETHER_MAX];
    const struct store_sql *sql = together_sql;
    size_t count = 1;
    enum status status;

    clear_lot(lot);
    for (; count < lot->count; count *= 2)
        sql++;
    /* The last address fills what is left of the statement. */
    for (size_t i = 0; i < count; i++)
        params[i] =
            store_text(lot->addresses[i < lot->count ? i : lot->count - 1]);
    status = store_execute(db, sql, params, count, NULL, err);
    while (status == STATUS_OK) {
        status = store_fetch(db, sql, err);
        if (status == STATUS_OK)
            status = hand_out(db, sql, lot, err);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static void append(struct store_finds *finds, struct store_caller *caller)
{
    struct store_caller **end = &finds->first;

    while (*end != NULL)
        end = &(*end)->next;
    caller->next = NULL;
    *end = caller;
}

/* Puts a caller into the queue; NULL without memory. */
static struct store_caller *enter(struct store_finds *finds,
                                  const char *address)
{
    struct store_caller *caller;

    (void)pthread_mutex_lock(&finds->lock);
    caller = finds->unused;
    if (caller != NULL)
        finds->unused = caller->next;
    else
        caller = new_caller(finds);
    if (caller != NULL) {
        caller->address = address;
        caller->place = NULL;
        caller->promised = false;
        caller->answered = false;
        caller->status = STATUS_NOT_FOUND;
        append(finds, caller);
    }
    (void)pthread_mutex_unlock(&finds->lock);
    return caller;
}

/* Keeps a caller, which nobody will answer any more, for the next call. */
static void give_back(struct store_finds *finds, struct store_caller *caller)
{
    (void)pthread_mutex_lock(&finds->lock);
    caller->next = finds->unused;
    finds->unused = caller;
    (void)pthread_mutex_unlock(&finds->lock);
}

/* Takes a caller whose time is up out of wherever it is. */
static void leave(struct store_finds *finds, struct store_caller *caller)
{
    struct store_caller **link = &finds->first;

    if (caller->place != NULL) {
        *caller->place = NULL;
        caller->place = NULL;
        return;
    }
    while (*link != NULL && *link != caller)
        link = &(*link)->next;
    if (*link == caller)
        *link = caller->next;
}

static void take_lot(struct store_finds *finds, struct lot *lot)
{
    while (finds->first != NULL && lot->count < TOGETHER_MAX) {
        struct store_caller *caller = finds->first;
        size_t len = strlen(caller->address);

        finds->first = caller->next;
        caller->next = NULL;
        caller->place = &lot->callers[lot->count];
        *caller->place = caller;
        memcpy(lot->addresses[lot->count], caller->address, len + 1);
        lot->count++;
    }
}

static void nudge(struct store_caller *caller)
{
    (void)pthread_mutex_lock(&caller->lock);
    caller->nudged = true;
    (void)pthread_mutex_unlock(&caller->lock);
    (void)pthread_cond_signal(&caller->turn);
}

/* Keeps those that are still there until they have their answers. */
static void promise_lot(struct lot *lot)
{
    for (size_t i = 0; i < lot->count; i++) {
        if (lot->callers[i] == NULL)
            continue;
        lot->callers[i]->place = NULL;
        lot->callers[i]->promised = true;
    }
}

static void answer_lot(struct lot *lot, enum status status,
                       const struct errtext *err)
{
    for (size_t i = 0; i < lot->count; i++) {
        struct store_caller *caller = lot->callers[i];

        if (caller == NULL || status != STATUS_OK)
            store_found_clear(&lot->found[i]);
        if (caller == NULL)
            continue;
        (void)pthread_mutex_lock(&caller->lock);
        caller->status = status;
        if (status == STATUS_OK && lot->found[i].account.address == NULL)
            caller->status = STATUS_NOT_FOUND;
        caller->found = lot->found[i];
        caller->err = *err;
        caller->answered = true;
        (void)pthread_mutex_unlock(&caller->lock);
        (void)pthread_cond_signal(&caller->turn);
    }
}

/*
 * Asks for the oldest that wait. The lock is held before, and not afterwards. A
 * failure is everybody's, unless it was but the leader's own time that was up.
 */
static void lead(struct store *store, int64_t deadline_ms)
{
    static const struct store_work work = {
        .run = run_together, .reads_only = true, .sync = true};
    struct store_finds *finds = &store->finds;
    struct lot lot = {.count = 0};
    struct errtext err = {{0}};
    struct store_caller *next;
    enum status status;

    take_lot(finds, &lot);
    finds->leaders++;
    finds->led_ms = clock_ms();
    (void)pthread_mutex_unlock(&finds->lock);
    status = store_work(store, &work, &lot, deadline_ms, &err);
    if (status != STATUS_OK && clock_left_ms(deadline_ms) == 0)
        status = STATUS_NOT_FOUND;
    (void)pthread_mutex_lock(&finds->lock);
    finds->leaders--;
    promise_lot(&lot);
    next = finds->first;
    (void)pthread_mutex_unlock(&finds->lock);
    if (next != NULL)
        nudge(next);
    answer_lot(&lot, status, &err);
}

static bool may_lead(const struct store_finds *finds, int64_t now_ms)
{
    return finds->leaders == 0 || (finds->leaders < LEADERS_MAX &&
                                   now_ms - finds->led_ms >= LEADER_MS);
}

/* Sleeps until the answer is there, a nudge, or until_ms. */
static void wait_turn(struct store_caller *caller, int64_t until_ms)
{
    struct timespec until = {
        .tv_sec = (time_t)(until_ms / 1000),
        .tv_nsec = (long)(until_ms % 1000) * 1000000,
    };
    int rc = 0;

    (void)pthread_mutex_lock(&caller->lock);
    while (!caller->answered && !caller->nudged && rc == 0)
        rc = pthread_cond_timedwait(&caller->turn, &caller->lock, &until);
    caller->nudged = false;
    (void)pthread_mutex_unlock(&caller->lock);
}

static bool is_answered(struct store_caller *caller)
{
    bool answered;

    (void)pthread_mutex_lock(&caller->lock);
    answered = caller->answered;
    (void)pthread_mutex_unlock(&caller->lock);
    return answered;
}

/* Has the caller answered, or not, by one that leads or by leading. */
static void find_together(struct store *store, struct store_caller *caller,
                          int64_t deadline_ms)
{
    struct store_finds *finds = &store->finds;

    while (!is_answered(caller)) {
        int64_t now_ms = clock_ms();
        int64_t until_ms = now_ms + LEADER_MS;

        (void)pthread_mutex_lock(&finds->lock);
        if (!caller->promised && now_ms >= deadline_ms) {
            leave(finds, caller);
            (void)pthread_mutex_unlock(&finds->lock);
            return;
        }
        if (!caller->promised && caller->place == NULL &&
            may_lead(finds, now_ms)) {
            lead(store, deadline_ms);
            continue;
        }
        if (!caller->promised && deadline_ms < until_ms)
            until_ms = deadline_ms;
        (void)pthread_mutex_unlock(&finds->lock);
        wait_turn(caller, until_ms);
    }
}

struct alone {
    const char *domain;
    char local_part[ADDRESS_LOCAL_BYTES_MAX + 1];
    struct store_found found;
};

static enum status run_alone(struct store_connection *db, void *arg,
                             struct errtext *err)
{
    struct alone *alone = arg;
    struct store_param params[] = {
        store_text(alone->local_part),
        store_text(alone->domain),
        store_text(alone->domain),
    };
    enum status status;

    store_found_clear(&alone->found);
    status =
        store_execute(db, &alone_sql, params, ARRAY_SIZE(params), NULL, err);
    if (status == STATUS_OK)
        status = store_fetch(db, &alone_sql, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK; /* not a domain of ours */
    if (status == STATUS_OK)
        status = read_found(db, &alone_sql, &alone->found, err);
    return status;
}

/* What the query for many does not tell: no mailbox, an alias domain. */
static enum status find_alone(struct store *store, struct alone *alone,
                              int64_t deadline_ms, struct errtext *err)
{
    static const struct store_work work = {
        .run = run_alone, .reads_only = true, .sync = true};
    enum status status = store_work(store, &work, alone, deadline_ms, err);

    if (status == STATUS_OK)
        return STATUS_OK;
    store_found_clear(&alone->found);
    return STATUS_TEMPFAIL;
}

/* Looks up together what can be; STATUS_NOT_FOUND: it has to be alone. */
static enum status try_together(struct store *store, const char *address,
                                int64_t deadline_ms,
                                struct store_found *found_r,
                                struct errtext *err)
{
    struct store_caller *caller = enter(&store->finds, address);
    enum status status;

    if (caller == NULL)
        return status_no_memory(err);
    find_together(store, caller, deadline_ms);
    status = caller->status;
    if (status == STATUS_OK)
        *found_r = caller->found;
    else if (status != STATUS_NOT_FOUND)
        errtext_set(err, "%s", caller->err.text);
    give_back(&store->finds, caller);
    return status;
}

enum status store_find(struct store *store, const char *address,
                       int64_t deadline_ms, struct store_found *found_r,
                       struct errtext *err)
{
    struct alone alone = {.domain = address_domain_of(address)};
    const char *at = strrchr(address, '@');
    enum status status;

    /* What no mailbox can be called is not asked for. */
    if (at == NULL || (size_t)(at - address) >= sizeof(alone.local_part) ||
        strlen(alone.domain) > ADDRESS_DOMAIN_BYTES_MAX) {
        *found_r = alone.found;
        return STATUS_OK;
    }
    status = try_together(store, address, deadline_ms, found_r, err);
    if (status != STATUS_NOT_FOUND)
        return status;
    memcpy(alone.local_part, address, (size_t)(at - address));
    status = find_alone(store, &alone, deadline_ms, err);
    if (status == STATUS_OK)
        *found_r = alone.found;
    return status;
}
