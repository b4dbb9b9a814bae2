/* test_store_grants - lines of SHOW GRANTS */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "unit.h"

#include "store_grants.h"
#include "strbuf.h"

#include <string.h>

static void add_right(const char *name, void *arg)
{
    struct strbuf *list = arg;

    strbuf_appendf(list, "%s%s", list->len > 0 ? "|" : "", name);
}

static bool has_rights(const struct store_grant *grant, const char *wanted)
{
    struct strbuf list = STRBUF_INIT(4096);
    bool same;

    store_grant_each(grant, add_right, &list);
    same = strcmp(strbuf_text(&list), wanted) == 0;
    if (!same)
        (void)printf("\n    rights: %s", strbuf_text(&list));
    strbuf_clear(&list);
    return same;
}

static void reads_rights_and_their_place(void)
{
    static const struct {
        const char *line;
        const char *rights;
        const char *database;
        const char *table;
        bool may_grant;
    } cases[] = {
        {"GRANT USAGE ON *.* TO `provost`@`localhost` IDENTIFIED VIA "
         "unix_socket",
         "USAGE", "*", "*", false},
        {"GRANT SELECT, INSERT, CREATE VIEW ON `provost`.* TO "
         "`provost`@`localhost`",
         "SELECT|INSERT|CREATE VIEW", "provost", "*", false},
        {"GRANT ALL PRIVILEGES ON `provost`.* TO `p`@`%` WITH GRANT OPTION",
         "ALL PRIVILEGES", "provost", "*", true},
        {"GRANT SUPER ON *.* TO `p`@`%` IDENTIFIED BY PASSWORD '*AB' WITH "
         "GRANT OPTION",
         "SUPER", "*", "*", true},
        {"GRANT SELECT (`a`, `b, c`), UPDATE (`d`) ON `db`.`t` TO `p`@`%`",
         "SELECT|UPDATE", "db", "t", false},
        {"GRANT EXECUTE ON FUNCTION `db`.`f` TO `p`@`%`", "EXECUTE", "db", "f",
         false},
        {"GRANT SELECT ON `a`` ON b`.`t. TO c` TO `p`@`%`", "SELECT", "a` ON b",
         "t. TO c", false},
        {"GRANT SELECT ON `a`.* TO `WITH GRANT OPTION`@`%`", "SELECT", "a", "*",
         false},
        {"GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION",
         "PROXY", "", "*", true},
        {"grant select on db.t to p", "select", "db", "t", false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct store_grant grant = {.rights = NULL};

        CHECK_CASE(cases[i].line,
                   store_grant_read(cases[i].line, &grant, NULL) == STATUS_OK);
        if (grant.rights == NULL)
            continue;
        CHECK_CASE(cases[i].line, has_rights(&grant, cases[i].rights));
        CHECK_CASE(cases[i].line, !grant.is_role);
        CHECK_CASE(cases[i].line,
                   strcmp(grant.database, cases[i].database) == 0);
        CHECK_CASE(cases[i].line, strcmp(grant.table, cases[i].table) == 0);
        CHECK_CASE(cases[i].line, grant.may_grant == cases[i].may_grant);
        store_grant_clear(&grant);
        CHECK_CASE(cases[i].line, grant.rights == NULL);
    }
}

static void tells_a_role_from_rights(void)
{
    struct store_grant grant = {.rights = NULL};

    CU_ASSERT_EQUAL(store_grant_read("GRANT `dba` TO `p`@`%` WITH ADMIN OPTION",
                                     &grant, NULL),
                    STATUS_OK);
    CU_ASSERT_TRUE(grant.is_role);
    CU_ASSERT_TRUE(grant.may_grant);
    CU_ASSERT_STRING_EQUAL(grant.rights, "dba");
    CU_ASSERT_PTR_NULL(grant.database);
    CU_ASSERT_FALSE(store_grant_covers(&grant, "dba"));
    store_grant_clear(&grant);
    CU_ASSERT_EQUAL(
        store_grant_read("SET DEFAULT ROLE `dba` FOR `p`@`%`", &grant, NULL),
        STATUS_NOT_FOUND);
}

static void refuses_what_is_no_such_line(void)
{
    static const char *const lines[] = {
        "",
        "GRANT",
        "GRANT SELECT ON `a`.*",
        "REVOKE a",
        "GRANT `a TO b",
        "Grants for provost@localhost",
        "GRANT (a TO b",
    };

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct store_grant grant = {.rights = NULL};
        struct errtext err = {{0}};

        CHECK_CASE(lines[i],
                   store_grant_read(lines[i], &grant, &err) == STATUS_INVALID);
        CHECK_CASE(lines[i], grant.rights == NULL && err.text[0] != '\0');
    }
}

static void knows_which_database_a_pattern_is(void)
{
    static const struct {
        const char *pattern;
        const char *database;
        bool covers;
    } cases[] = {{"provost", "provost", true},   {"*", "provost", false},
                 {"prov%", "provost", false},    {"mail\\_db", "mail_db", true},
                 {"mail_db", "mail_db", true},   {"provost2", "provost", false},
                 {"provos", "provost", false},   {"", "provost", false},
                 {"provost\\", "provost", false}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char pattern[32];
        const struct store_grant grant = {.database = pattern};

        (void)snprintf(pattern, sizeof(pattern), "%s", cases[i].pattern);
        CHECK_CASE(cases[i].pattern,
                   store_grant_covers(&grant, cases[i].database) ==
                       cases[i].covers);
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"reads rights and their place", reads_rights_and_their_place},
        {"tells a role from rights", tells_a_role_from_rights},
        {"refuses what is no such line", refuses_what_is_no_such_line},
        {"knows which database a pattern is",
         knows_which_database_a_pattern_is},
        CU_TEST_INFO_NULL,
    };

    return run_tests("store_grants", tests);
}
