/* command_domain - provostctl domain ... */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "address.h"
#include "quantity.h"
#include "store_domain.h"
#include "strbuf.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* The words of the options that set a domain's fields. */
struct domain_words {
    const char *max_mailboxes;
    const char *quota;
    const char *max_quota;
    const char *max_usage;
    const char *max_aliases;
    const char *rate_messages;
    const char *rate_recipients;
    const char *active;
};

/* Reads one word into a number or a size and notes the field. */
static int read_field(const char *word, bool size, unsigned field,
                      uint64_t *value_r, unsigned *fields)
{
    if (word == NULL)
        return EX_OK;
    *fields |= field;
    return size ? tool_size(word, value_r) : tool_number(word, value_r);
}

static int read_rate(const char *word, unsigned field, struct rate *rate_r,
                     unsigned *fields)
{
    struct errtext err = {{0}};
    enum status status;

    if (word == NULL)
        return EX_OK;
    *fields |= field;
    status = quantity_rate(word, rate_r, &err);
    return status == STATUS_OK ? EX_OK : tool_failed(status, &err);
}

static int read_active(const char *word, struct store_domain *domain,
                       unsigned *fields)
{
    if (word == NULL)
        return EX_OK;
    *fields |= STORE_DOMAIN_ACTIVE;
    domain->active = strcmp(word, "yes") == 0;
    if (domain->active || strcmp(word, "no") == 0)
        return EX_OK;
    tool_error("--active is yes or no");
    return EX_USAGE;
}

/* Reads all words; EX_OK or the code of the first fault. */
static int read_words(const struct domain_words *words,
                      struct store_domain *domain, unsigned *fields)
{
    int code =
        read_field(words->max_mailboxes, false, STORE_DOMAIN_MAX_MAILBOXES,
                   &domain->max_mailboxes, fields);

    if (code == EX_OK)
        code = read_field(words->quota, true, STORE_DOMAIN_QUOTA,
                          &domain->quota_bytes, fields);
    if (code == EX_OK)
        code = read_field(words->max_quota, true, STORE_DOMAIN_MAX_QUOTA,
                          &domain->max_quota_bytes, fields);
    if (code == EX_OK)
        code = read_field(words->max_usage, true, STORE_DOMAIN_MAX_USAGE,
                          &domain->max_usage_bytes, fields);
    if (code == EX_OK)
        code = read_field(words->max_aliases, false, STORE_DOMAIN_MAX_ALIASES,
                          &domain->max_aliases, fields);
    if (code == EX_OK)
        code = read_rate(words->rate_messages, STORE_DOMAIN_RATE_MESSAGES,
                         &domain->rate_messages, fields);
    if (code == EX_OK)
        code = read_rate(words->rate_recipients, STORE_DOMAIN_RATE_RECIPIENTS,
                         &domain->rate_recipients, fields);
    if (code == EX_OK)
        code = read_active(words->active, domain, fields);
    return code;
}

static int name_domain(const char *word, struct store_domain *domain)
{
    struct errtext err = {{0}};
    int code = tool_domain(word, &domain->name);
    enum status status;

    if (code != EX_OK)
        return code;
    status = address_domain_unicode(domain->name, &domain->name_unicode, &err);
    return status == STATUS_OK ? EX_OK : tool_failed(status, &err);
}

/* Reads "NAME [--option value ...]" into domain and opens the store. */
static int read_domain(struct tool *tool, struct arguments *arguments,
                       bool with_active, struct store_domain *domain,
                       unsigned *fields)
{
    struct domain_words words = {0};
    const struct tool_option options[] = {
        {"max-mailboxes", &words.max_mailboxes, NULL},
        {"quota", &words.quota, NULL},
        {"max-quota", &words.max_quota, NULL},
        {"max-usage", &words.max_usage, NULL},
        {"max-aliases", &words.max_aliases, NULL},
        {"rate-messages", &words.rate_messages, NULL},
        {"rate-recipients", &words.rate_recipients, NULL},
        {with_active ? "active" : NULL, &words.active, NULL},
        {NULL, NULL, NULL},
    };
    int code;

    if (!tool_arguments(arguments, options, 1, 1))
        return EX_USAGE;
    code = name_domain(arguments->words[0], domain);
    if (code == EX_OK)
        code = read_words(&words, domain, fields);
    if (code == EX_OK)
        code = tool_store(tool, false);
    return code;
}

