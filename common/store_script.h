/*
 * store_script - a schema file, cut into its statements
 *
 * Statements end in ';'. Quotes of all three kinds and the comments "--",
 * "#" and C's are understood; DELIMITER is not. Pure.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_SCRIPT_H
#define COMMON_STORE_SCRIPT_H

#include "status.h"
#include "strbuf.h"

/*
 * Puts the next statement into statement (without ';' and comments around it)
 * and moves *text behind it.
 *
 * Returns STATUS_OK; STATUS_NOT_FOUND when there is none any more;
 * STATUS_INVALID for a quote or comment that does not end; STATUS_TEMPFAIL
 * when statement's bound or the memory was too small.
 */
enum status store_script_next(const char **text, struct strbuf *statement,
                              struct errtext *err) MUST_CHECK;

/*
 * Reads "-- oldest-program: N" from the first line.
 * Returns STATUS_OK and *version_r, or STATUS_INVALID.
 */
enum status store_script_oldest(const char *text, unsigned *version_r,
                                struct errtext *err) MUST_CHECK;

#endif
