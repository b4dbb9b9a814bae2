/* test_directory_filter - the time in filters */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_filter.h"
#include "unit.h"

#include <string.h>

#define NOON 1764072000 /* 2025-11-25 12:00:00 UTC */

static void puts_the_time_where_now_stands(void)
{
    static const struct {
        const char *name;
        const char *filter;
        enum directory_time_format format;
        const char *sent;
    } cases[] = {
        {"nothing", "", TIME_GENERALIZED, ""},
        {"no time in it", "(a=b)", TIME_FILETIME, "(a=b)"},
        {"generalized", "(end<={now})", TIME_GENERALIZED,
         "(end<=20251125120000Z)"},
        {"filetime", "(accountExpires<={now})", TIME_FILETIME,
         "(accountExpires<=134085456000000000)"},
        {"twice", "(|(a<={now})(b<={now}))", TIME_GENERALIZED,
         "(|(a<=20251125120000Z)(b<=20251125120000Z))"},
        {"alone", "{now}", TIME_GENERALIZED, "20251125120000Z"},
        {"other words in braces", "(a={NOW})(b={no", TIME_FILETIME,
         "(a={NOW})(b={no"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct directory_settings set = {.time_format = cases[i].format};
        struct strbuf buf = STRBUF_INIT(1024);

        directory_filter_append(&set, cases[i].filter, NOON, &buf);
        CHECK_CASE(cases[i].name,
                   strcmp(strbuf_text(&buf), cases[i].sent) == 0);
        strbuf_clear(&buf);
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"puts the time where {now} stands", puts_the_time_where_now_stands},
        CU_TEST_INFO_NULL,
    };

    return run_tests("directory_filter", tests);
}
