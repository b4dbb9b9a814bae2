/* test_log - one line per decision, whatever the values hold */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "log.h"
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUTPUT_BYTES_MAX 65536

/* Stands in for stderr between capture_start and capture_end. */
struct capture {
    FILE *file;
    int saved;
    char text[OUTPUT_BYTES_MAX];
};

static bool capture_start(struct capture *capture)
{
    capture->file = tmpfile();
    (void)fflush(stderr);
    capture->saved = dup(STDERR_FILENO);
    return capture->file != NULL && capture->saved >= 0 &&
           dup2(fileno(capture->file), STDERR_FILENO) >= 0;
}

/* Puts stderr back; capture->text then holds what was written. */
static void capture_end(struct capture *capture)
{
    size_t len;

    (void)dup2(capture->saved, STDERR_FILENO);
    (void)close(capture->saved);
    rewind(capture->file);
    len = fread(capture->text, 1, sizeof(capture->text) - 1, capture->file);
    capture->text[len] = '\0';
    (void)fclose(capture->file);
}

/* Writes one line and returns what arrived on stderr. */
static const char *line_of(struct capture *capture, enum log_level level,
                           const char *sentence, const struct log_field *fields,
                           size_t count)
{
    struct log *log = NULL;

    if (!capture_start(capture))
        return "no capture";
    if (log_open("test", LOG_TO_STDERR, LOG_LEVEL_DEBUG, &log, NULL) ==
        STATUS_OK)
        log_line(log, level, sentence, fields, count);
    log_close(&log);
    capture_end(capture);
    return capture->text;
}

static void writes_a_sentence_and_its_fields(void)
{
    static struct capture capture;
    const struct log_field fields[] = {
        LOG_TEXT("id", "7f3a41"),
        LOG_TEXT("client", ""),
        LOG_NUMBER("took_ms", -12),
        LOG_TEXT("reason", "quota_exceeded"),
    };
    const struct log_field nothing[] = {LOG_TEXT("client", "")};

    CU_ASSERT_STRING_EQUAL(
        line_of(&capture, LOG_LEVEL_INFO, "wrong password", fields, 4),
        "wrong password: id=7f3a41 took_ms=-12 reason=quota_exceeded\n");
    CU_ASSERT_STRING_EQUAL(
        line_of(&capture, LOG_LEVEL_INFO, "started", NULL, 0), "started\n");
    CU_ASSERT_STRING_EQUAL(
        line_of(&capture, LOG_LEVEL_INFO, "started", nothing, 1), "started\n");
    CU_ASSERT_STRING_EQUAL(
        line_of(&capture, LOG_LEVEL_ERROR, "stopped", NULL, 0),
        "error: stopped\n");
    CU_ASSERT_STRING_EQUAL(
        line_of(&capture, LOG_LEVEL_WARNING, "slow", NULL, 0),
        "warning: slow\n");
    CU_ASSERT_STRING_EQUAL(line_of(&capture, LOG_LEVEL_DEBUG, "try", NULL, 0),
                           "debug: try\n");
}

