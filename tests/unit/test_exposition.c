/* test_exposition - metrics of several daemons as one text */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "unit.h"

#include "exposition.h"

#include <stdlib.h>
#include <string.h>

/* What is printed; owned. */
static char *printed(const struct exposition *exposition)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_TRUE(exposition_print(exposition, file));
    (void)fclose(file);
    return text;
}

static void joins_families_of_several_daemons(void)
{
    struct exposition *exposition = exposition_new();
    char *text;

    CU_ASSERT_PTR_NOT_NULL_FATAL(exposition);
    exposition_read(exposition, "# HELP up 1: it runs\n# TYPE up gauge\n"
                                "up{d=\"a\"} 1\n"
                                "# HELP t Time\n# TYPE t histogram\n"
                                "t_bucket{le=\"+Inf\"} 2\nt_sum 0.5\n"
                                "t_count 2\nplain 3\n");
    exposition_read(exposition, "# HELP up another text\n# TYPE up gauge\n"
                                "up{d=\"b\"} 0\n# comment\n\nno sample\n"
                                "# HELP empty nothing comes\n");
    exposition_family(exposition, "ours", "gauge", "Our own");
    exposition_sample(exposition, "", 7);
    exposition_family(exposition, "up", "gauge", "1: it runs");
    exposition_sample(exposition, "d=\"c\"", 1);
    text = printed(exposition);
    CU_ASSERT_STRING_EQUAL(
        text, "# HELP up 1: it runs\n# TYPE up gauge\nup{d=\"a\"} 1\n"
              "up{d=\"b\"} 0\nup{d=\"c\"} 1\n"
              "# HELP t Time\n# TYPE t histogram\nt_bucket{le=\"+Inf\"} 2\n"
              "t_sum 0.5\nt_count 2\nplain 3\n"
              "# HELP ours Our own\n# TYPE ours gauge\nours 7\n");
    free(text);
    exposition_free(&exposition);
    CU_ASSERT_PTR_NULL(exposition);
}

static void escapes_labels(void)
{
    static const struct {
        const char *value;
        const char *wanted;
    } cases[] = {
        {"example.org", "a=\"example.org\""},
        {"", "a=\"\""},
        {"x\"} 1\ny{z=\"", "a=\"x\\\"} 1\\ny{z=\\\"\""},
        {"back\\slash", "a=\"back\\\\slash\""},
        {"tab\tand\033", "a=\"tab and \""},
        {"\303\251", "a=\"\303\251\""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf labels = STRBUF_INIT(256);

        exposition_label(&labels, "a", cases[i].value);
        CHECK_CASE(cases[i].wanted,
                   strcmp(strbuf_text(&labels), cases[i].wanted) == 0);
        exposition_label(&labels, "b", "c");
        CHECK_CASE(cases[i].wanted,
                   strstr(strbuf_text(&labels), "\",b=\"c\"") != NULL);
        strbuf_clear(&labels);
    }
}

static void leaves_out_what_is_no_sample(void)
{
    static const char *const texts[] = {
        "",          "\n\n",       "# ",           "#",    "# HELP", "# HELP x",
        "# TYPE ",   "9",          "{a=\"b\"}",    " 1",   "name",   "# EOF\n",
        "no sample", "a{b=\"c\"}", "a{b=\"1\"} x", "a{ 1", "a{} ",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct exposition *exposition = exposition_new();
        char *text;

        CU_ASSERT_PTR_NOT_NULL_FATAL(exposition);
        exposition_read(exposition, texts[i]);
        exposition_sample(exposition, "", 1);
        text = printed(exposition);
        CHECK_CASE(texts[i], strstr(text, "# ") == NULL);
        free(text);
        exposition_free(&exposition);
    }
}

static void says_when_families_are_too_many(void)
{
    struct exposition *exposition = exposition_new();
    char name[32];
    FILE *nowhere = fopen("/dev/null", "we");

    CU_ASSERT_PTR_NOT_NULL_FATAL(exposition);
    CU_ASSERT_PTR_NOT_NULL_FATAL(nowhere);
    for (int i = 0; i < EXPOSITION_FAMILIES_MAX; i++) {
        (void)snprintf(name, sizeof(name), "m%d 1\n", i);
        exposition_read(exposition, name);
    }
    CU_ASSERT_TRUE(exposition_print(exposition, nowhere));
    exposition_read(exposition, "one_more 1\n");
    CU_ASSERT_FALSE(exposition_print(exposition, nowhere));
    (void)fclose(nowhere);
    exposition_free(&exposition);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"joins families of several daemons",
         joins_families_of_several_daemons},
        {"escapes labels", escapes_labels},
        {"leaves out what is no sample", leaves_out_what_is_no_sample},
        {"says when families are too many", says_when_families_are_too_many},
        CU_TEST_INFO_NULL,
    };

    return run_tests("exposition", tests);
}
