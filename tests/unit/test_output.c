/* test_output - listings in each format, hostile names included */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "output.h"
#include "unit.h"

#include <jansson.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static const struct output_column columns[] = {
    {"name", "NAME", OUTPUT_TEXT},
    {"used", "USED", OUTPUT_SIZE},
    {"limit", "OF", OUTPUT_SIZE_LIMIT},
    {"active", "ACTIVE", OUTPUT_BOOL},
};

/* Prints rows of the same name; owned text. */
static char *listing(enum output_format format, bool headers, const char *name,
                     size_t rows)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    struct output *out =
        output_begin(file, format, headers, columns, ARRAY_SIZE(columns));

    for (size_t i = 0; i < rows; i++) {
        output_text(out, name);
        output_number(out, 5368709120ULL);
        output_number(out, 0);
        output_bool(out, true);
        output_row(out);
    }
    CU_ASSERT_TRUE(output_end(&out));
    (void)fclose(file);
    return text;
}

static void prints_each_format(void)
{
    static const struct {
        const char *name;
        enum output_format format;
        bool headers;
        size_t rows;
        const char *text;
    } cases[] = {
        {"table", OUTPUT_TABLE, true, 1,
         "NAME  USED  OF  ACTIVE\nanna    5G   -  yes\n"},
        {"table without titles", OUTPUT_TABLE, false, 1, "anna  5G  -  yes\n"},
        {"empty table", OUTPUT_TABLE, true, 0, "NAME  USED  OF  ACTIVE\n"},
        {"csv", OUTPUT_CSV, true, 1,
         "name,used,limit,active\r\nanna,5368709120,0,true\r\n"},
        {"json", OUTPUT_JSON, true, 2,
         "[\n  {\"name\":\"anna\",\"used\":5368709120,\"limit\":0,"
         "\"active\":true},\n  {\"name\":\"anna\",\"used\":5368709120,"
         "\"limit\":0,\"active\":true}\n]\n"},
        {"empty json", OUTPUT_JSON, true, 0, "[]\n"},
        {"lines", OUTPUT_LINES, true, 2,
         "{\"name\":\"anna\",\"used\":5368709120,\"limit\":0,"
         "\"active\":true}\n{\"name\":\"anna\",\"used\":5368709120,"
         "\"limit\":0,\"active\":true}\n"},
        {"no lines", OUTPUT_LINES, true, 0, ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *text =
            listing(cases[i].format, cases[i].headers, "anna", cases[i].rows);

        CHECK_CASE(cases[i].name, strcmp(text, cases[i].text) == 0);
        free(text);
    }
}

static void lets_no_name_speak_to_the_terminal(void)
{
    static const char *const names[] = {
        "\033[2J",
        "a\nb",
        "a\rb",
        ("\xc2\x9b"
         "31m"),
        "\xff\xfe",
        "a\xe2\x80\xae"
        "b",
        "a\xd8\x9c"
        "b",
        "a\xe2\x81\xa6"
        "b",
        "\xef\xbb\xbf"
        "b",
        "\xe2",
        "\xe2\x80",
        "a\"b,c",
        "",
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        for (int format = OUTPUT_TABLE; format <= OUTPUT_CSV; format++) {
            char *text =
                listing((enum output_format)format, false, names[i], 1);

            CHECK_CASE(names[i], strchr(text, '\033') == NULL);
            CHECK_CASE(names[i], strstr(text, "\xc2\x9b") == NULL);
            CHECK_CASE(names[i], strstr(text, "\xe2\x80\xae") == NULL);
            CHECK_CASE(names[i], strstr(text, "\xe2\x81\xa6") == NULL);
            CHECK_CASE(names[i], strstr(text, "\xef\xbb\xbf") == NULL);
            CHECK_CASE(names[i], strstr(text, "\xd8\x9c") == NULL);
            if (format == OUTPUT_JSON) {
                json_t *parsed = json_loads(text, 0, NULL);

                CHECK_CASE(names[i], json_array_size(parsed) == 1);
                json_decref(parsed);
            }
            free(text);
        }
    }
}

/* Prints one row of a duration, a time and a JSON text; owned text. */
static char *kinds(enum output_format format, uint64_t seconds, uint64_t at,
                   const char *json)
{
    static const struct output_column some[] = {
        {"for", "FOR", OUTPUT_DURATION},
        {"at", "AT", OUTPUT_TIME},
        {"more", "MORE", OUTPUT_TEXT},
    };
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    struct output *out =
        output_begin(file, format, false, some, ARRAY_SIZE(some));

    output_number(out, seconds);
    output_number(out, at);
    output_json(out, json);
    output_row(out);
    CU_ASSERT_TRUE(output_end(&out));
    (void)fclose(file);
    return text;
}

static void shows_durations_times_and_json(void)
{
    static const struct {
        const char *name;
        enum output_format format;
        uint64_t seconds;
        uint64_t at;
        const char *json;
        const char *text;
    } cases[] = {
        {"table", OUTPUT_TABLE, 345600, 1795501800, "{\"a\": 1}",
         "4d  2026-11-24T06:30:00Z  {\"a\": 1}\n"},
        {"csv", OUTPUT_CSV, 345600, 1795501800, "{}",
         "345600,2026-11-24T06:30:00Z,{}\r\n"},
        {"json", OUTPUT_LINES, 345600, 1795501800, "{\"a\": 1}",
         "{\"for\":345600,\"at\":\"2026-11-24T06:30:00Z\","
         "\"more\":{\"a\":1}}\n"},
        {"never", OUTPUT_TABLE, 0, 0, NULL, "0  -  -\n"},
        {"never in json", OUTPUT_LINES, 0, 0, NULL,
         "{\"for\":0,\"at\":null,\"more\":null}\n"},
        {"no json", OUTPUT_LINES, 1, 0, "{\"a\"",
         "{\"for\":1,\"at\":null,\"more\":\"{\\\"a\\\"\"}\n"},
        {"last second of 9999", OUTPUT_CSV, 1, 253402300799ULL, "",
         "1,9999-12-31T23:59:59Z,\r\n"},
        {"beyond it", OUTPUT_CSV, 1, 253402300800ULL, "", "1,,\r\n"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *text = kinds(cases[i].format, cases[i].seconds, cases[i].at,
                           cases[i].json);

        CHECK_CASE(cases[i].name, strcmp(text, cases[i].text) == 0);
        free(text);
    }
}

static void draws_bars(void)
{
    static const struct {
        uint64_t used;
        uint64_t limit;
        const char *text;
    } cases[] = {
        {0, 0, "-"},
        {7, 0, "-"},
        {0, 10, "[..........]   0%"},
        {1, 1000000, "[#.........]   0%"},
        {5, 10, "[#####.....]  50%"},
        {999999, 1000000, "[#########.]  99%"},
        {10, 10, "[##########] 100%"},
        {15, 10, "[##########] 150%"},
        {UINT64_MAX, 1, "[##########] 9999%"},
        {UINT64_MAX, UINT64_MAX, "[##########] 100%"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[OUTPUT_BAR_SIZE];

        output_bar(cases[i].used, cases[i].limit, text);
        CHECK_CASE(cases[i].text, strcmp(text, cases[i].text) == 0);
    }
}

static void shows_what_it_held_when_flushed(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    struct output *out =
        output_begin(file, OUTPUT_TABLE, true, columns, ARRAY_SIZE(columns));

    output_flush(out);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "NAME  USED"));
    output_text(out, "anna");
    output_number(out, 1);
    output_number(out, 2);
    output_bool(out, false);
    output_row(out);
    output_flush(out);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "anna"));
    CU_ASSERT_TRUE(output_end(&out));
    (void)fclose(file);
    free(text);
}

