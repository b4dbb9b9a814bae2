/* expand - see expand.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "expand.h"

#include <stdlib.h>
#include <string.h>

/* One address on the way; each is there once. */
struct step {
    struct name name;
    bool ends;  /* an alias names itself: mail ends in the mailbox there */
    bool ended; /* that mailbox has been asked for */
};

struct walk {
    const struct expand_source *source;
    const char *delimiters;
    struct step *steps;
    size_t count;
    size_t size;
    const char *home; /* the domain of the first name, which is ours */
    struct expansion out;
};

void expansion_clear(struct expansion *expansion)
{
    for (size_t i = 0; i < expansion->count; i++)
        store_policy_mailbox_clear(&expansion->mailboxes[i]);
    free(expansion->mailboxes);
    *expansion = (struct expansion){0};
}

/* Takes a mailbox over, unless it is there already. */
static enum status add_mailbox(struct walk *walk,
                               struct store_policy_mailbox *mailbox,
                               struct errtext *err)
{
    struct expansion *out = &walk->out;
    struct store_policy_mailbox *grown;

    for (size_t i = 0; i < out->count; i++) {
        if (strcmp(out->mailboxes[i].address, mailbox->address) == 0)
            return STATUS_OK;
    }
    if (out->count == EXPAND_TARGETS_MAX) {
        out->incomplete = true;
        return STATUS_OK;
    }
    grown = realloc(out->mailboxes, (out->count + 1) * sizeof(*grown));
    if (grown == NULL)
        return status_no_memory(err);
    out->mailboxes = grown;
    grown[out->count++] = *mailbox;
    if (strcmp(address_domain_of(mailbox->address), walk->home) != 0)
        out->elsewhere = true;
    *mailbox = (struct store_policy_mailbox){0};
    return STATUS_OK;
}

/* Goes on to a name, once. */
static enum status add_step(struct walk *walk, const struct name *name,
                            struct errtext *err)
{
    for (size_t i = 0; i < walk->count; i++) {
        if (strcmp(walk->steps[i].name.text, name->text) == 0)
            return STATUS_OK;
    }
    if (walk->count == EXPAND_NAMES_MAX) {
        walk->out.incomplete = true;
        return STATUS_OK;
    }
    if (walk->count == walk->size) {
        size_t size = walk->size == 0 ? 2 : walk->size * 2;
        struct step *grown = realloc(walk->steps, size * sizeof(*grown));

        if (grown == NULL)
            return status_no_memory(err);
        walk->steps = grown;
        walk->size = size;
    }
    walk->steps[walk->count++] = (struct step){.name = *name};
    return STATUS_OK;
}

/* Brings a target to the domain it is known under; false: not ours. */
static enum status move_home(struct walk *walk, struct name *name, bool *ours_r,
                             struct errtext *err)
{
    struct store_policy_domain domain = {0};
    struct name moved = *name;
    enum status status;

    *ours_r = true;
    if (strcmp(name_domain(name), walk->home) == 0)
        return STATUS_OK;
    status = walk->source->domain(walk->source->context, name_domain(name),
                                  &domain, err);
    if (status != STATUS_OK)
        return status;
    *ours_r = domain.name != NULL && domain.active &&
              name_in_domain(name, domain.name, &moved);
    if (*ours_r)
        *name = moved;
    store_policy_domain_clear(&domain);
    return STATUS_OK;
}

/* One target of the alias that was found for step `from`, at `key`. */
static enum status follow_target(struct walk *walk, size_t from,
                                 const char *key, const char *target,
                                 struct errtext *err)
{
    struct name name;
    bool ours = false;
    enum status status = name_read(target, &name, err);

    if (status == STATUS_OK)
        status = move_home(walk, &name, &ours, err);
    if (status == STATUS_TEMPFAIL)
        return status;
    if (status != STATUS_OK || !ours) {
        walk->out.outside++;
        return STATUS_OK;
    }
    if (strcmp(name.text, key) != 0 &&
        strcmp(name.text, walk->steps[from].name.text) != 0)
        return add_step(walk, &name, err);
    /* Without the extension it may be another step, which ends as well. */
    if (strcmp(name.text, walk->steps[from].name.text) != 0) {
        status = add_step(walk, &name, err);
        for (size_t i = 0; i < walk->count; i++) {
            if (strcmp(walk->steps[i].name.text, name.text) == 0)
                walk->steps[i].ends = true;
        }
        return status;
    }
    walk->steps[from].ends = true;
    return STATUS_OK;
}

/* Goes where an alias leads. */
static enum status follow(struct walk *walk, size_t from, const char *key,
                          struct store_policy_alias *alias, struct errtext *err)
{
    enum status status = STATUS_OK;
    char *text = alias->targets;
    char *rest = NULL;

    walk->out.known = true;
    if (alias->mailbox.address != NULL)
        return add_mailbox(walk, &alias->mailbox, err);
    for (char *target = strtok_r(text, ", \t\r\n", &rest);
         target != NULL && status == STATUS_OK;
         target = strtok_r(NULL, ", \t\r\n", &rest))
        status = follow_target(walk, from, key, target, err);
    return status;
}

