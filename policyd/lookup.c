/* lookup - see lookup.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "lookup.h"

#include "fact_table.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lookup {
    struct lookup_source source;
    struct accounts *accounts;
    char *delimiters;
};

/* The questions of one look-up, which share its deadline. */
struct asking {
    const struct lookup *lookup;
    int64_t deadline_ms;
};

static enum status ask_domain(void *context, const char *name,
                              struct store_policy_domain *domain_r,
                              struct errtext *err)
{
    const struct asking *asking = context;

    return asking->lookup->source.domain(asking->lookup->source.context, name,
                                         asking->deadline_ms, domain_r, err);
}

static enum status ask_aliases(void *context, const char *const *addresses,
                               size_t count,
                               struct store_policy_alias *aliases_r,
                               struct errtext *err)
{
    const struct asking *asking = context;

    return asking->lookup->source.aliases(asking->lookup->source.context,
                                          addresses, count, asking->deadline_ms,
                                          aliases_r, err);
}

static enum status ask_mailboxes(void *context, const char *const *addresses,
                                 size_t count,
                                 struct store_policy_mailbox *mailboxes_r,
                                 struct errtext *err)
{
    const struct asking *asking = context;

    return asking->lookup->source.mailboxes(
        asking->lookup->source.context, addresses, count, asking->deadline_ms,
        mailboxes_r, err);
}

static void clear_domain(struct fact *head)
{
    struct domain_fact *fact = (struct domain_fact *)head;

    store_policy_domain_clear(&fact->domain);
    free(fact);
}

static void clear_recipient(struct fact *head)
{
    struct recipient_fact *fact = (struct recipient_fact *)head;

    expansion_clear(&fact->expansion);
    free(fact);
}

static void clear_login(struct fact *head)
{
    struct login_fact *fact = (struct login_fact *)head;

    store_policy_mailbox_clear(&fact->mailbox);
    free(fact);
}

static void clear_sender(struct fact *head)
{
    free(head);
}

/* A fact of size bytes, its head filled in; NULL without memory. */
static void *new_fact(size_t size, void (*clear)(struct fact *fact))
{
    struct fact *fact = calloc(1, size);

    if (fact == NULL)
        return NULL;
    atomic_init(&fact->holders, 1);
    fact->clear = clear;
    return fact;
}

static enum status load_domain(const struct asking *asking, const char *key,
                               struct fact **fact_r, struct errtext *err)
{
    struct domain_fact *fact = new_fact(sizeof(*fact), clear_domain);
    enum status status;

    if (fact == NULL)
        return status_no_memory(err);
    status =
        asking->lookup->source.domain(asking->lookup->source.context, key,
                                      asking->deadline_ms, &fact->domain, err);
    if (status != STATUS_OK) {
        clear_domain(&fact->head);
        return status;
    }
    *fact_r = &fact->head;
    return STATUS_OK;
}

/*
 * A recipient's key is its name; what no mailbox can be called has a blank
 * before it, so that it is no other's.
 */
static void recipient_key(const struct name *name,
                          char key_r[ADDRESS_BYTES_MAX + 2])
{
    size_t len = strlen(name->text);
    size_t unfit = name->fit ? 0 : 1;

    key_r[0] = ' ';
    memcpy(key_r + unfit, name->text, len + 1);
}

static void read_key(const char *key, struct name *name)
{
    name->fit = key[0] != ' ';
    if (!name->fit)
        key++;
    (void)snprintf(name->text, sizeof(name->text), "%s", key);
    name->local_len = (size_t)(address_domain_of(name->text) - name->text) - 1;
}

static enum status load_recipient(const struct asking *asking, const char *key,
                                  struct store_policy_alias *alias,
                                  struct fact **fact_r, struct errtext *err)
{
    struct asking context = *asking;
    struct expand_source source = {.domain = ask_domain,
                                   .aliases = ask_aliases,
                                   .mailboxes = ask_mailboxes,
                                   .context = &context};
    struct recipient_fact *fact = new_fact(sizeof(*fact), clear_recipient);
    struct name name;
    enum status status;

    if (fact == NULL)
        return status_no_memory(err);
    read_key(key, &name);
    status = expand_from(&source, &name, asking->lookup->delimiters, alias,
                         &fact->expansion, err);
    if (status != STATUS_OK) {
        clear_recipient(&fact->head);
        return status;
    }
    *fact_r = &fact->head;
    return STATUS_OK;
}

/* Asks what stands at all the addresses at once, and goes on from there. */
static enum status load_recipients(const struct asking *asking,
                                   const char *const *keys, size_t count,
                                   struct fact **facts_r, struct errtext *err)
{
    struct store_policy_alias found[ACCOUNTS_TOGETHER_MAX] = {{0}};
    const char *fit[ACCOUNTS_TOGETHER_MAX];
    size_t fits = 0;
    size_t next = 0;
    enum status status = STATUS_OK;

