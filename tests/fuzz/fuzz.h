/*
 * fuzz - what every fuzzer of Provost shares
 *
 * A fuzzer is one file with LLVMFuzzerTestOneInput that asserts properties, not
 * only "no crash". With --enable-fuzzers it is linked against libFuzzer; in
 * every build it is linked against fuzz_replay.c, and `make check` feeds it
 * each file of corpus/NAME/. To add one: copy fuzz_address in Makefile.am and
 * store seeds at each limit - 1, limit and limit + 1.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The one function of a fuzzer; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that must hold for every input; unlike assert it always counts. */
#define FUZZ_CHECK(condition)                                                  \
    do {                                                                       \
        if (!(condition)) {                                                    \
            (void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__,      \
                          __LINE__, #condition);                               \
            abort();                                                           \
        }                                                                      \
    } while (0)

/*
 * Returns an owned terminated copy, in memory of exactly that size, so that a
 * sanitizer sees the first byte read too far.
 */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    FUZZ_CHECK(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

#endif