/* Asks for the mailboxes under one or two names, the first that is there. */
static enum status take_mailbox(struct walk *walk, const char *const *keys,
                                size_t count, struct errtext *err)
{
    struct store_policy_mailbox found[2] = {{0}};
    enum status status =
        walk->source->mailboxes(walk->source->context, keys, count, found, err);

    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (found[i].address == NULL)
            continue;
        walk->out.known = true;
        status = add_mailbox(walk, &found[i], err);
        break;
    }
    for (size_t i = 0; i < count; i++)
        store_policy_mailbox_clear(&found[i]);
    return status;
}

/* Nothing stands at the address itself: the other ways, in their order. */
static enum status try_other_ways(struct walk *walk, size_t from,
                                  struct errtext *err)
{
    const struct name name = walk->steps[from].name;
    struct store_policy_alias aliases[2] = {{0}};
    struct name base;
    bool has_base = name_without_extension(&name, walk->delimiters, &base);
    const char *keys[2];
    size_t count = 0;
    bool found = false;
    enum status status;

    if (has_base)
        keys[count++] = base.text;
    keys[count++] = name.text + name.local_len; /* "@domain" */
    status =
        walk->source->aliases(walk->source->context, keys, count, aliases, err);
    for (size_t i = 0; i < count && status == STATUS_OK && !found; i++) {
        found = aliases[i].targets != NULL;
        if (found)
            status = follow(walk, from, keys[i], &aliases[i], err);
    }
    for (size_t i = 0; i < count; i++)
        store_policy_alias_clear(&aliases[i]);
    if (status != STATUS_OK || found)
        return status;
    count = 0;
    if (name.fit)
        keys[count++] = name.text;
    if (has_base)
        keys[count++] = base.text;
    return count > 0 ? take_mailbox(walk, keys, count, err) : STATUS_OK;
}

/* Follows one step, about whose own address the alias tells. */
static enum status take_step(struct walk *walk, size_t from,
                             struct store_policy_alias *alias,
                             struct errtext *err)
{
    char key[ADDRESS_BYTES_MAX + 1];

    if (alias->targets == NULL)
        return try_other_ways(walk, from, err);
    memcpy(key, walk->steps[from].name.text, sizeof(key));
    return follow(walk, from, key, alias, err);
}

/* Takes as many steps as fit into one query; *next_r moves behind them. */
static enum status take_steps(struct walk *walk, size_t *next_r,
                              struct errtext *err)
{
    struct store_policy_alias aliases[STORE_POLICY_TOGETHER_MAX] = {{0}};
    const char *keys[STORE_POLICY_TOGETHER_MAX];
    size_t indexes[STORE_POLICY_TOGETHER_MAX];
    size_t first = *next_r;
    size_t count = 0;
    size_t asked = 0;
    enum status status = STATUS_OK;

    while (first + count < walk->count && count < STORE_POLICY_TOGETHER_MAX) {
        if (walk->steps[first + count].name.fit) {
            indexes[asked] = count;
            keys[asked++] = walk->steps[first + count].name.text;
        }
        count++;
    }
    if (asked > 0) {
        struct store_policy_alias found[STORE_POLICY_TOGETHER_MAX] = {{0}};

        status = walk->source->aliases(walk->source->context, keys, asked,
                                       found, err);
        for (size_t i = 0; i < asked; i++)
            aliases[indexes[i]] = found[i];
    }
    for (size_t i = 0; i < count; i++) {
        if (status == STATUS_OK)
            status = take_step(walk, first + i, &aliases[i], err);
        store_policy_alias_clear(&aliases[i]);
    }
    *next_r = first + count;
    return status;
}

/* The mailboxes at which aliases named themselves. */
static enum status take_ends(struct walk *walk, struct errtext *err)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; i < walk->count && status == STATUS_OK; i++) {
        const char *key = walk->steps[i].name.text;

        if (walk->steps[i].ends && !walk->steps[i].ended)
            status = take_mailbox(walk, &key, 1, err);
        walk->steps[i].ended = true;
    }
    return status;
}

static enum status finish(struct walk *walk, size_t next,
                          struct expansion *expansion_r, struct errtext *err)
{
    enum status status = STATUS_OK;

    while (status == STATUS_OK && next < walk->count)
        status = take_steps(walk, &next, err);
    if (status == STATUS_OK)
        status = take_ends(walk, err);
    free(walk->steps);
    if (status == STATUS_OK)
        *expansion_r = walk->out;
    else
        expansion_clear(&walk->out);
    return status;
}

enum status expand(const struct expand_source *source, const struct name *name,
                   const char *delimiters, struct expansion *expansion_r,
                   struct errtext *err)
{
    struct walk walk = {
        .source = source, .delimiters = delimiters, .home = name_domain(name)};
    enum status status = add_step(&walk, name, err);

    return status == STATUS_OK ? finish(&walk, 0, expansion_r, err) : status;
}

enum status expand_from(const struct expand_source *source,
                        const struct name *name, const char *delimiters,
                        struct store_policy_alias *alias,
                        struct expansion *expansion_r, struct errtext *err)
{
    struct walk walk = {
        .source = source, .delimiters = delimiters, .home = name_domain(name)};
    enum status status = add_step(&walk, name, err);

    if (status == STATUS_OK)
        status = take_step(&walk, 0, alias, err);
    if (status != STATUS_OK) {
        free(walk.steps);
        expansion_clear(&walk.out);
        return status;
    }
    return finish(&walk, 1, expansion_r, err);
}
