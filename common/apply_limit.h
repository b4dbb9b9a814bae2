/*
 * apply_limit - which limit of a domain says no, in words and numbers
 *
 * The same conditions as store_charge's UPDATE, asked after it refused (with
 * a fresh row), or ahead of it by who only wants to know. Pure.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_APPLY_LIMIT_H
#define COMMON_APPLY_LIMIT_H

#include "apply.h"
#include "status.h"
#include "store.h"
#include "store_mailbox.h"

/*
 * Returns the first limit that charge meets in domain (name NULL: there is no
 * such domain) and the sentence in reason, or LIMIT_NONE if it fits.
 */
enum apply_limit apply_limit_of(const struct store_domain *domain,
                                const struct store_charge *charge,
                                struct errtext *reason);

#endif
