/*
 * look - looks that `why`, `directory test` and `doctor` share
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_LOOK_H
#define TOOLS_LOOK_H

#include "finding.h"
#include "settings.h"

#include <stdbool.h>

#define LOOK_CERTIFICATE_DAYS 14 /* fewer are a warning */

/*
 * Probes all hosts of set and tells each step. A host at fault is an error, and
 * a warning where another one can be used. Returns true if one can.
 */
bool look_at_hosts(struct findings *findings,
                   const struct directory_settings *set);

#endif
