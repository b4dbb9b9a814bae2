/* people - see people.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "people.h"

#include <stdio.h>

void people_user(unsigned number, char *out)
{
    (void)snprintf(out, PEOPLE_TEXT_BYTES, "u%06u", number);
}

void people_domain(unsigned number, char *out)
{
    (void)snprintf(out, PEOPLE_TEXT_BYTES, "d%02u.example",
                   number % PEOPLE_DOMAINS);
}

void people_password(unsigned number, char *out)
{
    (void)snprintf(out, PEOPLE_TEXT_BYTES, "secret-%06u", number);
}

void people_uuid(unsigned number, char *out)
{
    (void)snprintf(out, PEOPLE_TEXT_BYTES, "5eed0000-0000-4000-8000-%012u",
                   number);
}
