/*
 * store_sync - what a run of provost-sync reads and keeps in the store
 *
 * Everything it writes is written under the run's lease: STATUS_INVALID where
 * another holder has it by now, and then nothing was written.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_SYNC_H
#define COMMON_STORE_SYNC_H

#include "account.h"
#include "status.h"
#include "store.h"
#include "store_lease.h"
#include "strbuf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_SYNC_BATCH 500 /* rows of one transaction at most */

/* What is known of a directory; starts as {0}. */
struct store_sync_state {
    bool known;              /* it was read before */
    int64_t started_seconds; /* ago; -1: never */
    char accepted[65];       /* digest of settings; "": none */
    char store_made[129];    /* which tables it was accepted for */
    char store_is[129];      /* ... and which they are now */
    char cookie_for[65];     /* digest of what the cookie holds for */
    char *cookie;            /* NULL: none; owned */
};
void store_sync_state_clear(struct store_sync_state *state);

/* Reads it; a directory that is not known is STATUS_OK with known = false. */
enum status store_sync_state_read(struct store *store, const char *directory,
                                  int64_t deadline_ms,
                                  struct store_sync_state *state_r,
                                  struct errtext *err) MUST_CHECK;

/* What of the state is to be written; NULL: stays as it is. */
struct store_sync_note {
    const char *directory;
    bool started;           /* a run that reads everybody begins now */
    const char *accepted;   /* and store_made with it */
    const char *store_made; /* store_is of the state */
    const char *cookie;     /* "": none; with cookie_for */
    const char *cookie_for;
};
enum status store_sync_note(struct store *store,
                            const struct store_lease *lease,
                            const struct store_sync_note *note,
                            int64_t deadline_ms,
                            struct errtext *err) MUST_CHECK;

/* A mailbox, as far as a run compares; borrowed. */
struct store_roster_row {
    const char *address;
    const char *directory;    /* NULL: local, or no directory's yet */
    const char *directory_id; /* NULL: not adopted */
    const char *fingerprint;  /* its first 16 characters; NULL: none */
    uint64_t sync_print;
    enum account_source source;
    enum account_directory_state directory_state;
};

/*
 * Calls visit for each mailbox, in pages along the key; then alias for each
 * address that is an alias and no mailbox's own. Both return false without
 * memory, which is STATUS_TEMPFAIL.
 */
struct store_roster_visitor {
    bool (*mailbox)(const struct store_roster_row *row, void *arg);
    bool (*alias)(const char *address, void *arg);
    void *arg;
};
enum status store_roster(struct store *store,
                         const struct store_roster_visitor *visitor,
                         int64_t page_ms, struct errtext *err) MUST_CHECK;

/* How many mailboxes with an id a directory has in each domain. */
struct store_census_visitor {
    bool (*visit)(const char *domain, uint64_t mailboxes, void *arg);
    void *arg;
};
enum status store_sync_census(struct store *store, const char *directory,
                              const struct store_census_visitor *visitor,
                              int64_t deadline_ms,
                              struct errtext *err) MUST_CHECK;

/* What is remembered of one person beside the mailbox; borrowed. */
struct store_sync_person {
    const char *id;
    const char *domain;
    uint64_t print;
    const char *problem; /* "": none */
    uint64_t missing_runs;
    int64_t missing_seconds; /* since; -1: not missing */
    int64_t removed_seconds; /* ago; -1: not removed; read only */
};

struct store_sync_people_visitor {
    bool (*visit)(const struct store_sync_person *person, void *arg);
    void *arg;
};
enum status store_sync_people(struct store *store, const char *directory,
                              const struct store_sync_people_visitor *visitor,
                              int64_t deadline_ms,
                              struct errtext *err) MUST_CHECK;

/*
 * Writes at most STORE_SYNC_BATCH people, in one transaction; one with nothing
 * to remember is forgotten.
 */
enum status store_sync_people_write(struct store *store,
                                    const struct store_lease *lease,
                                    const char *directory,
                                    const struct store_sync_person *people,
                                    size_t count, int64_t deadline_ms,
                                    struct errtext *err) MUST_CHECK;

/*
 * Notes, in a transaction that closes a mailbox, that it did: this counts for a
 * day, whatever becomes of the run.
 */
enum status store_sync_note_removal(struct store_connection *db,
                                    const char *directory, const char *id,
                                    const char *domain,
                                    struct errtext *err) MUST_CHECK;

/*
 * Writes at most STORE_SYNC_BATCH events, in one transaction; once_in_seconds
 * as for store_event_write.
 */
enum status store_sync_events_write(struct store *store,
                                    const struct store_lease *lease,
                                    const struct store_event *events,
                                    size_t count, unsigned once_in_seconds,
                                    int64_t deadline_ms,
                                    struct errtext *err) MUST_CHECK;

/* Prints of mailboxes that need nothing else. At most STORE_SYNC_BATCH. */
struct store_sync_print {
    const char *address;
    const char *id;
    uint64_t print;
};
enum status store_sync_prints_write(struct store *store,
                                    const struct store_lease *lease,
                                    const char *directory,
                                    const struct store_sync_print *prints,
                                    size_t count, int64_t deadline_ms,
                                    struct errtext *err) MUST_CHECK;

/* One run; texts borrowed. */
struct store_sync_run {
    uint64_t id;
    const char *directory;
    const char *kind; /* "full", "changes", "follow" */
    const char *host;
    const char *started;  /* as listed: "2026-11-24T06:30:00Z" */
    const char *finished; /* NULL: at work, or killed */
    int exit_code;
    uint64_t seen, created, changed, renamed, suspended, refused, unchanged,
        skipped, withheld, ms;
    const char *reason; /* NULL: none */
    const char *plan;   /* removals that were withheld, a line each; or NULL */
};

/* Makes the row; *id_r names it. */
enum status store_sync_run_begin(struct store *store,
                                 const struct store_lease *lease,
                                 const struct store_sync_run *run,
                                 int64_t deadline_ms, uint64_t *id_r,
                                 struct errtext *err) MUST_CHECK;

/* Writes how run->id ended. */
enum status store_sync_run_end(struct store *store,
                               const struct store_sync_run *run,
                               int64_t deadline_ms,
                               struct errtext *err) MUST_CHECK;

/*
 * Calls visit for runs, the newest first, at most limit of them, of one
 * directory (NULL: all); with id > 0 that one alone, its plan with it.
 */
struct store_sync_run_query {
    const char *directory;
    uint64_t id;
    uint64_t limit;
};
struct store_sync_run_visitor {
    bool (*visit)(const struct store_sync_run *run, void *arg);
    void *arg;
};
enum status store_sync_runs(struct store *store,
                            const struct store_sync_run_query *query,
                            const struct store_sync_run_visitor *visitor,
                            int64_t deadline_ms,
                            struct errtext *err) MUST_CHECK;

#endif
