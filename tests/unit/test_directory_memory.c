/* test_directory_memory - entries remembered for a short time */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_memory.h"
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define TTL_MS 1000

/* Borrows constant texts: never cleared. */
static struct directory_entry sample(void)
{
    static char dn[] = "uid=ada,ou=people";
    static char id[] = "0000-1";
    static char name[] = "Ada";
    static char mail[] = "ada@example.org";
    static char value[][8] = {"default", "", "cn=vip"};
    static char *usernames[] = {mail};
    static char *values[] = {value[0], value[1], value[2]};
    struct directory_entry entry = {
        .dn = dn,
        .id = id,
        .usernames = {.items = usernames, .count = 1},
        .values = {.items = values, .count = 3},
        .name = name,
        .quota = NULL,
        .disabled = true,
    };

    return entry;
}

static struct directory_memory *fresh(int64_t ttl_ms, unsigned max)
{
    struct directory_memory *memory = NULL;

    CU_ASSERT_EQUAL_FATAL(directory_memory_new(ttl_ms, max, &memory, NULL),
                          STATUS_OK);
    return memory;
}

static bool holds(struct directory_memory *memory, const char *login,
                  int64_t now_ms)
{
    struct directory_entry entry = {.dn = NULL};
    bool found = directory_memory_find(memory, login, now_ms, &entry);

    directory_entry_clear(&entry);
    return found;
}

static void gives_back_what_it_was_given(void)
{
    static char quota[] = "5G";
    struct directory_memory *memory = fresh(TTL_MS, 10);
    struct directory_entry entry = sample();
    struct directory_entry found = {.dn = NULL};

    directory_memory_keep(memory, "ada", &entry, 0);
    CU_ASSERT_TRUE_FATAL(directory_memory_find(memory, "ada", 1, &found));
    CU_ASSERT_STRING_EQUAL(found.dn, entry.dn);
    CU_ASSERT_STRING_EQUAL(found.id, entry.id);
    CU_ASSERT_STRING_EQUAL(found.name, "Ada");
    CU_ASSERT_PTR_NULL(found.quota);
    CU_ASSERT_TRUE(found.disabled);
    CU_ASSERT_EQUAL(found.usernames.count, 1);
    CU_ASSERT_STRING_EQUAL(found.usernames.items[0], "ada@example.org");
    CU_ASSERT_EQUAL(found.values.count, 3);
    CU_ASSERT_STRING_EQUAL(found.values.items[1], "");
    CU_ASSERT_STRING_EQUAL(found.values.items[2], "cn=vip");
    CU_ASSERT_EQUAL(found.aliases.count, 0);
    directory_entry_clear(&found);
    /* An entry without an id, with a quota, replaces it. */
    entry.id = NULL;
    entry.quota = quota;
    entry.disabled = false;
    directory_memory_keep(memory, "ada", &entry, 2);
    CU_ASSERT_EQUAL(directory_memory_count(memory), 1);
    CU_ASSERT_TRUE_FATAL(directory_memory_find(memory, "ada", 3, &found));
    CU_ASSERT_PTR_NULL(found.id);
    CU_ASSERT_STRING_EQUAL(found.quota, "5G");
    CU_ASSERT_FALSE(found.disabled);
    directory_entry_clear(&found);
    directory_memory_free(&memory);
    CU_ASSERT_PTR_NULL(memory);
    directory_memory_free(&memory);
}

static void forgets_in_time(void)
{
    struct directory_memory *memory = fresh(TTL_MS, 10);
    struct directory_entry entry = sample();

    directory_memory_keep(memory, "ada", &entry, 5);
    CU_ASSERT_TRUE(holds(memory, "ada", 5 + TTL_MS - 1));
    CU_ASSERT_FALSE(holds(memory, "ada", 5 + TTL_MS));
    directory_memory_keep(memory, "bob", &entry, 5 + TTL_MS);
    CU_ASSERT_EQUAL(directory_memory_count(memory), 1);
    directory_memory_free(&memory);
}

static void keeps_its_bound(void)
{
    static const unsigned bounds[] = {1, 2, 64, 1000};
    struct directory_entry entry = sample();

    for (size_t i = 0; i < ARRAY_SIZE(bounds); i++) {
        struct directory_memory *memory = fresh(TTL_MS, bounds[i]);
        char login[32];

        for (unsigned n = 0; n <= bounds[i]; n++) {
            (void)snprintf(login, sizeof(login), "user%u", n);
            directory_memory_keep(memory, login, &entry, 0);
        }
        CU_ASSERT_EQUAL(directory_memory_count(memory), bounds[i]);
        CU_ASSERT_FALSE(holds(memory, "user0", 1));
        CU_ASSERT_TRUE(holds(memory, login, 1));
        directory_memory_free(&memory);
    }
}

