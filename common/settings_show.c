/* settings_show - the effective settings as a file; see settings.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "settings.h"

#include "settings_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Room for the default of any kind. */
union any_value {
    char *text;
    struct text_list list;
    bool on;
    unsigned number;
    uint64_t size;
    int64_t duration;
    struct rate rate;
    mode_t mode;
};

/* One dump. */
struct show {
    struct strbuf *buf;
    bool non_default;
    enum directory_schema schema; /* of the directory being shown */
};

static const void *field_at(const void *target, size_t offset)
{
    return (const char *)target + offset;
}

/* True if both values are shown as the same text. */
static bool shows_as(const struct settings_option *option, const void *field,
                     const void *other)
{
    struct strbuf a = STRBUF_INIT((size_t)1 << 24);
    struct strbuf b = STRBUF_INIT((size_t)1 << 24);
    bool same = false;

    settings_value_show(option, field, &a);
    settings_value_show(option, other, &b);
    same =
        !a.failed && !b.failed && strcmp(strbuf_text(&a), strbuf_text(&b)) == 0;
    strbuf_clear(&a);
    strbuf_clear(&b);
    return same;
}

static bool is_default(const struct settings_option *option, const void *field)
{
    union any_value value = {0};
    bool same = false;

    if (option->default_text == NULL)
        return false;
    if (settings_value_default(option, "", &value) == STATUS_OK)
        same = shows_as(option, field, &value);
    settings_value_clear(option, &value);
    return same;
}

/* Returns what the schema sets an option to, or NULL. */
static const char *preset_text(const struct show *show,
                               const struct settings_option *option)
{
    for (size_t i = 0; i < settings_preset_count; i++) {
        if (settings_presets[i].schema == show->schema &&
            strcmp(settings_presets[i].key, option->key) == 0)
            return settings_presets[i].text;
    }
    return NULL;
}

/* True if the value reads as text does. */
static bool reads_as(const struct settings_option *option, const void *field,
                     const char *text)
{
    struct settings_option other = *option;

    other.default_text = text;
    return text != NULL && is_default(&other, field);
}

/* login_fields is username_field where nobody says otherwise. */
static bool is_derived(const struct settings_group *group,
                       const struct settings_option *option, const void *target)
{
    const struct directory_settings *dir = target;

    return strcmp(group->key, "directories") == 0 &&
           strcmp(option->key, "login_fields") == 0 &&
           dir->login_fields.count == 1 &&
           strcmp(dir->login_fields.items[0], dir->username_field) == 0;
}

static void indent(struct strbuf *buf, unsigned depth)
{
    while (depth-- > 0)
        strbuf_append(buf, "    ");
}

/*
 * True for the socket of a store that is reached by host: an empty text where
 * the default is none could not be loaded again.
 */
static bool is_unused(const struct settings_option *option, const void *field)
{
    return settings_kind_form(option->kind) == FORM_TEXT &&
           settings_value_empty(option, field) &&
           option->default_text != NULL && option->default_text[0] != '\0';
}

static void show_option(const struct show *show,
                        const struct settings_group *group,
                        const struct settings_option *option,
                        const void *target, unsigned depth)
{
    const void *field = field_at(target, option->offset);
    const char *preset = preset_text(show, option);
    bool by_schema = reads_as(option, field, preset);
    bool same = is_default(option, field) || is_derived(group, option, target);

    if (show->non_default && same && (preset == NULL || by_schema))
        return;
    if (!same && is_unused(option, field))
        return;
    indent(show->buf, depth);
    strbuf_appendf(show->buf, "%s = ", option->key);
    settings_value_show(option, field, show->buf);
    strbuf_append_char(show->buf, ';');
    if (option->kind == KIND_SECRET && !settings_value_empty(option, field))
        strbuf_append(show->buf, " # \"***\"");
    if (by_schema)
        strbuf_append(show->buf, " # by schema");
    strbuf_append_char(show->buf, '\n');
}

/* Shows the options of one struct. */
static void show_options(const struct show *show,
                         const struct settings_group *group, const void *target,
                         unsigned depth)
{
    const struct settings_option *schema =
        settings_option_named(group, "schema");
    struct show inner = *show;

    if (schema != NULL)
        memcpy(&inner.schema, field_at(target, schema->offset),
               sizeof(inner.schema));
    for (size_t i = 0; i < group->option_count; i++)
        show_option(&inner, group, &group->options[i], target, depth);
}

