/* command_source - provostctl mailbox source */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "daemons.h"
#include "mailbox.h"
#include "store_domain.h"
#include "store_list.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define PLAN_NOT_EMPTY 2

/* What is to be switched. */
struct switching {
    enum account_source source;
    const struct directory_settings *set; /* NULL for local */
    struct text_list addresses;
    size_t same;
    size_t closed; /* local from now on, without a password */
    bool failed;   /* no memory */
};

static bool collect(const struct store_mailbox_row *row, void *arg)
{
    struct switching *switching = arg;
    const struct account *account = row->account;
    struct errtext err = {{0}};
    bool same = account->source == switching->source &&
                (switching->set == NULL ||
                 (account->directory != NULL &&
                  strcmp(account->directory, switching->set->name) == 0));

    if (same) {
        switching->same++;
        return true;
    }
    if (switching->source == ACCOUNT_LOCAL && account->password == NULL)
        switching->closed++;
    switching->failed = text_list_add(&switching->addresses, account->address,
                                      &err) != STATUS_OK;
    return !switching->failed;
}

static void print_plan(const struct switching *switching)
{
    for (size_t i = 0; i < switching->addresses.count; i++) {
        (void)printf("~ mailbox ");
        output_escaped(stdout, switching->addresses.items[i]);
        (void)printf(": source %s%s%s\n",
                     account_source_name(switching->source),
                     switching->set != NULL ? " " : "",
                     switching->set != NULL ? switching->set->name : "");
    }
}

/* Switches them, a batch a transaction. */
static int carry_out(struct tool *tool, const struct switching *switching)
{
    const struct text_list *list = &switching->addresses;
    struct errtext err = {{0}};
    size_t changed = 0;

    for (size_t i = 0; i < list->count; i += STORE_SOURCE_BATCH) {
        size_t count = list->count - i < STORE_SOURCE_BATCH
                           ? list->count - i
                           : STORE_SOURCE_BATCH;
        size_t done = 0;
        enum status status = store_mailbox_sources(
            tool->store, (const char *const *)list->items + i, count,
            switching->source,
            switching->set != NULL ? switching->set->name : NULL, tool->who,
            tool_deadline(tool), &done, &err);

        if (status != STATUS_OK) {
            (void)printf("%zu switched, %zu not yet: type it again\n", changed,
                         list->count - i);
            return tool_failed(status, &err);
        }
        changed += done;
    }
    (void)printf("%zu switched, %zu were so already\n", changed,
                 switching->same);
    return EX_OK;
}

static int switch_domain(struct tool *tool, const char *word, bool plan_only,
                         struct switching *switching)
{
    struct store_mailbox_query query = {0};
    struct store_mailbox_visitor visitor = {collect, switching};
    struct store_domain domain = {0};
    struct errtext err = {{0}};
    char *name = NULL;
    enum status status = STATUS_OK;
    int code = tool_domain(word, &name);

    if (code == EX_OK)
        code = tool_store(tool, false);
    if (code == EX_OK && switching->source == ACCOUNT_LDAP) {
        switching->set = settings_directory_for(tool->settings, name);
        if (switching->set == NULL) {
            tool_error("no directory in the settings serves %s", name);
            code = EX_CONFIG;
        }
    }
    if (code == EX_OK) {
        query.domain = name;
        status = store_domain_find(tool->store, name, tool_deadline(tool),
                                   &domain, &err);
        if (status == STATUS_NOT_FOUND)
            errtext_set(&err, "%.200s is no domain here", name);
        if (status == STATUS_OK)
            status = store_mailbox_list(tool->store, &query, &visitor,
                                        tool_deadline(tool), &err);
        if (status == STATUS_OK && switching->failed)
            status = status_no_memory(&err);
        if (status != STATUS_OK)
            code = tool_failed(status, &err);
    }
    store_domain_clear(&domain);
    free(name);
    if (code != EX_OK)
        return code;
    if (switching->closed > 0)
        tool_error("%zu of them have no password here: nobody can log in to "
                   "these until provostctl password set",
                   switching->closed);
    if (plan_only) {
        print_plan(switching);
        (void)printf("plan: %zu to switch, %zu are so already\n",
                     switching->addresses.count, switching->same);
        return switching->addresses.count > 0 ? PLAN_NOT_EMPTY : EX_OK;
    }
    if (switching->closed > 0 &&
        !tool_confirm(tool, "Close them all the same?"))
        return EX_NOPERM;
    code = carry_out(tool, switching);
    if (switching->addresses.count > 0)
        daemons_flush(tool, "all");
    return code;
}

static int switch_one(struct tool *tool, const char *word,
                      struct switching *switching)
{
    struct errtext err = {{0}};
    char *address = NULL;
    int code = tool_address(word, &address);

    if (code == EX_OK)
        code = tool_store(tool, false);
    if (code == EX_OK && switching->source == ACCOUNT_LDAP)
        code = mailbox_directory(tool, address, &switching->set);
    if (code == EX_OK) {
        enum status status = store_mailbox_source(
            tool->store, address, switching->source,
            switching->set != NULL ? switching->set->name : NULL, tool->who,
            tool_deadline(tool), &err);

        if (status != STATUS_OK)
            code = tool_failed(status, &err);
    }
    if (code == EX_OK)
        daemons_flush(tool, address);
    free(address);
    return code;
}

int mailbox_source(struct tool *tool, struct arguments *arguments)
{
    struct switching switching = {.source = ACCOUNT_LOCAL};
    const char *domain = NULL;
    const char *word;
    bool plan_only = false;
    const struct tool_option options[] = {
        {"domain", &domain, NULL},
        {"plan", NULL, &plan_only},
        {NULL, NULL, NULL},
    };
    int code;

    if (!tool_arguments(arguments, options, 1, 2))
        return EX_USAGE;
    if ((arguments->count == 1) != (domain != NULL)) {
        tool_error("name an address, or a domain by --domain");
        return EX_USAGE;
    }
    if (plan_only && domain == NULL) {
        tool_error("--plan goes with --domain");
        return EX_USAGE;
    }
    word = arguments->words[arguments->count - 1];
    if (!account_source_from(word, &switching.source)) {
        tool_error("the source is ldap or local, not \"%s\"", word);
        return EX_USAGE;
    }
    code = domain != NULL ? switch_domain(tool, domain, plan_only, &switching)
                          : switch_one(tool, arguments->words[0], &switching);
    text_list_clear(&switching.addresses);
    return code;
}
