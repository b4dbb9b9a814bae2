/* settings_fixture - see settings_fixture.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "settings_fixture.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Returns an owned path below the folder. */
static char *path_in(const struct folder *folder, const char *name)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s", folder->path, name) < 0)
        abort();
    return path;
}

void open_folder(struct folder *folder)
{
    *folder = (struct folder){.path = "/tmp/test_settings.XXXXXX"};
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder->path));
}

void make_conf_d(const struct folder *folder)
{
    char *path = path_in(folder, "conf.d");

    CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
    free(path);
}

void close_folder(struct folder *folder)
{
    char *path = path_in(folder, "conf.d");

    for (size_t i = 0; i < folder->made_count; i++) {
        (void)unlink(folder->made[i]);
        free(folder->made[i]);
    }
    (void)rmdir(path);
    free(path);
    CU_ASSERT_EQUAL(rmdir(folder->path), 0);
}

void write_bytes(struct folder *folder, const char *name, const char *text,
                 size_t len, mode_t mode)
{
    char *path = path_in(folder, name);
    FILE *file = fopen(path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(text, 1, len, file), len);
    CU_ASSERT_EQUAL(fclose(file), 0);
    CU_ASSERT_EQUAL(chmod(path, mode), 0);
    CU_ASSERT_FATAL(folder->made_count < FOLDER_FILES_MAX);
    folder->made[folder->made_count++] = path;
}

void write_file(struct folder *folder, const char *name, const char *text)
{
    write_bytes(folder, name, text, strlen(text), 0600);
}

enum status load_folder(const struct folder *folder, struct settings **set_r,
                        struct strbuf *faults)
{
    char *path = path_in(folder, "provost.conf");
    enum status status = settings_load(path, set_r, faults);

    free(path);
    return status;
}

struct settings *load_text(const char *text)
{
    struct folder folder;
    struct settings *set = NULL;
    struct strbuf faults = STRBUF_INIT(SETTINGS_FAULTS_BYTES_MAX);

    open_folder(&folder);
    write_file(&folder, "provost.conf", text);
    if (load_folder(&folder, &set, &faults) != STATUS_OK)
        (void)printf("\n    unexpected: %s", strbuf_text(&faults));
    strbuf_clear(&faults);
    close_folder(&folder);
    return set;
}

size_t count_lines(const char *text)
{
    size_t lines = 0;

    for (; *text != '\0'; text++)
        lines += *text == '\n' ? 1 : 0;
    return lines;
}

static void check_fault(const struct fault_case *c)
{
    struct folder folder;
    struct settings *set = NULL;
    struct strbuf faults = STRBUF_INIT(SETTINGS_FAULTS_BYTES_MAX);
    struct strbuf expected = STRBUF_INIT(1000);
    const char *text = NULL;
    bool held = false;

    open_folder(&folder);
    write_file(&folder, "provost.conf", c->text);
    write_file(&folder, "secret", "pw\n");
    strbuf_appendf(&expected, "%s/provost.conf%s", folder.path, c->fault);
    CHECK_CASE(c->name, load_folder(&folder, &set, &faults) == STATUS_INVALID);
    CHECK_CASE(c->name, set == NULL);
    text = strbuf_text(&faults);
    held = strncmp(text, strbuf_text(&expected), expected.len) == 0 &&
           strstr(text, c->words) != NULL && count_lines(text) == 1;
    CHECK_CASE(c->name, held);
    if (!held)
        (void)printf("\n    faults: %s", text);
    strbuf_clear(&expected);
    strbuf_clear(&faults);
    settings_free(&set);
    close_folder(&folder);
}

void check_faults(const struct fault_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_fault(&cases[i]);
}
