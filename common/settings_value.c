/* settings_value - see settings_value.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "settings_value.h"

#include "address.h"
#include "settings_host.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What is being read, for the functions of the kinds. */
struct reading {
    const struct settings_option *option;
    const char *text;
    const char *base;
    struct errtext *err;
};

static enum status refuse(const struct reading *in, const char *sentence)
{
    errtext_set(in->err, "%s", sentence);
    return STATUS_INVALID;
}

static enum status read_text(const struct reading *in, void *field)
{
    char *copy = strdup(in->text);

    if (copy == NULL)
        return status_no_memory(in->err);
    *(char **)field = copy;
    return STATUS_OK;
}

static enum status read_name(const struct reading *in, void *field)
{
    const char *p = in->text;

    while (isalnum((unsigned char)*p) || (*p != '\0' && strchr("._-", *p)))
        p++;
    if (*p != '\0' || p - in->text > 64)
        return refuse(in, "a name has letters, digits, '.', '_' and '-', at "
                          "most 64");
    return read_text(in, field);
}

/* Returns the index of the text in words; false and a sentence: not there. */
static bool find_word(const struct reading *in, unsigned *index_r)
{
    const char *const *words = in->option->words;
    struct strbuf list = STRBUF_INIT(ERRTEXT_SIZE);

    for (unsigned i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], in->text) == 0) {
            *index_r = i;
            strbuf_clear(&list);
            return true;
        }
        strbuf_appendf(&list, "%s\"%s\"", i > 0 ? ", " : "", words[i]);
    }
    errtext_set(in->err, "write one of %s", strbuf_text(&list));
    strbuf_clear(&list);
    return false;
}

static enum status read_word(const struct reading *in, void *field)
{
    return find_word(in, field) ? STATUS_OK : STATUS_INVALID;
}

static enum status read_word_text(const struct reading *in, void *field)
{
    unsigned index = 0;

    return find_word(in, &index) ? read_text(in, field) : STATUS_INVALID;
}

static enum status read_file(const struct reading *in, void *field)
{
    char *path = NULL;

    if (in->text[0] == '\0' || in->text[0] == '/')
        return read_text(in, field);
    if (asprintf(&path, "%s/%s", in->base, in->text) < 0)
        return status_no_memory(in->err);
    *(char **)field = path;
    return STATUS_OK;
}

static enum status read_socket(const struct reading *in, void *field)
{
    enum status status = settings_socket_check(in->text, in->err);

    return status == STATUS_OK ? read_text(in, field) : status;
}

/* An attribute description (RFC 4512 2.5): it is put into filters as it is. */
static bool is_attribute(const char *text)
{
    const char *p = text;

    if (!isalnum((unsigned char)*p))
        return false;
    while (isalnum((unsigned char)*p) || (*p != '\0' && strchr("-.;", *p)))
        p++;
    return *p == '\0' && p - text <= 128;
}

static enum status read_attribute(const struct reading *in, void *field)
{
    if (in->text[0] != '\0' && !is_attribute(in->text))
        return refuse(in, "the name of one attribute, for example \"mail\"");
    return read_text(in, field);
}

/* Puts one more tag into the sorted text; one that is there stays once. */
static enum status read_tag(const struct reading *in, void *field)
{
    char **tags = field;
    struct strbuf buf = STRBUF_INIT((size_t)SETTINGS_TEXT_BYTES_MAX * 4);
    const char *item = *tags != NULL ? *tags : "";
    bool placed = in->text[0] == '\0';
    char *text = NULL;

    if (strchr(in->text, ',') != NULL)
        return refuse(in, "a tag has no comma in it: write a list, "
                          "[ \"a\", \"b\" ]");
    while (*item != '\0' || !placed) {
        size_t len = strcspn(item, ",");
        int order = *item == '\0' ? -1 : strncmp(in->text, item, len);

        if (order == 0 && in->text[len] != '\0')
            order = 1;
        if (buf.len > 0)
            strbuf_append_char(&buf, ',');
        if (!placed && order < 0) {
            strbuf_append(&buf, in->text);
            placed = true;
            continue;
        }
        placed = placed || order == 0;
        strbuf_append_len(&buf, item, len);
        item += len + (item[len] == ',' ? 1 : 0);
    }
    if (strbuf_take(&buf, &text, in->err) != STATUS_OK)
        return STATUS_TEMPFAIL;
    free(*tags);
    *tags = text;
    return STATUS_OK;
}

