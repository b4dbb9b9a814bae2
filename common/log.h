/*
 * log - one line per decision: a sentence, then key=value in a fixed order
 *
 * Programs only; common/ returns reasons instead. Values are quoted when they
 * need it, and control bytes, quotes and invalid UTF-8 are escaped here and
 * nowhere else. A line is at most LOG_LINE_BYTES_MAX bytes and one write, so
 * that lines of threads do not mix. Thread-safe after log_open.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_BYTES_MAX 2048
#define LOG_VALUE_BYTES_MAX 360 /* of one value; an address fits */

enum log_level {
    LOG_LEVEL_ERROR,   /* a human must act */
    LOG_LEVEL_WARNING, /* degraded, we go on (say how) */
    LOG_LEVEL_INFO,    /* each decision, start, stop, reload */
    LOG_LEVEL_DEBUG    /* off in production */
};

struct log;

/* Where lines go. */
enum log_target {
    LOG_TO_STDERR, /* with "<N>" before it where the journal reads it */
    LOG_TO_SYSLOG  /* facility mail */
};

/*
 * Opens a log for the program ident (borrowed, must outlive the log).
 * Returns STATUS_OK and an owned *log_r; STATUS_TEMPFAIL without memory.
 */
enum status log_open(const char *ident, enum log_target target,
                     enum log_level level, struct log **log_r,
                     struct errtext *err) MUST_CHECK;

/* Closes and frees *log, sets it to NULL; it may be NULL. */
void log_close(struct log **log);

/* From now on, lines above this level are dropped. */
void log_set_level(struct log *log, enum log_level level);

/* One value of a line: text, or a number when text is NULL. */
struct log_field {
    const char *key;
    const char *text;
    int64_t number;
};

#define LOG_TEXT(key_, text_)                                                  \
    {                                                                          \
        .key = (key_), .text = (text_)                                         \
    }
#define LOG_NUMBER(key_, number_)                                              \
    {                                                                          \
        .key = (key_), .number = (number_)                                     \
    }

/*
 * Writes one line, "sentence: key=value key=value"; "error: ", "warning: " and
 * "debug: " stand before it, info has no word. sentence and keys are ours
 * (trusted); a field whose text is "" is left out. Over-long values and lines
 * are cut, with "..." at the end.
 */
void log_line(struct log *log, enum log_level level, const char *sentence,
              const struct log_field *fields, size_t count);

/*
 * As log_line, but a line with the same key (a constant such as "store") is
 * written at most once in every interval of seconds; the next one then tells
 * how many were left out ("repeated=41").
 */
void log_line_limited(struct log *log, enum log_level level, const char *key,
                      unsigned interval_seconds, const char *sentence,
                      const struct log_field *fields, size_t count);

#endif
