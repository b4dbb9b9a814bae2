/* test_directory_groups - groups in groups, and domains of names */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_complete.h"
#include "directory_groups.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Cuts the next word, up to one of stops, off *text; false: none is left. */
static bool next_word(const char **text, const char *stops, char *word,
                      size_t size)
{
    size_t len;

    *text += strspn(*text, stops);
    len = strcspn(*text, stops);
    if (len == 0 || len >= size)
        return false;
    memcpy(word, *text, len);
    word[len] = '\0';
    *text += len;
    return true;
}

/* "a>b": a is in b. A list of these, with blanks between. */
static struct directory_groups *make(const char *edges)
{
    struct directory_groups *groups = directory_groups_new();
    char child[64];
    char parent[64];

    while (next_word(&edges, "> ", child, sizeof(child)) &&
           next_word(&edges, "> ", parent, sizeof(parent))) {
        char *items[] = {parent};
        struct text_list list = {items, 1};

        CU_ASSERT_TRUE(directory_groups_add(groups, child, &list));
    }
    return groups;
}

/* The values of a person after the expansion, with blanks between. */
static enum status expand(struct directory_groups *groups, const char *direct,
                          char *out, size_t size)
{
    struct directory_entry entry = {.dn = strdup("cn=anna")};
    struct errtext err = {{0}};
    struct strbuf text = STRBUF_INIT(size - 1);
    char name[64];
    enum status status;

    while (next_word(&direct, " ", name, sizeof(name)))
        CU_ASSERT_EQUAL(text_list_add(&entry.values, name, &err), STATUS_OK);
    status = directory_groups_expand(groups, &entry, &err);
    for (size_t i = 0; i < entry.values.count; i++)
        strbuf_appendf(&text, "%s%s", i > 0 ? " " : "", entry.values.items[i]);
    (void)snprintf(out, size, "%s", strbuf_text(&text));
    strbuf_clear(&text);
    directory_entry_clear(&entry);
    return status;
}

static void finds_groups_by_way_of_others(void)
{
    static const struct {
        const char *name;
        const char *edges;
        const char *direct;
        const char *all;
    } cases[] = {
        {"in none", "a>b", "", ""},
        {"in one that is in none", "a>b", "b", "b"},
        {"one above", "a>b", "a", "a b"},
        {"three above", "a>b b>c c>d x>y", "a", "a b c d"},
        {"each once, by whatever way", "a>b a>c b>d c>d", "a", "a b c d"},
        {"a ring", "a>b b>c c>a", "b", "b c a"},
        {"in itself", "a>a", "a", "a"},
        {"one that nobody told of", "a>b", "z", "z"},
        {"names in other letters", "CN=A>CN=B cn=b>cn=c", "cn=a",
         "cn=a CN=B cn=c"},
        {"already there", "a>b", "a b", "a b"},
        {"twice there", "a>b", "a a", "a a b"},
    };
    char all[1024];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct directory_groups *groups = make(cases[i].edges);

        for (int turn = 0; turn < 2; turn++) {
            CHECK_CASE(cases[i].name, expand(groups, cases[i].direct, all,
                                             sizeof(all)) == STATUS_OK);
            CHECK_CASE(cases[i].name, strcmp(all, cases[i].all) == 0);
        }
        directory_groups_free(&groups);
        CHECK_CASE(cases[i].name, groups == NULL);
    }
    directory_groups_free(&(struct directory_groups *){NULL});
}

/* A chain of so many groups, of which one is direct. */
static enum status expand_chain(size_t length)
{
    struct directory_groups *groups = directory_groups_new();
    static char out[65536];
    enum status status;

    for (size_t i = 0; i + 1 < length; i++) {
        char child[32];
        char parent[32];
        char *items[] = {parent};
        struct text_list list = {items, 1};

        (void)snprintf(child, sizeof(child), "%zu", i);
        (void)snprintf(parent, sizeof(parent), "%zu", i + 1);
        CU_ASSERT_TRUE(directory_groups_add(groups, child, &list));
    }
    status = expand(groups, "0", out, sizeof(out));
    directory_groups_free(&groups);
    return status;
}

static void refuses_more_groups_than_values_may_be(void)
{
    CU_ASSERT_EQUAL(expand_chain(DIRECTORY_VALUES_MAX - 1), STATUS_OK);
    CU_ASSERT_EQUAL(expand_chain(DIRECTORY_VALUES_MAX), STATUS_OK);
    CU_ASSERT_EQUAL(expand_chain(DIRECTORY_VALUES_MAX + 1), STATUS_INVALID);
}

static void knows_the_domain_of_a_name(void)
{
    static const struct {
        const char *dn;
        const char *domain; /* "": none */
    } cases[] = {
        {"CN=anna,OU=Staff,DC=ad,DC=example", "DC=ad,DC=example"},
        {"cn=anna, ou=staff, dc=ad, dc=example", "dc=ad,dc=example"},
        {"DC=ad,DC=example", "DC=ad,DC=example"},
        {"CN=Doe\\, Jo,DC=x", "DC=x"},
        {"CN=a,DC=inner,OU=o,DC=x", "DC=x"},
        {"cn=anna,o=example", ""},
        {"", ""},
        {"no name at all", ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *domain = directory_domain_of(cases[i].dn);

        CHECK_CASE(cases[i].dn, strcasecmp(domain != NULL ? domain : "",
                                           cases[i].domain) == 0);
        ldap_memfree(domain);
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"finds groups by way of others", finds_groups_by_way_of_others},
        {"refuses more groups than values may be",
         refuses_more_groups_than_values_may_be},
        {"knows the domain of a name", knows_the_domain_of_a_name},
        CU_TEST_INFO_NULL,
    };

    return run_tests("directory_groups", tests);
}
