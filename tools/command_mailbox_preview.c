/* command_mailbox_preview - provostctl mailbox preview */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "tool.h"

#include "address.h"
#include "apply.h"
#include "clock.h"
#include "directory.h"
#include "login_choice.h"
#include "mailbox.h"
#include "provision.h"
#include "strbuf.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define TEXT_BYTES_MAX ((size_t)1 << 20)

/* One person while the next login is foreseen. */
struct preview {
    struct tool *tool;
    const struct directory_settings *set;
    char *typed; /* canonical */
    struct directory_entry entry;
    struct store_found found; /* at typed, then at address */
    struct account by_id;
    char *address; /* of the mailbox as it should be */
    struct plan plan;
    struct apply_outcome outcome;
    struct output *out;
};

static void clear(struct preview *preview)
{
    free(preview->typed);
    free(preview->address);
    directory_entry_clear(&preview->entry);
    store_found_clear(&preview->found);
    account_clear(&preview->by_id);
    plan_clear(&preview->plan);
}

/* Reads what is stored, and chooses the directory as a login does. */
static int look_at_store(struct preview *preview, const char *word)
{
    struct tool *tool = preview->tool;
    const struct account *account = &preview->found.account;
    struct login_choice choice;
    struct errtext err = {{0}};
    int code = tool_address(word, &preview->typed);
    enum status status;

    if (code == EX_OK)
        code = tool_store(tool, false);
    if (code != EX_OK)
        return code;
    status = store_find(tool->store, preview->typed, tool_deadline(tool),
                        &preview->found, &err);
    if (status != STATUS_OK)
        return tool_failed(status, &err);
    if (account->address != NULL && account->source == ACCOUNT_LOCAL)
        return EX_OK;
    login_choose(tool->settings, preview->typed, &preview->found, &choice);
    preview->set = choice.set;
    if (choice.set != NULL)
        return EX_OK;
    if (choice.text.text[0] != '\0')
        tool_error("%s", choice.text.text);
    else
        tool_error("no directory in the settings serves %s",
                   address_domain_of(preview->typed));
    return EX_CONFIG;
}

/* Finds the person; the directory is closed again before anything is said. */
static enum status find_person(struct preview *preview, struct errtext *err)
{
    struct directory *dir = NULL;
    bool remembered = false;
    char *name = NULL;
    enum status status =
        login_search_name(preview->tool->settings, preview->set, preview->typed,
                          &preview->found, &name, err);

    if (status == STATUS_OK)
        status = directory_open(preview->set, &dir, err);
    if (status == STATUS_OK)
        status = directory_find(
            dir, name, clock_ms() + preview->tool->settings->auth.deadline_ms,
            &preview->entry, &remembered, err);
    directory_close(&dir);
    free(name);
    return status;
}

/* In an alias domain, the address becomes that of the target domain. */
static enum status resolve_address(struct preview *preview, struct errtext *err)
{
    const char *domain = address_domain_of(preview->address);
    const char *target = preview->found.domain.name;
    struct strbuf address = STRBUF_INIT(2 * ADDRESS_BYTES_MAX);

    if (target == NULL || strcmp(target, domain) == 0)
        return STATUS_OK;
    strbuf_append_len(&address, preview->address,
                      (size_t)(domain - preview->address));
    strbuf_append(&address, target);
    free(preview->address);
    preview->address = NULL;
    return strbuf_take(&address, &preview->address, err);
}

/* Finds the mailbox of the person's id, and the one at their address. */
static enum status find_mailbox(struct preview *preview, struct errtext *err)
{
    struct tool *tool = preview->tool;
    enum status status = STATUS_NOT_FOUND;

    if (preview->entry.id != NULL)
        status =
            store_find_id(tool->store, preview->set->name, preview->entry.id,
                          tool_deadline(tool), &preview->by_id, err);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        status =
            provision_address(tool->settings, preview->set, &preview->entry,
                              preview->by_id.address, &preview->address, err);
    if (status == STATUS_OK) {
        store_found_clear(&preview->found);
        status = store_find(tool->store, preview->address, tool_deadline(tool),
                            &preview->found, err);
    }
    if (status == STATUS_OK)
        status = resolve_address(preview, err);
    /* Who wants to see what changes wants to see the aliases too. */
    if (status == STATUS_OK && preview->found.account.address != NULL)
        status = store_load_aliases(tool->store, &preview->found.account,
                                    tool_deadline(tool), err);
    if (status == STATUS_OK && preview->by_id.address != NULL)
        status = store_load_aliases(tool->store, &preview->by_id,
                                    tool_deadline(tool), err);
    return status;
}

static enum status make_plan(struct preview *preview, struct errtext *err)
{
    struct tool *tool = preview->tool;
    struct provision_facts facts = {
        .settings = tool->settings,
        .dir = preview->set,
        .entry = &preview->entry,
        .address = preview->address,
        .current = &preview->found.account,
        .by_id = &preview->by_id,
        .may_create = preview->set->login_provisioning,
    };
    enum status status = provision_plan(&facts, &preview->plan, err);

    preview->outcome = (struct apply_outcome){.kind = APPLY_DONE};
    if (status != STATUS_OK || preview->plan.kind == PLAN_NOTHING ||
        preview->plan.kind == PLAN_REFUSED)
        return status;
    return apply_rehearse(tool->store, &preview->plan, tool_deadline(tool),
                          &preview->outcome, err);
}

static void row(struct preview *preview, const char *item, const char *now,
                const char *next, const char *why)
{
    output_text(preview->out, item);
    output_text(preview->out, now);
    output_text(preview->out, next);
    output_text(preview->out, why);
    output_row(preview->out);
}

static bool differs(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") != 0;
}

