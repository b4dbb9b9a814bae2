/* test_store_event - the JSON of events */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_event.h"
#include "unit.h"

#include <string.h>

static void escapes_what_json_wants_escaped(void)
{
    static const struct {
        const char *name;
        const char *value;
        const char *wanted;
    } cases[] = {
        {"empty", "", "{\"n\": \"\""},
        {"plain", "5G", "{\"n\": \"5G\""},
        {"quote and backslash", "a\"b\\c", "{\"n\": \"a\\\"b\\\\c\""},
        {"control bytes", "a\nb\x01\x7f",
         "{\"n\": \"a\\u000ab\\u0001\\u007f\""},
        {"UTF-8", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xa7",
         "{\"n\": \"\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xa7\""},
        {"a lone continuation",
         "a\x80"
         "b",
         "{\"n\": \"a\\ufffdb\""},
        {"a cut character", "a\xe2\x82", "{\"n\": \"a\\ufffd\\ufffd\""},
        {"over-long slash", "\xc0\xaf", "{\"n\": \"\\ufffd\\ufffd\""},
        {"over-long in three", "\xe0\x80\xaf",
         "{\"n\": \"\\ufffd\\ufffd\\ufffd\""},
        {"a surrogate", "\xed\xa0\x80", "{\"n\": \"\\ufffd\\ufffd\\ufffd\""},
        {"over U+10FFFF", "\xf4\x90\x80\x80",
         "{\"n\": \"\\ufffd\\ufffd\\ufffd\\ufffd\""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf json = STRBUF_INIT(1000);

        strbuf_append_char(&json, '{');
        store_event_member(&json, "n", cases[i].value);
        CHECK_CASE(cases[i].name,
                   strcmp(strbuf_text(&json), cases[i].wanted) == 0);
        strbuf_clear(&json);
    }
}

static void puts_commas_between_members(void)
{
    struct strbuf json = STRBUF_INIT(1000);

    strbuf_append_char(&json, '{');
    store_event_member(&json, "a", "1");
    store_event_member(&json, "b", "2");
    strbuf_append_char(&json, '}');
    CU_ASSERT_STRING_EQUAL(strbuf_text(&json), "{\"a\": \"1\", \"b\": \"2\"}");
    strbuf_clear(&json);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"escapes what JSON wants escaped", escapes_what_json_wants_escaped},
        {"puts commas between members", puts_commas_between_members},
        CU_TEST_INFO_NULL,
    };

    return run_tests("store_event", tests);
}
