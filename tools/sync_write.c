/* sync_write - the second pass; see sync.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "sync.h"

#include "address.h"
#include "strbuf.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLANS_MAX 5 /* made again because somebody else was faster */

/* A plan that waits to be carried out with others. */
struct waiting {
    struct plan plan;
    uint64_t at; /* in the spool; UINT64_MAX: nowhere */
    bool drops_old_name;
};

/* Plans of one sort: new mailboxes, or changes of old ones. */
struct queue {
    struct waiting items[STORE_SYNC_BATCH];
    size_t count;
};

struct sync_writer {
    struct sync *sync;
    struct apply_author author;
    struct queue creates;
    struct queue changes;
    struct store_sync_print prints[STORE_SYNC_BATCH]; /* texts owned */
    char *texts[STORE_SYNC_BATCH][2];
    size_t print_count;
};

enum status sync_writer_new(struct sync *sync, struct sync_writer **writer_r,
                            struct errtext *err)
{
    struct sync_writer *writer = calloc(1, sizeof(*writer));

    if (writer == NULL)
        return status_no_memory(err);
    writer->sync = sync;
    writer->author = (struct apply_author){
        .who = "sync", .run = sync->run, .lease = &sync->lease, .silent = true};
    *writer_r = writer;
    return STATUS_OK;
}

static void clear_queue(struct queue *queue)
{
    for (size_t i = 0; i < queue->count; i++)
        plan_clear(&queue->items[i].plan);
    queue->count = 0;
}

static void clear_prints(struct sync_writer *writer)
{
    for (size_t i = 0; i < writer->print_count; i++) {
        free(writer->texts[i][0]);
        free(writer->texts[i][1]);
    }
    writer->print_count = 0;
}

void sync_writer_free(struct sync_writer **writer)
{
    if (*writer == NULL)
        return;
    clear_queue(&(*writer)->creates);
    clear_queue(&(*writer)->changes);
    clear_prints(*writer);
    free(*writer);
    *writer = NULL;
}

/* Counts what a plan did. */
static void count_plan(struct sync_counts *counts, const struct plan *plan)
{
    switch (plan->kind) {
    case PLAN_CREATE:
        counts->created++;
        break;
    case PLAN_RENAME:
        counts->renamed++;
        break;
    case PLAN_DEACTIVATE:
        counts->suspended++;
        break;
    case PLAN_UPDATE:
    case PLAN_ADOPT:
    case PLAN_REACTIVATE:
        counts->changed++;
        break;
    case PLAN_NOTHING:
    case PLAN_REFUSED:
        break;
    }
}

/* A plan was carried out, or would be. */
static void settle(struct sync_writer *writer, const struct plan *plan)
{
    struct sync *sync = writer->sync;

    count_plan(&sync->counts, plan);
    sync_report_plan(sync->report, plan);
}

/* The rows of one person, as they are now; starts as {0}. */
struct rows {
    char *address; /* they should have */
    struct store_found found;
    struct account other;        /* the id's, if it is not found's */
    const struct account *by_id; /* found's, other, or NULL */
};

static void clear_rows(struct rows *rows)
{
    free(rows->address);
    store_found_clear(&rows->found);
    account_clear(&rows->other);
    *rows = (struct rows){.address = NULL};
}

static bool has_id(const struct account *account, const char *directory,
                   const char *id)
{
    return account->address != NULL && account->directory != NULL &&
           account->directory_id != NULL && id != NULL &&
           strcmp(account->directory, directory) == 0 &&
           strcmp(account->directory_id, id) == 0;
}

/*
 * Reads what there is. fresh: whatever the roster says, since it is out of
 * date; else the store is not asked about who is in no mailbox's way.
 */
static enum status read_rows(struct sync *sync,
                             const struct directory_entry *entry, bool fresh,
                             struct rows *rows, struct errtext *err)
{
    struct roster_mailbox *mailbox =
        entry->id != NULL ? roster_by_id(sync->roster, entry->id) : NULL;
    bool known = mailbox != NULL && mailbox->owner == ROSTER_OWN;
    enum status status =
        sync_address(sync, entry, known ? mailbox : NULL, &rows->address, err);

