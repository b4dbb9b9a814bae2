/* import_filter - see import_filter.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "import_filter.h"

#include "filter.h"

#include <ctype.h>
#include <string.h>

#define DEPTH_MAX 16

/* What a value with variables stands for. */
enum login_part {
    PART_OTHER, /* no variable, or one that is none of the login's */
    PART_WHOLE, /* the login as it was typed */
    PART_LOCAL  /* what stands before its '@' */
};

static const struct {
    const char *name;
    enum login_part part;
} variables[] = {
    {"u", PART_WHOLE},    {"user", PART_WHOLE},     {"U", PART_LOCAL},
    {"n", PART_LOCAL},    {"username", PART_LOCAL}, {"Lu", PART_WHOLE},
    {"Ln", PART_LOCAL},   {"L{user}", PART_WHOLE},  {"L{username}", PART_LOCAL},
    {"U@%d", PART_WHOLE}, {"n@%d", PART_WHOLE},     {"Ln@%Ld", PART_WHOLE},
};

/* What value, all of it, stands for; len bytes. */
static enum login_part part_of(const char *value, size_t len)
{
    if (len < 2 || value[0] != '%')
        return PART_OTHER;
    value++;
    len--;
    if (len > 2 && value[0] == '{' && value[len - 1] == '}') {
        value++;
        len -= 2;
    }
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
        if (strlen(variables[i].name) == len &&
            memcmp(variables[i].name, value, len) == 0)
            return variables[i].part;
    }
    return PART_OTHER;
}

/*
 * The item at text without its parentheses: "(a=b)..." is "a=b". Returns what
 * stands behind it, or NULL where the parentheses do not match.
 */
static const char *take_item(const char *text, const char **item_r,
                             size_t *len_r)
{
    size_t depth = 0;

    if (*text != '(')
        return NULL;
    *item_r = text + 1;
    for (; *text != '\0'; text++) {
        if (*text == '(')
            depth++;
        else if (*text == ')' && --depth == 0) {
            *len_r = (size_t)(text - *item_r);
            return text + 1;
        }
    }
    return NULL;
}

static bool is_list(const char *item, size_t len, char sign)
{
    return len > 0 && item[0] == sign;
}

/*
 * Notes the attribute of "attr=%u". Returns false if the item (len bytes) is
 * no comparison of the login.
 */
static bool take_field(const char *item, size_t len,
                       struct import_filter *filter)
{
    const char *sign = memchr(item, '=', len);
    size_t name_len = sign != NULL ? (size_t)(sign - item) : 0;
    char *field = filter->fields[filter->field_count];
    enum login_part part;

    if (sign == NULL || name_len == 0 || name_len > IMPORT_FILTER_FIELD_BYTES ||
        filter->field_count == IMPORT_FILTER_FIELDS_MAX - 1)
        return false;
    part = part_of(sign + 1, len - name_len - 1);
    if (part == PART_OTHER)
        return false;
    memcpy(field, item, name_len);
    field[name_len] = '\0';
    if (!filter_attribute_ok(field))
        return false;
    filter->field_count++;
    filter->local_part = filter->local_part || part == PART_LOCAL;
    return true;
}

/* Notes all attributes of "|(a=%u)(b=%n)"; false if one is something else. */
static bool take_fields(const char *item, size_t len,
                        struct import_filter *filter)
{
    const char *end = item + len;
    const char *at = item + 1;

    while (at != NULL && at < end) {
        const char *inner = NULL;
        size_t inner_len = 0;

        at = take_item(at, &inner, &inner_len);
        if (at == NULL || !take_field(inner, inner_len, filter))
            return false;
    }
    return at != NULL && filter->field_count > 0;
}

/* Takes an item that compares the login, alone or as a choice. */
static bool take_login(const char *item, size_t len,
                       struct import_filter *filter)
{
    struct import_filter before = *filter;

    if (is_list(item, len, '|') ? take_fields(item, len, filter)
                                : take_field(item, len, filter))
        return true;
    *filter = before;
    return false;
}

/* Appends what is no comparison of the login; returns how many these were. */
static size_t take_all(const char *item, size_t len, unsigned depth,
                       struct import_filter *filter, struct strbuf *rest)
{
    const char *end = item + len;
    const char *at = item + 1;
    size_t kept = 0;

    if (take_login(item, len, filter))
        return 0;
    if (!is_list(item, len, '&') || depth == DEPTH_MAX) {
        strbuf_append_char(rest, '(');
        strbuf_append_len(rest, item, len);
        strbuf_append_char(rest, ')');
        return 1;
    }
    while (at != NULL && at < end) {
        const char *inner = NULL;
        size_t inner_len = 0;

        at = take_item(at, &inner, &inner_len);
        if (at != NULL)
            kept += take_all(inner, inner_len, depth + 1, filter, rest);
    }
    return kept;
}

static enum status refuse(struct strbuf *rest, struct errtext *err,
                          const char *sentence)
{
    strbuf_truncate(rest, 0);
    errtext_set(err, "%s", sentence);
    return STATUS_NOT_FOUND;
}

/* Puts "(&" and ")" around several. */
static void wrap(struct strbuf *rest, const struct strbuf *items, size_t count)
{
    if (count > 1)
        strbuf_append(rest, "(&");
    strbuf_append(rest, strbuf_text(items));
    if (count > 1)
        strbuf_append_char(rest, ')');
}

enum status import_filter(const char *text, struct import_filter *filter_r,
                          struct strbuf *rest, struct errtext *err)
{
    struct import_filter filter = {{{0}}, 0, false};
    struct strbuf items = STRBUF_INIT(FILTER_BYTES_MAX);
    struct errtext fault = {{0}};
    const char *item = text;
    size_t len = strlen(text);
    const char *end = text;
    size_t kept;

    /* saslauthd lets the outer parentheses be left out. */
    if (text[0] == '(') {
        end = take_item(text, &item, &len);
        if (end == NULL || *end != '\0')
            return refuse(rest, err, "its parentheses do not match");
    }
    kept = take_all(item, len, 0, &filter, &items);
    wrap(rest, &items, kept);
    if (items.failed)
        rest->failed = true;
    strbuf_clear(&items);
    if (filter.field_count == 0)
        return refuse(rest, err,
                      "no attribute in it is compared with the "
                      "login alone");
    if (strchr(strbuf_text(rest), '%') != NULL)
        return refuse(rest, err, "it has variables beside the login");
    if (rest->len > 0 && filter_check(strbuf_text(rest), &fault) != STATUS_OK)
        return refuse(rest, err, "what is left of it is no filter");
    *filter_r = filter;
    return STATUS_OK;
}
