/* command_domain_show - provostctl domain show */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "store_domain.h"
#include "strbuf.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define NAMES_BYTES_MAX ((size_t)16 << 20)

/* All about one domain. */
struct shown {
    struct store_domain domain;
    struct store_domain_usage usage;
    struct strbuf aliases; /* names, comma separated */
};

static bool note_alias(const struct store_alias_domain *alias, void *arg)
{
    struct strbuf *names = arg;

    strbuf_appendf(names, "%s%s", names->len > 0 ? ", " : "", alias->name);
    return true;
}

static enum status look(struct tool *tool, const char *name,
                        struct shown *shown, struct errtext *err)
{
    struct store_alias_domain_visitor visitor = {note_alias, &shown->aliases};
    enum status status = store_domain_find(
        tool->store, name, tool_deadline(tool), &shown->domain, err);

    if (status == STATUS_NOT_FOUND)
        errtext_set(err, "%s is no domain", name);
    if (status == STATUS_OK)
        status = store_domain_usage(tool->store, name, tool_deadline(tool),
                                    &shown->usage, err);
    if (status == STATUS_OK)
        status = store_alias_domain_list(tool->store, name, &visitor,
                                         tool_deadline(tool), err);
    if (status == STATUS_OK && shown->aliases.failed)
        status = status_no_memory(err);
    return status;
}

/* One row for programs: every number by itself, of the names of the list. */
static int print_fields(struct tool *tool, const struct shown *shown)
{
    static const struct output_column columns[] = {
        {"domain", "", OUTPUT_TEXT},
        {"unicode", "", OUTPUT_TEXT},
        {"active", "", OUTPUT_BOOL},
        {"mailboxes_used", "", OUTPUT_NUMBER},
        {"max_mailboxes", "", OUTPUT_LIMIT},
        {"quota_allotted", "", OUTPUT_SIZE},
        {"quota", "", OUTPUT_SIZE_LIMIT},
        {"max_quota", "", OUTPUT_SIZE_LIMIT},
        {"used", "", OUTPUT_SIZE},
        {"max_usage", "", OUTPUT_SIZE_LIMIT},
        {"messages", "", OUTPUT_NUMBER},
        {"aliases_used", "", OUTPUT_NUMBER},
        {"max_aliases", "", OUTPUT_LIMIT},
        {"alias_domains", "", OUTPUT_TEXT},
    };
    const struct store_domain *domain = &shown->domain;
    struct output *out = NULL;
    int code = tool_begin(tool, columns, ARRAY_SIZE(columns), &out);

    if (code != EX_OK)
        return code;
    output_text(out, domain->name);
    output_text(out, domain->name_unicode);
    output_bool(out, domain->active);
    output_number(out, domain->mailboxes_used);
    output_number(out, domain->max_mailboxes);
    output_number(out, domain->quota_allotted);
    output_number(out, domain->quota_bytes);
    output_number(out, domain->max_quota_bytes);
    output_number(out, shown->usage.bytes);
    output_number(out, domain->max_usage_bytes);
    output_number(out, shown->usage.messages);
    output_number(out, domain->aliases_used);
    output_number(out, domain->max_aliases);
    output_text(out, strbuf_text(&shown->aliases));
    output_row(out);
    return tool_end(&out, code);
}

/* A line of the head: "  quota of one mailbox  10G". */
static void head_line(const char *item, const char *value)
{
    (void)printf("%-16s", item);
    output_escaped(stdout, value);
    (void)puts("");
}

static void print_head(const struct shown *shown)
{
    const struct store_domain *domain = &shown->domain;
    struct strbuf text = STRBUF_INIT(64);

    head_line("domain", domain->name);
    if (domain->name_unicode != NULL &&
        strcmp(domain->name, domain->name_unicode) != 0)
        head_line("unicode", domain->name_unicode);
    head_line("active", domain->active ? "yes" : "no");
    if (shown->aliases.len > 0)
        head_line("alias domains", strbuf_text(&shown->aliases));
    quantity_append_size(&text, domain->max_quota_bytes);
    head_line("max. quota", strbuf_text(&text));
    strbuf_clear(&text);
    (void)puts("");
}

/* A limit, what of it is used, and how that looks. */
static void bar_row(struct output *out, const char *item, bool size,
                    uint64_t used, uint64_t limit)
{
    struct strbuf text = STRBUF_INIT(64);
    char bar[OUTPUT_BAR_SIZE];

    output_text(out, item);
    if (size)
        quantity_append_size(&text, used);
    else
        strbuf_appendf(&text, "%llu", (unsigned long long)used);
    output_text(out, used > 0 ? strbuf_text(&text) : "0");
    strbuf_truncate(&text, 0);
    if (size)
        quantity_append_size(&text, limit);
    else
        strbuf_appendf(&text, "%llu", (unsigned long long)limit);
    output_text(out, limit > 0 ? strbuf_text(&text) : NULL);
    output_bar(used, limit, bar);
    output_text(out, bar);
    output_row(out);
    strbuf_clear(&text);
}

static int print_people(struct tool *tool, const struct shown *shown)
{
    static const struct output_column columns[] = {
        {"what", "WHAT", OUTPUT_TEXT},
        {"used", "USED", OUTPUT_SIZE},
        {"limit", "OF", OUTPUT_SIZE_LIMIT},
        {"bar", "BAR", OUTPUT_TEXT},
    };
    const struct store_domain *domain = &shown->domain;
    struct output *out = NULL;
    int code;

    print_head(shown);
    code = tool_begin(tool, columns, ARRAY_SIZE(columns), &out);
    if (code != EX_OK)
        return code;
    bar_row(out, "mailboxes", false, domain->mailboxes_used,
            domain->max_mailboxes);
    bar_row(out, "quota allotted", true, domain->quota_allotted,
            domain->quota_bytes);
    bar_row(out, "quota used", true, shown->usage.bytes,
            domain->max_usage_bytes > 0 ? domain->max_usage_bytes
                                        : domain->quota_bytes);
    bar_row(out, "aliases", false, domain->aliases_used, domain->max_aliases);
    return tool_end(&out, code);
}

int domain_show(struct tool *tool, struct arguments *arguments)
{
    static const struct tool_option none[] = {{NULL, NULL, NULL}};
    struct shown shown = {.aliases = STRBUF_INIT(NAMES_BYTES_MAX)};
    struct errtext err = {{0}};
    char *name = NULL;
    int code;

    if (!tool_arguments(arguments, none, 1, 1))
        return EX_USAGE;
    code = tool_domain(arguments->words[0], &name);
    if (code == EX_OK)
        code = tool_store(tool, false);
    if (code == EX_OK) {
        enum status status = look(tool, name, &shown, &err);

        if (status != STATUS_OK)
            code = tool_failed(status, &err);
        else if (tool->format == OUTPUT_TABLE)
            code = print_people(tool, &shown);
        else
            code = print_fields(tool, &shown);
    }
    store_domain_clear(&shown.domain);
    strbuf_clear(&shown.aliases);
    free(name);
    return code;
}
