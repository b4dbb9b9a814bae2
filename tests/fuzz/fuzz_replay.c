/*
 * fuzz_replay - feeds stored inputs to a fuzzer, without libFuzzer
 *
 * replay_NAME [FILE or DIRECTORY ...]; without an argument all files of
 * $srcdir/tests/fuzz/corpus/NAME, of which there must be one at least: an empty
 * corpus would pass for ever.
 */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#define INPUT_BYTES_MAX ((size_t)1 << 20)

static bool replay_file(const char *path)
{
    uint8_t *data = malloc(INPUT_BYTES_MAX);
    FILE *file = fopen(path, "rb");
    uint8_t *exact = NULL;
    bool read = false;
    size_t size;

    if (data == NULL || file == NULL)
        goto out;
    size = fread(data, 1, INPUT_BYTES_MAX, file);
    if (ferror(file) != 0)
        goto out;
    /* Exactly as long as the input: a sanitizer then sees every overrun. */
    exact = malloc(size > 0 ? size : 1);
    if (exact == NULL)
        goto out;
    memcpy(exact, data, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    read = true;
out:
    if (!read)
        perror(path);
    if (file != NULL)
        (void)fclose(file);
    free(exact);
    free(data);
    return read;
}

/* Returns the number of files fed, or -1 if one could not be read. */
static int replay_directory(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    int count = 0;

    if (dir == NULL) {
        perror(path);
        return -1;
    }
    while (count >= 0 && (entry = readdir(dir)) != NULL) {
        char file[PATH_MAX];
        int len;

        if (entry->d_name[0] == '.')
            continue;
        len = snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
        if (len < 0 || (size_t)len >= sizeof(file) || !replay_file(file))
            count = -1;
        else
            count++;
    }
    (void)closedir(dir);
    return count;
}

static int replay(const char *path)
{
    struct stat about;

    if (stat(path, &about) == 0 && !S_ISDIR(about.st_mode))
        return replay_file(path) ? 1 : -1;
    return replay_directory(path);
}

/* Finds the corpus of "…/replay_NAME". */
static int replay_corpus(const char *program)
{
    static const char prefix[] = "replay_";
    const char *srcdir = getenv("srcdir");
    const char *base = strrchr(program, '/');
    char path[PATH_MAX];
    const char *name;
    int len;

    name = strstr(base != NULL ? base : program, prefix);
    if (name == NULL) {
        (void)fprintf(stderr, "%s: not called replay_NAME\n", program);
        return -1;
    }
    len = snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s",
                   srcdir != NULL ? srcdir : ".", name + strlen(prefix));
    if (len < 0 || (size_t)len >= sizeof(path))
        return -1;
    return replay(path);
}

int main(int argc, char **argv)
{
    int total = 0;

    for (int i = 1; i < argc; i++) {
        int count = replay(argv[i]);

        if (count < 0)
            return EXIT_FAILURE;
        total += count;
    }
    if (argc < 2)
        total = replay_corpus(argv[0]);
    (void)printf("%s: %d inputs\n", argv[0], total);
    return total > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
