/*
 * memory_find - counts a text in the memory of another process
 *
 * usage: memory_find PID <text
 *
 * The text comes from standard input, so that it is in no command line.
 * Prints how often it was found. Mappings that cannot be read are none of the
 * process's data (the kernel's vvar page, devices), nor are those of terabytes
 * (the shadow that a sanitizer keeps).
 */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_BYTES_MAX 256
#define BLOCK_BYTES ((size_t)1 << 20)
#define MAPPING_BYTES_MAX ((uint64_t)1 << 32)

static char text[TEXT_BYTES_MAX];
static size_t text_len;

static size_t count_in(const char *block, size_t len)
{
    size_t count = 0;
    const char *at = block;
    const char *end = block + len;

    while ((at = memmem(at, (size_t)(end - at), text, text_len)) != NULL) {
        count++;
        at++;
    }
    return count;
}

/* Blocks overlap by one byte less than the text, so that none is missed. */
static size_t count_in_mapping(int memory, uint64_t start, uint64_t end,
                               char *block)
{
    size_t count = 0;
    size_t kept = 0;

    while (start < end) {
        size_t wanted = BLOCK_BYTES - kept;
        ssize_t got;

        if (end - start < wanted)
            wanted = (size_t)(end - start);
        got = pread(memory, block + kept, wanted, (off_t)start);
        if (got <= 0)
            break;
        start += (uint64_t)got;
        kept += (size_t)got;
        count += count_in(block, kept);
        if (kept >= text_len) {
            memmove(block, block + kept - (text_len - 1), text_len - 1);
            kept = text_len - 1;
        }
    }
    return count;
}

static bool read_mapping(const char *row, uint64_t *start_r, uint64_t *end_r)
{
    char *rest;

    *start_r = strtoull(row, &rest, 16);
    if (*rest != '-')
        return false;
    *end_r = strtoull(rest + 1, &rest, 16);
    return rest[0] == ' ' && rest[1] == 'r' &&
           *end_r - *start_r <= MAPPING_BYTES_MAX;
}

static bool count_in_process(const char *pid, size_t *count_r)
{
    char path[64];
    char row[4096];
    char *block = malloc(BLOCK_BYTES);
    size_t bytes = 0;
    FILE *maps;
    int memory;

    (void)snprintf(path, sizeof(path), "/proc/%s/mem", pid);
    memory = open(path, O_RDONLY | O_CLOEXEC);
    (void)snprintf(path, sizeof(path), "/proc/%s/maps", pid);
    maps = fopen(path, "re");
    *count_r = 0;
    while (block != NULL && memory >= 0 && maps != NULL &&
           fgets(row, sizeof(row), maps) != NULL) {
        uint64_t start;
        uint64_t end;

        if (read_mapping(row, &start, &end)) {
            *count_r += count_in_mapping(memory, start, end, block);
            bytes += (size_t)(end - start);
        }
    }
    if (maps != NULL)
        (void)fclose(maps);
    if (memory >= 0)
        (void)close(memory);
    free(block);
    return bytes > 0;
}

int main(int argc, char **argv)
{
    ssize_t got = read(STDIN_FILENO, text, sizeof(text));
    size_t count;

    if (argc != 2 || got < 1)
        return EXIT_FAILURE;
    text_len = (size_t)got;
    while (text_len > 0 && text[text_len - 1] == '\n')
        text_len--;
    if (text_len < 4 || !count_in_process(argv[1], &count)) {
        perror(argv[1]);
        return EXIT_FAILURE;
    }
    (void)printf("%zu\n", count);
    return EXIT_SUCCESS;
}
