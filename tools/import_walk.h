/*
 * import_walk - the maildirs below a directory, by mail_path_format
 *
 * Names on the disk are not trusted: symbolic links are not followed, and what
 * makes no address is told of and left alone. Entries come in bytewise order.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_IMPORT_WALK_H
#define TOOLS_IMPORT_WALK_H

#include "status.h"

#define IMPORT_WALK_PARTS_MAX 16        /* of the format */
#define IMPORT_WALK_ENTRIES_MAX 1000000 /* of one directory */

struct import_walk_visitor {
    /* A maildir: its canonical address and its path, relative, with '/'. */
    enum status (*visit)(const char *address, const char *path, void *arg,
                         struct errtext *err);
    /* What was left alone, and why. */
    void (*left)(const char *path, const char *reason, void *arg);
    void *arg;
};

/*
 * Walks base by format (see address_path_check).
 *
 * STATUS_OK; what visit returned; STATUS_INVALID for a format with two
 * variables in one part, which cannot be read backwards; STATUS_NOT_FOUND when
 * base cannot be opened; STATUS_TEMPFAIL.
 */
enum status import_walk(const char *base, const char *format,
                        const struct import_walk_visitor *visitor,
                        struct errtext *err) MUST_CHECK;

#endif
