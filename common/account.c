/* account - see account.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "account.h"

#include "secret.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const source_names[] = {
    [ACCOUNT_LOCAL] = "local",
    [ACCOUNT_LDAP] = "ldap",
};

static const char *const template_state_names[] = {
    [ACCOUNT_ACTIVE] = "active",
    [ACCOUNT_NOLOGIN] = "nologin",
    [ACCOUNT_TEMPLATE_OFF] = "off",
};

static const char *const directory_state_names[] = {
    [ACCOUNT_PRESENT] = "present",
    [ACCOUNT_DISABLED] = "disabled",
    [ACCOUNT_MISSING] = "missing",
    [ACCOUNT_GONE] = "gone",
};

static const char *const admin_state_names[] = {
    [ACCOUNT_UNBLOCKED] = "-",
    [ACCOUNT_BLOCK_LOGIN] = "block_login",
    [ACCOUNT_BLOCK_ALL] = "block_all",
};

/* The words of a template in provost.conf, and two of a mailbox alone. */
static const char *const setting_names[ACCOUNT_SETTING_COUNT] = {
    [ACCOUNT_SET_NAME] = "name",
    [ACCOUNT_SET_QUOTA] = "quota",
    [ACCOUNT_SET_MESSAGE_SIZE] = "message_size",
    [ACCOUNT_SET_RATE_MESSAGES] = "rate_limit",
    [ACCOUNT_SET_RATE_RECIPIENTS] = "recipient_limit",
    [ACCOUNT_SET_SMTP] = "smtp_access",
    [ACCOUNT_SET_IMAP] = "imap_access",
    [ACCOUNT_SET_POP3] = "pop3_access",
    [ACCOUNT_SET_SIEVE] = "sieve_access",
    [ACCOUNT_SET_TLS_IN] = "tls_enforce_in",
    [ACCOUNT_SET_TLS_OUT] = "tls_enforce_out",
    [ACCOUNT_SET_ACTIVE] = "active",
    [ACCOUNT_SET_TAGS] = "tags",
    [ACCOUNT_SET_ALIASES] = "aliases",
};

/* Every name under which a program is known to ask; the first is our word. */
static const struct {
    const char *name;
    unsigned service;
} service_names[] = {
    {"smtp", ACCOUNT_SMTP},         {"imap", ACCOUNT_IMAP},
    {"pop3", ACCOUNT_POP3},         {"sieve", ACCOUNT_SIEVE},
    {"smtpd", ACCOUNT_SMTP},        {"smtps", ACCOUNT_SMTP},
    {"submission", ACCOUNT_SMTP},   {"submissions", ACCOUNT_SMTP},
    {"lmtp", ACCOUNT_SMTP},         {"imapd", ACCOUNT_IMAP},
    {"imaps", ACCOUNT_IMAP},        {"pop", ACCOUNT_POP3},
    {"pops", ACCOUNT_POP3},         {"pop3d", ACCOUNT_POP3},
    {"pop3s", ACCOUNT_POP3},        {"sieved", ACCOUNT_SIEVE},
    {"managesieve", ACCOUNT_SIEVE}, {"timsieved", ACCOUNT_SIEVE},
};

void account_settings_clear(struct account_settings *set)
{
    free(set->tags);
    *set = (struct account_settings){0};
}

void account_clear(struct account *account)
{
    free(account->address);
    free(account->domain);
    free(account->directory);
    free(account->directory_id);
    secret_free(&account->password);
    free(account->name);
    free(account->template_name);
    free(account->fingerprint);
    free(account->mail_path);
    account_settings_clear(&account->set);
    for (size_t i = 0; i < account->alias_count; i++)
        free(account->aliases[i]);
    free(account->aliases);
    *account = (struct account){0};
}

/* Copies a text that may be NULL; false without memory. */
static bool copy_text(const char *from, char **to_r)
{
    if (from == NULL)
        return true;
    *to_r = strdup(from);
    return *to_r != NULL;
}

enum status account_settings_copy(const struct account_settings *from,
                                  struct account_settings *to_r,
                                  struct errtext *err)
{
    struct account_settings copy = *from;

