/* test_import_rows - what another program's words mean here */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "unit.h"

#include "import_dsn.h"
#include "import_rates.h"
#include "import_rows.h"
#include "secret.h"

#include <stdlib.h>
#include <string.h>

static bool same(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "(null)", b != NULL ? b : "(null)") == 0;
}

static void keeps_hashes_with_their_scheme(void)
{
    static const struct {
        const char *text;
        const char *scheme;
        const char *wanted; /* NULL: nobody gets in */
    } cases[] = {
        {"{PLAIN}x", NULL, "{PLAIN}x"},
        {"{blf-crypt}$2y$10$abcdefghijklmnopqrstuu5Gx1kE3nJ8mK1WGkHpbMfBzp.zLw"
         "2dO",
         NULL,
         "{blf-crypt}$2y$10$abcdefghijklmnopqrstuu5Gx1kE3nJ8mK1WGkHpbMfBzp.zLw2"
         "dO"},
        {"$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/", NULL,
         "{CRYPT}$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/"},
        {"5f4dcc3b5aa765d61d8327deb882cf99", NULL,
         "{PLAIN-MD5}5f4dcc3b5aa765d61d8327deb882cf99"},
        {"5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8", "SHA.HEX",
         "{SHA.HEX}5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8"},
        {"secret", NULL, NULL},
        {"secret", "PLAIN", "{PLAIN}secret"},
        {"{NONSENSE}x", NULL, NULL},
        {"", NULL, NULL},
        {NULL, NULL, NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *name = cases[i].text != NULL ? cases[i].text : "NULL";
        struct errtext err = {{0}};
        char *hash = NULL;
        enum status status =
            import_hash(cases[i].text, cases[i].scheme, &hash, &err);

        CHECK_CASE(
            name,
            status == (cases[i].wanted != NULL ? STATUS_OK : STATUS_NOT_FOUND));
        CHECK_CASE(name, same(hash, cases[i].wanted));
        CHECK_CASE(name, (status == STATUS_OK) == (err.text[0] == '\0'));
        secret_free(&hash);
    }
}

static void reads_limits_as_they_are_meant(void)
{
    static const struct {
        const char *text;
        const char *used;
        bool zero_is_none;
        uint64_t limit;
        bool closed;
    } cases[] = {
        {"5", "9", false, 5, false},   {"0", "9", false, 0, false},
        {"-1", "9", false, 9, true},   {"-1", "0", false, 1, true},
        {"0", "9", true, 9, true},     {"0", "0", true, 1, true},
        {NULL, NULL, false, 0, false},
    };
    bool negative = false;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *name = cases[i].text != NULL ? cases[i].text : "NULL";
        bool closed = false;

        CHECK_CASE(name,
                   import_limit(cases[i].text, cases[i].zero_is_none,
                                cases[i].used, &closed) == cases[i].limit);
        CHECK_CASE(name, closed == cases[i].closed);
    }
    CU_ASSERT(import_number("-7", &negative) == 0 && negative);
    CU_ASSERT(import_number("9223372036854775807", NULL) == INT64_MAX);
    CU_ASSERT(import_number("9223372036854775808", NULL) == 0);
    CU_ASSERT(import_mebibytes("1024") == (uint64_t)1 << 30);
    CU_ASSERT(import_mebibytes("9223372036854775807") == INT64_MAX);
    CU_ASSERT(import_mebibytes("-1") == 0);
}

