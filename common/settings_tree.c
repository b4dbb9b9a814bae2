/* settings_tree - see settings_tree.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "settings_tree.h"

#include "settings_scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct settings_file {
    char *name;
    config_t config;
};

/* The path of a group, a dot and a key of any length, which is cut. */
#define KEY_PATH_BYTES_MAX (SETTINGS_PATH_BYTES_MAX * 2 + 2)

/* What the functions of one read share. */
struct walk {
    struct settings_tree *tree;
    struct settings_faults *faults;
    const char *file;
};

/* Writes "auth.workers" for the key of a node. */
static void key_path(const struct settings_node *node, const char *key,
                     char path[KEY_PATH_BYTES_MAX])
{
    (void)snprintf(path, KEY_PATH_BYTES_MAX, "%s%s%.64s", node->path,
                   node->path[0] != '\0' && key[0] != '\0' ? "." : "", key);
}

void settings_node_fault(struct settings_faults *faults,
                         const struct settings_node *node, const char *key,
                         const char *fmt, ...)
{
    const struct settings_entry *entry = settings_node_entry(node, key);
    char path[KEY_PATH_BYTES_MAX] = "";
    va_list args;

    key_path(node, key, path);
    va_start(args, fmt);
    settings_vfault(faults, entry != NULL ? entry->place : node->place, path,
                    fmt, args);
    va_end(args);
}

void settings_entry_fault(struct settings_faults *faults,
                          const struct settings_node *node,
                          const struct settings_entry *entry, const char *fmt,
                          ...)
{
    char path[KEY_PATH_BYTES_MAX] = "";
    va_list args;

    key_path(node, entry->option->key, path);
    va_start(args, fmt);
    settings_vfault(faults, entry->place, path, fmt, args);
    va_end(args);
}

const struct settings_node *
settings_node_child(const struct settings_node *node,
                    const struct settings_group *group, size_t n)
{
    for (size_t i = 0; i < node->child_count; i++) {
        if (node->children[i].group == group && n-- == 0)
            return &node->children[i];
    }
    return NULL;
}

const struct settings_entry *
settings_node_entry(const struct settings_node *node, const char *key)
{
    for (size_t i = 0; i < node->entry_count; i++) {
        if (strcmp(node->entries[i].option->key, key) == 0)
            return &node->entries[i];
    }
    return NULL;
}

static void free_node(struct settings_node *node)
{
    for (size_t i = 0; i < node->child_count; i++)
        free_node(&node->children[i]);
    free(node->children);
    free(node->entries);
}

void settings_tree_free(struct settings_tree *tree)
{
    free_node(&tree->root);
    for (size_t i = 0; i < tree->file_count; i++) {
        config_destroy(&tree->files[i].config);
        free(tree->files[i].name);
    }
    free(tree->files);
    free(tree->base);
    *tree = (struct settings_tree){0};
}

/* Adds a node for a child group; NULL without memory. */
static struct settings_node *add_child(struct walk *walk,
                                       struct settings_node *node,
                                       const struct settings_group *group,
                                       struct settings_place place)
{
    struct settings_node *children =
        reallocarray(node->children, node->child_count + 1, sizeof(*children));
    struct settings_node *child = NULL;

    if (children == NULL) {
        walk->faults->no_memory = true;
        return NULL;
    }
    node->children = children;
    child = &children[node->child_count++];
    *child = (struct settings_node){.group = group, .place = place};
    (void)snprintf(child->path, sizeof(child->path), "%.31s%s%.31s", node->path,
                   node->path[0] != '\0' ? "." : "", group->key);
    return child;
}

static struct settings_place place_of(const struct walk *walk,
                                      const config_setting_t *setting)
{
    return (struct settings_place){walk->file,
                                   config_setting_source_line(setting)};
}

