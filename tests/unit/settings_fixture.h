/*
 * settings_fixture - a folder with settings in it, for one test
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_UNIT_SETTINGS_FIXTURE_H
#define TESTS_UNIT_SETTINGS_FIXTURE_H

#include "settings.h"

#include <stddef.h>
#include <sys/types.h>

#define FOLDER_FILES_MAX 8

struct folder {
    char path[64];
    char *made[FOLDER_FILES_MAX];
    size_t made_count;
};

/* Makes a folder in TMPDIR's place; close_folder removes all of it. */
void open_folder(struct folder *folder);
void make_conf_d(const struct folder *folder);
void close_folder(struct folder *folder);

/* Writes a file, "provost.conf" or "conf.d/a.conf", with mode 0600. */
void write_file(struct folder *folder, const char *name, const char *text);
void write_bytes(struct folder *folder, const char *name, const char *text,
                 size_t len, mode_t mode);

/* Loads provost.conf of the folder. */
enum status load_folder(const struct folder *folder, struct settings **set_r,
                        struct strbuf *faults);

/* Loads one text; NULL, with the faults printed, when it is refused. */
struct settings *load_text(const char *text);

size_t count_lines(const char *text);

/* A text with one fault: where, behind the name of the file, and its words. */
struct fault_case {
    const char *name;
    const char *text;
    const char *fault;
    const char *words;
};

/* Checks that each text is refused for its fault alone. */
void check_faults(const struct fault_case *cases, size_t count);
#define FAULTS(cases) check_faults(cases, ARRAY_SIZE(cases))

/* A directory and a template that are right but for the options given. */
#define ONE_DIR(options)                                                       \
    "directories = ( { name = \"a\"; host = \"h\"; base_dn = "                 \
    "\"dc=x\";\n" options " } );\ntemplates = ( { name = \"t\"; } );\n"

#endif
