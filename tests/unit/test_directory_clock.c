/* test_directory_clock - time as directories write it */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "unit.h"

#include "directory_clock.h"

static void reads_generalized_time(void)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"19700101000000Z", 0},
        {"20261124103000Z", 1795516200},
        {"20261124103000.0Z", 1795516200},
        {"20261124103000.123456Z", 1795516200},
        {"20261124103000,5Z", 1795516200},
        {"202611241030Z", 1795516200},
        {"20261124113000+0100", 1795516200},
        {"20261124093000-01", 1795516200},
        {"20240229000000Z", 1709164800},
        {"20261231235960Z", 1798761600},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t seconds = -1;

        CHECK_CASE(cases[i].text,
                   directory_clock_read(cases[i].text, &seconds));
        CHECK_CASE(cases[i].text, seconds == cases[i].seconds);
    }
}

static void refuses_what_is_no_time(void)
{
    static const char *const texts[] = {
        "",
        "Z",
        "2026",
        "20261124103000",
        "20261124103000z",
        "20261324103000Z",
        "20261100103000Z",
        "20261124243000Z",
        "20261124106000Z",
        "20261124103061Z",
        "2026112410300Z",
        "20261124103000ZZ",
        "20261124103000+",
        "20261124103000+2500",
        "20261124103000+01000",
        "134084394000000000",
        " 20261124103000Z",
        "-0261124103000Z",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        int64_t seconds = 7;

        CHECK_CASE(texts[i], !directory_clock_read(texts[i], &seconds));
        CHECK_CASE(texts[i], seconds == 7);
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"reads generalized time", reads_generalized_time},
        {"refuses what is no time", refuses_what_is_no_time},
        CU_TEST_INFO_NULL,
    };

    return run_tests("directory_clock", tests);
}