static void show_line(struct strbuf *buf, unsigned depth, const char *text)
{
    indent(buf, depth);
    strbuf_append(buf, text);
    strbuf_append_char(buf, '\n');
}

/* Shows "key = {" or "key = ("; nothing for the top level. */
static void show_head(const struct show *show,
                      const struct settings_group *group, unsigned depth)
{
    if (group->key[0] == '\0')
        return;
    indent(show->buf, depth);
    strbuf_appendf(show->buf, "%s = %s\n", group->key,
                   group->is_list ? "(" : "{");
}

static void show_tail(const struct show *show,
                      const struct settings_group *group, unsigned depth)
{
    if (group->key[0] != '\0')
        show_line(show->buf, depth, group->is_list ? ");" : "};");
}

/* Shows a group, or a list of groups, that belongs to the struct at parent. */
static void show_group(const struct show *show,
                       const struct settings_group *group, const void *parent,
                       unsigned depth)
{
    const char *item = field_at(parent, group->offset);
    size_t start = show->buf->len;
    size_t count = 1;
    bool differs = false;
    unsigned inner = depth + (group->key[0] != '\0' ? 1 : 0);

    if (group->is_list) {
        item = *(const char *const *)field_at(parent, group->offset);
        count = *(const size_t *)field_at(parent, group->count_offset);
        differs = count != group->default_count;
    }
    show_head(show, group, depth);
    for (size_t n = 0; n < count; n++, item += group->size) {
        unsigned members = inner + (group->is_list ? 1 : 0);
        size_t inside = 0;

        if (group->is_list)
            show_line(show->buf, inner, "{");
        inside = show->buf->len;
        show_options(show, group, item, members);
        for (size_t i = 0; i < group->child_count; i++)
            show_group(show, &group->children[i], item, members);
        differs = differs || show->buf->len != inside;
        if (group->is_list)
            show_line(show->buf, inner, n + 1 < count ? "}," : "}");
    }
    show_tail(show, group, depth);
    if (show->non_default && !differs)
        strbuf_truncate(show->buf, start);
}

void settings_show(const struct settings *settings, bool non_default,
                   struct strbuf *buf)
{
    struct show show = {buf, non_default, SCHEMA_CUSTOM};

    show_group(&show, &settings_root, settings, 0);
}

/* Appends the range of an option: "1-65535", "a|b", or "-". */
static void describe_range(const struct settings_option *option,
                           struct strbuf *buf)
{
    if (option->kind == KIND_NUMBER) {
        strbuf_appendf(buf, "%" PRIu64 "-%" PRIu64, option->min, option->max);
    } else if (option->kind == KIND_DURATION) {
        quantity_append_duration_ms(buf, (int64_t)option->min);
        strbuf_append_char(buf, '-');
        quantity_append_duration_ms(buf, (int64_t)option->max);
    } else if (option->words != NULL) {
        for (size_t i = 0; option->words[i] != NULL; i++)
            strbuf_appendf(buf, "%s%s", i > 0 ? "|" : "", option->words[i]);
    } else {
        strbuf_append_char(buf, '-');
    }
}

/* Appends the default as provost.conf would have it, or "required". */
static void describe_default(const struct settings_option *option,
                             struct strbuf *buf)
{
    union any_value value = {0};

    if (option->default_text == NULL) {
        strbuf_append(buf, "required");
        return;
    }
    if (settings_value_default(option, "", &value) == STATUS_OK)
        settings_value_show(option, &value, buf);
    settings_value_clear(option, &value);
}

/* Appends the options of a group whose keys begin with prefix. */
static void describe_group(const struct settings_group *group,
                           const char *prefix, struct strbuf *buf)
{
    char inner[128] = "";

    for (size_t i = 0; i < group->option_count; i++) {
        const struct settings_option *option = &group->options[i];

        strbuf_appendf(buf, "%s%s\t%s\t", prefix, option->key,
                       settings_kind_name(option->kind));
        describe_default(option, buf);
        strbuf_append_char(buf, '\t');
        describe_range(option, buf);
        strbuf_append_char(buf, '\n');
    }
    for (size_t i = 0; i < group->child_count; i++) {
        (void)snprintf(inner, sizeof(inner), "%.60s%.60s.", prefix,
                       group->children[i].key);
        describe_group(&group->children[i], inner, buf);
    }
}

void settings_describe(struct strbuf *buf)
{
    describe_group(&settings_root, "", buf);
}