int domain_add(struct tool *tool, struct arguments *arguments)
{
    struct store_domain domain = {.active = true};
    struct errtext err = {{0}};
    unsigned fields = 0;
    int code = read_domain(tool, arguments, false, &domain, &fields);

    if (code == EX_OK) {
        enum status status = store_domain_add(tool->store, &domain, tool->who,
                                              tool_deadline(tool), &err);

        if (status != STATUS_OK)
            code = tool_failed(status, &err);
    }
    store_domain_clear(&domain);
    return code;
}

int domain_edit(struct tool *tool, struct arguments *arguments)
{
    struct store_domain domain = {0};
    struct errtext err = {{0}};
    unsigned fields = 0;
    int code = read_domain(tool, arguments, true, &domain, &fields);

    if (code == EX_OK && fields == 0) {
        tool_error("nothing to change was given");
        code = EX_USAGE;
    }
    if (code == EX_OK) {
        enum status status = store_domain_edit(
            tool->store, &domain, fields, tool->who, tool_deadline(tool), &err);

        if (status != STATUS_OK)
            code = tool_failed(status, &err);
    }
    store_domain_clear(&domain);
    return code;
}

static void output_rate(struct output *out, struct rate rate)
{
    struct strbuf text = STRBUF_INIT(64);

    quantity_append_rate(&text, rate);
    output_text(out, strbuf_text(&text));
    strbuf_clear(&text);
}

static bool list_one(const struct store_domain *domain, void *arg)
{
    struct output *out = arg;

    output_text(out, domain->name);
    output_text(out, domain->name_unicode);
    output_bool(out, domain->active);
    output_number(out, domain->mailboxes_used);
    output_number(out, domain->max_mailboxes);
    output_number(out, domain->quota_allotted);
    output_number(out, domain->quota_bytes);
    output_number(out, domain->max_quota_bytes);
    output_number(out, domain->max_usage_bytes);
    output_number(out, domain->aliases_used);
    output_number(out, domain->max_aliases);
    output_rate(out, domain->rate_messages);
    output_rate(out, domain->rate_recipients);
    output_row(out);
    return true;
}

int domain_list(struct tool *tool, struct arguments *arguments)
{
    static const struct output_column columns[] = {
        {"domain", "DOMAIN", OUTPUT_TEXT},
        {"unicode", "UNICODE", OUTPUT_TEXT},
        {"active", "ACTIVE", OUTPUT_BOOL},
        {"mailboxes_used", "MAILBOXES", OUTPUT_NUMBER},
        {"max_mailboxes", "OF", OUTPUT_LIMIT},
        {"quota_allotted", "ALLOTTED", OUTPUT_SIZE},
        {"quota", "OF", OUTPUT_SIZE_LIMIT},
        {"max_quota", "MAX-QUOTA", OUTPUT_SIZE_LIMIT},
        {"max_usage", "MAX-USAGE", OUTPUT_SIZE_LIMIT},
        {"aliases_used", "ALIASES", OUTPUT_NUMBER},
        {"max_aliases", "OF", OUTPUT_LIMIT},
        {"rate_messages", "RATE", OUTPUT_TEXT},
        {"rate_recipients", "RECIPIENTS", OUTPUT_TEXT},
    };
    static const struct tool_option none[] = {{NULL, NULL, NULL}};
    struct store_domain_visitor visitor = {list_one, NULL};
    struct errtext err = {{0}};
    struct output *out = NULL;
    enum status status;
    int code;

    if (!tool_arguments(arguments, none, 0, 0))
        return EX_USAGE;
    code = tool_store(tool, false);
    if (code != EX_OK)
        return code;
    code = tool_begin(tool, columns, ARRAY_SIZE(columns), &out);
    if (code != EX_OK)
        return code;
    visitor.arg = out;
    /* A page has the store's own time limit, the whole list has none. */
    status = store_domain_list(tool->store, &visitor, INT64_MAX, &err);
    if (status != STATUS_OK)
        code = tool_failed(status, &err);
    return tool_end(&out, code);
}

int domain_remove(struct tool *tool, struct arguments *arguments)
{
    static const struct tool_option none[] = {{NULL, NULL, NULL}};
    struct errtext err = {{0}};
    char *name = NULL;
    int code;

    if (!tool_arguments(arguments, none, 1, 1))
        return EX_USAGE;
    code = tool_domain(arguments->words[0], &name);
    if (code == EX_OK)
        code = tool_store(tool, false);
    if (code == EX_OK && !tool_confirm(tool, "Remove domain %s?", name))
        code = EX_NOPERM;
    if (code == EX_OK) {
        enum status status = store_domain_remove(tool->store, name, tool->who,
                                                 tool_deadline(tool), &err);

        if (status != STATUS_OK)
            code = tool_failed(status, &err);
    }
    free(name);
    return code;
}
