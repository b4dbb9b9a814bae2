/*
 * name - an address of a request, in the form in which it is looked up
 *
 * Postfix hands addresses over as the client wrote them: upper case, U-labels,
 * quoted local parts without their quotes. Here they become canonical, as
 * address.h has it, in the caller's memory; plain ASCII ones, nearly all,
 * without an allocation. What no mailbox can be called (a blank, a comma) still
 * has a domain, whose catch-all may want it. Pure.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef POLICYD_NAME_H
#define POLICYD_NAME_H

#include "address.h"
#include "status.h"

#include <stdbool.h>
#include <stddef.h>

struct name {
    char text[ADDRESS_BYTES_MAX + 1]; /* canonical; local part as it was if it
                                         is not fit */
    size_t local_len;                 /* bytes before the last '@' */
    bool fit;                         /* a mailbox or an alias can have it */
};

/*
 * Reads an address. STATUS_OK and *name_r; STATUS_INVALID for what has no
 * domain or one that cannot be; STATUS_TEMPFAIL without memory.
 */
enum status name_read(const char *address, struct name *name_r,
                      struct errtext *err) MUST_CHECK;

/* The domain of a name. */
const char *name_domain(const struct name *name);

/*
 * Makes the name without its extension: what is before the first of the
 * delimiters, which does not stand first. False if there is none.
 */
bool name_without_extension(const struct name *name, const char *delimiters,
                            struct name *base_r);

/* Makes the same local part in another domain; false if it gets too long. */
bool name_in_domain(const struct name *name, const char *domain,
                    struct name *moved_r);

#endif
