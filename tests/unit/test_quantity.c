/* test_quantity - sizes, durations and rates */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "quantity.h"
#include "unit.h"

#include <string.h>

/* A case of text and number; refused cases leave the output alone. */
struct number_case {
    const char *text;
    bool good;
    uint64_t number;
};

static const struct number_case size_cases[] = {
    {"0", true, 0},
    {"unlimited", true, 0},
    {"1", true, 1},
    {"512B", true, 512},
    {"1K", true, 1024},
    {"1KiB", true, 1024},
    {"5M", true, UINT64_C(5) << 20},
    {"5MiB", true, UINT64_C(5) << 20},
    {"5G", true, UINT64_C(5) << 30},
    {"3GiB", true, UINT64_C(3) << 30},
    {"2T", true, UINT64_C(2) << 40},
    {"007", true, 7},
    {"9223372036854775807", true, INT64_MAX},
    {"9223372036854775808", false, 0},
    {"8388607T", true, UINT64_C(8388607) << 40},
    {"8388608T", false, 0},
    {"18446744073709551616", false, 0},
    {"99999999999999999999999999", false, 0},
    {"", false, 0},
    {"G", false, 0},
    {"-1", false, 0},
    {"+1", false, 0},
    {" 1", false, 0},
    {"1 G", false, 0},
    {"1G ", false, 0},
    {"1.5G", false, 0},
    {"1g", false, 0},
    {"1GB", false, 0},
    {"0x10", false, 0},
    {"Unlimited", false, 0},
};

static void reads_sizes(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(size_cases); i++) {
        const struct number_case *c = &size_cases[i];
        struct errtext err = {{0}};
        uint64_t bytes = 4711;
        enum status status = quantity_size(c->text, &bytes, &err);

        CHECK_CASE(c->text, status == (c->good ? STATUS_OK : STATUS_INVALID));
        CHECK_CASE(c->text, bytes == (c->good ? c->number : 4711));
        CHECK_CASE(c->text, c->good || strstr(err.text, "\"5G\"") != NULL);
    }
}

static const struct number_case duration_cases[] = {
    {"0", true, 0},
    {"0s", true, 0},
    {"250ms", true, 250},
    {"1s", true, 1000},
    {"15m", true, 900000},
    {"2h", true, 7200000},
    {"1d", true, 86400000},
    {"2w", true, 1209600000},
    {"9223372036854775807ms", true, INT64_MAX},
    {"9223372036854775808ms", false, 0},
    {"15250284452w", true, UINT64_C(15250284452) * 604800000},
    {"15250284453w", false, 0},
    {"", false, 0},
    {"s", false, 0},
    {"1", false, 0},
    {"-1s", false, 0},
    {"1.5s", false, 0},
    {"1 s", false, 0},
    {"1S", false, 0},
    {"1min", false, 0},
    {"1h30m", false, 0},
    {"unlimited", false, 0},
};

static void reads_durations(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(duration_cases); i++) {
        const struct number_case *c = &duration_cases[i];
        struct errtext err = {{0}};
        int64_t ms = 4711;
        enum status status = quantity_duration_ms(c->text, &ms, &err);

        CHECK_CASE(c->text, status == (c->good ? STATUS_OK : STATUS_INVALID));
        CHECK_CASE(c->text, ms == (c->good ? (int64_t)c->number : 4711));
        CHECK_CASE(c->text, c->good || strstr(err.text, "\"30s\"") != NULL);
    }
}

