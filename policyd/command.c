/* command - see command.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "command.h"

#include "clock.h"
#include "request.h"

#include <string.h>

/* A line of `policy explain`: columns with tabs between. */
static void append_row(const struct policy_row *row, void *arg)
{
    strbuf_appendf(arg, "rule\t%s\t%s\t%s\t%s\t%s\t%s\n",
                   policy_rule_name(row->rule), row->mode, row->outcome,
                   row->subject, row->numbers, row->text);
}

static void append_answer(const struct policy_answer *answer,
                          struct strbuf *text)
{
    for (size_t i = 0; i < answer->finding_count; i++) {
        const struct policy_finding *finding = &answer->findings[i];

        strbuf_appendf(text, "finding\t%s\t%s\t%s\t%s\t%s\n",
                       policy_rule_name(finding->rule),
                       finding->enforced ? "enforced" : "would refuse",
                       finding->subject, finding->numbers, finding->text);
    }
    if (answer->away)
        strbuf_appendf(text, "away\t%s\n", answer->err.text);
    strbuf_appendf(text, "action\t%s\n", answer->text);
}

/* Makes a request of the argument's attributes, with tabs between them. */
static bool rehearse(const char *argument, const struct generation *generation,
                     bool explains, struct strbuf *text)
{
    struct policy_visitor visitor = {append_row, text};
    char lines[CONTROL_ARGUMENT_BYTES_MAX + 64] =
        "request=smtpd_access_policy\n";
    size_t len = strlen(lines);
    struct policy_request request;
    struct policy_answer answer;
    struct errtext err = {{0}};

    for (const char *p = argument; *p != '\0'; p++)
        lines[len++] = *p == '\t' ? '\n' : *p;
    lines[len++] = '\n';
    lines[len++] = '\n';
    if (request_parse(lines, len, &request, &err) != STATUS_OK) {
        strbuf_appendf(text, "the request has %s\n", err.text);
        return false;
    }
    policy_rehearse(generation->policy, &request,
                    clock_ms() + generation->settings->policy.deadline_ms,
                    explains ? &visitor : NULL, &answer);
    append_answer(&answer, text);
    return true;
}

static void flush(struct commands *commands, const char *argument,
                  const struct generation *generation, struct strbuf *text)
{
    size_t count = policy_flush(generation->policy);
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
    const struct report_sources sources = {generation, commands->server,
                                           commands->keeper};

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
    case CONTROL_POLICY_TEST:
    case CONTROL_POLICY_EXPLAIN:
        return rehearse(argument, generation, word == CONTROL_POLICY_EXPLAIN,
                        text);
    case CONTROL_THROTTLE_LIST:
        strbuf_append(text, "this is provost-policyd: ask provost-authd\n");
        return false;
    case CONTROL_RELOAD:
    case CONTROL_WORD_COUNT:
        break;
    }
    return true;
}

bool command_obey(void *context, enum control_word word, const char *argument,
                  struct strbuf *text)
{
    struct commands *commands = context;
    struct generation *generation;
    bool success;

    /* Nobody may hold the generation that a reload wants to close. */
    if (word == CONTROL_RELOAD)
        return commands->reload(commands->reload_context, text) == STATUS_OK;
    generation = generations_hold(commands->generations);
    success = obey(commands, word, argument, generation, text);
    generations_release(commands->generations, &generation);
    return success;
}
