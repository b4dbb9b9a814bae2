/* provision_admin - see provision_admin.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "provision_admin.h"

#include "provision_private.h"

#include "address.h"
#include "strbuf.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES_MAX 1048576
#define EVERY_SETTING (ACCOUNT_SET_BIT(ACCOUNT_SETTING_COUNT) - 1)
#define TEMPLATE_SETTINGS                                                      \
    (EVERY_SETTING & ~(ACCOUNT_SET_BIT(ACCOUNT_SET_NAME) |                     \
                       ACCOUNT_SET_BIT(ACCOUNT_SET_ALIASES)))

/* Makes an owned copy of a text that may be NULL; false without memory. */
static bool copy_text(char **to_r, const char *from)
{
    if (from == NULL)
        return true;
    *to_r = strdup(from);
    return *to_r != NULL;
}

enum status provision_add(const struct settings *settings,
                          const struct provision_new *wanted,
                          struct plan *plan_r, struct errtext *err)
{
    struct plan plan = {.kind = PLAN_CREATE, .changed = EVERY_SETTING};
    struct account *target = &plan.target;
    enum status status = STATUS_TEMPFAIL;

    target->source = wanted->source;
    if (copy_text(&target->address, wanted->address) &&
        copy_text(&target->domain, address_domain_of(wanted->address)) &&
        copy_text(&target->name, "") &&
        copy_text(&target->password, wanted->hash) &&
        copy_text(&target->template_name, wanted->template->name) &&
        copy_text(&target->directory,
                  wanted->dir != NULL ? wanted->dir->name : NULL))
        status =
            account_settings_copy(&wanted->template->set, &target->set, err);
    else
        status = status_no_memory(err);
    if (status == STATUS_OK)
        status = address_path(settings->mail.path_format, wanted->address,
                              &target->mail_path, err);
    if (status != STATUS_OK) {
        plan_clear(&plan);
        return STATUS_TEMPFAIL;
    }
    *plan_r = plan;
    return STATUS_OK;
}

/* Begins a plan about a mailbox that is there. */
static enum status begin(const struct account *current, struct plan *plan,
                         struct errtext *err)
{
    plan->kind = PLAN_NOTHING;
    if (account_copy(current, &plan->before, err) != STATUS_OK)
        return STATUS_TEMPFAIL;
    return account_copy(current, &plan->target, err);
}

enum status provision_differences(const struct account *a,
                                  const struct account *b, unsigned *bits_r,
                                  struct errtext *err)
{
    bool failed = false;
    unsigned bits = 0;

    for (unsigned i = 0; i < ACCOUNT_SETTING_COUNT; i++) {
        if (!provision_same_setting(a, b, (enum account_setting)i, &failed))
            bits |= ACCOUNT_SET_BIT(i);
    }
    if (failed)
        return status_no_memory(err);
    *bits_r = bits;
    return STATUS_OK;
}

enum status provision_rename(const struct account *current, const char *address,
                             struct plan *plan_r, struct errtext *err)
{
    struct plan plan = {0};
    struct account *target = &plan.target;
    enum status status = begin(current, &plan, err);

    if (status == STATUS_OK && strcmp(current->address, address) != 0) {
        plan.kind = PLAN_RENAME;
        free(target->address);
        free(target->domain);
        target->address = strdup(address);
        target->domain = strdup(address_domain_of(address));
        plan.old_address = strdup(current->address);
        if (target->address == NULL || target->domain == NULL ||
            plan.old_address == NULL)
            status = status_no_memory(err);
    }
    if (status != STATUS_OK) {
        plan_clear(&plan);
        return STATUS_TEMPFAIL;
    }
    *plan_r = plan;
    return STATUS_OK;
}

/* Says whether target is what was applied to the mailbox last. */
static enum status print_matches(const struct account *account,
                                 const struct account *target, bool *same_r,
                                 struct errtext *err)
{
    struct account copy = {0};
    enum status status = account_copy(target, &copy, err);

    if (status == STATUS_OK)
        status = provision_fingerprint(&copy);
    if (status == STATUS_OK)
        *same_r = account->fingerprint != NULL &&
                  strcmp(account->fingerprint, copy.fingerprint) == 0;
    else
        status = status_no_memory(err);
    account_clear(&copy);
    return status;
}

