/*
 * settings_check - what one value says about another
 *
 * A room of settings: only settings*.c include this. The values by themselves
 * are right when these are called; faults carry the place of the value that
 * has to be changed.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_SETTINGS_CHECK_H
#define COMMON_SETTINGS_CHECK_H

#include "settings_tree.h"

/*
 * Sets what follows from other values: presets of a schema, the port of
 * use_ssl, TLS where nothing forbids it, login_fields. False without memory.
 */
bool settings_derive(const struct settings_tree *tree,
                     struct settings *settings) MUST_CHECK;

/*
 * Checks what contradicts, refers or repeats, and reads the secrets. Call it
 * after settings_derive; faults->no_memory is set without memory.
 */
void settings_check(const struct settings_tree *tree, struct settings *settings,
                    struct settings_faults *faults);

#endif
