/* test_filter - search filters as text */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "filter.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static void escapes_what_could_end_a_value(void)
{
    static const struct {
        const char *name;
        const char *value;
        const char *text;
    } cases[] = {
        {"plain", "anna@example.org", "(mail=anna@example.org)"},
        {"empty", "", "(mail=)"},
        {"star", "*", "(mail=\\2a)"},
        {"a filter", ")(uid=*", "(mail=\\29\\28uid=\\2a)"},
        {"backslash", "CORP\\anna", "(mail=CORP\\5canna)"},
        {"percent", "%s", "(mail=\\25s)"},
        {"control bytes", "a\n\x01\x7f", "(mail=a\\0a\\01\\7f)"},
        {"UTF-8", "jörg", "(mail=jörg)"},
        {"not UTF-8", "j\xf6rg", "(mail=j\\f6rg)"},
        {"cut UTF-8", "j\xc3", "(mail=j\\c3)"},
        {"blanks stay", " a b ", "(mail= a b )"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf buf = STRBUF_INIT(1000);
        struct errtext err = {{0}};

        filter_equals(&buf, "mail", cases[i].value);
        CHECK_CASE(cases[i].name,
                   strcmp(strbuf_text(&buf), cases[i].text) == 0);
        CHECK_CASE(cases[i].name,
                   filter_check(strbuf_text(&buf), &err) == STATUS_OK);
        strbuf_clear(&buf);
    }
}

static void stays_failed_at_the_bound(void)
{
    struct strbuf buf = STRBUF_INIT(8);

    filter_equals(&buf, "a", "1234");
    CU_ASSERT_STRING_EQUAL(strbuf_text(&buf), "(a=1234)");
    strbuf_clear(&buf);
    filter_equals(&buf, "a", "12345");
    CU_ASSERT_TRUE(buf.failed);
    strbuf_clear(&buf);
}

static void accepts_whole_filters(void)
{
    static const char *const cases[] = {
        "(objectClass=inetOrgPerson)",
        ("(&(objectClass=user)"
         "(!(userAccountControl:1.2.840.113556.1.4.803:=2)))"),
        "(|(a=b)(c=d)(&(e=f)))",
        "(a=*)",
        "(a=b*c*d)",
        "(a=*b)",
        "(a~=b)",
        "(a>=b)",
        "(a<=b)",
        "(a:=b)",
        "(a:dn:=b)",
        "(a:DN:caseExactMatch:=b)",
        "(:dn:2.4.6.8.10:=b)",
        "(:caseExactMatch:=b)",
        "(a=)",
        "(1.2.3=b)",
        "(cn;lang-de=b)",
        "(cn;lang-de;binary=b)",
        "(a=\\28\\29\\2A\\5c\\00)",
        "(a=jörg)",
        "(a=b=c)",
        "(a= b )",
        "( & (a=b) (c=d) )",
        "(! (a=b))",
        "(discount=100% off)",
        "(discount=100%)",
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct errtext err = {{0}};

        CHECK_CASE(cases[i], filter_check(cases[i], &err) == STATUS_OK);
    }
}

static void refuses_everything_else(void)
{
    static const struct {
        const char *text;
        const char *position; /* and fault, as far as it matters */
    } cases[] = {
        {"", "position 1: a '(' is"},
        {"a=b", "position 1: a '(' is"},
        {" (a=b)", "position 1: a '(' is"},
        {"(a=b) ", "position 6: text after"},
        {"(a=b)(c=d)", "position 6: text after"},
        {"(a=b))", "position 6: text after"},
        {"(a=b", "position 5: the ')' is missing"},
        {"(&(a=b)", "position 8: the ')' is missing"},
        {"(", "position 2: an attribute"},
        {"()", "position 2: an attribute"},
        {"(=b)", "position 2: an attribute"},
        {"((a=b))", "position 2: an attribute"},
        {"(a b=c)", "position 3: a '=' is"},
        {"(a_b=c)", "position 3: a '=' is"},
        {"(a =b)", "position 3: a '=' is"},
        {"(a)", "position 3: a '=' is"},
        {"(a~b)", "position 4: a '=' is"},
        {"(a<b)", "position 4: a '=' is"},
        {"(1.=b)", "position 4: an attribute"},
        {"(a;=b)", "position 4: an attribute"},
        {"(&)", "position 3: a '(' is"},
        {"(|)", "position 3: a '(' is"},
        {"(!)", "position 3: a '(' is"},
        {"(!(a=b)(c=d))", "position 8: the ')' is"},
        {"(&(a=b)c)", "position 8: a '(' is"},
        {"(a=b(c)", "position 5: a '(' in a value"},
        {"(a=\\zz)", "position 4: a '\\' in a value"},
        {"(a=\\2)", "position 4: a '\\' in a value"},
        {"(a=**)", "position 4: a '*' in a value"},
        {"(a>=*)", "position 5: a '*' in a value"},
        {"(a:=*)", "position 5: a '*' in a value"},
        {"(:=b)", "position 2: an attribute or"},
        {"(:dn:=b)", "position 5: an attribute or"},
        {"(a:dn=b)", "position 6: \":=\" is missing"},
        {"(a::=b)", "position 4: a matching rule"},
        {"(mail=%s)", "position 7: nothing would replace this '%'"},
        {"(|(mail=%u@example.org)(a=b))", "position 9: nothing would"},
        {"(mail=%{user})", "position 7: nothing would"},
        {"(a=j\xf6rg)", "not UTF-8"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct errtext err = {{0}};

        CHECK_CASE(cases[i].text,
                   filter_check(cases[i].text, &err) == STATUS_INVALID);
        CHECK_CASE(cases[i].text, strstr(err.text, cases[i].position) != NULL);
    }
}

/* "(!(!(a=b)))", with that many levels in all. */
static enum status check_depth(unsigned levels)
{
    struct strbuf buf = STRBUF_INIT(10000);
    enum status status;

    for (unsigned i = 1; i < levels; i++)
        strbuf_append(&buf, "(!");
    strbuf_append(&buf, "(a=b)");
    for (unsigned i = 1; i < levels; i++)
        strbuf_append(&buf, ")");
    status = filter_check(strbuf_text(&buf), NULL);
    strbuf_clear(&buf);
    return status;
}

static void keeps_its_bounds(void)
{
    static char text[FILTER_BYTES_MAX + 2];

    CU_ASSERT_EQUAL(check_depth(FILTER_DEPTH_MAX - 1), STATUS_OK);
    CU_ASSERT_EQUAL(check_depth(FILTER_DEPTH_MAX), STATUS_OK);
    CU_ASSERT_EQUAL(check_depth(FILTER_DEPTH_MAX + 1), STATUS_INVALID);
    memset(text, 'x', FILTER_BYTES_MAX);
    memcpy(text, "(a=", 3);
    text[FILTER_BYTES_MAX - 1] = ')';
    CU_ASSERT_EQUAL(filter_check(text, NULL), STATUS_OK);
    text[FILTER_BYTES_MAX - 1] = 'x';
    text[FILTER_BYTES_MAX] = ')';
    CU_ASSERT_EQUAL(filter_check(text, NULL), STATUS_INVALID);
}

static void knows_attributes(void)
{
    static const struct {
        const char *text;
        bool ok;
    } cases[] = {
        {"mail", true},       {"cn;lang-de", true}, {"2.5.4.3", true},
        {"x-500", true},      {"", false},          {"a b", false},
        {"1", true},          {"-a", false},        {"a=", false},
        {"a)(b", false},      {"2..3", false},      {"2.5.", false},
        {"cn;", false},       {"mäil", false},      {"a_b", false},
        {"objectGUID", true}, {" mail", false},     {"mail ", false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_CASE(cases[i].text,
                   filter_attribute_ok(cases[i].text) == cases[i].ok);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"escapes what could end a value", escapes_what_could_end_a_value},
        {"stays failed at the bound", stays_failed_at_the_bound},
        {"accepts whole filters", accepts_whole_filters},
        {"refuses everything else", refuses_everything_else},
        {"keeps its bounds", keeps_its_bounds},
        {"knows attributes", knows_attributes},
        CU_TEST_INFO_NULL,
    };

    return run_tests("filter", tests);
}
