/*
 * settings_table - every option there is, once
 *
 * A room of settings: only settings*.c include this. Load, dump, describe,
 * free and the documentation gate all walk this table, so that a new option is
 * one row, and a new group a few.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_SETTINGS_TABLE_H
#define COMMON_SETTINGS_TABLE_H

#include "settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the text of an option is read, kept and shown (settings_value.c). */
enum settings_kind {
    KIND_TEXT,       /* char *: one line of text */
    KIND_NAME,       /* char *: a name others refer to */
    KIND_WORD_TEXT,  /* char *: one of words */
    KIND_FILE,       /* char *: path, relative to the settings file */
    KIND_SECRET,     /* char *: likewise, of a file that holds a secret */
    KIND_SOCKET,     /* char *: absolute path of a unix socket */
    KIND_ATTRIBUTE,  /* char *: name of an LDAP attribute */
    KIND_TAGS,       /* char *: list, kept sorted with commas */
    KIND_BOOL,       /* bool */
    KIND_SERVICE,    /* unsigned: the bit `min` of it */
    KIND_NUMBER,     /* unsigned, min to max */
    KIND_SIZE,       /* uint64_t, "5G" */
    KIND_DURATION,   /* int64_t ms, "30s", min to max */
    KIND_RATE,       /* struct rate, "200/1h" */
    KIND_MODE,       /* mode_t, "0660" */
    KIND_WORD,       /* an enum of unsigned size: the index in words */
    KIND_TEXTS,      /* struct text_list */
    KIND_HOSTS,      /* struct text_list, also "a, b" */
    KIND_DOMAINS,    /* struct text_list, kept canonical */
    KIND_ATTRIBUTES, /* struct text_list of attribute names */
    KIND_CLIENTS     /* struct text_list of addresses and CIDR blocks */
};

struct settings_option {
    const char *key;
    enum settings_kind kind;
    size_t offset;            /* in the struct of the group */
    const char *default_text; /* NULL: required; "": may be empty */
    uint64_t min;
    uint64_t max;
    const char *const *words; /* NULL-terminated */
};

struct settings_group {
    const char *key;     /* "" for the top level */
    bool is_list;        /* a list of groups: pointer and count in the parent */
    size_t offset;       /* in the struct of the parent */
    size_t count_offset; /* likewise, of a list */
    size_t size;         /* of one struct */
    size_t default_count; /* of a list that is nowhere written */
    const struct settings_option *options;
    size_t option_count;
    const struct settings_group *children;
    size_t child_count;
};

/* The top level: struct settings. */
extern const struct settings_group settings_root;

/* What schema = "..." sets where the administrator did not. */
struct settings_preset {
    enum directory_schema schema;
    const char *key; /* in directories */
    const char *text;
};
extern const struct settings_preset settings_presets[];
extern const size_t settings_preset_count;

/* Returns the option or group of that key, or NULL. */
const struct settings_option *
settings_option_named(const struct settings_group *group, const char *key);
const struct settings_group *
settings_child_named(const struct settings_group *group, const char *key);

/*
 * Returns the key an administrator most probably meant by an unknown one
 * ("binddn" -> "bind_dn"), or NULL.
 */
const char *settings_suggestion(const struct settings_group *group,
                                const char *key);

#endif
