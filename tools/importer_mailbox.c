/* importer_mailbox - see importer.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "importer_private.h"

#include "address.h"
#include "apply.h"
#include "provision_admin.h"
#include "quantity.h"
#include "secret.h"
#include "store_forward.h"

#include <stdlib.h>
#include <string.h>

#define LINE_BYTES_MAX 65536
#define TRIES_MAX 5

/* What an import says of a mailbox; the rest is left as it is. */
#define IMPORTED_SETTINGS                                                      \
    (ACCOUNT_SET_BIT(ACCOUNT_SET_NAME) | ACCOUNT_SET_BIT(ACCOUNT_SET_QUOTA) |  \
     ACCOUNT_SET_BIT(ACCOUNT_SET_RATE_MESSAGES) |                              \
     ACCOUNT_SET_BIT(ACCOUNT_SET_SMTP) | ACCOUNT_SET_BIT(ACCOUNT_SET_IMAP) |   \
     ACCOUNT_SET_BIT(ACCOUNT_SET_POP3) | ACCOUNT_SET_BIT(ACCOUNT_SET_SIEVE) |  \
     ACCOUNT_SET_BIT(ACCOUNT_SET_TLS_IN) |                                     \
     ACCOUNT_SET_BIT(ACCOUNT_SET_TLS_OUT) | ACCOUNT_SET_BIT(ACCOUNT_SET_TAGS))

enum status importer_has_mailbox(struct importer *importer, const char *address,
                                 struct errtext *err)
{
    struct store_found found = {{0}, {0}};
    enum status status;

    if (importer_is_new(importer, address))
        return STATUS_OK;
    status = store_find(importer->tool->store, address,
                        tool_deadline(importer->tool), &found, err);
    if (status == STATUS_OK && (found.account.address == NULL ||
                                strcmp(found.account.address, address) != 0))
        status = STATUS_NOT_FOUND;
    store_found_clear(&found);
    return status;
}

static void left_alone(struct importer *importer, const char *address,
                       const char *reason)
{
    importer_say(importer, '!', "mailbox %s: %s", address, reason);
}

/* "local, 5G, example.org/ada/", and what is shut. */
static void say_new(struct importer *importer, const struct account *wanted)
{
    struct strbuf text = STRBUF_INIT(LINE_BYTES_MAX);

    strbuf_append(&text, account_source_name(wanted->source));
    strbuf_append(&text, ", ");
    quantity_append_size(&text, wanted->set.quota_bytes);
    strbuf_appendf(&text, ", %s", wanted->mail_path);
    if (wanted->admin_state != ACCOUNT_UNBLOCKED)
        strbuf_appendf(&text, ", %s",
                       account_admin_state_name(wanted->admin_state));
    importer_say(importer, '+', "mailbox %s: %s", wanted->address,
                 strbuf_text(&text));
    strbuf_clear(&text);
}

/*
 * Carries a plan out. STATUS_OK; STATUS_DENIED with the limit in err;
 * STATUS_TEMPFAIL.
 */
static enum status carry_out(struct importer *importer, const struct plan *plan,
                             struct errtext *err)
{
    struct apply_outcome outcome = {.kind = APPLY_DONE};
    enum status status =
        apply_plan(importer->tool->store, plan, importer->tool->who,
                   tool_deadline(importer->tool), &outcome, err);

    if (status != STATUS_OK)
        return status;
    switch (outcome.kind) {
    case APPLY_DONE:
        return STATUS_OK;
    case APPLY_LIMIT:
        *err = outcome.reason;
        return STATUS_DENIED;
    case APPLY_CONFLICT:
        errtext_set(err, "somebody else changed it just now");
        return STATUS_DENIED;
    }
    return STATUS_DENIED;
}

