/* name - see name.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "name.h"

#include <stdlib.h>
#include <string.h>

#define LABEL_BYTES_MAX 63

static bool is_letter(unsigned char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_digit_or_letter(unsigned char byte)
{
    return (byte >= '0' && byte <= '9') || is_letter(byte);
}

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

/* A local part whose canonical form is itself in lower case. */
static bool plain_local(const char *local, size_t len)
{
    if (len == 0 || len > ADDRESS_LOCAL_BYTES_MAX || local[0] == '.' ||
        local[0] == '-' || local[len - 1] == '.')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (local[i] == '.' && local[i + 1] == '.')
            return false;
        if (!is_digit_or_letter((unsigned char)local[i]) &&
            (local[i] == '\0' || strchr("._+-=", local[i]) == NULL))
            return false;
    }
    return true;
}

/*
 * A domain whose canonical form is itself in lower case. What has "--" in the
 * third place of a label may be Unicode in disguise, and goes the long way.
 */
static bool plain_domain(const char *domain, size_t len)
{
    size_t label = 0;
    bool dot = false;

    if (len == 0 || len > ADDRESS_DOMAIN_BYTES_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (domain[i] == '.') {
            if (label == 0 || domain[i - 1] == '-')
                return false;
            label = 0;
            dot = true;
            continue;
        }
        if (domain[i] == '-') {
            if (label == 0 || label == 3)
                return false;
        } else if (!is_digit_or_letter((unsigned char)domain[i])) {
            return false;
        }
        if (++label > LABEL_BYTES_MAX)
            return false;
    }
    /* What ends in a digit may be an address of the Internet Protocol. */
    return dot && label > 0 && is_letter((unsigned char)domain[len - 1]);
}

static void copy_lower(char *to, const char *from, size_t len)
{
    for (size_t i = 0; i < len; i++)
        to[i] = lower(from[i]);
    to[len] = '\0';
}

/* The local part, canonical or as it was, before a canonical domain. */
static enum status join(const char *address, size_t local_len,
                        const char *domain, struct name *name,
                        struct errtext *err)
{
    size_t domain_len = strlen(domain);
    char *whole = NULL;
    enum status status = address_canonical(address, &whole, err);

    if (status == STATUS_TEMPFAIL)
        return status;
    name->fit = status == STATUS_OK;
    if (name->fit) {
        size_t len = strlen(whole);

        name->local_len = len - strlen(address_domain_of(whole)) - 1;
        memcpy(name->text, whole, len + 1);
        free(whole);
        return STATUS_OK;
    }
    /* Nothing is looked up by what is cut here: it is not fit. */
    if (local_len > ADDRESS_LOCAL_BYTES_MAX)
        local_len = ADDRESS_LOCAL_BYTES_MAX;
    copy_lower(name->text, address, local_len);
    name->text[local_len] = '@';
    memcpy(name->text + local_len + 1, domain, domain_len + 1);
    name->local_len = local_len;
    return STATUS_OK;
}

static enum status read_slowly(const char *address, size_t local_len,
                               struct name *name, struct errtext *err)
{
    char *domain = NULL;
    enum status status = address_domain(address + local_len + 1, &domain, err);

    if (status != STATUS_OK)
        return status;
    status = join(address, local_len, domain, name, err);
    free(domain);
    return status;
}

enum status name_read(const char *address, struct name *name_r,
                      struct errtext *err)
{
    const char *at = strrchr(address, '@');
    size_t local_len;
    size_t domain_len;

    if (at == NULL) {
        errtext_set(err, "an address without a domain");
        return STATUS_INVALID;
    }
    local_len = (size_t)(at - address);
    domain_len = strlen(at + 1);
    if (!plain_local(address, local_len) || !plain_domain(at + 1, domain_len))
        return read_slowly(address, local_len, name_r, err);
    copy_lower(name_r->text, address, local_len + 1 + domain_len);
    name_r->local_len = local_len;
    name_r->fit = true;
    return STATUS_OK;
}

const char *name_domain(const struct name *name)
{
    return name->text + name->local_len + 1;
}

bool name_without_extension(const struct name *name, const char *delimiters,
                            struct name *base_r)
{
    size_t len = 0;

    while (len < name->local_len && strchr(delimiters, name->text[len]) == NULL)
        len++;
    if (len == 0 || len == name->local_len || name->text[len - 1] == '.')
        return false;
    memcpy(base_r->text, name->text, len);
    memcpy(base_r->text + len, name->text + name->local_len,
           strlen(name->text + name->local_len) + 1);
    base_r->local_len = len;
    base_r->fit = true;
    return true;
}

bool name_in_domain(const struct name *name, const char *domain,
                    struct name *moved_r)
{
    size_t len = strlen(domain);

    if (len > ADDRESS_DOMAIN_BYTES_MAX)
        return false;
    memcpy(moved_r->text, name->text, name->local_len + 1);
    memcpy(moved_r->text + name->local_len + 1, domain, len + 1);
    moved_r->local_len = name->local_len;
    moved_r->fit = name->fit;
    return true;
}
