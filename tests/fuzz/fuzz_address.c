/* fuzz_address - the canonical form is stable, bounded and safe in a path */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "address.h"
#include "fuzz.h"

/* Nothing but "there is no memory" may be called temporary. */
static bool made(enum status status, char *const *form)
{
    FUZZ_CHECK(status == STATUS_OK || status == STATUS_INVALID);
    FUZZ_CHECK((status == STATUS_OK) == (*form != NULL));
    return status == STATUS_OK;
}

/* The A-label form of a U-label form must be the one we came from. */
static void check_domain(const char *ascii)
{
    char *unicode = NULL;
    char *again = NULL;

    FUZZ_CHECK(strlen(ascii) <= ADDRESS_DOMAIN_BYTES_MAX);
    FUZZ_CHECK(address_domain(ascii, &again, NULL) == STATUS_OK);
    FUZZ_CHECK(strcmp(again, ascii) == 0);
    free(again);
    again = NULL;
    FUZZ_CHECK(address_domain_unicode(ascii, &unicode, NULL) == STATUS_OK);
    FUZZ_CHECK(address_domain(unicode, &again, NULL) == STATUS_OK);
    FUZZ_CHECK(strcmp(again, ascii) == 0);
    free(unicode);
    free(again);
}

static void check_path(const char *path, size_t slashes)
{
    size_t len = strlen(path);
    size_t found = 0;

    FUZZ_CHECK(path[0] != '/' && path[len - 1] == '/');
    FUZZ_CHECK(strncmp(path, "../", 3) != 0);
    FUZZ_CHECK(strstr(path, "/../") == NULL && strstr(path, "//") == NULL);
    for (size_t i = 0; i < len; i++) {
        FUZZ_CHECK((unsigned char)path[i] > ' ' && path[i] != 0x7f);
        if (path[i] == '/')
            found++;
    }
    FUZZ_CHECK(found == slashes);
}

static void check_address(const char *address)
{
    char *again = NULL;
    char *path = NULL;

    FUZZ_CHECK(strlen(address) <= ADDRESS_BYTES_MAX);
    FUZZ_CHECK(address_canonical(address, &again, NULL) == STATUS_OK);
    FUZZ_CHECK(strcmp(again, address) == 0);
    check_domain(address_domain_of(address));
    FUZZ_CHECK(address_path("%d/%n/", address, &path, NULL) == STATUS_OK);
    check_path(path, 2);
    free(again);
    free(path);
}

static void try_login(const char *user, const char *realm)
{
    struct address_login login = {0};
    struct address_login again = {0};

    if (made(address_login(user, realm, &login, NULL), &login.text)) {
        FUZZ_CHECK(strlen(login.text) <= ADDRESS_BYTES_MAX);
        FUZZ_CHECK(address_login(login.text, "", &again, NULL) == STATUS_OK);
        FUZZ_CHECK(strcmp(again.text, login.text) == 0);
        FUZZ_CHECK(again.has_domain == login.has_domain);
        if (login.has_domain)
            check_address(login.text);
    }
    free(login.text);
    free(again.text);
}

static void try_path(const char *format)
{
    size_t slashes = 0;
    char *path = NULL;

    if (address_path_check(format, NULL) != STATUS_OK)
        return;
    for (const char *next = format; *next != '\0'; next++) {
        if (*next == '/')
            slashes++;
    }
    FUZZ_CHECK(address_path(format, "a.b+c@example.org", &path, NULL) ==
               STATUS_OK);
    check_path(path, slashes);
    free(path);
}

/* The input is a user, and after a NUL byte the realm. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    size_t len = strlen(text);
    char *form = NULL;

    if (made(address_canonical(text, &form, NULL), &form))
        check_address(form);
    free(form);
    form = NULL;
    if (made(address_domain(text, &form, NULL), &form))
        check_domain(form);
    free(form);
    try_login(text, len < size ? text + len + 1 : "");
    try_path(text);
    free(text);
    return 0;
}