/* Notes that an option is written; twice is a fault unless it is a list. */
static void add_entry(struct walk *walk, struct settings_node *node,
                      const struct settings_option *option,
                      const config_setting_t *setting)
{
    const struct settings_entry *before =
        settings_node_entry(node, option->key);
    struct settings_entry entry = {option, setting, place_of(walk, setting),
                                   false};
    struct settings_entry *entries = NULL;

    if (before != NULL && option->kind < KIND_TEXTS) {
        settings_entry_fault(walk->faults, node, &entry,
                             "already set in %s:%u: remove one of the two",
                             before->place.file, before->place.line);
        return;
    }
    entries =
        reallocarray(node->entries, node->entry_count + 1, sizeof(*entries));
    if (entries == NULL) {
        walk->faults->no_memory = true;
        return;
    }
    node->entries = entries;
    entries[node->entry_count++] = entry;
}

/* Adds a fault about a member that is no option, or not the right shape. */
static void refuse_member(struct walk *walk, const struct settings_node *node,
                          const config_setting_t *setting, const char *key,
                          const char *sentence)
{
    char path[KEY_PATH_BYTES_MAX] = "";

    key_path(node, key, path);
    settings_fault(walk->faults, place_of(walk, setting), path, "%s", sentence);
}

static void refuse_unknown(struct walk *walk, const struct settings_node *node,
                           const config_setting_t *setting, const char *key)
{
    const char *meant = settings_suggestion(node->group, key);
    char sentence[128] = "there is no such option: provost.conf(5) lists all";

    if (meant != NULL)
        (void)snprintf(sentence, sizeof(sentence),
                       "there is no such option: did you mean \"%s\"?", meant);
    refuse_member(walk, node, setting, key, sentence);
}

/* True if the setting has the shape of the group, else a fault. */
static bool right_shape(struct walk *walk, const struct settings_node *node,
                        const struct settings_group *group,
                        const config_setting_t *setting)
{
    int type = config_setting_type(setting);

    if (!group->is_list && type != CONFIG_TYPE_GROUP) {
        refuse_member(walk, node, setting, group->key,
                      "this is a group: write it as { ... }");
        return false;
    }
    if (group->is_list && type != CONFIG_TYPE_LIST &&
        (type != CONFIG_TYPE_ARRAY || config_setting_length(setting) > 0)) {
        refuse_member(walk, node, setting, group->key,
                      "this is a list of groups: write it as "
                      "( { ... }, { ... } )");
        return false;
    }
    return true;
}

/* Returns the node of a group that is not a list, which is there once. */
static struct settings_node *only_child(struct walk *walk,
                                        struct settings_node *node,
                                        const struct settings_group *group,
                                        const config_setting_t *setting)
{
    for (size_t i = 0; i < node->child_count; i++) {
        if (node->children[i].group == group)
            return &node->children[i];
    }
    return add_child(walk, node, group, place_of(walk, setting));
}

/* Returns the node for the next group of a list, NULL after a fault. */
static struct settings_node *next_child(struct walk *walk,
                                        struct settings_node *node,
                                        const struct settings_group *group,
                                        const config_setting_t *item)
{
    if (config_setting_type(item) != CONFIG_TYPE_GROUP) {
        refuse_member(walk, node, item, group->key,
                      "an item of this list is a group: write it as { ... }");
        return NULL;
    }
    if (node->child_count >= SETTINGS_GROUPS_MAX) {
        refuse_member(walk, node, item, group->key, "too many groups");
        return NULL;
    }
    return add_child(walk, node, group, place_of(walk, item));
}

