/* login_directory - from the directory's answer to the mailbox */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "apply.h"
#include "clock.h"
#include "login_choice.h"
#include "login_private.h"
#include "provision.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How long a login may wait for a place in a directory that is slow. */
#define PLACE_WAIT_MS 250
/* Plans made again because somebody else was faster. */
#define PLANS_MAX 5
/* An event about the same person and reason is written once in this time. */
#define REFUSED_EVENT_SECONDS 3600

/* The person of an attempt; starts as {0}; see person_clear. */
struct person {
    struct login_directory *row;
    struct directory_entry entry;
    bool entry_remembered;
    struct account other;        /* the id's mailbox, if it is not found's */
    const struct account *by_id; /* found's account, other, or NULL */
    char *address;               /* of the mailbox as it should be */
};

static void person_clear(struct person *person)
{
    directory_entry_clear(&person->entry);
    account_clear(&person->other);
    free(person->address);
    memset(person, 0, sizeof(*person));
}

/*
 * Takes a place in the directory. A directory that hangs fills its places and
 * no more workers than that: the rest serve others. Nor do they wait for it one
 * after the other: where all places are taken and nobody has come or gone for a
 * while, the wait is over before it begins.
 */
static bool enter(struct login_directory *row, int64_t deadline_ms)
{
    int64_t started_ms = clock_ms();
    bool entered;

    (void)pthread_mutex_lock(&row->lock);
    while (row->in_flight >= row->in_flight_max) {
        int64_t until_ms =
            (row->moved_ms < started_ms ? row->moved_ms : started_ms) +
            PLACE_WAIT_MS;
        struct timespec until;

        if (until_ms > deadline_ms)
            until_ms = deadline_ms;
        until.tv_sec = (time_t)(until_ms / 1000);
        until.tv_nsec = (long)(until_ms % 1000) * 1000000;
        if (clock_ms() >= until_ms ||
            pthread_cond_timedwait(&row->left, &row->lock, &until) != 0)
            break;
    }
    entered = row->in_flight < row->in_flight_max;
    if (entered) {
        row->in_flight++;
        row->moved_ms = clock_ms();
    }
    (void)pthread_mutex_unlock(&row->lock);
    return entered;
}

static void leave(struct login_directory *row)
{
    (void)pthread_mutex_lock(&row->lock);
    row->in_flight--;
    row->moved_ms = clock_ms();
    (void)pthread_cond_signal(&row->left);
    (void)pthread_mutex_unlock(&row->lock);
}

static struct login_directory *row_of(struct login *login,
                                      const struct directory_settings *set)
{
    for (size_t i = 0; i < login->directory_count; i++) {
        if (login->directories[i].set == set)
            return &login->directories[i];
    }
    return NULL;
}

/* The directory to ask; NULL, with the attempt decided, if there is none. */
static struct login_directory *choose_row(struct attempt *attempt)
{
    struct login_choice choice;

    login_choose(attempt->login->settings, attempt->name.text, &attempt->found,
                 &choice);
    if (choice.set != NULL)
        return row_of(attempt->login, choice.set);
    attempt_decide(attempt, choice.decision);
    if (choice.text.text[0] != '\0')
        attempt->answer->text = choice.text;
    return NULL;
}

/* Searches one directory, in its places; fresh: not its memory. */
static enum status find_in(struct attempt *attempt, struct login_directory *row,
                           bool fresh, struct person *person,
                           struct errtext *err)
{
    int64_t deadline_ms = attempt->request->deadline_ms;
    char *name = NULL;
    enum status status =
        login_search_name(attempt->login->settings, row->set,
                          attempt->name.text, &attempt->found, &name, err);

    if (status != STATUS_OK)
        return status;
    if (fresh)
        (void)directory_forget(row->dir, name);
    if (enter(row, deadline_ms)) {
        status = directory_find(row->dir, name, deadline_ms, &person->entry,
                                &person->entry_remembered, err);
        leave(row);
    } else {
        errtext_set(err, "directory %s: all places are taken", row->set->name);
        status = STATUS_TEMPFAIL;
    }
    free(name);
    if (status == STATUS_OK)
        person->row = row;
    return status;
}

