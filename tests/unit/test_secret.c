/* test_secret - secrets are overwritten and compared as a whole */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "secret.h"
#include "status.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static void wipes_all_of_it_and_no_more(void)
{
    char text[] = "before|secret|after";

    secret_wipe(text + 7, 6);
    CU_ASSERT_EQUAL(memcmp(text, "before|\0\0\0\0\0\0|after", sizeof(text)), 0);
    secret_wipe(text, 0);
    CU_ASSERT_EQUAL(text[0], 'b');
}

static void frees_and_forgets(void)
{
    char *text = strdup("secret");

    secret_free(&text);
    CU_ASSERT_PTR_NULL(text);
    secret_free(&text);
    CU_ASSERT_PTR_NULL(text);
}

static void compares_every_byte(void)
{
    unsigned char a[64] = {0};
    unsigned char b[64] = {0};

    CU_ASSERT_TRUE(secret_equal(a, b, sizeof(a)));
    CU_ASSERT_TRUE(secret_equal("x", "y", 0));
    for (size_t i = 0; i < sizeof(a); i++) {
        for (unsigned bit = 1; bit < 256; bit *= 2) {
            b[i] = (unsigned char)bit;
            CU_ASSERT_FALSE(secret_equal(a, b, sizeof(a)));
            CU_ASSERT_TRUE(secret_equal(a, b, i));
        }
        b[i] = 0;
    }
    /* Two differences must not undo each other. */
    b[0] = 1;
    b[1] = 1;
    CU_ASSERT_FALSE(secret_equal(a, b, sizeof(a)));
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"wipes all of it and no more", wipes_all_of_it_and_no_more},
        {"frees and forgets", frees_and_forgets},
        {"compares every byte", compares_every_byte},
        CU_TEST_INFO_NULL,
    };

    return run_tests("secret", tests);
}