/* The domain's counters, or the plan's, take a new mailbox. */
static enum status plan_new(struct importer *importer,
                            const struct account *wanted, struct errtext *err)
{
    struct store_charge charge = {
        .domain = wanted->domain,
        .mailboxes = 1,
        .needs_active = true,
        .quota_bytes = (int64_t)wanted->set.quota_bytes,
        .quota_grows = wanted->set.quota_bytes > 0,
        .wanted_bytes = wanted->set.quota_bytes,
        .unlimited = wanted->set.quota_bytes == 0,
    };
    struct importer_domain *domain = NULL;
    enum status status =
        importer_find_domain(importer, wanted->domain, &domain, err);

    if (status == STATUS_OK &&
        importer_charge(domain, &charge, err) != LIMIT_NONE)
        status = STATUS_DENIED;
    return status;
}

static enum status write_new(struct importer *importer,
                             const struct account *wanted, struct errtext *err)
{
    struct plan plan = {.kind = PLAN_CREATE,
                        .changed = ACCOUNT_SET_BIT(ACCOUNT_SETTING_COUNT) - 1};
    enum status status = account_copy(wanted, &plan.target, err);

    if (status == STATUS_OK)
        status = carry_out(importer, &plan, err);
    plan_clear(&plan);
    return status;
}

static enum status make_mailbox(struct importer *importer,
                                const struct account *wanted,
                                struct errtext *err)
{
    struct store_forward alias = {0};
    enum status status =
        store_forward_find(importer->tool->store, wanted->address,
                           tool_deadline(importer->tool), &alias, err);

    if (status != STATUS_OK)
        return status;
    if (alias.targets != NULL) {
        importer_say(importer, '!', "mailbox %s: it is an alias of %s here",
                     wanted->address,
                     alias.owner != NULL ? alias.owner : alias.targets);
        store_forward_clear(&alias);
        return STATUS_OK;
    }
    status = importer->plan_only ? plan_new(importer, wanted, err)
                                 : write_new(importer, wanted, err);
    if (status == STATUS_DENIED) {
        left_alone(importer, wanted->address, err->text);
        return STATUS_OK;
    }
    if (status == STATUS_OK && !importer_remember(importer, wanted->address))
        status = status_no_memory(err);
    if (status == STATUS_OK)
        say_new(importer, wanted);
    return status;
}

/* "quota: 1G there, 5G here" of each setting in bits. */
static void describe(struct strbuf *text, const struct account *there,
                     const struct account *here, unsigned bits, bool change)
{
    for (unsigned i = 0; i < ACCOUNT_SETTING_COUNT; i++) {
        enum account_setting setting = (enum account_setting)i;

        if ((bits & ACCOUNT_SET_BIT(i)) == 0)
            continue;
        if (text->len > 0)
            strbuf_append(text, "; ");
        strbuf_appendf(text, "%s: ", account_setting_name(setting));
        account_append_setting(text, change ? here : there, setting);
        strbuf_append(text, change ? " -> " : " there, ");
        account_append_setting(text, change ? there : here, setting);
        if (!change)
            strbuf_append(text, " here");
    }
}

static void say_settings(struct importer *importer, char sign,
                         const struct account *there,
                         const struct account *here, unsigned bits)
{
    struct strbuf text = STRBUF_INIT(LINE_BYTES_MAX);

    describe(&text, there, here, bits, sign == '~');
    importer_say(importer, sign, "mailbox %s: %s", there->address,
                 strbuf_text(&text));
    strbuf_clear(&text);
}

static enum status plan_change(struct importer *importer,
                               const struct account *before,
                               const struct account *target,
                               struct errtext *err)
{
    uint64_t old_bytes = before->set.quota_bytes;
    uint64_t new_bytes = target->set.quota_bytes;
    struct store_charge charge = {
        .domain = before->domain,
        .quota_bytes = (int64_t)new_bytes - (int64_t)old_bytes,
        .quota_grows = old_bytes > 0 && new_bytes > old_bytes,
        .wanted_bytes = new_bytes,
        .unlimited = new_bytes == 0 && old_bytes != 0,
    };
    struct importer_domain *domain = NULL;
    enum status status =
        importer_find_domain(importer, before->domain, &domain, err);

    if (status == STATUS_OK && old_bytes != new_bytes &&
        importer_charge(domain, &charge, err) != LIMIT_NONE)
        status = STATUS_DENIED;
    return status;
}

