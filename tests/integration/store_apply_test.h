/*
 * store_apply_test - plans carried out on a real server
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_INTEGRATION_STORE_APPLY_TEST_H
#define TESTS_INTEGRATION_STORE_APPLY_TEST_H

#include "store_test.h"

#include "apply.h"

#define GIB (UINT64_C(1) << 30)

/* A plan to create a mailbox with this id; see plan_clear. */
struct plan plan_create(const char *address, const char *id,
                        uint64_t quota_bytes);

/* A plan of another kind for the mailbox as it is in the store. */
struct plan plan_for(struct lab *lab, const char *address, enum plan_kind kind);

/* Adds an alias to what the plan wants, and says that aliases changed. */
void plan_alias(struct plan *plan, const char *alias);

/* Carries the plan out, clears it, and returns what became of it. */
struct apply_outcome carry_out(struct lab *lab, struct plan *plan);

/* The parts. */
void test_create(struct lab *lab);
void test_limits(struct lab *lab);
void test_update(struct lab *lab);
void test_aliases(struct lab *lab);
void test_rename(struct lab *lab);
void test_names(struct lab *lab);
void test_race(struct lab *lab);
void test_deadlock(struct lab *lab);
void test_busy(struct lab *lab);
void test_hang(struct lab *lab);
void test_outage(struct lab *lab);
void test_lost_commit(struct lab *lab);
void test_cleartext(struct lab *lab);
void test_hosts(struct lab *lab);
void test_tls(struct lab *lab);
void test_domains(struct lab *lab);
void test_events(struct lab *lab);
void test_history(struct lab *lab);
void test_logins(struct lab *lab);
void test_versions(struct lab *lab);

#endif