static enum status read_bool(const struct reading *in, void *field)
{
    *(bool *)field = strcmp(in->text, "true") == 0;
    return STATUS_OK;
}

static enum status read_service(const struct reading *in, void *field)
{
    unsigned *services = field;

    if (strcmp(in->text, "true") == 0)
        *services |= (unsigned)in->option->min;
    return STATUS_OK;
}

static enum status read_number(const struct reading *in, void *field)
{
    uint64_t number = 0;
    enum status status = quantity_number(in->text, in->option->min,
                                         in->option->max, &number, in->err);

    if (status == STATUS_OK)
        *(unsigned *)field = (unsigned)number;
    return status;
}

static enum status read_size(const struct reading *in, void *field)
{
    return quantity_size(in->text, field, in->err);
}

/* Appends "from 100ms to 1m". */
static void append_range(const struct settings_option *option,
                         struct strbuf *buf, const char *between)
{
    quantity_append_duration_ms(buf, (int64_t)option->min);
    strbuf_append(buf, between);
    quantity_append_duration_ms(buf, (int64_t)option->max);
}

static enum status read_duration(const struct reading *in, void *field)
{
    int64_t ms = 0;
    struct strbuf range = STRBUF_INIT(100);
    enum status status = quantity_duration_ms(in->text, &ms, in->err);

    if (status != STATUS_OK)
        return status;
    if (ms < (int64_t)in->option->min || ms > (int64_t)in->option->max) {
        append_range(in->option, &range, " to ");
        errtext_set(in->err, "a duration from %s", strbuf_text(&range));
        strbuf_clear(&range);
        return STATUS_INVALID;
    }
    *(int64_t *)field = ms;
    return STATUS_OK;
}

static enum status read_rate(const struct reading *in, void *field)
{
    return quantity_rate(in->text, field, in->err);
}

static enum status read_mode(const struct reading *in, void *field)
{
    size_t digits = strspn(in->text, "01234567");
    mode_t mode = 0;

    if (digits < 3 || digits > 4 || in->text[digits] != '\0' ||
        (digits == 4 && in->text[0] != '0'))
        return refuse(in, "a mode is three octal digits in quotes, for "
                          "example \"0660\"");
    for (size_t i = 0; i < digits; i++)
        mode = mode * 8 + (mode_t)(in->text[i] - '0');
    *(mode_t *)field = mode;
    return STATUS_OK;
}

static enum status read_item(const struct reading *in, void *field)
{
    struct text_list *list = field;

    if (in->text[0] == '\0')
        return refuse(in, "an item of a list must not be empty");
    if (list->count >= SETTINGS_ITEMS_MAX)
        return refuse(in, "a list has at most 1000 items");
    return text_list_add(list, in->text, in->err);
}

static enum status read_attribute_item(const struct reading *in, void *field)
{
    const struct text_list *list = field;

    if (!is_attribute(in->text))
        return refuse(in, "names of attributes, for example "
                          "[ \"mail\", \"uid\" ]");
    /* Attribute names are the same whatever their case. */
    for (size_t i = 0; i < list->count; i++) {
        if (strcasecmp(list->items[i], in->text) == 0)
            return STATUS_OK;
    }
    return read_item(in, field);
}

static enum status read_client(const struct reading *in, void *field)
{
    enum status status = settings_client_check(in->text, in->err);

    return status == STATUS_OK ? read_item(in, field) : status;
}

/* Reads through a function that makes the one form of an item. */
static enum status read_made(const struct reading *in, void *field,
                             enum status (*make)(const char *, char **,
                                                 struct errtext *))
{
    char *made = NULL;
    struct reading item = *in;
    enum status status = make(in->text, &made, in->err);

    if (status != STATUS_OK)
        return status;
    item.text = made;
    status = read_item(&item, field);
    free(made);
    return status;
}

static enum status read_domain(const struct reading *in, void *field)
{
    return read_made(in, field, address_domain);
}

/* Reads "a, b": blanks anywhere are dropped, as in the reference. */
static enum status read_hosts(const struct reading *in, void *field)
{
    struct reading item = *in;
    char *text = calloc(1, strlen(in->text) + 1);
    char *next = text;
    size_t len = 0;
    enum status status = STATUS_OK;

    if (text == NULL)
        return status_no_memory(in->err);
    for (const char *p = in->text; *p != '\0'; p++) {
        if (*p != ' ')
            text[len++] = *p;
    }
    do {
        item.text = strsep(&next, ",");
        status = read_made(&item, field, settings_host_read);
    } while (status == STATUS_OK && next != NULL);
    free(text);
    return status;
}

