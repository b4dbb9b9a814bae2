/* import_rows - see import_rows.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "import_rows.h"

#include "address.h"
#include "password.h"
#include "secret.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PATH_BYTES_MAX 1024
#define SIZE_MAX_BYTES INT64_MAX
#define MEBIBYTE ((uint64_t)1 << 20)

static bool is_hex(const char *text, size_t len)
{
    return strlen(text) == len && strspn(text, "0123456789abcdefABCDEF") == len;
}

static bool is_des(const char *text)
{
    return strlen(text) == 13 &&
           strspn(text, "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "abcdefghijklmnopqrstuvwxyz") == 13;
}

/* The scheme of a hash that does not name one, or NULL. */
static const char *scheme_of(const char *text)
{
    if (strncmp(text, "$argon2id$", 10) == 0)
        return "ARGON2ID";
    if (strncmp(text, "$argon2i$", 9) == 0)
        return "ARGON2I";
    if (text[0] == '$' || is_des(text))
        return "CRYPT";
    return is_hex(text, 32) ? "PLAIN-MD5" : NULL;
}

enum status import_hash(const char *text, const char *scheme, char **hash_r,
                        struct errtext *err)
{
    struct strbuf hash = STRBUF_INIT(PASSWORD_HASH_BYTES_MAX);
    struct errtext reason = {{0}};
    enum status status = STATUS_NOT_FOUND;

    if (text == NULL || text[0] == '\0') {
        errtext_set(err, "it has no password");
        return STATUS_NOT_FOUND;
    }
    if (text[0] != '{') {
        const char *found = scheme != NULL ? scheme : scheme_of(text);

        if (found == NULL) {
            errtext_set(err, "its password is of no scheme that shows: say "
                             "--scheme NAME if you know it");
            return STATUS_NOT_FOUND;
        }
        strbuf_appendf(&hash, "{%s}", found);
    }
    strbuf_append(&hash, text);
    if (hash.failed)
        errtext_set(err, "its hash is too long");
    else if (password_check(strbuf_text(&hash), &reason) != STATUS_OK)
        errtext_set(err, "its password: %s", reason.text);
    else
        status = strbuf_take(&hash, hash_r, err);
    strbuf_clear(&hash);
    return status;
}

uint64_t import_number(const char *text, bool *negative_r)
{
    struct errtext err = {{0}};
    uint64_t number = 0;

    if (negative_r != NULL)
        *negative_r = text != NULL && text[0] == '-';
    if (text == NULL ||
        quantity_number(text, 0, SIZE_MAX_BYTES, &number, &err) != STATUS_OK)
        return 0;
    return number;
}

uint64_t import_mebibytes(const char *text)
{
    uint64_t number = import_number(text, NULL);

    return number > SIZE_MAX_BYTES / MEBIBYTE ? SIZE_MAX_BYTES
                                              : number * MEBIBYTE;
}

uint64_t import_limit(const char *text, bool zero_is_none, const char *used,
                      bool *closed_r)
{
    bool negative = false;
    uint64_t limit = import_number(text, &negative);
    uint64_t there = import_number(used, NULL);

    *closed_r = negative || (limit == 0 && zero_is_none);
    if (*closed_r)
        limit = there > 0 ? there : 1;
    return limit;
}

bool import_rate(const char *text, struct rate *rate_r)
{
    struct errtext err = {{0}};
    char packed[32];
    size_t len = 0;

    for (; *text != '\0'; text++) {
        if (*text == ' ')
            continue;
        if (len == sizeof(packed) - 1)
            return false;
        packed[len++] = *text;
    }
    packed[len] = '\0';
    return quantity_rate(packed, rate_r, &err) == STATUS_OK;
}

static enum status refuse_path(struct errtext *err, const char *sentence)
{
    errtext_set(err, "its mail path %s", sentence);
    return STATUS_INVALID;
}

