/* doctor_jail - see doctor_jail.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "doctor_jail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t\r\v\f"
#define EXPAND_TURNS 8 /* "%(a)s" in the value of "%(b)s", and so on */

enum jail_key {
    KEY_ENABLED,
    KEY_FILTER,
    KEY_MODE,
    KEY_COUNT
};

static const char *const key_names[KEY_COUNT] = {"enabled", "filter", "mode"};

/* One section; NULL: not set there. The first one is [DEFAULT]. */
struct section {
    char *name;
    char *values[KEY_COUNT];
};

struct jails {
    struct section *list;
    size_t count;
};

struct jails *jails_new(void)
{
    struct jails *jails = calloc(1, sizeof(*jails));

    if (jails == NULL)
        return NULL;
    jails->list = calloc(1, sizeof(*jails->list));
    if (jails->list != NULL)
        jails->list->name = strdup("DEFAULT");
    if (jails->list == NULL || jails->list->name == NULL) {
        jails_free(&jails);
        return NULL;
    }
    jails->count = 1;
    return jails;
}

void jails_free(struct jails **jails)
{
    if (*jails == NULL)
        return;
    for (size_t i = 0; i < (*jails)->count; i++) {
        free((*jails)->list[i].name);
        for (int key = 0; key < KEY_COUNT; key++)
            free((*jails)->list[i].values[key]);
    }
    free((*jails)->list);
    free(*jails);
    *jails = NULL;
}

/* The section of that name, made if there is none; NULL: no room. */
static struct section *section_of(struct jails *jails, const char *name,
                                  size_t len)
{
    struct section *list;
    char *copy;

    for (size_t i = 0; i < jails->count; i++) {
        if (strlen(jails->list[i].name) == len &&
            strncmp(jails->list[i].name, name, len) == 0)
            return &jails->list[i];
    }
    if (jails->count > JAILS_MAX)
        return NULL;
    copy = strndup(name, len);
    list = reallocarray(jails->list, jails->count + 1, sizeof(*list));
    if (list != NULL)
        jails->list = list;
    if (list == NULL || copy == NULL) {
        free(copy);
        return NULL;
    }
    list[jails->count] = (struct section){.name = copy};
    return &list[jails->count++];
}

/* Sets "key = value" of a section, if the key is one of ours. */
static bool set_value(struct section *section, const char *line, size_t len)
{
    size_t key_len = strcspn(line, "=:");
    size_t from = key_len + 1;
    char *copy;

    if (key_len >= len)
        return true;
    while (key_len > 0 && strchr(BLANKS, line[key_len - 1]) != NULL)
        key_len--;
    while (from < len && strchr(BLANKS, line[from]) != NULL)
        from++;
    while (len > from && strchr(BLANKS, line[len - 1]) != NULL)
        len--;
    for (int key = 0; key < KEY_COUNT; key++) {
        if (strlen(key_names[key]) != key_len ||
            strncasecmp(key_names[key], line, key_len) != 0)
            continue;
        copy = strndup(line + from, len - from);
        if (copy == NULL)
            return false;
        free(section->values[key]);
        section->values[key] = copy;
    }
    return true;
}

enum status jails_read(struct jails *jails, const char *text,
                       struct errtext *err)
{
    struct section *section = &jails->list[0];

    while (text != NULL && *text != '\0') {
        const char *end = strchr(text, '\n');
        size_t len = end != NULL ? (size_t)(end - text) : strlen(text);

        if (text[0] == '[') {
            size_t name_len = strcspn(text + 1, "]\n");

            section = section_of(jails, text + 1, name_len);
            if (section == NULL) {
                errtext_set(err, "too many jails, or out of memory");
                return STATUS_TEMPFAIL;
            }
        } else if (len > 0 && strchr("#; \t", text[0]) == NULL &&
                   !set_value(section, text, len)) {
            return status_no_memory(err);
        }
        text = end != NULL ? end + 1 : NULL;
    }
    return STATUS_OK;
}

/* A value of a section, or else of [DEFAULT]. */
static const char *value_of(const struct jails *jails,
                            const struct section *section, enum jail_key key)
{
    const char *value = section->values[key];

    if (value == NULL)
        value = jails->list[0].values[key];
    return value != NULL ? value : "";
}

