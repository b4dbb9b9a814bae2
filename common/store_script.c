/* store_script - see store_script.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_script.h"

#include "quantity.h"

#include <stdint.h>
#include <string.h>

#define VERSION_MAX 9999

/* Returns what follows a quoted text, or NULL if it does not end. */
static const char *skip_quoted(const char *text)
{
    char quote = *text++;

    while (*text != '\0') {
        if (*text == '\\' && quote != '`' && text[1] != '\0') {
            text += 2;
        } else if (*text != quote) {
            text++;
        } else if (text[1] == quote) {
            text += 2;
        } else {
            return text + 1;
        }
    }
    return NULL;
}

static bool starts_comment(const char *text)
{
    /* A "--" without a blank is arithmetic. */
    return text[0] == '#' ||
           (text[0] == '-' && text[1] == '-' &&
            (text[2] == '\0' || strchr(" \t\r\n", text[2]) != NULL)) ||
           (text[0] == '/' && text[1] == '*');
}

/* Returns what follows a comment, or NULL if it does not end. */
static const char *skip_comment(const char *text)
{
    if (text[0] == '/') {
        const char *end = strstr(text + 2, "*/");

        return end != NULL ? end + 2 : NULL;
    }
    return text + strcspn(text, "\n");
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Takes one piece: a quoted text whole, or one byte. NULL: it does not end. */
static const char *take_piece(const char *text, struct strbuf *statement)
{
    const char *end = text + 1;

    if (*text == '\'' || *text == '"' || *text == '`')
        end = skip_quoted(text);
    if (end == NULL)
        return NULL;
    if (statement->len > 0 || !is_blank(*text))
        strbuf_append_len(statement, text, (size_t)(end - text));
    return end;
}

enum status store_script_next(const char **text, struct strbuf *statement,
                              struct errtext *err)
{
    const char *p = *text;

    strbuf_truncate(statement, 0);
    while (p != NULL && *p != '\0') {
        if (starts_comment(p)) {
            p = skip_comment(p);
        } else if (*p != ';') {
            p = take_piece(p, statement);
        } else if (statement->len == 0) {
            p++; /* an empty statement */
        } else {
            *text = p + 1;
            break;
        }
    }
    if (p == NULL) {
        errtext_set(err, "a quote or a comment does not end");
        return STATUS_INVALID;
    }
    if (statement->failed) {
        errtext_set(err, "a statement is too long");
        return STATUS_TEMPFAIL;
    }
    if (*p == '\0' && statement->len > 0) {
        errtext_set(err, "the last statement has no ';'");
        return STATUS_INVALID;
    }
    if (*p == '\0')
        *text = p;
    return statement->len > 0 ? STATUS_OK : STATUS_NOT_FOUND;
}

enum status store_script_oldest(const char *text, unsigned *version_r,
                                struct errtext *err)
{
    static const char prefix[] = "-- oldest-program: ";
    const char *value = text + sizeof(prefix) - 1;
    char digits[8];
    size_t len;
    uint64_t version;

    if (strncmp(text, prefix, sizeof(prefix) - 1) != 0) {
        errtext_set(err, "the first line is not \"%sN\"", prefix);
        return STATUS_INVALID;
    }
    len = strcspn(value, "\r\n");
    if (len >= sizeof(digits))
        len = sizeof(digits) - 1;
    memcpy(digits, value, len);
    digits[len] = '\0';
    if (quantity_number(digits, 1, VERSION_MAX, &version, err) != STATUS_OK)
        return STATUS_INVALID;
    *version_r = (unsigned)version;
    return STATUS_OK;
}