    if (status != STATUS_OK)
        return status;
    if (fresh || roster_by_address(sync->roster, rows->address) != NULL)
        status = store_find(sync->store, rows->address, sync_deadline(sync),
                            &rows->found, err);
    if (status != STATUS_OK || entry->id == NULL)
        return status;
    if (has_id(&rows->found.account, sync->set->name, entry->id)) {
        rows->by_id = &rows->found.account;
        return STATUS_OK;
    }
    if (!fresh && !known)
        return STATUS_OK;
    status = store_find_id(sync->store, sync->set->name, entry->id,
                           sync_deadline(sync), &rows->other, err);
    if (status == STATUS_OK)
        rows->by_id = &rows->other;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* True if whoever has the address is about to leave it to this person. */
static bool is_left(struct sync *sync, const struct directory_entry *entry,
                    const char *address)
{
    const struct roster_mailbox *own =
        entry->id != NULL ? roster_by_id(sync->roster, entry->id) : NULL;
    const struct roster_mailbox *there =
        roster_by_address(sync->roster, address);

    return own != NULL && own->owner == ROSTER_OWN && there != NULL &&
           there != own && there->owner == ROSTER_OWN && there->leaves;
}

/* Makes the plan for an entry; STATUS_DENIED: no address for it here. */
static enum status make_plan(struct sync *sync,
                             const struct directory_entry *entry, bool fresh,
                             struct plan *plan_r, struct errtext *err)
{
    struct rows rows = {.address = NULL};
    enum status status = read_rows(sync, entry, fresh, &rows, err);
    struct provision_facts facts = {
        .settings = sync->settings,
        .dir = sync->set,
        .entry = entry,
        .current = &rows.found.account,
        .may_create = sync->set->import_users,
    };

    if (status == STATUS_OK) {
        facts.address = rows.address;
        facts.by_id = rows.by_id;
        if (sync->options->plan && is_left(sync, entry, rows.address))
            facts.current = NULL;
        status = provision_plan(&facts, plan_r, err);
    }
    if (status == STATUS_OK && plan_r->kind == PLAN_REFUSED &&
        plan_r->target.address == NULL) {
        /* Whose address it is about, for who reads the refusal. */
        plan_r->target.address = rows.address;
        rows.address = NULL;
    }
    clear_rows(&rows);
    if (status == STATUS_OK && plan_r->target.fingerprint != NULL)
        plan_r->target.sync_print = sync_print_stored(
            sync_print_entry(sync->print, entry), plan_r->target.fingerprint);
    return status;
}

static enum status refuse(struct sync_writer *writer,
                          const struct directory_entry *entry,
                          const struct plan *plan, const char *code,
                          const char *sentence, struct errtext *err)
{
    struct sync *sync = writer->sync;
    struct sync_refusal refusal = {
        .id = entry->id,
        .dn = entry->dn,
        .address = plan->target.address,
        .print = sync_print_entry(sync->print, entry),
        .code = code,
        .sentence = sentence,
        .update = plan->before.address != NULL,
    };

    return sync_refuse(sync, &refusal, err);
}

/* What nobody needs to be told of, as in the reference: it is meant so. */
static bool is_meant(const struct plan *plan)
{
    return plan->refusal == REFUSAL_PROVISIONING_OFF ||
           plan->refusal == REFUSAL_DISABLED ||
           plan->refusal == REFUSAL_LOCAL_MAILBOX ||
           plan->refusal == REFUSAL_OTHER_DIRECTORY;
}

/* A plan to do nothing: at most the print is to be written. */
static enum status take_print(struct sync_writer *writer,
                              const struct plan *plan, struct errtext *err)
{
    struct sync *sync = writer->sync;
    const struct account *target = &plan->target;
    size_t i = writer->print_count;

    sync->counts.unchanged++;
    if (sync->options->plan || target->sync_print == plan->before.sync_print)
        return STATUS_OK;
    writer->texts[i][0] = strdup(target->address);
    writer->texts[i][1] = strdup(target->directory_id);
    writer->print_count++;
    if (writer->texts[i][0] == NULL || writer->texts[i][1] == NULL)
        return status_no_memory(err);
    writer->prints[i] = (struct store_sync_print){
        writer->texts[i][0], writer->texts[i][1], target->sync_print};
    return writer->print_count == STORE_SYNC_BATCH
               ? sync_writer_flush(writer, err)
               : STATUS_OK;
}

/* Tells a warning of a plan, once for an entry: its settings are kept. */
static enum status warn(struct sync_writer *writer, const struct plan *plan,
                        struct errtext *err)
{
    struct sync *sync = writer->sync;
    struct store_event event = {
        .kind = "warning",
        .address = plan->target.address,
        .domain = plan->target.domain,
        .reason = plan->warning.text,
    };

