/* command_template - provostctl template ... */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "mailbox.h"
#include "mailbox_words.h"
#include "provision_admin.h"
#include "store_list.h"
#include "strbuf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define TEXT_BYTES_MAX ((size_t)1 << 20)

/* Settings that a template has. */
static bool is_of_template(enum account_setting setting)
{
    return setting != ACCOUNT_SET_NAME && setting != ACCOUNT_SET_ALIASES &&
           setting != ACCOUNT_SETTING_COUNT;
}

static struct output *begin(const struct tool *tool,
                            const struct output_column *columns, size_t count)
{
    struct output *out =
        output_begin(stdout, tool->format, tool->headers, columns, count);

    if (out == NULL)
        tool_error("out of memory");
    return out;
}

static int end(struct output **out)
{
    if (output_end(out))
        return EX_OK;
    tool_error("the listing could not be written");
    return EX_IOERR;
}

static int find_template(const struct tool *tool, const char *name,
                         const struct template_settings **template_r)
{
    *template_r = settings_template(tool->settings, name);
    if (*template_r != NULL)
        return EX_OK;
    tool_error("there is no template \"%s\" in the settings", name);
    return EX_NOUSER;
}

/* A cell with a setting, for people or in bytes. */
static void setting_cell(struct output *out, const struct tool *tool,
                         const struct account *account,
                         enum account_setting setting)
{
    struct strbuf text = STRBUF_INIT(TEXT_BYTES_MAX);

    if (tool->format != OUTPUT_TABLE && setting == ACCOUNT_SET_QUOTA)
        strbuf_appendf(&text, "%llu",
                       (unsigned long long)account->set.quota_bytes);
    else if (tool->format != OUTPUT_TABLE &&
             setting == ACCOUNT_SET_MESSAGE_SIZE)
        strbuf_appendf(&text, "%llu",
                       (unsigned long long)account->set.message_size_bytes);
    else
        account_append_setting(&text, account, setting);
    output_text(out, strbuf_text(&text));
    strbuf_clear(&text);
}

/* How many mailboxes the templates of the settings have. */
struct counts {
    const struct settings *settings;
    uint64_t *mailboxes; /* owned; as settings->templates */
};

static void count_one(const char *name, uint64_t mailboxes, void *arg)
{
    struct counts *counts = arg;

    for (size_t i = 0; i < counts->settings->template_count; i++) {
        if (strcmp(counts->settings->templates[i].name, name) != 0)
            continue;
        counts->mailboxes[i] = mailboxes;
        return;
    }
    if (name[0] != '\0')
        tool_error("%" PRIu64 " mailboxes have template %s, which is not in "
                   "the settings any more",
                   mailboxes, name);
}

static void list_one(struct output *out,
                     const struct template_settings *template,
                     uint64_t mailboxes)
{
    const struct account_settings *set = &template->set;
    const struct account account = {.set = *set}; /* borrowed */
    struct strbuf text = STRBUF_INIT(TEXT_BYTES_MAX);

    output_text(out, template->name);
    output_number(out, mailboxes);
    output_number(out, set->quota_bytes);
    output_number(out, set->message_size_bytes);
    account_append_setting(&text, &account, ACCOUNT_SET_RATE_MESSAGES);
    output_text(out, strbuf_text(&text));
    strbuf_truncate(&text, 0);
    account_append_setting(&text, &account, ACCOUNT_SET_RATE_RECIPIENTS);
    output_text(out, strbuf_text(&text));
    strbuf_truncate(&text, 0);
    mailbox_words_append_services(&text, set->services);
    output_text(out, strbuf_text(&text));
    output_bool(out, set->tls_in);
    output_bool(out, set->tls_out);
    output_text(out, account_template_state_name(set->active));
    output_text(out, set->tags);
    output_row(out);
    strbuf_clear(&text);
}

static int list(struct tool *tool, const struct counts *counts)
{
    static const struct output_column columns[] = {
        {"template", "TEMPLATE", OUTPUT_TEXT},
        {"mailboxes", "MAILBOXES", OUTPUT_NUMBER},
        {"quota", "QUOTA", OUTPUT_SIZE_LIMIT},
        {"message_size", "MESSAGE-SIZE", OUTPUT_SIZE_LIMIT},
        {"rate_messages", "MESSAGES", OUTPUT_TEXT},
        {"rate_recipients", "RECIPIENTS", OUTPUT_TEXT},
        {"services", "SERVICES", OUTPUT_TEXT},
        {"tls_enforce_in", "TLS-IN", OUTPUT_BOOL},
        {"tls_enforce_out", "TLS-OUT", OUTPUT_BOOL},
        {"active", "ACTIVE", OUTPUT_TEXT},
        {"tags", "TAGS", OUTPUT_TEXT},
    };
    struct output *out = begin(tool, columns, ARRAY_SIZE(columns));

    if (out == NULL)
        return EX_TEMPFAIL;
    for (size_t i = 0; i < tool->settings->template_count; i++)
        list_one(out, &tool->settings->templates[i], counts->mailboxes[i]);
    return end(&out);
}

