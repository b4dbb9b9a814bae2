/*
 * apply_private - one plan while it is carried out
 *
 * For apply*.c alone: apply.c asks and explains, apply_change.c is the
 * transaction, apply_alias.c finds what becomes of the aliases, apply_event.c
 * tells it.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_APPLY_PRIVATE_H
#define COMMON_APPLY_PRIVATE_H

#include "apply.h"

#include "account.h"
#include "provision.h"
#include "store_mailbox.h"
#include "store_transaction.h"
#include "strbuf.h"

/* Why the transaction refused. */
enum change_failure {
    CHANGE_FITS,
    CHANGE_OVER_LIMIT,  /* failed_charge says where */
    CHANGE_KEY_TAKEN,   /* the address or the id was there */
    CHANGE_ALIAS_TAKEN, /* failed_alias is somebody else's */
    CHANGE_STALE,       /* the row is not what the plan was made from */
    CHANGE_LANDED       /* an earlier try was committed after all */
};

/* A plan and one try to carry it out. */
struct change {
    const struct plan *plan;
    const struct apply_author *author;
    struct account now;  /* the row, locked; {0} for a create */
    struct account next; /* what is to be written */
    char **added;        /* aliases, borrowed from plan */
    size_t added_count;
    char **dropped; /* aliases, borrowed from now */
    size_t dropped_count;
    struct store_charge *charges;
    size_t charge_count;
    enum change_failure failure;
    struct store_charge failed_charge; /* its domain lives in now or plan */
    const char *failed_alias;          /* lives in plan */
    bool turns_alias;                  /* a rename to an alias of its own */
};

/* Forgets a try; plan and author stay. */
void change_reset(struct change *change);

/*
 * Returns the charge of a domain, added if there is none yet; NULL without
 * memory. domain is borrowed. Lives until the next call.
 */
struct store_charge *change_charge(struct change *change, const char *domain);

/* Finds added and dropped, and charges their domains. */
enum status change_aliases(struct store_connection *db, struct change *change,
                           struct errtext *err) MUST_CHECK;

/* The texts of an event; starts as {0}. */
struct change_story {
    struct strbuf before;
    struct strbuf after;
};
void change_story_clear(struct change_story *story);

/* Makes the event of a change; its texts live in story and change. */
enum status change_tell(const struct change *change, struct change_story *story,
                        struct store_event *event_r,
                        struct errtext *err) MUST_CHECK;

/* Writes the event of a change that was carried out. */
enum status change_event(struct store_connection *db,
                         const struct change *change,
                         struct errtext *err) MUST_CHECK;

/* The body of the transaction; STATUS_DENIED sets change->failure. */
enum status change_run(struct store_connection *db, void *arg,
                       struct errtext *err) MUST_CHECK;

#endif
