/* address - see address.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "address.h"

#include "strbuf.h"

#include <errno.h>
#include <idn2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

/*
 * What is longer than this before it is normalised cannot be short enough
 * afterwards: no character shrinks to less than a quarter of its bytes.
 */
#define INPUT_BYTES_MAX ((size_t)4 * (ADDRESS_BYTES_MAX + 1))
#define LABEL_BYTES_MAX 63
#define PATH_FORMAT_BYTES_MAX 255
#define PATH_BYTES_MAX 1024

static const char no_utf8[] = "it is not valid UTF-8";

/* What a text may hold beside the ordinary characters. */
enum alphabet {
    ALPHABET_LOCAL, /* a dot-atom without '/' */
    ALPHABET_NAME   /* also inner blanks and all ASCII punctuation */
};

/*
 * Makes the NFC and lower-case form of len bytes of text as an owned string.
 * The language is none at all, so that no locale decides who is who.
 */
static enum status normal_form(const char *text, size_t len, char **normal_r,
                               struct errtext *err)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t composed_len = 0;
    size_t lower_len = 0;
    uint8_t *composed = NULL;
    uint8_t *lower = NULL;
    char *normal = NULL;

    if (u8_check(bytes, len) != NULL) {
        errtext_set(err, "%s", no_utf8);
        return STATUS_INVALID;
    }
    composed = u8_normalize(UNINORM_NFC, bytes, len, NULL, &composed_len);
    if (composed == NULL)
        goto out;
    lower =
        u8_tolower(composed, composed_len, NULL, UNINORM_NFC, NULL, &lower_len);
    if (lower == NULL)
        goto out;
    normal = malloc(lower_len + 1);
    if (normal == NULL)
        goto out;
    memcpy(normal, lower, lower_len);
    normal[lower_len] = '\0';
out:
    free(composed);
    free(lower);
    if (normal == NULL)
        return status_no_memory(err);
    *normal_r = normal;
    return STATUS_OK;
}

/* Control, format and unassigned characters, and every blank but ' '. */
static bool invisible(ucs4_t character)
{
    return uc_is_general_category_withtable(
        character, UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf |
                       UC_CATEGORY_MASK_Cs | UC_CATEGORY_MASK_Co |
                       UC_CATEGORY_MASK_Cn | UC_CATEGORY_MASK_Zs |
                       UC_CATEGORY_MASK_Zl | UC_CATEGORY_MASK_Zp);
}

static bool allowed(ucs4_t character, enum alphabet alphabet)
{
    if (character == ' ')
        return alphabet == ALPHABET_NAME;
    if (invisible(character))
        return false;
    if (character >= 0x80 || alphabet == ALPHABET_NAME)
        return true;
    return strchr("\"(),/:;<>@[\\]", (int)character) == NULL;
}

/* Checks that each character of the normalised text is of the alphabet. */
static enum status check_characters(const char *text, enum alphabet alphabet,
                                    struct errtext *err)
{
    const uint8_t *next = (const uint8_t *)text;
    ucs4_t character = 0;

    for (;;) {
        next = u8_next(&character, next);
        if (next == NULL)
            return STATUS_OK;
        if (!allowed(character, alphabet)) {
            errtext_set(err, "character U+%04X is not allowed in it",
                        (unsigned)character);
            return STATUS_INVALID;
        }
    }
}

/* Checks dots and the first byte; the characters themselves are fine. */
static enum status check_local_form(const char *local, struct errtext *err)
{
    size_t len = strlen(local);

