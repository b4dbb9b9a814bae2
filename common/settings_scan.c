/* settings_scan - see settings_scan.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "settings_scan.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct scan {
    char *p;
    const char *file;
    struct settings_faults *faults;
    unsigned line;
    unsigned depth;
    bool readable; /* by libconfig */
    char key[SETTINGS_KEY_BYTES_MAX + 1];
};

static struct settings_place here(const struct scan *scan)
{
    return (struct settings_place){scan->file, scan->line};
}

/* Bytes of the UTF-8 character at p (RFC 3629); 0 if it is malformed. */
static size_t character_len(const unsigned char *p)
{
    size_t len = 0;
    unsigned low = 0x80, high = 0xbf; /* of the second byte */

    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        len = 2;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        len = 3;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        len = 4;
    else
        return 0;
    if (p[0] == 0xe0)
        low = 0xa0; /* shorter forms exist */
    else if (p[0] == 0xed)
        high = 0x9f; /* surrogates */
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4)
        high = 0x8f; /* above U+10FFFF */
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++) {
        if (p[i] < 0x80 || p[i] > 0xbf)
            return 0;
    }
    return len;
}

/* Checks what the scanner takes for granted; the text is terminated. */
static bool check_bytes(const char *text, size_t len, const char *file,
                        struct settings_faults *faults)
{
    const unsigned char *p = (const unsigned char *)text;
    const unsigned char *end = p + len;
    struct settings_place place = {file, 1};

    while (p < end) {
        size_t bytes = character_len(p);

        if (*p == '\0' || bytes == 0) {
            settings_fault(faults, place, "syntax",
                           *p == '\0' ? "a NUL byte: settings are text"
                                      : "not UTF-8: save the file as UTF-8");
            return false;
        }
        if (*p == '\n' && place.line++ == SETTINGS_LINES_MAX) {
            settings_fault(faults, place, "syntax",
                           "more than %d lines: split the file over conf.d",
                           SETTINGS_LINES_MAX);
            return false;
        }
        p += bytes;
    }
    return true;
}

static void skip_line(struct scan *scan)
{
    scan->p += strcspn(scan->p, "\n");
}

static void skip_comment(struct scan *scan)
{
    const char *end = strstr(scan->p + 2, "*/");
    size_t len = end != NULL ? (size_t)(end + 2 - scan->p) : strlen(scan->p);

    for (; len > 0; len--) {
        if (*scan->p++ == '\n')
            scan->line++;
    }
}

static void skip_text(struct scan *scan)
{
    for (scan->p++; *scan->p != '\0' && *scan->p != '"'; scan->p++) {
        if (*scan->p == '\n')
            scan->line++;
        if (*scan->p != '\\')
            continue;
        if (scan->p[1] == 'x') {
            settings_fault(scan->faults, here(scan), scan->key,
                           "\\x is not understood in a text: write the "
                           "character itself");
        } else if (scan->p[1] == '"' || scan->p[1] == '\\') {
            scan->p++;
        }
    }
    if (*scan->p == '"')
        scan->p++;
}

/* Looks at a number, of which libconfig's own reading cannot be trusted. */
static void take_number(struct scan *scan)
{
    char *token = scan->p;
    size_t digits = 0;
    size_t len = 0;
    const char *sentence = NULL;

    while (isalnum((unsigned char)token[len]) ||
           (token[len] != '\0' && strchr("+-.", token[len])))
        len++;
    scan->p += len;
    token += token[0] == '-' || token[0] == '+' ? 1 : 0;
    while (isdigit((unsigned char)token[digits]))
        digits++;
    if (scan->p[-(ptrdiff_t)len] == '-')
        sentence = "a number must not be negative";
    else if (digits > SETTINGS_DIGITS_MAX)
        sentence = "a number has at most 9 digits: sizes and durations are "
                   "texts with a unit, such as \"5G\" or \"30s\"";
    else if (digits > 1 && token[0] == '0')
        sentence = "a number must not begin with 0: modes are texts, such as "
                   "\"0660\"";
    else if (digits == 1 && (token[1] == 'x' || token[1] == 'X'))
        sentence = "write the number in decimal digits";
    if (sentence == NULL)
        return;
    settings_fault(scan->faults, here(scan), scan->key, "%s", sentence);
    memset(scan->p - len, ' ', len);
    if (len > 1)
        memcpy(scan->p - 2, "-1", 2);
}

