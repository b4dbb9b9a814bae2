/*
 * generation - one reading of the settings and the login made from it
 *
 * A reload makes a new generation beside the old one; an attempt holds the
 * generation it began with, and the last one to let go retires it. What was
 * learned of passwords (struct login_shared) goes on in the next generation
 * unless its limits changed. Thread-safe.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef AUTHD_GENERATION_H
#define AUTHD_GENERATION_H

#include "login.h"
#include "settings.h"
#include "status.h"
#include "strbuf.h"

#include <stdbool.h>
#include <stdint.h>

struct remembered;

struct generation {
    struct settings *settings;
    struct login *login;
    struct remembered *remembered;
    const struct login_shared *shared; /* inside remembered */
    int64_t loaded_ms;
    unsigned holders;        /* under the lock of struct generations */
    struct generation *next; /* retired ones */
};

struct generations;

/* Returns a holder without any generation, or NULL without memory. */
struct generations *generations_new(void);

/* Closes every generation; no attempt may be in flight. Sets it to NULL. */
void generations_free(struct generations **generations);

/*
 * Reads path and makes its login, which becomes the current one; no server is
 * contacted. On failure the present one stays.
 *
 * Returns STATUS_OK; STATUS_INVALID with a line for each fault; STATUS_TEMPFAIL
 * with one line.
 */
enum status generations_load(struct generations *generations, const char *path,
                             struct strbuf *faults) MUST_CHECK;

/* Returns the current one, to be given back with generations_release. */
struct generation *generations_hold(struct generations *generations);
void generations_release(struct generations *generations,
                         struct generation **generation);

/*
 * Closes those that nobody holds any more; may wait for the store, since they
 * write their last logins. Returns how many were closed.
 */
size_t generations_bury(struct generations *generations);

#endif
