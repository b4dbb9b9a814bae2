/* sync_changes - only what changed since the last time; see sync.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "sync.h"

#include "address.h"
#include "clock.h"
#include "directory_follow.h"
#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define QUIET_MS 20  /* changes that come together are one run */
#define LOOK_MS 1000 /* between two looks, where nothing can be waited for */
#define PAUSE_FIRST_MS 1000 /* after a failure; doubled up to the longest */
#define PAUSE_LONGEST_MS 60000

/* Entries that changed, as they came; starts as {0}. */
struct batch {
    struct sync_spool *spool;
    uint64_t *places;
    size_t count, room;
    struct errtext err;
    bool failed;
};

static void clear_batch(struct batch *batch)
{
    sync_spool_free(&batch->spool);
    free(batch->places);
    *batch = (struct batch){.spool = NULL};
}

static bool keep_person(void *context, const struct directory_entry *entry)
{
    struct batch *batch = context;
    enum status status = STATUS_OK;

    if (batch->count == batch->room) {
        size_t room = batch->room > 0 ? 2 * batch->room : 64;
        uint64_t *larger = realloc(batch->places, room * sizeof(*larger));

        if (larger == NULL) {
            batch->failed = true;
            errtext_set(&batch->err, "out of memory");
            return false;
        }
        batch->places = larger;
        batch->room = room;
    }
    if (batch->spool == NULL)
        status = sync_spool_new(&batch->spool, &batch->err);
    if (status == STATUS_OK)
        status = sync_spool_put(batch->spool, entry,
                                &batch->places[batch->count], &batch->err);
    batch->failed = status != STATUS_OK;
    batch->count += status == STATUS_OK;
    return status == STATUS_OK;
}

/* A full run tells it; here nobody's mailbox depends on it. */
static bool skip_unusable(void *context, const char *id,
                          const struct errtext *why)
{
    (void)context;
    (void)id;
    (void)why;
    return true;
}

enum status sync_cookie_now(struct sync *sync, struct errtext *err)
{
    struct directory_follow *follow = NULL;
    int64_t deadline_ms = clock_ms() + sync->set->operation_timeout_ms;
    enum status status;

    if (sync->options->plan)
        return STATUS_OK;
    status = directory_follow_open(sync->dir, deadline_ms, &follow, err);
    if (status == STATUS_OK)
        status = directory_follow_now(follow, deadline_ms, &sync->cookie, err);
    directory_follow_close(&follow);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status sync_cookie_keep(struct sync *sync, struct errtext *err)
{
    char digest[SYNC_DIGEST_SIZE];
    struct store_sync_note note = {.directory = sync->set->name,
                                   .cookie = sync->cookie,
                                   .cookie_for = digest};
    enum status status;

    if (sync->options->plan || sync->cookie == NULL)
        return STATUS_OK;
    status = sync_digest_cookie(sync->set, digest, err);
    if (status != STATUS_OK)
        return status;
    if (sync->state.cookie != NULL &&
        strcmp(sync->state.cookie, sync->cookie) == 0 &&
        strcmp(sync->state.cookie_for, digest) == 0)
        return STATUS_OK;
    return store_sync_note(sync->store, &sync->lease, &note,
                           sync_deadline(sync), err);
}

/* One mailbox that changes may be about. */
static enum status add_account(struct sync *sync, const struct account *account,
                               struct errtext *err)
{
    struct store_roster_row row = {
        .address = account->address,
        .directory = account->directory,
        .directory_id = account->directory_id,
        .fingerprint = account->fingerprint,
        .sync_print = account->sync_print,
        .source = account->source,
        .directory_state = account->directory_state,
    };

    return sync_add_mailbox(sync, &row, err);
}

/* The mailboxes in which a changed entry may have a part. */
static enum status load_around(struct sync *sync,
                               const struct directory_entry *entry,
                               struct errtext *err)
{
    struct account account = {.address = NULL};
    enum status status = STATUS_OK;

