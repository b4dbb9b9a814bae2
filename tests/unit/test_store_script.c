/* test_store_script - schema files, cut into statements */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_script.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

/* Cuts text and joins the statements with '|'; NULL if it is refused. */
static char *cut(const char *text, size_t max)
{
    struct strbuf statement = STRBUF_INIT(max);
    struct strbuf all = STRBUF_INIT(1000);
    struct errtext err = {{0}};
    enum status status;
    char *joined = NULL;

    while ((status = store_script_next(&text, &statement, &err)) == STATUS_OK) {
        strbuf_append(&all, strbuf_text(&statement));
        strbuf_append_char(&all, '|');
    }
    if (status == STATUS_NOT_FOUND)
        CU_ASSERT_EQUAL(strbuf_take(&all, &joined, NULL), STATUS_OK);
    strbuf_clear(&statement);
    strbuf_clear(&all);
    return joined;
}

static void cuts_where_statements_end(void)
{
    static const struct {
        const char *name;
        const char *text;
        const char *wanted;
    } cases[] = {
        {"nothing", "", ""},
        {"blanks and comments alone", " \n-- a;b\n# c;d\n/* e;f */ \n", ""},
        {"two", "A; B;", "A|B|"},
        {"empty ones are skipped", ";;A;;B;;", "A|B|"},
        {"semicolon in quotes", "A 'x;y' \"x;y\" `x;y`;B;",
         "A 'x;y' \"x;y\" `x;y`|B|"},
        {"doubled quotes", "A 'it''s;' ;B;", "A 'it''s;' |B|"},
        {"backslash before a quote", "A '\\';';B;", "A '\\';'|B|"},
        {"no backslash in backticks", "A `\\`;B;", "A `\\`|B|"},
        {"comment inside", "A -- x;\n B;", "A \n B|"},
        {"minus minus is arithmetic", "A 1--1;B;", "A 1--1|B|"},
        {"comment at the end of the text", "A;--", "A|"},
        {"C comment inside", "A /* ; ' */ B;", "A  B|"},
        {"a quote inside a comment", "-- it's\nA;", "A|"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *got = cut(cases[i].text, 100);

        CHECK_CASE(cases[i].name,
                   got != NULL && strcmp(got, cases[i].wanted) == 0);
        free(got);
    }
}

static void refuses_what_does_not_end(void)
{
    static const struct {
        const char *name;
        const char *text;
    } cases[] = {
        {"no semicolon", "A; B"},
        {"single quote", "A 'x;"},
        {"backtick", "A `x;"},
        {"C comment", "A /* x;"},
        {"backslash at the end", "A '\\"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *got = cut(cases[i].text, 100);

        CHECK_CASE(cases[i].name, got == NULL);
        free(got);
    }
}

static void has_a_bound(void)
{
    char *fits = cut("12345;", 5);
    char *over = cut("123456;", 5);

    CU_ASSERT_PTR_NOT_NULL(fits);
    CU_ASSERT_PTR_NULL(over);
    free(fits);
    free(over);
}

static void reads_the_oldest_program(void)
{
    static const struct {
        const char *name;
        const char *text;
        unsigned version; /* 0: refused */
    } cases[] = {
        {"plain", "-- oldest-program: 3\nCREATE", 3},
        {"alone", "-- oldest-program: 12", 12},
        {"missing", "CREATE TABLE", 0},
        {"empty", "", 0},
        {"zero", "-- oldest-program: 0\n", 0},
        {"words", "-- oldest-program: one\n", 0},
        {"too large", "-- oldest-program: 99999999999\n", 0},
        {"trailing words", "-- oldest-program: 1 or so\n", 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct errtext err = {{0}};
        unsigned version = 0;
        enum status status = store_script_oldest(cases[i].text, &version, &err);

        CHECK_CASE(cases[i].name, version == cases[i].version);
        CHECK_CASE(cases[i].name,
                   status ==
                       (cases[i].version > 0 ? STATUS_OK : STATUS_INVALID));
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"cuts where statements end", cuts_where_statements_end},
        {"refuses what does not end", refuses_what_does_not_end},
        {"has a bound", has_a_bound},
        {"reads the oldest program", reads_the_oldest_program},
        CU_TEST_INFO_NULL,
    };

    return run_tests("store_script", tests);
}
