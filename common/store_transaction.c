/* store_transaction - see store_transaction.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_transaction.h"

#include "store_private.h"

#include "clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define PAUSE_FIRST_MS 4U
#define PAUSE_DOUBLINGS_MAX 6

static const struct store_sql token_sql = {
    STORE_SLOT_EVENT_TOKEN, "SELECT id FROM event WHERE token = ?", "n"};

/* What is kept between the tries of one transaction. */
struct tries {
    char token[STORE_TOKEN_SIZE];
    bool commit_unknown; /* a COMMIT was sent and not answered */
    bool again;          /* the last try may be repeated */
};

static enum status make_token(char token[STORE_TOKEN_SIZE], struct errtext *err)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[(STORE_TOKEN_SIZE - 1) / 2];

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes)) {
        errtext_set(err, "store: no random numbers");
        return STATUS_TEMPFAIL;
    }
    for (size_t i = 0; i < sizeof(bytes); i++) {
        token[2 * i] = digits[bytes[i] >> 4];
        token[2 * i + 1] = digits[bytes[i] & 15];
    }
    token[STORE_TOKEN_SIZE - 1] = '\0';
    return STATUS_OK;
}

/* Says whether an error number is one to run the whole again for. */
static bool is_for_retry(unsigned error)
{
    enum store_error meaning = store_error_class(error);

    return meaning == STORE_ERROR_RETRY || meaning == STORE_ERROR_LOST;
}

/* Ends the transaction whatever state it is in. */
static void roll_back(struct store_connection *db)
{
    unsigned error = db->error;

    if (!db->broken && store_run(db, "ROLLBACK", NULL) != STATUS_OK)
        db->broken = true;
    db->error = error;
}

/*
 * Looks whether the transaction whose COMMIT was not answered is there.
 * Returns STATUS_OK, STATUS_NOT_FOUND, or STATUS_TEMPFAIL.
 */
static enum status find_token(struct store_connection *db, struct errtext *err)
{
    struct store_param params[] = {store_text(db->token)};
    enum status status = store_sync(db, true, err);

    if (status == STATUS_OK)
        status = store_execute(db, &token_sql, params, 1, NULL, err);
    if (status == STATUS_OK)
        status = store_fetch(db, &token_sql, err);
    return status;
}

static enum status commit(struct store_connection *db, struct tries *tries,
                          struct errtext *err)
{
    enum status status = store_run(db, "COMMIT", err);

    /* A deadlock is a certain no; after all else it may have been done. */
    if (status != STATUS_OK && db->error != 1213 && db->error != 1205)
        tries->commit_unknown = true;
    return status;
}

static enum status transact(struct store_connection *db,
                            const struct store_work *work, void *arg,
                            struct tries *tries, struct errtext *err)
{
    enum status status = store_sync(db, work->sync, err);

    if (status == STATUS_OK && !work->reads_only)
        status = store_run(db, "START TRANSACTION", err);
    if (status != STATUS_OK)
        return status;
    status = work->run(db, arg, err);
    if (work->reads_only)
        return status;
    if (status == STATUS_OK)
        status = commit(db, tries, err);
    if (status != STATUS_OK)
        roll_back(db);
    return status;
}

/* One try on one connection. */
static enum status try_once(struct store *store, const struct store_work *work,
                            void *arg, int64_t deadline_ms, struct tries *tries,
                            struct errtext *err)
{
    struct store_connection *db = NULL;
    unsigned error = 0;
    enum status status = store_checkout(store, deadline_ms, &db, &error, err);

    if (status != STATUS_OK) {
        tries->again = is_for_retry(error);
        return status;
    }
    memcpy(db->token, tries->token, sizeof(db->token));
    status = STATUS_NOT_FOUND;
    if (tries->commit_unknown && work->token)
        status = find_token(db, err);
    if (status == STATUS_NOT_FOUND) {
        tries->commit_unknown = false;
        status = transact(db, work, arg, tries, err);
    }
    tries->again =
        status == STATUS_TEMPFAIL && !db->timed_out && is_for_retry(db->error);
    store_checkin(store, &db);
    return status;
}

/* Returns a random pause for this try, growing from one to the next. */
static int pause_ms(struct store *store, unsigned tried)
{
    unsigned doublings =
        tried < PAUSE_DOUBLINGS_MAX ? tried : PAUSE_DOUBLINGS_MAX;
    unsigned longest = PAUSE_FIRST_MS << doublings;
    unsigned seed;

    (void)pthread_mutex_lock(&store->lock);
    /* Marsaglia's xorshift: only to keep the losers of a deadlock apart. */
    store->seed ^= store->seed << 13;
    store->seed ^= store->seed >> 17;
    store->seed ^= store->seed << 5;
    seed = store->seed;
    (void)pthread_mutex_unlock(&store->lock);
    return (int)(longest / 2 + seed % longest);
}

/* The store's own budget, or the caller's where that is earlier. */
static int64_t earlier(const struct store *store, int64_t deadline_ms)
{
    int64_t own_ms = clock_ms() + store->set->timeout_ms;

    return store->set->timeout_ms > 0 && own_ms < deadline_ms ? own_ms
                                                              : deadline_ms;
}

enum status store_work(struct store *store, const struct store_work *work,
                       void *arg, int64_t deadline_ms, struct errtext *err)
{
    int64_t until_ms = earlier(store, deadline_ms);
    struct tries tries = {{0}, false, false};
    enum status status = STATUS_OK;

    if (work->token)
        status = make_token(tries.token, err);
    if (status != STATUS_OK)
        return status;
    for (unsigned tried = 0;; tried++) {
        int rest_ms;

        status = try_once(store, work, arg, until_ms, &tries, err);
        if (!tries.again)
            return status;
        rest_ms = pause_ms(store, tried);
        if (clock_left_ms(until_ms) <= rest_ms)
            return status;
        clock_sleep_ms(rest_ms);
    }
}

enum status store_work_sorted(struct store *store,
                              const struct store_sorting *how, const void *rows,
                              size_t count, int64_t deadline_ms,
                              struct errtext *err)
{
    const void **sorted;
    enum status status = STATUS_OK;

    if (count == 0)
        return STATUS_OK;
    sorted = calloc(count, sizeof(*sorted));
    if (sorted == NULL)
        return status_no_memory(err);
    for (size_t i = 0; i < count; i++)
        sorted[i] = (const char *)rows + i * how->row_bytes;
    qsort(sorted, count, sizeof(*sorted), how->compare);
    for (size_t i = 0; status == STATUS_OK && i < count; i += how->rows_max) {
        struct store_batch batch = {
            .rows = sorted + i,
            .count = count - i < how->rows_max ? count - i : how->rows_max,
        };

        status = store_work(store, &how->work, &batch, deadline_ms, err);
    }
    free(sorted);
    return status;
}