/* The mailbox with all that the template gives. */
static enum status take_template(const struct account *account,
                                 const struct template_settings *template,
                                 struct account *target, struct errtext *err)
{
    struct account_settings set = {0};
    enum status status = account_copy(account, target, err);

    if (status == STATUS_OK)
        status = account_settings_copy(&template->set, &set, err);
    if (status != STATUS_OK)
        return status;
    account_settings_clear(&target->set);
    target->set = set;
    free(target->template_name);
    target->template_name = strdup(template->name);
    return target->template_name != NULL ? STATUS_OK : status_no_memory(err);
}

enum status provision_affected(const struct account *account,
                               const struct template_settings *template,
                               const struct directory_settings *dir,
                               unsigned *bits_r, struct account *target_r,
                               struct errtext *err)
{
    struct account target = {0};
    unsigned bits = 0;
    bool same = false;
    enum status status = take_template(account, template, &target, err);

    if (status == STATUS_OK)
        status = print_matches(account, &target, &same, err);
    if (status == STATUS_OK && !same && dir != NULL &&
        dir->quota_field[0] != '\0') {
        uint64_t bytes = target.set.quota_bytes;

        target.set.quota_bytes = account->set.quota_bytes;
        status = print_matches(account, &target, &same, err);
        if (!same)
            target.set.quota_bytes = bytes;
    }
    for (unsigned i = 0; status == STATUS_OK && i < ACCOUNT_SETTING_COUNT;
         i++) {
        if ((account->pinned & ACCOUNT_SET_BIT(i)) != 0)
            status = account_copy_setting(&target, account,
                                          (enum account_setting)i, err);
    }
    if (status == STATUS_OK)
        status = provision_differences(account, &target, &bits, err);
    if (status != STATUS_OK) {
        account_clear(&target);
        return STATUS_TEMPFAIL;
    }
    *bits_r = same ? 0 : bits & TEMPLATE_SETTINGS;
    *target_r = target;
    return STATUS_OK;
}

/* Names the kind of a plan about a mailbox that is there. */
static enum status name_kind(struct plan *plan, struct errtext *err)
{
    const struct account *before = &plan->before;
    const struct account *target = &plan->target;
    unsigned different = 0;
    enum status status = provision_differences(before, target, &different, err);
    const char *template =
        before->template_name != NULL ? before->template_name : "";

    if (status == STATUS_OK &&
        (different != 0 || before->pinned != target->pinned ||
         (target->template_name != NULL &&
          strcmp(template, target->template_name) != 0)))
        plan->kind = PLAN_UPDATE;
    return status;
}

enum status provision_edit(const struct account *current,
                           const struct account *wanted, unsigned bits,
                           struct plan *plan, struct errtext *err)
{
    enum status status = STATUS_OK;

    if (current != NULL)
        status = begin(current, plan, err);
    for (unsigned i = 0; status == STATUS_OK && i < ACCOUNT_SETTING_COUNT;
         i++) {
        if ((bits & ACCOUNT_SET_BIT(i)) != 0)
            status = account_copy_setting(&plan->target, wanted,
                                          (enum account_setting)i, err);
    }
    if (status != STATUS_OK)
        return status;
    plan->target.pinned |= bits;
    plan->pin = bits;
    plan->changed |= bits;
    return plan->kind == PLAN_CREATE ? STATUS_OK : name_kind(plan, err);
}

enum status provision_retemplate(const struct account *current,
                                 const struct template_settings *template,
                                 struct plan *plan_r, struct errtext *err)
{
    struct plan plan = {.kind = PLAN_NOTHING};
    enum status status = account_copy(current, &plan.before, err);

    if (status == STATUS_OK)
        status = provision_affected(current, template, NULL, &plan.changed,
                                    &plan.target, err);
    if (status == STATUS_OK)
        status = name_kind(&plan, err);
    if (status != STATUS_OK) {
        plan_clear(&plan);
        return STATUS_TEMPFAIL;
    }
    *plan_r = plan;
    return STATUS_OK;
}
