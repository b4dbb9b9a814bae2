/*
 * directory_memory - entries remembered for a short time
 *
 * So that a second login costs the bind alone. Bounded in number (the oldest
 * goes first) and in time; an entry is one allocation. Thread-safe. `now_ms` is
 * clock_ms(), passed in.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DIRECTORY_MEMORY_H
#define COMMON_DIRECTORY_MEMORY_H

#include "directory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A larger entry is not remembered. */
#define DIRECTORY_REMEMBERED_BYTES_MAX 16384

struct directory_memory;

/* ttl_ms or max of 0: nothing is remembered. STATUS_TEMPFAIL: no memory. */
enum status directory_memory_new(int64_t ttl_ms, unsigned max,
                                 struct directory_memory **memory_r,
                                 struct errtext *err) MUST_CHECK;

/* Frees *memory and sets it to NULL; it may be NULL. */
void directory_memory_free(struct directory_memory **memory);

/* Returns true and an owned *entry_r if login is remembered. */
bool directory_memory_find(struct directory_memory *memory, const char *login,
                           int64_t now_ms, struct directory_entry *entry_r);

/* Remembers a copy; without memory, it does not. */
void directory_memory_keep(struct directory_memory *memory, const char *login,
                           const struct directory_entry *entry, int64_t now_ms);

/* Forgets login, or all for NULL; returns how many went. */
size_t directory_memory_forget(struct directory_memory *memory,
                               const char *login);

size_t directory_memory_count(struct directory_memory *memory);

#endif