    if (sync->options->plan)
        return STATUS_OK;
    return sync_tell(sync, &event, err);
}

/* Carries out one plan that did not go with the others. */
static enum status apply_alone(struct sync_writer *writer,
                               struct waiting *waiting, struct errtext *err)
{
    struct sync *sync = writer->sync;
    struct directory_entry entry = {.dn = NULL};
    struct apply_outcome outcome = {.kind = APPLY_CONFLICT};
    enum status status = STATUS_OK;

    if (waiting->at != UINT64_MAX)
        status = sync_spool_get(sync->spool, waiting->at, &entry, err);
    for (int i = 0; status == STATUS_OK && i < PLANS_MAX; i++) {
        if (waiting->plan.kind == PLAN_NOTHING ||
            waiting->plan.kind == PLAN_REFUSED)
            break;
        status = apply_plan_by(sync->store, &waiting->plan, &writer->author,
                               sync_deadline(sync), &outcome, err);
        if (status != STATUS_OK || outcome.kind != APPLY_CONFLICT ||
            waiting->at == UINT64_MAX)
            break;
        plan_clear(&waiting->plan);
        status = make_plan(sync, &entry, true, &waiting->plan, err);
        waiting->plan.drops_old_name = waiting->drops_old_name;
    }
    if (status == STATUS_OK && waiting->plan.kind == PLAN_REFUSED)
        status = is_meant(&waiting->plan)
                     ? STATUS_OK
                     : refuse(writer, &entry, &waiting->plan,
                              plan_refusal_name(waiting->plan.refusal),
                              waiting->plan.reason.text, err);
    else if (status == STATUS_OK && waiting->plan.kind == PLAN_NOTHING)
        sync->counts.unchanged++;
    else if (status == STATUS_OK && outcome.kind == APPLY_DONE)
        settle(writer, &waiting->plan);
    else if (status == STATUS_OK && waiting->at != UINT64_MAX)
        status =
            refuse(writer, &entry, &waiting->plan,
                   outcome.kind == APPLY_LIMIT ? apply_limit_name(outcome.limit)
                                               : "conflict",
                   outcome.kind == APPLY_LIMIT
                       ? outcome.reason.text
                       : "somebody else keeps changing the mailbox",
                   err);
    directory_entry_clear(&entry);
    return status;
}

/* Carries out what waits: in one transaction, or each by itself. */
static enum status flush_queue(struct sync_writer *writer, struct queue *queue,
                               struct errtext *err)
{
    struct sync *sync = writer->sync;
    const struct plan *plans[STORE_SYNC_BATCH];
    bool whole = true;
    enum status status = STATUS_OK;

    if (queue->count == 0)
        return STATUS_OK;
    for (size_t i = 0; i < queue->count; i++)
        plans[i] = &queue->items[i].plan;
    if (!sync->options->plan)
        status = apply_batch(sync->store, plans, queue->count, &writer->author,
                             sync_deadline(sync), &whole, err);
    for (size_t i = 0; status == STATUS_OK && i < queue->count; i++) {
        if (whole)
            settle(writer, plans[i]);
        else
            status = apply_alone(writer, &queue->items[i], err);
    }
    clear_queue(queue);
    sync->renewed_ms = 0;
    return status == STATUS_OK ? sync_tick(sync, err) : status;
}

enum status sync_writer_flush(struct sync_writer *writer, struct errtext *err)
{
    struct sync *sync = writer->sync;
    enum status status = flush_queue(writer, &writer->creates, err);

