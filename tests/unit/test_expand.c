/* test_expand - names of requests, and the mailboxes in which they end */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "expand.h"
#include "fake_lookup.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static const struct fake_domain domains[] = {
    {.name = "d.example"},
    {.name = "e.example"},
    {.name = "catch.example"},
    {.name = "a.example", .target = "d.example"},
    {.name = "off.example", .off = true},
    {.name = NULL},
};

static const struct fake_mailbox mailboxes[] = {
    {.address = "ann@d.example"},
    {.address = "bob@d.example"},
    {.address = "eve@e.example"},
    {.address = "bare@d.example"},
    {.address = "x@catch.example"},
    {.address = "bare@catch.example"},
    {.address = NULL},
};

static const struct fake_alias aliases[] = {
    {"ann@d.example", "ann@d.example"},
    {"bob@d.example", "bob@d.example"},
    {"eve@e.example", "eve@e.example"},
    {"x@catch.example", "x@catch.example"},
    {"alias@d.example", "ann@d.example"},
    {"twice@d.example", "alias@d.example"},
    {"list@d.example", "ann@d.example,bob@a.example, eve@e.example"},
    {"same@d.example", "ann@d.example,alias@d.example,ANN@a.example"},
    {"loop1@d.example", "loop2@d.example"},
    {"loop2@d.example", "loop1@d.example"},
    {"copy@d.example", "copy@d.example,bob@d.example"},
    {"ann+tag@d.example", "bob@d.example"},
    {"out@d.example", "somebody@elsewhere.example"},
    {"half@d.example", "ann@d.example,somebody@elsewhere.example"},
    {"tooff@d.example", "x@off.example"},
    {"tocatch@d.example", "nobody@catch.example"},
    {"tobare@d.example", "bare@d.example"},
    {"dead@d.example", "nobody@d.example"},
    {"junk@d.example", ", ,not-an-address,,ann@d.example,"},
    {"@catch.example", "ann@d.example"},
    {NULL, NULL},
};

static const struct fake_sender senders[] = {{NULL, NULL}};

/* Ends of a recipient: mailboxes in order, then how many outside. */
static const struct {
    const char *name;
    const char *recipient;
    const char *ends;
    size_t outside;
    bool known;
} cases[] = {
    {"a mailbox", "ann@d.example", "ann@d.example ", 0, true},
    {"nobody", "nobody@d.example", "", 0, false},
    {"an extension", "bob+x@d.example", "bob@d.example ", 0, true},
    {"an alias with an extension", "alias+x@d.example", "ann@d.example ", 0,
     true},
    {"the exact address before the extension", "ann+tag@d.example",
     "bob@d.example ", 0, true},
    {"an alias", "alias@d.example", "ann@d.example ", 0, true},
    {"an alias of an alias", "twice@d.example", "ann@d.example ", 0, true},
    {"several targets", "list@d.example",
     "ann@d.example bob@d.example eve@e.example ", 0, true},
    {"one target three ways", "same@d.example", "ann@d.example ", 0, true},
    {"a loop", "loop1@d.example", "", 0, true},
    {"outside", "out@d.example", "", 1, true},
    {"half outside", "half@d.example", "ann@d.example ", 1, true},
    {"a domain that is off", "tooff@d.example", "", 1, true},
    {"the catch-all", "nobody@catch.example", "ann@d.example ", 0, true},
    {"the catch-all with an extension", "no+body@catch.example",
     "ann@d.example ", 0, true},
    {"a mailbox before the catch-all", "x@catch.example", "x@catch.example ", 0,
     true},
    {"the catch-all before a mailbox without alias, as Postfix has it",
     "bare@catch.example", "ann@d.example ", 0, true},
    {"an alias into a catch-all", "tocatch@d.example", "ann@d.example ", 0,
     true},
    {"a mailbox without alias", "bare@d.example", "bare@d.example ", 0, true},
    {"with an extension", "bare+x@d.example", "bare@d.example ", 0, true},
    {"an alias of it", "tobare@d.example", "bare@d.example ", 0, true},
    {"an alias of nobody", "dead@d.example", "", 0, true},
    {"a crooked list", "junk@d.example", "ann@d.example ", 1, true},
    {"a quoted local part", "a b@catch.example", "ann@d.example ", 0, true},
    {"a quoted local part, no catch-all", "a b@d.example", "", 0, false},
};

static struct fake_lookup fake;

static enum status ask_domain(void *context, const char *name,
                              struct store_policy_domain *domain_r,
                              struct errtext *err)
{
    struct lookup_source source = fake_lookup_source(context);

    return source.domain(context, name, INT64_MAX, domain_r, err);
}

