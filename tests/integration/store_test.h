/*
 * store_test - what the parts of the store's test program share
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_INTEGRATION_STORE_TEST_H
#define TESTS_INTEGRATION_STORE_TEST_H

#include "store.h"

#include <stdbool.h>
#include <stdint.h>

struct lab {
    struct store_settings set;
    const char *schema; /* directory */
    struct store *store;
};

/* Prints "ok - sentence" or "not ok - sentence" with what err says. */
void check(bool held, const char *sentence, const struct errtext *err);

/* A deadline this far from now. */
int64_t in_ms(int64_t milliseconds);

/* Makes a domain with these limits; 0: none. */
void make_domain(struct lab *lab, const char *name, uint64_t max_mailboxes,
                 uint64_t quota_bytes, uint64_t max_quota_bytes);

/* Reads a domain row. */
struct store_domain read_domain(struct lab *lab, const char *name);

/* Runs a statement as an administrator of the database would. */
bool lab_sql(struct lab *lab, const char *text);

/* Returns the number a SELECT of one number gives. */
uint64_t lab_count(struct lab *lab, const char *text);

#endif
