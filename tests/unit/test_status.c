/* test_status - reasons are bounded, and every status has its word */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "status.h"
#include "unit.h"

#include <string.h>

static void cuts_a_reason_at_the_bound(void)
{
    static const struct {
        const char *name;
        size_t len;
        size_t kept;
    } cases[] = {
        {"empty", 0, 0},
        {"one below", ERRTEXT_SIZE - 2, ERRTEXT_SIZE - 2},
        {"the bound", ERRTEXT_SIZE - 1, ERRTEXT_SIZE - 1},
        {"one above", ERRTEXT_SIZE, ERRTEXT_SIZE - 1},
        {"far above", 5000, ERRTEXT_SIZE - 1},
    };
    static char long_text[5001];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct errtext err;

        memset(&err, '!', sizeof(err));
        memset(long_text, 'x', cases[i].len);
        long_text[cases[i].len] = '\0';
        errtext_set(&err, "%s", long_text);
        CHECK_CASE(cases[i].name, strlen(err.text) == cases[i].kept);
        CHECK_CASE(cases[i].name,
                   strncmp(err.text, long_text, cases[i].kept) == 0);
    }
}

static void formats_and_takes_no_reason(void)
{
    struct errtext err = {{0}};

    errtext_set(&err, "%s of %d", "two", 3);
    CU_ASSERT_STRING_EQUAL(err.text, "two of 3");
    errtext_set(NULL, "%s", "nobody asks");
    CU_ASSERT_EQUAL(status_no_memory(NULL), STATUS_TEMPFAIL);
    CU_ASSERT_EQUAL(status_no_memory(&err), STATUS_TEMPFAIL);
    CU_ASSERT_STRING_EQUAL(err.text, "out of memory");
}

static void names_every_status_differently(void)
{
    for (int a = STATUS_OK; a <= STATUS_TEMPFAIL; a++) {
        CU_ASSERT_STRING_NOT_EQUAL(status_name((enum status)a), "unknown");
        for (int b = STATUS_OK; b < a; b++)
            CU_ASSERT_STRING_NOT_EQUAL(status_name((enum status)a),
                                       status_name((enum status)b));
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"cuts a reason at the bound", cuts_a_reason_at_the_bound},
        {"formats, and takes no reason", formats_and_takes_no_reason},
        {"names every status differently", names_every_status_differently},
        CU_TEST_INFO_NULL,
    };

    return run_tests("status", tests);
}
