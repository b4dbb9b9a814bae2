/*
 * settings_tree - provost.conf and conf.d as one tree of what is set where
 *
 * A room of settings: only settings*.c include this. Reads the files, merges
 * them group by group and holds them against the option table. The values are
 * still libconfig's; settings_fill reads them.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_SETTINGS_TREE_H
#define COMMON_SETTINGS_TREE_H

#include "settings_faults.h"
#include "settings_table.h"

#include <stdbool.h>
#include <stddef.h>

#define SETTINGS_FILE_BYTES_MAX ((size_t)1 << 20)
#define SETTINGS_FILES_MAX 256
#define SETTINGS_GROUPS_MAX 10000  /* in one group's lists */
#define SETTINGS_PATH_BYTES_MAX 64 /* "directories.attribute_mapping" */

struct config_setting_t;

/* One option that somebody wrote. A list may be written in several files. */
struct settings_entry {
    const struct settings_option *option;
    const struct config_setting_t *setting;
    struct settings_place place;
    bool faulty; /* what it says could not be read */
};

/* One group, or one group of a list. */
struct settings_node {
    const struct settings_group *group;
    char path[SETTINGS_PATH_BYTES_MAX]; /* "" for the top level */
    struct settings_place place;
    struct settings_entry *entries;
    size_t entry_count;
    struct settings_node *children;
    size_t child_count;
};

struct settings_file;

struct settings_tree {
    struct settings_node root;
    struct settings_file *files;
    size_t file_count;
    char *base;    /* absolute folder of the main file */
    bool complete; /* every file could be read */
};

/*
 * Reads path and conf.d beside it; starts with *tree {0}. Groups that are not
 * lists, and lists with default_count, have their nodes even if nowhere
 * written. Faults are added, faults->no_memory is set.
 */
void settings_tree_read(struct settings_tree *tree, const char *path,
                        struct settings_faults *faults);

void settings_tree_free(struct settings_tree *tree);

/* Returns the n-th node of a child group, or NULL. */
const struct settings_node *
settings_node_child(const struct settings_node *node,
                    const struct settings_group *group, size_t n);

/* Returns the entry of a key, or NULL when it is not set. */
const struct settings_entry *
settings_node_entry(const struct settings_node *node, const char *key);

/* Adds a fault about a key, set or not, of a node. */
void settings_node_fault(struct settings_faults *faults,
                         const struct settings_node *node, const char *key,
                         const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Likewise, with the place of one entry. */
void settings_entry_fault(struct settings_faults *faults,
                          const struct settings_node *node,
                          const struct settings_entry *entry, const char *fmt,
                          ...) PRINTF_LIKE(4, 5);

#endif