/* Which attribute or template decides a setting. */
static void append_why(const struct preview *preview,
                       enum account_setting setting, struct strbuf *why)
{
    const struct directory_settings *set = preview->set;
    const char *attribute = NULL;

    if (setting == ACCOUNT_SET_NAME)
        attribute = set->name_field;
    else if (setting == ACCOUNT_SET_ALIASES)
        attribute = set->alias_field;
    else if (setting == ACCOUNT_SET_QUOTA && preview->entry.quota != NULL)
        attribute = set->quota_field;
    if (attribute != NULL)
        strbuf_appendf(why, "%s of the entry", attribute);
    else if (preview->plan.target.template_name != NULL)
        strbuf_appendf(why, "template %s", preview->plan.target.template_name);
}

static void print_settings(struct preview *preview)
{
    const struct plan *plan = &preview->plan;
    struct strbuf now = STRBUF_INIT(TEXT_BYTES_MAX);
    struct strbuf next = STRBUF_INIT(TEXT_BYTES_MAX);
    struct strbuf why = STRBUF_INIT(TEXT_BYTES_MAX);

    for (unsigned i = 0; i < ACCOUNT_SETTING_COUNT; i++) {
        enum account_setting setting = (enum account_setting)i;

        if ((plan->changed & ACCOUNT_SET_BIT(i)) == 0)
            continue;
        strbuf_truncate(&now, 0);
        strbuf_truncate(&next, 0);
        strbuf_truncate(&why, 0);
        if (plan->kind != PLAN_CREATE)
            account_append_setting(&now, &plan->before, setting);
        account_append_setting(&next, &plan->target, setting);
        append_why(preview, setting, &why);
        row(preview, account_setting_name(setting),
            plan->kind != PLAN_CREATE ? strbuf_text(&now) : NULL,
            strbuf_text(&next), strbuf_text(&why));
    }
    strbuf_clear(&now);
    strbuf_clear(&next);
    strbuf_clear(&why);
}

static void print_identity(struct preview *preview)
{
    const struct account *before = &preview->plan.before;
    const struct account *target = &preview->plan.target;

    if (differs(before->address, target->address))
        row(preview, "address", before->address, target->address,
            preview->set->username_field);
    if (differs(before->directory_id, target->directory_id))
        row(preview, "directory_id", before->directory_id, target->directory_id,
            preview->set->id_field);
    if (before->directory_state != target->directory_state)
        row(preview, "directory_state",
            account_directory_state_name(before->directory_state),
            account_directory_state_name(target->directory_state),
            "disabled_filter");
    if (differs(before->template_name, target->template_name)) {
        const char *value = NULL;

        (void)provision_template(preview->tool->settings, preview->set,
                                 &preview->entry, &value);
        row(preview, "template", before->template_name, target->template_name,
            value != NULL ? value : "default_template");
    }
}

/* What the plan comes to: the reason, the warning, or the limit that says no.
 */
static const char *sentence(const struct preview *preview)
{
    const struct plan *plan = &preview->plan;

    if (preview->outcome.kind == APPLY_LIMIT)
        return preview->outcome.reason.text;
    if (preview->outcome.kind == APPLY_CONFLICT)
        return "the mailbox is being changed by somebody else";
    if (plan->kind == PLAN_REFUSED)
        return plan->reason.text;
    return plan->warning.text;
}

static int print(struct preview *preview)
{
    static const struct output_column columns[] = {
        {"item", "ITEM", OUTPUT_TEXT},
        {"now", "NOW", OUTPUT_TEXT},
        {"next", "NEXT", OUTPUT_TEXT},
        {"why", "WHY", OUTPUT_TEXT},
    };
    struct tool *tool = preview->tool;
    const struct plan *plan = &preview->plan;
    const char *word = plan_kind_name(plan->kind);

    preview->out = output_begin(stdout, tool->format, tool->headers, columns,
                                ARRAY_SIZE(columns));
    if (preview->out == NULL) {
        tool_error("out of memory");
        return EX_TEMPFAIL;
    }
    if (preview->outcome.kind == APPLY_LIMIT)
        word = apply_limit_name(preview->outcome.limit);
    row(preview, "plan", NULL, preview->set != NULL ? word : "nothing",
        preview->set != NULL ? sentence(preview)
                             : "a local mailbox: no directory changes it");
    if (preview->set != NULL && plan->kind != PLAN_NOTHING &&
        plan->kind != PLAN_REFUSED) {
        print_identity(preview);
        print_settings(preview);
    }
    if (output_end(&preview->out))
        return EX_OK;
    tool_error("the listing could not be written");
    return EX_IOERR;
}

static int foresee(struct preview *preview, const char *word)
{
    struct errtext err = {{0}};
    int code = look_at_store(preview, word);
    enum status status;

    if (code != EX_OK)
        return code;
    if (preview->set == NULL)
        return print(preview);
    status = find_person(preview, &err);
    if (status == STATUS_NOT_FOUND) {
        tool_error("directory %s knows nobody of the name %s: a login is "
                   "refused and changes nothing",
                   preview->set->name, preview->typed);
        return EX_NOUSER;
    }
    if (status == STATUS_OK)
        status = find_mailbox(preview, &err);
    if (status == STATUS_OK)
        status = make_plan(preview, &err);
    return status == STATUS_OK ? print(preview) : tool_failed(status, &err);
}

int mailbox_preview(struct tool *tool, struct arguments *arguments)
{
    static const struct tool_option none[] = {{NULL, NULL, NULL}};
    struct preview preview = {.tool = tool};
    int code;

    if (!tool_arguments(arguments, none, 1, 1))
        return EX_USAGE;
    code = foresee(&preview, arguments->words[0]);
    clear(&preview);
    return code;
}
