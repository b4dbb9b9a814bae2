/* sync_print - see sync_print.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "sync_print.h"

#include "account.h"
#include "strbuf.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define SETTINGS_BYTES_MAX ((size_t)16 << 20)

struct sync_print {
    EVP_MD *md;
    EVP_MD_CTX *digest;
    unsigned char settings[EVP_MAX_MD_SIZE];
    unsigned settings_bytes;
};

/* A text and its end: "ab", "c" is not "a", "bc". */
static void add_text(struct strbuf *buf, const char *text)
{
    strbuf_append(buf, text != NULL ? text : "");
    strbuf_append_char(buf, '\n');
}

static void add_list(struct strbuf *buf, const struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        add_text(buf, list->items[i]);
    strbuf_append_char(buf, '\n');
}

/* All that decides what an entry becomes. */
static void add_settings(struct strbuf *buf, const struct settings *settings,
                         const struct directory_settings *dir)
{
    add_text(buf, dir->name);
    add_text(buf, dir->default_template);
    add_text(buf, dir->quota_field);
    add_text(buf, dir->alias_field);
    add_list(buf, &dir->domains);
    for (size_t i = 0; i < dir->mapping_count; i++) {
        const struct mapping_row *row = &dir->mapping[i];

        add_text(buf, row->attribute);
        add_text(buf, row->pattern);
        strbuf_append_char(buf, row->match_case ? 'c' : 'i');
        add_text(buf, row->template_name);
    }
    for (size_t i = 0; i < settings->template_count; i++) {
        struct account account = {.name = NULL};

        account.set = settings->templates[i].set; /* borrowed */
        add_text(buf, settings->templates[i].name);
        for (int n = 0; n < ACCOUNT_SETTING_COUNT; n++) {
            if (n == ACCOUNT_SET_NAME || n == ACCOUNT_SET_ALIASES)
                continue;
            account_append_setting(buf, &account, (enum account_setting)n);
            strbuf_append_char(buf, '\n');
        }
    }
}

enum status sync_print_new(const struct settings *settings,
                           const struct directory_settings *dir,
                           struct sync_print **print_r, struct errtext *err)
{
    struct sync_print *print = calloc(1, sizeof(*print));
    struct strbuf text = STRBUF_INIT(SETTINGS_BYTES_MAX);
    bool done = false;

    if (print == NULL)
        return status_no_memory(err);
    add_settings(&text, settings, dir);
    print->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    print->digest = EVP_MD_CTX_new();
    if (!text.failed && print->md != NULL && print->digest != NULL)
        done = EVP_Digest(strbuf_text(&text), text.len, print->settings,
                          &print->settings_bytes, print->md, NULL) == 1;
    strbuf_clear(&text);
    if (!done) {
        sync_print_free(&print);
        errtext_set(err, "the settings could not be digested");
        return STATUS_TEMPFAIL;
    }
    *print_r = print;
    return STATUS_OK;
}

void sync_print_free(struct sync_print **print)
{
    if (*print == NULL)
        return;
    EVP_MD_CTX_free((*print)->digest);
    EVP_MD_free((*print)->md);
    free(*print);
    *print = NULL;
}

static bool digest_text(EVP_MD_CTX *digest, const char *text)
{
    /* With its NUL, which no value has inside. */
    return EVP_DigestUpdate(digest, text != NULL ? text : "",
                            text != NULL ? strlen(text) + 1 : 1) == 1;
}

static bool digest_list(EVP_MD_CTX *digest, const struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!digest_text(digest, list->items[i]))
            return false;
    }
    return EVP_DigestUpdate(digest, "\n", 1) == 1;
}

uint64_t sync_print_entry(struct sync_print *print,
                          const struct directory_entry *entry)
{
    unsigned char whole[EVP_MAX_MD_SIZE];
    char disabled = entry->disabled ? 'd' : 'e';
    EVP_MD_CTX *digest = print->digest;
    uint64_t value = 0;

    if (EVP_DigestInit_ex2(digest, print->md, NULL) != 1 ||
        EVP_DigestUpdate(digest, print->settings, print->settings_bytes) != 1 ||
        !digest_text(digest, entry->id) || !digest_text(digest, entry->name) ||
        EVP_DigestUpdate(digest, entry->quota != NULL ? "q" : "-", 1) != 1 ||
        !digest_text(digest, entry->quota) ||
        EVP_DigestUpdate(digest, &disabled, 1) != 1 ||
        !digest_list(digest, &entry->usernames) ||
        !digest_list(digest, &entry->values) ||
        !digest_list(digest, &entry->aliases) ||
        EVP_DigestFinal_ex(digest, whole, NULL) != 1)
        return 0;
    memcpy(&value, whole, sizeof(value));
    return value != 0 ? value : 1;
}

uint64_t sync_print_stored(uint64_t entry, const char *fingerprint)
{
    char first[17] = "";
    size_t len = sizeof(first) - 1;

    if (entry == 0 || fingerprint == NULL)
        return 0;
    /* It is a digest already: its first 64 bits, whatever they look like. */
    if (strlen(fingerprint) < len)
        len = strlen(fingerprint);
    memcpy(first, fingerprint, len);
    return entry ^ strtoull(first, NULL, 16);
}

static enum status digest_hex(struct strbuf *text, char out[SYNC_DIGEST_SIZE],
                              struct errtext *err)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char whole[EVP_MAX_MD_SIZE];
    bool done = !text->failed && EVP_Digest(strbuf_text(text), text->len, whole,
                                            NULL, EVP_sha256(), NULL) == 1;

    strbuf_clear(text);
    if (!done)
        return status_no_memory(err);
    for (size_t i = 0; i < (SYNC_DIGEST_SIZE - 1) / 2; i++) {
        out[2 * i] = digits[whole[i] >> 4];
        out[2 * i + 1] = digits[whole[i] & 15];
    }
    out[SYNC_DIGEST_SIZE - 1] = '\0';
    return STATUS_OK;
}

enum status sync_digest_removals(const struct directory_settings *dir,
                                 char out[SYNC_DIGEST_SIZE],
                                 struct errtext *err)
{
    struct strbuf text = STRBUF_INIT(SETTINGS_BYTES_MAX);

    add_list(&text, &dir->hosts);
    add_list(&text, &dir->base_dns);
    add_text(&text, dir->filter);
    add_text(&text, dir->username_field);
    add_text(&text, dir->id_field);
    return digest_hex(&text, out, err);
}

enum status sync_digest_cookie(const struct directory_settings *dir,
                               char out[SYNC_DIGEST_SIZE], struct errtext *err)
{
    struct strbuf text = STRBUF_INIT(SETTINGS_BYTES_MAX);

    add_list(&text, &dir->base_dns);
    add_text(&text, dir->filter);
    add_text(&text, dir->disabled_filter);
    add_text(&text, dir->username_field);
    add_text(&text, dir->attribute_field);
    add_text(&text, dir->name_field);
    add_text(&text, dir->alias_field);
    add_text(&text, dir->quota_field);
    add_text(&text, dir->id_field);
    add_text(&text, dir->bind_dn);
    return digest_hex(&text, out, err);
}