static enum status ask_aliases(void *context, const char *const *addresses,
                               size_t count,
                               struct store_policy_alias *aliases_r,
                               struct errtext *err)
{
    struct lookup_source source = fake_lookup_source(context);

    return source.aliases(context, addresses, count, INT64_MAX, aliases_r, err);
}

static enum status ask_mailboxes(void *context, const char *const *addresses,
                                 size_t count,
                                 struct store_policy_mailbox *mailboxes_r,
                                 struct errtext *err)
{
    struct lookup_source source = fake_lookup_source(context);

    return source.mailboxes(context, addresses, count, INT64_MAX, mailboxes_r,
                            err);
}

static const struct expand_source source = {.domain = ask_domain,
                                            .aliases = ask_aliases,
                                            .mailboxes = ask_mailboxes,
                                            .context = &fake};

static void reset(const struct fake_alias *table)
{
    memset(&fake, 0, sizeof(fake));
    fake.domains = domains;
    fake.mailboxes = mailboxes;
    fake.aliases = table;
    fake.senders = senders;
}

static enum status expand_text(const char *recipient, struct expansion *out)
{
    struct name name;

    if (name_read(recipient, &name, NULL) != STATUS_OK)
        return STATUS_INVALID;
    return expand(&source, &name, "+", out, NULL);
}

static void ends_where_postfix_delivers(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct expansion out = {.count = 0};
        struct strbuf ends = STRBUF_INIT(1000);

        reset(aliases);
        CHECK_CASE(cases[i].name,
                   expand_text(cases[i].recipient, &out) == STATUS_OK);
        for (size_t j = 0; j < out.count; j++)
            strbuf_appendf(&ends, "%s ", out.mailboxes[j].address);
        CHECK_CASE(cases[i].name,
                   strcmp(strbuf_text(&ends), cases[i].ends) == 0);
        CHECK_CASE(cases[i].name, out.outside == cases[i].outside);
        CHECK_CASE(cases[i].name, out.known == cases[i].known);
        CHECK_CASE(cases[i].name, !out.incomplete);
        strbuf_clear(&ends);
        expansion_clear(&out);
    }
}

static void asks_once_for_most(void)
{
    struct expansion out = {.count = 0};

    reset(aliases);
    CU_ASSERT_EQUAL(expand_text("alias@d.example", &out), STATUS_OK);
    CU_ASSERT_EQUAL(atomic_load(&fake.alias_calls), 1);
    CU_ASSERT_EQUAL(atomic_load(&fake.mailbox_calls), 0);
    CU_ASSERT_EQUAL(atomic_load(&fake.domain_calls), 0);
    expansion_clear(&out);
}

static void says_that_nobody_answered(void)
{
    struct expansion out = {.count = 0};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        reset(aliases);
        atomic_store(&fake.away, true);
        CHECK_CASE(cases[i].name,
                   expand_text(cases[i].recipient, &out) == STATUS_TEMPFAIL);
    }
}

#define LONG_LIST (EXPAND_NAMES_MAX + 50)

static void stops_at_its_bounds(void)
{
    static struct fake_alias table[LONG_LIST + 2];
    static struct fake_mailbox people[LONG_LIST + 1];
    static char names[LONG_LIST][24];
    struct strbuf targets = STRBUF_INIT(20000);
    struct expansion out = {.count = 0};

    for (size_t i = 0; i < LONG_LIST; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "p%zu@d.example", i);
        table[i] = (struct fake_alias){names[i], names[i]};
        people[i].address = names[i];
        strbuf_appendf(&targets, "%s,", names[i]);
        if (i + 1 == EXPAND_TARGETS_MAX) {
            table[i + 1] =
                (struct fake_alias){"all@d.example", strbuf_text(&targets)};
            reset(table);
            fake.mailboxes = people;
            CU_ASSERT_EQUAL(expand_text("all@d.example", &out), STATUS_OK);
            CU_ASSERT_EQUAL(out.count, EXPAND_TARGETS_MAX);
            CU_ASSERT_FALSE(out.incomplete);
            expansion_clear(&out);
        }
    }
    table[LONG_LIST] =
        (struct fake_alias){"all@d.example", strbuf_text(&targets)};
    CU_ASSERT_EQUAL(expand_text("all@d.example", &out), STATUS_OK);
    CU_ASSERT_EQUAL(out.count, EXPAND_TARGETS_MAX);
    CU_ASSERT_TRUE(out.incomplete);
    expansion_clear(&out);
    strbuf_clear(&targets);
}

