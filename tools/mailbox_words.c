/* mailbox_words - see mailbox_words.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "mailbox_words.h"

#include <string.h>

/* Option words, in the order of enum account_setting. */
static const char *const option_names[ACCOUNT_SETTING_COUNT] = {
    [ACCOUNT_SET_NAME] = "name",
    [ACCOUNT_SET_QUOTA] = "quota",
    [ACCOUNT_SET_MESSAGE_SIZE] = "message-size",
    [ACCOUNT_SET_RATE_MESSAGES] = "rate-messages",
    [ACCOUNT_SET_RATE_RECIPIENTS] = "rate-recipients",
    [ACCOUNT_SET_SMTP] = "smtp",
    [ACCOUNT_SET_IMAP] = "imap",
    [ACCOUNT_SET_POP3] = "pop3",
    [ACCOUNT_SET_SIEVE] = "sieve",
    [ACCOUNT_SET_TLS_IN] = "tls-in",
    [ACCOUNT_SET_TLS_OUT] = "tls-out",
    [ACCOUNT_SET_ACTIVE] = "active",
    [ACCOUNT_SET_TAGS] = "tags",
    [ACCOUNT_SET_ALIASES] = NULL, /* the directory's alone */
};

void mailbox_words_options(struct mailbox_words *words,
                           struct tool_option *options_r)
{
    size_t count = 0;

    for (size_t i = 0; i < ACCOUNT_SETTING_COUNT; i++) {
        if (option_names[i] != NULL)
            options_r[count++] =
                (struct tool_option){option_names[i], &words->values[i], NULL};
    }
}

enum status mailbox_words_read(const struct mailbox_words *words,
                               struct account *account, unsigned *bits_r,
                               struct errtext *err)
{
    unsigned bits = 0;

    for (unsigned i = 0; i < ACCOUNT_SETTING_COUNT; i++) {
        struct errtext why = {{0}};
        enum status status;

        if (words->values[i] == NULL)
            continue;
        status = account_read_setting(account, (enum account_setting)i,
                                      words->values[i], &why);
        if (status != STATUS_OK) {
            errtext_set(err, "--%s: %.200s", option_names[i], why.text);
            return status;
        }
        bits |= ACCOUNT_SET_BIT(i);
    }
    *bits_r = bits;
    return STATUS_OK;
}

/* One word of a list; it is cut where it does not fit, and then unknown. */
struct item {
    char text[64];
};

/* Takes the next item of a comma list; false at its end. */
static bool next_item(const char **list, struct item *item_r)
{
    size_t len = strcspn(*list, ",");
    size_t kept = len < sizeof(item_r->text) ? len : sizeof(item_r->text) - 1;

    if (**list == '\0')
        return false;
    memcpy(item_r->text, *list, kept);
    item_r->text[kept] = '\0';
    *list += len;
    if (**list == ',')
        (*list)++;
    return true;
}

/* The setting of its stored name, or of its option's. */
static bool find_setting(const char *word, enum account_setting *setting_r)
{
    if (account_setting_from(word, setting_r))
        return true;
    for (unsigned i = 0; i < ACCOUNT_SETTING_COUNT; i++) {
        if (option_names[i] != NULL && strcmp(option_names[i], word) == 0) {
            *setting_r = (enum account_setting)i;
            return true;
        }
    }
    return false;
}

enum status mailbox_words_bits(const char *text, unsigned *bits_r,
                               struct errtext *err)
{
    unsigned bits = 0;
    struct item item;

    if (strcmp(text, "all") == 0) {
        *bits_r = ACCOUNT_SET_BIT(ACCOUNT_SETTING_COUNT) - 1;
        return STATUS_OK;
    }
    while (next_item(&text, &item)) {
        enum account_setting setting = ACCOUNT_SET_NAME;

        if (!find_setting(item.text, &setting)) {
            errtext_set(err,
                        "\"%s\" is no setting of a mailbox (quota, tags, ... "
                        "as provostctl mailbox show names them)",
                        item.text);
            return STATUS_INVALID;
        }
        bits |= ACCOUNT_SET_BIT(setting);
    }
    if (bits == 0) {
        errtext_set(err, "no setting was named");
        return STATUS_INVALID;
    }
    *bits_r = bits;
    return STATUS_OK;
}

enum status mailbox_words_services(const char *text, unsigned *services_r,
                                   struct errtext *err)
{
    unsigned services = 0;
    struct item item;

    if (strcmp(text, "all") == 0) {
        *services_r = ACCOUNT_ALL_SERVICES;
        return STATUS_OK;
    }
    while (next_item(&text, &item)) {
        unsigned service = account_service(item.text);

        if (service == 0) {
            errtext_set(err,
                        "\"%s\" is no service: smtp, imap, pop3, sieve or all",
                        item.text);
            return STATUS_INVALID;
        }
        services |= service;
    }
    if (services == 0) {
        errtext_set(err, "no service was named");
        return STATUS_INVALID;
    }
    *services_r = services;
    return STATUS_OK;
}

void mailbox_words_append_services(struct strbuf *buf, unsigned services)
{
    const char *before = "";

    for (unsigned bit = ACCOUNT_SMTP; bit <= ACCOUNT_SIEVE; bit *= 2) {
        if ((services & bit) == 0)
            continue;
        strbuf_appendf(buf, "%s%s", before, account_service_name(bit));
        before = ",";
    }
}
