/*
 * scrub - whatever this program frees is wiped first
 *
 * Passwords pass through buffers of libraries that free them as they are: a
 * TLS record before it is encrypted is copied several times. So the free(3)
 * and realloc(3) of this program, which its libraries use as well, overwrite
 * a block before glibc gets it back. Sanitizers have an allocator of their
 * own, with them this file is empty.
 */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "secret.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#ifdef PROVOST_SCRUB_FREE

/* glibc's own; there for programs that replace free. */
extern void __libc_free(void *block); /* NOLINT(bugprone-reserved-identifier) */

void free(void *block)
{
    int saved = errno;

    if (block == NULL)
        return;
    secret_wipe(block, malloc_usable_size(block));
    __libc_free(block);
    errno = saved;
}

void *realloc(void *block, size_t size)
{
    size_t usable;
    void *moved;

    if (block == NULL)
        return malloc(size);
    if (size == 0) {
        free(block);
        return NULL;
    }
    usable = malloc_usable_size(block);
    if (size <= usable && size >= usable / 2)
        return block;
    moved = malloc(size);
    if (moved == NULL)
        return NULL;
    memcpy(moved, block, size < usable ? size : usable);
    free(block);
    return moved;
}

#endif
