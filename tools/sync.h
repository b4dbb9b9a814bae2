/*
 * sync - one run over one directory: what its rooms share
 *
 * sync_run.c is the sequence. sync_read.c is the first pass: it streams the
 * directory and keeps who needs a look, sync_write.c the second: it plans and
 * applies them in batches, sync_rename.c finds the order of those who change
 * addresses, sync_leave.c judges and closes, sync_tell.c writes events down.
 * sync_people is what was remembered from earlier runs, sync_domains the
 * domains with their limits, sync_print the digests, sync_spool the entries,
 * sync_report what people are told.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_SYNC_H
#define TOOLS_SYNC_H

#include "apply.h"
#include "directory.h"
#include "directory_walk.h"
#include "provision.h"
#include "roster.h"
#include "settings.h"
#include "status.h"
#include "store.h"
#include "store_lease.h"
#include "store_sync.h"
#include "sync_domains.h"
#include "sync_people.h"
#include "sync_print.h"
#include "sync_report.h"
#include "sync_spool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit codes beside those of sysexits(3). */
#define SYNC_EXIT_REFUSED 1  /* some people could not be served */
#define SYNC_EXIT_CHANGES 2  /* plan: there is something to do */
#define SYNC_EXIT_WITHHELD 3 /* removals were not carried out */

struct sync_options {
    bool plan;              /* look only */
    bool allow_removals;    /* --allow-removals N, */
    uint64_t removals_most; /* N */
};

/* Somebody who needs a look, found in the first pass. */
struct sync_one {
    unsigned char id[ROSTER_ID_BYTES];
    uint64_t address;   /* digest of the address they should have */
    uint64_t at;        /* in the spool */
    bool removes;       /* disabled, and not so yet */
    bool moves;         /* has a mailbox at another address */
    bool twice;         /* somebody else has the same address */
    bool wanted;        /* who moves leaves an address that another one wants */
    unsigned char turn; /* sync_rename.c */
};

/* A run; what it owns is freed by sync_end. */
struct sync {
    struct store *store;
    const struct settings *settings;
    const struct directory_settings *set;
    struct directory_settings find_set; /* of dir: found by username_field */
    struct directory *dir;
    const struct sync_options *options;
    const char *host;
    const char *kind; /* "full", "changes", "follow" */
    struct store_lease lease;
    int64_t renewed_ms;
    uint64_t run;
    struct store_sync_state state;
    struct sync_print *print;
    struct roster *roster;
    struct sync_people *people;
    struct sync_domains *domains;
    struct sync_spool *spool;
    struct sync_one *ones;
    size_t one_count, one_room;
    struct sync_counts counts;
    struct sync_report *report;
    struct sync_tales *tales; /* sync_tell.c; NULL: none yet */
    bool complete;            /* everybody was read */
    struct errtext gap;       /* why not */
    bool nameless;            /* somebody unusable whose id is not known */
    bool has_canary;          /* this directory's */
    bool canary_seen;
    char *canary; /* canonical; owned */
    char *cookie; /* where --changes goes on; NULL: not known; owned */
    bool removals_allowed;
    struct errtext withheld; /* why not */
    struct strbuf plan;      /* what is withheld, a line each */
    enum status failed;      /* in a callback; with failure */
    struct errtext failure;
};

/* True after SIGTERM or SIGINT: end soon, with what is whole. */
bool sync_is_stopped(void);
void sync_stop_on_signals(void);

/* Until when one question to the store may take. */
int64_t sync_deadline(const struct sync *sync);

/*
 * Renews the lease when a quarter of its time is over, draws the progress, and
 * looks whether to stop. STATUS_OK; STATUS_INVALID or STATUS_TEMPFAIL end the
 * run.
 */
enum status sync_tick(struct sync *sync, struct errtext *err) MUST_CHECK;

/*
 * The address the person should have: as provision_address, in the domain an
 * alias domain stands for. mailbox (may be NULL) is where the person is now.
 * STATUS_OK and an owned *address_r; STATUS_DENIED; STATUS_TEMPFAIL.
 */
enum status sync_address(struct sync *sync, const struct directory_entry *entry,
                         const struct roster_mailbox *mailbox, char **address_r,
                         struct errtext *err) MUST_CHECK;

/*
 * The settings of a directory in which people are found by the name their
 * mailbox has, and by no other, and are not remembered. All borrowed from set
 * and from *out, which has to stay where it is.
 */
void sync_find_settings(const struct directory_settings *set,
                        struct directory_settings *out);

/* sync_read.c: one mailbox of the store into the roster. */
enum status sync_add_mailbox(struct sync *sync,
                             const struct store_roster_row *row,
                             struct errtext *err) MUST_CHECK;

