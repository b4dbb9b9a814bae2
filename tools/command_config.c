/* command_config - provostctl config ... */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include <stdio.h>
#include <sysexits.h>

#define SHOW_BYTES_MAX 4194304

int config_check(struct tool *tool, struct arguments *arguments)
{
    static const struct tool_option none[] = {{NULL, NULL, NULL}};
    int code;

    if (!tool_arguments(arguments, none, 0, 0))
        return EX_USAGE;
    code = tool_settings(tool);
    if (code == EX_OK)
        (void)puts("ok");
    return code;
}

int config_show(struct tool *tool, struct arguments *arguments)
{
    struct strbuf text = STRBUF_INIT(SHOW_BYTES_MAX);
    bool non_default = false;
    const struct tool_option options[] = {
        {"non-default", NULL, &non_default},
        {NULL, NULL, NULL},
    };
    int code;

    if (!tool_arguments(arguments, options, 0, 0))
        return EX_USAGE;
    code = tool_settings(tool);
    if (code != EX_OK)
        return code;
    settings_show(tool->settings, non_default, &text);
    if (text.failed) {
        tool_error("out of memory");
        code = EX_TEMPFAIL;
    }
    (void)fputs(strbuf_text(&text), stdout);
    strbuf_clear(&text);
    return code;
}