/*
 * Searches all directories for a bare name. One that does not answer might
 * have been the second to know the name, so the answer is then temporary.
 */
static enum status find_anywhere(struct attempt *attempt, struct person *person,
                                 struct errtext *err)
{
    struct login *login = attempt->login;

    for (size_t i = 0; i < login->directory_count; i++) {
        struct login_directory *row = &login->directories[i];
        struct person one = {0};
        enum status status = find_in(attempt, row, false, &one, err);

        if (status == STATUS_NOT_FOUND)
            continue;
        if (status == STATUS_OK && person->row != NULL) {
            errtext_set(err, "in directories %s and %s", person->row->set->name,
                        row->set->name);
            status = STATUS_DENIED;
        }
        if (status != STATUS_OK) {
            person_clear(&one);
            return status;
        }
        *person = one;
    }
    return person->row != NULL ? STATUS_OK : STATUS_NOT_FOUND;
}

/* Finds the person; false with the attempt decided if that fails. */
static bool find_person(struct attempt *attempt, struct person *person)
{
    struct errtext err = {{0}};
    enum status status;

    if (attempt->name.has_domain) {
        struct login_directory *row = choose_row(attempt);

        if (row == NULL)
            return false;
        attempt->answer->directory = strdup(row->set->name);
        status = find_in(attempt, row, false, person, &err);
    } else {
        status = find_anywhere(attempt, person, &err);
        if (status == STATUS_OK)
            attempt->answer->directory = strdup(person->row->set->name);
    }
    if (status == STATUS_OK)
        return true;
    attempt_decide(attempt,
                   decision_password(status, DIRECTORY_SEVERAL_ENTRIES));
    attempt->answer->text = err;
    return false;
}

/* One bind, in the directory's places. */
static enum status bind_person(struct attempt *attempt,
                               const struct person *person,
                               enum directory_reason *reason_r,
                               struct errtext *err)
{
    struct login_directory *row = person->row;
    enum status status;

    *reason_r = DIRECTORY_NO_REASON;
    if (!enter(row, attempt->request->deadline_ms)) {
        errtext_set(err, "directory %s: all places are taken", row->set->name);
        return STATUS_TEMPFAIL;
    }
    status =
        directory_verify(row->dir, person->entry.dn, attempt->request->password,
                         attempt->request->deadline_ms, reason_r, err);
    leave(row);
    return status;
}

/*
 * A remembered entry may have moved since: when its bind was refused, it is
 * searched once more, and bound once more if the DN is another now.
 */
static enum status doubt_entry(struct attempt *attempt, struct person *person,
                               enum directory_reason *reason_r,
                               struct errtext *err)
{
    struct person fresh = {0};
    enum status status = find_in(attempt, person->row, true, &fresh, err);

    if (status == STATUS_DENIED)
        *reason_r = DIRECTORY_SEVERAL_ENTRIES;
    if (status != STATUS_OK)
        return status;
    if (strcmp(fresh.entry.dn, person->entry.dn) == 0) {
        person_clear(&fresh);
        return STATUS_DENIED;
    }
    person_clear(person);
    *person = fresh;
    return bind_person(attempt, person, reason_r, err);
}