/* sync_read.c: loads what is known, then takes entries, one by one. */
enum status sync_load(struct sync *sync, struct errtext *err) MUST_CHECK;
enum status sync_read_all(struct sync *sync, struct errtext *err) MUST_CHECK;
bool sync_take_person(void *context, const struct directory_entry *entry);
bool sync_take_unusable(void *context, const char *id,
                        const struct errtext *why);
/* After the last entry: who has the same address as somebody else? */
void sync_find_twice(struct sync *sync);

/* sync_write.c */
enum status sync_write_all(struct sync *sync, struct errtext *err) MUST_CHECK;

/*
 * Plans one of the people and carries it out, at once or with others; drops:
 * somebody else is waiting for the old address.
 */
struct sync_writer;
enum status sync_write_one(struct sync_writer *writer, struct sync_one *one,
                           bool drops_old_name, struct errtext *err) MUST_CHECK;
/* Lets some change addresses in a ring, all at once. */
enum status sync_write_ring(struct sync_writer *writer,
                            struct sync_one *const *ring, size_t count,
                            struct errtext *err) MUST_CHECK;
/* Carries a made plan out, with others; the plan is taken over. */
enum status sync_write_plan(struct sync_writer *writer, struct plan *plan,
                            struct errtext *err) MUST_CHECK;
enum status sync_writer_new(struct sync *sync, struct sync_writer **writer_r,
                            struct errtext *err) MUST_CHECK;
/* Writes what waits. */
enum status sync_writer_flush(struct sync_writer *writer,
                              struct errtext *err) MUST_CHECK;
void sync_writer_free(struct sync_writer **writer);

/* sync_rename.c: all who move, in an order in which each finds room. */
enum status sync_rename_all(struct sync *sync, struct sync_writer *writer,
                            struct errtext *err) MUST_CHECK;

/* sync_leave.c: counts who is gone; judges; closes; remembers. */
enum status sync_judge(struct sync *sync, struct errtext *err) MUST_CHECK;
enum status sync_close_all(struct sync *sync, struct errtext *err) MUST_CHECK;
enum status sync_remember(struct sync *sync, struct errtext *err) MUST_CHECK;

/*
 * sync_tell.c: an event of this run, by kind, address, domain and reason (kind
 * is a constant). It waits for others; what a run that fails did not write is
 * told by the next one, since it was not remembered either.
 */
enum status sync_tell(struct sync *sync, const struct store_event *event,
                      struct errtext *err) MUST_CHECK;
enum status sync_tell_flush(struct sync *sync, struct errtext *err) MUST_CHECK;
void sync_tell_free(struct sync *sync);

/* Somebody could not be served: counted, shown, and told once a change. */
struct sync_refusal {
    const char *id; /* NULL: not known */
    const char *dn;
    const char *address; /* NULL: none */
    uint64_t print;
    const char *code;
    const char *sentence;
    bool update; /* of a mailbox that is there */
};
enum status sync_refuse(struct sync *sync, const struct sync_refusal *refusal,
                        struct errtext *err) MUST_CHECK;

/* Notes a removal that is withheld, for the run's row and for who looks. */
void sync_withhold(struct sync *sync, const char *address, const char *what);

/* sync_run.c: the whole of it; returns the exit code. */
struct sync_call {
    struct store *store;
    const struct settings *settings;
    const struct directory_settings *set;
    const struct sync_options *options;
    struct sync_report *report;
};
int sync_run_full(const struct sync_call *call);

/*
 * sync_changes.c: only what changed since the cookie in the store; a full run
 * where there is none that holds.
 */
int sync_run_changes(const struct sync_call *call);

/* Stays, and applies changes as they come, until a signal says to end. */
int sync_follow(const struct sync_call *call);

/*
 * What full run and changes have in common: sync_open prepares, takes the lease
 * and begins the row; body is the run; sync_close ends the row, gives all back,
 * tells, and returns the exit code.
 */
struct sync_frame {
    struct sync sync;
    char host[256];
    int64_t began_ms;
    struct errtext err;
};
enum status sync_open(struct sync_frame *frame, const struct sync_call *call,
                      const char *kind) MUST_CHECK;
int sync_close(struct sync_frame *frame, enum status status);
/* Ends it without a word: another run takes its place. */
void sync_drop(struct sync_frame *frame);

/* An event that removals were withheld, and why, once a day. */
enum status sync_tell_withheld(struct sync *sync,
                               struct errtext *err) MUST_CHECK;

/* The cookie of this moment, into sync->cookie; none is no failure. */
enum status sync_cookie_now(struct sync *sync, struct errtext *err) MUST_CHECK;

/* Keeps sync->cookie in the store, unless it is there already. */
enum status sync_cookie_keep(struct sync *sync, struct errtext *err) MUST_CHECK;

#endif