    if (status == STATUS_OK)
        status = flush_queue(writer, &writer->changes, err);
    /* Whoever has a print is not looked at again: a warning comes first. */
    if (status == STATUS_OK && writer->print_count > 0)
        status = sync_tell_flush(sync, err);
    if (status == STATUS_OK && writer->print_count > 0)
        status = store_sync_prints_write(
            sync->store, &sync->lease, sync->set->name, writer->prints,
            writer->print_count, sync_deadline(sync), err);
    clear_prints(writer);
    return status;
}

/* Lets a plan wait for company; it is taken over. */
static enum status enqueue(struct sync_writer *writer, struct plan *plan,
                           uint64_t at, struct errtext *err)
{
    struct queue *queue =
        plan->kind == PLAN_CREATE ? &writer->creates : &writer->changes;

    queue->items[queue->count++] =
        (struct waiting){*plan, at, plan->drops_old_name};
    memset(plan, 0, sizeof(*plan));
    return queue->count == STORE_SYNC_BATCH ? flush_queue(writer, queue, err)
                                            : STATUS_OK;
}

enum status sync_write_plan(struct sync_writer *writer, struct plan *plan,
                            struct errtext *err)
{
    return enqueue(writer, plan, UINT64_MAX, err);
}

/* What is known beforehand not to fit; false with code and sentence. */
static bool fits(struct sync_writer *writer, const struct plan *plan,
                 const char **code, struct errtext *sentence)
{
    struct sync *sync = writer->sync;
    enum apply_limit limit = LIMIT_NONE;

    if (plan->kind == PLAN_CREATE &&
        roster_by_address(sync->roster, plan->target.address) != NULL) {
        limit = LIMIT_ADDRESS_TAKEN;
        errtext_set(sentence, "%s is somebody's alias", plan->target.address);
    } else if (plan->kind == PLAN_CREATE || sync->options->plan) {
        limit = sync_domains_fit(sync->domains, plan, sentence);
    }
    *code = apply_limit_name(limit);
    return limit == LIMIT_NONE;
}

/* Does what a plan says, or tells why not. */
static enum status take_plan(struct sync_writer *writer,
                             const struct directory_entry *entry,
                             struct plan *plan, uint64_t at,
                             struct errtext *err)
{
    struct errtext sentence = {{0}};
    const char *code = NULL;
    enum status status = STATUS_OK;