    for (size_t i = 0; i < count; i++) {
        if (keys[i][0] != ' ')
            fit[fits++] = keys[i];
    }
    if (fits > 0)
        status = asking->lookup->source.aliases(asking->lookup->source.context,
                                                fit, fits, asking->deadline_ms,
                                                found, err);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct store_policy_alias none = {0};
        struct store_policy_alias *alias =
            keys[i][0] != ' ' ? &found[next++] : &none;

        status = load_recipient(asking, keys[i], alias, &facts_r[i], err);
    }
    for (size_t i = 0; i < fits; i++)
        store_policy_alias_clear(&found[i]);
    if (status != STATUS_OK) {
        for (size_t i = 0; i < count; i++)
            fact_release(&facts_r[i]);
    }
    return status;
}

/* One query for the mailboxes of all the logins. */
static enum status load_logins(const struct asking *asking,
                               const char *const *keys, size_t count,
                               struct fact **facts_r, struct errtext *err)
{
    struct store_policy_mailbox found[ACCOUNTS_TOGETHER_MAX] = {{0}};
    enum status status = asking->lookup->source.mailboxes(
        asking->lookup->source.context, keys, count, asking->deadline_ms, found,
        err);

    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct login_fact *fact = new_fact(sizeof(*fact), clear_login);

        if (fact == NULL) {
            status = status_no_memory(err);
            break;
        }
        fact->mailbox = found[i];
        found[i] = (struct store_policy_mailbox){0};
        facts_r[i] = &fact->head;
    }
    for (size_t i = 0; i < count; i++) {
        store_policy_mailbox_clear(&found[i]);
        if (status != STATUS_OK)
            fact_release(&facts_r[i]);
    }
    return status;
}

/* Is login among the targets, a comma separated list? */
static bool names(const char *targets, const char *login)
{
    size_t len = strlen(login);
    const char *at = targets;

    while (*at != '\0') {
        size_t word;

        at += strspn(at, ", \t\r\n");
        word = strcspn(at, ", \t\r\n");
        if (word == len && strncmp(at, login, len) == 0)
            return true;
        at += word;
    }
    return false;
}

/*
 * Who gets the mail of an address may send with it: the first of its forms
 * that is an alias counts, as for mail that comes in.
 */
static enum status gets_mail(const struct asking *asking, const char *login,
                             const char *const *forms, size_t count,
                             bool *own_r, struct errtext *err)
{
    struct store_policy_alias found[STORE_POLICY_SENDERS_MAX] = {{0}};
    enum status status =
        asking->lookup->source.aliases(asking->lookup->source.context, forms,
                                       count, asking->deadline_ms, found, err);

    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        if (found[i].targets == NULL)
            continue;
        *own_r = names(found[i].targets, login);
        break;
    }
    for (size_t i = 0; i < count; i++)
        store_policy_alias_clear(&found[i]);
    return status;
}

/* The key is the login, a newline, and the sender. */
static enum status find_own(const struct asking *asking, const char *key,
                            bool *own_r, struct errtext *err)
{
    char login[ACCOUNTS_KEY_BYTES_MAX + 1];
    const char *forms[STORE_POLICY_SENDERS_MAX];
    size_t len = strcspn(key, "\n");
    struct name sender;
    struct name base;
    size_t count = 0;
    enum status status = STATUS_OK;

    memcpy(login, key, len);
    login[len] = '\0';
    read_key(key + len + 1, &sender);
    if (sender.fit)
        forms[count++] = sender.text;
    if (name_without_extension(&sender, asking->lookup->delimiters, &base))
        forms[count++] = base.text;
    forms[count++] = sender.text + sender.local_len; /* "@domain" */
    for (size_t i = 0; i < count; i++)
        *own_r = *own_r || strcmp(forms[i], login) == 0;
    /* A catch-all gets what is nobody's, and gives no right to send with it. */
    if (!*own_r && count > 1)
        status = gets_mail(asking, login, forms, count - 1, own_r, err);
    if (status == STATUS_OK && !*own_r)
        status = asking->lookup->source.sender(asking->lookup->source.context,
                                               login, forms, count,
                                               asking->deadline_ms, own_r, err);
    return status;
}

static enum status load_sender(const struct asking *asking, const char *key,
                               struct fact **fact_r, struct errtext *err)
{
    struct sender_fact *fact = new_fact(sizeof(*fact), clear_sender);
    enum status status;

    if (fact == NULL)
        return status_no_memory(err);
    status = find_own(asking, key, &fact->own, err);
    if (status != STATUS_OK) {
        clear_sender(&fact->head);
        return status;
    }
    *fact_r = &fact->head;
    return STATUS_OK;
}

/* Look-ups of one fact each; the rest, left open, is asked for again. */
static enum status load(void *context, enum accounts_kind kind,
                        const char *const *keys, size_t count,
                        int64_t deadline_ms, struct fact **facts_r,
                        struct errtext *err)
{
    struct asking asking = {.lookup = context, .deadline_ms = deadline_ms};

