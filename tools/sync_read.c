/* sync_read - the first pass; see sync.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "sync.h"

#include "address.h"

#include <stdlib.h>
#include <string.h>

enum status sync_add_mailbox(struct sync *sync,
                             const struct store_roster_row *row,
                             struct errtext *err)
{
    struct roster_row mailbox = {.address = row->address,
                                 .owner = ROSTER_FOREIGN,
                                 .state = (unsigned char)row->directory_state};
    bool ours = row->source == ACCOUNT_LDAP &&
                (row->directory == NULL ||
                 strcmp(row->directory, sync->set->name) == 0);

    if (ours && row->directory != NULL && row->directory_id != NULL) {
        mailbox.owner = ROSTER_OWN;
        mailbox.id = row->directory_id;
        mailbox.print = sync_print_stored(row->sync_print, row->fingerprint);
    } else if (ours) {
        mailbox.owner = ROSTER_UNSURE;
    }
    return roster_add(sync->roster, &mailbox, err);
}

static bool load_mailbox(const struct store_roster_row *row, void *arg)
{
    struct sync *sync = arg;

    return sync_add_mailbox(sync, row, &sync->failure) == STATUS_OK;
}

static bool load_alias(const char *address, void *arg)
{
    struct sync *sync = arg;
    struct roster_row alias = {.address = address, .owner = ROSTER_FOREIGN};

    return roster_add(sync->roster, &alias, &sync->failure) == STATUS_OK;
}

enum status sync_load(struct sync *sync, struct errtext *err)
{
    struct store_roster_visitor visitor = {load_mailbox, load_alias, sync};
    enum status status = sync_domains_load(sync->store, sync_deadline(sync),
                                           &sync->domains, err);

    if (status == STATUS_OK)
        status = sync_people_load(sync->people, sync->store, sync->set->name,
                                  sync_deadline(sync), err);
    if (status == STATUS_OK)
        status = store_roster(sync->store, &visitor,
                              sync->settings->store.timeout_ms, err);
    return status == STATUS_OK ? roster_sort(sync->roster, err) : status;
}

/* The value of username_field that is the mailbox's address now, if any. */
static enum status address_now(struct sync *sync,
                               const struct directory_entry *entry,
                               const struct roster_mailbox *mailbox,
                               char **address_r, struct errtext *err)
{
    for (size_t i = 0; i < entry->usernames.count; i++) {
        char *address = NULL;
        enum status status =
            address_canonical(entry->usernames.items[i], &address, NULL);

        if (status == STATUS_OK &&
            roster_address(sync->roster, address) == mailbox->address) {
            *address_r = address;
            return STATUS_OK;
        }
        free(address);
        if (status == STATUS_TEMPFAIL)
            return status_no_memory(err);
    }
    return STATUS_OK;
}

enum status sync_address(struct sync *sync, const struct directory_entry *entry,
                         const struct roster_mailbox *mailbox, char **address_r,
                         struct errtext *err)
{
    char *now = NULL;
    enum status status = STATUS_OK;

    if (mailbox != NULL && entry->usernames.count > 1)
        status = address_now(sync, entry, mailbox, &now, err);
    if (status == STATUS_OK)
        status = provision_address(sync->settings, sync->set, entry, now,
                                   address_r, err);
    free(now);
    if (status == STATUS_OK)
        status = sync_domains_resolve(sync->domains, address_r, err);
    return status;
}

/* Ends the walk; what failed is told when it has ended. */
static bool fail(struct sync *sync, enum status status)
{
    sync->failed = status;
    return false;
}

/* Keeps a person for the second pass. */
static struct sync_one *keep(struct sync *sync,
                             const struct directory_entry *entry)
{
    struct sync_one *one;

    if (sync->one_count == sync->one_room) {
        size_t room = sync->one_room + sync->one_room / 4 + 1024;
        struct sync_one *larger = realloc(sync->ones, room * sizeof(*larger));

        if (larger == NULL) {
            (void)fail(sync, status_no_memory(&sync->failure));
            return NULL;
        }
        sync->ones = larger;
        sync->one_room = room;
    }
    one = &sync->ones[sync->one_count];
    memset(one, 0, sizeof(*one));
    if (entry->id != NULL)
        roster_id(sync->roster, entry->id, one->id);
    sync->failed = sync_spool_put(sync->spool, entry, &one->at, &sync->failure);
    if (sync->failed != STATUS_OK)
        return NULL;
    sync->one_count++;
    return one;
}