    if (len == 0) {
        errtext_set(err, "nothing stands before '@'");
        return STATUS_INVALID;
    }
    if (len > ADDRESS_LOCAL_BYTES_MAX) {
        errtext_set(err, "the part before '@' has over %d bytes",
                    ADDRESS_LOCAL_BYTES_MAX);
        return STATUS_INVALID;
    }
    if (local[0] == '.' || local[len - 1] == '.' ||
        strstr(local, "..") != NULL) {
        errtext_set(err, "the part before '@' has a leading, trailing or "
                         "double dot");
        return STATUS_INVALID;
    }
    /* Postfix takes no mail for it (allow_min_user), nor would a command. */
    if (local[0] == '-') {
        errtext_set(err, "the part before '@' starts with '-'");
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

static enum status local_canonical(const char *text, size_t len, char **local_r,
                                   struct errtext *err)
{
    char *local = NULL;
    enum status status = normal_form(text, len, &local, err);

    if (status == STATUS_OK)
        status = check_characters(local, ALPHABET_LOCAL, err);
    if (status == STATUS_OK)
        status = check_local_form(local, err);
    if (status == STATUS_OK) {
        *local_r = local;
        local = NULL;
    }
    free(local);
    return status;
}

/* Checks one label of an A-label domain: letters, digits, inner hyphens. */
static bool label_fits(const char *label, size_t len)
{
    static const char ldh[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

    return len > 0 && len <= LABEL_BYTES_MAX && label[0] != '-' &&
           label[len - 1] != '-' && strspn(label, ldh) >= len;
}

/*
 * Checks the form of an A-label domain. One label alone is a host of the local
 * network and all digits at the end is an IP address: no mail domain is either.
 */
static enum status check_domain_form(const char *domain, struct errtext *err)
{
    const char *label = domain;
    size_t labels = 1;
    size_t len = strcspn(label, ".");

    if (strlen(domain) > ADDRESS_DOMAIN_BYTES_MAX) {
        errtext_set(err, "the domain has over %d bytes",
                    ADDRESS_DOMAIN_BYTES_MAX);
        return STATUS_INVALID;
    }
    while (label_fits(label, len) && label[len] == '.') {
        label += len + 1;
        len = strcspn(label, ".");
        labels++;
    }
    if (!label_fits(label, len)) {
        errtext_set(err,
                    "a label of the domain is empty, over %d bytes, or "
                    "not of letters, digits and inner hyphens",
                    LABEL_BYTES_MAX);
        return STATUS_INVALID;
    }
    if (labels < 2 || strspn(label, "0123456789") == len) {
        errtext_set(err, "the domain has %s",
                    labels < 2 ? "one label only" : "no top-level domain");
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

static enum status idn_failure(int rc, struct errtext *err)
{
    if (rc == IDN2_MALLOC)
        return status_no_memory(err);
    errtext_set(err, "the domain is not valid: %s", idn2_strerror(rc));
    return STATUS_INVALID;
}

/* Copies text, of libidn2 or ours, into memory that free(3) may free. */
static enum status copy_text(const char *text, char **copy_r,
                             struct errtext *err)
{
    char *copy = strdup(text);

    if (copy == NULL)
        return status_no_memory(err);
    *copy_r = copy;
    return STATUS_OK;
}

/* True if domain is ASCII and not even in part an A-label. */
static bool domain_is_plain(const char *domain)
{
    for (const char *next = domain; *next != '\0'; next++) {
        if ((unsigned char)*next >= 0x80 || strncasecmp(next, "xn--", 4) == 0)
            return false;
    }
    return true;
}

enum status address_domain_unicode(const char *ascii, char **unicode_r,
                                   struct errtext *err)
{
    char *idn = NULL;
    char *again = NULL;
    enum status status;
    int rc;

    if (domain_is_plain(ascii))
        return copy_text(ascii, unicode_r, err);
    rc = idn2_to_unicode_8z8z(ascii, &idn, 0);
    if (rc != IDN2_OK)
        return idn_failure(rc, err);
    /* What cannot be written back is shown as it is. */
    status = address_domain(idn, &again, NULL);
    if (status == STATUS_TEMPFAIL)
        status = status_no_memory(err);
    else if (status == STATUS_OK && strcmp(again, ascii) == 0)
        status = copy_text(idn, unicode_r, err);
    else
        status = copy_text(ascii, unicode_r, err);
    free(again);
    idn2_free(idn);
    return status;
}

/* Makes an owned copy with A to Z in lower case, or NULL without memory. */
static char *lower_ascii(const char *text)
{
    char *lower = strdup(text);

    for (size_t i = 0; lower != NULL && lower[i] != '\0'; i++) {
        if (lower[i] >= 'A' && lower[i] <= 'Z')
            lower[i] = (char)(lower[i] - 'A' + 'a');
    }
    return lower;
}

/*
 * Makes the A-label form, owned, or NULL and *failure_r; the caller checks what
 * came out.
 *
 * IDN2_USE_STD3_ASCII_RULES would be a trap: libidn2 2.3.3 then drops the
 * forbidden characters in silence, so that a_b.example became ab.example.
 */
static char *domain_ascii(const char *domain, enum status *failure_r,
                          struct errtext *err)
{
    uint8_t *idn = NULL;
    char *ascii;
    int rc;

    if (domain_is_plain(domain)) {
        ascii = lower_ascii(domain);
    } else {
        rc = idn2_lookup_u8((const uint8_t *)domain, &idn,
                            IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
        if (rc != IDN2_OK) {
            *failure_r = idn_failure(rc, err);
            return NULL;
        }
        ascii = strdup((const char *)idn);
        idn2_free(idn);
    }
    if (ascii == NULL)
        *failure_r = status_no_memory(err);
    return ascii;
}

/* Removes the dot that makes a domain absolute; it is the same domain. */
static void strip_last_dot(char *domain)
{
    size_t len = strlen(domain);

    if (len > 0 && domain[len - 1] == '.')
        domain[len - 1] = '\0';
}

enum status address_domain(const char *domain, char **ascii_r,
                           struct errtext *err)
{
    enum status status = STATUS_INVALID;
    size_t len = strlen(domain);
    char *ascii;

    if (len == 0 || len > INPUT_BYTES_MAX) {
        errtext_set(err, "the domain is %s",
                    len == 0 ? "empty" : "far too long");
        return STATUS_INVALID;
    }
    if (u8_check((const uint8_t *)domain, len) != NULL) {
        errtext_set(err, "%s", no_utf8);
        return STATUS_INVALID;
    }
    ascii = domain_ascii(domain, &status, err);
    if (ascii == NULL)
        return status;
    strip_last_dot(ascii);
    status = check_domain_form(ascii, err);
    if (status == STATUS_OK)
        *ascii_r = ascii;
    else
        free(ascii);
    return status;
}

/* Makes an address of two parts; local is the first len bytes. */
static enum status join(const char *local, size_t len, const char *domain,
                        char **address_r, struct errtext *err)
{
    struct strbuf address = STRBUF_INIT(ADDRESS_BYTES_MAX);
    char *local_form = NULL;
    char *domain_form = NULL;
    enum status status = local_canonical(local, len, &local_form, err);

    if (status == STATUS_OK)
        status = address_domain(domain, &domain_form, err);
    if (status == STATUS_OK) {
        strbuf_append(&address, local_form);
        strbuf_append_char(&address, '@');
        strbuf_append(&address, domain_form);
        status = strbuf_take(&address, address_r, err);
    }
    free(local_form);
    free(domain_form);
    return status;
}

enum status address_canonical(const char *address, char **address_r,
                              struct errtext *err)
{
    const char *at = strchr(address, '@');

    if (at == NULL || strchr(at + 1, '@') != NULL) {
        errtext_set(err, "an address has exactly one '@'");
        return STATUS_INVALID;
    }
    if (strlen(address) > INPUT_BYTES_MAX) {
        errtext_set(err, "the address is far too long");
        return STATUS_INVALID;
    }
    return join(address, (size_t)(at - address), at + 1, address_r, err);
}

/*
 * Makes the form of a name without a domain. LDAP matching ignores blanks at
 * the ends and takes many for one: one person would have many names here.
 */
static enum status name_canonical(const char *user, char **name_r,
                                  struct errtext *err)
{
    char *name = NULL;
    enum status status = normal_form(user, strlen(user), &name, err);
    size_t len;

    if (status != STATUS_OK)
        return status;
    len = strlen(name);
    status = check_characters(name, ALPHABET_NAME, err);
    if (status == STATUS_OK && len > ADDRESS_BYTES_MAX) {
        errtext_set(err, "the name has over %d bytes", ADDRESS_BYTES_MAX);
        status = STATUS_INVALID;
    }
    if (status == STATUS_OK && (name[0] == ' ' || name[len - 1] == ' ' ||
                                strstr(name, "  ") != NULL)) {
        errtext_set(err, "the name has a leading, trailing or double blank");
        status = STATUS_INVALID;
    }
    if (status == STATUS_OK) {
        *name_r = name;
        name = NULL;
    }
    free(name);
    return status;
}

enum status address_login(const char *user, const char *realm,
                          struct address_login *login_r, struct errtext *err)
{
    bool has_at = strchr(user, '@') != NULL;
    bool has_realm = realm[0] != '\0';
    size_t len = strlen(user);
    enum status status;
    char *text = NULL;

    if (len == 0 || len > INPUT_BYTES_MAX) {
        errtext_set(err, "the name is %s", len == 0 ? "empty" : "far too long");
        return STATUS_INVALID;
    }
    if (has_at && has_realm) {
        errtext_set(err, "a name with '@' came with a realm beside it");
        return STATUS_INVALID;
    }
    if (has_at)
        status = address_canonical(user, &text, err);
    else if (has_realm)
        status = join(user, len, realm, &text, err);
    else
        status = name_canonical(user, &text, err);
    if (status != STATUS_OK)
        return status;
    login_r->text = text;
    login_r->has_domain = has_at || has_realm;
    return STATUS_OK;
}

const char *address_domain_of(const char *address)
{
    const char *at = strrchr(address, '@');

    return at != NULL ? at + 1 : "";
}

/* What one part of a path format, between two '/', holds. */
struct component {
    size_t values; /* %d, %n, %u */
    size_t bytes;  /* the most it can become */
    bool domain;
    bool local;
};

/* Reads the letter after '%'. */
static bool read_letter(char letter, struct component *part)
{
    switch (letter) {
    case 'd':
        part->domain = true;
        part->bytes += ADDRESS_DOMAIN_BYTES_MAX;
        break;
    case 'n':
        part->local = true;
        part->bytes += ADDRESS_LOCAL_BYTES_MAX;
        break;
    case 'u':
        part->domain = true;
        part->local = true;
        part->bytes += ADDRESS_BYTES_MAX;
        break;
    case '%':
        part->bytes++;
        return true;
    default:
        return false;
    }
    part->values++;
    return true;
}

/* Reads one part of the format, len bytes, that is neither empty nor dots. */
static enum status read_component(const char *text, size_t len,
                                  struct component *part, struct errtext *err)
{
    static const char ordinary[] = "abcdefghijklmnopqrstuvwxyz"
                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789._-+@=";

    if (strspn(text, ".") >= len) {
        errtext_set(err, "the path starts with '/', or has a part that is "
                         "empty, \".\" or \"..\"");
        return STATUS_INVALID;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '%') {
            i++;
            if (!read_letter(text[i], part)) {
                errtext_set(err, "only %%d, %%n, %%u and %%%% may follow a "
                                 "percent sign");
                return STATUS_INVALID;
            }
        } else if (strchr(ordinary, text[i]) != NULL) {
            part->bytes++;
        } else {
            errtext_set(err, "byte 0x%02x is not allowed in a path",
                        (unsigned)(unsigned char)text[i]);
            return STATUS_INVALID;
        }
    }
    /* "%n%d" would be one directory for ab@c.example and a@bc.example. */
    if (part->values > 1) {
        errtext_set(err, "two of %%d, %%n and %%u need a '/' between them");
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

enum status address_path_check(const char *format, struct errtext *err)
{
    size_t len = strlen(format);
    struct component all = {0};
    const char *next = format;

    if (len > PATH_FORMAT_BYTES_MAX || len == 0 || format[len - 1] != '/') {
        errtext_set(err, "a path is 1 to %d bytes with '/' at its end",
                    PATH_FORMAT_BYTES_MAX);
        return STATUS_INVALID;
    }
    while (*next != '\0') {
        struct component part = {0};
        size_t part_len = strcspn(next, "/");
        enum status status = read_component(next, part_len, &part, err);

        if (status != STATUS_OK)
            return status;
        all.bytes += part.bytes + 1;
        all.domain = all.domain || part.domain;
        all.local = all.local || part.local;
        next += part_len + 1;
    }
    if (!all.domain || !all.local) {
        errtext_set(err, "a path needs %%u, or both %%d and %%n, so that no "
                         "two people share it");
        return STATUS_INVALID;
    }
    if (all.bytes > PATH_BYTES_MAX) {
        errtext_set(err, "the path could become longer than %d bytes",
                    PATH_BYTES_MAX);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

enum status address_path(const char *format, const char *address, char **path_r,
                         struct errtext *err)
{
    struct strbuf path = STRBUF_INIT(PATH_BYTES_MAX);
    const char *domain = address_domain_of(address);
    size_t local_len = strcspn(address, "@");

    for (const char *next = format; *next != '\0'; next++) {
        if (*next != '%') {
            strbuf_append_char(&path, *next);
            continue;
        }
        next++;
        if (*next == 'd')
            strbuf_append(&path, domain);
        else if (*next == 'n')
            strbuf_append_len(&path, address, local_len);
        else if (*next == 'u')
            strbuf_append(&path, address);
        else
            strbuf_append_char(&path, '%');
    }
    return strbuf_take(&path, path_r, err);
}