static void reads_rates(void)
{
    static const struct {
        const char *text;
        bool good;
        struct rate rate;
    } cases[] = {
        {"unlimited", true, {0, 0}},
        {"200/1h", true, {200, 3600}},
        {"200/h", true, {200, 3600}},
        {"1/s", true, {1, 1}},
        {"30/90s", true, {30, 90}},
        {"10/5000ms", true, {10, 5}},
        {"5000/1d", true, {5000, 86400}},
        {"4294967295/4294967295s", true, {UINT32_MAX, UINT32_MAX}},
        {"4294967296/1h", false, {0, 0}},
        {"1/4294967296s", false, {0, 0}},
        {"0/1h", false, {0, 0}},
        {"200", false, {0, 0}},
        {"200/", false, {0, 0}},
        {"200/0", false, {0, 0}},
        {"200/0h", false, {0, 0}},
        {"200/1", false, {0, 0}},
        {"200/500ms", false, {0, 0}},
        {"200/ms", false, {0, 0}},
        {"/1h", false, {0, 0}},
        {"200 / 1h", false, {0, 0}},
        {"200/1h/2", false, {0, 0}},
        {"", false, {0, 0}},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct errtext err = {{0}};
        struct rate rate = {4, 7};
        enum status status = quantity_rate(cases[i].text, &rate, &err);
        struct rate expected =
            cases[i].good ? cases[i].rate : (struct rate){4, 7};

        CHECK_CASE(cases[i].text,
                   status == (cases[i].good ? STATUS_OK : STATUS_INVALID));
        CHECK_CASE(cases[i].text, rate.count == expected.count &&
                                      rate.seconds == expected.seconds);
        CHECK_CASE(cases[i].text,
                   cases[i].good || strstr(err.text, "\"200/1h\"") != NULL);
    }
}

static void reads_numbers_in_their_range(void)
{
    static const struct number_case cases[] = {
        {"1", false, 0},  {"2", true, 2},   {"9", true, 9},
        {"10", false, 0}, {"", false, 0},   {"-2", false, 0},
        {"3x", false, 0}, {" 3", false, 0}, {"18446744073709551618", false, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct number_case *c = &cases[i];
        struct errtext err = {{0}};
        uint64_t number = 4711;
        enum status status = quantity_number(c->text, 2, 9, &number, &err);

        CHECK_CASE(c->text, status == (c->good ? STATUS_OK : STATUS_INVALID));
        CHECK_CASE(c->text, number == (c->good ? c->number : 4711));
        CHECK_CASE(c->text, c->good || strstr(err.text, "2 to 9") != NULL);
    }
}

static void writes_the_shortest_exact_size(void)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {
        {"unlimited", 0},
        {"1", 1},
        {"1023", 1023},
        {"1K", 1024},
        {"1536M", UINT64_C(1536) << 20},
        {"5G", UINT64_C(5) << 30},
        {"9223372036854775807", INT64_MAX},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf buf = STRBUF_INIT(100);
        uint64_t back = 4711;

        quantity_append_size(&buf, cases[i].bytes);
        CHECK_CASE(cases[i].text,
                   strcmp(strbuf_text(&buf), cases[i].text) == 0);
        CHECK_CASE(cases[i].text,
                   quantity_size(strbuf_text(&buf), &back, NULL) == STATUS_OK);
        CHECK_CASE(cases[i].text, back == cases[i].bytes);
        strbuf_clear(&buf);
    }
}

static void writes_the_shortest_exact_duration(void)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"0", 0},           {"0", -5},
        {"1ms", 1},         {"250ms", 250},
        {"1500ms", 1500},   {"90s", 90000},
        {"15m", 900000},    {"1h", 3600000},
        {"36h", 129600000}, {"1w", 604800000},
        {"2d", 172800000},  {"9223372036854775807ms", INT64_MAX},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf buf = STRBUF_INIT(100);

        quantity_append_duration_ms(&buf, cases[i].ms);
        CHECK_CASE(cases[i].text,
                   strcmp(strbuf_text(&buf), cases[i].text) == 0);
        strbuf_clear(&buf);
    }
}

static void writes_rates_that_can_be_read_again(void)
{
    static const char *const cases[] = {"unlimited", "200/1h", "1/90s",
                                        "4294967295/4294967295s"};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf buf = STRBUF_INIT(100);
        struct rate rate = {0, 0};

        CHECK_CASE(cases[i], quantity_rate(cases[i], &rate, NULL) == STATUS_OK);
        quantity_append_rate(&buf, rate);
        CHECK_CASE(cases[i], strcmp(strbuf_text(&buf), cases[i]) == 0);
        strbuf_clear(&buf);
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"reads sizes", reads_sizes},
        {"reads durations", reads_durations},
        {"reads rates", reads_rates},
        {"reads numbers in their range", reads_numbers_in_their_range},
        {"writes the shortest exact size", writes_the_shortest_exact_size},
        {"writes the shortest exact duration",
         writes_the_shortest_exact_duration},
        {"writes rates that can be read again",
         writes_rates_that_can_be_read_again},
        CU_TEST_INFO_NULL,
    };

    return run_tests("quantity", tests);
}
