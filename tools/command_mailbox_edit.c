/* command_mailbox_edit - provostctl mailbox add|edit|rename */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "ask.h"
#include "daemons.h"
#include "mailbox.h"
#include "mailbox_words.h"
#include "provision_admin.h"
#include "secret.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Options beside those of settings, and the end of the list. */
#define OPTIONS_MAX (MAILBOX_WORDS_OPTIONS + 4)

/* What "mailbox add" was told. */
struct add_words {
    struct mailbox_words settings;
    const char *source;
    const char *template;
    bool password_stdin;
};

static int read_settings(const struct mailbox_words *words,
                         struct account *wanted, unsigned *bits_r)
{
    struct errtext err = {{0}};
    enum status status = mailbox_words_read(words, wanted, bits_r, &err);

    return status == STATUS_OK ? EX_OK : tool_failed(status, &err);
}

/* Finds the template and, for ldap, the directory. */
static int choose(const struct tool *tool, const struct add_words *words,
                  struct provision_new *new)
{
    const char *name = words->template != NULL ? words->template : "default";

    new->source = ACCOUNT_LOCAL;
    if (words->source != NULL &&
        !account_source_from(words->source, &new->source)) {
        tool_error("the source is ldap or local, not \"%s\"", words->source);
        return EX_USAGE;
    }
    if (new->source == ACCOUNT_LDAP && words->password_stdin) {
        tool_error("a directory checks the password of a mailbox of source "
                   "ldap");
        return EX_USAGE;
    }
    new->template = settings_template(tool->settings, name);
    if (new->template == NULL) {
        tool_error("there is no template \"%s\" in the settings: say "
                   "--template; provostctl template list names them",
                   name);
        return EX_CONFIG;
    }
    return new->source == ACCOUNT_LDAP
               ? mailbox_directory(tool, new->address, &new->dir)
               : EX_OK;
}

/* Reads the password of a new local mailbox into its hash. */
static int read_hash(const struct tool *tool, char **hash_r)
{
    struct errtext err = {{0}};
    char *password = NULL;
    int code = ask_password(true, &password);
    enum status status;

    if (code != EX_OK)
        return code;
    status = mailbox_hash(tool, password, hash_r, &err);
    secret_free(&password);
    return status == STATUS_OK ? EX_OK : tool_failed(status, &err);
}

/* Makes the plan and carries it out. */
static int make_mailbox(struct tool *tool, const struct provision_new *new,
                        const struct account *wanted, unsigned bits)
{
    struct plan plan = {0};
    struct errtext err = {{0}};
    bool exists = false;
    enum status status = provision_add(tool->settings, new, &plan, &err);
    int code;

    if (status == STATUS_OK)
        status = provision_edit(NULL, wanted, bits, &plan, &err);
    if (status == STATUS_OK)
        code = mailbox_apply(tool, &plan, &exists);
    else
        code = tool_failed(status, &err);
    if (exists) {
        tool_error("%s is a mailbox already", new->address);
        code = EX_NOPERM;
    }
    plan_clear(&plan);
    return code;
}

int mailbox_add(struct tool *tool, struct arguments *arguments)
{
    struct add_words words = {0};
    struct tool_option options[OPTIONS_MAX] = {
        {"source", &words.source, NULL},
        {"template", &words.template, NULL},
        {"password-stdin", NULL, &words.password_stdin},
    };
    struct provision_new new = {0};
    struct account wanted = {0};
    char *address = NULL;
    char *hash = NULL;
    unsigned bits = 0;
    int code;

    mailbox_words_options(&words.settings, options + 3);
    if (!tool_arguments(arguments, options, 1, 1))
        return EX_USAGE;
    code = tool_address(arguments->words[0], &address);
    new.address = address;
    if (code == EX_OK)
        code = read_settings(&words.settings, &wanted, &bits);
    if (code == EX_OK)
        code = tool_store(tool, false);
    if (code == EX_OK)
        code = choose(tool, &words, &new);
    if (code == EX_OK && words.password_stdin)
        code = read_hash(tool, &hash);
    new.hash = hash;
    if (code == EX_OK)
        code = make_mailbox(tool, &new, &wanted, bits);
    if (code == EX_OK)
        daemons_flush(tool, address);
    if (code == EX_OK && new.source == ACCOUNT_LOCAL && hash == NULL)
        (void)puts("It has no password yet: provostctl password set ADDRESS");
    secret_free(&hash);
    account_clear(&wanted);
    free(address);
    return code;
}

/* True, with a message, if a rename cannot be because a mailbox is there. */
static bool is_taken(struct tool *tool, const struct plan *plan)
{
    struct store_found found = {{0}, {0}};
    struct errtext err = {{0}};
    bool taken;

    if (plan->kind != PLAN_RENAME ||
        store_find(tool->store, plan->target.address, tool_deadline(tool),
                   &found, &err) != STATUS_OK)
        return false;
    taken = found.account.address != NULL;
    if (taken)
        tool_error("%s is a mailbox already", found.account.address);
    store_found_clear(&found);
    return taken;
}

