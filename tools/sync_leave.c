/* sync_leave - who is not in the directory any more; see sync.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "sync.h"

#include "address.h"
#include "removal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is due for somebody who is missing. */
enum fate {
    FATE_WAIT,    /* not missing for long enough */
    FATE_TELL,    /* on_missing = "keep": an event, once */
    FATE_SUSPEND, /* logins are refused */
    FATE_DISABLE, /* mail too */
    FATE_NOTHING  /* all is done */
};

static enum fate fate_of(const struct sync *sync,
                         const struct sync_absence *missing, unsigned state)
{
    const struct sync_settings *set = &sync->settings->sync;
    int64_t since_ms = missing->seconds > 0 ? missing->seconds * 1000 : 0;
    bool due = missing->runs + 1 >= set->missing_runs &&
               since_ms >= set->missing_for_ms;

    if (state == ACCOUNT_GONE)
        return FATE_NOTHING;
    if (state == ACCOUNT_MISSING && set->on_missing != SYNC_MISSING_DISABLE)
        return FATE_NOTHING;
    if (state == ACCOUNT_MISSING)
        return since_ms >= set->missing_for_ms + set->disable_after_ms
                   ? FATE_DISABLE
                   : FATE_NOTHING;
    if (!due)
        return FATE_WAIT;
    if (set->on_missing == SYNC_MISSING_KEEP)
        return missing->told ? FATE_NOTHING : FATE_TELL;
    return FATE_SUSPEND;
}

/* Walks over the store's mailboxes for those whose person is missing. */
struct leaving {
    struct sync *sync;
    struct sync_writer *writer; /* NULL: only count */
    enum status failed;
    struct errtext *err;
};

static bool leave_fail(struct leaving *leaving, enum status status)
{
    leaving->failed = status;
    return false;
}

/* An event, and a line for who looks. */
static enum status tell_missing(struct sync *sync, const char *address,
                                const struct sync_absence *missing,
                                struct errtext *err)
{
    char sentence[ERRTEXT_SIZE] = "";
    struct store_event event = {
        .kind = "missing",
        .address = address,
        .domain = address_domain_of(address),
        .reason = sentence,
    };

    (void)snprintf(sentence, sizeof(sentence),
                   "not in the directory in %" PRIu64
                   " complete runs; on_missing keeps the mailbox as it is",
                   missing->runs + 1);
    sync_report_missing(sync->report, address, sentence);
    if (sync->options->plan)
        return STATUS_OK;
    return sync_tell(sync, &event, err);
}

/* Closes one mailbox, with others. */
static enum status close_one(struct leaving *leaving, const char *id,
                             const struct sync_absence *missing, bool for_mail,
                             struct errtext *err)
{
    struct sync *sync = leaving->sync;
    struct account account = {.address = NULL};
    struct plan plan = {.kind = PLAN_NOTHING};
    struct errtext reason = {{0}};
    enum status status = store_find_id(sync->store, sync->set->name, id,
                                       sync_deadline(sync), &account, err);

    if (status == STATUS_NOT_FOUND)
        return STATUS_OK; /* removed meanwhile */
    errtext_set(&reason,
                "not in the directory in %" PRIu64 " complete runs, since "
                "%" PRId64 " h",
                missing->runs + 1,
                missing->seconds > 0 ? missing->seconds / 3600 : 0);
    if (status == STATUS_OK)
        status = provision_absent(&account,
                                  for_mail ? ACCOUNT_GONE : ACCOUNT_MISSING,
                                  &reason, &plan, err);
    if (status == STATUS_OK && plan.kind != PLAN_NOTHING)
        status = sync_write_plan(leaving->writer, &plan, err);
    plan_clear(&plan);
    account_clear(&account);
    return status;
}