/* What "%(name)s" stands for; "" for what we do not keep. */
static const char *meaning_of(const struct jails *jails,
                              const struct section *section, const char *name,
                              size_t len)
{
    if (len == strlen("__name__") && strncmp(name, "__name__", len) == 0)
        return section->name;
    for (int key = 0; key < KEY_COUNT; key++) {
        if (strlen(key_names[key]) == len &&
            strncasecmp(key_names[key], name, len) == 0)
            return value_of(jails, section, (enum jail_key)key);
    }
    return "";
}

/* Writes value to out with each "%(name)s" in its place, once. */
static bool expand_once(const struct jails *jails,
                        const struct section *section, const char *value,
                        char *out, size_t size)
{
    bool found = false;
    size_t len = 0;

    out[0] = '\0';
    while (*value != '\0' && len + 1 < size) {
        size_t name_len = strncmp(value, "%(", 2) == 0 ? strcspn(value + 2, ")")
                                                       : strlen(value);

        if (strncmp(value, "%(", 2) == 0 && value[2 + name_len] == ')' &&
            value[3 + name_len] == 's') {
            (void)snprintf(out + len, size - len, "%s",
                           meaning_of(jails, section, value + 2, name_len));
            len = strlen(out);
            value += name_len + 4;
            found = true;
        } else {
            out[len++] = *value++;
            out[len] = '\0';
        }
    }
    return found;
}

static void expand(const struct jails *jails, const struct section *section,
                   enum jail_key key, char *out, size_t size)
{
    char before[512];

    (void)snprintf(out, size, "%s", value_of(jails, section, key));
    for (int turn = 0; turn < EXPAND_TURNS; turn++) {
        (void)snprintf(before, sizeof(before), "%s", out);
        if (!expand_once(jails, section, before, out, size))
            return;
    }
}

/* "postfix[mode=auth, x=y]" into its name and its mode. */
static void split_filter(char *filter, char *mode, size_t mode_size)
{
    char *bracket = strchr(filter, '[');
    char *given = bracket != NULL ? strstr(bracket, "mode=") : NULL;

    if (given != NULL && strchr("[, \t", given[-1]) != NULL) {
        given += strlen("mode=");
        given += strspn(given, "\"'");
        (void)snprintf(mode, mode_size, "%.*s",
                       (int)strcspn(given, "],\"' \t\n"), given);
    }
    filter[strcspn(filter, "[ \t")] = '\0';
}

bool jails_at(const struct jails *jails, size_t index, struct jail_seen *seen_r)
{
    const struct section *section;
    char filter[512];
    char enabled[64];

    if (index + 1 >= jails->count)
        return false;
    section = &jails->list[index + 1];
    *seen_r = (struct jail_seen){.name = section->name};
    expand(jails, section, KEY_ENABLED, enabled, sizeof(enabled));
    seen_r->enabled =
        strcasecmp(enabled, "true") == 0 || strcasecmp(enabled, "yes") == 0 ||
        strcasecmp(enabled, "on") == 0 || strcmp(enabled, "1") == 0;
    expand(jails, section, KEY_FILTER, filter, sizeof(filter));
    if (filter[0] == '\0')
        (void)snprintf(filter, sizeof(filter), "%s", section->name);
    split_filter(filter, seen_r->mode, sizeof(seen_r->mode));
    (void)snprintf(seen_r->filter, sizeof(seen_r->filter), "%.*s",
                   (int)sizeof(seen_r->filter) - 1, filter);
    return true;
}

bool jail_counts_outages(const struct jail_seen *seen)
{
    static const char *const modes[] = {"auth", "extra", "aggressive"};

    if (!seen->enabled)
        return false;
    /* The filter of that name, of older versions, knows nothing else. */
    if (strcmp(seen->filter, "postfix-sasl") == 0)
        return true;
    if (strcmp(seen->filter, "postfix") != 0)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        if (strcasecmp(seen->mode, modes[i]) == 0)
            return true;
    }
    return false;
}