/* Brings what an earlier import made to what stands there now. */
static enum status change_settings(struct importer *importer,
                                   const struct account *wanted,
                                   const struct account *here, unsigned bits,
                                   struct errtext *err)
{
    struct plan plan = {0};
    enum status status = provision_edit(here, wanted, bits, &plan, err);

    /* It is nobody's decision: nothing is pinned by it. */
    plan.target.pinned = here->pinned;
    plan.pin = 0;
    if (status == STATUS_OK)
        status = importer->plan_only
                     ? plan_change(importer, here, &plan.target, err)
                     : carry_out(importer, &plan, err);
    plan_clear(&plan);
    if (status == STATUS_OK)
        say_settings(importer, '~', wanted, here, bits);
    if (status != STATUS_DENIED)
        return status;
    left_alone(importer, wanted->address, err->text);
    return STATUS_OK;
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

/* Says what of the identity differs. Returns true if something does. */
static bool differs(struct importer *importer, const struct account *wanted,
                    const struct account *here)
{
    unsigned long before = importer->left;

    if (wanted->source != here->source)
        importer_say(importer, '!', "mailbox %s: source %s there, %s here",
                     wanted->address, account_source_name(wanted->source),
                     account_source_name(here->source));
    if (!same_text(wanted->mail_path, here->mail_path))
        importer_say(importer, '!',
                     "mailbox %s: its mail is in %s there, in "
                     "%s here",
                     wanted->address, wanted->mail_path, here->mail_path);
    if (wanted->password != NULL &&
        !same_text(wanted->password, here->password))
        left_alone(importer, wanted->address, "it has another password here");
    if (wanted->admin_state != here->admin_state)
        importer_say(importer, '!', "mailbox %s: \"%s\" there, \"%s\" here",
                     wanted->address,
                     account_admin_state_name(wanted->admin_state),
                     account_admin_state_name(here->admin_state));
    return importer->left != before;
}

static enum status meet_mailbox(struct importer *importer,
                                const struct account *wanted,
                                const struct account *here, struct errtext *err)
{
    bool different = differs(importer, wanted, here);
    /* A template, or a directory, decides about this one by now. */
    bool is_ours = here->template_name != NULL;
    unsigned bits = 0;
    enum status status = provision_differences(wanted, here, &bits, err);

    if (status != STATUS_OK)
        return status;
    bits &= IMPORTED_SETTINGS;
    if (here->source == ACCOUNT_LDAP)
        bits = 0;
    if (bits == 0) {
        importer->same += different ? 0 : 1;
        return STATUS_OK;
    }
    if (is_ours) {
        say_settings(importer, '!', wanted, here, bits);
        return STATUS_OK;
    }
    if ((bits & here->pinned) != 0)
        say_settings(importer, '!', wanted, here, bits & here->pinned);
    bits &= ~here->pinned;
    return bits != 0 ? change_settings(importer, wanted, here, bits, err)
                     : STATUS_OK;
}

enum status importer_mailbox(struct importer *importer,
                             const struct account *wanted, struct errtext *err)
{
    struct store_found found = {{0}, {0}};
    enum status status = importer_has_domain(importer, wanted->domain, err);

    if (status == STATUS_NOT_FOUND) {
        importer_say(importer, '!', "mailbox %s: %s is no domain here",
                     wanted->address, wanted->domain);
        return STATUS_OK;
    }
    if (status != STATUS_OK)
        return status;
    if (importer_is_new(importer, wanted->address)) {
        left_alone(importer, wanted->address, "it stands there twice");
        return STATUS_OK;
    }
    status = store_find(importer->tool->store, wanted->address,
                        tool_deadline(importer->tool), &found, err);
    if (status == STATUS_OK && found.account.address != NULL)
        status = meet_mailbox(importer, wanted, &found.account, err);
    else if (status == STATUS_OK)
        status = make_mailbox(importer, wanted, err);
    store_found_clear(&found);
    return status;
}