/* True if the mailbox is as the directory says, without a closer look. */
static bool is_as_it_was(struct sync *sync, const struct directory_entry *entry,
                         const struct roster_mailbox *mailbox)
{
    unsigned state = entry->disabled ? ACCOUNT_DISABLED : ACCOUNT_PRESENT;

    return mailbox->print != 0 && mailbox->state == state &&
           mailbox->print == sync_print_entry(sync->print, entry);
}

/* Counts a mailbox that is to be closed, in its domain. */
static void want_removal(struct sync *sync,
                         const struct roster_mailbox *mailbox)
{
    size_t count = 0;

    roster_domains(sync->roster, &count)[mailbox->domain].wanted++;
}

/* Somebody who has a mailbox. */
static bool take_known(struct sync *sync, const struct directory_entry *entry,
                       struct roster_mailbox *mailbox)
{
    struct sync_one *one;
    char *address = NULL;
    enum status status;

    if (mailbox->seen) {
        sync->counts.seen--; /* under another base DN */
        return true;
    }
    mailbox->seen = true;
    sync_people_present(sync->people, entry->id);
    if (!sync->set->periodic_full_sync || is_as_it_was(sync, entry, mailbox)) {
        sync->counts.unchanged++;
        return true;
    }
    one = keep(sync, entry);
    if (one == NULL)
        return false;
    one->removes = entry->disabled && mailbox->state == ACCOUNT_PRESENT;
    if (one->removes)
        want_removal(sync, mailbox);
    status = sync_address(sync, entry, mailbox, &address, &sync->failure);
    if (status == STATUS_TEMPFAIL)
        return fail(sync, status);
    if (status == STATUS_OK) {
        one->address = roster_address(sync->roster, address);
        one->moves = one->address != mailbox->address;
        mailbox->leaves = one->moves;
    }
    free(address);
    return true;
}

/* True if it is ours to do something about who has, or has not, a mailbox. */
static bool is_wanted(const struct sync *sync,
                      const struct roster_mailbox *there)
{
    if (there == NULL)
        return sync->set->import_users;
    if (there->owner == ROSTER_UNSURE)
        return sync->set->periodic_full_sync;
    return sync->set->import_users;
}

/* Somebody whose id no mailbox has. */
static bool take_new(struct sync *sync, const struct directory_entry *entry)
{
    struct directory_entry open = *entry;
    struct roster_mailbox *there;
    struct sync_one *one;
    char *address = NULL;
    uint64_t digest;
    enum status status =
        sync_address(sync, entry, NULL, &address, &sync->failure);

    if (status == STATUS_TEMPFAIL)
        return fail(sync, status);
    if (status != STATUS_OK) {
        sync->counts.skipped++;
        return true;
    }
    there = roster_by_address(sync->roster, address);
    digest = roster_address(sync->roster, address);
    free(address);
    if (!is_wanted(sync, there)) {
        sync->counts.skipped++;
        return true;
    }
    /* Adopted open: to close it is the next run's, which counts that first. */
    if (there != NULL && there->owner == ROSTER_UNSURE) {
        there->seen = true;
        open.disabled = false;
    }
    one = keep(sync, &open);
    if (one != NULL)
        one->address = digest;
    return one != NULL;
}

/* Looks whether this is who must be there. */
static void look_for_canary(struct sync *sync,
                            const struct directory_entry *entry)
{
    for (size_t i = 0; !sync->canary_seen && i < entry->usernames.count; i++) {
        char *address = NULL;

        if (address_canonical(entry->usernames.items[i], &address, NULL) ==
            STATUS_OK)
            sync->canary_seen = strcmp(address, sync->canary) == 0;
        free(address);
    }
}

