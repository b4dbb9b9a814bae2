/* store_history_test - events in pages, and the end of old ones */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "store_apply_test.h"

#include "clock.h"
#include "store_domain.h"
#include "store_history.h"

#include <stdio.h>
#include <string.h>

#define DAY_SECONDS INT64_C(86400)

struct walk {
    unsigned count;
    unsigned stop_at; /* 0: never */
    bool rising;
    bool falling;
    uint64_t first;
    uint64_t last;
};

static bool see(const struct store_event_row *row, void *arg)
{
    struct walk *walk = arg;

    if (walk->count > 0) {
        walk->rising = walk->rising && row->id > walk->last;
        walk->falling = walk->falling && row->id < walk->last;
    } else {
        walk->first = row->id;
    }
    walk->last = row->id;
    walk->count++;
    return walk->count != walk->stop_at;
}

static struct walk walk_events(struct lab *lab,
                               const struct store_event_query *query,
                               unsigned stop_at)
{
    struct walk walk = {.stop_at = stop_at, .rising = true, .falling = true};
    struct store_event_visitor visitor = {see, &walk};
    struct errtext err = {{0}};

    if (store_event_list(lab->store, query, &visitor, in_ms(20000), &err) !=
        STATUS_OK)
        check(false, "events can be listed", &err);
    return walk;
}

/* Makes count events of that age, the newest last. */
static void make_events(struct lab *lab, unsigned count, unsigned days)
{
    char text[512];

    (void)snprintf(
        text, sizeof(text),
        "INSERT INTO event (at, kind, who, address, domain) SELECT"
        " UTC_TIMESTAMP() - INTERVAL %u DAY, 'update', 'sync',"
        " CONCAT('h', seq %% 2, '@history.example'), 'history.example'"
        " FROM seq_1_to_%u ORDER BY seq",
        days, count);
    check(lab_sql(lab, text), "events can be made", NULL);
}

static void list_pages(struct lab *lab)
{
    struct store_event_query query = {.domain = "history.example"};
    struct walk walk = walk_events(lab, &query, 0);
    uint64_t newest = walk.last;

    check(walk.count == 1000 && walk.rising,
          "several pages of events have each of them once, in order", NULL);
    check(walk_events(lab, &query, 250).count == 250,
          "whoever has seen enough ends the list", NULL);
    query.max = 201;
    check(walk_events(lab, &query, 0).count == 201, "max is a bound", NULL);
    query.max = 0;
    query.from_id = newest;
    check(walk_events(lab, &query, 0).count == 0,
          "behind the last event there is none", NULL);
    query = (struct store_event_query){.address = "h1@history.example",
                                       .newest_first = true};
    walk = walk_events(lab, &query, 0);
    check(walk.count == 500 && walk.falling,
          "the newest come first if asked for", NULL);
    query.from_id = walk.first;
    check(walk_events(lab, &query, 0).count == 499,
          "from there the list goes back", NULL);
}

static void list_since(struct lab *lab)
{
    int64_t now = clock_wall_seconds();
    struct store_event_query query = {.domain = "history.example"};

    query.since = now - 3 * DAY_SECONDS;
    check(walk_events(lab, &query, 0).count == 300,
          "since a time there are the newer ones", NULL);
    query.newest_first = true;
    check(walk_events(lab, &query, 0).count == 300, "also backwards", NULL);
    query.since = now + DAY_SECONDS;
    check(walk_events(lab, &query, 0).count == 0, "since tomorrow none", NULL);
    query.since = 1;
    check(walk_events(lab, &query, 0).count == 1000, "since 1970 all", NULL);
}

static void prune_old(struct lab *lab)
{
    static const char deletes[] =
        "SELECT variable_value FROM information_schema.global_status"
        " WHERE variable_name = 'COM_DELETE_MULTI'";
    int64_t before = clock_wall_seconds() - 400 * DAY_SECONDS;
    uint64_t earlier = lab_count(lab, deletes);
    uint64_t count = 0;
    struct errtext err = {{0}};

    check(store_event_prune(lab->store, before, in_ms(20000), &count, &err) ==
                  STATUS_OK &&
              count == 1200,
          "events beyond their time are removed", &err);
    check(lab_count(lab, deletes) - earlier == 3,
          "in transactions of STORE_PRUNE_ROWS", NULL);
    check(lab_count(lab, "SELECT COUNT(*) FROM event WHERE domain ="
                         " 'history.example'") == 1000,
          "and no others", NULL);
    check(store_event_prune(lab->store, before, in_ms(20000), &count, &err) ==
                  STATUS_OK &&
              count == 0,
          "a second time there is nothing to do", &err);
}

static void prune_at_bound(struct lab *lab)
{
    int64_t before = clock_wall_seconds() - 5 * DAY_SECONDS;
    uint64_t count = 0;
    struct errtext err = {{0}};

    check(store_event_prune(lab->store, before, in_ms(20000), &count, &err) ==
                  STATUS_OK &&
              count == 700,
          "what is younger by a day stays", &err);
    make_events(lab, STORE_PRUNE_ROWS, 450);
    check(store_event_prune(lab->store, before, in_ms(20000), &count, &err) ==
              STATUS_OK,
          "events that came late with an old time do no harm", &err);
    check(lab_sql(lab, "DELETE FROM event") && lab_count(lab, "SELECT 0") == 0,
          "the history can be emptied", NULL);
    make_events(lab, STORE_PRUNE_ROWS, 450);
    check(store_event_prune(lab->store, before, in_ms(20000), &count, &err) ==
                  STATUS_OK &&
              count == STORE_PRUNE_ROWS,
          "exactly one transaction full is removed", &err);
}

static bool count_one(const struct store_alias_domain *alias, void *arg)
{
    unsigned *count = arg;

    (void)alias;
    (*count)++;
    return true;
}

static void list_alias_domains(struct lab *lab)
{
    unsigned count = 0;
    struct store_alias_domain_visitor visitor = {count_one, &count};
    struct errtext err = {{0}};

    make_domain(lab, "history.example", 0, 0, 0);
    check(lab_sql(lab, "INSERT INTO alias_domain (name, name_unicode, target)"
                       " SELECT CONCAT('h', seq, '.example'),"
                       " CONCAT('h', seq, '.example'), 'history.example'"
                       " FROM seq_1_to_201"),
          "alias domains can be made", NULL);
    check(store_alias_domain_list(lab->store, "history.example", &visitor,
                                  in_ms(5000), &err) == STATUS_OK &&
              count == 201,
          "a list of alias domains has several pages", &err);
    check(lab_sql(lab, "DELETE FROM alias_domain WHERE target ="
                       " 'history.example'"),
          "alias domains can be removed", NULL);
}

void test_history(struct lab *lab)
{
    check(lab_sql(lab, "DELETE FROM event"), "the history is empty", NULL);
    make_events(lab, 1200, 401);
    make_events(lab, 700, 10);
    make_events(lab, 300, 1);
    /* Those of 401 days are for prune_old. */
    check(lab_sql(lab, "UPDATE event SET domain = 'old.example', address = NULL"
                       " WHERE at < UTC_TIMESTAMP() - INTERVAL 400 DAY"),
          "old ones are another domain's", NULL);
    list_pages(lab);
    list_since(lab);
    prune_old(lab);
    prune_at_bound(lab);
    list_alias_domains(lab);
}
