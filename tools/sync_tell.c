/* sync_tell - events of a run, written together; see sync.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "sync.h"

#include <stdlib.h>
#include <string.h>

/* What waits to be written; the texts of an event are owned. */
struct sync_tales {
    struct store_event events[STORE_SYNC_BATCH];
    char *texts[STORE_SYNC_BATCH][3];
    size_t count;
};

static void clear(struct sync_tales *tales)
{
    for (size_t i = 0; i < tales->count; i++) {
        for (size_t n = 0; n < ARRAY_SIZE(tales->texts[i]); n++)
            free(tales->texts[i][n]);
    }
    tales->count = 0;
}

void sync_tell_free(struct sync *sync)
{
    if (sync->tales != NULL)
        clear(sync->tales);
    free(sync->tales);
    sync->tales = NULL;
}

/* Copies a text, which may be NULL. false without memory. */
static bool copy(const char *text, char **owned, const char **field)
{
    *owned = text != NULL ? strdup(text) : NULL;
    *field = *owned;
    return text == NULL || *owned != NULL;
}

enum status sync_tell_flush(struct sync *sync, struct errtext *err)
{
    struct sync_tales *tales = sync->tales;
    enum status status;

    if (tales == NULL)
        return STATUS_OK;
    status = store_sync_events_write(sync->store, &sync->lease, tales->events,
                                     tales->count, 0, sync_deadline(sync), err);
    clear(tales);
    return status;
}

enum status sync_tell(struct sync *sync, const struct store_event *event,
                      struct errtext *err)
{
    struct sync_tales *tales = sync->tales;
    struct store_event *mine;
    char **texts;

    if (tales == NULL) {
        tales = calloc(1, sizeof(*tales));
        if (tales == NULL)
            return status_no_memory(err);
        sync->tales = tales;
    }
    mine = &tales->events[tales->count];
    texts = tales->texts[tales->count++];
    *mine = *event;
    mine->who = "sync";
    mine->run = sync->run;
    mine->directory = sync->set->name;
    memset(texts, 0, sizeof(tales->texts[0]));
    if (!copy(event->address, &texts[0], &mine->address) ||
        !copy(event->domain, &texts[1], &mine->domain) ||
        !copy(event->reason, &texts[2], &mine->reason))
        return status_no_memory(err);
    return tales->count == STORE_SYNC_BATCH ? sync_tell_flush(sync, err)
                                            : STATUS_OK;
}
