/* exposition - see exposition.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "exposition.h"

#include "status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Characters of a metric's name. */
#define NAME_CHARS                                                             \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:"

struct family {
    char *name;
    char *help; /* NULL: not told */
    char *type;
    struct strbuf samples;
};

struct exposition {
    struct family *list;
    size_t count;
    size_t now; /* the family of the lines that come */
    bool lost;
};

struct exposition *exposition_new(void)
{
    return calloc(1, sizeof(struct exposition));
}

void exposition_free(struct exposition **exposition)
{
    if (*exposition == NULL)
        return;
    for (size_t i = 0; i < (*exposition)->count; i++) {
        free((*exposition)->list[i].name);
        free((*exposition)->list[i].help);
        free((*exposition)->list[i].type);
        strbuf_clear(&(*exposition)->list[i].samples);
    }
    free((*exposition)->list);
    free(*exposition);
    *exposition = NULL;
}

/* Makes the family of that name the present one; false: no room. */
static bool turn_to(struct exposition *exposition, const char *name, size_t len)
{
    struct family *list;
    char *copy;

    for (size_t i = 0; i < exposition->count; i++) {
        if (strlen(exposition->list[i].name) == len &&
            strncmp(exposition->list[i].name, name, len) == 0) {
            exposition->now = i;
            return true;
        }
    }
    list = NULL;
    copy = strndup(name, len);
    if (copy != NULL && exposition->count < EXPOSITION_FAMILIES_MAX)
        list = reallocarray(exposition->list, exposition->count + 1,
                            sizeof(*list));
    if (list == NULL) {
        free(copy);
        exposition->lost = true;
        return false;
    }
    exposition->list = list;
    exposition->now = exposition->count++;
    list[exposition->now] = (struct family){
        .name = copy, .samples = STRBUF_INIT(EXPOSITION_BYTES_MAX)};
    return true;
}

/* The first word about a family is the one that counts. */
static void set_once(struct exposition *exposition, char **place,
                     const char *text, size_t len)
{
    if (*place == NULL)
        *place = strndup(text, len);
    exposition->lost = exposition->lost || *place == NULL;
}

void exposition_family(struct exposition *exposition, const char *name,
                       const char *type, const char *help)
{
    struct family *family;

    if (!turn_to(exposition, name, strlen(name)))
        return;
    family = &exposition->list[exposition->now];
    set_once(exposition, &family->type, type, strlen(type));
    set_once(exposition, &family->help, help, strlen(help));
}

void exposition_label(struct strbuf *labels, const char *name,
                      const char *value)
{
    strbuf_appendf(labels, "%s%s=\"", labels->len > 0 ? "," : "", name);
    for (; *value != '\0'; value++) {
        if (*value == '\n')
            strbuf_append(labels, "\\n");
        else if (*value == '"' || *value == '\\')
            strbuf_appendf(labels, "\\%c", *value);
        else
            strbuf_append_char(labels,
                               (unsigned char)*value < ' ' ? ' ' : *value);
    }
    strbuf_append_char(labels, '"');
}

void exposition_sample(struct exposition *exposition, const char *labels,
                       uint64_t value)
{
    struct family *family;

    if (exposition->count == 0)
        return;
    family = &exposition->list[exposition->now];
    strbuf_append(&family->samples, family->name);
    if (labels[0] != '\0')
        strbuf_appendf(&family->samples, "{%s}", labels);
    strbuf_appendf(&family->samples, " %" PRIu64 "\n", value);
}

/* "HELP name text" or "TYPE name word", behind "# ". */
static void read_comment(struct exposition *exposition, const char *line,
                         size_t len)
{
    bool is_help = strncmp(line, "HELP ", 5) == 0;
    size_t name_len = len > 5 ? strspn(line + 5, NAME_CHARS) : 0;
    size_t behind = 5 + name_len;
    struct family *family;

    if ((!is_help && strncmp(line, "TYPE ", 5) != 0) || name_len == 0 ||
        behind + 1 > len || line[behind] != ' ' ||
        !turn_to(exposition, line + 5, name_len))
        return;
    family = &exposition->list[exposition->now];
    set_once(exposition, is_help ? &family->help : &family->type,
             line + behind + 1, len - behind - 1);
}

/* True if a sample of that name is one of the family: of a histogram, say. */
static bool is_of(const struct family *family, const char *name, size_t len)
{
    static const char *const endings[] = {"", "_bucket", "_sum", "_count"};
    size_t own = strlen(family->name);

    if (len < own || strncmp(family->name, name, own) != 0)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
        if (strlen(endings[i]) == len - own &&
            strncmp(endings[i], name + own, len - own) == 0)
            return true;
    }
    return false;
}

/* True if line is "name value" or "name{labels} value". */
static bool is_sample(const char *line, size_t len, size_t name_len)
{
    const char *value = line + name_len;
    char *end = NULL;

    if (name_len == 0 || name_len >= len)
        return false;
    if (*value == '{')
        value = memrchr(value, '}', len - name_len);
    else if (*value == ' ')
        value--;
    else
        return false;
    if (value == NULL || value + 2 >= line + len || value[1] != ' ')
        return false;
    (void)strtod(value + 2, &end);
    return end > value + 2 && end <= line + len;
}

static void read_sample(struct exposition *exposition, const char *line,
                        size_t len)
{
    size_t name_len = strspn(line, NAME_CHARS);
    struct family *family;

    if (!is_sample(line, len, name_len))
        return;
    if ((exposition->count == 0 ||
         !is_of(&exposition->list[exposition->now], line, name_len)) &&
        !turn_to(exposition, line, name_len))
        return;
    family = &exposition->list[exposition->now];
    strbuf_append_len(&family->samples, line, len);
    strbuf_append_char(&family->samples, '\n');
}

void exposition_read(struct exposition *exposition, const char *text)
{
    while (text != NULL && *text != '\0') {
        const char *end = strchr(text, '\n');
        size_t len = end != NULL ? (size_t)(end - text) : strlen(text);

        if (len > 2 && strncmp(text, "# ", 2) == 0)
            read_comment(exposition, text + 2, len - 2);
        else if (len > 0 && text[0] != '#')
            read_sample(exposition, text, len);
        text = end != NULL ? end + 1 : NULL;
    }
}

bool exposition_print(const struct exposition *exposition, FILE *file)
{
    bool whole = !exposition->lost;

    for (size_t i = 0; i < exposition->count; i++) {
        const struct family *family = &exposition->list[i];

        whole = whole && !family->samples.failed;
        if (family->samples.len == 0)
            continue;
        if (family->help != NULL)
            (void)fprintf(file, "# HELP %s %s\n", family->name, family->help);
        if (family->type != NULL)
            (void)fprintf(file, "# TYPE %s %s\n", family->name, family->type);
        (void)fputs(strbuf_text(&family->samples), file);
    }
    return fflush(file) == 0 && whole;
}
