/*
 * settings_scan - looks at the raw text before libconfig does (pure)
 *
 * A room of settings: only settings*.c include this. libconfig 1.5 turns
 * 4294967296 into 0 and 010 into ten, reads other files by @include, cuts a
 * text at \x00 and keeps line numbers in 16 bits, all without a word.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_SETTINGS_SCAN_H
#define COMMON_SETTINGS_SCAN_H

#include "settings_faults.h"

#include <stdbool.h>
#include <stddef.h>

#define SETTINGS_LINES_MAX 65535
#define SETTINGS_DEPTH_MAX 32 /* of groups and lists in each other */
#define SETTINGS_DIGITS_MAX 9
#define SETTINGS_KEY_BYTES_MAX 64 /* as faults show it */

/*
 * Adds a fault for each thing in the len bytes of text (terminated) that must
 * not reach libconfig. A bad number is overwritten with -1, so that the rest
 * can be read; no number that was let through is negative.
 *
 * Returns true if libconfig may read text now.
 */
bool settings_scan(char *text, size_t len, const char *file,
                   struct settings_faults *faults);

/*
 * Copies the key that is set on a line, for faults of libconfig, which names
 * lines only; "syntax" if there is none or several.
 */
void settings_scan_key(const char *text, unsigned line,
                       char key[SETTINGS_KEY_BYTES_MAX + 1]);

#endif