/* What becomes of a mailbox; all borrowed. */
struct order {
    const struct account *wanted;
    unsigned bits;                            /* of wanted */
    const struct template_settings *template; /* NULL: as it is */
};

/*
 * Makes a plan from the mailbox as it is. Returns STATUS_OK; STATUS_DENIED if
 * it cannot be, with the reason; STATUS_TEMPFAIL.
 */
typedef enum status plan_maker(const struct account *current,
                               const struct order *order, struct plan *plan,
                               struct errtext *err);

/* Reads, plans and carries out, again where somebody else was faster. */
static int change_mailbox(struct tool *tool, const char *word, plan_maker *make,
                          const struct order *order, struct plan *plan_r)
{
    bool again = true;
    int code = EX_OK;

    for (int i = 0; again && i < MAILBOX_PLANS_MAX; i++) {
        struct store_found found = {{0}, {0}};
        struct errtext err = {{0}};
        enum status status;

        plan_clear(plan_r);
        code = mailbox_read(tool, word, &found);
        if (code != EX_OK)
            return code;
        status = make(&found.account, order, plan_r, &err);
        store_found_clear(&found);
        if (status != STATUS_OK)
            return tool_failed(status, &err);
        code = mailbox_apply(tool, plan_r, &again);
        if (again && is_taken(tool, plan_r))
            return EX_NOPERM;
    }
    if (again)
        tool_error("others keep changing %s: try again", word);
    return code;
}

static enum status make_edit(const struct account *current,
                             const struct order *order, struct plan *plan,
                             struct errtext *err)
{
    enum status status;

    if (order->template == NULL)
        return provision_edit(current, order->wanted, order->bits, plan, err);
    if (current->source == ACCOUNT_LDAP) {
        errtext_set(err,
                    "directory %.60s maps %.100s to its template: change the "
                    "entry, or attribute_mapping",
                    current->directory != NULL ? current->directory : "?",
                    current->address);
        return STATUS_DENIED;
    }
    status = provision_retemplate(current, order->template, plan, err);
    return status == STATUS_OK
               ? provision_edit(NULL, order->wanted, order->bits, plan, err)
               : status;
}

/* Reads the template's name, if one was given. */
static int read_template(struct tool *tool, const char *name,
                         struct order *order)
{
    int code = name != NULL ? tool_settings(tool) : EX_OK;

    if (code != EX_OK || name == NULL)
        return code;
    order->template = settings_template(tool->settings, name);
    if (order->template != NULL)
        return EX_OK;
    tool_error("there is no template \"%s\" in the settings", name);
    return EX_CONFIG;
}

int mailbox_edit(struct tool *tool, struct arguments *arguments)
{
    struct mailbox_words words = {{NULL}};
    const char *template = NULL;
    struct tool_option options[OPTIONS_MAX] = {
        {"template", &template, NULL},
    };
    struct account wanted = {0};
    struct order order = {.wanted = &wanted};
    struct plan plan = {0};
    int code;

    mailbox_words_options(&words, options + 1);
    if (!tool_arguments(arguments, options, 1, 1))
        return EX_USAGE;
    code = read_settings(&words, &wanted, &order.bits);
    if (code == EX_OK && order.bits == 0 && template == NULL) {
        tool_error("nothing to change was given");
        code = EX_USAGE;
    }
    if (code == EX_OK)
        code = read_template(tool, template, &order);
    if (code == EX_OK)
        code =
            change_mailbox(tool, arguments->words[0], make_edit, &order, &plan);
    if (code == EX_OK) {
        daemons_flush(tool, plan.target.address);
        mailbox_print_changes(&plan.before, &plan.target, plan.changed);
    }
    plan_clear(&plan);
    account_clear(&wanted);
    return code;
}

static enum status make_rename(const struct account *current,
                               const struct order *order, struct plan *plan,
                               struct errtext *err)
{
    return provision_rename(current, order->wanted->address, plan, err);
}

int mailbox_rename(struct tool *tool, struct arguments *arguments)
{
    static const struct tool_option none[] = {{NULL, NULL, NULL}};
    struct account wanted = {0};
    const struct order order = {.wanted = &wanted};
    struct plan plan = {0};
    int code;

    if (!tool_arguments(arguments, none, 2, 2))
        return EX_USAGE;
    code = tool_address(arguments->words[1], &wanted.address);
    if (code == EX_OK)
        code = change_mailbox(tool, arguments->words[0], make_rename, &order,
                              &plan);
    if (code == EX_OK && plan.kind == PLAN_RENAME) {
        daemons_flush(tool, plan.old_address);
        daemons_flush(tool, plan.target.address);
        if (plan.target.source == ACCOUNT_LDAP)
            (void)puts("The directory names this mailbox: its next login or "
                       "sync keeps the new address only if the entry has it.");
    }
    plan_clear(&plan);
    account_clear(&wanted);
    return code;
}
