/* provision - see provision.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "provision.h"

#include "provision_private.h"

#include "address.h"
#include "strbuf.h"

#include <fnmatch.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FINGERPRINT_BYTES 16 /* of the digest; shown in hexadecimal */
#define ALIASES_MAX 1000     /* of one person; more is a fault of the entry */
#define TEXT_BYTES_MAX 1048576

void plan_clear(struct plan *plan)
{
    account_clear(&plan->before);
    account_clear(&plan->target);
    free(plan->old_address);
    memset(plan, 0, sizeof(*plan));
}

const char *plan_kind_name(enum plan_kind kind)
{
    switch (kind) {
    case PLAN_NOTHING:
        return "nothing";
    case PLAN_CREATE:
        return "create";
    case PLAN_UPDATE:
        return "update";
    case PLAN_ADOPT:
        return "adopt";
    case PLAN_RENAME:
        return "rename";
    case PLAN_DEACTIVATE:
        return "deactivate";
    case PLAN_REACTIVATE:
        return "reactivate";
    case PLAN_REFUSED:
        return "refused";
    }
    return "unknown";
}

const char *plan_refusal_name(enum plan_refusal refusal)
{
    switch (refusal) {
    case REFUSAL_NONE:
        return "";
    case REFUSAL_NO_TEMPLATE:
        return "no_template";
    case REFUSAL_PROVISIONING_OFF:
        return "provisioning_off";
    case REFUSAL_LOCAL_MAILBOX:
        return "local_mailbox";
    case REFUSAL_OTHER_DIRECTORY:
        return "other_directory";
    case REFUSAL_OTHER_ID:
        return "other_id";
    case REFUSAL_NO_ID:
        return "no_id";
    case REFUSAL_DISABLED:
        return "disabled_in_directory";
    }
    return "unknown";
}

/* True if dir is the directory that serves the domain of a canonical address.
 */
static bool serves(const struct settings *settings,
                   const struct directory_settings *dir, const char *address)
{
    return settings_directory_for(settings, address_domain_of(address)) == dir;
}

/* Says which values were no use; the list is cut by errtext. */
static enum status no_address(const struct directory_settings *dir,
                              const struct directory_entry *entry,
                              struct errtext *err)
{
    struct strbuf values = STRBUF_INIT(ERRTEXT_SIZE);

    for (size_t i = 0; i < entry->usernames.count; i++)
        strbuf_appendf(&values, "%s%s", i > 0 ? ", " : "",
                       entry->usernames.items[i]);
    errtext_set(err, "no %s in a domain of directory %s: %s",
                dir->username_field, dir->name,
                entry->usernames.count > 0 ? strbuf_text(&values) : "no value");
    strbuf_clear(&values);
    return STATUS_DENIED;
}

enum status provision_address(const struct settings *settings,
                              const struct directory_settings *dir,
                              const struct directory_entry *entry,
                              const char *address_of_id, char **address_r,
                              struct errtext *err)
{
    char *best = NULL;

    for (size_t i = 0; i < entry->usernames.count; i++) {
        char *address = NULL;
        enum status status =
            address_canonical(entry->usernames.items[i], &address, NULL);

        if (status == STATUS_TEMPFAIL) {
            free(best);
            return status_no_memory(err);
        }
        if (status != STATUS_OK || !serves(settings, dir, address)) {
            free(address);
            continue;
        }
        if (address_of_id != NULL && strcmp(address, address_of_id) == 0) {
            free(best);
            *address_r = address;
            return STATUS_OK;
        }
        if (best == NULL || strcmp(address, best) < 0) {
            free(best);
            best = address;
        } else {
            free(address);
        }
    }
    if (best == NULL)
        return no_address(dir, entry, err);
    *address_r = best;
    return STATUS_OK;
}

static bool row_matches(const struct mapping_row *row, const char *value)
{
    if (row->pattern != NULL && row->pattern[0] != '\0')
        return fnmatch(row->pattern, value,
                       row->match_case ? 0 : FNM_CASEFOLD) == 0;
    if (row->match_case)
        return strcmp(row->attribute, value) == 0;
    return strcasecmp(row->attribute, value) == 0;
}

