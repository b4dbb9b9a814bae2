/* store_race_test - many at once, deadlocks, a server that hangs or dies */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_apply_test.h"

#include "clock.h"
#include "store_domain.h"
#include "store_mailbox.h"
#include "store_transaction.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a busy machine may add to a deadline before we call it missed. */
#define LATE_MS 2500

#define THREADS_MAX 64

/* Creates, shared out among threads. */
struct crowd {
    struct lab *lab;
    const char *domain;
    bool same_person;
    int count;
    pthread_mutex_t lock;
    int next;
    int done;
    int limits;
    int conflicts;
    int failures;
    int64_t until_ms; /* 0: until count */
};

static int take_number(struct crowd *crowd)
{
    int number;

    (void)pthread_mutex_lock(&crowd->lock);
    number = crowd->next++;
    (void)pthread_mutex_unlock(&crowd->lock);
    if (crowd->until_ms > 0)
        return clock_ms() < crowd->until_ms ? number : -1;
    return number < crowd->count ? number : -1;
}

static void note(struct crowd *crowd, enum status status,
                 const struct apply_outcome *outcome, const struct errtext *err)
{
    (void)pthread_mutex_lock(&crowd->lock);
    if (status != STATUS_OK) {
        crowd->failures++;
        printf("#   %s\n", err->text);
    } else if (outcome->kind == APPLY_DONE) {
        crowd->done++;
    } else if (outcome->kind == APPLY_CONFLICT) {
        crowd->conflicts++;
    } else {
        crowd->limits++;
    }
    (void)pthread_mutex_unlock(&crowd->lock);
}

static void *work_in_crowd(void *arg)
{
    struct crowd *crowd = arg;
    int number;

    while ((number = take_number(crowd)) >= 0) {
        struct apply_outcome outcome = {.kind = APPLY_CONFLICT};
        struct errtext err = {{0}};
        struct plan plan;
        enum status status;
        char address[128];

        if (crowd->same_person)
            number = 0;
        (void)snprintf(address, sizeof(address), "p%d@%s", number,
                       crowd->domain);
        plan = plan_create(address, address, GIB);
        status = apply_plan(crowd->lab->store, &plan, "authd", in_ms(30000),
                            &outcome, &err);
        note(crowd, status, &outcome, &err);
        plan_clear(&plan);
    }
    return NULL;
}

static void run_crowd(struct crowd *crowd, int threads)
{
    pthread_t ids[THREADS_MAX];

    (void)pthread_mutex_init(&crowd->lock, NULL);
    for (int i = 0; i < threads; i++)
        (void)pthread_create(&ids[i], NULL, work_in_crowd, crowd);
    for (int i = 0; i < threads; i++)
        (void)pthread_join(ids[i], NULL);
    (void)pthread_mutex_destroy(&crowd->lock);
    printf("#   %d done, %d limits, %d conflicts, %d without answer\n",
           crowd->done, crowd->limits, crowd->conflicts, crowd->failures);
}

static bool rows_match(struct lab *lab, const char *name, uint64_t wanted)
{
    struct store_domain domain = read_domain(lab, name);
    char sql[256];
    uint64_t rows;
    uint64_t aliases;
    bool same;

    (void)snprintf(sql, sizeof(sql),
                   "SELECT COUNT(*) FROM mailbox WHERE domain = '%s'", name);
    rows = lab_count(lab, sql);
    (void)snprintf(sql, sizeof(sql),
                   "SELECT COUNT(*) FROM alias WHERE domain = '%s'", name);
    aliases = lab_count(lab, sql);
    same = rows == wanted && aliases == wanted &&
           domain.mailboxes_used == wanted &&
           domain.quota_allotted == wanted * GIB;
    if (!same)
        printf("#   %" PRIu64 " rows, %" PRIu64 " self-aliases, %" PRIu64
               " counted\n",
               rows, aliases, domain.mailboxes_used);
    store_domain_clear(&domain);
    return same;
}