static void quotes_and_escapes_values(void)
{
    static struct capture capture;
    static const struct {
        const char *name;
        const char *value;
        const char *written;
    } cases[] = {
        {"plain", "anna@example.org", "anna@example.org"},
        {"backslash alone", "CORP\\anna", "CORP\\anna"},
        {"UTF-8", "\xC3\xA4@\xF0\x9F\x93\xA8", "\xC3\xA4@\xF0\x9F\x93\xA8"},
        {"blank", "a b", "\"a b\""},
        {"equals", "uid=a", "\"uid=a\""},
        {"quote", "a\"b", "\"a\\\"b\""},
        {"backslash beside a blank", "a\\ b", "\"a\\\\ b\""},
        {"newline", "a\nuser=b", "\"a\\nuser=b\""},
        {"return and tab", "\r\t", "\"\\r\\t\""},
        {"escape byte", "\x1b[2J", "\"\\x1b[2J\""},
        {"delete", "\x7f", "\"\\x7f\""},
        {"stray byte", "a\xff", "\"a\\xff\""},
        {"half a character", "a\xC3", "\"a\\xc3\""},
        {"half of three", "\xE2\x82", "\"\\xe2\\x82\""},
        {"over-long slash", "\xC0\xAF", "\"\\xc0\\xaf\""},
        {"over-long of three", "\xE0\x80\xAF", "\"\\xe0\\x80\\xaf\""},
        {"over-long of four", "\xF0\x80\x80\xAF", "\"\\xf0\\x80\\x80\\xaf\""},
        {"surrogate", "\xED\xA0\x80", "\"\\xed\\xa0\\x80\""},
        {"beyond Unicode", "\xF4\x90\x80\x80", "\"\\xf4\\x90\\x80\\x80\""},
        {"five byte form", "\xF8\x88\x80\x80", "\"\\xf8\\x88\\x80\\x80\""},
        {"next line control", "\xC2\x85", "\"\\xc2\\x85\""},
        {"line separator", "\xE2\x80\xA8", "\"\\xe2\\x80\\xa8\""},
        {"right to left", "\xE2\x80\xAE", "\"\\xe2\\x80\\xae\""},
        {"isolate", "\xE2\x81\xA6", "\"\\xe2\\x81\\xa6\""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct log_field field = LOG_TEXT("v", cases[i].value);
        char expected[256];

        (void)snprintf(expected, sizeof(expected), "x: v=%s\n",
                       cases[i].written);
        CHECK_CASE(cases[i].name,
                   strcmp(line_of(&capture, LOG_LEVEL_INFO, "x", &field, 1),
                          expected) == 0);
    }
}

static void never_lets_a_sentence_break_the_line(void)
{
    static struct capture capture;

    CU_ASSERT_STRING_EQUAL(
        line_of(&capture, LOG_LEVEL_INFO, "one\ntwo \"x\"", NULL, 0),
        "one\\ntwo \"x\"\n");
}

static void cuts_values_so_that_later_ones_stay(void)
{
    static struct capture capture;
    static const struct {
        const char *name;
        size_t len;
        const char *unit;
        size_t written; /* bytes of the value, quotes not counted */
    } cases[] = {
        {"one below", LOG_VALUE_BYTES_MAX - 1, "x", LOG_VALUE_BYTES_MAX - 1},
        {"the bound", LOG_VALUE_BYTES_MAX, "x", LOG_VALUE_BYTES_MAX},
        {"one above", LOG_VALUE_BYTES_MAX + 1, "x", LOG_VALUE_BYTES_MAX},
        {"huge", 60000, "x", LOG_VALUE_BYTES_MAX},
        {"two bytes each", 1000, "\xC3\xA4", LOG_VALUE_BYTES_MAX - 1},
        {"escaped", 1000, "\x01", LOG_VALUE_BYTES_MAX - 3 + 2},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t unit_len = strlen(cases[i].unit);
        char *value = calloc(cases[i].len + 1, unit_len);
        struct log_field fields[] = {
            LOG_TEXT("v", value),
            LOG_TEXT("reason", "long"),
        };
        const char *line;
        const char *rest;

        CU_ASSERT_PTR_NOT_NULL_FATAL(value);
        for (size_t n = 0; n < cases[i].len; n++)
            memcpy(value + n * unit_len, cases[i].unit, unit_len);
        line = line_of(&capture, LOG_LEVEL_INFO, "x", fields, 2);
        rest = strstr(line, " reason=long\n");
        CHECK_CASE(cases[i].name, rest != NULL);
        if (rest != NULL) {
            size_t quotes = line[5] == '"' ? 2 : 0;
            size_t written = (size_t)(rest - line) - strlen("x: v=");

            CHECK_CASE(cases[i].name, written <= cases[i].written + quotes);
            CHECK_CASE(cases[i].name, written + 4 > cases[i].written + quotes);
        }
        free(value);
    }
}

/* Writes a line that would be len bytes, newline included. */
static const char *line_of_len(struct capture *capture, size_t len,
                               const char *unit)
{
    static char sentence[3 * LOG_LINE_BYTES_MAX];
    size_t used = 0;

    while (used + strlen(unit) < len) {
        memcpy(sentence + used, unit, strlen(unit));
        used += strlen(unit);
    }
    sentence[used] = '\0';
    return line_of(capture, LOG_LEVEL_INFO, sentence, NULL, 0);
}

static void cuts_lines_at_the_bound(void)
{
    static struct capture capture;
    static const struct {
        const char *name;
        size_t len;
        const char *unit;
        bool cut;
    } cases[] = {
        {"one below", LOG_LINE_BYTES_MAX - 1, "x", false},
        {"the bound", LOG_LINE_BYTES_MAX, "x", false},
        {"one above", LOG_LINE_BYTES_MAX + 1, "x", true},
        {"far above", 2 * LOG_LINE_BYTES_MAX, "x", true},
        {"three bytes each", 2 * LOG_LINE_BYTES_MAX, "\xE2\x82\xAC", true},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *line = line_of_len(&capture, cases[i].len, cases[i].unit);
        size_t len = strlen(line);
        size_t body = len - (cases[i].cut ? 4 : 1);

        CHECK_CASE(cases[i].name, len <= LOG_LINE_BYTES_MAX);
        CHECK_CASE(cases[i].name, len > LOG_LINE_BYTES_MAX - 4);
        CHECK_CASE(cases[i].name,
                   strcmp(line + body, cases[i].cut ? "...\n" : "\n") == 0);
        CHECK_CASE(cases[i].name, body % strlen(cases[i].unit) == 0);
        CHECK_CASE(cases[i].name, strchr(line, '\n') == line + len - 1);
    }
}

/* Where the last value ends relative to the line's end must not matter. */
static void cuts_many_fields_anywhere(void)
{
    static struct capture capture;
    static const char letters[] =
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    struct log_field fields[60];

    for (size_t shift = 0; shift < 60; shift++) {
        for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
            fields[i] =
                (struct log_field)LOG_TEXT("key", letters + (i * 7) % 30);
        fields[0].text = letters + shift;
        const char *line = line_of(&capture, LOG_LEVEL_INFO, "x", fields, 60);
        size_t len = strlen(line);

        CU_ASSERT(len <= LOG_LINE_BYTES_MAX && len > LOG_LINE_BYTES_MAX - 10);
        CU_ASSERT(strcmp(line + len - 4, "...\n") == 0);
    }
}

static void drops_lines_above_the_level(void)
{
    static struct capture capture;
    struct log *log = NULL;

    CU_ASSERT_TRUE_FATAL(capture_start(&capture));
    if (log_open("test", LOG_TO_STDERR, LOG_LEVEL_INFO, &log, NULL) ==
        STATUS_OK) {
        log_line(log, LOG_LEVEL_DEBUG, "unseen", NULL, 0);
        log_line(log, LOG_LEVEL_INFO, "seen", NULL, 0);
        log_set_level(log, LOG_LEVEL_ERROR);
        log_line(log, LOG_LEVEL_WARNING, "unseen", NULL, 0);
        log_line_limited(log, LOG_LEVEL_INFO, "k", 1, "unseen", NULL, 0);
        log_line(log, LOG_LEVEL_ERROR, "seen", NULL, 0);
    }
    log_close(&log);
    CU_ASSERT_PTR_NULL(log);
    log_close(&log);
    capture_end(&capture);
    CU_ASSERT_STRING_EQUAL(capture.text, "seen\nerror: seen\n");
}

static void tells_how_many_were_left_out(void)
{
    static struct capture capture;
    struct log_field field = LOG_TEXT("dir", "corp");
    struct log *log = NULL;

    CU_ASSERT_TRUE_FATAL(capture_start(&capture));
    if (log_open("test", LOG_TO_STDERR, LOG_LEVEL_INFO, &log, NULL) ==
        STATUS_OK) {
        for (int i = 0; i < 42; i++)
            log_line_limited(log, LOG_LEVEL_WARNING, "store", 1, "down", &field,
                             1);
        log_line_limited(log, LOG_LEVEL_WARNING, "ldap", 1, "other", NULL, 0);
        (void)usleep(1100000);
        log_line_limited(log, LOG_LEVEL_WARNING, "store", 1, "down", &field, 1);
        log_line_limited(log, LOG_LEVEL_WARNING, "ldap", 1, "other", NULL, 0);
    }
    log_close(&log);
    capture_end(&capture);
    CU_ASSERT_STRING_EQUAL(capture.text, "warning: down: dir=corp\n"
                                         "warning: other\n"
                                         "warning: down: dir=corp repeated=41\n"
                                         "warning: other\n");
}

static void writes_more_keys_than_it_can_limit(void)
{
    static struct capture capture;
    struct log *log = NULL;
    size_t lines = 0;

    CU_ASSERT_TRUE_FATAL(capture_start(&capture));
    if (log_open("test", LOG_TO_STDERR, LOG_LEVEL_INFO, &log, NULL) ==
        STATUS_OK) {
        for (int i = 0; i < 200; i++) {
            char key[16];

            (void)snprintf(key, sizeof(key), "k%d", i);
            log_line_limited(log, LOG_LEVEL_INFO, key, 60, "x", NULL, 0);
        }
    }
    log_close(&log);
    capture_end(&capture);
    for (const char *next = capture.text; *next != '\0'; next++)
        lines += *next == '\n' ? 1 : 0;
    CU_ASSERT_EQUAL(lines, 200);
}

static void marks_priorities_for_the_journal_only(void)
{
    static struct capture capture;
    struct log *log = NULL;
    struct stat about;
    char stream[64];

    CU_ASSERT_TRUE_FATAL(capture_start(&capture));
    (void)fstat(STDERR_FILENO, &about);
    (void)snprintf(stream, sizeof(stream), "%llu:%llu",
                   (unsigned long long)about.st_dev,
                   (unsigned long long)about.st_ino);
    (void)setenv("JOURNAL_STREAM", stream, 1);
    if (log_open("test", LOG_TO_STDERR, LOG_LEVEL_INFO, &log, NULL) ==
        STATUS_OK) {
        log_line(log, LOG_LEVEL_ERROR, "a", NULL, 0);
        log_line(log, LOG_LEVEL_INFO, "b", NULL, 0);
    }
    log_close(&log);
    (void)setenv("JOURNAL_STREAM", "1:1", 1);
    if (log_open("test", LOG_TO_STDERR, LOG_LEVEL_INFO, &log, NULL) ==
        STATUS_OK)
        log_line(log, LOG_LEVEL_INFO, "c", NULL, 0);
    log_close(&log);
    (void)unsetenv("JOURNAL_STREAM");
    capture_end(&capture);
    CU_ASSERT_STRING_EQUAL(capture.text, "<3>error: a\n<6>b\nc\n");
}

static void *write_lines(void *argument)
{
    struct log *log = argument;
    struct log_field field = LOG_TEXT("v", "a b");

    for (int i = 0; i < 100; i++) {
        log_line(log, LOG_LEVEL_INFO, "line", &field, 1);
        log_line_limited(log, LOG_LEVEL_INFO, "k", 60, "line", &field, 1);
    }
    return NULL;
}

static void keeps_the_lines_of_threads_apart(void)
{
    static struct capture capture;
    pthread_t threads[4];
    struct log *log = NULL;
    size_t lines = 0;

    CU_ASSERT_TRUE_FATAL(capture_start(&capture));
    (void)fcntl(STDERR_FILENO, F_SETFL, O_APPEND);
    if (log_open("test", LOG_TO_STDERR, LOG_LEVEL_INFO, &log, NULL) ==
        STATUS_OK) {
        for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
            (void)pthread_create(&threads[i], NULL, write_lines, log);
        for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
            (void)pthread_join(threads[i], NULL);
    }
    log_close(&log);
    capture_end(&capture);
    for (char *next = capture.text; next != NULL && *next != '\0';) {
        CU_ASSERT_EQUAL(strncmp(next, "line: v=\"a b\"\n", 14), 0);
        next = strchr(next, '\n') + 1;
        lines++;
    }
    CU_ASSERT_EQUAL(lines, 401);
}

static void opens_syslog(void)
{
    struct log *log = NULL;

    CU_ASSERT_EQUAL(
        log_open("test_log", LOG_TO_SYSLOG, LOG_LEVEL_ERROR, &log, NULL),
        STATUS_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(log);
    log_line(log, LOG_LEVEL_ERROR, "unit test, ignore", NULL, 0);
    log_close(&log);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"writes a sentence and its fields", writes_a_sentence_and_its_fields},
        {"quotes and escapes values", quotes_and_escapes_values},
        {"never lets a sentence break the line",
         never_lets_a_sentence_break_the_line},
        {"cuts values so that later ones stay",
         cuts_values_so_that_later_ones_stay},
        {"cuts lines at the bound", cuts_lines_at_the_bound},
        {"cuts many fields anywhere", cuts_many_fields_anywhere},
        {"drops lines above the level", drops_lines_above_the_level},
        {"tells how many were left out", tells_how_many_were_left_out},
        {"writes more keys than it can limit",
         writes_more_keys_than_it_can_limit},
        {"marks priorities for the journal only",
         marks_priorities_for_the_journal_only},
        {"keeps the lines of threads apart", keeps_the_lines_of_threads_apart},
        {"opens syslog", opens_syslog},
        CU_TEST_INFO_NULL,
    };

    return run_tests("log", tests);
}
