/* test_strbuf - the bounded text */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "strbuf.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static void builds_a_text(void)
{
    struct strbuf buf = STRBUF_INIT(1000);
    struct errtext err = {{0}};
    char *text = NULL;

    strbuf_append(&buf, "a");
    strbuf_append_char(&buf, '=');
    strbuf_appendf(&buf, "%d", 42);
    for (int i = 0; i < 90; i++)
        strbuf_append(&buf, "0123456789");
    CU_ASSERT_EQUAL(buf.len, 904);
    strbuf_truncate(&buf, 4);
    CU_ASSERT_STRING_EQUAL(strbuf_text(&buf), "a=42");
    CU_ASSERT_EQUAL(strbuf_take(&buf, &text, &err), STATUS_OK);
    CU_ASSERT_STRING_EQUAL(text, "a=42");
    free(text);
    strbuf_clear(&buf);
}

static void fails_at_the_bound_and_stays_failed(void)
{
    static const struct {
        const char *name;
        size_t len;
        bool fits;
    } cases[] = {
        {"one below", 99, true},
        {"the bound", 100, true},
        {"one above", 101, false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf buf = STRBUF_INIT(100);
        struct errtext err = {{0}};
        char *text = NULL;

        for (size_t n = 0; n < cases[i].len; n++)
            strbuf_append_char(&buf, 'x');
        CHECK_CASE(cases[i].name, buf.failed == !cases[i].fits);
        CHECK_CASE(cases[i].name, (strbuf_take(&buf, &text, &err) ==
                                   STATUS_OK) == cases[i].fits);
        if (!cases[i].fits) {
            strbuf_append(&buf, "y");
            CHECK_CASE(cases[i].name, strcmp(strbuf_text(&buf), "") == 0);
        }
        free(text);
        strbuf_clear(&buf);
    }
}

static void takes_an_empty_text(void)
{
    struct strbuf buf = STRBUF_INIT(0);
    char *text = NULL;

    CU_ASSERT_EQUAL(strbuf_take(&buf, &text, NULL), STATUS_OK);
    CU_ASSERT_STRING_EQUAL(text, "");
    free(text);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"builds a text", builds_a_text},
        {"fails at the bound and stays failed",
         fails_at_the_bound_and_stays_failed},
        {"takes an empty text", takes_an_empty_text},
        CU_TEST_INFO_NULL,
    };

    return run_tests("strbuf", tests);
}
