/*
 * settings_value - reads, shows and frees one value by its kind
 *
 * A room of settings: only settings*.c include this.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_SETTINGS_VALUE_H
#define COMMON_SETTINGS_VALUE_H

#include "settings_table.h"

#define SETTINGS_TEXT_BYTES_MAX 4096 /* of one value */
#define SETTINGS_ITEMS_MAX 1000      /* of one list */

/* Types an administrator writes. */
enum settings_form {
    FORM_BOOL,
    FORM_NUMBER,
    FORM_TEXT,
    FORM_LIST /* of texts; a single text is a list of one */
};
enum settings_form settings_kind_form(enum settings_kind kind);

/* Constant word for the manual and for faults ("size", "duration", ...). */
const char *settings_kind_name(enum settings_kind kind);

/*
 * Reads a text into field, an object of the option's kind that is {0}; a list
 * gets one item more. base is the folder of relative file names.
 *
 * Returns STATUS_OK; STATUS_INVALID with a sentence; STATUS_TEMPFAIL.
 */
enum status settings_value_read(const struct settings_option *option,
                                const char *text, const char *base, void *field,
                                struct errtext *err) MUST_CHECK;

/* Reads the default ("" for a required option); never INVALID. */
enum status settings_value_default(const struct settings_option *option,
                                   const char *base, void *field) MUST_CHECK;

/* True for an empty text or list. */
bool settings_value_empty(const struct settings_option *option,
                          const void *field);

/* Appends the value as provost.conf has it: 5, true, "text", [ "a", "b" ]. */
void settings_value_show(const struct settings_option *option,
                         const void *field, struct strbuf *buf);

/* Appends a quoted text. */
void settings_quote(struct strbuf *buf, const char *text);

/* Frees what field holds. */
void settings_value_clear(const struct settings_option *option, void *field);

#endif
