/*
 * store_schema - the schema's versions, and how to make the next one
 *
 * Files NNN-name.sql in one directory, numbered without gaps; each says in its
 * first line which program is the oldest that may use the result. A version is
 * the number of a file. Statements may run twice, so that a migration that was
 * cut short is simply run again.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_SCHEMA_H
#define COMMON_STORE_SCHEMA_H

#include "status.h"
#include "store.h"
#include "strbuf.h"

#include <stdbool.h>
#include <stdint.h>

#define STORE_SCHEMA_VERSION 7 /* what this program knows */

/*
 * Brings the schema to STORE_SCHEMA_VERSION, or with plan_only tells what
 * would be done and writes nothing. report gets a line for each file. Each
 * statement may take until deadline_ms; there is no other time limit.
 *
 * Returns STATUS_OK, also when there was nothing to do; STATUS_INVALID when
 * the files are not those of this program, or the schema says that this
 * program is too old for it; STATUS_TEMPFAIL: no answer, run it again.
 */
enum status store_migrate(struct store *store, const char *directory,
                          bool plan_only, int64_t deadline_ms,
                          struct strbuf *report,
                          struct errtext *err) MUST_CHECK;

#endif
