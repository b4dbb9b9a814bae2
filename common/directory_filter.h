/*
 * directory_filter - filters of the settings, as they are sent
 *
 * "{now}" in a filter stands for the present time, as time_format has it: with
 * it a filter can match accounts that have expired.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DIRECTORY_FILTER_H
#define COMMON_DIRECTORY_FILTER_H

#include "settings.h"
#include "strbuf.h"

#include <stdint.h>

/* Appends filter with the time put in; now is in seconds since 1970 UTC. */
void directory_filter_append(const struct directory_settings *set,
                             const char *filter, int64_t now,
                             struct strbuf *buf);

#endif
