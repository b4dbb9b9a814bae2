/* import_config_lines - see import_config_lines.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "import_config_lines.h"

#include "secret.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#define LINE_BYTES_MAX 8192 /* with the lines it goes on in */

struct reader {
    const char *at;
    const char *end;
    unsigned line; /* of what was taken last */
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\f' ||
           byte == '\v';
}

/* Cuts blanks at both ends; returns the new start. */
static char *trim(char *text)
{
    size_t len = strlen(text);

    while (len > 0 && is_blank(text[len - 1]))
        text[--len] = '\0';
    while (is_blank(*text))
        text++;
    return text;
}

/* Takes one line of the file into buf. */
static void take_line(struct reader *reader, struct strbuf *buf)
{
    size_t left = (size_t)(reader->end - reader->at);
    const char *newline = memchr(reader->at, '\n', left);
    size_t len = newline != NULL ? (size_t)(newline - reader->at) : left;

    strbuf_append_len(buf, reader->at, len);
    reader->at += newline != NULL ? len + 1 : len;
}

static bool goes_on(const struct strbuf *buf)
{
    return buf->len > 0 && strbuf_text(buf)[buf->len - 1] == '\\';
}

/*
 * Takes a whole line, of Dovecot's with the lines it goes on in. Returns how
 * many lines of the file it had; 0 at the end.
 */
static unsigned take_whole(struct reader *reader,
                           enum import_config_format format, struct strbuf *buf)
{
    unsigned taken = 0;

    strbuf_truncate(buf, 0);
    while (reader->at < reader->end) {
        take_line(reader, buf);
        taken++;
        if (format != IMPORT_DOVECOT || !goes_on(buf))
            break;
        strbuf_truncate(buf, buf->len - 1);
    }
    return taken;
}

static enum status fault(unsigned line, const char *sentence,
                         struct errtext *err)
{
    errtext_set(err, "line %u: %s", line, sentence);
    return STATUS_INVALID;
}

/* Dovecot: the quotes around a value, or the comment behind it. */
static char *bare_value(char *value)
{
    size_t len = strlen(value);

    if (len >= 2 && (value[0] == '"' || value[0] == '\'') &&
        value[len - 1] == value[0]) {
        value[len - 1] = '\0';
        return value + 1;
    }
    for (char *at = value; *at != '\0'; at++) {
        if (*at == '#' && at > value && is_blank(at[-1])) {
            *at = '\0';
            break;
        }
    }
    return trim(value);
}

/* What a settings file of ours can hold. */
static bool is_text(const char *value)
{
    for (const char *at = value; *at != '\0'; at++) {
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7f)
            return false;
    }
    return u8_check((const uint8_t *)value, strlen(value)) == NULL;
}

static enum status add(struct import_lines *lines,
                       enum import_config_format format, const char *key,
                       const char *value, unsigned line, struct errtext *err)
{
    struct import_line *item = &lines->items[lines->count];

    if (lines->count == IMPORT_CONFIG_LINES_MAX)
        return fault(line, "there are too many options", err);
    if (!is_text(value))
        return fault(line, "it has control bytes or is not UTF-8", err);
    *item = (struct import_line){strdup(key), strdup(value), line, true};
    lines->count++;
    if (item->key == NULL || item->value == NULL)
        return status_no_memory(err);
    for (size_t i = 0; i + 1 < lines->count; i++) {
        if (!lines->items[i].counts || strcmp(lines->items[i].key, key) != 0)
            continue;
        if (format == IMPORT_SASLAUTHD)
            item->counts = false;
        else
            lines->items[i].counts = false;
    }
    return STATUS_OK;
}

/* Reads "key: value" or "key = value", which is changed by it. */
static enum status read_option(enum import_config_format format, char *text,
                               unsigned line, struct import_lines *lines,
                               struct errtext *err)
{
    char *key = text;
    char *sign = NULL;
    char *value;

    while (isalnum((unsigned char)*text) || *text == '-' || *text == '_') {
        if (format == IMPORT_SASLAUTHD)
            *text = (char)tolower((unsigned char)*text);
        text++;
    }
    sign = text;
    while (format == IMPORT_DOVECOT && is_blank(*sign))
        sign++;
    if (*sign != (format == IMPORT_DOVECOT ? '=' : ':') || sign == key)
        return fault(line,
                     format == IMPORT_DOVECOT ? "not \"option = value\""
                                              : "not \"option: value\"",
                     err);
    *text = '\0';
    value = trim(sign + 1);
    if (format == IMPORT_DOVECOT)
        value = bare_value(value);
    else if (*value == '\0')
        return fault(line, "the option has no value", err);
    return add(lines, format, key, value, line, err);
}

enum status import_lines_read(enum import_config_format format,
                              const char *text, size_t len,
                              struct import_lines *lines, struct errtext *err)
{
    struct reader reader = {text, text + len, 0};
    struct strbuf buf = STRBUF_INIT(LINE_BYTES_MAX);
    enum status status = STATUS_OK;
    unsigned taken = 1;

    if (len > IMPORT_CONFIG_BYTES_MAX)
        return fault(1, "the file is too long to be such settings", err);
    if (memchr(text, '\0', len) != NULL)
        return fault(1, "the file has NUL bytes", err);
    while (status == STATUS_OK && taken > 0) {
        char *whole;

        taken = take_whole(&reader, format, &buf);
        if (buf.failed) {
            status = fault(reader.line + 1, "the line is too long", err);
        } else if (buf.len > 0) {
            whole = trim(buf.data);
            if (*whole != '\0' && *whole != '#')
                status =
                    read_option(format, whole, reader.line + 1, lines, err);
        }
        reader.line += taken;
    }
    strbuf_clear(&buf);
    return status;
}

void import_lines_clear(struct import_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        free(lines->items[i].key);
        secret_free(&lines->items[i].value);
    }
    lines->count = 0;
}

const struct import_line *import_lines_find(const struct import_lines *lines,
                                            const char *key)
{
    for (size_t i = 0; i < lines->count; i++) {
        if (lines->items[i].counts && strcmp(lines->items[i].key, key) == 0)
            return &lines->items[i];
    }
    return NULL;
}