/* Carries out what is due for one who is missing, and remembers. */
static bool leave_one(struct leaving *leaving, const char *id,
                      const char *address, struct roster_mailbox *mailbox)
{
    struct sync *sync = leaving->sync;
    struct sync_absence missing;
    enum fate fate;
    enum status status = STATUS_OK;

    sync_people_missing(sync->people, id, &missing);
    fate = fate_of(sync, &missing, mailbox->state);
    if (fate == FATE_TELL) {
        status = tell_missing(sync, address, &missing, leaving->err);
    } else if (fate == FATE_SUSPEND || fate == FATE_DISABLE) {
        if (sync->removals_allowed)
            status = close_one(leaving, id, &missing, fate == FATE_DISABLE,
                               leaving->err);
        else
            sync_withhold(sync, address, "missing from the directory");
    }
    /* A run that was killed closed the mailbox and did not write since when. */
    if (status == STATUS_OK && (fate != FATE_NOTHING || missing.seconds < 0) &&
        sync->complete && !sync->options->plan &&
        !sync_people_missed(sync->people, id, address_domain_of(address),
                            fate == FATE_TELL))
        status = status_no_memory(leaving->err);
    return status == STATUS_OK ? true : leave_fail(leaving, status);
}

/* The mailbox of a row if it is this directory's and nobody was seen for it. */
static struct roster_mailbox *unseen(struct sync *sync,
                                     const struct store_roster_row *row)
{
    struct roster_mailbox *mailbox = NULL;

    if (row->source == ACCOUNT_LDAP && row->directory != NULL &&
        row->directory_id != NULL &&
        strcmp(row->directory, sync->set->name) == 0)
        mailbox = roster_by_id(sync->roster, row->directory_id);
    return mailbox != NULL && !mailbox->seen ? mailbox : NULL;
}

static bool visit_mailbox(const struct store_roster_row *row, void *arg)
{
    struct leaving *leaving = arg;
    struct roster_mailbox *mailbox = unseen(leaving->sync, row);

    return mailbox == NULL ||
           leave_one(leaving, row->directory_id, row->address, mailbox);
}

static bool skip_alias(const char *address, void *arg)
{
    (void)address;
    (void)arg;
    return true;
}

/* True if anybody at all is missing. */
static bool is_anybody_missing(struct sync *sync)
{
    size_t count = 0;
    const struct roster_mailbox *all = roster_mailboxes(sync->roster, &count);

    for (size_t i = 0; i < count; i++) {
        if (all[i].owner == ROSTER_OWN && !all[i].seen)
            return true;
    }
    return false;
}

/* Counting, for the judgement: nothing is written and nothing told. */
static bool count_mailbox(const struct store_roster_row *row, void *arg)
{
    struct leaving *leaving = arg;
    struct sync *sync = leaving->sync;
    const struct roster_mailbox *mailbox = unseen(sync, row);
    struct sync_absence missing;
    enum fate fate;
    size_t count = 0;

    if (mailbox == NULL)
        return true;
    sync_people_missing(sync->people, row->directory_id, &missing);
    fate = fate_of(sync, &missing, mailbox->state);
    if (fate == FATE_SUSPEND || fate == FATE_DISABLE)
        roster_domains(sync->roster, &count)[mailbox->domain].wanted++;
    return true;
}

static enum status walk_missing(struct leaving *leaving,
                                bool (*visit)(const struct store_roster_row *,
                                              void *),
                                struct errtext *err)
{
    struct sync *sync = leaving->sync;
    struct store_roster_visitor visitor = {visit, skip_alias, leaving};
    enum status status;

    leaving->err = err;
    if (!sync->set->periodic_full_sync || strcmp(sync->kind, "full") != 0 ||
        !is_anybody_missing(sync))
        return STATUS_OK;
    status = store_roster(sync->store, &visitor,
                          sync->settings->store.timeout_ms, err);
    return leaving->failed != STATUS_OK ? leaving->failed : status;
}

static void count_of_a_day(const char *domain, void *arg)
{
    struct sync *sync = arg;
    struct roster_domain *found = roster_domain_named(sync->roster, domain);

    if (found != NULL)
        found->of_a_day++;
}

/* What the judgement is about; domains are the caller's to free. */
static enum status gather(struct sync *sync, struct removal_facts *facts,
                          struct removal_domain **domains_r,
                          struct errtext *err)
{
    char digest[SYNC_DIGEST_SIZE];
    size_t count = 0;
    struct roster_domain *domains = roster_domains(sync->roster, &count);
    struct removal_domain *copies = calloc(count + 1, sizeof(*copies));
    enum status status = sync_digest_removals(sync->set, digest, err);

