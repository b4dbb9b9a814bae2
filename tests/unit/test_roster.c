/* test_roster - who has which mailbox */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "roster.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static struct roster *make(void)
{
    struct roster *roster = NULL;
    struct errtext err = {{0}};

    CU_ASSERT_EQUAL_FATAL(roster_new(&roster, &err), STATUS_OK);
    return roster;
}

static void add(struct roster *roster, const char *address, const char *id,
                enum roster_owner owner)
{
    struct roster_row row = {
        .address = address, .id = id, .print = 7, .owner = owner, .state = 1};
    struct errtext err = {{0}};

    CU_ASSERT_EQUAL_FATAL(roster_add(roster, &row, &err), STATUS_OK);
}

static void finds_by_id_and_address(void)
{
    struct roster *roster = make();
    struct errtext err = {{0}};
    struct roster_mailbox *found;

    add(roster, "ada@example.org", "id-1", ROSTER_OWN);
    add(roster, "bob@example.net", "id-2", ROSTER_OWN);
    add(roster, "desk@example.org", NULL, ROSTER_FOREIGN);
    add(roster, "new@example.org", NULL, ROSTER_UNSURE);
    CU_ASSERT_EQUAL(roster_sort(roster, &err), STATUS_OK);
    found = roster_by_id(roster, "id-1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    CU_ASSERT_EQUAL(found->owner, ROSTER_OWN);
    CU_ASSERT_EQUAL(found->print, 7);
    CU_ASSERT_EQUAL(found->address, roster_address(roster, "ada@example.org"));
    CU_ASSERT_PTR_EQUAL(roster_by_address(roster, "ada@example.org"), found);
    CU_ASSERT_PTR_NULL(roster_by_id(roster, "id-3"));
    CU_ASSERT_PTR_NULL(roster_by_address(roster, "ADA@example.org"));
    found = roster_by_address(roster, "desk@example.org");
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    CU_ASSERT_EQUAL(found->owner, ROSTER_FOREIGN);
    CU_ASSERT_EQUAL(roster_own(roster), 2);
    roster_free(&roster);
    CU_ASSERT_PTR_NULL(roster);
}

static void counts_by_domain(void)
{
    struct roster *roster = make();
    struct errtext err = {{0}};
    size_t count = 0;

    add(roster, "a@example.org", "1", ROSTER_OWN);
    add(roster, "b@example.org", "2", ROSTER_OWN);
    add(roster, "c@example.net", "3", ROSTER_OWN);
    add(roster, "d@example.net", NULL, ROSTER_FOREIGN);
    CU_ASSERT_EQUAL(roster_sort(roster, &err), STATUS_OK);
    (void)roster_domains(roster, &count);
    CU_ASSERT_EQUAL(count, 2);
    CU_ASSERT_EQUAL(roster_domain_named(roster, "example.org")->mailboxes, 2);
    CU_ASSERT_EQUAL(roster_domain_named(roster, "example.net")->mailboxes, 1);
    CU_ASSERT_PTR_NULL(roster_domain_named(roster, "example.com"));
    roster_free(&roster);
}

static void holds_nobody(void)
{
    struct roster *roster = make();
    struct errtext err = {{0}};
    size_t count = 1;

    CU_ASSERT_EQUAL(roster_sort(roster, &err), STATUS_OK);
    CU_ASSERT_PTR_NULL(roster_by_id(roster, "x"));
    CU_ASSERT_PTR_NULL(roster_by_address(roster, "x@example.org"));
    (void)roster_mailboxes(roster, &count);
    CU_ASSERT_EQUAL(count, 0);
    roster_free(&roster);
    roster_free(&roster);
}

static void counts_once(void)
{
    struct roster *roster = make();
    struct errtext err = {{0}};
    size_t count = 0;

    for (int i = 0; i < 3; i++) {
        add(roster, "a@example.org", "1", ROSTER_OWN);
        add(roster, "b@example.org", NULL, ROSTER_FOREIGN);
        add(roster, "c@example.org", NULL, ROSTER_FOREIGN);
    }
    CU_ASSERT_EQUAL(roster_sort(roster, &err), STATUS_OK);
    (void)roster_mailboxes(roster, &count);
    CU_ASSERT_EQUAL(count, 3);
    CU_ASSERT_EQUAL(roster_own(roster), 1);
    CU_ASSERT_EQUAL(roster_domain_named(roster, "example.org")->mailboxes, 1);
    CU_ASSERT_PTR_EQUAL(roster_by_id(roster, "1"),
                        roster_by_address(roster, "a@example.org"));
    CU_ASSERT_EQUAL(roster_tell(roster, "example.org", 40, &err), STATUS_OK);
    CU_ASSERT_EQUAL(roster_tell(roster, "example.net", 2, &err), STATUS_OK);
    CU_ASSERT_EQUAL(roster_own(roster), 42);
    roster_free(&roster);
}

/* Over every step in which its memory grows. */
static void holds_many(void)
{
    struct roster *roster = make();
    struct errtext err = {{0}};
    char address[64];
    char id[32];
    unsigned wrong = 0;

    for (int i = 0; i < 5000; i++) {
        (void)snprintf(address, sizeof(address), "p%d@d%d.example", i, i % 40);
        (void)snprintf(id, sizeof(id), "id-%d", i);
        add(roster, address, id, ROSTER_OWN);
    }
    CU_ASSERT_EQUAL(roster_sort(roster, &err), STATUS_OK);
    for (int i = 0; i < 5000; i++) {
        const struct roster_mailbox *mailbox;

        (void)snprintf(address, sizeof(address), "p%d@d%d.example", i, i % 40);
        (void)snprintf(id, sizeof(id), "id-%d", i);
        mailbox = roster_by_id(roster, id);
        wrong +=
            mailbox == NULL || mailbox != roster_by_address(roster, address);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(roster_domain_named(roster, "d39.example")->mailboxes, 125);
    roster_free(&roster);
}

/* A name that means something else in each process cannot be prepared. */
static void digests_are_keyed(void)
{
    struct roster *one = make();
    struct roster *other = make();

    CU_ASSERT_NOT_EQUAL(roster_address(one, "a@example.org"),
                        roster_address(other, "a@example.org"));
    CU_ASSERT_EQUAL(roster_address(one, "a@example.org"),
                    roster_address(one, "a@example.org"));
    roster_free(&one);
    roster_free(&other);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"a mailbox is found by its id and by its address",
         finds_by_id_and_address},
        {"own mailboxes are counted by domain", counts_by_domain},
        {"one that was added twice counts once", counts_once},
        {"an empty one has nobody", holds_nobody},
        {"five thousand are all found", holds_many},
        {"digests differ from one object to the next", digests_are_keyed},
        CU_TEST_INFO_NULL,
    };

    return run_tests("roster", tests);
}
