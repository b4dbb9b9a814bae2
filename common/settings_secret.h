/*
 * settings_secret - passwords from the files that the settings name
 *
 * A room of settings: only settings*.c include this.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_SETTINGS_SECRET_H
#define COMMON_SETTINGS_SECRET_H

#include "status.h"

#define SETTINGS_SECRET_BYTES_MAX 1024

/*
 * Reads a secret: a regular file that others can neither read nor write and
 * the group cannot write, one line, whose line end is cut.
 *
 * Returns STATUS_OK and an owned *secret_r (secret_free); STATUS_INVALID with
 * the fix, never with a byte of the file; STATUS_TEMPFAIL without memory.
 */
enum status settings_secret_read(const char *path, char **secret_r,
                                 struct errtext *err) MUST_CHECK;

#endif