/* Everything that differs between the kinds. */
static const struct {
    const char *name;
    enum settings_form form;
    enum status (*read)(const struct reading *in, void *field);
} kinds[] = {
    [KIND_TEXT] = {"text", FORM_TEXT, read_text},
    [KIND_NAME] = {"name", FORM_TEXT, read_name},
    [KIND_WORD_TEXT] = {"word", FORM_TEXT, read_word_text},
    [KIND_FILE] = {"file", FORM_TEXT, read_file},
    [KIND_SECRET] = {"file", FORM_TEXT, read_file},
    [KIND_SOCKET] = {"path", FORM_TEXT, read_socket},
    [KIND_ATTRIBUTE] = {"attribute", FORM_TEXT, read_attribute},
    [KIND_TAGS] = {"list", FORM_LIST, read_tag},
    [KIND_BOOL] = {"switch", FORM_BOOL, read_bool},
    [KIND_SERVICE] = {"switch", FORM_BOOL, read_service},
    [KIND_NUMBER] = {"number", FORM_NUMBER, read_number},
    [KIND_SIZE] = {"size", FORM_TEXT, read_size},
    [KIND_DURATION] = {"duration", FORM_TEXT, read_duration},
    [KIND_RATE] = {"rate", FORM_TEXT, read_rate},
    [KIND_MODE] = {"mode", FORM_TEXT, read_mode},
    [KIND_WORD] = {"word", FORM_TEXT, read_word},
    [KIND_TEXTS] = {"list", FORM_LIST, read_item},
    [KIND_HOSTS] = {"hosts", FORM_LIST, read_hosts},
    [KIND_DOMAINS] = {"list", FORM_LIST, read_domain},
    [KIND_ATTRIBUTES] = {"list", FORM_LIST, read_attribute_item},
    [KIND_CLIENTS] = {"list", FORM_LIST, read_client},
};

enum settings_form settings_kind_form(enum settings_kind kind)
{
    return kinds[kind].form;
}

const char *settings_kind_name(enum settings_kind kind)
{
    return kinds[kind].name;
}

/* Returns the text of a kind that is kept as char *, NULL for the others. */
static const char *kept_text(const struct settings_option *option,
                             const void *field)
{
    bool is_text = option->kind <= KIND_TAGS;

    return is_text ? *(char *const *)field : NULL;
}

static bool is_list(const struct settings_option *option)
{
    return option->kind >= KIND_TEXTS;
}

/* One line of text, whatever the kind: control bytes would end up in logs. */
static enum status check_text(const struct reading *in)
{
    const char *fallback = in->option->default_text;

    if (strlen(in->text) > SETTINGS_TEXT_BYTES_MAX)
        return refuse(in, "a text has at most 4096 bytes");
    for (const char *p = in->text; *p != '\0'; p++) {
        if (iscntrl((unsigned char)*p))
            return refuse(in, "a text has no tabs, line breaks or other "
                              "control characters");
    }
    /* An empty list is a choice; an empty text mostly an accident. */
    if (in->text[0] == '\0' && !is_list(in->option) &&
        (fallback == NULL || fallback[0] != '\0'))
        return refuse(in, "this must not be empty");
    return STATUS_OK;
}

enum status settings_value_read(const struct settings_option *option,
                                const char *text, const char *base, void *field,
                                struct errtext *err)
{
    struct reading in = {option, text, base, err};
    enum status status = check_text(&in);

    if (status != STATUS_OK)
        return status;
    /* A lone "" is the empty list. */
    if (is_list(option) && text[0] == '\0')
        return STATUS_OK;
    return kinds[option->kind].read(&in, field);
}

/* Reads the items of a default, which are separated by ", ". */
static enum status default_list(const struct reading *in, void *field)
{
    struct reading item = *in;
    char *copy = strdup(in->text);
    char *next = copy;
    enum status status = STATUS_OK;

    if (copy == NULL)
        return STATUS_TEMPFAIL;
    while (status == STATUS_OK && next != NULL) {
        item.text = strsep(&next, ",");
        item.text += strspn(item.text, " ");
        if (item.text[0] != '\0')
            status = kinds[in->option->kind].read(&item, field);
    }
    free(copy);
    return status;
}