bool sync_take_person(void *context, const struct directory_entry *entry)
{
    struct sync *sync = context;
    struct roster_mailbox *mailbox = NULL;

    sync->counts.seen++;
    if ((sync->counts.seen & 127) == 0) {
        sync->failed = sync_tick(sync, &sync->failure);
        if (sync->failed != STATUS_OK)
            return false;
        sync_report_progress(sync->report, "reading", sync->counts.seen,
                             roster_own(sync->roster));
    }
    if (sync->has_canary && !sync->canary_seen)
        look_for_canary(sync, entry);
    if (entry->id != NULL)
        mailbox = roster_by_id(sync->roster, entry->id);
    else
        sync->nameless = true;
    if (mailbox != NULL && mailbox->owner == ROSTER_OWN)
        return take_known(sync, entry, mailbox);
    return take_new(sync, entry);
}

bool sync_take_unusable(void *context, const char *id,
                        const struct errtext *why)
{
    struct sync *sync = context;
    struct roster_mailbox *mailbox = NULL;
    struct sync_refusal refusal = {
        .id = id,
        .dn = why->text,
        .code = "unusable",
        .sentence = why->text,
    };

    sync->counts.seen++;
    if (id == NULL)
        sync->nameless = true;
    else
        mailbox = roster_by_id(sync->roster, id);
    if (mailbox != NULL) {
        mailbox->seen = true;
        sync_people_present(sync->people, id);
    }
    sync->failed = sync_refuse(sync, &refusal, &sync->failure);
    return sync->failed == STATUS_OK;
}

static int compare_addresses(const void *a, const void *b)
{
    const struct sync_one *left = a;
    const struct sync_one *right = b;

    if (left->address != right->address)
        return left->address < right->address ? -1 : 1;
    return memcmp(left->id, right->id, ROSTER_ID_BYTES);
}

static int compare_places(const void *a, const void *b)
{
    const struct sync_one *left = a;
    const struct sync_one *right = b;

    return left->at < right->at ? -1 : left->at > right->at;
}

/* Marks those from first to end, who have one address, if they are several. */
static void mark_same(struct sync *sync, size_t first, size_t end)
{
    struct sync_one *ones = sync->ones;
    size_t people = 0;

    for (size_t i = first; i < end; i++) {
        if (i == first ||
            memcmp(ones[i].id, ones[i - 1].id, ROSTER_ID_BYTES) != 0)
            people++;
        else
            ones[i].at = UINT64_MAX; /* the same, under another base DN */
    }
    for (size_t i = first; people > 1 && i < end; i++)
        ones[i].twice = true;
}

void sync_find_twice(struct sync *sync)
{
    size_t first = 0;

    if (sync->one_count == 0)
        return;
    qsort(sync->ones, sync->one_count, sizeof(*sync->ones), compare_addresses);
    for (size_t i = 1; i <= sync->one_count; i++) {
        if (i < sync->one_count &&
            sync->ones[i].address == sync->ones[first].address)
            continue;
        if (sync->ones[first].address != 0)
            mark_same(sync, first, i);
        first = i;
    }
    qsort(sync->ones, sync->one_count, sizeof(*sync->ones), compare_places);
    while (sync->one_count > 0 &&
           sync->ones[sync->one_count - 1].at == UINT64_MAX) {
        sync->one_count--;
        sync->counts.seen--;
    }
}

enum status sync_read_all(struct sync *sync, struct errtext *err)
{
    struct directory_walker walker = {
        .person = sync_take_person,
        .unusable = sync_take_unusable,
        .context = sync,
    };
    struct directory_walked walked;
    enum status status =
        directory_walk(sync->dir, &walker, sync->set->operation_timeout_ms,
                       &walked, &sync->gap);

    if (sync->failed != STATUS_OK) {
        *err = sync->failure;
        return sync->failed;
    }
    if (status == STATUS_INVALID || walked.gap == DIRECTORY_BROKEN) {
        *err = sync->gap;
        return status;
    }
    sync->complete = status == STATUS_OK && !sync->nameless;
    if (status == STATUS_OK && sync->nameless)
        errtext_set(&sync->gap, "an entry has no usable id: whose it is, "
                                "nobody knows");
    sync_find_twice(sync);
    return STATUS_OK;
}
