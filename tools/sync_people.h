/*
 * sync_people - what earlier runs remembered of people beside their mailbox
 *
 * Refusals that were told already, who is missing and since when, and whom a
 * run closed in the last day (which is written with the change itself). Most
 * people are not in it.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_SYNC_PEOPLE_H
#define TOOLS_SYNC_PEOPLE_H

#include "status.h"
#include "store.h"
#include "store_lease.h"

#include <stdbool.h>
#include <stdint.h>

#define SYNC_PROBLEM_BYTES 64

struct sync_people;

enum status sync_people_new(struct sync_people **people_r,
                            struct errtext *err) MUST_CHECK;
void sync_people_free(struct sync_people **people);

/* Reads all of a directory. */
enum status sync_people_load(struct sync_people *people, struct store *store,
                             const char *directory, int64_t deadline_ms,
                             struct errtext *err) MUST_CHECK;

/* Not missing any more, if they were. */
void sync_people_present(struct sync_people *people, const char *id);

/*
 * Notes a refusal; true if it is new: another entry or another problem than
 * what was told last.
 */
bool sync_people_problem(struct sync_people *people, const char *id,
                         uint64_t print, const char *problem);

/* True if exactly this was told before; keeps it for another time. */
bool sync_people_knows(struct sync_people *people, const char *id,
                       uint64_t print, const char *problem);

/* One who is missing, as remembered. */
struct sync_absence {
    uint64_t runs;   /* complete readings without them, this one not in it */
    int64_t seconds; /* since the first of them; -1: this is it */
    bool told;       /* that they are missing */
};
void sync_people_missing(struct sync_people *people, const char *id,
                         struct sync_absence *out);
/* One more complete reading without them. false without memory. */
bool sync_people_missed(struct sync_people *people, const char *id,
                        const char *domain, bool told);

/* Calls visit with the domain of each who was closed in the last day. */
void sync_people_of_a_day(struct sync_people *people,
                          void (*visit)(const char *domain, void *arg),
                          void *arg);

/* What was refused before and was not in this run, which was whole, is well. */
void sync_people_forgive(struct sync_people *people);

/* Writes what changed, in batches, under the lease. */
enum status sync_people_write(struct sync_people *people, struct store *store,
                              const struct store_lease *lease,
                              const char *directory, int64_t timeout_ms,
                              struct errtext *err) MUST_CHECK;

#endif
