/* finding - see finding.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "finding.h"

#include "strbuf.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#define TEXT_BYTES_MAX 8192
#define WHAT_COLUMNS 22

static const struct output_column columns[] = {
    {"result", "RESULT", OUTPUT_TEXT}, {"what", "WHAT", OUTPUT_TEXT},
    {"text", "TEXT", OUTPUT_TEXT},     {"fix", "FIX", OUTPUT_TEXT},
    {"ms", "MS", OUTPUT_NUMBER},
};

struct findings {
    struct output *out; /* NULL: for people */
    bool colour;
    unsigned counts[FINDING_ERROR + 1];
};

static const struct {
    const char *word;
    const char *colour;
} levels[] = {
    [FINDING_OK] = {"ok", "\033[32m"},
    [FINDING_SKIPPED] = {"-", ""},
    [FINDING_WARNING] = {"warning", "\033[33m"},
    [FINDING_ERROR] = {"error", "\033[31m"},
};

struct findings *findings_begin(const struct tool *tool)
{
    struct findings *findings = calloc(1, sizeof(*findings));

    if (findings == NULL)
        return NULL;
    findings->colour = isatty(STDOUT_FILENO) != 0 && getenv("NO_COLOR") == NULL;
    if (tool->format == OUTPUT_TABLE)
        return findings;
    findings->out = output_begin(stdout, tool->format, tool->headers, columns,
                                 ARRAY_SIZE(columns));
    if (findings->out == NULL) {
        free(findings);
        return NULL;
    }
    return findings;
}

static void print_line(const struct findings *findings,
                       enum finding_level level, const char *what,
                       int64_t took_ms, const char *fix, const char *text)
{
    const char *colour = findings->colour ? levels[level].colour : "";
    const char *plain = colour[0] != '\0' ? "\033[0m" : "";

    (void)printf("%s%-8s%s", colour, levels[level].word, plain);
    (void)printf("%-*s ", WHAT_COLUMNS, what);
    output_escaped(stdout, text);
    if (took_ms >= 0)
        (void)printf(" (%lld ms)", (long long)took_ms);
    (void)fputc('\n', stdout);
    if (fix != NULL && fix[0] != '\0') {
        (void)printf("%8s%-*s ", "", WHAT_COLUMNS, "  to do:");
        output_escaped(stdout, fix);
        (void)fputc('\n', stdout);
    }
    (void)fflush(stdout);
}

void findings_add(struct findings *findings, enum finding_level level,
                  const char *what, int64_t took_ms, const char *fix,
                  const char *fmt, ...)
{
    struct strbuf text = STRBUF_INIT(TEXT_BYTES_MAX);
    va_list args;

    va_start(args, fmt);
    strbuf_vappendf(&text, fmt, args);
    va_end(args);
    findings->counts[level]++;
    if (findings->out == NULL) {
        print_line(findings, level, what, took_ms, fix, strbuf_text(&text));
    } else {
        output_text(findings->out, levels[level].word);
        output_text(findings->out, what);
        output_text(findings->out, strbuf_text(&text));
        output_text(findings->out, fix != NULL && fix[0] != '\0' ? fix : NULL);
        if (took_ms >= 0)
            output_number(findings->out, (uint64_t)took_ms);
        else
            output_text(findings->out, NULL);
        output_row(findings->out);
    }
    strbuf_clear(&text);
}

unsigned findings_count(const struct findings *findings,
                        enum finding_level level)
{
    return findings->counts[level];
}

int findings_end(struct findings **findings)
{
    bool errors = (*findings)->counts[FINDING_ERROR] > 0;
    bool written = (*findings)->out == NULL || output_end(&(*findings)->out);

    free(*findings);
    *findings = NULL;
    if (!written || fflush(stdout) != 0)
        return EX_IOERR;
    return errors ? EX_UNAVAILABLE : EX_OK;
}
