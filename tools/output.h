/*
 * output - listings as a table, JSON or CSV
 *
 * Rows stream: a table takes its widths from the first OUTPUT_SAMPLE_ROWS rows
 * and prints on from there, so that a long listing costs no memory. Control
 * bytes and bidirectional controls from a directory or a database are shown
 * escaped in every format. Sizes and durations are for people in tables, and
 * bytes and seconds in JSON and CSV; times are RFC 3339 in UTC everywhere.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_OUTPUT_H
#define TOOLS_OUTPUT_H

#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OUTPUT_SAMPLE_ROWS 1000
#define OUTPUT_SAMPLE_BYTES ((size_t)1 << 20) /* or fewer rows, if long */
#define OUTPUT_COLUMNS_MAX 40

enum output_format {
    OUTPUT_TABLE,
    OUTPUT_JSON, /* one array of objects */
    OUTPUT_CSV,  /* RFC 4180 */
    OUTPUT_LINES /* an object a line, for what never ends; has no word */
};

/* Reads "table", "json" or "csv"; false for another word. */
bool output_format_from(const char *word, enum output_format *format_r);

enum output_kind {
    OUTPUT_TEXT,
    OUTPUT_NUMBER,
    OUTPUT_LIMIT,      /* a number; a table shows 0 as "-": no limit */
    OUTPUT_SIZE,       /* bytes */
    OUTPUT_SIZE_LIMIT, /* bytes; a table shows 0 as "-": no limit */
    OUTPUT_DURATION,   /* seconds; a table shows "4d" */
    OUTPUT_TIME,       /* seconds UTC since 1970; 0: never */
    OUTPUT_BOOL
};

struct output_column {
    const char *field; /* stable name: JSON key and CSV header */
    const char *title; /* of the table */
    enum output_kind kind;
};

struct output;

/*
 * Starts a listing to file. columns is borrowed until output_end.
 * Returns an owned object, or NULL without memory.
 */
struct output *output_begin(FILE *file, enum output_format format, bool headers,
                            const struct output_column *columns, size_t count);

/* The next cell of the row; NULL text is an absent value. */
void output_text(struct output *out, const char *text);
void output_number(struct output *out, uint64_t number);

/* JSON text: itself in JSON, a text elsewhere and where it is none. */
void output_json(struct output *out, const char *text);
void output_bool(struct output *out, bool value);

/* Ends the row; it must have all its cells. */
void output_row(struct output *out);

/* Shows what was written so far, though its widths may suit no later row. */
void output_flush(struct output *out);

/*
 * Ends the listing and frees *out. Returns false if a row could not be
 * written or there was no memory.
 */
bool output_end(struct output **out);

#define OUTPUT_BAR_CELLS 10
#define OUTPUT_BAR_SIZE (OUTPUT_BAR_CELLS + 16) /* with " 100%" and NUL */

/*
 * Draws used of limit for people: "[#####.....]  50%", "-" where there is no
 * limit (0). What is above the limit is a full bar with its true percentage;
 * the bar is full for nothing less than all, and empty for nothing alone.
 */
void output_bar(uint64_t used, uint64_t limit, char text_r[OUTPUT_BAR_SIZE]);

/* Writes text to file with control bytes as \xNN; for free text. */
void output_escaped(FILE *file, const char *text);

#endif