    if (entry->id != NULL) {
        status = store_find_id(sync->store, sync->set->name, entry->id,
                               sync_deadline(sync), &account, err);
        if (status == STATUS_OK)
            status = add_account(sync, &account, err);
        account_clear(&account);
        if (status == STATUS_NOT_FOUND)
            status = STATUS_OK;
    }
    for (size_t i = 0; status == STATUS_OK && i < entry->usernames.count; i++) {
        struct store_found found = {.domain = {.name = NULL}};
        char *address = NULL;

        if (address_canonical(entry->usernames.items[i], &address, NULL) !=
            STATUS_OK)
            continue;
        status =
            store_find(sync->store, address, sync_deadline(sync), &found, err);
        if (status == STATUS_OK && found.account.address != NULL)
            status = add_account(sync, &found.account, err);
        store_found_clear(&found);
        free(address);
    }
    return status;
}

static bool tell_census(const char *domain, uint64_t mailboxes, void *arg)
{
    struct sync *sync = arg;

    return roster_tell(sync->roster, domain, mailboxes, &sync->failure) ==
           STATUS_OK;
}

/* Who is locked is counted against all mailboxes, of which here are a few. */
static enum status count_all(struct sync *sync, struct errtext *err)
{
    struct store_census_visitor visitor = {tell_census, sync};
    bool removes = false;

    for (size_t i = 0; i < sync->one_count; i++)
        removes = removes || sync->ones[i].removes;
    if (!removes)
        return STATUS_OK;
    return store_sync_census(sync->store, sync->set->name, &visitor,
                             sync_deadline(sync), err);
}

/* Hands each entry to what a full run does with it. */
static enum status take_batch(struct sync *sync, struct batch *batch,
                              bool around, struct errtext *err)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < batch->count; i++) {
        struct directory_entry entry = {.dn = NULL};

        status = sync_spool_get(batch->spool, batch->places[i], &entry, err);
        if (status == STATUS_OK && around) {
            status = load_around(sync, &entry, err);
        } else if (status == STATUS_OK && !sync_take_person(sync, &entry)) {
            *err = sync->failure;
            status = sync->failed;
        }
        directory_entry_clear(&entry);
    }
    return status;
}

/* Applies a batch as the run that frame is; the cookie goes with it. */
static enum status apply_changes(struct sync *sync, struct batch *batch,
                                 struct errtext *err)
{
    enum status status = sync_domains_load(sync->store, sync_deadline(sync),
                                           &sync->domains, err);

    sync->complete = true;
    sync->has_canary = false;
    if (status == STATUS_OK)
        status = sync_people_load(sync->people, sync->store, sync->set->name,
                                  sync_deadline(sync), err);
    if (status == STATUS_OK)
        status = take_batch(sync, batch, true, err);
    if (status == STATUS_OK)
        status = roster_sort(sync->roster, err);
    if (status == STATUS_OK)
        status = take_batch(sync, batch, false, err);
    if (status == STATUS_OK) {
        sync_find_twice(sync);
        status = count_all(sync, err);
    }
    if (status == STATUS_OK && sync->one_count > 0)
        status = sync_judge(sync, err);
    if (status == STATUS_OK)
        status = sync_write_all(sync, err);
    if (status == STATUS_OK && sync->counts.withheld > 0)
        status = sync_tell_withheld(sync, err);
    if (status == STATUS_OK)
        status = sync_remember(sync, err);
    /* Who was held back is told again. */
    if (status == STATUS_OK && sync->counts.withheld == 0)
        status = sync_cookie_keep(sync, err);
    return status;
}

/* True if the store's cookie is for the settings as they are. */
static bool has_cookie(const struct store_sync_state *state,
                       const struct directory_settings *set)
{
    char digest[SYNC_DIGEST_SIZE];

    return state->cookie != NULL &&
           sync_digest_cookie(set, digest, NULL) == STATUS_OK &&
           strcmp(digest, state->cookie_for) == 0 &&
           strcmp(state->store_made, state->store_is) == 0;
}

/* Asks who changed; by which way is told to who looks. */
static enum status ask_changes(struct sync *sync, struct batch *batch,
                               struct errtext *err)
{
    struct directory_walker walker = {keep_person, skip_unusable, batch};
    int64_t deadline_ms = clock_ms() + 10 * sync->set->operation_timeout_ms;
    struct directory_follow *follow = NULL;
    enum status status =
        directory_follow_open(sync->dir, deadline_ms, &follow, err);