int template_list(struct tool *tool, struct arguments *arguments)
{
    static const struct tool_option none[] = {{NULL, NULL, NULL}};
    struct counts counts = {0};
    struct store_template_visitor visitor = {count_one, &counts};
    struct errtext err = {{0}};
    enum status status;
    int code;

    if (!tool_arguments(arguments, none, 0, 0))
        return EX_USAGE;
    code = tool_store(tool, false);
    if (code != EX_OK)
        return code;
    counts.settings = tool->settings;
    counts.mailboxes =
        calloc(tool->settings->template_count + 1, sizeof(*counts.mailboxes));
    if (counts.mailboxes == NULL) {
        tool_error("out of memory");
        return EX_TEMPFAIL;
    }
    status =
        store_template_list(tool->store, &visitor, tool_deadline(tool), &err);
    code =
        status == STATUS_OK ? list(tool, &counts) : tool_failed(status, &err);
    free(counts.mailboxes);
    return code;
}

/* Who gets the template: rows of mappings, and defaults. */
static void show_mappings(struct output *out, const struct tool *tool,
                          const char *name)
{
    struct strbuf text = STRBUF_INIT(TEXT_BYTES_MAX);

    for (size_t i = 0; i < tool->settings->directory_count; i++) {
        const struct directory_settings *dir = &tool->settings->directories[i];

        for (size_t n = 0; n < dir->mapping_count; n++) {
            const struct mapping_row *row = &dir->mapping[n];
            bool is_pattern = row->pattern != NULL && row->pattern[0] != '\0';

            if (strcmp(row->template_name, name) != 0)
                continue;
            strbuf_truncate(&text, 0);
            strbuf_appendf(&text, "directory %s: %s %s %s", dir->name,
                           dir->attribute_field, is_pattern ? "like" : "is",
                           is_pattern ? row->pattern : row->attribute);
            output_text(out, "given_to");
            output_text(out, strbuf_text(&text));
            output_row(out);
        }
        if (strcmp(dir->default_template, name) != 0)
            continue;
        strbuf_truncate(&text, 0);
        strbuf_appendf(&text, "directory %s: whoever nothing else maps",
                       dir->name);
        output_text(out, "given_to");
        output_text(out, strbuf_text(&text));
        output_row(out);
    }
    strbuf_clear(&text);
}

int template_show(struct tool *tool, struct arguments *arguments)
{
    static const struct output_column columns[] = {
        {"item", "ITEM", OUTPUT_TEXT},
        {"value", "VALUE", OUTPUT_TEXT},
    };
    static const struct tool_option none[] = {{NULL, NULL, NULL}};
    const struct template_settings *template = NULL;
    struct account account = {0};
    struct output *out;
    int code;

    if (!tool_arguments(arguments, none, 1, 1))
        return EX_USAGE;
    code = tool_settings(tool);
    if (code == EX_OK)
        code = find_template(tool, arguments->words[0], &template);
    if (code != EX_OK)
        return code;
    out = begin(tool, columns, ARRAY_SIZE(columns));
    if (out == NULL)
        return EX_TEMPFAIL;
    account.set = template->set; /* borrowed */
    for (unsigned i = 0; i < ACCOUNT_SETTING_COUNT; i++) {
        enum account_setting setting = (enum account_setting)i;

        if (!is_of_template(setting))
            continue;
        output_text(out, account_setting_name(setting));
        setting_cell(out, tool, &account, setting);
        output_row(out);
    }
    show_mappings(out, tool, template->name);
    return end(&out);
}

/* The other side of a comparison: a template's settings, or a mailbox's. */
static int find_other(struct tool *tool, const char *word,
                      struct store_found *found_r)
{
    const struct template_settings *template = NULL;
    struct errtext err = {{0}};
    int code;

    if (strchr(word, '@') != NULL)
        return mailbox_read(tool, word, found_r);
    code = find_template(tool, word, &template);
    if (code == EX_OK &&
        account_settings_copy(&template->set, &found_r->account.set, &err) !=
            STATUS_OK)
        code = tool_failed(STATUS_TEMPFAIL, &err);
    return code;
}

/* Prints what differs between a template and another. */
static int print_differences(const struct tool *tool,
                             const struct account *left,
                             const struct account *right)
{
    static const struct output_column columns[] = {
        {"setting", "SETTING", OUTPUT_TEXT},
        {"first", "FIRST", OUTPUT_TEXT},
        {"second", "SECOND", OUTPUT_TEXT},
        {"pinned", "PINNED", OUTPUT_BOOL},
    };
    struct errtext err = {{0}};
    struct output *out;
    unsigned bits = 0;

    if (provision_differences(left, right, &bits, &err) != STATUS_OK)
        return tool_failed(STATUS_TEMPFAIL, &err);
    out = begin(tool, columns, ARRAY_SIZE(columns));
    if (out == NULL)
        return EX_TEMPFAIL;
    for (unsigned i = 0; i < ACCOUNT_SETTING_COUNT; i++) {
        enum account_setting setting = (enum account_setting)i;

        if ((bits & ACCOUNT_SET_BIT(i)) == 0 || !is_of_template(setting))
            continue;
        output_text(out, account_setting_name(setting));
        setting_cell(out, tool, left, setting);
        setting_cell(out, tool, right, setting);
        output_bool(out, (right->pinned & ACCOUNT_SET_BIT(i)) != 0);
        output_row(out);
    }
    return end(&out);
}

