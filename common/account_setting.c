/* account_setting - one setting from words, and from another account */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "account.h"

#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#define NAME_BYTES_MAX 255
#define TAGS_BYTES_MAX 4096
#define TAGS_MAX 100

/* The protocol that a setting allows; 0 for other settings. */
static unsigned service_of(enum account_setting setting)
{
    switch (setting) {
    case ACCOUNT_SET_SMTP:
        return ACCOUNT_SMTP;
    case ACCOUNT_SET_IMAP:
        return ACCOUNT_IMAP;
    case ACCOUNT_SET_POP3:
        return ACCOUNT_POP3;
    case ACCOUNT_SET_SIEVE:
        return ACCOUNT_SIEVE;
    case ACCOUNT_SET_NAME:
    case ACCOUNT_SET_QUOTA:
    case ACCOUNT_SET_MESSAGE_SIZE:
    case ACCOUNT_SET_RATE_MESSAGES:
    case ACCOUNT_SET_RATE_RECIPIENTS:
    case ACCOUNT_SET_TLS_IN:
    case ACCOUNT_SET_TLS_OUT:
    case ACCOUNT_SET_ACTIVE:
    case ACCOUNT_SET_TAGS:
    case ACCOUNT_SET_ALIASES:
    case ACCOUNT_SETTING_COUNT:
        break;
    }
    return 0;
}

/* Replaces an owned text; with is owned and taken. */
static void take_text(char **text, char *with)
{
    free(*text);
    *text = with;
}

/* Text that may stand in a listing, a header and a column. */
static enum status check_text(const char *text, size_t max, const char *what,
                              struct errtext *err)
{
    size_t len = strlen(text);

    if (len > max) {
        errtext_set(err, "%s has at most %zu bytes", what, max);
        return STATUS_INVALID;
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) {
            errtext_set(err, "%s has a control character", what);
            return STATUS_INVALID;
        }
    }
    if (u8_check((const uint8_t *)text, len) != NULL) {
        errtext_set(err, "%s is not UTF-8", what);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

static enum status read_name(struct account *account, const char *text,
                             struct errtext *err)
{
    enum status status = check_text(text, NAME_BYTES_MAX, "a name", err);
    char *copy;

    if (status != STATUS_OK)
        return status;
    copy = strdup(text);
    if (copy == NULL)
        return status_no_memory(err);
    take_text(&account->name, copy);
    return STATUS_OK;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Joins sorted tags, each once. */
static enum status join_tags(char *const *tags, size_t count, char **text_r,
                             struct errtext *err)
{
    struct strbuf joined = STRBUF_INIT(TAGS_BYTES_MAX);
    enum status status;

    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(tags[i], tags[i - 1]) == 0)
            continue;
        strbuf_appendf(&joined, "%s%s", joined.len > 0 ? "," : "", tags[i]);
    }
    status = strbuf_take(&joined, text_r, err);
    strbuf_clear(&joined);
    return status;
}

static enum status read_tags(struct account *account, const char *text,
                             struct errtext *err)
{
    enum status status =
        check_text(text, TAGS_BYTES_MAX, "a list of tags", err);
    char *tags[TAGS_MAX];
    char *copy = NULL;
    char *joined = NULL;
    size_t count = 0;

    if (status != STATUS_OK)
        return status;
    copy = strdup(text);
    if (copy == NULL)
        return status_no_memory(err);
    for (char *tag = copy; tag != NULL && status == STATUS_OK;) {
        char *comma = strchr(tag, ',');

        if (comma != NULL)
            *comma = '\0';
        if (count == TAGS_MAX) {
            errtext_set(err, "a mailbox has at most %d tags", TAGS_MAX);
            status = STATUS_INVALID;
        } else if (tag[0] != '\0') {
            tags[count++] = tag;
        }
        tag = comma != NULL ? comma + 1 : NULL;
    }
    if (status == STATUS_OK && count > 0)
        qsort(tags, count, sizeof(tags[0]), compare_texts);
    if (status == STATUS_OK)
        status = join_tags(tags, count, &joined, err);
    if (status == STATUS_OK)
        take_text(&account->set.tags, joined);
    free(copy);
    return status;
}

