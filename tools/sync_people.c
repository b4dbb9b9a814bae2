/* sync_people - see sync_people.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "sync_people.h"

#include "clock.h"
#include "store_sync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define DAY_SECONDS 86400

struct known {
    char *domain; /* owned; NULL: not known */
    uint64_t print;
    char problem[SYNC_PROBLEM_BYTES];
    uint64_t missing_runs;
    int64_t missing_seconds; /* -1: not missing */
    int64_t removed_seconds; /* -1: not removed */
    bool refused_now;
    bool dirty;
    UT_hash_handle hh;
    char id[];
};

struct sync_people {
    struct known *all;
    bool failed; /* no memory */
};

enum status sync_people_new(struct sync_people **people_r, struct errtext *err)
{
    struct sync_people *people = calloc(1, sizeof(*people));

    if (people == NULL)
        return status_no_memory(err);
    *people_r = people;
    return STATUS_OK;
}

void sync_people_free(struct sync_people **people)
{
    struct known *known;
    struct known *next;

    if (*people == NULL)
        return;
    HASH_ITER(hh, (*people)->all, known, next)
    {
        HASH_DEL((*people)->all, known);
        free(known->domain);
        free(known);
    }
    free(*people);
    *people = NULL;
}

static struct known *find(const struct sync_people *people, const char *id)
{
    struct known *known;

    HASH_FIND_STR(people->all, id, known);
    return known;
}

/* Finds or makes a row; NULL without memory. */
static struct known *take(struct sync_people *people, const char *id)
{
    struct known *known = find(people, id);

    if (known != NULL)
        return known;
    known = calloc(1, sizeof(*known) + strlen(id) + 1);
    if (known == NULL) {
        people->failed = true;
        return NULL;
    }
    memcpy(known->id, id, strlen(id) + 1);
    known->missing_seconds = -1;
    known->removed_seconds = -1;
    HASH_ADD_STR(people->all, id, known);
    return known;
}

static bool set_domain(struct known *known, const char *domain)
{
    char *copy = strdup(domain);

    if (copy == NULL)
        return false;
    free(known->domain);
    known->domain = copy;
    return true;
}

static bool load_one(const struct store_sync_person *person, void *arg)
{
    struct sync_people *people = arg;
    struct known *known = take(people, person->id);

    if (known == NULL)
        return false;
    known->print = person->print;
    (void)snprintf(known->problem, sizeof(known->problem), "%s",
                   person->problem);
    known->missing_runs = person->missing_runs;
    known->missing_seconds = person->missing_seconds;
    known->removed_seconds = person->removed_seconds;
    return set_domain(known, person->domain);
}

enum status sync_people_load(struct sync_people *people, struct store *store,
                             const char *directory, int64_t deadline_ms,
                             struct errtext *err)
{
    struct store_sync_people_visitor visitor = {load_one, people};

    return store_sync_people(store, directory, &visitor, deadline_ms, err);
}

void sync_people_present(struct sync_people *people, const char *id)
{
    struct known *known = people->all != NULL ? find(people, id) : NULL;

    if (known == NULL || known->missing_runs == 0)
        return;
    known->missing_runs = 0;
    known->missing_seconds = -1;
    if (strcmp(known->problem, "missing") == 0)
        known->problem[0] = '\0';
    known->dirty = true;
}

bool sync_people_problem(struct sync_people *people, const char *id,
                         uint64_t print, const char *problem)
{
    struct known *known = take(people, id);

    if (known == NULL)
        return true;
    known->refused_now = true;
    if (known->print == print && strcmp(known->problem, problem) == 0)
        return false;
    known->print = print;
    (void)snprintf(known->problem, sizeof(known->problem), "%s", problem);
    known->dirty = true;
    return true;
}

bool sync_people_knows(struct sync_people *people, const char *id,
                       uint64_t print, const char *problem)
{
    struct known *known = people->all != NULL ? find(people, id) : NULL;

    if (known == NULL || known->print != print ||
        strcmp(known->problem, problem) != 0)
        return false;
    known->refused_now = true;
    return true;
}

void sync_people_missing(struct sync_people *people, const char *id,
                         struct sync_absence *out)
{
    const struct known *known = find(people, id);

    *out = (struct sync_absence){.runs = 0, .seconds = -1};
    if (known == NULL)
        return;
    out->runs = known->missing_runs;
    out->seconds = known->missing_seconds;
    out->told = strcmp(known->problem, "missing") == 0;
}

bool sync_people_missed(struct sync_people *people, const char *id,
                        const char *domain, bool told)
{
    struct known *known = take(people, id);

    if (known == NULL)
        return false;
    known->missing_runs++;
    if (known->missing_seconds < 0)
        known->missing_seconds = 0;
    if (told)
        (void)snprintf(known->problem, sizeof(known->problem), "missing");
    /* Nobody refuses who is not there. */
    known->refused_now = true;
    known->dirty = true;
    return set_domain(known, domain);
}

void sync_people_of_a_day(struct sync_people *people,
                          void (*visit)(const char *domain, void *arg),
                          void *arg)
{
    const struct known *known;
    const struct known *next;

    HASH_ITER(hh, people->all, known, next)
    {
        if (known->removed_seconds >= 0 && known->removed_seconds < DAY_SECONDS)
            visit(known->domain, arg);
    }
}

void sync_people_forgive(struct sync_people *people)
{
    struct known *known;
    struct known *next;

    HASH_ITER(hh, people->all, known, next)
    {
        if (known->problem[0] == '\0' || known->refused_now ||
            known->missing_runs > 0)
            continue;
        known->problem[0] = '\0';
        known->print = 0;
        known->dirty = true;
    }
}

enum status sync_people_write(struct sync_people *people, struct store *store,
                              const struct store_lease *lease,
                              const char *directory, int64_t timeout_ms,
                              struct errtext *err)
{
    struct store_sync_person rows[STORE_SYNC_BATCH];
    size_t count = 0;
    struct known *known;
    struct known *next;
    enum status status = STATUS_OK;

    if (people->failed)
        return status_no_memory(err);
    HASH_ITER(hh, people->all, known, next)
    {
        if (!known->dirty)
            continue;
        rows[count++] = (struct store_sync_person){
            .id = known->id,
            .domain = known->domain,
            .print = known->print,
            .problem = known->problem,
            .missing_runs = known->missing_runs,
            .missing_seconds = known->missing_seconds,
        };
        if (count < STORE_SYNC_BATCH)
            continue;
        status = store_sync_people_write(store, lease, directory, rows, count,
                                         clock_ms() + timeout_ms, err);
        if (status != STATUS_OK)
            return status;
        count = 0;
    }
    return count > 0
               ? store_sync_people_write(store, lease, directory, rows, count,
                                         clock_ms() + timeout_ms, err)
               : STATUS_OK;
}