/* Takes all members of a libconfig group into node. */
static void take_members(struct walk *walk, struct settings_node *node,
                         config_setting_t *setting)
{
    int count = config_setting_length(setting);

    for (int i = 0; i < count; i++) {
        config_setting_t *member =
            config_setting_get_elem(setting, (unsigned)i);
        const char *key = config_setting_name(member);
        const struct settings_option *option =
            settings_option_named(node->group, key);
        const struct settings_group *group =
            settings_child_named(node->group, key);
        struct settings_node *child = NULL;

        if (option != NULL) {
            add_entry(walk, node, option, member);
        } else if (group == NULL) {
            refuse_unknown(walk, node, member, key);
        } else if (!right_shape(walk, node, group, member)) {
            continue;
        } else if (!group->is_list) {
            child = only_child(walk, node, group, member);
            if (child != NULL)
                take_members(walk, child, member);
        } else {
            for (int n = 0; n < config_setting_length(member); n++) {
                config_setting_t *item =
                    config_setting_get_elem(member, (unsigned)n);

                child = next_child(walk, node, group, item);
                if (child != NULL)
                    take_members(walk, child, item);
            }
        }
    }
}

/* Makes the nodes of groups that nobody wrote: they have defaults only. */
static void add_missing(struct walk *walk, struct settings_node *node)
{
    for (size_t i = 0; i < node->group->child_count; i++) {
        const struct settings_group *group = &node->group->children[i];
        size_t wanted = group->is_list ? group->default_count : 1;

        if (settings_node_child(node, group, 0) != NULL)
            continue;
        for (size_t n = 0; n < wanted; n++)
            (void)add_child(walk, node, group, node->place);
    }
    for (size_t i = 0; i < node->child_count; i++)
        add_missing(walk, &node->children[i]);
}

static void refuse_file(struct walk *walk, const char *sentence)
{
    settings_fault(walk->faults, (struct settings_place){walk->file, 0}, "",
                   "%s", sentence);
    walk->tree->complete = false;
}

/* Says in words why a file or folder cannot be used. */
static void refuse_errno(struct walk *walk, int error)
{
    switch (error) {
    case ENOENT:
        refuse_file(walk, "there is no such file");
        break;
    case EACCES:
        refuse_file(walk, "cannot be read: permission denied");
        break;
    case ENOMEM:
        walk->faults->no_memory = true;
        break;
    default:
        settings_fault(walk->faults, (struct settings_place){walk->file, 0}, "",
                       "cannot be read (error %d)", error);
        walk->tree->complete = false;
        break;
    }
}

/* Reads fd to the end, or to the bound; NULL after a fault. */
static char *read_all(struct walk *walk, int fd, size_t *len_r)
{
    char *text = malloc(SETTINGS_FILE_BYTES_MAX + 1);
    size_t len = 0;
    ssize_t got = 1;

    if (text == NULL) {
        walk->faults->no_memory = true;
        return NULL;
    }
    while (got > 0 && len <= SETTINGS_FILE_BYTES_MAX) {
        got = read(fd, text + len, SETTINGS_FILE_BYTES_MAX + 1 - len);
        if (got > 0)
            len += (size_t)got;
        else if (got < 0 && errno == EINTR)
            got = 1;
    }
    if (got < 0) {
        refuse_errno(walk, errno);
    } else if (len > SETTINGS_FILE_BYTES_MAX) {
        refuse_file(walk, "larger than 1 MiB: split it over conf.d");
    } else {
        text[len] = '\0';
        *len_r = len;
        return text;
    }
    free(text);
    return NULL;
}

