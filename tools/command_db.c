/* command_db - provostctl db ... */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "clock.h"
#include "store_schema.h"

#include <stdio.h>
#include <sysexits.h>

#define REPORT_BYTES_MAX 65536
/* One statement may have to build an index over a large table. */
#define MIGRATE_MS 3600000

int db_migrate(struct tool *tool, struct arguments *arguments)
{
    struct strbuf report = STRBUF_INIT(REPORT_BYTES_MAX);
    const char *directory = PROVOST_SCHEMA_DIR;
    bool plan_only = false;
    const struct tool_option options[] = {
        {"plan", NULL, &plan_only},
        {"schema-dir", &directory, NULL},
        {NULL, NULL, NULL},
    };
    struct errtext err = {{0}};
    enum status status;
    int code;

    if (!tool_arguments(arguments, options, 0, 0))
        return EX_USAGE;
    code = tool_store(tool, true);
    if (code != EX_OK)
        return code;
    status = store_migrate(tool->store, directory, plan_only,
                           clock_ms() + MIGRATE_MS, &report, &err);
    (void)fputs(strbuf_text(&report), stdout);
    strbuf_clear(&report);
    if (status == STATUS_OK)
        return EX_OK;
    code = tool_failed(status, &err);
    return status == STATUS_INVALID ? EX_CONFIG : code;
}
