/*
 * accounts - what was learnt of domains, recipients, logins and senders
 *
 * A memory of facts for a few seconds, bounded in number (the oldest goes
 * first), with sharded locks: a fact that is there costs one short lock and no
 * allocation. What is not there is looked up once, however many ask for it;
 * those that ask at the same time for different things of one kind share a
 * look-up. The look-ups are a function of the caller's. "There is none" is a
 * fact and is remembered; no answer never is, but makes further look-ups fail
 * at once for a moment, so that a store that hangs does not hold up everybody
 * one after the other. Thread-safe.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_ACCOUNTS_H
#define POLICYD_ACCOUNTS_H

#include "status.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define ACCOUNTS_TOGETHER_MAX 16
#define ACCOUNTS_KEY_BYTES_MAX 700 /* a login, '\n' and a sender */
#define ACCOUNTS_AWAY_MS 500       /* no look-up after one without an answer */

enum accounts_kind {
    ACCOUNTS_DOMAIN,
    ACCOUNTS_RECIPIENT,
    ACCOUNTS_LOGIN,
    ACCOUNTS_SENDER,
    ACCOUNTS_KIND_COUNT
};

/* The head of a fact; what stands behind it never changes. */
struct fact {
    atomic_uint holders;
    void (*clear)(struct fact *fact); /* frees all of it */
};

/* Lets a held fact go and sets the pointer to NULL; it may be NULL. */
void fact_release(struct fact **fact);

struct accounts_limits {
    int64_t ttl_ms;   /* 0: nothing is remembered */
    size_t facts_max; /* of all kinds together */
};

/* Where facts come from. */
struct accounts_source {
    /*
     * Looks up count keys of a kind (at most ACCOUNTS_TOGETHER_MAX of
     * recipients, one of the others), each with its own fact, made with
     * holders 1, in facts_r, which are NULL before. A fact left NULL is looked
     * up again alone.
     * STATUS_OK, or STATUS_TEMPFAIL: no answer, no facts.
     */
    enum status (*load)(void *context, enum accounts_kind kind,
                        const char *const *keys, size_t count,
                        int64_t deadline_ms, struct fact **facts_r,
                        struct errtext *err);
    void *context;
};

struct accounts;

/* STATUS_OK and an owned *accounts_r, or STATUS_TEMPFAIL without memory. */
enum status accounts_new(struct accounts_limits limits,
                         struct accounts_source source,
                         struct accounts **accounts_r,
                         struct errtext *err) MUST_CHECK;

/* Frees *accounts and sets it to NULL; nobody may wait in it. */
void accounts_free(struct accounts **accounts);

/* Returns what is remembered, held for the caller, or NULL. */
struct fact *accounts_peek(struct accounts *accounts, enum accounts_kind kind,
                           const char *key, int64_t now_ms);

/* As fact_table_expect. */
struct fact_key;
void accounts_expect(struct accounts *accounts, const struct fact_key *keys,
                     size_t count);

/*
 * Returns the fact, looking it up where it has to be.
 * STATUS_OK and a held *fact_r; STATUS_TEMPFAIL: no answer by deadline_ms, or
 * a key of over ACCOUNTS_KEY_BYTES_MAX.
 */
enum status accounts_get(struct accounts *accounts, enum accounts_kind kind,
                         const char *key, int64_t deadline_ms,
                         struct fact **fact_r, struct errtext *err) MUST_CHECK;

/* Forgets one fact, or all; also those being looked up now. */
void accounts_forget(struct accounts *accounts, enum accounts_kind kind,
                     const char *key);
size_t accounts_flush(struct accounts *accounts);

struct accounts_stats {
    size_t facts;
    uint64_t hits;
    uint64_t misses;
};
void accounts_stats(struct accounts *accounts, struct accounts_stats *stats_r);

#endif