enum status settings_value_default(const struct settings_option *option,
                                   const char *base, void *field)
{
    const char *text = option->default_text != NULL ? option->default_text : "";
    struct reading in = {option, text, base, NULL};
    enum status status = STATUS_OK;

    if (is_list(option))
        status = default_list(&in, field);
    else if (option->default_text == NULL)
        status = read_text(&in, field);
    else
        status = kinds[option->kind].read(&in, field);
    assert(status != STATUS_INVALID);
    return status;
}

bool settings_value_empty(const struct settings_option *option,
                          const void *field)
{
    const char *text = kept_text(option, field);

    if (is_list(option))
        return ((const struct text_list *)field)->count == 0;
    return text != NULL && text[0] == '\0';
}

void settings_quote(struct strbuf *buf, const char *text)
{
    strbuf_append_char(buf, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            strbuf_append_char(buf, '\\');
        strbuf_append_char(buf, *text);
    }
    strbuf_append_char(buf, '"');
}

static void show_list(struct strbuf *buf, const struct text_list *list)
{
    strbuf_append(buf, "[");
    for (size_t i = 0; i < list->count; i++) {
        strbuf_append(buf, i > 0 ? ", " : " ");
        settings_quote(buf, list->items[i]);
    }
    strbuf_append(buf, " ]");
}

/* Shows "a,b" as [ "a", "b" ]. */
static void show_tags(struct strbuf *buf, const char *tags)
{
    bool first = true;

    strbuf_append(buf, "[");
    while (*tags != '\0') {
        size_t len = strcspn(tags, ",");

        strbuf_append(buf, first ? " \"" : ", \"");
        for (size_t i = 0; i < len; i++) {
            if (tags[i] == '"' || tags[i] == '\\')
                strbuf_append_char(buf, '\\');
            strbuf_append_char(buf, tags[i]);
        }
        strbuf_append_char(buf, '"');
        tags += len + (tags[len] == ',' ? 1 : 0);
        first = false;
    }
    strbuf_append(buf, " ]");
}

/* Shows a quantity between quotes. */
static void show_quantity(const struct settings_option *option,
                          const void *field, struct strbuf *buf)
{
    strbuf_append_char(buf, '"');
    if (option->kind == KIND_SIZE && *(const uint64_t *)field == 0 &&
        option->default_text[0] == '0')
        strbuf_append(buf, "0B"); /* an amount, not a limit */
    else if (option->kind == KIND_SIZE)
        quantity_append_size(buf, *(const uint64_t *)field);
    else if (option->kind == KIND_RATE)
        quantity_append_rate(buf, *(const struct rate *)field);
    else
        quantity_append_duration_ms(buf, *(const int64_t *)field);
    strbuf_append_char(buf, '"');
}

static const char *switch_word(bool on)
{
    return on ? "true" : "false";
}

void settings_value_show(const struct settings_option *option,
                         const void *field, struct strbuf *buf)
{
    switch (option->kind) {
    case KIND_TEXT:
    case KIND_NAME:
    case KIND_WORD_TEXT:
    case KIND_FILE:
    case KIND_SECRET:
    case KIND_SOCKET:
    case KIND_ATTRIBUTE:
        settings_quote(buf, kept_text(option, field));
        break;
    case KIND_TAGS:
        show_tags(buf, kept_text(option, field));
        break;
    case KIND_BOOL:
        strbuf_append(buf, switch_word(*(const bool *)field));
        break;
    case KIND_SERVICE:
        strbuf_append(buf, switch_word((*(const unsigned *)field &
                                        (unsigned)option->min) != 0));
        break;
    case KIND_NUMBER:
        strbuf_appendf(buf, "%u", *(const unsigned *)field);
        break;
    case KIND_SIZE:
    case KIND_DURATION:
    case KIND_RATE:
        show_quantity(option, field, buf);
        break;
    case KIND_MODE:
        strbuf_appendf(buf, "\"%04o\"", (unsigned)*(const mode_t *)field);
        break;
    case KIND_WORD:
        settings_quote(buf, option->words[*(const unsigned *)field]);
        break;
    case KIND_TEXTS:
    case KIND_HOSTS:
    case KIND_DOMAINS:
    case KIND_ATTRIBUTES:
    case KIND_CLIENTS:
        show_list(buf, field);
        break;
    }
}

void settings_value_clear(const struct settings_option *option, void *field)
{
    if (is_list(option)) {
        text_list_clear(field);
    } else if (kept_text(option, field) != NULL) {
        free(*(char **)field);
        *(char **)field = NULL;
    }
}
