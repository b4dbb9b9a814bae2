/* directory_groups - see directory_groups.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_groups.h"

#include "directory_complete.h"
#include "directory_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Without memory a group is left out; uthash would end the process. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct group {
    char *dn;
    char *key; /* dn in lower case */
    struct group **parents;
    size_t parent_count;
    uint64_t seen; /* the last expansion that came by */
    UT_hash_handle hh;
};

struct directory_groups {
    struct group *all; /* by key */
    uint64_t expansions;
};

struct directory_groups *directory_groups_new(void)
{
    return calloc(1, sizeof(struct directory_groups));
}

static void group_free(struct group *group)
{
    free(group->dn);
    free(group->key);
    free(group->parents);
    free(group);
}

void directory_groups_free(struct directory_groups **groups)
{
    struct group *group;
    struct group *next;

    if (*groups == NULL)
        return;
    HASH_ITER(hh, (*groups)->all, group, next)
    {
        HASH_DEL((*groups)->all, group);
        group_free(group);
    }
    free(*groups);
    *groups = NULL;
}

/* Both names come from the same server: letters' case is all that differs. */
static char *key_of(const char *dn)
{
    char *key = strdup(dn);

    for (char *c = key; c != NULL && *c != '\0'; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    }
    return key;
}

/* The group of this name, made if there is none yet; NULL: no memory. */
static struct group *group_of(struct directory_groups *groups, const char *dn)
{
    char *key = key_of(dn);
    struct group *group = NULL;
    unsigned held = HASH_COUNT(groups->all);

    if (key == NULL)
        return NULL;
    HASH_FIND_STR(groups->all, key, group);
    if (group != NULL || held >= DIRECTORY_GROUPS_MAX) {
        free(key);
        return group;
    }
    group = calloc(1, sizeof(*group));
    if (group == NULL) {
        free(key);
        return NULL;
    }
    group->key = key;
    group->dn = strdup(dn);
    if (group->dn != NULL)
        HASH_ADD_KEYPTR(hh, groups->all, group->key, strlen(group->key), group);
    if (HASH_COUNT(groups->all) == held) {
        group_free(group);
        return NULL;
    }
    return group;
}

bool directory_groups_add(struct directory_groups *groups, const char *dn,
                          const struct text_list *parents)
{
    struct group *group = group_of(groups, dn);
    struct group **list;

    if (group == NULL || parents->count == 0)
        return group != NULL;
    list = reallocarray(group->parents, group->parent_count + parents->count,
                        sizeof(struct group *));
    if (list == NULL)
        return false;
    group->parents = list;
    for (size_t i = 0; i < parents->count; i++) {
        struct group *parent = group_of(groups, parents->items[i]);

        if (parent == NULL)
            return false;
        list[group->parent_count++] = parent;
    }
    return true;
}

static struct group *find(const struct directory_groups *groups, const char *dn)
{
    char *key = key_of(dn);
    struct group *group = NULL;

    if (key != NULL)
        HASH_FIND_STR(groups->all, key, group);
    free(key);
    return group;
}

enum status directory_groups_expand(struct directory_groups *groups,
                                    struct directory_entry *entry,
                                    struct errtext *err)
{
    struct text_list *values = &entry->values;
    uint64_t turn = ++groups->expansions;
    enum status status = STATUS_OK;

    for (size_t i = 0; i < values->count; i++) {
        struct group *direct = find(groups, values->items[i]);

        if (direct != NULL)
            direct->seen = turn;
    }
    /* The list grows while it is read: groups in groups in groups. */
    for (size_t i = 0; status == STATUS_OK && i < values->count; i++) {
        struct group *group = find(groups, values->items[i]);

        for (size_t j = 0;
             status == STATUS_OK && group != NULL && j < group->parent_count;
             j++) {
            struct group *parent = group->parents[j];

            if (parent->seen == turn)
                continue;
            parent->seen = turn;
            if (values->count >= DIRECTORY_VALUES_MAX) {
                errtext_set(err, "%.150s is in too many groups", entry->dn);
                status = STATUS_INVALID;
            } else {
                status = text_list_add(values, parent->dn, err);
            }
        }
    }
    return status;
}

/* What the walk tells of each group. */
struct reading {
    struct directory_groups *groups;
    bool failed;
};

static bool take_group(void *context, const struct directory_entry *entry)
{
    struct reading *in = context;

    in->failed = !directory_groups_add(in->groups, entry->dn, &entry->values);
    return !in->failed;
}

static bool take_unusable(void *context, const char *id,
                          const struct errtext *err)
{
    struct reading *in = context;

    (void)id;
    (void)err;
    in->failed = true;
    return false;
}

/* The domains of the base DNs, each once; owned. */
static enum status domains_of(const struct text_list *bases,
                              struct text_list *domains, struct errtext *err)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < bases->count; i++) {
        char *domain = directory_domain_of(bases->items[i]);
        const char *base = domain != NULL ? domain : bases->items[i];
        bool held = false;

        for (size_t j = 0; j < domains->count; j++)
            held = held || strcasecmp(domains->items[j], base) == 0;
        if (!held)
            status = text_list_add(domains, base, err);
        ldap_memfree(domain);
    }
    return status;
}

/* Walks the groups as if they were people. */
static enum status walk_groups(struct directory *dir, int64_t page_ms,
                               struct text_list domains, struct reading *in,
                               enum directory_gap *gap_r, struct errtext *err)
{
    char nothing[] = "";
    char is_group[] = "(objectClass=group)";
    char name[] = "cn";
    char member_of[] = "memberOf";
    struct directory_settings set = *dir->set;
    struct directory other = {.pool = dir->pool, .memory = dir->memory};
    struct directory_walker walker = {take_group, take_unusable, in};
    struct directory_walked walked;
    enum status status;

    set.base_dns = domains;
    set.filter = is_group;
    set.disabled_filter = nothing;
    set.username_field = name;
    set.attribute_field = member_of;
    set.alias_field = nothing;
    set.name_field = nothing;
    set.quota_field = nothing;
    set.id_field = nothing;
    set.group_method = GROUP_MEMBER_OF;
    other.set = &set;
    directory_entry_attributes(&set, &other.attributes);
    status = directory_walk(&other, &walker, page_ms, &walked, err);
    *gap_r = walked.gap;
    if (status != STATUS_OK && in->failed)
        errtext_set(err, "the groups of %s could not be read", set.name);
    return status == STATUS_OK ? STATUS_OK : STATUS_TEMPFAIL;
}

enum status directory_groups_read(struct directory *dir, int64_t page_ms,
                                  struct directory_groups **groups_r,
                                  enum directory_gap *gap_r,
                                  struct errtext *err)
{
    struct reading in = {.groups = directory_groups_new()};
    struct text_list domains = {.items = NULL};
    enum status status;

    *gap_r = DIRECTORY_BROKEN;
    if (in.groups == NULL)
        return status_no_memory(err);
    status = domains_of(&dir->set->base_dns, &domains, err);
    if (status == STATUS_OK)
        status = walk_groups(dir, page_ms, domains, &in, gap_r, err);
    if (status == STATUS_OK)
        *groups_r = in.groups;
    else
        directory_groups_free(&in.groups);
    text_list_clear(&domains);
    return status;
}