void test_race(struct lab *lab)
{
    struct crowd twelve = {
        .lab = lab, .domain = "twelve.example", .count = 400};
    struct crowd same = {
        .lab = lab, .domain = "same.example", .same_person = true, .count = 64};
    struct crowd many = {.lab = lab, .domain = "many.example", .count = 500};

    make_domain(lab, "twelve.example", 0, 300 * GIB, 0);
    run_crowd(&twelve, 12);
    check(twelve.done == 300 && twelve.limits == 100 &&
              rows_match(lab, "twelve.example", 300),
          "a quota is exact under 12 threads", NULL);
    make_domain(lab, "same.example", 1, 0, 0);
    run_crowd(&same, 64);
    check(same.done == 1 && same.conflicts == 63 && same.limits == 0 &&
              rows_match(lab, "same.example", 1),
          "64 creates of one person and one place: one mailbox, no limit",
          NULL);
    make_domain(lab, "many.example", 100, 0, 0);
    run_crowd(&many, 32);
    check(many.done == 100 && many.limits == 400 && many.failures == 0 &&
              rows_match(lab, "many.example", 100),
          "500 creates into 100 places: 100 mailboxes, 400 refusals", NULL);
    check(lab_count(lab, "SELECT COUNT(*) FROM event WHERE domain = "
                         "'many.example' AND kind = 'refused' AND reason = "
                         "'max_mailboxes: domain many.example is full: 100 of "
                         "100 mailboxes'") == 400,
          "each refusal is named in an event", NULL);
    many.next = 0;
    many.done = many.limits = 0;
    run_crowd(&many, 8);
    check(lab_count(lab, "SELECT COUNT(*) FROM event WHERE domain = "
                         "'many.example' AND kind = 'refused'") == 400,
          "a second refusal within the hour leaves no second event", NULL);
}

/* Two sessions that take two rows in opposite order. */
struct duel {
    struct lab *lab;
    const char *first;
    const char *second;
    pthread_barrier_t *barrier;
    int runs;
    enum status status;
    struct errtext err;
};

static enum status run_duel(struct store_connection *db, void *arg,
                            struct errtext *err)
{
    struct duel *duel = arg;
    struct store_charge first = {.domain = duel->first, .aliases = 1};
    struct store_charge second = {.domain = duel->second, .aliases = 1};
    enum status status = store_charge(db, &first, err);

    if (status == STATUS_OK && duel->runs++ == 0)
        (void)pthread_barrier_wait(duel->barrier);
    if (status == STATUS_OK)
        status = store_charge(db, &second, err);
    return status;
}

static void *fight(void *arg)
{
    static const struct store_work work = {.run = run_duel};
    struct duel *duel = arg;

    duel->status =
        store_work(duel->lab->store, &work, duel, in_ms(10000), &duel->err);
    return NULL;
}

void test_deadlock(struct lab *lab)
{
    pthread_barrier_t barrier;
    struct duel one = {.lab = lab,
                       .first = "duel1.example",
                       .second = "duel2.example",
                       .barrier = &barrier};
    struct duel two = one;
    pthread_t ids[2];
    struct store_domain domain;

    two.first = one.second;
    two.second = one.first;
    make_domain(lab, "duel1.example", 0, 0, 0);
    make_domain(lab, "duel2.example", 0, 0, 0);
    (void)pthread_barrier_init(&barrier, NULL, 2);
    (void)pthread_create(&ids[0], NULL, fight, &one);
    (void)pthread_create(&ids[1], NULL, fight, &two);
    (void)pthread_join(ids[0], NULL);
    (void)pthread_join(ids[1], NULL);
    (void)pthread_barrier_destroy(&barrier);
    check(one.runs + two.runs > 2, "two transactions deadlock", NULL);
    check(one.status == STATUS_OK && two.status == STATUS_OK,
          "the loser runs again, whole", &one.err);
    domain = read_domain(lab, "duel1.example");
    check(domain.aliases_used == 2, "each is done once", NULL);
    store_domain_clear(&domain);
}

/* Holds a connection for half a second. */
static enum status run_slowly(struct store_connection *db, void *arg,
                              struct errtext *err)
{
    pthread_barrier_t *barrier = arg;

    (void)db;
    (void)err;
    (void)pthread_barrier_wait(barrier);
    clock_sleep_ms(500);
    return STATUS_OK;
}

struct holder {
    struct lab *lab;
    pthread_barrier_t barrier;
    enum status status;
};

static void *hold(void *arg)
{
    static const struct store_work work = {.run = run_slowly,
                                           .reads_only = true};
    struct holder *holder = arg;

    holder->status = store_work(holder->lab->store, &work, &holder->barrier,
                                in_ms(5000), NULL);
    return NULL;
}

