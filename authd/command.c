/* command - see command.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "command.h"

#include "clock.h"
#include "throttle.h"

#include <string.h>

/* Forgets a person, or everybody. */
static void flush(struct commands *commands, const char *argument,
                  const struct generation *generation, struct strbuf *text)
{
    size_t count = login_flush(generation->login,
                               strcmp(argument, "all") == 0 ? NULL : argument);
    const struct log_field fields[] = {
        LOG_TEXT("user", argument),
        LOG_NUMBER("entries", (int64_t)count),
    };

    log_line(commands->log, LOG_LEVEL_INFO, "flushed", fields,
             ARRAY_SIZE(fields));
    strbuf_appendf(text, "flushed %zu\n", count);
}

/* Does what was asked; false: it could not be done, text says why. */
static bool obey(struct commands *commands, enum control_word word,
                 const char *argument, const struct generation *generation,
                 struct strbuf *text)
{
    const struct report_sources sources = {generation, commands->doors};

    switch (word) {
    case CONTROL_STATUS:
        report_append_status(commands->report, &sources, text);
        break;
    case CONTROL_METRICS:
        report_append_metrics(commands->report, &sources, text);
        break;
    case CONTROL_FLUSH:
        flush(commands, argument, generation, text);
        break;
    case CONTROL_THROTTLE_LIST:
        throttle_append(generation->shared->throttle, clock_ms(), text);
        break;
    case CONTROL_RELOAD:
        return commands->reload(commands->reload_context, text) == STATUS_OK;
    case CONTROL_POLICY_TEST:
    case CONTROL_POLICY_EXPLAIN:
        strbuf_append(text, "this is provost-authd: ask provost-policyd\n");
        return false;
    case CONTROL_WORD_COUNT:
        break;
    }
    return true;
}

bool command_obey(void *context, enum control_word word, const char *argument,
                  struct strbuf *text)
{
    struct commands *commands = context;
    struct generation *generation = generations_hold(commands->generations);
    bool success = obey(commands, word, argument, generation, text);

    generations_release(commands->generations, &generation);
    return success;
}
