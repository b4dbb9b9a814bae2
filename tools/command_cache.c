/* command_cache - provostctl cache flush */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "daemons.h"
#include "tool.h"

#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define ASK_MS 5000
#define ANSWER_BYTES_MAX 65536

/* Tells one daemon and prints what became of it; true unless it failed. */
static bool flush_one(const struct daemon *daemon, const char *user)
{
    struct strbuf text = STRBUF_INIT(ANSWER_BYTES_MAX);
    struct errtext err = {{0}};
    bool done = true;

    switch (daemons_ask(daemon, CONTROL_FLUSH, user, clock_ms() + ASK_MS, &text,
                        &err)) {
    case STATUS_OK:
        strbuf_truncate(&text, strcspn(strbuf_text(&text), "\n"));
        (void)printf("%s: ", daemon->name);
        output_escaped(stdout, strbuf_text(&text));
        (void)putchar('\n');
        break;
    case STATUS_NOT_FOUND:
        (void)printf("%s: does not run here, and remembers nothing\n",
                     daemon->name);
        break;
    case STATUS_DENIED:
        tool_error("%s: %s", daemon->name, strbuf_text(&text));
        done = false;
        break;
    case STATUS_INVALID:
    case STATUS_TEMPFAIL:
        tool_error("%s was not told: %s", daemon->name, err.text);
        done = false;
        break;
    }
    strbuf_clear(&text);
    return done;
}

int cache_flush(struct tool *tool, struct arguments *arguments)
{
    bool all = false;
    const struct tool_option options[] = {{.name = "all", .flag = &all},
                                          {.name = NULL}};
    struct daemon list[DAEMONS_MAX];
    char *address = NULL;
    size_t count;
    int code;

    if (!tool_arguments(arguments, options, 0, 1))
        return EX_USAGE;
    if (all == (arguments->count == 1)) {
        tool_error("say whom to forget: an address, or --all");
        return EX_USAGE;
    }
    code = tool_settings(tool);
    if (code == EX_OK && !all)
        code = tool_address(arguments->words[0], &address);
    if (code != EX_OK)
        return code;
    count = daemons_list(tool->settings, list);
    for (size_t i = 0; i < count; i++) {
        if (!flush_one(&list[i], all ? "all" : address))
            code = EX_TEMPFAIL;
    }
    free(address);
    return fflush(stdout) == 0 ? code : EX_IOERR;
}