void test_busy(struct lab *lab)
{
    struct lab small = *lab;
    struct holder holder = {.lab = &small, .status = STATUS_TEMPFAIL};
    struct store_domain domain = {0};
    struct errtext err = {{0}};
    pthread_t id;

    small.set.max_connections = 1;
    if (store_open(&small.set, &small.store, &err) != STATUS_OK)
        abort();
    (void)pthread_barrier_init(&holder.barrier, NULL, 2);
    (void)pthread_create(&id, NULL, hold, &holder);
    (void)pthread_barrier_wait(&holder.barrier);
    check(store_domain_find(small.store, "duel1.example", in_ms(100), &domain,
                            &err) == STATUS_TEMPFAIL &&
              strstr(err.text, "busy") != NULL,
          "with all connections busy there is no answer, in time", &err);
    check(store_domain_find(small.store, "duel1.example", in_ms(3000), &domain,
                            &err) == STATUS_OK,
          "who can wait gets the one that comes back", &err);
    store_domain_clear(&domain);
    (void)pthread_join(id, NULL);
    check(holder.status == STATUS_OK, "and its holder was not disturbed", NULL);
    (void)pthread_barrier_destroy(&holder.barrier);
    store_close(&small.store);
}

/* Runs a find with a short deadline and says how long it took. */
static int64_t time_find(struct lab *lab, int64_t limit_ms,
                         enum status *status_r, struct errtext *err)
{
    struct store_found found = {0};
    int64_t start_ms = clock_ms();

    *status_r =
        store_find(lab->store, "a@hang.example", in_ms(limit_ms), &found, err);
    store_found_clear(&found);
    return clock_ms() - start_ms;
}

/* Returns the letter of a process's state, e.g. 'T' for stopped. */
static char state_of(pid_t pid)
{
    char path[64];
    char text[512] = "";
    const char *end;
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    file = fopen(path, "re");
    if (file == NULL)
        return '?';
    if (fgets(text, sizeof(text), file) == NULL)
        text[0] = '\0';
    (void)fclose(file);
    end = strrchr(text, ')');
    return end != NULL && end[1] == ' ' ? end[2] : '?';
}

/* Stops a process; on a busy machine that takes a while to come about. */
static void stop(pid_t pid)
{
    (void)kill(pid, SIGSTOP);
    for (int i = 0; i < 500 && state_of(pid) != 'T'; i++)
        clock_sleep_ms(10);
    clock_sleep_ms(100);
}

void test_hang(struct lab *lab)
{
    const char *text = getenv("MARIADB_PID");
    pid_t server = text != NULL ? (pid_t)strtol(text, NULL, 10) : 0;
    struct apply_outcome outcome = {.kind = APPLY_DONE};
    struct errtext err = {{0}};
    struct plan plan = plan_create("b@hang.example", "hang-1", GIB);
    enum status status = STATUS_OK;
    int64_t start_ms;
    int64_t took_ms;

    if (server <= 1)
        return;
    make_domain(lab, "hang.example", 0, 0, 0);
    (void)time_find(lab, 1000, &status, &err);
    stop(server);
    took_ms = time_find(lab, 700, &status, &err);
    check(
        status == STATUS_TEMPFAIL && took_ms >= 650 && took_ms < 700 + LATE_MS,
        "a server that hangs in a query holds nobody past the deadline", &err);
    took_ms = time_find(lab, 700, &status, &err);
    check(status == STATUS_TEMPFAIL && took_ms >= 650 &&
              took_ms < 700 + LATE_MS,
          "nor one that hangs in a connect", &err);
    start_ms = clock_ms();
    status = apply_plan(lab->store, &plan, "authd", in_ms(700), &outcome, &err);
    took_ms = clock_ms() - start_ms;
    check(status == STATUS_TEMPFAIL && took_ms >= 650 &&
              took_ms < 700 + LATE_MS,
          "nor in a transaction", &err);
    (void)kill(server, SIGCONT);
    took_ms = time_find(lab, 5000, &status, &err);
    check(status == STATUS_OK, "it is used again when it wakes", &err);
    status =
        apply_plan(lab->store, &plan, "authd", in_ms(5000), &outcome, &err);
    check(status == STATUS_OK, "and written to", &err);
    plan_clear(&plan);
}

void test_outage(struct lab *lab)
{
    struct crowd crowd = {.lab = lab, .domain = "outage.example"};

    make_domain(lab, "outage.example", 0, 0, 0);
    lab->set.timeout_ms = 30000;
    crowd.until_ms = clock_ms() + 9000;
    run_crowd(&crowd, 8);
    check(crowd.failures == 0 && crowd.limits == 0,
          "creates outlive servers that are killed and come back", NULL);
    check(rows_match(lab, "outage.example",
                     (uint64_t)crowd.done + (uint64_t)crowd.conflicts),
          "every mailbox is whole and counted once", NULL);
    check(crowd.conflicts == 0, "no commit was taken for lost", NULL);
}
