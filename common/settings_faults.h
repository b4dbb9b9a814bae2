/*
 * settings_faults - where settings were written, and what is wrong with them
 *
 * A room of settings: only settings*.c include this.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_SETTINGS_FAULTS_H
#define COMMON_SETTINGS_FAULTS_H

#include "strbuf.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* A line of a file; file is borrowed from the loader; line 0: all of it. */
struct settings_place {
    const char *file;
    unsigned line;
};

/* Collects all faults of one load; starts with out set, the rest {0}. */
struct settings_faults {
    struct strbuf *out;
    size_t count;
    size_t left_out; /* did not fit into out */
    bool no_memory;
};

/*
 * Adds "file:line: key: sentence" as one line: control bytes from the files
 * become '?'. What does not fit is counted, so that out never fails.
 */
void settings_fault(struct settings_faults *faults, struct settings_place place,
                    const char *key, const char *fmt, ...) PRINTF_LIKE(4, 5);
void settings_vfault(struct settings_faults *faults,
                     struct settings_place place, const char *key,
                     const char *fmt, va_list args) PRINTF_LIKE(4, 0);

/* Adds how many faults were left out, if any. */
void settings_faults_end(struct settings_faults *faults);

#endif
