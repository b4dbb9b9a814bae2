/* torture - see torture.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "torture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Names that the linker gives; the real ones are the library's. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_reallocarray(void *block, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_reallocarray(void *block, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
void __wrap_free(void *block);

#define LIVE_MAX 65536

static struct {
    bool on;
    bool failed;
    unsigned left; /* allocations until the one that fails */
    size_t count;
    void *live[LIVE_MAX];
} state;

void torture_begin(unsigned n)
{
    state.on = true;
    state.failed = false;
    state.left = n;
    state.count = 0;
}

bool torture_end(size_t *leaked_r)
{
    state.on = false;
    *leaked_r = state.count;
    return state.failed;
}

void torture_pause(void)
{
    state.on = false;
}

void torture_resume(void)
{
    state.on = true;
}

/* True if this allocation is the one. */
static bool fails(void)
{
    if (!state.on || state.failed || --state.left > 0)
        return false;
    state.failed = true;
    errno = ENOMEM;
    return true;
}

static void *born(void *block)
{
    if (!state.on || block == NULL)
        return block;
    if (state.count == LIVE_MAX) {
        (void)fprintf(stderr, "torture: over %d blocks\n", LIVE_MAX);
        abort();
    }
    state.live[state.count++] = block;
    return block;
}

/* A block from before, or a library's, is not in the table. */
static void dies(const void *block)
{
    for (size_t i = state.count; i > 0; i--) {
        if (state.live[i - 1] == block) {
            state.live[i - 1] = state.live[--state.count];
            return;
        }
    }
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : born(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : born(__real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t size)
{
    void *moved;

    if (fails())
        return NULL;
    dies(block);
    moved = __real_realloc(block, size);
    return born(moved);
}

void *__wrap_reallocarray(void *block, size_t count, size_t size)
{
    void *moved;

    if (fails())
        return NULL;
    dies(block);
    moved = __real_reallocarray(block, count, size);
    return born(moved);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : born(__real_strdup(text));
}

char *__wrap_strndup(const char *text, size_t len)
{
    return fails() ? NULL : born(__real_strndup(text, len));
}

void __wrap_free(void *block)
{
    dies(block);
    __real_free(block);
}