/* Checks the password; false with the attempt decided unless it is right. */
static bool password_is_right(struct attempt *attempt, struct person *person)
{
    enum directory_reason reason = DIRECTORY_NO_REASON;
    enum memory_outcome outcome = MEMORY_NO_OUTCOME;
    struct errtext err = {{0}};
    struct decision decision;
    enum status status;

    if (attempt->bind_shared) {
        attempt->answer->how = "shared_bind";
        return true;
    }
    if (attempt->request->password == NULL) {
        attempt->answer->how = "assumed";
        return true;
    }
    attempt->answer->how = "bind";
    status = bind_person(attempt, person, &reason, &err);
    if (status == STATUS_DENIED && person->entry_remembered)
        status = doubt_entry(attempt, person, &reason, &err);
    decision = decision_password(status, reason);
    if (status == STATUS_OK)
        outcome = MEMORY_RIGHT;
    else if (status == STATUS_DENIED && reason == DIRECTORY_BAD_PASSWORD)
        outcome = MEMORY_WRONG;
    attempt_tell_memory(attempt, outcome);
    attempt_decide(attempt, decision);
    /* After a success, how long the password is good for. */
    attempt->answer->text = err;
    return status == STATUS_OK;
}

/* True if the mailbox already read is the one of the entry's id. */
static bool is_own(const struct person *person, const struct account *account)
{
    return account->address != NULL && account->directory != NULL &&
           account->directory_id != NULL && person->entry.id != NULL &&
           strcmp(account->directory, person->row->set->name) == 0 &&
           strcmp(account->directory_id, person->entry.id) == 0;
}

/* Finds the mailbox that the entry's id has by now. */
static enum status find_by_id(struct attempt *attempt, struct person *person,
                              struct errtext *err)
{
    enum status status;

    person->by_id = NULL;
    account_clear(&person->other);
    if (is_own(person, &attempt->found.account)) {
        person->by_id = &attempt->found.account;
        return STATUS_OK;
    }
    if (person->entry.id == NULL)
        return STATUS_OK;
    status = store_find_id(attempt->login->store, person->row->set->name,
                           person->entry.id, attempt->request->deadline_ms,
                           &person->other, err);
    if (status == STATUS_OK)
        person->by_id = &person->other;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/*
 * Reads what there is at the person's address. In an alias domain, the address
 * becomes that of the target domain.
 */
static enum status find_at_address(struct attempt *attempt,
                                   struct person *person, struct errtext *err)
{
    struct store_found found = {0};
    enum status status = store_find(attempt->login->store, person->address,
                                    attempt->request->deadline_ms, &found, err);
    struct strbuf address = STRBUF_INIT(2 * ADDRESS_BYTES_MAX);
    const char *domain = address_domain_of(person->address);

