/*
 * sync_spool - entries that wait for the second pass, in an unnamed file
 *
 * Memory stays small however many people changed. The file has no name: it is
 * gone with the process, whatever happens to it.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_SYNC_SPOOL_H
#define TOOLS_SYNC_SPOOL_H

#include "directory.h"
#include "status.h"

#include <stdint.h>

struct sync_spool;

/* STATUS_OK and an owned *spool_r, or STATUS_TEMPFAIL. */
enum status sync_spool_new(struct sync_spool **spool_r,
                           struct errtext *err) MUST_CHECK;
void sync_spool_free(struct sync_spool **spool);

/* Appends entry; *at_r is where it is. STATUS_TEMPFAIL: the disk is full. */
enum status sync_spool_put(struct sync_spool *spool,
                           const struct directory_entry *entry, uint64_t *at_r,
                           struct errtext *err) MUST_CHECK;

/* Reads the entry at a place into an owned *entry_r. */
enum status sync_spool_get(struct sync_spool *spool, uint64_t at,
                           struct directory_entry *entry_r,
                           struct errtext *err) MUST_CHECK;

#endif