    if (status == STATUS_OK) {
        directory_follow_use(follow, sync->state.cookie);
        sync_report_way(sync->report,
                        directory_way_name(directory_follow_way(follow)));
        status = directory_follow_poll(follow, sync->state.cookie, &walker,
                                       deadline_ms, &sync->cookie, err);
    }
    if (batch->failed) {
        *err = batch->err;
        status = STATUS_TEMPFAIL;
    }
    directory_follow_close(&follow);
    return status;
}

int sync_run_changes(const struct sync_call *call)
{
    struct sync_frame frame;
    struct batch batch = {.spool = NULL};
    enum status status = sync_open(&frame, call, "changes");

    if (status == STATUS_OK && !has_cookie(&frame.sync.state, call->set)) {
        errtext_set(&frame.err, "there is no last time to go on from");
        status = STATUS_DENIED;
    }
    if (status == STATUS_OK)
        status = ask_changes(&frame.sync, &batch, &frame.err);
    if (status == STATUS_OK)
        status = apply_changes(&frame.sync, &batch, &frame.err);
    clear_batch(&batch);
    if (status != STATUS_DENIED || frame.sync.run == 0)
        return sync_close(&frame, status);
    sync_report_note(call->report, frame.err.text);
    sync_drop(&frame);
    return sync_run_full(call);
}

/* ------------------------------------------------------------- --follow --- */

/* What is kept from one change to the next. */
struct following {
    const struct sync_call *call;
    struct directory_settings find_set;
    struct directory *dir;
    struct directory_follow *follow;
    char *cookie; /* owned */
    struct batch batch;
};

/* True if the mailbox of an entry is what it leads to. */
static bool is_known(struct following *following, struct sync_print *print,
                     const struct directory_entry *entry)
{
    const struct sync_call *call = following->call;
    struct account account = {.address = NULL};
    struct errtext err = {{0}};
    uint64_t digest = sync_print_entry(print, entry);
    bool known = false;

    if (entry->id != NULL && digest != 0 &&
        store_find_id(call->store, call->set->name, entry->id,
                      clock_ms() + call->settings->store.timeout_ms, &account,
                      &err) == STATUS_OK)
        known = account.sync_print != 0 &&
                account.sync_print ==
                    sync_print_stored(digest, account.fingerprint) &&
                account.directory_state ==
                    (entry->disabled ? ACCOUNT_DISABLED : ACCOUNT_PRESENT);
    account_clear(&account);
    return known;
}

/*
 * Where changes are told again, for minutes, a run for each telling would be
 * one each second: only what is new is worth one.
 */
static enum status has_news(struct following *following, bool *news_r,
                            struct errtext *err)
{
    const struct sync_call *call = following->call;
    struct batch *batch = &following->batch;
    struct sync_print *print = NULL;
    enum status status = sync_print_new(call->settings, call->set, &print, err);

    *news_r = false;
    for (size_t i = 0; status == STATUS_OK && !*news_r && i < batch->count;
         i++) {
        struct directory_entry entry = {.dn = NULL};

        status = sync_spool_get(batch->spool, batch->places[i], &entry, err);
        *news_r = status == STATUS_OK && !is_known(following, print, &entry);
        directory_entry_clear(&entry);
    }
    sync_print_free(&print);
    return status;
}

/* Applies what came; the cookie is taken over, by the store first. */
static enum status apply_batch_of(struct following *following, char *cookie,
                                  struct errtext *err)
{
    struct sync_frame frame;
    enum status status = sync_open(&frame, following->call, "follow");
    int code;

    if (status == STATUS_OK) {
        frame.sync.cookie = cookie;
        status = apply_changes(&frame.sync, &following->batch, &frame.err);
        frame.sync.cookie = NULL;
    }
    *err = frame.err;
    code = sync_close(&frame, status);
    clear_batch(&following->batch);
    if (status != STATUS_OK || code == EX_TEMPFAIL) {
        free(cookie);
        return STATUS_TEMPFAIL;
    }
    free(following->cookie);
    following->cookie = cookie;
    return STATUS_OK;
}

/* Reads where the store is; a full run first where that is nowhere. */
static enum status find_cookie(struct following *following, struct errtext *err)
{
    const struct sync_call *call = following->call;
    struct store_sync_state state = {.known = false};
    enum status status = STATUS_OK;
    bool there = false;

