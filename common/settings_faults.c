/* settings_faults - see settings_faults.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "settings_faults.h"

#include <stdio.h>
#include <string.h>

#define FAULT_BYTES_MAX 1024 /* of one line */
#define END_BYTES_MAX 64     /* kept free for the line of the end */

static bool fits(const struct strbuf *buf, size_t len)
{
    return buf->max >= buf->len && len <= buf->max - buf->len;
}

/* Appends text as one line; false when there is no room for it. */
static bool append_line(struct strbuf *buf, char *text, size_t reserve)
{
    size_t len = strlen(text);

    if (!fits(buf, len + 1 + reserve))
        return false;
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == '\x7f')
            text[i] = '?';
    }
    strbuf_append_len(buf, text, len);
    strbuf_append_char(buf, '\n');
    return true;
}

void settings_vfault(struct settings_faults *faults,
                     struct settings_place place, const char *key,
                     const char *fmt, va_list args)
{
    char line[FAULT_BYTES_MAX] = "";
    int head = 0;

    if (place.line == 0)
        head = snprintf(line, sizeof(line), "%.400s: ", place.file);
    else
        head = snprintf(line, sizeof(line), "%.400s:%u: %.100s: ", place.file,
                        place.line, key);
    if (head > 0)
        (void)vsnprintf(line + head, sizeof(line) - (size_t)head, fmt, args);
    faults->count++;
    if (faults->left_out > 0 || !append_line(faults->out, line, END_BYTES_MAX))
        faults->left_out++;
}

void settings_fault(struct settings_faults *faults, struct settings_place place,
                    const char *key, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    settings_vfault(faults, place, key, fmt, args);
    va_end(args);
}

void settings_faults_end(struct settings_faults *faults)
{
    char line[END_BYTES_MAX] = "";

    if (faults->left_out == 0)
        return;
    (void)snprintf(line, sizeof(line), "and %zu more", faults->left_out);
    (void)append_line(faults->out, line, 0);
}
