/* test_sync_spool - entries that wait, and digests of them */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "sync_print.h"
#include "sync_spool.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static char many_text[DIRECTORY_VALUE_BYTES_MAX + 1];

static char first[] = "a@example.org";
static char second[] = "";
static char third[] = "b\xc3\xa9@example.org";
static char *items[] = {first, second, third};
static char dn[] = "uid=a,dc=example";
static char id[] = "id-1";
static char nothing[] = "";
static char ada[] = "Ada";
static char quota[] = "5G";
static char dir_name[] = "corp";
static char template_name[] = "default";

static struct directory_entry entry_of(char *name, char *size)
{
    return (struct directory_entry){
        .dn = dn,
        .id = id,
        .usernames = {items, 3},
        .values = {NULL, 0},
        .aliases = {items, 1},
        .name = name,
        .quota = size,
        .disabled = true,
    };
}

static bool same_lists(const struct text_list *a, const struct text_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    }
    return true;
}

static bool same_entries(const struct directory_entry *a,
                         const struct directory_entry *b)
{
    return strcmp(a->dn, b->dn) == 0 && strcmp(a->id, b->id) == 0 &&
           strcmp(a->name, b->name) == 0 && a->disabled == b->disabled &&
           (a->quota == NULL) == (b->quota == NULL) &&
           (a->quota == NULL || strcmp(a->quota, b->quota) == 0) &&
           same_lists(&a->usernames, &b->usernames) &&
           same_lists(&a->values, &b->values) &&
           same_lists(&a->aliases, &b->aliases);
}

static void gives_back_what_was_put(void)
{
    struct sync_spool *spool = NULL;
    struct errtext err = {{0}};
    struct directory_entry put[3];
    uint64_t at[3];

    memset(many_text, 'x', sizeof(many_text) - 1);
    put[0] = entry_of(nothing, NULL);
    put[1] = entry_of(ada, quota);
    put[2] = entry_of(many_text, nothing);
    CU_ASSERT_EQUAL_FATAL(sync_spool_new(&spool, &err), STATUS_OK);
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(sync_spool_put(spool, &put[i], &at[i], &err),
                        STATUS_OK);
    /* Forwards, backwards, and with a write in between. */
    for (size_t n = 0; n < 6; n++) {
        size_t i = n < 3 ? n : 5 - n;
        struct directory_entry got = {.dn = NULL};
        uint64_t more = 0;

        CU_ASSERT_EQUAL_FATAL(sync_spool_get(spool, at[i], &got, &err),
                              STATUS_OK);
        CU_ASSERT_TRUE(same_entries(&put[i], &got));
        directory_entry_clear(&got);
        CU_ASSERT_EQUAL(sync_spool_put(spool, &put[0], &more, &err), STATUS_OK);
        CU_ASSERT_TRUE(more > at[2]);
    }
    sync_spool_free(&spool);
    CU_ASSERT_PTR_NULL(spool);
}

static void refuses_a_wrong_place(void)
{
    struct sync_spool *spool = NULL;
    struct errtext err = {{0}};
    struct directory_entry got = {.dn = NULL};

    CU_ASSERT_EQUAL_FATAL(sync_spool_new(&spool, &err), STATUS_OK);
    CU_ASSERT_EQUAL(sync_spool_get(spool, 4711, &got, &err), STATUS_TEMPFAIL);
    CU_ASSERT_PTR_NULL(got.dn);
    sync_spool_free(&spool);
}

/* Settings with one template, in memory of their own. */
static void digests_see_every_difference(void)
{
    struct template_settings template = {
        .name = template_name, .set = {.quota_bytes = 1, .tags = nothing}};
    struct directory_settings dir = {.name = dir_name,
                                     .default_template = nothing,
                                     .quota_field = nothing,
                                     .alias_field = nothing};
    struct settings settings = {.templates = &template, .template_count = 1};
    struct directory_entry a = entry_of(ada, NULL);
    struct directory_entry b = entry_of(ada, nothing);
    struct sync_print *print = NULL;
    struct errtext err = {{0}};
    uint64_t was;

    CU_ASSERT_EQUAL_FATAL(sync_print_new(&settings, &dir, &print, &err),
                          STATUS_OK);
    was = sync_print_entry(print, &a);
    CU_ASSERT_NOT_EQUAL(was, 0);
    CU_ASSERT_EQUAL(was, sync_print_entry(print, &a));
    CU_ASSERT_NOT_EQUAL(was, sync_print_entry(print, &b));
    a.disabled = false;
    CU_ASSERT_NOT_EQUAL(was, sync_print_entry(print, &a));
    a.disabled = true;
    a.usernames.count = 2;
    CU_ASSERT_NOT_EQUAL(was, sync_print_entry(print, &a));
    a.usernames.count = 3;
    a.values = a.aliases;
    a.aliases.count = 0;
    CU_ASSERT_NOT_EQUAL(was, sync_print_entry(print, &a));
    sync_print_free(&print);
    template.set.quota_bytes = 2;
    CU_ASSERT_EQUAL_FATAL(sync_print_new(&settings, &dir, &print, &err),
                          STATUS_OK);
    a = entry_of(ada, NULL);
    CU_ASSERT_NOT_EQUAL(was, sync_print_entry(print, &a));
    sync_print_free(&print);
}

static void a_fingerprint_belongs_to_it(void)
{
    static const char one[] = "e8327740eb3d78ac308104f575bf1862";
    static const char other[] = "e8327740eb3d78ad308104f575bf1862";
    uint64_t stored = sync_print_stored(42, one);

    CU_ASSERT_EQUAL(sync_print_stored(stored, one), 42);
    CU_ASSERT_NOT_EQUAL(sync_print_stored(stored, other), 42);
    CU_ASSERT_EQUAL(sync_print_stored(stored, NULL), 0);
    CU_ASSERT_EQUAL(sync_print_stored(0, one), 0);
    CU_ASSERT_EQUAL(sync_print_stored(42, ""), 42);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"an entry comes back as it was put", gives_back_what_was_put},
        {"a place where none is has none", refuses_a_wrong_place},
        {"every difference is another digest", digests_see_every_difference},
        {"a stored digest holds for one fingerprint",
         a_fingerprint_belongs_to_it},
        CU_TEST_INFO_NULL,
    };

    return run_tests("sync_spool", tests);
}
