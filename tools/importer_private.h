/*
 * importer_private - what importer*.c share
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_IMPORTER_PRIVATE_H
#define TOOLS_IMPORTER_PRIVATE_H

#include "importer.h"

#include "apply_limit.h"
#include "store_mailbox.h"

#include <uthash.h>

struct importer_domain {
    struct store_domain row; /* as it is, or as it is planned */
    struct store_domain wanted;
    bool limits_wait; /* it was made, or has none: wanted's are to come */
    UT_hash_handle hh;
};

struct importer_name {
    char *name;
    UT_hash_handle hh;
};

/*
 * Finds a domain that is here or planned: STATUS_OK and a borrowed *domain_r;
 * STATUS_NOT_FOUND; STATUS_TEMPFAIL.
 */
enum status importer_find_domain(struct importer *importer, const char *name,
                                 struct importer_domain **domain_r,
                                 struct errtext *err) MUST_CHECK;

/* Says whether the domain takes the charge, and takes it off the plan. */
enum apply_limit importer_charge(struct importer_domain *domain,
                                 const struct store_charge *charge,
                                 struct errtext *reason);

/* Remembers a mailbox of this run; false without memory. */
bool importer_remember(struct importer *importer, const char *address);

#endif