static void gives_a_long_chain_up(void)
{
    static struct fake_alias table[EXPAND_NAMES_MAX + 2];
    static char names[EXPAND_NAMES_MAX + 2][24];
    struct expansion out = {.count = 0};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        (void)snprintf(names[i], sizeof(names[i]), "p%zu@d.example", i);
    for (size_t i = 0; i + 1 < ARRAY_SIZE(names); i++)
        table[i] = (struct fake_alias){names[i], names[i + 1]};
    reset(table);
    CU_ASSERT_EQUAL(expand_text(names[2], &out), STATUS_OK);
    CU_ASSERT_FALSE(out.incomplete);
    expansion_clear(&out);
    CU_ASSERT_EQUAL(expand_text(names[1], &out), STATUS_OK);
    CU_ASSERT_TRUE(out.incomplete);
    expansion_clear(&out);
}

static void reads_names(void)
{
    static const struct {
        const char *typed;
        const char *canonical; /* NULL: no address */
        bool fit;
    } names[] = {
        {"ann@d.example", "ann@d.example", true},
        {"ANN@D.Example", "ann@d.example", true},
        {"ann@d.example.", "ann@d.example", true},
        {"SRS0=x=y@d.example", "srs0=x=y@d.example", true},
        {"gr\xc3\xbcn@b\xc3\xbc"
         "cher.example",
         "gr\xc3\xbcn@xn--bcher-kva.example", true},
        {"GR\xc3\x9cN@XN--BCHER-KVA.example",
         "gr\xc3\xbcn@xn--bcher-kva.example", true},
        {"A B@d.example", "a b@d.example", false},
        {"a@b@d.example", "a@b@d.example", false},
        {"a..b@d.example", "a..b@d.example", false},
        {"-a@d.example", "-a@d.example", false},
        {"o'brien@d.example", "o'brien@d.example", true},
        {"", NULL, false},
        {"ann", NULL, false},
        {"ann@", NULL, false},
        {"ann@-d.example", NULL, false},
        {"ann@d..example", NULL, false},
        {"ann@\xff.example", NULL, false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct name name;
        enum status status = name_read(names[i].typed, &name, NULL);

        if (names[i].canonical == NULL) {
            CHECK_CASE(names[i].typed, status == STATUS_INVALID);
            continue;
        }
        CHECK_CASE(names[i].typed, status == STATUS_OK);
        CHECK_CASE(names[i].typed, strcmp(name.text, names[i].canonical) == 0);
        CHECK_CASE(names[i].typed, name.fit == names[i].fit);
        CHECK_CASE(names[i].typed,
                   strcmp(name_domain(&name),
                          address_domain_of(names[i].canonical)) == 0);
    }
}

/* The quick way must agree with address.h, which decides. */
static void agrees_with_the_long_way(void)
{
    static const char alphabet[] = "aZ09.-_+=@xn";
    unsigned state = 1;

    for (int i = 0; i < 20000; i++) {
        char text[16];
        struct name name;
        char *whole = NULL;
        size_t len = 3 + (size_t)i % 12;

        for (size_t j = 0; j < len; j++) {
            state = state * 1103515245U + 12345U;
            text[j] = alphabet[(state >> 16) % (sizeof(alphabet) - 1)];
        }
        text[len] = '\0';
        if (address_canonical(text, &whole, NULL) == STATUS_OK) {
            CHECK_CASE(text, name_read(text, &name, NULL) == STATUS_OK &&
                                 name.fit && strcmp(name.text, whole) == 0);
        } else {
            CHECK_CASE(text,
                       name_read(text, &name, NULL) != STATUS_OK || !name.fit);
        }
        free(whole);
    }
}

static void bounds_the_length_of_names(void)
{
    char text[ADDRESS_BYTES_MAX + 40];
    struct name name;

    memset(text, 'x', sizeof(text));
    memcpy(text + ADDRESS_LOCAL_BYTES_MAX, "@d.example", sizeof("@d.example"));
    CU_ASSERT_EQUAL(name_read(text, &name, NULL), STATUS_OK);
    CU_ASSERT_TRUE(name.fit);
    memset(text, 'x', sizeof(text));
    memcpy(text + ADDRESS_LOCAL_BYTES_MAX + 1, "@d.example",
           sizeof("@d.example"));
    CU_ASSERT_EQUAL(name_read(text, &name, NULL), STATUS_OK);
    CU_ASSERT_FALSE(name.fit);
    CU_ASSERT_STRING_EQUAL(name_domain(&name), "d.example");
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"ends where Postfix delivers", ends_where_postfix_delivers},
        {"asks once for most", asks_once_for_most},
        {"says that nobody answered", says_that_nobody_answered},
        {"stops at its bounds", stops_at_its_bounds},
        {"gives a long chain up", gives_a_long_chain_up},
        {"reads names", reads_names},
        {"agrees with the long way", agrees_with_the_long_way},
        {"bounds the length of names", bounds_the_length_of_names},
        CU_TEST_INFO_NULL,
    };

    return run_tests("expand", tests);
}