/* Reads the whole of a regular file; NULL after a fault. */
static char *read_file(struct walk *walk, size_t *len_r)
{
    /* A FIFO in conf.d must not hang us. */
    int fd = open(walk->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    char *text = NULL;

    if (fd < 0) {
        refuse_errno(walk, errno);
        return NULL;
    }
    if (fstat(fd, &st) != 0)
        refuse_errno(walk, errno);
    else if (!S_ISREG(st.st_mode))
        refuse_file(walk, "not a regular file");
    else
        text = read_all(walk, fd, len_r);
    (void)close(fd);
    return text;
}

/* Gives libconfig's words a sentence that helps. */
static const char *parse_sentence(const char *text)
{
    if (text != NULL && strstr(text, "duplicate") != NULL)
        return "set twice in the same group: remove one of the two";
    if (text != NULL && strstr(text, "array") != NULL)
        return "the items of [ ] are all of one kind: texts in quotes";
    return "syntax error: look for a missing quote, bracket, comma or '=' "
           "here or on the line before; texts stand in quotes, switches are "
           "true or false";
}

/* Reads one file into the tree. */
static void take_file(struct walk *walk, struct settings_file *file)
{
    size_t len = 0;
    char *text = NULL;
    char key[SETTINGS_KEY_BYTES_MAX + 1] = "";

    walk->file = file->name;
    text = read_file(walk, &len);
    if (text == NULL)
        return;
    if (!settings_scan(text, len, file->name, walk->faults)) {
        walk->tree->complete = false;
    } else if (config_read_string(&file->config, text) != CONFIG_TRUE) {
        int line = config_error_line(&file->config);

        settings_scan_key(text, (unsigned)line, key);
        settings_fault(walk->faults,
                       (struct settings_place){file->name, (unsigned)line}, key,
                       "%s", parse_sentence(config_error_text(&file->config)));
        walk->tree->complete = false;
    } else {
        take_members(walk, &walk->tree->root,
                     config_root_setting(&file->config));
    }
    free(text);
}

/* Adds a file, to be read later; name becomes the tree's, even on failure. */
static bool add_file(struct settings_tree *tree, char *name)
{
    struct settings_file *files =
        name == NULL
            ? NULL
            : reallocarray(tree->files, tree->file_count + 1, sizeof(*files));

    if (files == NULL) {
        free(name);
        return false;
    }
    tree->files = files;
    files[tree->file_count].name = name;
    config_init(&files[tree->file_count].config);
    tree->file_count++;
    return true;
}

static int is_conf(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return entry->d_name[0] != '.' && len > 5 &&
           strcmp(entry->d_name + len - 5, ".conf") == 0;
}

/* By bytes: alphasort would sort by the language of whoever calls. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Adds the .conf files of a folder, which need not be there. */
static void add_folder(struct walk *walk, const char *folder)
{
    struct dirent **names = NULL;
    int count = scandir(folder, &names, is_conf, by_name);

    walk->file = folder;
    if (count < 0 && errno != ENOENT)
        refuse_errno(walk, errno);
    if (count > SETTINGS_FILES_MAX)
        refuse_file(walk, "more than 256 files: put some together");
    for (int i = 0; i < count; i++) {
        char *name = NULL;

        if (count <= SETTINGS_FILES_MAX) {
            if (asprintf(&name, "%s/%s", folder, names[i]->d_name) < 0)
                name = NULL;
            if (!add_file(walk->tree, name))
                walk->faults->no_memory = true;
        }
        free(names[i]);
    }
    free(names);
}

/* Finds the folder of path: as it is written, and absolute. */
static bool find_folders(const char *path, char **folder_r, char **base_r)
{
    char *copy = strdup(path);

    if (copy == NULL)
        return false;
    if (asprintf(folder_r, "%s/conf.d", dirname(copy)) < 0)
        *folder_r = NULL;
    free(copy);
    copy = strdup(path);
    if (copy != NULL) {
        *base_r = realpath(dirname(copy), NULL);
        /* No such folder: the file will be reported. */
        if (*base_r == NULL)
            *base_r = strdup("");
    }
    free(copy);
    return *folder_r != NULL && *base_r != NULL;
}

void settings_tree_read(struct settings_tree *tree, const char *path,
                        struct settings_faults *faults)
{
    struct walk walk = {tree, faults, path};
    char *folder = NULL;

    tree->complete = true;
    if (!find_folders(path, &folder, &tree->base) ||
        !add_file(tree, strdup(path))) {
        faults->no_memory = true;
        goto out;
    }
    tree->root.group = &settings_root;
    tree->root.place = (struct settings_place){tree->files[0].name, 1};
    add_folder(&walk, folder);
    for (size_t i = 0; i < tree->file_count && !faults->no_memory; i++)
        take_file(&walk, &tree->files[i]);
    add_missing(&walk, &tree->root);
out:
    free(folder);
}
