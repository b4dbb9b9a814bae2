/*
 * secret - shortest life for passwords and keys
 *
 * libc only: the SASL plugin links this into foreign processes.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_SECRET_H
#define COMMON_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* Overwrites len bytes in a way the compiler does not remove. */
void secret_wipe(void *data, size_t len);

/* Wipes and frees the terminated *text and sets it to NULL; it may be NULL. */
void secret_free(char **text);

/*
 * Compares len bytes in a time that depends on len alone.
 * Returns true if they are the same.
 */
bool secret_equal(const void *a, const void *b, size_t len);

#endif
