/*
 * fake_world - a directory and a store that answer as a test says
 *
 * Linked instead of common/directory.o, store*.o and apply.o, so that every
 * row of "no answer" can be played; the real ones meet real servers in
 * tests/integration.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_FAKE_WORLD_H
#define TESTS_UNIT_FAKE_WORLD_H

#include "apply.h"
#include "directory.h"
#include "store.h"

#include <stdbool.h>

struct fake_world {
    /* The store. */
    bool store_down;
    bool domain_unknown;
    bool domain_inactive;
    struct account mailbox; /* address NULL: none; borrowed by the world */
    const char *app_hash;   /* NULL: no app password */
    unsigned app_services;
    /* The directories; index 0 is "corp", 1 is "other". */
    enum status find[2];
    enum status verify;
    enum directory_reason reason;
    const char *right_password; /* NULL: `verify` is the answer */
    struct directory_entry entry;
    bool remembered;
    const char *moved_dn;   /* a second search finds this DN */
    enum status find_again; /* not STATUS_OK: what a second search answers */
    /* apply. */
    enum status apply;
    struct apply_outcome outcome;
    unsigned conflicts;  /* so many conflicts first */
    bool conflict_makes; /* after a conflict the mailbox is there */
    /* What was done. */
    unsigned finds;
    unsigned binds;
    unsigned applied;
    unsigned rehearsed; /* calls of apply_rehearse */
    unsigned events;
    unsigned logins_written;
    unsigned attempts; /* rows */
    unsigned attempt_times;
    char last_event[256];
    char searched[512];
};

/* The one world of a test program; the test sets and reads it. */
extern struct fake_world fake_world;

#endif
