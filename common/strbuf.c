/* strbuf - see strbuf.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "strbuf.h"

#include "secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRBUF_FIRST_BYTES 64

void strbuf_clear(struct strbuf *buf)
{
    if (buf->data != NULL)
        secret_wipe(buf->data, buf->size);
    free(buf->data);
    buf->data = NULL;
    buf->len = 0;
    buf->size = 0;
    buf->failed = false;
}

static void fail(struct strbuf *buf)
{
    strbuf_clear(buf);
    buf->failed = true;
}

void strbuf_truncate(struct strbuf *buf, size_t len)
{
    if (len >= buf->len)
        return;
    buf->len = len;
    buf->data[len] = '\0';
}

/*
 * Makes room for len more bytes and the terminator. The old block is wiped,
 * which realloc(3) would not do: a buffer may hold a secret.
 */
static bool reserve(struct strbuf *buf, size_t len)
{
    size_t size = buf->size > 0 ? buf->size : STRBUF_FIRST_BYTES;
    char *data;

    if (buf->failed)
        return false;
    if (len > buf->max - buf->len) {
        fail(buf);
        return false;
    }
    if (buf->len + len < buf->size)
        return true;
    while (size <= buf->len + len)
        size *= 2;
    data = malloc(size);
    if (data == NULL) {
        fail(buf);
        return false;
    }
    if (buf->data != NULL) {
        memcpy(data, buf->data, buf->len);
        secret_wipe(buf->data, buf->size);
        free(buf->data);
    }
    data[buf->len] = '\0';
    buf->data = data;
    buf->size = size;
    return true;
}

void strbuf_append_len(struct strbuf *buf, const void *data, size_t len)
{
    if (!reserve(buf, len) || len == 0)
        return;
    memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void strbuf_append(struct strbuf *buf, const char *text)
{
    strbuf_append_len(buf, text, strlen(text));
}

void strbuf_append_char(struct strbuf *buf, char byte)
{
    strbuf_append_len(buf, &byte, 1);
}

void strbuf_vappendf(struct strbuf *buf, const char *fmt, va_list args)
{
    va_list again;
    int len;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (len < 0) {
        fail(buf);
        return;
    }
    if (!reserve(buf, (size_t)len))
        return;
    (void)vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, args);
    buf->len += (size_t)len;
}

void strbuf_appendf(struct strbuf *buf, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    strbuf_vappendf(buf, fmt, args);
    va_end(args);
}

const char *strbuf_text(const struct strbuf *buf)
{
    return buf->data != NULL ? buf->data : "";
}

enum status strbuf_take(struct strbuf *buf, char **text_r, struct errtext *err)
{
    if (!buf->failed && buf->data == NULL)
        (void)reserve(buf, 0);
    if (buf->failed) {
        errtext_set(err, "text over %zu bytes, or out of memory", buf->max);
        return STATUS_TEMPFAIL;
    }
    *text_r = buf->data;
    buf->data = NULL;
    buf->len = 0;
    buf->size = 0;
    return STATUS_OK;
}
