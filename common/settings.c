/* settings - see settings.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "settings.h"

#include "secret.h"
#include "settings_check.h"
#include "settings_tree.h"
#include "settings_value.h"

#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the functions that fill a struct share. */
struct fill {
    const char *base;
    struct settings_faults *faults;
};

enum status text_list_add(struct text_list *list, const char *item,
                          struct errtext *err)
{
    char **items = reallocarray(list->items, list->count + 1, sizeof(*items));
    char *copy = NULL;

    if (items == NULL)
        return status_no_memory(err);
    list->items = items;
    copy = strdup(item);
    if (copy == NULL)
        return status_no_memory(err);
    items[list->count++] = copy;
    return STATUS_OK;
}

void text_list_clear(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct text_list){NULL, 0};
}

/* The field of an option, or of a child group, in the struct at target. */
static void *field_at(void *target, size_t offset)
{
    return (char *)target + offset;
}

/* Says how a value of the option's kind is written. */
static void refuse_type(const struct settings_option *option,
                        struct errtext *err)
{
    static const char *const examples[] = {
        [KIND_SIZE] = ", for example \"5G\"",
        [KIND_DURATION] = ", for example \"30s\"",
        [KIND_RATE] = ", for example \"200/1h\"",
        [KIND_MODE] = ", for example \"0660\"",
    };
    const char *example = NULL;

    if ((size_t)option->kind < ARRAY_SIZE(examples))
        example = examples[option->kind];
    switch (settings_kind_form(option->kind)) {
    case FORM_BOOL:
        errtext_set(err, "write true or false, without quotes");
        break;
    case FORM_NUMBER:
        errtext_set(err, "write a whole number, without quotes");
        break;
    case FORM_LIST:
        errtext_set(err, "write a list of texts, for example [ \"a\", \"b\" ]");
        break;
    case FORM_TEXT:
        errtext_set(err, "write a %s in quotes%s",
                    settings_kind_name(option->kind),
                    example != NULL ? example : "");
        break;
    }
}

/* True if a number without quotes may stand for a value. */
static bool takes_number(const struct settings_option *option, long long value)
{
    if (option->kind == KIND_SIZE || option->kind == KIND_DURATION)
        return value == 0;
    return settings_kind_form(option->kind) == FORM_NUMBER;
}

/*
 * Returns a scalar as the text that the kinds read; number is its memory. NULL
 * when the setting has another type.
 */
static const char *scalar_text(const struct settings_option *option,
                               const config_setting_t *setting, char number[24])
{
    enum settings_form form = settings_kind_form(option->kind);
    long long value = 0;

    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_BOOL:
        if (form != FORM_BOOL)
            return NULL;
        return config_setting_get_bool(setting) != 0 ? "true" : "false";
    case CONFIG_TYPE_STRING:
        if (form == FORM_BOOL || form == FORM_NUMBER)
            return NULL;
        return config_setting_get_string(setting);
    case CONFIG_TYPE_INT:
    case CONFIG_TYPE_INT64:
        value = config_setting_get_int64(setting);
        (void)snprintf(number, 24, "%lld", value);
        return takes_number(option, value) ? number : NULL;
    default:
        return NULL;
    }
}

/* Reads one scalar into field. */
static enum status read_scalar(const struct fill *fill,
                               const struct settings_option *option,
                               const config_setting_t *setting, void *field,
                               struct errtext *err)
{
    char number[24] = "";
    const char *text = scalar_text(option, setting, number);

    if (text == NULL) {
        refuse_type(option, err);
        return STATUS_INVALID;
    }
    return settings_value_read(option, text, fill->base, field, err);
}

/* True for [ ... ] and ( ... ). */
static bool is_sequence(const config_setting_t *setting)
{
    int type = config_setting_type(setting);

    return type == CONFIG_TYPE_ARRAY || type == CONFIG_TYPE_LIST;
}

/* A negative number is a fault already, or stands for one (settings_scan). */
static bool is_reported(const config_setting_t *setting)
{
    return config_setting_type(setting) == CONFIG_TYPE_INT &&
           config_setting_get_int(setting) < 0;
}

