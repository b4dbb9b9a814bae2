/*
 * settings_tool - describe, check or show settings, for the gates
 *
 * usage: settings_tool describe | check FILE | show FILE | differs FILE
 */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "settings.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* Loads a file and prints what the verb asks for, or its faults. */
static int load(const char *verb, const char *path)
{
    struct strbuf out = STRBUF_INIT((size_t)1 << 24);
    struct strbuf faults = STRBUF_INIT(SETTINGS_FAULTS_BYTES_MAX);
    struct settings *settings = NULL;
    enum status status = settings_load(path, &settings, &faults);

    if (status == STATUS_OK && strcmp(verb, "check") == 0)
        strbuf_append(&out, "ok\n");
    else if (status == STATUS_OK)
        settings_show(settings, strcmp(verb, "differs") == 0, &out);
    else
        strbuf_append(&out, strbuf_text(&faults));
    (void)fputs(strbuf_text(&out), status == STATUS_OK ? stdout : stderr);
    settings_free(&settings);
    strbuf_clear(&faults);
    strbuf_clear(&out);
    return status == STATUS_OK        ? EX_OK
           : status == STATUS_INVALID ? EX_CONFIG
                                      : EX_TEMPFAIL;
}

int main(int argc, char **argv)
{
    struct strbuf out = STRBUF_INIT((size_t)1 << 20);

    if (argc == 3)
        return load(argv[1], argv[2]);
    if (argc != 2 || strcmp(argv[1], "describe") != 0)
        return EX_USAGE;
    settings_describe(&out);
    (void)fputs(strbuf_text(&out), stdout);
    strbuf_clear(&out);
    return EX_OK;
}