static void takes_paths_below_the_mail_directory(void)
{
    static const struct {
        const char *text;
        const char *base;
        const char *sub;
        const char *wanted; /* NULL: refused */
    } cases[] = {
        {"example.org/ada/", "", "", "example.org/ada/"},
        {"example.org/ada", "", "", "example.org/ada/"},
        {"/var/vmail/a/b/", "/var/vmail/", "", "a/b/"},
        {"/var/vmail/a/b/", "/var/vmail", "Maildir", "a/b/Maildir/"},
        {"/srv/a/b/", "/var/vmail/", "", NULL},
        {"", "", "", NULL},
        {"../a/", "", "", NULL},
        {"a/../b/", "", "", NULL},
        {"a/./b/", "", "", NULL},
        {"a//b/", "", "", NULL},
        {"a/..b/", "", "", "a/..b/"},
        {"a\nb/", "", "", NULL},
        {"a\"b/", "", "", NULL},
        {"a\\b/", "", "", NULL},
        {"o'brien/", "", "", "o'brien/"},
        {"a/b/", "", "..", NULL},
        {NULL, "", "", NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *name = cases[i].text != NULL ? cases[i].text : "NULL";
        struct errtext err = {{0}};
        char *path = NULL;

        CHECK_CASE(name, (import_mail_path(cases[i].text, cases[i].base,
                                           cases[i].sub, &path, &err) ==
                          STATUS_OK) == (cases[i].wanted != NULL));
        CHECK_CASE(name, same(path, cases[i].wanted));
        free(path);
    }
}

static void reads_targets(void)
{
    static const struct {
        const char *text;
        const char *wanted; /* NULL: refused */
    } cases[] = {
        {"a@b.example", "a@b.example"},
        {" A@B.example , c@d.example,", "a@b.example,c@d.example"},
        {"a@b.example,a@B.example", "a@b.example"},
        {"a@b.example\r\nc@d.example", "a@b.example,c@d.example"},
        {"|\"/bin/sh\"", NULL},
        {":include:/etc/list", NULL},
        {"/dev/null", NULL},
        {"a@b.example, root", NULL},
        {"", NULL},
        {", ,", NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf targets = STRBUF_INIT(100);
        struct errtext err = {{0}};
        enum status status = import_targets(cases[i].text, &targets, &err);

        CHECK_CASE(cases[i].text,
                   (status == STATUS_OK) == (cases[i].wanted != NULL));
        if (cases[i].wanted != NULL)
            CHECK_CASE(cases[i].text,
                       same(strbuf_text(&targets), cases[i].wanted));
        strbuf_clear(&targets);
    }
}

static void bounds_targets(void)
{
    struct strbuf targets = STRBUF_INIT(23);
    struct errtext err = {{0}};

    CU_ASSERT(import_targets("a@b.example,c@d.example", &targets, &err) ==
              STATUS_OK);
    strbuf_clear(&targets);
    targets = (struct strbuf)STRBUF_INIT(22);
    CU_ASSERT(import_targets("a@b.example,c@d.example", &targets, &err) ==
              STATUS_INVALID);
    CU_ASSERT(strstr(err.text, "too many") != NULL);
    strbuf_clear(&targets);
}

static void reads_where_the_database_is(void)
{
    static const char text[] =
        "# where\n[client]\nhost = 127.0.0.1\nport=13306\n"
        "user = 'mail cow'\npassword = \"a=b#c \"\ndatabase=mailcow\n"
        "ssl_ca = /ca.pem";
    struct store_settings set = {0};
    struct errtext err = {{0}};

    CU_ASSERT(import_dsn_parse(text, strlen(text), &set, &err) == STATUS_OK);
    CU_ASSERT(set.hosts.count == 1 && same(set.hosts.items[0], "127.0.0.1") &&
              set.port == 13306);
    CU_ASSERT(same(set.user, "mail cow") && same(set.password, "a=b#c "));
    CU_ASSERT(same(set.database, "mailcow") && same(set.ca_file, "/ca.pem"));
    CU_ASSERT(same(set.socket, ""));
    import_dsn_free(&set);
    CU_ASSERT(import_dsn_parse("database=x", 10, &set, &err) == STATUS_OK);
    CU_ASSERT(same(set.socket, "/run/mysqld/mysqld.sock"));
    import_dsn_free(&set);
}

static void names_the_line_of_a_fault(void)
{
    static const struct {
        const char *text;
        const char *wanted;
    } cases[] = {
        {"database=x\npasword=hunter2\n", "line 2: only socket"},
        {"hunter2\n", "line 1: not"},
        {"database=x\nport=0\n", "line 2: a port"},
        {"user=x\n", "database is missing"},
        {"", "database is missing"},
    };
    static char longest[IMPORT_DSN_BYTES_MAX + 1];
    struct store_settings set = {0};
    struct errtext err = {{0}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK_CASE(cases[i].wanted,
                   import_dsn_parse(cases[i].text, strlen(cases[i].text), &set,
                                    &err) == STATUS_INVALID);
        CHECK_CASE(cases[i].wanted, strstr(err.text, cases[i].wanted) != NULL);
        CHECK_CASE(cases[i].wanted, strstr(err.text, "hunter2") == NULL);
    }
    memset(longest, '\n', sizeof(longest));
    memcpy(longest, "database=x\n", 11);
    CU_ASSERT(import_dsn_parse(longest, sizeof(longest) - 1, &set, &err) ==
              STATUS_OK);
    import_dsn_free(&set);
    CU_ASSERT(import_dsn_parse(longest, sizeof(longest), &set, &err) ==
              STATUS_INVALID);
    CU_ASSERT(import_dsn_parse("database=x\0", 11, &set, &err) ==
              STATUS_INVALID);
}

static void count_left(const char *name, const char *reason, void *arg)
{
    size_t *count = arg;

    (void)name;
    (void)reason;
    (*count)++;
}

static void reads_rates(void)
{
    char text[] =
        "ada@example.org\n100 / 1h\n\"Bob@Example.org\"\n\"5 / 1s\"\n"
        "example.org\n9 / 1d\neve@example.org\nmany\nlast@example.org";
    struct import_rates *rates = NULL;
    struct errtext err = {{0}};
    struct rate rate = {0, 0};
    size_t left = 0;

    CU_ASSERT(import_rates_parse(text, count_left, &left, &rates, &err) ==
              STATUS_OK);
    CU_ASSERT(left == 3);
    CU_ASSERT(import_rates_find(rates, "ada@example.org", &rate));
    CU_ASSERT(rate.count == 100 && rate.seconds == 3600);
    CU_ASSERT(import_rates_find(rates, "bob@example.org", &rate));
    CU_ASSERT(rate.count == 5 && rate.seconds == 1);
    CU_ASSERT(!import_rates_find(rates, "eve@example.org", &rate));
    CU_ASSERT(!import_rates_find(NULL, "ada@example.org", &rate));
    import_rates_free(&rates);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"keeps hashes with their scheme", keeps_hashes_with_their_scheme},
        {"reads limits as they are meant", reads_limits_as_they_are_meant},
        {"takes paths below the mail directory",
         takes_paths_below_the_mail_directory},
        {"reads targets", reads_targets},
        {"bounds targets", bounds_targets},
        {"reads where the database is", reads_where_the_database_is},
        {"names the line of a fault", names_the_line_of_a_fault},
        {"reads rates", reads_rates},
        CU_TEST_INFO_NULL,
    };

    return run_tests("import_rows", tests);
}
