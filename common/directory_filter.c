/* directory_filter - see directory_filter.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_filter.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define NOW "{now}"
/* From 1601 to 1970, and how many of Windows' units a second has. */
#define FILETIME_OFFSET INT64_C(11644473600)
#define FILETIME_UNITS INT64_C(10000000)

static void append_time(enum directory_time_format format, int64_t now,
                        struct strbuf *buf)
{
    time_t seconds = (time_t)now;
    struct tm utc = {.tm_year = 0};
    char text[32] = "";

    if (format == TIME_FILETIME) {
        strbuf_appendf(buf, "%" PRId64,
                       (now + FILETIME_OFFSET) * FILETIME_UNITS);
        return;
    }
    if (gmtime_r(&seconds, &utc) != NULL &&
        strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &utc) > 0)
        strbuf_append(buf, text);
}

void directory_filter_append(const struct directory_settings *set,
                             const char *filter, int64_t now,
                             struct strbuf *buf)
{
    const char *place = strstr(filter, NOW);

    for (; place != NULL; place = strstr(filter, NOW)) {
        strbuf_append_len(buf, filter, (size_t)(place - filter));
        append_time(set->time_format, now, buf);
        filter = place + strlen(NOW);
    }
    strbuf_append(buf, filter);
}
