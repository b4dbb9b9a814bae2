/* fuzz_import_config - whatever is read, what is written is a settings file */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "fuzz.h"

#include "import_config.h"
#include "secret.h"
#include "settings.h"
#include <stdbool.h>

#include <sys/mman.h>
#include <unistd.h>

static const struct import_config_names names = {"fuzz", "/nonexistent/fuzz"};

/* See fuzz_settings.c. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig";
}

/* Says whether a fault "path:line: key: ..." is one of syntax. */
static bool has_syntax_fault(const char *faults, const char *path)
{
    while (*faults != '\0') {
        size_t len = strcspn(faults, "\n");
        const char *key = faults + strlen(path);

        FUZZ_CHECK(strncmp(faults, path, strlen(path)) == 0);
        key += strspn(key, ":0123456789");
        if (strncmp(key, " syntax:", 8) == 0)
            return true;
        faults += len + (faults[len] == '\n');
    }
    return false;
}

/* The block may have values that settings refuses, but never bad syntax. */
static void check_block(const struct strbuf *block)
{
    struct strbuf faults = STRBUF_INIT(SETTINGS_FAULTS_BYTES_MAX);
    int fd = memfd_create("block", MFD_CLOEXEC);
    struct settings *settings = NULL;
    char path[64] = "";

    FUZZ_CHECK(fd >= 0);
    FUZZ_CHECK(write(fd, strbuf_text(block), block->len) ==
               (ssize_t)block->len);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    (void)!settings_load(path, &settings, &faults);
    (void)close(fd);
    if (has_syntax_fault(strbuf_text(&faults), path)) {
        (void)fprintf(stderr, "%s%s", strbuf_text(block), strbuf_text(&faults));
        FUZZ_CHECK(false); /* the block has good syntax */
    }
    settings_free(&settings);
    strbuf_clear(&faults);
}

/* The first byte chooses the format. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct strbuf block = STRBUF_INIT(IMPORT_CONFIG_BLOCK_MAX);
    enum import_config_format format =
        size > 0 && data[0] == 'd' ? IMPORT_DOVECOT : IMPORT_SASLAUTHD;
    struct errtext err = {{0}};
    char *secret = NULL;
    enum status status;
    char *text;

    if (size == 0)
        return 0;
    text = fuzz_text(data + 1, size - 1);
    status =
        import_config(format, text, size - 1, &names, &block, &secret, &err);
    FUZZ_CHECK(status == STATUS_OK || status == STATUS_INVALID);
    if (status == STATUS_OK) {
        for (size_t i = 0; i < block.len; i++)
            FUZZ_CHECK(block.data[i] == '\n' ||
                       (unsigned char)block.data[i] >= ' ');
        check_block(&block);
    } else {
        FUZZ_CHECK(strncmp(err.text, "line ", 5) == 0);
    }
    secret_free(&secret);
    strbuf_clear(&block);
    free(text);
    return 0;
}
