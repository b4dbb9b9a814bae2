/*
 * look - looks that `why`, `directory test` and `doctor` share
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_LOOK_H
#define TOOLS_LOOK_H

#include "finding.h"
#include "settings.h"

#include <stdbool.h>
#include <stddef.h>

#define LOOK_CERTIFICATE_DAYS 14 /* fewer are a warning */

/*
 * Probes the host at index of set and tells each step. Returns true if it can
 * be used.
 */
bool look_at_host(struct findings *findings,
                  const struct directory_settings *set, size_t index);

#endif
