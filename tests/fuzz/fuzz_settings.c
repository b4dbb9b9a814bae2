/* fuzz_settings - a file is read whole, or refused with lines of reasons */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "fuzz.h"
#include "settings.h"

#include <sys/mman.h>
#include <unistd.h>

/*
 * libconfig 1.5 forgets the text it was reading when it meets a syntax error:
 * a few bytes for each file that is refused.
 */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig";
}

/* Loads bytes as if they were a file; *faults is for the caller to clear. */
static struct settings *load(const void *data, size_t size,
                             struct strbuf *faults)
{
    int fd = memfd_create("settings", MFD_CLOEXEC);
    struct settings *settings = NULL;
    enum status status = STATUS_INVALID;
    char path[64] = "";

    FUZZ_CHECK(fd >= 0);
    FUZZ_CHECK(write(fd, data, size) == (ssize_t)size);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    status = settings_load(path, &settings, faults);
    (void)close(fd);
    FUZZ_CHECK(status == STATUS_OK || status == STATUS_INVALID);
    FUZZ_CHECK((status == STATUS_OK) == (settings != NULL));
    FUZZ_CHECK((status == STATUS_OK) == (faults->len == 0));
    FUZZ_CHECK(!faults->failed);
    return settings;
}

/* Faults are lines of printable text, each with a place. */
static void check_faults(const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");

        FUZZ_CHECK(len > 0 && text[len] == '\n');
        for (size_t i = 0; i < len; i++)
            FUZZ_CHECK((unsigned char)text[i] >= ' ' && text[i] != '\x7f');
        text += len + 1;
    }
}

/* What is shown is a file of the same settings. */
static void check_show(const struct settings *settings, bool non_default)
{
    struct strbuf first = STRBUF_INIT((size_t)1 << 26);
    struct strbuf second = STRBUF_INIT((size_t)1 << 26);
    struct strbuf faults = STRBUF_INIT(SETTINGS_FAULTS_BYTES_MAX);
    struct settings *again = NULL;

    settings_show(settings, non_default, &first);
    FUZZ_CHECK(!first.failed);
    again = load(strbuf_text(&first), first.len, &faults);
    if (again == NULL)
        (void)fprintf(stderr, "%s%s", strbuf_text(&first),
                      strbuf_text(&faults));
    FUZZ_CHECK(again != NULL);
    settings_show(again, non_default, &second);
    FUZZ_CHECK(strcmp(strbuf_text(&first), strbuf_text(&second)) == 0);
    settings_free(&again);
    strbuf_clear(&faults);
    strbuf_clear(&first);
    strbuf_clear(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct strbuf faults = STRBUF_INIT(SETTINGS_FAULTS_BYTES_MAX);
    struct settings *settings = load(data, size, &faults);

    check_faults(strbuf_text(&faults));
    /* A dump of many short entries may be over the bound of a file. */
    if (settings != NULL && size < 4096) {
        check_show(settings, false);
        check_show(settings, true);
    }
    settings_free(&settings);
    strbuf_clear(&faults);
    return 0;
}