const struct template_settings *
provision_template(const struct settings *settings,
                   const struct directory_settings *dir,
                   const struct directory_entry *entry, const char **value_r)
{
    if (value_r != NULL)
        *value_r = NULL;
    for (size_t row = 0; row < dir->mapping_count; row++) {
        for (size_t i = 0; i < entry->values.count; i++) {
            if (!row_matches(&dir->mapping[row], entry->values.items[i]))
                continue;
            if (value_r != NULL)
                *value_r = entry->values.items[i];
            return settings_template(settings, dir->mapping[row].template_name);
        }
    }
    if (dir->default_template[0] == '\0')
        return NULL;
    return settings_template(settings, dir->default_template);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/*
 * Takes "smtp:" or "SMTP:" off a proxyAddresses value. Other prefixes (X500:,
 * SIP:) name no mail address: NULL.
 */
static const char *alias_text(const char *value)
{
    const char *colon = strchr(value, ':');

    if (colon == NULL)
        return value;
    if (strncasecmp(value, "smtp:", 5) != 0)
        return NULL;
    return colon + 1;
}

static void drop_repeated_aliases(struct account *target)
{
    size_t kept = 0;

    if (target->alias_count == 0)
        return;
    qsort(target->aliases, target->alias_count, sizeof(char *), compare_texts);
    for (size_t i = 0; i < target->alias_count; i++) {
        if (kept > 0 &&
            strcmp(target->aliases[kept - 1], target->aliases[i]) == 0)
            free(target->aliases[i]);
        else
            target->aliases[kept++] = target->aliases[i];
    }
    target->alias_count = kept;
}

/*
 * Adds one value of alias_field if it is an address in a domain of this
 * directory and not the mailbox's own.
 */
static enum status add_alias(const struct provision_facts *facts,
                             const char *value, struct plan *plan)
{
    const char *text = alias_text(value);
    char *alias = NULL;
    enum status status;

    if (text == NULL)
        return STATUS_OK;
    status = address_canonical(text, &alias, NULL);
    if (status == STATUS_TEMPFAIL)
        return status;
    if (status != STATUS_OK || !serves(facts->settings, facts->dir, alias)) {
        errtext_set(&plan->warning,
                    "%s is no alias in a domain of directory %s", text,
                    facts->dir->name);
        free(alias);
        return STATUS_OK;
    }
    if (strcmp(alias, facts->address) == 0) {
        free(alias);
        return STATUS_OK;
    }
    plan->target.aliases[plan->target.alias_count++] = alias;
    return STATUS_OK;
}

/* Replaces the target's aliases by those the directory has now. */
static enum status take_aliases(const struct provision_facts *facts,
                                struct plan *plan)
{
    const struct text_list *values = &facts->entry->aliases;
    size_t count = values->count < ALIASES_MAX ? values->count : ALIASES_MAX;
    struct account *target = &plan->target;

    for (size_t i = 0; i < target->alias_count; i++)
        free(target->aliases[i]);
    free(target->aliases);
    target->alias_count = 0;
    target->aliases_known = true;
    target->aliases = calloc(count + 1, sizeof(char *));
    if (target->aliases == NULL)
        return STATUS_TEMPFAIL;
    for (size_t i = 0; i < count; i++) {
        enum status status = add_alias(facts, values->items[i], plan);

        if (status != STATUS_OK)
            return status;
    }
    if (values->count > count)
        errtext_set(&plan->warning, "only the first %zu of %zu aliases used",
                    count, values->count);
    drop_repeated_aliases(target);
    return STATUS_OK;
}

/* Replaces an owned text by a copy. */
static enum status replace_text(char **text, const char *with)
{
    char *copy = strdup(with);

    if (copy == NULL)
        return STATUS_TEMPFAIL;
    free(*text);
    *text = copy;
    return STATUS_OK;
}

/* The template's settings, with the quota from the directory if it has one. */
static enum status take_template(const struct provision_facts *facts,
                                 const struct template_settings *template,
                                 struct plan *plan)
{
    struct account *target = &plan->target;
    struct account_settings set = {0};
    struct errtext why = {{0}};

    if (account_settings_copy(&template->set, &set, NULL) != STATUS_OK)
        return STATUS_TEMPFAIL;
    account_settings_clear(&target->set);
    target->set = set;
    if (facts->entry->quota != NULL &&
        quantity_size(facts->entry->quota, &target->set.quota_bytes, &why) !=
            STATUS_OK)
        errtext_set(&plan->warning, "%s of the entry is not used: %.150s",
                    facts->dir->quota_field, why.text);
    return replace_text(&target->template_name, template->name);
}

enum status provision_fingerprint(struct account *target)
{
    struct strbuf text = STRBUF_INIT(TEXT_BYTES_MAX);
    unsigned char digest[EVP_MAX_MD_SIZE];
    char hex[2 * FINGERPRINT_BYTES + 1];
    enum status status = STATUS_TEMPFAIL;

    strbuf_appendf(&text, "%s\n%s\n",
                   target->template_name != NULL ? target->template_name : "",
                   target->address);
    for (int i = 0; i < ACCOUNT_SETTING_COUNT; i++) {
        account_append_setting(&text, target, (enum account_setting)i);
        strbuf_append_char(&text, '\n');
    }
    if (!text.failed && EVP_Digest(strbuf_text(&text), text.len, digest, NULL,
                                   EVP_sha256(), NULL) == 1) {
        static const char digits[] = "0123456789abcdef";

        for (size_t i = 0; i < FINGERPRINT_BYTES; i++) {
            hex[2 * i] = digits[digest[i] >> 4];
            hex[2 * i + 1] = digits[digest[i] & 15];
        }
        hex[sizeof(hex) - 1] = '\0';
        status = replace_text(&target->fingerprint, hex);
    }
    strbuf_clear(&text);
    return status;
}

/* Puts back what an administrator pinned. */
static enum status keep_pinned(const struct account *current,
                               struct account *target)
{
    unsigned pinned = current->pinned;
    const struct account_settings *from = &current->set;
    struct account_settings *to = &target->set;
    unsigned services = 0;

    if (pinned & ACCOUNT_SET_BIT(ACCOUNT_SET_QUOTA))
        to->quota_bytes = from->quota_bytes;
    if (pinned & ACCOUNT_SET_BIT(ACCOUNT_SET_MESSAGE_SIZE))
        to->message_size_bytes = from->message_size_bytes;
    if (pinned & ACCOUNT_SET_BIT(ACCOUNT_SET_RATE_MESSAGES))
        to->rate_messages = from->rate_messages;
    if (pinned & ACCOUNT_SET_BIT(ACCOUNT_SET_RATE_RECIPIENTS))
        to->rate_recipients = from->rate_recipients;
    if (pinned & ACCOUNT_SET_BIT(ACCOUNT_SET_SMTP))
        services |= ACCOUNT_SMTP;
    if (pinned & ACCOUNT_SET_BIT(ACCOUNT_SET_IMAP))
        services |= ACCOUNT_IMAP;
    if (pinned & ACCOUNT_SET_BIT(ACCOUNT_SET_POP3))
        services |= ACCOUNT_POP3;
    if (pinned & ACCOUNT_SET_BIT(ACCOUNT_SET_SIEVE))
        services |= ACCOUNT_SIEVE;
    to->services = (to->services & ~services) | (from->services & services);
    if (pinned & ACCOUNT_SET_BIT(ACCOUNT_SET_TLS_IN))
        to->tls_in = from->tls_in;
    if (pinned & ACCOUNT_SET_BIT(ACCOUNT_SET_TLS_OUT))
        to->tls_out = from->tls_out;
    if (pinned & ACCOUNT_SET_BIT(ACCOUNT_SET_ACTIVE))
        to->active = from->active;
    if ((pinned & ACCOUNT_SET_BIT(ACCOUNT_SET_TAGS)) != 0 &&
        replace_text(&to->tags, from->tags) != STATUS_OK)
        return STATUS_TEMPFAIL;
    if ((pinned & ACCOUNT_SET_BIT(ACCOUNT_SET_NAME)) != 0)
        return replace_text(&target->name, current->name);
    return STATUS_OK;
}

bool provision_same_setting(const struct account *a, const struct account *b,
                            enum account_setting setting, bool *failed)
{
    struct strbuf left = STRBUF_INIT(TEXT_BYTES_MAX);
    struct strbuf right = STRBUF_INIT(TEXT_BYTES_MAX);
    bool same;

    account_append_setting(&left, a, setting);
    account_append_setting(&right, b, setting);
    *failed = *failed || left.failed || right.failed;
    same = strcmp(strbuf_text(&left), strbuf_text(&right)) == 0;
    strbuf_clear(&left);
    strbuf_clear(&right);
    return same;
}

/* Lists the settings that differ and are not pinned. */
static enum status find_changed(struct plan *plan)
{
    bool failed = false;

    for (int i = 0; i < ACCOUNT_SETTING_COUNT; i++) {
        enum account_setting setting = (enum account_setting)i;

        if (plan->before.pinned & ACCOUNT_SET_BIT(setting))
            continue;
        if (setting == ACCOUNT_SET_ALIASES && !plan->target.aliases_known)
            continue; /* the directory has no say in them */
        if (setting == ACCOUNT_SET_ALIASES && !plan->before.aliases_known) {
            plan->changed |= ACCOUNT_SET_BIT(setting);
            continue;
        }
        if (!provision_same_setting(&plan->before, &plan->target, setting,
                                    &failed))
            plan->changed |= ACCOUNT_SET_BIT(setting);
    }
    return failed ? STATUS_TEMPFAIL : STATUS_OK;
}

/* Ends as a refusal with its sentence, written as by printf(3). */
static void PRINTF_LIKE(3, 4)
    refuse(struct plan *plan, enum plan_refusal refusal, const char *fmt, ...)
{
    struct strbuf text = STRBUF_INIT(TEXT_BYTES_MAX);
    va_list args;

    plan->kind = PLAN_REFUSED;
    plan->refusal = refusal;
    va_start(args, fmt);
    strbuf_vappendf(&text, fmt, args);
    va_end(args);
    errtext_set(&plan->reason, "%s", strbuf_text(&text));
    strbuf_clear(&text);
}

static bool is_mailbox(const struct account *account)
{
    return account != NULL && account->address != NULL;
}

/*
 * Whose mailbox is it? Sets plan->kind to PLAN_REFUSED if the person may not
 * have the one at their address.
 */
static void check_owner(const struct provision_facts *facts, struct plan *plan)
{
    const struct account *current = facts->current;

    if (facts->entry->id == NULL)
        refuse(plan, REFUSAL_NO_ID,
               "the entry has no immutable id (id_field = \"%s\")",
               facts->dir->id_field);
    else if (!is_mailbox(current))
        return;
    else if (current->source == ACCOUNT_LOCAL)
        refuse(plan, REFUSAL_LOCAL_MAILBOX,
               "%s is a local mailbox; \"provostctl mailbox source\" can hand "
               "it to the directory",
               current->address);
    else if (current->directory != NULL &&
             strcmp(current->directory, facts->dir->name) != 0)
        refuse(plan, REFUSAL_OTHER_DIRECTORY,
               "the mailbox belongs to directory %s", current->directory);
    else if (current->directory_id != NULL &&
             strcmp(current->directory_id, facts->entry->id) != 0)
        refuse(plan, REFUSAL_OTHER_ID,
               "the mailbox belongs to another person, id %s",
               current->directory_id);
    else if (is_mailbox(facts->by_id) &&
             strcmp(facts->by_id->address, current->address) != 0)
        refuse(plan, REFUSAL_OTHER_ID, "this person has a mailbox already, %s",
               facts->by_id->address);
}

/* Makes target what the directory and the template say, pins not yet kept. */
static enum status fill_target(const struct provision_facts *facts,
                               const struct template_settings *template,
                               struct plan *plan)
{
    struct account *target = &plan->target;

    target->source = ACCOUNT_LDAP;
    target->directory_state =
        facts->entry->disabled ? ACCOUNT_DISABLED : ACCOUNT_PRESENT;
    if (replace_text(&target->address, facts->address) != STATUS_OK ||
        replace_text(&target->domain, address_domain_of(facts->address)) !=
            STATUS_OK ||
        replace_text(&target->directory, facts->dir->name) != STATUS_OK ||
        replace_text(&target->directory_id, facts->entry->id) != STATUS_OK ||
        replace_text(&target->name, facts->entry->name) != STATUS_OK)
        return STATUS_TEMPFAIL;
    if (template != NULL && take_template(facts, template, plan) != STATUS_OK)
        return STATUS_TEMPFAIL;
    if (facts->dir->alias_field[0] != '\0' &&
        take_aliases(facts, plan) != STATUS_OK)
        return STATUS_TEMPFAIL;
    return provision_fingerprint(target);
}

static enum status plan_create(const struct provision_facts *facts,
                               const struct template_settings *template,
                               struct plan *plan, struct errtext *err)
{
    if (facts->entry->disabled)
        refuse(plan, REFUSAL_DISABLED, "%s is disabled in the directory",
               facts->entry->dn);
    else if (!facts->may_create)
        refuse(plan, REFUSAL_PROVISIONING_OFF,
               "directory %s makes no mailboxes here (login_provisioning, "
               "import_users)",
               facts->dir->name);
    else if (template == NULL)
        refuse(plan, REFUSAL_NO_TEMPLATE,
               "no value of %s is in attribute_mapping and there is no "
               "default_template",
               facts->dir->attribute_field[0] != '\0'
                   ? facts->dir->attribute_field
                   : "attribute_field");
    if (plan->kind == PLAN_REFUSED)
        return STATUS_OK;
    plan->kind = PLAN_CREATE;
    if (fill_target(facts, template, plan) != STATUS_OK)
        return status_no_memory(err);
    plan->changed = ACCOUNT_SET_BIT(ACCOUNT_SETTING_COUNT) - 1;
    return address_path(facts->settings->mail.path_format, facts->address,
                        &plan->target.mail_path, err);
}

/* Names the most important difference between before and target. */
static enum plan_kind leading_kind(const struct plan *plan, bool same_print)
{
    const struct account *before = &plan->before;
    const struct account *target = &plan->target;

    if (plan->old_address != NULL)
        return PLAN_RENAME;
    if (before->directory_id == NULL || before->directory == NULL)
        return PLAN_ADOPT;
    if (before->directory_state != target->directory_state)
        return target->directory_state == ACCOUNT_PRESENT ? PLAN_REACTIVATE
                                                          : PLAN_DEACTIVATE;
    return same_print ? PLAN_NOTHING : PLAN_UPDATE;
}

static enum status plan_existing(const struct provision_facts *facts,
                                 const struct template_settings *template,
                                 const struct account *mailbox,
                                 struct plan *plan, struct errtext *err)
{
    bool same_print;

    if (account_copy(mailbox, &plan->before, err) != STATUS_OK ||
        account_copy(mailbox, &plan->target, err) != STATUS_OK)
        return STATUS_TEMPFAIL;
    if (strcmp(mailbox->address, facts->address) != 0 &&
        replace_text(&plan->old_address, mailbox->address) != STATUS_OK)
        return status_no_memory(err);
    plan->old_name_seconds =
        (uint64_t)facts->settings->sync.rename_alias_for_ms / 1000;
    if (template == NULL)
        errtext_set(&plan->warning,
                    "nothing maps any more: the mailbox keeps its settings");
    if (fill_target(facts, template, plan) != STATUS_OK)
        return status_no_memory(err);
    same_print = mailbox->fingerprint != NULL &&
                 strcmp(mailbox->fingerprint, plan->target.fingerprint) == 0;
    if (keep_pinned(mailbox, &plan->target) != STATUS_OK)
        return status_no_memory(err);
    if (!same_print && find_changed(plan) != STATUS_OK)
        return status_no_memory(err);
    plan->kind = leading_kind(plan, same_print);
    return STATUS_OK;
}

enum status provision_plan(const struct provision_facts *facts,
                           struct plan *plan_r, struct errtext *err)
{
    const struct template_settings *template =
        provision_template(facts->settings, facts->dir, facts->entry, NULL);
    struct plan plan = {0};
    enum status status = STATUS_OK;

    check_owner(facts, &plan);
    if (plan.kind != PLAN_REFUSED) {
        if (is_mailbox(facts->current))
            status = plan_existing(facts, template, facts->current, &plan, err);
        else if (is_mailbox(facts->by_id))
            status = plan_existing(facts, template, facts->by_id, &plan, err);
        else
            status = plan_create(facts, template, &plan, err);
    }
    if (status != STATUS_OK) {
        plan_clear(&plan);
        return STATUS_TEMPFAIL;
    }
    *plan_r = plan;
    return STATUS_OK;
}

enum status provision_absent(const struct account *current,
                             enum account_directory_state state,
                             const struct errtext *reason, struct plan *plan_r,
                             struct errtext *err)
{
    struct plan plan = {.kind = PLAN_DEACTIVATE, .reason = *reason};

    if (current->directory_state == state)
        plan.kind = PLAN_NOTHING;
    if (account_copy(current, &plan.before, err) != STATUS_OK ||
        account_copy(current, &plan.target, err) != STATUS_OK) {
        plan_clear(&plan);
        return STATUS_TEMPFAIL;
    }
    plan.target.directory_state = state;
    *plan_r = plan;
    return STATUS_OK;
}