    if (copies == NULL || status != STATUS_OK) {
        free(copies);
        return status_no_memory(err);
    }
    sync_people_of_a_day(sync->people, count_of_a_day, sync);
    *facts = (struct removal_facts){
        .complete = sync->complete,
        .gap = sync->gap.text,
        .people = sync->counts.seen,
        .has_canary = sync->has_canary,
        .canary_seen = sync->canary_seen,
        .accepted_settings = strcmp(sync->state.accepted, digest) == 0,
        .accepted_store =
            strcmp(sync->state.store_made, sync->state.store_is) == 0,
        .mailboxes = roster_own(sync->roster),
        .domains = copies,
        .domain_count = count,
        .forced = sync->options->allow_removals,
        .forced_limit = sync->options->removals_most,
    };
    for (size_t i = 0; i < count; i++) {
        copies[i] =
            (struct removal_domain){domains[i].name, domains[i].mailboxes,
                                    domains[i].wanted, domains[i].of_a_day};
        facts->wanted += domains[i].wanted;
        facts->of_a_day += domains[i].of_a_day;
    }
    *domains_r = copies;
    return removal_limit_read(sync->settings->sync.max_removals, &facts->limit,
                              err);
}

/*
 * The settings and the store as they are now are trusted from here on: where an
 * administrator said so, where there was nothing before to compare with, or
 * where everybody is there, so that nothing can be wrong with them.
 */
static bool is_to_be_accepted(struct sync *sync,
                              const struct removal_facts *facts,
                              enum removal_doubt doubt)
{
    if ((facts->accepted_settings && facts->accepted_store) ||
        strcmp(sync->kind, "full") != 0)
        return false;
    if (!facts->complete || doubt == REMOVAL_NOBODY ||
        doubt == REMOVAL_NO_CANARY)
        return false;
    if (facts->forced && doubt == REMOVAL_NO_DOUBT)
        return true;
    return !sync->state.known ||
           (facts->wanted == 0 && !is_anybody_missing(sync));
}

static enum status accept(struct sync *sync, struct errtext *err)
{
    char digest[SYNC_DIGEST_SIZE];
    struct store_sync_note note = {.directory = sync->set->name,
                                   .accepted = digest,
                                   .store_made = sync->state.store_is};
    enum status status = sync_digest_removals(sync->set, digest, err);

    if (status != STATUS_OK || sync->options->plan)
        return status;
    return store_sync_note(sync->store, &sync->lease, &note,
                           sync_deadline(sync), err);
}

enum status sync_judge(struct sync *sync, struct errtext *err)
{
    struct leaving leaving = {.sync = sync};
    struct removal_facts facts;
    struct removal_domain *domains = NULL;
    enum removal_doubt doubt;
    enum status status = walk_missing(&leaving, count_mailbox, err);

    if (status == STATUS_OK)
        status = gather(sync, &facts, &domains, err);
    if (status != STATUS_OK) {
        free(domains);
        return status;
    }
    doubt = removal_judge(&facts, &sync->withheld);
    sync->removals_allowed = doubt == REMOVAL_NO_DOUBT;
    /* An answer that is not whole is told, even where nobody seems to go. */
    if (doubt == REMOVAL_NOBODY || doubt == REMOVAL_NO_CANARY)
        sync->complete = false;
    if (is_to_be_accepted(sync, &facts, doubt))
        status = accept(sync, err);
    free(domains);
    return status;
}

enum status sync_close_all(struct sync *sync, struct errtext *err)
{
    struct leaving leaving = {.sync = sync};
    enum status status;

    if (!sync->complete)
        return STATUS_OK;
    status = sync_writer_new(sync, &leaving.writer, err);
    if (status == STATUS_OK)
        status = walk_missing(&leaving, visit_mailbox, err);
    if (status == STATUS_OK)
        status = sync_writer_flush(leaving.writer, err);
    sync_writer_free(&leaving.writer);
    return status;
}

enum status sync_remember(struct sync *sync, struct errtext *err)
{
    enum status status;

    if (sync->options->plan)
        return STATUS_OK;
    if (sync->complete && strcmp(sync->kind, "full") == 0)
        sync_people_forgive(sync->people);
    status = sync_tell_flush(sync, err);
    if (status != STATUS_OK)
        return status;
    return sync_people_write(sync->people, sync->store, &sync->lease,
                             sync->set->name, sync->settings->store.timeout_ms,
                             err);
}
