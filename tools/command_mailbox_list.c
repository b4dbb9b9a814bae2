/* command_mailbox_list - provostctl mailbox list */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "store_list.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* What a mailbox can be asked to be; the words of --state. */
enum wanted_state {
    WANTED_ANY,
    WANTED_OPEN,
    WANTED_CLOSED, /* to logins alone */
    WANTED_OFF,
    WANTED_DISABLED, /* by the directory */
    WANTED_MISSING,
    WANTED_BLOCKED /* by an administrator */
};

static const char *const state_words[] = {
    [WANTED_ANY] = "any",           [WANTED_OPEN] = "open",
    [WANTED_CLOSED] = "closed",     [WANTED_OFF] = "off",
    [WANTED_DISABLED] = "disabled", [WANTED_MISSING] = "missing",
    [WANTED_BLOCKED] = "blocked",
};

static const char *access_word(enum account_access access)
{
    switch (access) {
    case ACCOUNT_OPEN:
        return state_words[WANTED_OPEN];
    case ACCOUNT_LOGIN_CLOSED:
        return state_words[WANTED_CLOSED];
    case ACCOUNT_OFF:
        return state_words[WANTED_OFF];
    }
    return "unknown";
}

static bool is_in_state(const struct account *account, enum wanted_state wanted)
{
    switch (wanted) {
    case WANTED_ANY:
        return true;
    case WANTED_OPEN:
        return account_access(account) == ACCOUNT_OPEN;
    case WANTED_CLOSED:
        return account_access(account) == ACCOUNT_LOGIN_CLOSED;
    case WANTED_OFF:
        return account_access(account) == ACCOUNT_OFF;
    case WANTED_DISABLED:
        return account->directory_state == ACCOUNT_DISABLED;
    case WANTED_MISSING:
        return account->directory_state == ACCOUNT_MISSING ||
               account->directory_state == ACCOUNT_GONE;
    case WANTED_BLOCKED:
        return account->admin_state != ACCOUNT_UNBLOCKED;
    }
    return false;
}

static int read_state(const char *word, enum wanted_state *wanted_r)
{
    for (size_t i = 0; word != NULL && i < ARRAY_SIZE(state_words); i++) {
        if (strcmp(word, state_words[i]) == 0) {
            *wanted_r = (enum wanted_state)i;
            return EX_OK;
        }
    }
    if (word == NULL)
        return EX_OK;
    tool_error("--state is open, closed, off, disabled, missing or blocked, "
               "not \"%s\"",
               word);
    return EX_USAGE;
}

struct listing {
    struct output *out;
    enum wanted_state wanted;
};

static bool list_one(const struct store_mailbox_row *row, void *arg)
{
    struct listing *listing = arg;
    const struct account *account = row->account;
    struct output *out = listing->out;

    if (!is_in_state(account, listing->wanted))
        return true;
    output_text(out, account->address);
    output_text(out, account->name);
    output_text(out, account_source_name(account->source));
    output_text(out, account->directory);
    output_text(out, account->template_name);
    output_text(out, access_word(account_access(account)));
    output_number(out, row->used_bytes);
    output_number(out, account->set.quota_bytes);
    output_number(out, row->used_messages);
    output_text(out, row->last_login);
    output_row(out);
    return true;
}

/* Prints the mailboxes of query. */
static int list(struct tool *tool, const struct store_mailbox_query *query,
                enum wanted_state wanted)
{
    static const struct output_column columns[] = {
        {"address", "ADDRESS", OUTPUT_TEXT},
        {"name", "NAME", OUTPUT_TEXT},
        {"source", "SOURCE", OUTPUT_TEXT},
        {"directory", "DIRECTORY", OUTPUT_TEXT},
        {"template", "TEMPLATE", OUTPUT_TEXT},
        {"state", "STATE", OUTPUT_TEXT},
        {"used", "USED", OUTPUT_SIZE},
        {"quota", "OF", OUTPUT_SIZE_LIMIT},
        {"messages", "MESSAGES", OUTPUT_NUMBER},
        {"last_login", "LAST-LOGIN", OUTPUT_TEXT},
    };
    struct listing listing = {NULL, wanted};
    struct store_mailbox_visitor visitor = {list_one, &listing};
    struct errtext err = {{0}};
    enum status status;
    int code = EX_OK;

    listing.out = output_begin(stdout, tool->format, tool->headers, columns,
                               ARRAY_SIZE(columns));
    if (listing.out == NULL) {
        tool_error("out of memory");
        return EX_TEMPFAIL;
    }
    /* A page has the store's own time limit, the whole list has none. */
    status = store_mailbox_list(tool->store, query, &visitor, INT64_MAX, &err);
    if (!output_end(&listing.out)) {
        tool_error("the listing could not be written");
        code = EX_IOERR;
    }
    return status == STATUS_OK ? code : tool_failed(status, &err);
}

int mailbox_list(struct tool *tool, struct arguments *arguments)
{
    struct store_mailbox_query query = {0};
    const char *domain_word = NULL;
    const char *state_word = NULL;
    const struct tool_option options[] = {
        {"domain", &domain_word, NULL},
        {"source", &query.source, NULL},
        {"template", &query.template_name, NULL},
        {"state", &state_word, NULL},
        {NULL, NULL, NULL},
    };
    enum wanted_state wanted = WANTED_ANY;
    enum account_source source;
    char *domain = NULL;
    int code;

    if (!tool_arguments(arguments, options, 0, 0))
        return EX_USAGE;
    code = read_state(state_word, &wanted);
    if (code == EX_OK && query.source != NULL &&
        !account_source_from(query.source, &source)) {
        tool_error("the source is ldap or local, not \"%s\"", query.source);
        code = EX_USAGE;
    }
    if (code == EX_OK && domain_word != NULL)
        code = tool_domain(domain_word, &domain);
    query.domain = domain;
    if (code == EX_OK)
        code = tool_store(tool, false);
    if (code == EX_OK)
        code = list(tool, &query, wanted);
    free(domain);
    return code;
}