int template_diff(struct tool *tool, struct arguments *arguments)
{
    static const struct tool_option none[] = {{NULL, NULL, NULL}};
    const struct template_settings *template = NULL;
    struct store_found found = {{0}, {0}};
    struct account left = {0};
    int code;

    if (!tool_arguments(arguments, none, 2, 2))
        return EX_USAGE;
    code = tool_settings(tool);
    if (code == EX_OK)
        code = find_template(tool, arguments->words[0], &template);
    if (code == EX_OK)
        code = find_other(tool, arguments->words[1], &found);
    if (code == EX_OK) {
        left.set = template->set; /* borrowed */
        code = print_differences(tool, &left, &found.account);
    }
    store_found_clear(&found);
    return code;
}

/* Mailboxes of a template that would change. */
struct affected {
    struct tool *tool;
    const struct template_settings *template;
    struct output *out;
    enum status status;
    struct errtext err;
};

static void print_affected(struct affected *affected,
                           const struct account *account,
                           const struct account *target, unsigned bits)
{
    for (unsigned i = 0; i < ACCOUNT_SETTING_COUNT; i++) {
        enum account_setting setting = (enum account_setting)i;

        if ((bits & ACCOUNT_SET_BIT(i)) == 0)
            continue;
        output_text(affected->out, account->address);
        output_text(affected->out, account_source_name(account->source));
        output_text(affected->out, account_setting_name(setting));
        setting_cell(affected->out, affected->tool, account, setting);
        setting_cell(affected->out, affected->tool, target, setting);
        output_row(affected->out);
    }
}

/*
 * Looks at one mailbox. The aliases are part of its fingerprint; they are read
 * only where it matters whether it is the same.
 */
static enum status look_at(struct affected *affected, struct account *account)
{
    struct tool *tool = affected->tool;
    const struct directory_settings *dir =
        account->source == ACCOUNT_LDAP && account->directory != NULL
            ? settings_directory(tool->settings, account->directory)
            : NULL;
    struct account target = {0};
    unsigned bits = 0;
    enum status status = provision_affected(account, affected->template, dir,
                                            &bits, &target, &affected->err);

    if (status == STATUS_OK && bits != 0 && dir != NULL &&
        dir->alias_field[0] != '\0') {
        account_clear(&target);
        status = store_load_aliases(tool->store, account, tool_deadline(tool),
                                    &affected->err);
        if (status == STATUS_OK)
            status = provision_affected(account, affected->template, dir, &bits,
                                        &target, &affected->err);
    }
    if (status == STATUS_OK)
        print_affected(affected, account, &target, bits);
    account_clear(&target);
    return status;
}

static bool affected_one(const struct store_mailbox_row *row, void *arg)
{
    struct affected *affected = arg;
    struct account account = {0};

    affected->status = account_copy(row->account, &account, &affected->err);
    if (affected->status == STATUS_OK)
        affected->status = look_at(affected, &account);
    account_clear(&account);
    return affected->status == STATUS_OK;
}

int template_affected(struct tool *tool, struct arguments *arguments)
{
    static const struct output_column columns[] = {
        {"address", "ADDRESS", OUTPUT_TEXT}, {"source", "SOURCE", OUTPUT_TEXT},
        {"setting", "SETTING", OUTPUT_TEXT}, {"now", "NOW", OUTPUT_TEXT},
        {"next", "NEXT", OUTPUT_TEXT},
    };
    static const struct tool_option none[] = {{NULL, NULL, NULL}};
    struct affected affected = {.tool = tool};
    struct store_mailbox_visitor visitor = {affected_one, &affected};
    struct store_mailbox_query query = {0};
    struct errtext err = {{0}};
    enum status status;
    int code;

    if (!tool_arguments(arguments, none, 1, 1))
        return EX_USAGE;
    code = tool_store(tool, false);
    if (code == EX_OK)
        code = find_template(tool, arguments->words[0], &affected.template);
    if (code != EX_OK)
        return code;
    query.template_name = affected.template->name;
    affected.out = begin(tool, columns, ARRAY_SIZE(columns));
    if (affected.out == NULL)
        return EX_TEMPFAIL;
    status = store_mailbox_list(tool->store, &query, &visitor, INT64_MAX, &err);
    code = end(&affected.out);
    if (status == STATUS_OK && affected.status != STATUS_OK) {
        status = affected.status;
        err = affected.err;
    }
    return status == STATUS_OK ? code : tool_failed(status, &err);
}
