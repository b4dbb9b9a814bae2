/*
 * strbuf - a text that grows up to a bound
 *
 * Appending past the bound, or without memory, makes the buffer failed and
 * empty; it stays so, whatever is appended later, so that only the end has to
 * be checked. One thread at a time.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STRBUF_H
#define COMMON_STRBUF_H

#include "status.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct strbuf {
    char *data; /* terminated, or NULL while nothing was appended */
    size_t len; /* bytes, terminator not included */
    size_t size;
    size_t max; /* largest len allowed */
    bool failed;
};

/* A buffer that holds at most max bytes, for use as an initializer. */
#define STRBUF_INIT(max_bytes)                                                 \
    {                                                                          \
        NULL, 0, 0, (max_bytes), false                                         \
    }

/* Wipes and frees the contents; the buffer can be used again. */
void strbuf_clear(struct strbuf *buf);

/* Forgets the contents but keeps the memory and the failure. */
void strbuf_truncate(struct strbuf *buf, size_t len);

void strbuf_append(struct strbuf *buf, const char *text);
void strbuf_append_len(struct strbuf *buf, const void *data, size_t len);
void strbuf_append_char(struct strbuf *buf, char byte);
void strbuf_appendf(struct strbuf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);
void strbuf_vappendf(struct strbuf *buf, const char *fmt, va_list args)
    PRINTF_LIKE(2, 0);

/* Returns the text, "" when empty or failed; lives until the next change. */
const char *strbuf_text(const struct strbuf *buf);

/*
 * Moves the text to *text_r, which the caller frees, and makes buf empty.
 *
 * Returns STATUS_OK; or STATUS_TEMPFAIL when an append had failed, in which
 * case err says whether the bound or the memory was too small.
 */
enum status strbuf_take(struct strbuf *buf, char **text_r,
                        struct errtext *err) MUST_CHECK;

#endif