static enum status read_yes_no(const char *text, enum account_setting setting,
                               bool *value_r, struct errtext *err)
{
    if (strcmp(text, "yes") == 0)
        *value_r = true;
    else if (strcmp(text, "no") == 0)
        *value_r = false;
    else {
        errtext_set(err, "%s is yes or no, not \"%.100s\"",
                    account_setting_name(setting), text);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

static enum status read_service(struct account *account,
                                enum account_setting setting, const char *text,
                                struct errtext *err)
{
    unsigned service = service_of(setting);
    bool allowed = false;
    enum status status = read_yes_no(text, setting, &allowed, err);

    if (status == STATUS_OK && allowed)
        account->set.services |= service;
    else if (status == STATUS_OK)
        account->set.services &= ~service;
    return status;
}

static enum status read_active(struct account *account, const char *text,
                               struct errtext *err)
{
    if (account_template_state_from(text, &account->set.active))
        return STATUS_OK;
    errtext_set(err, "active is active, nologin or off, not \"%.100s\"", text);
    return STATUS_INVALID;
}

enum status account_read_setting(struct account *account,
                                 enum account_setting setting, const char *text,
                                 struct errtext *err)
{
    struct account_settings *set = &account->set;

    switch (setting) {
    case ACCOUNT_SET_NAME:
        return read_name(account, text, err);
    case ACCOUNT_SET_QUOTA:
        return quantity_size(text, &set->quota_bytes, err);
    case ACCOUNT_SET_MESSAGE_SIZE:
        return quantity_size(text, &set->message_size_bytes, err);
    case ACCOUNT_SET_RATE_MESSAGES:
        return quantity_rate(text, &set->rate_messages, err);
    case ACCOUNT_SET_RATE_RECIPIENTS:
        return quantity_rate(text, &set->rate_recipients, err);
    case ACCOUNT_SET_SMTP:
    case ACCOUNT_SET_IMAP:
    case ACCOUNT_SET_POP3:
    case ACCOUNT_SET_SIEVE:
        return read_service(account, setting, text, err);
    case ACCOUNT_SET_TLS_IN:
        return read_yes_no(text, setting, &set->tls_in, err);
    case ACCOUNT_SET_TLS_OUT:
        return read_yes_no(text, setting, &set->tls_out, err);
    case ACCOUNT_SET_ACTIVE:
        return read_active(account, text, err);
    case ACCOUNT_SET_TAGS:
        return read_tags(account, text, err);
    case ACCOUNT_SET_ALIASES:
    case ACCOUNT_SETTING_COUNT:
        break;
    }
    errtext_set(err, "%s are made from the directory",
                account_setting_name(setting));
    return STATUS_INVALID;
}

void account_append_pins(struct strbuf *buf, unsigned pinned)
{
    const char *before = "";

    for (unsigned i = 0; i < ACCOUNT_SETTING_COUNT; i++) {
        if ((pinned & ACCOUNT_SET_BIT(i)) == 0)
            continue;
        strbuf_appendf(buf, "%s%s", before,
                       account_setting_name((enum account_setting)i));
        before = ",";
    }
}

/* Replaces an owned text by a copy of one that may be NULL. */
static enum status copy_text(char **text, const char *from, struct errtext *err)
{
    char *copy = strdup(from != NULL ? from : "");

    if (copy == NULL)
        return status_no_memory(err);
    take_text(text, copy);
    return STATUS_OK;
}

enum status account_copy_setting(struct account *to, const struct account *from,
                                 enum account_setting setting,
                                 struct errtext *err)
{
    const struct account_settings *set = &from->set;
    unsigned service = service_of(setting);

    switch (setting) {
    case ACCOUNT_SET_NAME:
        return copy_text(&to->name, from->name, err);
    case ACCOUNT_SET_QUOTA:
        to->set.quota_bytes = set->quota_bytes;
        break;
    case ACCOUNT_SET_MESSAGE_SIZE:
        to->set.message_size_bytes = set->message_size_bytes;
        break;
    case ACCOUNT_SET_RATE_MESSAGES:
        to->set.rate_messages = set->rate_messages;
        break;
    case ACCOUNT_SET_RATE_RECIPIENTS:
        to->set.rate_recipients = set->rate_recipients;
        break;
    case ACCOUNT_SET_SMTP:
    case ACCOUNT_SET_IMAP:
    case ACCOUNT_SET_POP3:
    case ACCOUNT_SET_SIEVE:
        to->set.services =
            (to->set.services & ~service) | (set->services & service);
        break;
    case ACCOUNT_SET_TLS_IN:
        to->set.tls_in = set->tls_in;
        break;
    case ACCOUNT_SET_TLS_OUT:
        to->set.tls_out = set->tls_out;
        break;
    case ACCOUNT_SET_ACTIVE:
        to->set.active = set->active;
        break;
    case ACCOUNT_SET_TAGS:
        return copy_text(&to->set.tags, set->tags, err);
    case ACCOUNT_SET_ALIASES: /* rows of their own */
    case ACCOUNT_SETTING_COUNT:
        break;
    }
    return STATUS_OK;
}
