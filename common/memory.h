/*
 * memory - what authd remembers of passwords: verified logins, refused pairs
 *
 * Keys are HMAC-SHA-256 under a per-process random key: no password and no
 * hash of one that can be attacked elsewhere is held. Both memories are
 * bounded in number (oldest goes first) and in time, counted from when the
 * directory spoke, not from the last use. Thread-safe. `now_ms` is clock_ms(),
 * passed in.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_MEMORY_H
#define COMMON_MEMORY_H

#include "address.h"
#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory_limits {
    int64_t verified_ttl_ms; /* 0: verified logins are not remembered */
    unsigned verified_max;
    int64_t refused_ttl_ms; /* 0: refused pairs are not remembered */
    unsigned refused_max;
};

/* Attempts that may wait for one flight; one more asks by itself. */
#define MEMORY_WAITERS_MAX 256

struct memory;

/* STATUS_OK and an owned *memory_r; STATUS_TEMPFAIL: memory or randomness. */
enum status memory_new(struct memory_limits limits, struct memory **memory_r,
                       struct errtext *err) MUST_CHECK;

/* Frees *memory and sets it to NULL; it may be NULL. */
void memory_free(struct memory **memory);

/*
 * True if this very (user, service, password) was verified in time; then
 * address_r gets the mailbox's address.
 */
bool memory_verified(struct memory *memory, const char *user, unsigned service,
                     const char *password, int64_t now_ms,
                     char address_r[ADDRESS_BYTES_MAX + 1]);

/*
 * A number that every memory_flush changes: read it before a password is
 * checked and pass it to memory_verify, so that what was checked before a
 * flush is not remembered after it.
 */
uint64_t memory_epoch(struct memory *memory);

/*
 * Remembers a success for (user, service). One with another password drops
 * the older one. address names the mailbox, for memory_flush. Nothing is
 * remembered if epoch is not the present one, or without memory.
 */
void memory_verify(struct memory *memory, const char *user, unsigned service,
                   const char *password, const char *address, int64_t now_ms,
                   uint64_t epoch);

/* What the directory said of a pair. */
enum memory_outcome {
    MEMORY_NO_OUTCOME, /* it was not asked, or did not answer */
    MEMORY_RIGHT,      /* it verified the password */
    MEMORY_WRONG       /* it definitely called the password wrong (49, 52e) */
};

/*
 * Asks for the directory's latest word on exactly this pair. If the same pair
 * is being asked by another thread right now (a flight), waits for its answer,
 * at most until deadline_ms, so that identical attempts share one bind.
 *
 * Returns MEMORY_WRONG (remembered, or the flight's answer): answer without
 * asking; MEMORY_RIGHT (the flight's answer, never a remembered one): the bind
 * may be left out, everything else not; MEMORY_NO_OUTCOME: ask, and then call
 * memory_answered exactly once, whatever happened.
 */
enum memory_outcome memory_ask(struct memory *memory, const char *user,
                               const char *password, int64_t deadline_ms);

/*
 * Ends what memory_ask began with MEMORY_NO_OUTCOME. An outcome goes to all
 * who wait; without one, the first of them asks. A flush since memory_ask
 * keeps the outcome from being remembered.
 */
void memory_answered(struct memory *memory, const char *user,
                     const char *password, enum memory_outcome outcome,
                     int64_t now_ms);

/*
 * Forgets everything about a user or mailbox address, or all for NULL.
 * Refused pairs go by the user as typed alone: their mailbox is not known.
 * Returns how many entries went.
 */
size_t memory_flush(struct memory *memory, const char *user);

/* Entries held now. */
void memory_counts(struct memory *memory, size_t *verified_r,
                   size_t *refused_r);

#endif