    if (status != STATUS_OK)
        return status;
    if (found.domain.name != NULL && strcmp(found.domain.name, domain) != 0) {
        strbuf_append_len(&address, person->address,
                          (size_t)(domain - person->address));
        strbuf_append(&address, found.domain.name);
        free(person->address);
        person->address = NULL;
        status = strbuf_take(&address, &person->address, err);
    }
    if (person->by_id == &attempt->found.account)
        person->by_id = NULL;
    store_found_clear(&attempt->found);
    attempt->found = found;
    if (status == STATUS_OK && person->by_id == NULL)
        status = find_by_id(attempt, person, err);
    return status;
}

/* Leaves an event about a refusal; a failure of that changes no answer. */
static void note_refusal(struct attempt *attempt, const struct person *person,
                         const char *code, const char *sentence)
{
    char reason[ERRTEXT_SIZE + 64];
    struct store_event event = {
        .kind = "refused",
        .who = "authd",
        .address =
            person->address != NULL ? person->address : attempt->name.text,
        .directory = person->row->set->name,
        .reason = reason,
    };
    struct errtext err = {{0}};

    if (attempt->request->rehearse)
        return;
    attempt->told = true;
    if (strchr(event.address, '@') != NULL)
        event.domain = address_domain_of(event.address);
    (void)snprintf(reason, sizeof(reason), "%s: %s", code, sentence);
    if (store_event_write(attempt->login->store, &event, REFUSED_EVENT_SECONDS,
                          attempt->request->deadline_ms, &err) != STATUS_OK &&
        attempt->answer->text.text[0] == '\0')
        attempt->answer->text = err;
}

/* True if attempt->found is what there is at the person's address. */
static bool already_read(const struct attempt *attempt, const char *address)
{
    const struct store_found *found = &attempt->found;
    const char *domain = address_domain_of(address);
    size_t local_bytes = (size_t)(domain - address);

    if (found->account.address != NULL)
        return strcmp(found->account.address, address) == 0;
    return found->domain.name != NULL && attempt->name.has_domain &&
           strcmp(found->domain.name, domain) == 0 &&
           strncmp(attempt->name.text, address, local_bytes) == 0;
}

/* Whose mailbox is it? False with the attempt decided if nobody's. */
static bool choose_mailbox(struct attempt *attempt, struct person *person)
{
    struct decision foreign = {LOGIN_REFUSED, "foreign_address"};
    struct errtext err = {{0}};
    enum status status = find_by_id(attempt, person, &err);

    if (status == STATUS_OK)
        status = provision_address(
            attempt->login->settings, person->row->set, &person->entry,
            person->by_id != NULL ? person->by_id->address : NULL,
            &person->address, &err);
    if (status == STATUS_DENIED) {
        attempt_decide(attempt, foreign);
        attempt->answer->text = err;
        note_refusal(attempt, person, foreign.reason, err.text);
        return false;
    }
    if (status == STATUS_OK && !already_read(attempt, person->address))
        status = find_at_address(attempt, person, &err);
    if (status != STATUS_OK)
        attempt_no_answer(attempt, "store_no_answer", &err);
    return status == STATUS_OK;
}

static void decide_refusal(struct attempt *attempt, const struct person *person,
                           const struct plan *plan)
{
    const char *reason = plan_refusal_name(plan->refusal);
    struct decision decision = {LOGIN_REFUSED, reason};

    switch (plan->refusal) {
    case REFUSAL_NO_TEMPLATE:
    case REFUSAL_NO_ID: /* both are settings to mend, nobody's fault outside */
        decision = decision_not_provisioned(
            attempt->login->settings->auth.on_provisioning_refused, reason);
        break;
    case REFUSAL_NONE:
    case REFUSAL_PROVISIONING_OFF:
    case REFUSAL_LOCAL_MAILBOX:
    case REFUSAL_OTHER_DIRECTORY:
    case REFUSAL_OTHER_ID:
    case REFUSAL_DISABLED:
        break;
    }
    attempt_decide(attempt, decision);
    attempt->answer->text = plan->reason;
    note_refusal(attempt, person, reason, plan->reason.text);
}

/* Moves one side of the plan to where the answer looks for the mailbox. */
static void take_account(struct attempt *attempt, struct person *person,
                         struct account *account)
{
    person->by_id = NULL;
    account_clear(&attempt->found.account);
    attempt->found.account = *account;
    memset(account, 0, sizeof(*account));
}

/* A limit said no: nothing was written. */
static void decide_limit(struct attempt *attempt, struct person *person,
                         struct plan *plan, const struct apply_outcome *outcome)
{
    attempt->answer->text = outcome->reason;
    attempt->told = true; /* by apply */
    if (plan->kind == PLAN_CREATE) {
        attempt_decide(
            attempt, decision_not_provisioned(
                         attempt->login->settings->auth.on_provisioning_refused,
                         apply_limit_name(outcome->limit)));
        return;
    }
    take_account(attempt, person, &plan->before);
    attempt_pass_gates(attempt, &attempt->found.account);
}

enum step {
    STEP_DECIDED,
    STEP_AGAIN /* somebody was faster: read and plan again */
};

/* Carries the plan out, or finds out how that would go. */
static enum status perform(struct attempt *attempt, const struct plan *plan,
                           struct apply_outcome *outcome_r, struct errtext *err)
{
    if (attempt->request->rehearse)
        return apply_rehearse(attempt->login->store, plan,
                              attempt->request->deadline_ms, outcome_r, err);
    return apply_plan(attempt->login->store, plan, "authd",
                      attempt->request->deadline_ms, outcome_r, err);
}

/* Carries one plan out and decides. */
static enum step carry_out(struct attempt *attempt, struct person *person,
                           struct plan *plan)
{
    struct apply_outcome outcome = {0};
    struct errtext err = {{0}};

