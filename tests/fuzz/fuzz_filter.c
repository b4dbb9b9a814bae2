/* fuzz_filter - a value stays a value, and what is accepted libldap accepts */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "filter.h"
#include "fuzz.h"

#include <ldap.h>

#define PREFIX "(mail="

/* A handle whose descriptor is none: a good filter fails only in sending. */
static LDAP *handle(void)
{
    static LDAP *ld;

    if (ld == NULL)
        FUZZ_CHECK(ldap_initialize(&ld, "ldapi://%2fnonexistent%2fsocket") ==
                   LDAP_SUCCESS);
    return ld;
}

/* The judge: libldap's own encoder. */
static bool is_refused(const char *filter)
{
    int msgid = 0;

    return ldap_search_ext(handle(), "", LDAP_SCOPE_BASE, filter, NULL, 0, NULL,
                           NULL, NULL, 0, &msgid) == LDAP_FILTER_ERROR;
}

static unsigned hex(char digit)
{
    if (digit >= '0' && digit <= '9')
        return (unsigned)(digit - '0');
    FUZZ_CHECK(digit >= 'a' && digit <= 'f');
    return (unsigned)(digit - 'a') + 10;
}

/* What stands between "(mail=" and ")" must mean the value again. */
static void check_unescapes(const char *filter, const char *value)
{
    size_t len = strlen(filter);
    const char *at = filter + strlen(PREFIX);

    FUZZ_CHECK(strncmp(filter, PREFIX, strlen(PREFIX)) == 0);
    FUZZ_CHECK(filter[len - 1] == ')');
    while (at < filter + len - 1) {
        unsigned byte = (unsigned char)*at++;

        FUZZ_CHECK(byte != '(' && byte != ')' && byte != '*' && byte >= ' ');
        if (byte == '\\') {
            byte = hex(at[0]) * 16 + hex(at[1]);
            at += 2;
        }
        FUZZ_CHECK(byte == (unsigned char)*value);
        value++;
    }
    FUZZ_CHECK(*value == '\0');
}

static void try_value(const char *value)
{
    struct strbuf buf = STRBUF_INIT(1U << 20);
    struct errtext err = {{0}};

    filter_equals(&buf, "mail", value);
    if (buf.len <= FILTER_BYTES_MAX) {
        FUZZ_CHECK(filter_check(strbuf_text(&buf), &err) == STATUS_OK);
        FUZZ_CHECK(!is_refused(strbuf_text(&buf)));
    }
    check_unescapes(strbuf_text(&buf), value);
    strbuf_clear(&buf);
}

static void try_filter(const char *filter)
{
    struct errtext err = {{0}};
    enum status status = filter_check(filter, &err);

    FUZZ_CHECK(status == STATUS_OK || status == STATUS_INVALID);
    FUZZ_CHECK((status == STATUS_OK) == (err.text[0] == '\0'));
    if (status == STATUS_OK)
        FUZZ_CHECK(!is_refused(filter));
    if (filter_attribute_ok(filter)) {
        struct strbuf buf = STRBUF_INIT(1U << 20);

        filter_equals(&buf, filter, "a");
        if (buf.len <= FILTER_BYTES_MAX)
            FUZZ_CHECK(filter_check(strbuf_text(&buf), &err) == STATUS_OK);
        strbuf_clear(&buf);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);

    try_value(text);
    try_filter(text);
    free(text);
    return 0;
}