/* Notes what the reading of a value came to. */
static void note_status(const struct fill *fill,
                        const struct settings_node *node,
                        struct settings_entry *entry, enum status status,
                        const char *sentence)
{
    if (status == STATUS_INVALID) {
        entry->faulty = true;
        settings_entry_fault(fill->faults, node, entry, "%s", sentence);
    } else if (status != STATUS_OK) {
        fill->faults->no_memory = true;
    }
}

/* Likewise, of an item of a list, which is named. */
static void note_item(const struct fill *fill, const struct settings_node *node,
                      struct settings_entry *entry, enum status status,
                      const char *item, const char *sentence)
{
    char named[ERRTEXT_SIZE * 2] = "";

    (void)snprintf(named, sizeof(named), "\"%.100s\": %s", item, sentence);
    note_status(fill, node, entry, status, named);
}

/* Reads what one entry says; every faulty item of a list is a fault. */
static void read_entry(const struct fill *fill,
                       const struct settings_node *node,
                       struct settings_entry *entry, void *field)
{
    bool list = settings_kind_form(entry->option->kind) == FORM_LIST &&
                is_sequence(entry->setting);
    int count = list ? config_setting_length(entry->setting) : 1;

    for (int i = 0; i < count; i++) {
        const config_setting_t *setting =
            list ? config_setting_get_elem(entry->setting, (unsigned)i)
                 : entry->setting;
        struct errtext err = {{0}};
        enum status status = STATUS_OK;

        if (is_reported(setting)) {
            entry->faulty = true;
            continue;
        }
        status = read_scalar(fill, entry->option, setting, field, &err);
        if (list && config_setting_type(setting) == CONFIG_TYPE_STRING)
            note_item(fill, node, entry, status,
                      config_setting_get_string(setting), err.text);
        else
            note_status(fill, node, entry, status, err.text);
    }
    if (count == 0)
        note_status(
            fill, node, entry,
            settings_value_read(entry->option, "", fill->base, field, NULL),
            "");
}

/* Reads all entries of an option; *faulty_r: there was a fault. */
static bool read_entries(const struct fill *fill, struct settings_node *node,
                         const struct settings_option *option, void *field,
                         bool *faulty_r)
{
    bool set = false;

    for (size_t i = 0; i < node->entry_count; i++) {
        struct settings_entry *entry = &node->entries[i];

        if (entry->option != option)
            continue;
        read_entry(fill, node, entry, field);
        *faulty_r = *faulty_r || entry->faulty;
        set = true;
    }
    return set;
}

/* Fills one option from its entries; after a fault it has its default. */
static void fill_option(const struct fill *fill, struct settings_node *node,
                        const struct settings_option *option, void *field)
{
    bool faulty = false;
    bool set = read_entries(fill, node, option, field, &faulty);

    if (!set && option->default_text == NULL)
        settings_node_fault(fill->faults, node, option->key,
                            "missing: it has no default");
    else if (set && !faulty && option->default_text == NULL &&
             settings_value_empty(option, field))
        settings_node_fault(fill->faults, node, option->key,
                            "this must not be empty");
    if (!set || faulty) {
        settings_value_clear(option, field);
        if (settings_value_default(option, fill->base, field) != STATUS_OK)
            fill->faults->no_memory = true;
    }
}

static size_t count_children(const struct settings_node *node,
                             const struct settings_group *group)
{
    size_t count = 0;

    for (size_t i = 0; i < node->child_count; i++)
        count += node->children[i].group == group ? 1 : 0;
    return count;
}

/* Makes the array of a list of groups; NULL for none, or without memory. */
static void *make_list(const struct fill *fill,
                       const struct settings_node *node,
                       const struct settings_group *group, void *target)
{
    size_t count = count_children(node, group);
    void *list = count > 0 ? calloc(count, group->size) : NULL;

    if (list != NULL) {
        *(void **)field_at(target, group->offset) = list;
        *(size_t *)field_at(target, group->count_offset) = count;
    } else if (count > 0) {
        fill->faults->no_memory = true;
    }
    return list;
}

