/*
 * exposition - Prometheus' text format from several sources
 *
 * The format wants all samples of a metric in one piece below one HELP and one
 * TYPE line, and two daemons may have metrics of one name. Texts of daemons are
 * taken apart here and printed family by family, in the order in which they
 * came. One thread at a time.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_EXPOSITION_H
#define TOOLS_EXPOSITION_H

#include "strbuf.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define EXPOSITION_FAMILIES_MAX 1000
#define EXPOSITION_BYTES_MAX ((size_t)64 * 1024 * 1024) /* of one family */

struct exposition;

/* Returns an empty one; owned (exposition_free). NULL: no memory. */
struct exposition *exposition_new(void);
void exposition_free(struct exposition **exposition);

/*
 * Begins a family of our own, whose samples follow; type is "gauge" or
 * "counter". If there is one of that name already, it is continued.
 */
void exposition_family(struct exposition *exposition, const char *name,
                       const char *type, const char *help);

/* Appends one label to labels, with a comma where one belongs, escaped. */
void exposition_label(struct strbuf *labels, const char *name,
                      const char *value);

/* A sample of the family that was begun last; labels may be "". */
void exposition_sample(struct exposition *exposition, const char *labels,
                       uint64_t value);

/* Takes in what a daemon printed; lines that are none are left out. */
void exposition_read(struct exposition *exposition, const char *text);

/*
 * Prints all that has samples. Returns false if it could not be written, or
 * something was lost for want of memory or room.
 */
bool exposition_print(const struct exposition *exposition, FILE *file);

#endif
