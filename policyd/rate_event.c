/* rate_event - see rate_event.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "rate_event.h"

#include "store_event.h"
#include "strbuf.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REASON_BYTES_MAX 512
#define JSON_BYTES_MAX 2048

struct refusal {
    struct refusal *next;
    struct rate_verdict verdict;
    char login[RATE_SUBJECT_BYTES_MAX + 1];
    char domain[RATE_SUBJECT_BYTES_MAX + 1];
};

struct rate_events {
    pthread_mutex_t lock;
    struct refusal *first;
    struct refusal **end;
    unsigned count;
    uint64_t dropped;
};

struct rate_events *rate_events_new(void)
{
    struct rate_events *events = calloc(1, sizeof(*events));

    if (events == NULL)
        return NULL;
    events->end = &events->first;
    (void)pthread_mutex_init(&events->lock, NULL);
    return events;
}

/* Takes the oldest one out, or returns NULL. */
static struct refusal *take(struct rate_events *events)
{
    struct refusal *refusal;

    (void)pthread_mutex_lock(&events->lock);
    refusal = events->first;
    if (refusal != NULL) {
        events->first = refusal->next;
        events->count--;
        if (events->first == NULL)
            events->end = &events->first;
    }
    (void)pthread_mutex_unlock(&events->lock);
    return refusal;
}

void rate_events_free(struct rate_events **events)
{
    struct refusal *refusal;

    if (*events == NULL)
        return;
    while ((refusal = take(*events)) != NULL)
        free(refusal);
    (void)pthread_mutex_destroy(&(*events)->lock);
    free(*events);
    *events = NULL;
}

void rate_events_add(struct rate_events *events,
                     const struct rate_limits *limits,
                     const struct rate_verdict *verdict)
{
    struct refusal *refusal = calloc(1, sizeof(*refusal));

    if (refusal != NULL) {
        refusal->verdict = *verdict;
        (void)snprintf(refusal->login, sizeof(refusal->login), "%s",
                       limits->login);
        (void)snprintf(refusal->domain, sizeof(refusal->domain), "%s",
                       limits->domain != NULL ? limits->domain : "");
    }
    (void)pthread_mutex_lock(&events->lock);
    if (refusal != NULL && events->count < RATE_EVENTS_MAX) {
        *events->end = refusal;
        events->end = &refusal->next;
        events->count++;
        refusal = NULL;
    } else {
        events->dropped++;
    }
    (void)pthread_mutex_unlock(&events->lock);
    free(refusal);
}

/* Puts one back, as the oldest. */
static void put_back(struct rate_events *events, struct refusal *refusal)
{
    (void)pthread_mutex_lock(&events->lock);
    refusal->next = events->first;
    if (events->first == NULL)
        events->end = &refusal->next;
    events->first = refusal;
    events->count++;
    (void)pthread_mutex_unlock(&events->lock);
}

/*
 * Writes one. The reason names the counter and its limit and nothing that
 * changes, so that the store knows one when it sees it again.
 */
static enum status write_one(const struct refusal *refusal, struct store *store,
                             int64_t deadline_ms, struct errtext *err)
{
    const struct rate_verdict *verdict = &refusal->verdict;
    bool of_mailbox = verdict->kind == RATE_MAILBOX_MESSAGES ||
                      verdict->kind == RATE_MAILBOX_RECIPIENTS;
    struct strbuf reason = STRBUF_INIT(REASON_BYTES_MAX);
    struct strbuf after = STRBUF_INIT(JSON_BYTES_MAX);
    char used[24];
    struct store_event event = {
        .kind = "rate_limit",
        .who = "policyd",
        .address = of_mailbox ? refusal->login : NULL,
        .domain = refusal->domain[0] != '\0' ? refusal->domain : NULL,
    };
    enum status status;

    (void)snprintf(used, sizeof(used), "%" PRIu64, verdict->used);
    strbuf_appendf(&reason, "%s ", rate_kind_name(verdict->kind));
    quantity_append_rate(&reason, verdict->rate);
    strbuf_appendf(&reason, " of %s",
                   of_mailbox ? refusal->login : refusal->domain);
    strbuf_append_char(&after, '{');
    store_event_member(&after, "login", refusal->login);
    store_event_member(&after, "used", used);
    strbuf_append_char(&after, '}');
    event.reason = strbuf_text(&reason);
    event.after = strbuf_text(&after);
    status = reason.failed || after.failed
                 ? status_no_memory(err)
                 : store_event_write(store, &event, verdict->rate.seconds,
                                     deadline_ms, err);
    strbuf_clear(&reason);
    strbuf_clear(&after);
    return status;
}

enum status rate_events_write(struct rate_events *events, struct store *store,
                              int64_t deadline_ms, struct errtext *err)
{
    struct refusal *refusal;

    while ((refusal = take(events)) != NULL) {
        enum status status = write_one(refusal, store, deadline_ms, err);

        if (status != STATUS_OK) {
            put_back(events, refusal);
            return STATUS_TEMPFAIL;
        }
        free(refusal);
    }
    return STATUS_OK;
}

uint64_t rate_events_dropped(struct rate_events *events)
{
    uint64_t dropped;

    (void)pthread_mutex_lock(&events->lock);
    dropped = events->dropped;
    (void)pthread_mutex_unlock(&events->lock);
    return dropped;
}
