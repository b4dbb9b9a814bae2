/*
 * rate_scene - counters, and people who send, for the tests of rates
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_RATE_SCENE_H
#define TESTS_UNIT_RATE_SCENE_H

#include "rate.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADA "ada@example.org"
#define BOB "bob@example.org"
#define ORG "example.org"

/* An empty set of counters; never NULL. */
struct rates *scene_rates(size_t counters_max);

/* One limit: messages of a mailbox. */
struct rate_limits scene_messages(const char *login, uint32_t count,
                                  uint32_t seconds);

/* Charges; true if it was let through. */
bool scene_charge(struct rates *rates, const struct rate_limits *limits,
                  uint32_t recipients, int64_t now_ms);

/* What a counter of that period holds. */
uint64_t scene_used(struct rates *rates, enum rate_kind kind,
                    const char *subject, uint32_t seconds, int64_t now_ms);

/* The name of a login by number; it lives until the next call. */
const char *scene_login(unsigned number);

#endif
