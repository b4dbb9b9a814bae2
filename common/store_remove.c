/* store_remove - see store_mailbox_remove in store_admin.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_admin.h"

#include "store_event.h"
#include "store_mailbox.h"
#include "store_private.h"

#include <stdlib.h>
#include <string.h>

#define EVENT_BYTES_MAX ((size_t)256 * 1024)
/* Domains in which one mailbox has aliases. */
#define DOMAINS_MAX 1000

/* What aliases of the mailbox count for, in the order locks are taken. */
static const struct store_sql counts_sql = {
    STORE_SLOT_REMOVE_COUNTS,
    "SELECT domain, CAST(SUM(kind IN ('directory', 'admin')) AS UNSIGNED)"
    " FROM alias WHERE owner = ? GROUP BY domain",
    "tn"};

/* Each with the address as its one parameter; the mailbox is the last. */
static const char *const removals[] = {
    "DELETE FROM alias WHERE owner = ?",
    "DELETE FROM app_password WHERE address = ?",
    "DELETE FROM sender_acl WHERE login = ?",
    "DELETE FROM quota2 WHERE username = ?",
    "DELETE FROM last_login WHERE address = ?",
    "DELETE FROM attempt WHERE address = ?",
    "DELETE FROM mailbox WHERE address = ?",
};
_Static_assert(ARRAY_SIZE(removals) ==
                   STORE_SLOT_REMOVE_LAST - STORE_SLOT_REMOVE_FIRST + 1,
               "each removal has its slot");

struct removal {
    const char *address;
    const char *who;
    bool landed; /* an earlier try was committed after all */
    struct account found;
    struct store_charge *charges;
    char **domains; /* that the charges name; owned */
    size_t charge_count;
};

static void forget(struct removal *removal)
{
    for (size_t i = 0; i < removal->charge_count; i++)
        free(removal->domains[i]);
    free(removal->domains);
    free(removal->charges);
    removal->domains = NULL;
    removal->charges = NULL;
    removal->charge_count = 0;
    account_clear(&removal->found);
}

/* Adds the charge of one more domain; takes the name. */
static enum status add_charge(struct removal *removal, char *domain,
                              int64_t aliases, struct errtext *err)
{
    if (removal->charges == NULL)
        removal->charges = calloc(DOMAINS_MAX, sizeof(*removal->charges));
    if (removal->domains == NULL)
        removal->domains = calloc(DOMAINS_MAX, sizeof(*removal->domains));
    if (removal->charges == NULL || removal->domains == NULL ||
        removal->charge_count == DOMAINS_MAX) {
        free(domain);
        return status_no_memory(err);
    }
    removal->domains[removal->charge_count] = domain;
    removal->charges[removal->charge_count++] =
        (struct store_charge){.domain = domain, .aliases = -aliases};
    return STATUS_OK;
}

/* Finds what each domain gets back for aliases. */
static enum status count_aliases(struct store_connection *db,
                                 struct removal *removal, struct errtext *err)
{
    struct store_param params[] = {store_text(removal->address)};
    enum status status = store_execute(db, &counts_sql, params, 1, NULL, err);

