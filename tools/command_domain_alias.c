/* command_domain_alias - provostctl domain alias ... */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "address.h"
#include "store_domain.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* domain alias add NAME DOMAIN */
static int add(struct tool *tool, const struct arguments *arguments)
{
    struct errtext err = {{0}};
    char *name = NULL;
    char *name_unicode = NULL;
    char *target = NULL;
    enum status status = STATUS_OK;
    int code = tool_domain(arguments->words[1], &name);

    if (code == EX_OK)
        code = tool_domain(arguments->words[2], &target);
    if (code == EX_OK)
        code = tool_store(tool, false);
    if (code == EX_OK)
        status = address_domain_unicode(name, &name_unicode, &err);
    if (code == EX_OK && status == STATUS_OK)
        status = store_alias_domain_add(tool->store, name, name_unicode, target,
                                        tool->who, tool_deadline(tool), &err);
    if (status != STATUS_OK)
        code = tool_failed(status, &err);
    free(name);
    free(name_unicode);
    free(target);
    return code;
}

static bool list_one(const struct store_alias_domain *alias, void *arg)
{
    struct output *out = arg;

    output_text(out, alias->name);
    output_text(out, alias->name_unicode);
    output_text(out, alias->target);
    output_bool(out, alias->active);
    output_row(out);
    return true;
}

static int print_list(struct tool *tool, const char *target)
{
    static const struct output_column columns[] = {
        {"alias_domain", "ALIAS-DOMAIN", OUTPUT_TEXT},
        {"unicode", "UNICODE", OUTPUT_TEXT},
        {"domain", "DOMAIN", OUTPUT_TEXT},
        {"active", "ACTIVE", OUTPUT_BOOL},
    };
    struct store_alias_domain_visitor visitor = {list_one, NULL};
    struct errtext err = {{0}};
    struct output *out = NULL;
    enum status status;
    int code = tool_begin(tool, columns, ARRAY_SIZE(columns), &out);

    if (code != EX_OK)
        return code;
    visitor.arg = out;
    status =
        store_alias_domain_list(tool->store, target, &visitor, INT64_MAX, &err);
    if (status != STATUS_OK)
        code = tool_failed(status, &err);
    return tool_end(&out, code);
}

/* domain alias list [DOMAIN] */
static int list(struct tool *tool, const struct arguments *arguments)
{
    struct store_domain domain = {0};
    struct errtext err = {{0}};
    char *name = NULL;
    int code = EX_OK;

    if (arguments->count > 1)
        code = tool_domain(arguments->words[1], &name);
    if (code == EX_OK)
        code = tool_store(tool, false);
    if (code == EX_OK && name != NULL) {
        enum status status = store_domain_find(
            tool->store, name, tool_deadline(tool), &domain, &err);

        if (status == STATUS_NOT_FOUND)
            errtext_set(&err, "%s is no domain", name);
        if (status != STATUS_OK)
            code = tool_failed(status, &err);
    }
    if (code == EX_OK)
        code = print_list(tool, name);
    store_domain_clear(&domain);
    free(name);
    return code;
}

/* domain alias remove NAME */
static int remove_one(struct tool *tool, const struct arguments *arguments)
{
    struct errtext err = {{0}};
    char *name = NULL;
    int code = tool_domain(arguments->words[1], &name);

    if (code == EX_OK)
        code = tool_store(tool, false);
    if (code == EX_OK && !tool_confirm(tool, "Remove alias domain %s?", name))
        code = EX_NOPERM;
    if (code == EX_OK) {
        enum status status = store_alias_domain_remove(
            tool->store, name, tool->who, tool_deadline(tool), &err);

        if (status != STATUS_OK)
            code = tool_failed(status, &err);
    }
    free(name);
    return code;
}

int domain_alias(struct tool *tool, struct arguments *arguments)
{
    static const struct tool_option none[] = {{NULL, NULL, NULL}};
    const char *verb;

    if (!tool_arguments(arguments, none, 1, 3))
        return EX_USAGE;
    verb = arguments->words[0];
    if (strcmp(verb, "add") == 0 && arguments->count == 3)
        return add(tool, arguments);
    if (strcmp(verb, "list") == 0 && arguments->count <= 2)
        return list(tool, arguments);
    if (strcmp(verb, "remove") == 0 && arguments->count == 2)
        return remove_one(tool, arguments);
    tool_error("write domain alias add NAME DOMAIN, domain alias list "
               "[DOMAIN], or domain alias remove NAME");
    return EX_USAGE;
}
