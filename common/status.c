/* status - see status.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "status.h"

#include <stdarg.h>
#include <stdio.h>

void errtext_set(struct errtext *err, const char *fmt, ...)
{
    va_list args;

    if (err == NULL)
        return;
    va_start(args, fmt);
    (void)vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);
}

const char *status_name(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return "ok";
    case STATUS_NOT_FOUND:
        return "not_found";
    case STATUS_DENIED:
        return "denied";
    case STATUS_INVALID:
        return "invalid";
    case STATUS_TEMPFAIL:
        return "tempfail";
    }
    return "unknown";
}