    copy.tags = NULL;
    if (!copy_text(from->tags, &copy.tags))
        return status_no_memory(err);
    *to_r = copy;
    return STATUS_OK;
}

/* Takes the values that need no memory of their own. */
static struct account copy_plain(const struct account *from)
{
    struct account copy = {0};

    copy.source = from->source;
    copy.pinned = from->pinned;
    copy.sync_print = from->sync_print;
    copy.directory_state = from->directory_state;
    copy.admin_state = from->admin_state;
    copy.aliases_known = from->aliases_known;
    return copy;
}

static bool copy_aliases(const struct account *from, struct account *to)
{
    if (from->alias_count == 0)
        return true;
    to->aliases = calloc(from->alias_count, sizeof(*to->aliases));
    if (to->aliases == NULL)
        return false;
    to->alias_count = from->alias_count;
    for (size_t i = 0; i < from->alias_count; i++) {
        if (!copy_text(from->aliases[i], &to->aliases[i]))
            return false;
    }
    return true;
}

enum status account_copy(const struct account *from, struct account *to_r,
                         struct errtext *err)
{
    struct account copy = copy_plain(from);

    if (!copy_text(from->address, &copy.address) ||
        !copy_text(from->domain, &copy.domain) ||
        !copy_text(from->directory, &copy.directory) ||
        !copy_text(from->directory_id, &copy.directory_id) ||
        !copy_text(from->password, &copy.password) ||
        !copy_text(from->name, &copy.name) ||
        !copy_text(from->template_name, &copy.template_name) ||
        !copy_text(from->fingerprint, &copy.fingerprint) ||
        !copy_text(from->mail_path, &copy.mail_path) ||
        account_settings_copy(&from->set, &copy.set, NULL) != STATUS_OK ||
        !copy_aliases(from, &copy)) {
        account_clear(&copy);
        return status_no_memory(err);
    }
    *to_r = copy;
    return STATUS_OK;
}

enum account_access account_access(const struct account *account)
{
    if (account->set.active == ACCOUNT_TEMPLATE_OFF ||
        account->admin_state == ACCOUNT_BLOCK_ALL ||
        account->directory_state == ACCOUNT_GONE)
        return ACCOUNT_OFF;
    /* Mail for somebody who left is kept: what to do with it is not ours. */
    if (account->set.active == ACCOUNT_NOLOGIN ||
        account->directory_state != ACCOUNT_PRESENT ||
        account->admin_state == ACCOUNT_BLOCK_LOGIN)
        return ACCOUNT_LOGIN_CLOSED;
    return ACCOUNT_OPEN;
}

unsigned account_service(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(service_names); i++) {
        if (strcasecmp(service_names[i].name, name) == 0)
            return service_names[i].service;
    }
    return 0;
}

const char *account_service_name(unsigned service)
{
    for (size_t i = 0; i < ARRAY_SIZE(service_names); i++) {
        if (service_names[i].service == service)
            return service_names[i].name;
    }
    return "unknown";
}

/* Returns names[index], or a word that no table holds. */
static const char *name_at(const char *const *names, size_t count, size_t index)
{
    return index < count ? names[index] : "unknown";
}

/* Returns the index of word in names, or count. */
static size_t index_of(const char *const *names, size_t count, const char *word)
{
    size_t i = 0;

    while (i < count && strcmp(names[i], word) != 0)
        i++;
    return i;
}

const char *account_setting_name(enum account_setting setting)
{
    return name_at(setting_names, ARRAY_SIZE(setting_names), (size_t)setting);
}

const char *account_source_name(enum account_source source)
{
    return name_at(source_names, ARRAY_SIZE(source_names), (size_t)source);
}

const char *account_template_state_name(enum account_template_state state)
{
    return name_at(template_state_names, ARRAY_SIZE(template_state_names),
                   (size_t)state);
}

const char *account_directory_state_name(enum account_directory_state state)
{
    return name_at(directory_state_names, ARRAY_SIZE(directory_state_names),
                   (size_t)state);
}