    switch (kind) {
    case ACCOUNTS_RECIPIENT:
        return load_recipients(&asking, keys, count, facts_r, err);
    case ACCOUNTS_DOMAIN:
        return load_domain(&asking, keys[0], facts_r, err);
    case ACCOUNTS_LOGIN:
        return load_logins(&asking, keys, count, facts_r, err);
    case ACCOUNTS_SENDER:
        return load_sender(&asking, keys[0], facts_r, err);
    case ACCOUNTS_KIND_COUNT:
        break;
    }
    return STATUS_TEMPFAIL;
}

enum status lookup_new(const struct lookup_source *source,
                       struct accounts_limits limits, const char *delimiters,
                       struct lookup **lookup_r, struct errtext *err)
{
    struct lookup *lookup = calloc(1, sizeof(*lookup));
    struct accounts_source loader = {.load = load, .context = lookup};

    if (lookup == NULL)
        return status_no_memory(err);
    lookup->source = *source;
    lookup->delimiters = strdup(delimiters);
    if (lookup->delimiters == NULL ||
        accounts_new(limits, loader, &lookup->accounts, err) != STATUS_OK) {
        lookup_free(&lookup);
        return status_no_memory(err);
    }
    *lookup_r = lookup;
    return STATUS_OK;
}

void lookup_free(struct lookup **lookup)
{
    if (*lookup == NULL)
        return;
    accounts_free(&(*lookup)->accounts);
    free((*lookup)->delimiters);
    free(*lookup);
    *lookup = NULL;
}

static enum status get(struct lookup *lookup, enum accounts_kind kind,
                       const char *key, const struct lookup_time *when,
                       struct fact **fact_r, struct errtext *err)
{
    if (when->may_wait)
        return accounts_get(lookup->accounts, kind, key, when->deadline_ms,
                            fact_r, err);
    *fact_r = accounts_peek(lookup->accounts, kind, key, when->now_ms);
    return *fact_r != NULL ? STATUS_OK : STATUS_NOT_FOUND;
}

enum status lookup_domain(struct lookup *lookup, const char *name,
                          const struct lookup_time *when,
                          struct domain_fact **fact_r, struct errtext *err)
{
    struct fact *fact = NULL;
    enum status status = get(lookup, ACCOUNTS_DOMAIN, name, when, &fact, err);

    if (status == STATUS_OK)
        *fact_r = (struct domain_fact *)fact;
    return status;
}

enum status lookup_recipient(struct lookup *lookup, const struct name *name,
                             const struct lookup_time *when,
                             struct recipient_fact **fact_r,
                             struct errtext *err)
{
    char key[ADDRESS_BYTES_MAX + 2];
    struct fact *fact = NULL;
    enum status status;

    recipient_key(name, key);
    status = get(lookup, ACCOUNTS_RECIPIENT, key, when, &fact, err);
    if (status == STATUS_OK)
        *fact_r = (struct recipient_fact *)fact;
    return status;
}

enum status lookup_login(struct lookup *lookup, const char *login,
                         const struct lookup_time *when,
                         struct login_fact **fact_r, struct errtext *err)
{
    struct fact *fact = NULL;
    enum status status = get(lookup, ACCOUNTS_LOGIN, login, when, &fact, err);

    if (status == STATUS_OK)
        *fact_r = (struct login_fact *)fact;
    return status;
}

enum status lookup_sender(struct lookup *lookup, const char *login,
                          const struct name *sender,
                          const struct lookup_time *when,
                          struct sender_fact **fact_r, struct errtext *err)
{
    char key[ACCOUNTS_KEY_BYTES_MAX + 1];
    char name[ADDRESS_BYTES_MAX + 2];
    struct fact *fact = NULL;
    size_t login_len = strlen(login);
    size_t name_len;
    enum status status;

    recipient_key(sender, name);
    name_len = strlen(name);
    if (login_len + 1 + name_len >= sizeof(key)) {
        errtext_set(err, "a login of %zu bytes", login_len);
        return STATUS_TEMPFAIL;
    }
    memcpy(key, login, login_len);
    key[login_len] = '\n';
    memcpy(key + login_len + 1, name, name_len + 1);
    status = get(lookup, ACCOUNTS_SENDER, key, when, &fact, err);
    if (status == STATUS_OK)
        *fact_r = (struct sender_fact *)fact;
    return status;
}

void lookup_expect(struct lookup *lookup, const char *login,
                   const char *recipient)
{
    const struct fact_key keys[] = {{ACCOUNTS_LOGIN, login},
                                    {ACCOUNTS_RECIPIENT, recipient}};

    accounts_expect(lookup->accounts, keys, ARRAY_SIZE(keys));
}

void lookup_forget(struct lookup *lookup, const struct name *name)
{
    char key[ADDRESS_BYTES_MAX + 2];

    recipient_key(name, key);
    accounts_forget(lookup->accounts, ACCOUNTS_RECIPIENT, key);
}

struct accounts *lookup_accounts(struct lookup *lookup)
{
    return lookup->accounts;
}