/* An entry whose name fills the packed text up to len bytes. */
static void keep_sized(struct directory_memory *memory, size_t len)
{
    static char name[DIRECTORY_REMEMBERED_BYTES_MAX + 1];
    static char dn[] = "d";
    struct directory_entry entry = {.dn = dn, .name = name};

    /* "ada", "d" and the name's terminator take 7. */
    memset(name, 'x', sizeof(name));
    name[len - 7] = '\0';
    directory_memory_keep(memory, "ada", &entry, 0);
}

static void does_not_keep_what_is_too_large(void)
{
    struct directory_memory *memory = fresh(TTL_MS, 10);

    keep_sized(memory, DIRECTORY_REMEMBERED_BYTES_MAX - 1);
    CU_ASSERT_TRUE(holds(memory, "ada", 1));
    keep_sized(memory, DIRECTORY_REMEMBERED_BYTES_MAX);
    CU_ASSERT_TRUE(holds(memory, "ada", 1));
    /* Nor what was known before, which is out of date. */
    keep_sized(memory, DIRECTORY_REMEMBERED_BYTES_MAX + 1);
    CU_ASSERT_FALSE(holds(memory, "ada", 1));
    directory_memory_free(&memory);
}

static void remembers_nothing_when_off(void)
{
    struct directory_entry entry = sample();
    struct directory_memory *memory = fresh(0, 10);

    directory_memory_keep(memory, "ada", &entry, 0);
    CU_ASSERT_FALSE(holds(memory, "ada", 0));
    directory_memory_free(&memory);
    memory = fresh(TTL_MS, 0);
    directory_memory_keep(memory, "ada", &entry, 0);
    CU_ASSERT_FALSE(holds(memory, "ada", 0));
    CU_ASSERT_EQUAL(directory_memory_forget(memory, "ada"), 0);
    directory_memory_free(&memory);
}

static void forgets_on_demand(void)
{
    struct directory_memory *memory = fresh(TTL_MS, 10);
    struct directory_entry entry = sample();

    directory_memory_keep(memory, "ada", &entry, 0);
    directory_memory_keep(memory, "bob", &entry, 0);
    directory_memory_keep(memory, "carol", &entry, 0);
    CU_ASSERT_EQUAL(directory_memory_forget(memory, "bob"), 1);
    CU_ASSERT_EQUAL(directory_memory_forget(memory, "bob"), 0);
    CU_ASSERT_FALSE(holds(memory, "bob", 1));
    CU_ASSERT_TRUE(holds(memory, "ada", 1));
    CU_ASSERT_EQUAL(directory_memory_forget(memory, NULL), 2);
    CU_ASSERT_EQUAL(directory_memory_count(memory), 0);
    directory_memory_free(&memory);
}

static void *hammer(void *arg)
{
    struct directory_memory *memory = arg;
    struct directory_entry entry = sample();

    for (unsigned i = 0; i < 2000; i++) {
        char login[32];

        (void)snprintf(login, sizeof(login), "user%u", i % 50);
        directory_memory_keep(memory, login, &entry, i);
        (void)holds(memory, login, i);
        if (i % 100 == 0)
            (void)directory_memory_forget(memory, NULL);
    }
    return NULL;
}

static void serves_threads(void)
{
    struct directory_memory *memory = fresh(TTL_MS, 20);
    pthread_t threads[4];

    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, hammer, memory),
                              0);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        (void)pthread_join(threads[i], NULL);
    CU_ASSERT_TRUE(directory_memory_count(memory) <= 20);
    directory_memory_free(&memory);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"gives back what it was given", gives_back_what_it_was_given},
        {"forgets in time", forgets_in_time},
        {"keeps its bound", keeps_its_bound},
        {"does not keep what is too large", does_not_keep_what_is_too_large},
        {"remembers nothing when off", remembers_nothing_when_off},
        {"forgets on demand", forgets_on_demand},
        {"serves threads", serves_threads},
        CU_TEST_INFO_NULL,
    };

    return run_tests("directory_memory", tests);
}
