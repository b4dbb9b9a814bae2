/* login_notes - attempts that were not let in, collected and written behind */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "login_private.h"

#include "clock.h"
#include "store_attempt.h"
#include "strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* uthash would exit(3) without memory. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define EVENT_SECONDS 86400 /* one event a person, reason and day */
#define STRANGER_MS 3600000
#define KEY_BYTES (ADDRESS_BYTES_MAX + 160)
#define CLIENT_BYTES_MAX 63

/* The same attempt, some times; it waits to be written. */
struct note {
    UT_hash_handle hh;
    const char *result; /* constants */
    const char *reason;
    char *directory; /* owned, NULL: none */
    char service[16];
    char client[CLIENT_BYTES_MAX + 1];
    uint64_t times;
    int64_t first;
    int64_t last;
    bool told;           /* needs no event */
    const char *address; /* in key */
    char key[];          /* reason, service, client, blank, address */
};

struct login_notes {
    pthread_mutex_t lock;
    struct note *notes;
    unsigned strangers; /* since strangers_since_ms */
    int64_t strangers_since_ms;
};

enum status login_notes_new(struct login_notes **notes_r, struct errtext *err)
{
    struct login_notes *notes = calloc(1, sizeof(*notes));

    if (notes == NULL)
        return status_no_memory(err);
    (void)pthread_mutex_init(&notes->lock, NULL);
    *notes_r = notes;
    return STATUS_OK;
}

static void free_note(struct note *note)
{
    free(note->directory);
    free(note);
}

static void free_list(struct note *list)
{
    struct note *note;
    struct note *next;

    HASH_ITER(hh, list, note, next)
    {
        HASH_DEL(list, note);
        free_note(note);
    }
}

void login_notes_free(struct login_notes **notes)
{
    if (*notes == NULL)
        return;
    free_list((*notes)->notes);
    (void)pthread_mutex_destroy(&(*notes)->lock);
    free(*notes);
    *notes = NULL;
}

static struct note *new_note(const struct login_failure *failure,
                             const char *key)
{
    size_t len = strlen(key);
    struct note *note = calloc(1, sizeof(*note) + len + 1);

    if (note == NULL)
        return NULL;
    memcpy(note->key, key, len + 1);
    note->address = strchr(note->key, ' ') + 1;
    note->result = failure->result;
    note->reason = failure->reason;
    note->told = failure->told;
    (void)snprintf(note->service, sizeof(note->service), "%s",
                   failure->service);
    (void)snprintf(note->client, sizeof(note->client), "%s", failure->client);
    if (failure->directory != NULL)
        note->directory = strdup(failure->directory);
    return note;
}

/* Finds or adds the note of a failure; NULL when full or without memory. */
static struct note *note_of(struct login_notes *notes,
                            const struct login_failure *failure)
{
    char key[KEY_BYTES];
    struct note *note = NULL;

    (void)snprintf(key, sizeof(key), "%s,%s,%s %s", failure->reason,
                   failure->service, failure->client, failure->address);
    HASH_FIND_STR(notes->notes, key, note);
    if (note != NULL || HASH_COUNT(notes->notes) >= LOGIN_NOTES_MAX)
        return note;
    note = new_note(failure, key);
    if (note == NULL)
        return NULL;
    HASH_ADD_STR(notes->notes, key, note);
    if (note->hh.tbl == NULL) {
        free_note(note);
        return NULL;
    }
    return note;
}

/* While nobody can say who is a person, any name that is guessed may be one. */
static bool stranger_fits(struct login_notes *notes, int64_t now_ms)
{
    if (now_ms - notes->strangers_since_ms >= STRANGER_MS) {
        notes->strangers_since_ms = now_ms;
        notes->strangers = 0;
    }
    if (notes->strangers >= LOGIN_STRANGERS_MAX)
        return false;
    notes->strangers++;
    return true;
}

void login_notes_add(struct login_notes *notes,
                     const struct login_failure *failure)
{
    int64_t now = clock_wall_seconds();
    struct note *note = NULL;

    (void)pthread_mutex_lock(&notes->lock);
    if (failure->known || stranger_fits(notes, clock_ms()))
        note = note_of(notes, failure);
    if (note != NULL) {
        if (note->times == 0)
            note->first = now;
        note->times++;
        note->last = now;
    }
    (void)pthread_mutex_unlock(&notes->lock);
}

/* An event says once a day that there was such an attempt. */
static enum status write_event(struct store *store, const struct note *note,
                               int64_t deadline_ms, struct errtext *err)
{
    struct strbuf how = STRBUF_INIT(1024);
    struct store_event event = {
        .kind = note->result,
        .who = "authd",
        .address = note->address,
        .domain = address_domain_of(note->address),
        .directory = note->directory,
        .reason = note->reason,
    };
    enum status status;

    /* A constant word and an IP address: nothing in them to escape. */
    strbuf_appendf(&how, "{\"service\": \"%s\", \"client\": \"%s\"}",
                   note->service, note->client);
    event.after = strbuf_text(&how);
    status = store_event_write(store, &event, EVENT_SECONDS, deadline_ms, err);
    strbuf_clear(&how);
    return status;
}

static enum status write_attempts(struct store *store, struct note *list,
                                  int64_t deadline_ms, struct errtext *err)
{
    size_t count = 0;
    struct store_attempt *batch = calloc(HASH_COUNT(list) + 1, sizeof(*batch));
    enum status status;

    if (batch == NULL)
        return status_no_memory(err);
    for (struct note *note = list; note != NULL; note = note->hh.next)
        batch[count++] = (struct store_attempt){
            .address = note->address,
            .result = note->result,
            .reason = note->reason,
            .service = note->service,
            .client = note->client,
            .times = note->times,
            .first = note->first,
            .last = note->last,
        };
    status = store_attempts_write(store, batch, count, deadline_ms, err);
    free(batch);
    return status;
}

/* Puts notes that could not be written among those that came since. */
static void put_back(struct login_notes *notes, const struct note *list)
{
    (void)pthread_mutex_lock(&notes->lock);
    for (const struct note *old = list; old != NULL; old = old->hh.next) {
        struct login_failure failure = {
            .address = old->address,
            .directory = old->directory,
            .result = old->result,
            .reason = old->reason,
            .service = old->service,
            .client = old->client,
            .told = old->told,
        };
        struct note *note = note_of(notes, &failure);

        if (note == NULL)
            continue;
        if (note->times == 0)
            note->last = old->last;
        note->first = old->first;
        note->times += old->times;
    }
    (void)pthread_mutex_unlock(&notes->lock);
}

enum status login_notes_write(struct login_notes *notes, struct store *store,
                              int64_t deadline_ms, struct errtext *err)
{
    enum status status;
    struct note *list;

    (void)pthread_mutex_lock(&notes->lock);
    list = notes->notes;
    notes->notes = NULL;
    (void)pthread_mutex_unlock(&notes->lock);
    if (list == NULL)
        return STATUS_OK;
    status = write_attempts(store, list, deadline_ms, err);
    if (status != STATUS_OK)
        put_back(notes, list);
    /* Of the events, what fails here is told by the attempts all the same. */
    for (struct note *note = list; status == STATUS_OK && note != NULL;
         note = note->hh.next) {
        if (!note->told)
            status = write_event(store, note, deadline_ms, err);
    }
    free_list(list);
    return status;
}
