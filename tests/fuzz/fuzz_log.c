/* fuzz_log - whatever a value holds, it is one line, and can be told apart */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "fuzz.h"
#include "log.h"

#include <unistd.h>

/*
 * Writes one line with the value to a pipe instead of stderr, which fuzzers
 * need for themselves. Returns its length.
 */
static size_t line_of(const char *value, char *line, size_t size)
{
    const struct log_field fields[] = {
        LOG_TEXT("v", value),
        LOG_TEXT("client", "192.0.2.7"),
    };
    int saved = dup(STDERR_FILENO);
    struct log *log = NULL;
    int ends[2];
    ssize_t len;

    FUZZ_CHECK(saved >= 0 && pipe(ends) == 0);
    FUZZ_CHECK(dup2(ends[1], STDERR_FILENO) >= 0);
    FUZZ_CHECK(log_open("fuzz", LOG_TO_STDERR, LOG_LEVEL_INFO, &log, NULL) ==
               STATUS_OK);
    log_line(log, LOG_LEVEL_INFO, "said", fields, 2);
    log_close(&log);
    FUZZ_CHECK(dup2(saved, STDERR_FILENO) >= 0);
    len = read(ends[0], line, size - 1);
    FUZZ_CHECK(len > 0);
    line[len] = '\0';
    (void)close(ends[0]);
    (void)close(ends[1]);
    (void)close(saved);
    return (size_t)len;
}

/* Finds the end of the value at text; NULL where it has none. */
static const char *value_end(const char *text)
{
    if (*text != '"')
        return text + strcspn(text, " \n");
    for (text++; *text != '"'; text++) {
        if (*text == '\\')
            text++;
        if (*text == '\0')
            return NULL;
    }
    return text + 1;
}

static void check_line(const char *line, size_t len, const char *value)
{
    static const char begin[] = "said: v=";
    static const char end[] = " client=192.0.2.7\n";
    const char *rest;

    FUZZ_CHECK(len > 0 && len <= LOG_LINE_BYTES_MAX && line[len - 1] == '\n');
    for (size_t i = 0; i + 1 < len; i++)
        FUZZ_CHECK((unsigned char)line[i] >= ' ' && line[i] != 0x7f);
    if (value[0] == '\0') {
        FUZZ_CHECK(strcmp(line, "said: client=192.0.2.7\n") == 0);
        return;
    }
    FUZZ_CHECK(strncmp(line, begin, sizeof(begin) - 1) == 0);
    rest = value_end(line + sizeof(begin) - 1);
    FUZZ_CHECK(rest != NULL && strcmp(rest, end) == 0);
}

/* The input is a value. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *value = fuzz_text(data, size);
    char line[2 * LOG_LINE_BYTES_MAX + 1];
    size_t len = line_of(value, line, sizeof(line));

    check_line(line, len, value);
    free(value);
    return 0;
}