static void take_word(struct scan *scan)
{
    const char *word = scan->p;
    size_t len = 0;

    while (isalnum((unsigned char)word[len]) ||
           (word[len] != '\0' && strchr("*_-", word[len])))
        len++;
    scan->p += len;
    if (len > SETTINGS_KEY_BYTES_MAX)
        len = SETTINGS_KEY_BYTES_MAX;
    memcpy(scan->key, word, len);
    scan->key[len] = '\0';
}

/* Counts brackets: libconfig's parser has a stack of its own to run out of. */
static void take_bracket(struct scan *scan)
{
    char bracket = *scan->p++;

    if (strchr(")}]", bracket) != NULL) {
        scan->depth -= scan->depth > 0 ? 1 : 0;
        return;
    }
    if (scan->depth++ != SETTINGS_DEPTH_MAX)
        return;
    settings_fault(scan->faults, here(scan), scan->key,
                   "groups and lists are nested more than %d deep",
                   SETTINGS_DEPTH_MAX);
    scan->readable = false;
}

static void take_include(struct scan *scan)
{
    settings_fault(scan->faults, here(scan), "@include",
                   "other files are not included: put the file into conf.d");
    scan->readable = false;
    skip_line(scan);
}

static void take_token(struct scan *scan)
{
    char byte = *scan->p;

    if (byte == '#' || strncmp(scan->p, "//", 2) == 0)
        skip_line(scan);
    else if (strncmp(scan->p, "/*", 2) == 0)
        skip_comment(scan);
    else if (byte == '"')
        skip_text(scan);
    else if (byte == '@')
        take_include(scan);
    else if (isdigit((unsigned char)byte) || byte == '-' || byte == '+')
        take_number(scan);
    else if (isalpha((unsigned char)byte) || byte == '*')
        take_word(scan);
    else if (strchr("(){}[]", byte) != NULL)
        take_bracket(scan);
    else if (*scan->p++ == '\n')
        scan->line++;
}

bool settings_scan(char *text, size_t len, const char *file,
                   struct settings_faults *faults)
{
    struct scan scan = {.p = text,
                        .file = file,
                        .faults = faults,
                        .line = 1,
                        .readable = true,
                        .key = "syntax"};

    if (!check_bytes(text, len, file, faults))
        return false;
    while (*scan.p != '\0' && scan.readable)
        take_token(&scan);
    return scan.readable;
}

/* Returns where line starts, or the end of the text. */
static const char *line_start(const char *text, unsigned line)
{
    while (line > 1 && *text != '\0') {
        if (*text++ == '\n')
            line--;
    }
    return text;
}

void settings_scan_key(const char *text, unsigned line,
                       char key[SETTINGS_KEY_BYTES_MAX + 1])
{
    const char *start = line_start(text, line);
    size_t line_len = strcspn(start, "\n");
    size_t word = 0;
    size_t len = 0;

    (void)snprintf(key, SETTINGS_KEY_BYTES_MAX + 1, "syntax");
    word = strspn(start, " \t");
    while (isalnum((unsigned char)start[word + len]) ||
           start[word + len] == '_')
        len++;
    if (len == 0 || len > SETTINGS_KEY_BYTES_MAX)
        return;
    /* With two on the line the fault may be about either. */
    start += word;
    line_len -= word;
    if (memchr(start, '=', line_len) == NULL ||
        memchr(start, '=', line_len) != memrchr(start, '=', line_len))
        return;
    (void)snprintf(key, SETTINGS_KEY_BYTES_MAX + 1, "%.*s", (int)len, start);
}