    if (plan->kind == PLAN_REFUSED && is_meant(plan)) {
        writer->sync->counts.skipped++;
        return STATUS_OK;
    }
    if (plan->kind == PLAN_REFUSED)
        return refuse(writer, entry, plan, plan_refusal_name(plan->refusal),
                      plan->reason.text, err);
    if (plan->kind == PLAN_NOTHING) {
        if (plan->warning.text[0] != '\0')
            status = warn(writer, plan, err);
        return status == STATUS_OK ? take_print(writer, plan, err) : status;
    }
    if (!fits(writer, plan, &code, &sentence))
        return refuse(writer, entry, plan, code, sentence.text, err);
    return enqueue(writer, plan, at, err);
}

/*
 * Closes the mailbox of who is disabled by itself: whatever else there is about
 * the entry may be refused, this may not be.
 */
static enum status suspend_first(struct sync_writer *writer,
                                 const struct directory_entry *entry,
                                 struct errtext *err)
{
    struct sync *sync = writer->sync;
    struct account account = {.address = NULL};
    struct plan plan = {.kind = PLAN_NOTHING};
    struct errtext reason = {{0}};
    enum status status = store_find_id(sync->store, sync->set->name, entry->id,
                                       sync_deadline(sync), &account, err);

    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    errtext_set(&reason, "disabled in the directory");
    if (status == STATUS_OK)
        status =
            provision_absent(&account, ACCOUNT_DISABLED, &reason, &plan, err);
    if (status == STATUS_OK && plan.kind != PLAN_NOTHING)
        status = sync_write_plan(writer, &plan, err);
    if (status == STATUS_OK)
        status = sync_writer_flush(writer, err);
    plan_clear(&plan);
    account_clear(&account);
    return status;
}

enum status sync_write_one(struct sync_writer *writer, struct sync_one *one,
                           bool drops_old_name, struct errtext *err)
{
    struct sync *sync = writer->sync;
    struct directory_entry entry = {.dn = NULL};
    struct plan plan = {.kind = PLAN_NOTHING};
    struct errtext why = {{0}};
    enum status status = sync_spool_get(sync->spool, one->at, &entry, err);

    if (status == STATUS_OK && one->removes && !sync->options->plan)
        status = suspend_first(writer, &entry, err);
    if (status == STATUS_OK) {
        status = make_plan(sync, &entry, false, &plan, &why);
        if (status == STATUS_TEMPFAIL)
            *err = why;
    }
    plan.drops_old_name = drops_old_name;
    if (status == STATUS_DENIED) {
        status =
            refuse(writer, &entry, &plan, "foreign_address", why.text, err);
    } else if (status == STATUS_OK && one->twice) {
        errtext_set(&why,
                    "somebody else in the directory has this address "
                    "too, so that nobody gets it; this is %.120s",
                    entry.dn);
        status = refuse(writer, &entry, &plan, "same_address", why.text, err);
    } else if (status == STATUS_OK) {
        status = take_plan(writer, &entry, &plan, one->at, err);
    }
    plan_clear(&plan);
    directory_entry_clear(&entry);
    return status;
}

/* A name nobody has, in the domain of an address. */
static enum status make_room_name(const char *address, char **name_r,
                                  struct errtext *err)
{
    unsigned char bytes[12];
    struct strbuf text = STRBUF_INIT(ADDRESS_BYTES_MAX);

    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return status_no_memory(err);
    strbuf_append(&text, "renamed-");
    for (size_t i = 0; i < sizeof(bytes); i++)
        strbuf_appendf(&text, "%02x", bytes[i]);
    strbuf_appendf(&text, "@%s", address_domain_of(address));
    return strbuf_take(&text, name_r, err);
}

/* Splits the first rename of a ring: out of the way, and to where it goes. */
static enum status split_rename(struct plan *plan, struct plan *away_r,
                                struct errtext *err)
{
    struct plan away = {.kind = PLAN_RENAME, .drops_old_name = true};
    char *name = NULL;
    enum status status = make_room_name(plan->old_address, &name, err);

    if (status == STATUS_OK)
        status = account_copy(&plan->before, &away.before, err);
    if (status == STATUS_OK)
        status = account_copy(&plan->before, &away.target, err);
    if (status != STATUS_OK) {
        free(name);
        plan_clear(&away);
        return status;
    }
    away.old_address = plan->old_address;
    free(away.target.address);
    away.target.address = name;
    plan->old_address = strdup(name);
    errtext_set(&away.reason, "makes room for whoever gets this address");
    *away_r = away;
    return plan->old_address != NULL ? STATUS_OK : status_no_memory(err);
}

/* All plans of a ring; count of them, and one more. */
static enum status plan_ring(struct sync_writer *writer,
                             struct sync_one *const *ring, size_t count,
                             struct plan *plans, struct errtext *err)
{
    struct sync *sync = writer->sync;
    enum status status = STATUS_OK;

    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        struct directory_entry entry = {.dn = NULL};
        struct rows rows = {.address = NULL};