/* Fills the struct at target, and what hangs on it, from a node. */
static void fill_group(const struct fill *fill, struct settings_node *node,
                       void *target)
{
    const struct settings_group *group = node->group;

    for (size_t i = 0; i < group->option_count; i++)
        fill_option(fill, node, &group->options[i],
                    field_at(target, group->options[i].offset));
    for (size_t i = 0; i < group->child_count; i++) {
        const struct settings_group *child = &group->children[i];
        char *at = child->is_list ? make_list(fill, node, child, target)
                                  : field_at(target, child->offset);

        for (size_t n = 0; at != NULL && n < node->child_count; n++) {
            if (node->children[n].group != child)
                continue;
            fill_group(fill, &node->children[n], at);
            at += child->size;
        }
    }
}

enum status settings_load(const char *path, struct settings **settings_r,
                          struct strbuf *faults)
{
    struct settings_faults found = {.out = faults};
    struct settings_tree tree = {0};
    struct settings *settings = calloc(1, sizeof(*settings));
    enum status status = STATUS_TEMPFAIL;

    if (settings == NULL)
        goto out;
    settings_tree_read(&tree, path, &found);
    if (found.no_memory)
        goto out;
    fill_group(&(struct fill){tree.base, &found}, &tree.root, settings);
    /* Half the files would make faults of what the other half says. */
    if (!found.no_memory && tree.complete) {
        if (settings_derive(&tree, settings))
            settings_check(&tree, settings, &found);
        else
            found.no_memory = true;
    }
    settings_faults_end(&found);
    if (found.no_memory || faults->failed)
        goto out;
    status = found.count > 0 ? STATUS_INVALID : STATUS_OK;
    if (status == STATUS_OK) {
        *settings_r = settings;
        settings = NULL;
    }
out:
    settings_tree_free(&tree);
    settings_free(&settings);
    return status;
}

/* Frees what the struct at target holds, but not itself. */
static void clear_group(const struct settings_group *group, void *target)
{
    for (size_t i = 0; i < group->option_count; i++)
        settings_value_clear(&group->options[i],
                             field_at(target, group->options[i].offset));
    for (size_t i = 0; i < group->child_count; i++) {
        const struct settings_group *child = &group->children[i];
        void *field = field_at(target, child->offset);
        size_t count = 1;

        if (child->is_list) {
            count = *(size_t *)field_at(target, child->count_offset);
            field = *(void **)field;
        }
        for (size_t n = 0; n < count; n++)
            clear_group(child, field_at(field, n * child->size));
        if (child->is_list)
            free(field);
    }
}

void settings_free(struct settings **settings)
{
    if (*settings == NULL)
        return;
    secret_free(&(*settings)->store.password);
    secret_free(&(*settings)->auth.keys_secret);
    for (size_t i = 0; i < (*settings)->directory_count; i++)
        secret_free(&(*settings)->directories[i].bind_password);
    clear_group(&settings_root, *settings);
    free(*settings);
    *settings = NULL;
}

static bool has_item(const struct text_list *list, const char *item)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], item) == 0)
            return true;
    }
    return false;
}

const struct directory_settings *
settings_directory_for(const struct settings *settings, const char *domain)
{
    const struct directory_settings *rest = NULL;

    for (size_t i = 0; i < settings->directory_count; i++) {
        const struct directory_settings *dir = &settings->directories[i];

        if (has_item(&dir->domains, domain))
            return dir;
        if (dir->domains.count == 0)
            rest = dir;
    }
    return rest;
}

const struct directory_settings *
settings_directory_of_login(const struct settings *settings, const char *domain)
{
    for (size_t i = 0; i < settings->directory_count; i++) {
        if (has_item(&settings->directories[i].login_domains, domain))
            return &settings->directories[i];
    }
    return NULL;
}

const struct template_settings *
settings_template(const struct settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->template_count; i++) {
        if (strcmp(settings->templates[i].name, name) == 0)
            return &settings->templates[i];
    }
    return NULL;
}

const struct directory_settings *
settings_directory(const struct settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->directory_count; i++) {
        if (strcmp(settings->directories[i].name, name) == 0)
            return &settings->directories[i];
    }
    return NULL;
}