/* A path of ours: relative, nothing in it that leads elsewhere. */
static enum status check_path(const char *path, struct errtext *err)
{
    if (path[0] == '\0')
        return refuse_path(err, "is empty");
    if (path[0] == '/')
        return refuse_path(err, "is not below the mail directory: see "
                                "--mail-base");
    for (const char *at = path; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f || *at == '\\' ||
            *at == '"')
            return refuse_path(err, "has characters that are not safe");
        if ((at == path || at[-1] == '/') &&
            (at[0] == '/' || strncmp(at, "./", 2) == 0 ||
             strncmp(at, "../", 3) == 0))
            return refuse_path(err, "has an empty part, \".\" or \"..\"");
    }
    return STATUS_OK;
}

enum status import_mail_path(const char *text, const char *base,
                             const char *sub, char **path_r,
                             struct errtext *err)
{
    struct strbuf path = STRBUF_INIT(PATH_BYTES_MAX);
    size_t len = strlen(base);
    enum status status;

    if (text == NULL)
        return refuse_path(err, "is missing");
    if (len > 0 && strncmp(text, base, len) == 0) {
        text += len;
        while (base[len - 1] != '/' && *text == '/')
            text++;
    }
    strbuf_append(&path, text);
    if (path.len > 0 && path.data[path.len - 1] != '/')
        strbuf_append_char(&path, '/');
    if (sub[0] != '\0')
        strbuf_appendf(&path, "%s/", sub);
    status = path.failed ? refuse_path(err, "is too long")
                         : check_path(strbuf_text(&path), err);
    if (status == STATUS_OK)
        status = strbuf_take(&path, path_r, err);
    strbuf_clear(&path);
    return status;
}

enum status import_address(const char *text, char **address_r,
                           struct errtext *err)
{
    struct strbuf address = STRBUF_INIT(ADDRESS_BYTES_MAX);
    char *domain = NULL;
    enum status status;

    if (text[0] != '@')
        return address_canonical(text, address_r, err);
    status = address_domain(text + 1, &domain, err);
    if (status != STATUS_OK)
        return status;
    strbuf_appendf(&address, "@%s", domain);
    free(domain);
    status = strbuf_take(&address, address_r, err);
    strbuf_clear(&address);
    return status;
}

/* Says whether a list with commas has the address. */
static bool has_target(const char *list, const char *address)
{
    size_t len = strlen(address);

    while (*list != '\0') {
        size_t word = strcspn(list, ",");

        if (word == len && memcmp(list, address, len) == 0)
            return true;
        list += word + (list[word] == ',');
    }
    return false;
}

static enum status add_target(const char *text, size_t len,
                              struct strbuf *targets, struct errtext *err)
{
    struct errtext reason = {{0}};
    char word[ADDRESS_BYTES_MAX + 1];
    char *address = NULL;
    enum status status = STATUS_INVALID;

    if (len < sizeof(word)) {
        memcpy(word, text, len);
        word[len] = '\0';
        status = address_canonical(word, &address, &reason);
    }
    if (status != STATUS_OK) {
        errtext_set(err, "its target \"%.*s\" is no address",
                    len < 100 ? (int)len : 100, text);
        return status;
    }
    if (!has_target(strbuf_text(targets), address)) {
        if (targets->len > 0)
            strbuf_append_char(targets, ',');
        strbuf_append(targets, address);
    }
    free(address);
    return STATUS_OK;
}

enum status import_targets(const char *text, struct strbuf *targets,
                           struct errtext *err)
{
    enum status status = STATUS_OK;

    while (status == STATUS_OK && *text != '\0') {
        size_t len;

        text += strspn(text, ", \t\r\n");
        len = strcspn(text, ",\r\n");
        while (len > 0 && isspace((unsigned char)text[len - 1]))
            len--;
        if (len > 0)
            status = add_target(text, len, targets, err);
        text += strcspn(text, ",\r\n");
    }
    if (status == STATUS_OK && targets->failed) {
        errtext_set(err, "its targets are too many");
        status = STATUS_INVALID;
    }
    if (status == STATUS_OK && targets->len == 0) {
        errtext_set(err, "it leads nowhere");
        status = STATUS_INVALID;
    }
    return status;
}