        status = sync_spool_get(sync->spool, ring[i]->at, &entry, err);
        if (status == STATUS_OK)
            status = read_rows(sync, &entry, true, &rows, err);
        if (status == STATUS_OK) {
            struct provision_facts facts = {
                .settings = sync->settings,
                .dir = sync->set,
                .entry = &entry,
                .address = rows.address,
                .by_id = rows.by_id,
            };

            status = provision_plan(&facts, &plans[i + 1], err);
        }
        if (status == STATUS_OK && plans[i + 1].target.fingerprint != NULL)
            plans[i + 1].target.sync_print =
                sync_print_stored(sync_print_entry(sync->print, &entry),
                                  plans[i + 1].target.fingerprint);
        plans[i + 1].drops_old_name = true;
        clear_rows(&rows);
        directory_entry_clear(&entry);
        /* Somebody was faster: the next run looks again. */
        if (status == STATUS_OK && plans[i + 1].kind != PLAN_RENAME)
            status = STATUS_NOT_FOUND;
    }
    return status;
}

/*
 * The first steps aside, the others follow one another, and the first takes
 * the place that is left: ring[i] wants what ring[i + 1] has, and the last
 * what the first has.
 */
static enum status apply_ring(struct sync_writer *writer, struct plan *plans,
                              size_t count, struct errtext *err)
{
    struct sync *sync = writer->sync;
    const struct plan **order = calloc(count + 1, sizeof(const struct plan *));
    bool whole = true;
    enum status status;

    if (order == NULL)
        return status_no_memory(err);
    status = split_rename(&plans[1], &plans[0], err);
    order[0] = &plans[0];
    for (size_t i = 0; i < count; i++)
        order[i + 1] = &plans[count - i];
    if (status == STATUS_OK && !sync->options->plan)
        status = apply_batch(sync->store, order, count + 1, &writer->author,
                             sync_deadline(sync), &whole, err);
    for (size_t i = 1; status == STATUS_OK && whole && i <= count; i++)
        settle(writer, &plans[i]);
    for (size_t i = 1; status == STATUS_OK && !whole && i <= count; i++) {
        sync->counts.refused++;
        sync_report_refusal(sync->report, plans[i].target.address, "conflict",
                            "these people exchange addresses, and not all of "
                            "them may");
    }
    free(order);
    return status;
}

enum status sync_write_ring(struct sync_writer *writer,
                            struct sync_one *const *ring, size_t count,
                            struct errtext *err)
{
    struct plan *plans = calloc(count + 1, sizeof(*plans));
    enum status status;

    if (plans == NULL)
        return status_no_memory(err);
    status = sync_writer_flush(writer, err);
    if (status == STATUS_OK)
        status = plan_ring(writer, ring, count, plans, err);
    if (status == STATUS_OK)
        status = apply_ring(writer, plans, count, err);
    for (size_t i = 0; i <= count; i++)
        plan_clear(&plans[i]);
    free(plans);
    return status == STATUS_NOT_FOUND || status == STATUS_DENIED ? STATUS_OK
                                                                 : status;
}

/* Shows whom the judgement keeps from being closed. */
static enum status withhold(struct sync *sync, const struct sync_one *one,
                            struct errtext *err)
{
    struct directory_entry entry = {.dn = NULL};
    enum status status = sync_spool_get(sync->spool, one->at, &entry, err);

    if (status == STATUS_OK)
        sync_withhold(sync,
                      entry.usernames.count > 0 ? entry.usernames.items[0]
                                                : entry.dn,
                      "disabled in the directory");
    directory_entry_clear(&entry);
    return status;
}

enum status sync_write_all(struct sync *sync, struct errtext *err)
{
    struct sync_writer *writer = NULL;
    enum status status = sync_writer_new(sync, &writer, err);

    for (size_t i = 0; status == STATUS_OK && i < sync->one_count; i++) {
        struct sync_one *one = &sync->ones[i];

        sync_report_progress(sync->report,
                             sync->options->plan ? "planning" : "writing", i,
                             sync->one_count);
        if (one->removes && !sync->removals_allowed)
            status = withhold(sync, one, err);
        else if (!one->moves || one->twice)
            status = sync_write_one(writer, one, false, err);
    }
    if (status == STATUS_OK)
        status = sync_writer_flush(writer, err);
    if (status == STATUS_OK)
        status = sync_rename_all(sync, writer, err);
    if (status == STATUS_OK)
        status = sync_writer_flush(writer, err);
    sync_writer_free(&writer);
    return status;
}