    if (plan->kind == PLAN_CREATE) {
        /* A mailbox that could not be entered is not made. */
        attempt_pass_gates(attempt, &plan->target);
        if (attempt->answer->result != LOGIN_IN)
            return STEP_DECIDED;
    }
    if (perform(attempt, plan, &outcome, &err) != STATUS_OK) {
        attempt_no_answer(attempt, "store_no_answer", &err);
        return STEP_DECIDED;
    }
    switch (outcome.kind) {
    case APPLY_DONE:
        attempt->answer->made = plan_kind_name(plan->kind);
        take_account(attempt, person, &plan->target);
        attempt_pass_gates(attempt, &attempt->found.account);
        return STEP_DECIDED;
    case APPLY_LIMIT:
        decide_limit(attempt, person, plan, &outcome);
        return STEP_DECIDED;
    case APPLY_CONFLICT:
        break;
    }
    return STEP_AGAIN;
}

/*
 * True if a parallel login made this person's mailbox between our two looks:
 * at the address there was none, and by the id there is.
 */
static bool made_meanwhile(const struct attempt *attempt,
                           const struct person *person)
{
    return attempt->found.account.address == NULL &&
           person->by_id == &person->other &&
           strcmp(person->other.address, person->address) == 0;
}

/* Makes one plan from what was read, and carries it out. */
static enum step plan_once(struct attempt *attempt, struct person *person)
{
    struct provision_facts facts = {
        .settings = attempt->login->settings,
        .dir = person->row->set,
        .entry = &person->entry,
        .address = person->address,
        .current = &attempt->found.account,
        .by_id = person->by_id,
        .may_create = person->row->set->login_provisioning,
    };
    enum step step = STEP_DECIDED;
    struct errtext err = {{0}};
    struct plan plan = {0};

    if (made_meanwhile(attempt, person))
        return STEP_AGAIN;
    if (provision_plan(&facts, &plan, &err) != STATUS_OK) {
        attempt_no_answer(attempt, "out_of_memory", &err);
        return STEP_DECIDED;
    }
    if (plan.warning.text[0] != '\0')
        attempt->answer->text = plan.warning;
    if (plan.kind == PLAN_REFUSED)
        decide_refusal(attempt, person, &plan);
    else if (plan.kind == PLAN_NOTHING)
        attempt_pass_gates(attempt, &attempt->found.account);
    else
        step = carry_out(attempt, person, &plan);
    plan_clear(&plan);
    return step;
}

/* Makes or updates the mailbox, as often as somebody else was faster. */
static void provide_mailbox(struct attempt *attempt, struct person *person)
{
    struct errtext err = {{0}};
    enum status status = STATUS_OK;

    for (int i = 0; i < PLANS_MAX; i++) {
        if (plan_once(attempt, person) == STEP_DECIDED)
            return;
        status = find_at_address(attempt, person, &err);
        if (status == STATUS_OK)
            status = find_by_id(attempt, person, &err);
        if (status != STATUS_OK) {
            attempt_no_answer(attempt, "store_no_answer", &err);
            return;
        }
    }
    errtext_set(&err, "%d plans met a change by somebody else", PLANS_MAX);
    attempt_no_answer(attempt, "conflict", &err);
}

void login_by_directory(struct attempt *attempt)
{
    struct person person = {0};

    if (find_person(attempt, &person) && password_is_right(attempt, &person) &&
        choose_mailbox(attempt, &person))
        provide_mailbox(attempt, &person);
    if (attempt->answer->result != LOGIN_IN && person.address != NULL &&
        attempt->answer->address == NULL)
        attempt->answer->address = strdup(person.address);
    person_clear(&person);
}
