/* test_options - the plugin's two options */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "options.h"
#include "unit.h"

#include <string.h>

static void reads_a_timeout_from_1_to_60(void)
{
    static const struct {
        const char *text;
        int seconds; /* 0: refused */
    } cases[] = {
        {NULL, OPTIONS_TIMEOUT_SECONDS_DEFAULT},
        {"", OPTIONS_TIMEOUT_SECONDS_DEFAULT},
        {"0", 0},
        {"1", 1},
        {"9", 9},
        {"10", 10},
        {"59", 59},
        {"60", 60},
        {"61", 0},
        {"99", 0},
        {"05", 5},
        {"100", 0},
        {"999999999999999999999999", 0},
        {"-1", 0},
        {"+5", 0},
        {" 5", 0},
        {"5 ", 0},
        {"5s", 0},
        {"1.5", 0},
        {"ten", 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *name = cases[i].text != NULL ? cases[i].text : "not set";
        struct errtext err = {{0}};
        int seconds = 0;
        enum status status = options_timeout(cases[i].text, &seconds, &err);

        CHECK_CASE(name, seconds == cases[i].seconds);
        CHECK_CASE(name, status == (cases[i].seconds > 0 ? STATUS_OK
                                                         : STATUS_INVALID));
        CHECK_CASE(name, (err.text[0] != '\0') == (cases[i].seconds == 0));
    }
}

static void reads_a_path_that_fits_a_socket(void)
{
    static char long_path[OPTIONS_PATH_SIZE + 1];
    char path[OPTIONS_PATH_SIZE] = "kept";

    CU_ASSERT_EQUAL(options_path("provost_path", NULL, path, NULL),
                    STATUS_NOT_FOUND);
    CU_ASSERT_EQUAL(options_path("provost_path", "", path, NULL),
                    STATUS_NOT_FOUND);
    CU_ASSERT_STRING_EQUAL(path, "kept");
    CU_ASSERT_EQUAL(options_path("provost_path", "/run/x", path, NULL),
                    STATUS_OK);
    CU_ASSERT_STRING_EQUAL(path, "/run/x");

    memset(long_path, 'x', sizeof(long_path) - 1);
    CU_ASSERT_EQUAL(options_path("provost_path", long_path, path, NULL),
                    STATUS_INVALID);
    CU_ASSERT_STRING_EQUAL(path, "/run/x");
    long_path[OPTIONS_PATH_SIZE - 1] = '\0';
    CU_ASSERT_EQUAL(options_path("provost_path", long_path, path, NULL),
                    STATUS_OK);
    CU_ASSERT_STRING_EQUAL(path, long_path);
    long_path[OPTIONS_PATH_SIZE - 2] = '\0';
    CU_ASSERT_EQUAL(options_path("provost_path", long_path, path, NULL),
                    STATUS_OK);
}

static void reads_a_switch_as_libsasl2_does(void)
{
    CU_ASSERT_TRUE(options_switch("yes") && options_switch("on") &&
                   options_switch("true") && options_switch("1"));
    CU_ASSERT_FALSE(options_switch(NULL) || options_switch("") ||
                    options_switch("no") || options_switch("yes "));
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"reads a timeout from 1 to 60", reads_a_timeout_from_1_to_60},
        {"reads a path that fits a socket", reads_a_path_that_fits_a_socket},
        {"reads a switch as libsasl2 does", reads_a_switch_as_libsasl2_does},
        CU_TEST_INFO_NULL,
    };

    return run_tests("options", tests);
}