const char *account_admin_state_name(enum account_admin_state state)
{
    return name_at(admin_state_names, ARRAY_SIZE(admin_state_names),
                   (size_t)state);
}

bool account_source_from(const char *word, enum account_source *value_r)
{
    size_t i = index_of(source_names, ARRAY_SIZE(source_names), word);

    if (i == ARRAY_SIZE(source_names))
        return false;
    *value_r = (enum account_source)i;
    return true;
}

bool account_template_state_from(const char *word,
                                 enum account_template_state *value_r)
{
    size_t i =
        index_of(template_state_names, ARRAY_SIZE(template_state_names), word);

    if (i == ARRAY_SIZE(template_state_names))
        return false;
    *value_r = (enum account_template_state)i;
    return true;
}

bool account_directory_state_from(const char *word,
                                  enum account_directory_state *value_r)
{
    size_t i = index_of(directory_state_names,
                        ARRAY_SIZE(directory_state_names), word);

    if (i == ARRAY_SIZE(directory_state_names))
        return false;
    *value_r = (enum account_directory_state)i;
    return true;
}

bool account_admin_state_from(const char *word,
                              enum account_admin_state *value_r)
{
    size_t i = index_of(admin_state_names, ARRAY_SIZE(admin_state_names), word);

    if (i == ARRAY_SIZE(admin_state_names))
        return false;
    *value_r = (enum account_admin_state)i;
    return true;
}

bool account_setting_from(const char *word, enum account_setting *value_r)
{
    size_t i = index_of(setting_names, ARRAY_SIZE(setting_names), word);

    if (i == ARRAY_SIZE(setting_names))
        return false;
    *value_r = (enum account_setting)i;
    return true;
}

static void append_yes_no(struct strbuf *buf, bool value)
{
    strbuf_append(buf, value ? "yes" : "no");
}

static void append_aliases(struct strbuf *buf, const struct account *account)
{
    for (size_t i = 0; i < account->alias_count; i++) {
        if (i > 0)
            strbuf_append_char(buf, ',');
        strbuf_append(buf, account->aliases[i]);
    }
}

void account_append_setting(struct strbuf *buf, const struct account *account,
                            enum account_setting setting)
{
    const struct account_settings *set = &account->set;

    switch (setting) {
    case ACCOUNT_SET_NAME:
        strbuf_append(buf, account->name != NULL ? account->name : "");
        break;
    case ACCOUNT_SET_QUOTA:
        quantity_append_size(buf, set->quota_bytes);
        break;
    case ACCOUNT_SET_MESSAGE_SIZE:
        quantity_append_size(buf, set->message_size_bytes);
        break;
    case ACCOUNT_SET_RATE_MESSAGES:
        quantity_append_rate(buf, set->rate_messages);
        break;
    case ACCOUNT_SET_RATE_RECIPIENTS:
        quantity_append_rate(buf, set->rate_recipients);
        break;
    case ACCOUNT_SET_SMTP:
        append_yes_no(buf, (set->services & ACCOUNT_SMTP) != 0);
        break;
    case ACCOUNT_SET_IMAP:
        append_yes_no(buf, (set->services & ACCOUNT_IMAP) != 0);
        break;
    case ACCOUNT_SET_POP3:
        append_yes_no(buf, (set->services & ACCOUNT_POP3) != 0);
        break;
    case ACCOUNT_SET_SIEVE:
        append_yes_no(buf, (set->services & ACCOUNT_SIEVE) != 0);
        break;
    case ACCOUNT_SET_TLS_IN:
        append_yes_no(buf, set->tls_in);
        break;
    case ACCOUNT_SET_TLS_OUT:
        append_yes_no(buf, set->tls_out);
        break;
    case ACCOUNT_SET_ACTIVE:
        strbuf_append(buf, account_template_state_name(set->active));
        break;
    case ACCOUNT_SET_TAGS:
        strbuf_append(buf, set->tags != NULL ? set->tags : "");
        break;
    case ACCOUNT_SET_ALIASES:
        append_aliases(buf, account);
        break;
    case ACCOUNT_SETTING_COUNT:
        break;
    }
}