    while (status == STATUS_OK) {
        char *domain = NULL;

        status = store_fetch(db, &counts_sql, err);
        if (status == STATUS_OK)
            status = store_column_copy(db, &counts_sql, 0, &domain, err);
        if (status == STATUS_OK)
            status = add_charge(
                removal, domain,
                (int64_t)store_column_number(db, &counts_sql, 1), err);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* The mailbox itself goes out of its domain. */
static enum status count_mailbox(struct removal *removal, struct errtext *err)
{
    const struct account *found = &removal->found;
    struct store_charge *charge = NULL;
    char *domain;

    for (size_t i = 0; i < removal->charge_count && charge == NULL; i++) {
        if (strcmp(removal->charges[i].domain, found->domain) == 0)
            charge = &removal->charges[i];
    }
    if (charge == NULL) {
        domain = strdup(found->domain);
        if (domain == NULL || add_charge(removal, domain, 0, err) != STATUS_OK)
            return status_no_memory(err);
        charge = &removal->charges[removal->charge_count - 1];
    }
    charge->mailboxes -= 1;
    charge->quota_bytes -= (int64_t)found->set.quota_bytes;
    return STATUS_OK;
}

static int compare_charges(const void *a, const void *b)
{
    const struct store_charge *left = a;
    const struct store_charge *right = b;

    return strcmp(left->domain, right->domain);
}

/* Gives the domains back, in name order; one that is gone has no counters. */
static enum status take_charges(struct store_connection *db,
                                struct removal *removal, struct errtext *err)
{
    enum status status = STATUS_OK;

    qsort(removal->charges, removal->charge_count, sizeof(*removal->charges),
          compare_charges);
    for (size_t i = 0; status == STATUS_OK && i < removal->charge_count; i++) {
        status = store_charge(db, &removal->charges[i], err);
        if (status == STATUS_DENIED)
            status = STATUS_OK;
    }
    return status;
}

static enum status delete_rows(struct store_connection *db,
                               const struct removal *removal,
                               struct errtext *err)
{
    struct store_param params[] = {store_text(removal->address)};
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < ARRAY_SIZE(removals); i++) {
        struct store_sql sql = {(enum store_slot)(STORE_SLOT_REMOVE_FIRST + i),
                                removals[i], NULL};

        status = store_execute(db, &sql, params, 1, NULL, err);
    }
    return status;
}

/* What the mailbox was, so that it can be made again by hand. */
static void describe(struct strbuf *json, const struct account *found)
{
    struct strbuf value = STRBUF_INIT(EVENT_BYTES_MAX);

    strbuf_append_char(json, '{');
    store_event_member(json, "source", account_source_name(found->source));
    if (found->directory_id != NULL)
        store_event_member(json, "directory_id", found->directory_id);
    if (found->template_name != NULL)
        store_event_member(json, "template", found->template_name);
    store_event_member(json, "mail_path", found->mail_path);
    for (unsigned i = 0; i < ACCOUNT_SETTING_COUNT; i++) {
        strbuf_truncate(&value, 0);
        account_append_setting(&value, found, (enum account_setting)i);
        store_event_member(json, account_setting_name((enum account_setting)i),
                           strbuf_text(&value));
    }
    strbuf_append_char(json, '}');
    strbuf_clear(&value);
}

static enum status tell(struct store_connection *db, struct removal *removal,
                        struct errtext *err)
{
    struct strbuf before = STRBUF_INIT(EVENT_BYTES_MAX);
    struct store_event event = {
        .kind = "remove",
        .who = removal->who,
        .address = removal->address,
        .domain = removal->found.domain,
        .directory = removal->found.directory,
    };
    enum status status;

    describe(&before, &removal->found);
    event.before = strbuf_text(&before);
    status = before.failed ? status_no_memory(err)
                           : store_event_insert(db, &event, err);
    strbuf_clear(&before);
    removal->landed = status == STATUS_DENIED;
    return status;
}

static enum status run_remove(struct store_connection *db, void *arg,
                              struct errtext *err)
{
    struct removal *removal = arg;
    enum status status;

    forget(removal);
    status = store_take_mailbox(db, removal->address, &removal->found, err);
    if (status == STATUS_OK)
        status =
            store_read_aliases(db, removal->address, &removal->found.aliases,
                               &removal->found.alias_count, err);
    if (status == STATUS_OK)
        status = count_aliases(db, removal, err);
    if (status == STATUS_OK)
        status = count_mailbox(removal, err);
    if (status == STATUS_OK)
        status = take_charges(db, removal, err);
    if (status == STATUS_OK)
        status = delete_rows(db, removal, err);
    if (status == STATUS_OK)
        status = tell(db, removal, err);
    return status;
}

enum status store_mailbox_remove(struct store *store, const char *address,
                                 const char *who, int64_t deadline_ms,
                                 char **mail_path_r, struct errtext *err)
{
    static const struct store_work work = {
        .run = run_remove, .sync = true, .token = true};
    struct removal removal = {.address = address, .who = who};
    enum status status = store_work(store, &work, &removal, deadline_ms, err);

    if (removal.landed)
        status = STATUS_OK;
    /* A commit found done by its token was read by the try before it. */
    if (status == STATUS_OK) {
        *mail_path_r = removal.found.mail_path;
        removal.found.mail_path = NULL;
    }
    forget(&removal);
    return status;
}
