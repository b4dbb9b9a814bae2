/* command_mailbox - provostctl mailbox block|pin|remove|unblock|unpin */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "ask.h"
#include "daemons.h"
#include "mailbox.h"
#include "mailbox_words.h"
#include "store_admin.h"
#include "store_list.h"
#include "strbuf.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const struct tool_option no_options[] = {{NULL, NULL, NULL}};

/* Sets what the administrator says, and lets no memory outlive it. */
static int set_block(struct tool *tool, const char *word,
                     enum account_admin_state state)
{
    struct store_found found = {{0}, {0}};
    struct errtext err = {{0}};
    int code = mailbox_read(tool, word, &found);

    if (code == EX_OK) {
        enum status status =
            store_mailbox_block(tool->store, found.account.address, state,
                                tool->who, tool_deadline(tool), &err);

        if (status != STATUS_OK)
            code = tool_failed(status, &err);
    }
    if (code == EX_OK)
        daemons_flush(tool, found.account.address);
    store_found_clear(&found);
    return code;
}

int mailbox_block(struct tool *tool, struct arguments *arguments)
{
    bool all = false;
    const struct tool_option options[] = {
        {"all", NULL, &all},
        {NULL, NULL, NULL},
    };

    if (!tool_arguments(arguments, options, 1, 1))
        return EX_USAGE;
    return set_block(tool, arguments->words[0],
                     all ? ACCOUNT_BLOCK_ALL : ACCOUNT_BLOCK_LOGIN);
}

int mailbox_unblock(struct tool *tool, struct arguments *arguments)
{
    if (!tool_arguments(arguments, no_options, 1, 1))
        return EX_USAGE;
    return set_block(tool, arguments->words[0], ACCOUNT_UNBLOCKED);
}

/* Reads "ADDRESS SETTING[,SETTING...]" and pins or frees them. */
static int set_pins(struct tool *tool, struct arguments *arguments, bool pin)
{
    struct store_found found = {{0}, {0}};
    struct errtext err = {{0}};
    enum status status;
    unsigned bits = 0;
    int code;

    if (!tool_arguments(arguments, no_options, 2, 2))
        return EX_USAGE;
    if (mailbox_words_bits(arguments->words[1], &bits, &err) != STATUS_OK) {
        (void)tool_failed(STATUS_INVALID, &err);
        return EX_USAGE;
    }
    code = mailbox_read(tool, arguments->words[0], &found);
    if (code != EX_OK)
        return code;
    status =
        store_mailbox_pin(tool->store, found.account.address, pin ? bits : 0,
                          pin ? 0 : bits, tool->who, tool_deadline(tool), &err);
    if (status != STATUS_OK)
        code = tool_failed(status, &err);
    else if (!pin && found.account.source == ACCOUNT_LDAP)
        (void)puts("The next login or sync decides these settings anew.");
    store_found_clear(&found);
    return code;
}

int mailbox_pin(struct tool *tool, struct arguments *arguments)
{
    return set_pins(tool, arguments, true);
}

int mailbox_unpin(struct tool *tool, struct arguments *arguments)
{
    return set_pins(tool, arguments, false);
}

/* Asks, with what is at stake. */
static bool is_meant(const struct tool *tool, const struct account *account)
{
    struct strbuf question = STRBUF_INIT(4096);
    bool meant;

    strbuf_appendf(&question,
                   "Remove mailbox %s, its aliases and app passwords? The "
                   "mail stays.",
                   account->address);
    meant = ask_again(tool, account->address, strbuf_text(&question));
    strbuf_clear(&question);
    return meant;
}

static void tell_leading(const struct store_mailbox_part *part, void *arg)
{
    tool_error("the alias %s still leads to %s, which is no mailbox now",
               part->name, (const char *)arg);
}

/* Says what is left: the mail, and aliases that are nobody's own. */
static int tell_rest(struct tool *tool, char *address, const char *mail_path)
{
    struct store_part_visitor visitor = {tell_leading, address};
    struct errtext err = {{0}};
    enum status status;

    (void)fputs("The mail is left in ", stdout);
    output_escaped(stdout, mail_path);
    (void)puts(": whoever gets this address next would find it there.");
    status = store_mailbox_leading(tool->store, address, &visitor,
                                   tool_deadline(tool), &err);
    return status == STATUS_OK ? EX_OK : tool_failed(status, &err);
}

int mailbox_remove(struct tool *tool, struct arguments *arguments)
{
    struct store_found found = {{0}, {0}};
    struct errtext err = {{0}};
    char *mail_path = NULL;
    int code;

    if (!tool_arguments(arguments, no_options, 1, 1))
        return EX_USAGE;
    code = mailbox_read(tool, arguments->words[0], &found);
    if (code == EX_OK && !is_meant(tool, &found.account))
        code = EX_NOPERM;
    if (code == EX_OK) {
        enum status status =
            store_mailbox_remove(tool->store, found.account.address, tool->who,
                                 tool_deadline(tool), &mail_path, &err);

        if (status != STATUS_OK)
            code = tool_failed(status, &err);
    }
    if (code == EX_OK) {
        daemons_flush(tool, found.account.address);
        code = tell_rest(tool, found.account.address, mail_path);
    }
    free(mail_path);
    store_found_clear(&found);
    return code;
}
