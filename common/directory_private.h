/*
 * directory_private - what the rooms of directory share; nobody else includes
 * it
 *
 * directory.c finds and verifies one person, directory_walk.c reads all.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DIRECTORY_PRIVATE_H
#define COMMON_DIRECTORY_PRIVATE_H

#include "directory.h"
#include "directory_entry.h"
#include "directory_memory.h"
#include "directory_pool.h"

#include <stdatomic.h>

struct directory {
    const struct directory_settings *set;
    struct directory_pool *pool;
    struct directory_memory *memory;
    struct directory_connection *lent; /* of one walk: no other is taken */
    struct directory_attributes attributes;
    atomic_uint_fast64_t searches;
    atomic_uint_fast64_t binds;
};

#endif
