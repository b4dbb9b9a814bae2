/*
 * provision_private - what the rooms of provision share; nobody else includes
 * it
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_PROVISION_PRIVATE_H
#define COMMON_PROVISION_PRIVATE_H

#include "account.h"
#include "status.h"

#include <stdbool.h>

/*
 * Writes the digest of everything that the directory and the template decide
 * into target->fingerprint. STATUS_OK, or STATUS_TEMPFAIL without memory.
 */
enum status provision_fingerprint(struct account *target) MUST_CHECK;

/* True if one setting reads the same in both; *failed is set without memory. */
bool provision_same_setting(const struct account *a, const struct account *b,
                            enum account_setting setting, bool *failed);

#endif