static void streams_past_the_sample(void)
{
    char *text = listing(OUTPUT_TABLE, true, "anna", 2 * OUTPUT_SAMPLE_ROWS);
    size_t lines = 0;

    for (const char *p = text; *p != '\0'; p++)
        lines += *p == '\n';
    CU_ASSERT_EQUAL(lines, 2 * OUTPUT_SAMPLE_ROWS + 1);
    free(text);
}

static void holds_no_more_than_its_bound(void)
{
    size_t len = OUTPUT_SAMPLE_BYTES / 4;
    char *name = malloc(len + 1);
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    struct output *out =
        output_begin(file, OUTPUT_TABLE, false, columns, ARRAY_SIZE(columns));

    if (name == NULL || out == NULL)
        abort();
    memset(name, 'a', len);
    name[len] = '\0';
    for (unsigned i = 0; i < 4; i++) {
        (void)fflush(file);
        CU_ASSERT_EQUAL(size, 0);
        output_text(out, name);
        output_number(out, 1);
        output_number(out, 2);
        output_bool(out, false);
        output_row(out);
    }
    (void)fflush(file);
    CU_ASSERT_TRUE(size > OUTPUT_SAMPLE_BYTES);
    CU_ASSERT_TRUE(output_end(&out));
    (void)fclose(file);
    free(text);
    free(name);
}

static void measures_wide_names_by_columns(void)
{
    char *text;

    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL) {
        CU_FAIL("there is no C.UTF-8");
        return;
    }
    text = listing(OUTPUT_TABLE, true, "\xe4\xb8\x80\xe4\xb8\x80", 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "NAME  USED"));
    free(text);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"prints each format", prints_each_format},
        {"lets no name speak to the terminal",
         lets_no_name_speak_to_the_terminal},
        {"shows durations, times and JSON", shows_durations_times_and_json},
        {"draws bars", draws_bars},
        {"shows what it held when flushed", shows_what_it_held_when_flushed},
        {"streams past the sample", streams_past_the_sample},
        {"holds no more than its bound", holds_no_more_than_its_bound},
        {"measures wide names by columns", measures_wide_names_by_columns},
        CU_TEST_INFO_NULL,
    };

    return run_tests("output", tests);
}