    for (int turn = 0; status == STATUS_OK && !there && turn < 2; turn++) {
        if (turn == 1) {
            int code = sync_run_full(call);

            if (code == EX_TEMPFAIL || code == EX_CONFIG)
                return STATUS_TEMPFAIL;
        }
        store_sync_state_clear(&state);
        status = store_sync_state_read(
            call->store, call->set->name,
            clock_ms() + call->settings->store.timeout_ms, &state, err);
        there = status == STATUS_OK && has_cookie(&state, call->set);
    }
    if (status == STATUS_OK && !there) {
        errtext_set(err, "the directory tells no point to go on from");
        status = STATUS_NOT_FOUND;
    }
    if (status == STATUS_OK) {
        free(following->cookie);
        following->cookie = state.cookie;
        state.cookie = NULL;
    }
    store_sync_state_clear(&state);
    return status;
}

/* Waits for changes, or looks for some. *cookie_r NULL: there were none. */
static enum status hear(struct following *following, char **cookie_r,
                        struct errtext *err)
{
    struct directory_walker walker = {keep_person, skip_unusable,
                                      &following->batch};
    int64_t deadline_ms = clock_ms() + LOOK_MS;
    enum status status;

    if (directory_follow_way(following->follow) == DIRECTORY_BY_SYNCREPL)
        return directory_follow_wait(following->follow, following->cookie,
                                     &walker, QUIET_MS, deadline_ms, cookie_r,
                                     err);
    clock_sleep_ms(LOOK_MS / 2);
    status = directory_follow_poll(
        following->follow, following->cookie, &walker,
        clock_ms() + 10 * following->call->set->operation_timeout_ms, cookie_r,
        err);
    return status;
}

/* Connects, and applies what comes until something fails or a signal. */
static enum status follow_once(struct following *following, struct errtext *err)
{
    const struct directory_settings *set = following->call->set;
    enum status status = find_cookie(following, err);

    if (status == STATUS_OK)
        status = directory_follow_open(following->dir,
                                       clock_ms() + set->operation_timeout_ms,
                                       &following->follow, err);
    if (status == STATUS_OK)
        directory_follow_use(following->follow, following->cookie);
    if (status == STATUS_OK)
        sync_report_following(
            following->call->report, set->name,
            directory_way_name(directory_follow_way(following->follow)));
    while (status == STATUS_OK && !sync_is_stopped()) {
        char *cookie = NULL;
        bool news = false;

        status = hear(following, &cookie, err);
        if (status == STATUS_OK && following->batch.count > 0)
            status = has_news(following, &news, err);
        if (status == STATUS_OK && news) {
            status = apply_batch_of(following, cookie, err);
        } else if (status == STATUS_OK && cookie != NULL) {
            free(following->cookie);
            following->cookie = cookie;
        } else {
            free(cookie);
        }
        clear_batch(&following->batch);
    }
    directory_follow_close(&following->follow);
    return status;
}

int sync_follow(const struct sync_call *call)
{
    struct following following = {.call = call};
    struct errtext err = {{0}};
    int pause_ms = PAUSE_FIRST_MS;
    enum status status;

    sync_find_settings(call->set, &following.find_set);
    status = directory_open(&following.find_set, &following.dir, &err);
    if (status != STATUS_OK)
        return tool_failed(status, &err);
    while (!sync_is_stopped()) {
        int64_t began_ms = clock_ms();

        status = follow_once(&following, &err);
        if (sync_is_stopped())
            break;
        if (status != STATUS_OK)
            tool_error("%s: %s", call->set->name, err.text);
        /* A cookie that the server refuses: another one comes by a full run. */
        if (status == STATUS_DENIED && sync_run_full(call) == EX_TEMPFAIL)
            pause_ms = PAUSE_LONGEST_MS;
        if (status == STATUS_OK || clock_ms() - began_ms > PAUSE_LONGEST_MS)
            pause_ms = PAUSE_FIRST_MS;
        /* Reading everybody is not to be done every minute. */
        if (status == STATUS_NOT_FOUND)
            pause_ms = (int)call->set->sync_interval_minutes * 60000;
        for (int i = 0; i < pause_ms && !sync_is_stopped(); i += 100)
            clock_sleep_ms(100);
        pause_ms =
            pause_ms < PAUSE_LONGEST_MS / 2 ? 2 * pause_ms : PAUSE_LONGEST_MS;
    }
    free(following.cookie);
    clear_batch(&following.batch);
    directory_close(&following.dir);
    return EX_OK;
}
