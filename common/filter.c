/* filter - see filter.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "filter.h"

#include <string.h>
#include <strings.h>
#include <unistr.h>

/* Where the check stands in the text. */
struct cursor {
    const char *text;
    size_t at;
    unsigned depth;
    struct errtext *err;
};

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_key(char c)
{
    return is_alpha(c) || is_digit(c) || c == '-';
}

static bool is_utf8(const char *text)
{
    return u8_check((const uint8_t *)text, strlen(text)) == NULL;
}

/* True for bytes that may not stand in a value as they are. */
static bool must_escape(unsigned char byte, bool utf8)
{
    return byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !utf8) ||
           strchr("*()\\%", byte) != NULL;
}

void filter_escape(struct strbuf *buf, const char *value)
{
    bool utf8 = is_utf8(value);

    for (; *value != '\0'; value++) {
        unsigned char byte = (unsigned char)*value;

        if (must_escape(byte, utf8))
            strbuf_appendf(buf, "\\%02x", byte);
        else
            strbuf_append_char(buf, *value);
    }
}

void filter_equals(struct strbuf *buf, const char *attribute, const char *value)
{
    strbuf_append_char(buf, '(');
    strbuf_append(buf, attribute);
    strbuf_append_char(buf, '=');
    filter_escape(buf, value);
    strbuf_append_char(buf, ')');
}

static bool fault(struct cursor *cur, const char *what)
{
    errtext_set(cur->err, "filter, position %zu: %s", cur->at + 1, what);
    return false;
}

static char next(const struct cursor *cur)
{
    return cur->text[cur->at];
}

static bool take(struct cursor *cur, char c)
{
    if (next(cur) != c)
        return false;
    cur->at++;
    return true;
}

/* Blanks between filters are no part of RFC 4515, but people write them. */
static void skip_blanks(struct cursor *cur)
{
    while (next(cur) == ' ')
        cur->at++;
}

/* Takes "mail", or "2.5.4.3": dots with a number on either side. */
static bool take_oid(struct cursor *cur)
{
    if (is_alpha(next(cur))) {
        while (is_key(next(cur)))
            cur->at++;
        return true;
    }
    do {
        if (!is_digit(next(cur)))
            return false;
        while (is_digit(next(cur)))
            cur->at++;
    } while (take(cur, '.'));
    return true;
}

/* Takes a type with its options, "cn;lang-de". */
static bool take_attribute(struct cursor *cur)
{
    if (!take_oid(cur))
        return false;
    while (take(cur, ';')) {
        if (!is_key(next(cur)))
            return false;
        while (is_key(next(cur)))
            cur->at++;
    }
    return true;
}

bool filter_attribute_ok(const char *text)
{
    struct cursor cur = {.text = text};

    return take_attribute(&cur) && next(&cur) == '\0';
}

/* Takes ":dn", ":rule" or both, up to the ":=" of an extensible match. */
static bool take_extension(struct cursor *cur, bool has_attribute)
{
    bool has_rule = false;

    if (strncasecmp(cur->text + cur->at, ":dn:", 4) == 0)
        cur->at += 3;
    if (strncmp(cur->text + cur->at, ":=", 2) != 0) {
        if (!take(cur, ':') || !take_oid(cur))
            return fault(cur, "a matching rule is missing");
        has_rule = true;
    }
    if (!has_attribute && !has_rule)
        return fault(cur, "an attribute or a matching rule is missing");
    if (!take(cur, ':') || !take(cur, '='))
        return fault(cur, "\":=\" is missing");
    return true;
}

/* Takes the value up to the ')', which stays. */
static bool take_value(struct cursor *cur, bool stars_allowed)
{
    for (;; cur->at++) {
        char c = next(cur);
        const char *rest = cur->text + cur->at;

        if (c == ')')
            return true;
        if (c == '\0')
            return fault(cur, "the ')' is missing");
        if (c == '(')
            return fault(cur, "a '(' in a value is written \\28");
        if (c == '\\' && !(is_hex(rest[1]) && is_hex(rest[2])))
            return fault(cur, "a '\\' in a value is written \\5c");
        if (c == '*' && (!stars_allowed || rest[1] == '*'))
            return fault(cur, "a '*' in a value is written \\2a");
        if (c == '%' && (is_alpha(rest[1]) || rest[1] == '{'))
            return fault(cur, "nothing would replace this '%'; the login name "
                              "is added by itself, so leave this part out (a "
                              "percent sign is written \\25)");
    }
}

/* Takes "attribute=value" and its relatives. */
static bool take_item(struct cursor *cur)
{
    bool has_attribute = next(cur) != ':';
    bool stars_allowed = false;

    if (has_attribute && !take_attribute(cur))
        return fault(cur, "an attribute's name is expected here");
    if (next(cur) == ':') {
        if (!take_extension(cur, has_attribute))
            return false;
    } else if (next(cur) != '\0' && strchr("~<>", next(cur)) != NULL) {
        cur->at++;
        if (!take(cur, '='))
            return fault(cur, "a '=' is expected here");
    } else if (take(cur, '=')) {
        stars_allowed = true;
    } else {
        return fault(cur, "a '=' is expected here");
    }
    return take_value(cur, stars_allowed);
}

/* Takes one filter; recursion ends at FILTER_DEPTH_MAX. */
static bool take_filter(struct cursor *cur)
{
    if (!take(cur, '('))
        return fault(cur, "a '(' is expected here");
    if (++cur->depth > FILTER_DEPTH_MAX)
        return fault(cur, "too many levels of parentheses");
    skip_blanks(cur);
    if (take(cur, '&') || take(cur, '|')) {
        skip_blanks(cur);
        do {
            if (!take_filter(cur))
                return false;
            skip_blanks(cur);
        } while (next(cur) != ')' && next(cur) != '\0');
    } else if (take(cur, '!')) {
        skip_blanks(cur);
        if (!take_filter(cur))
            return false;
    } else if (!take_item(cur)) {
        return false;
    }
    cur->depth--;
    return take(cur, ')') || fault(cur, "the ')' is missing");
}

enum status filter_check(const char *text, struct errtext *err)
{
    struct cursor cur = {.text = text, .err = err};

    if (strlen(text) > FILTER_BYTES_MAX) {
        errtext_set(err, "filter over %d bytes", FILTER_BYTES_MAX);
        return STATUS_INVALID;
    }
    if (!is_utf8(text)) {
        errtext_set(err, "filter is not UTF-8");
        return STATUS_INVALID;
    }
    if (!take_filter(&cur))
        return STATUS_INVALID;
    if (next(&cur) != '\0') {
        (void)fault(&cur, "text after the filter's last ')'; several filters "
                          "are joined as (&(...)(...))");
        return STATUS_INVALID;
    }
    return STATUS_OK;
}
