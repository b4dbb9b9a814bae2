/* sync_rename - the order of those who change addresses; see sync.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "sync.h"

#include <stdlib.h>
#include <string.h>

/* Where a move stands; sync_one.turn. */
enum turn {
    TURN_TO_COME,
    TURN_ON_THE_WAY, /* in the chain that is being followed */
    TURN_DONE
};

/* All who move, sorted by id. */
struct moves {
    struct sync *sync;
    struct sync_one **ones;
    size_t count;
    struct sync_one **chain; /* room for all */
};

static int compare_ids(const void *a, const void *b)
{
    const struct sync_one *const *left = a;
    const struct sync_one *const *right = b;

    return memcmp((*left)->id, (*right)->id, ROSTER_ID_BYTES);
}

static enum status collect(struct sync *sync, struct moves *moves,
                           struct errtext *err)
{
    moves->sync = sync;
    moves->ones = calloc(sync->one_count + 1, sizeof(struct sync_one *));
    moves->chain = calloc(sync->one_count + 1, sizeof(struct sync_one *));
    if (moves->ones == NULL || moves->chain == NULL)
        return status_no_memory(err);
    for (size_t i = 0; i < sync->one_count; i++) {
        struct sync_one *one = &sync->ones[i];

        if (one->moves && !one->twice &&
            (!one->removes || sync->removals_allowed))
            moves->ones[moves->count++] = one;
    }
    if (moves->count > 0)
        qsort(moves->ones, moves->count, sizeof(struct sync_one *),
              compare_ids);
    return STATUS_OK;
}

/* Who has the place that one wants, and moves too; NULL: nobody. */
static struct sync_one *who_is_there(const struct moves *moves,
                                     const struct sync_one *one)
{
    struct sync_one wanted;
    struct sync_one *key = &wanted;
    struct sync_one **found;
    const struct roster_mailbox *mailbox =
        roster_at(moves->sync->roster, one->address);

    if (mailbox == NULL || mailbox->owner != ROSTER_OWN || !mailbox->leaves)
        return NULL;
    memcpy(wanted.id, mailbox->id, ROSTER_ID_BYTES);
    found = bsearch(&key, moves->ones, moves->count, sizeof(struct sync_one *),
                    compare_ids);
    return found != NULL ? *found : NULL;
}

/*
 * Writes a chain from its end: the last finds a free place, and each other one
 * that which was just left for it.
 */
static enum status write_chain(struct sync_writer *writer,
                               struct sync_one *const *chain, size_t count,
                               struct errtext *err)
{
    enum status status = STATUS_OK;

    for (size_t i = count; status == STATUS_OK && i-- > 0;) {
        status = sync_write_one(writer, chain[i], chain[i]->wanted, err);
        chain[i]->turn = TURN_DONE;
        if (status == STATUS_OK && count > 1)
            status = sync_writer_flush(writer, err);
    }
    return status;
}

/* Follows from one to whoever stands in the way, and so on, and writes. */
static enum status follow(struct moves *moves, struct sync_writer *writer,
                          struct sync_one *one, struct errtext *err)
{
    size_t count = 0;
    size_t ring = 0;
    struct sync_one *next = one;
    enum status status = STATUS_OK;

    while (next != NULL && next->turn == TURN_TO_COME) {
        next->turn = TURN_ON_THE_WAY;
        moves->chain[count++] = next;
        next = who_is_there(moves, next);
    }
    if (next != NULL && next->turn == TURN_ON_THE_WAY) {
        while (moves->chain[ring] != next)
            ring++;
        for (size_t i = ring; i < count; i++)
            moves->chain[i]->turn = TURN_DONE;
        status =
            sync_write_ring(writer, moves->chain + ring, count - ring, err);
        /* Who waits for a place in the ring finds it taken again. */
        count = ring;
    }
    /* What was left for the last of them may still wait to be written. */
    if (status == STATUS_OK && next != NULL)
        status = sync_writer_flush(writer, err);
    return status == STATUS_OK ? write_chain(writer, moves->chain, count, err)
                               : status;
}

enum status sync_rename_all(struct sync *sync, struct sync_writer *writer,
                            struct errtext *err)
{
    struct moves moves = {.count = 0};
    enum status status = collect(sync, &moves, err);

    for (size_t i = 0; status == STATUS_OK && i < moves.count; i++) {
        struct sync_one *there = who_is_there(&moves, moves.ones[i]);

        if (there != NULL)
            there->wanted = true;
    }
    for (size_t i = 0; status == STATUS_OK && i < moves.count; i++) {
        sync_report_progress(sync->report, "renaming", i, moves.count);
        if (moves.ones[i]->turn == TURN_TO_COME)
            status = follow(&moves, writer, moves.ones[i], err);
    }
    free(moves.ones);
    free(moves.chain);
    return status;
}
