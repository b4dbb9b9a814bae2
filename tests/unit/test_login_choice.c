/* test_login_choice - for what name a directory is searched */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "login_choice.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static void searches_for_the_name_that_a_directory_knows(void)
{
    static char adex[] = "ADEX";
    static char nothing[] = "";
    static char address[] = "anna@ad.example";
    static char target[] = "ad.example";
    static const struct {
        const char *name;
        char *windows_domain;
        char *mailbox;
        char *domain;
        const char *searched; /* NULL: not in this directory */
    } cases[] = {
        {"anna", nothing, NULL, NULL, "anna"},
        {"anna", adex, NULL, NULL, "anna"},
        {"adex\\anna", adex, NULL, NULL, "anna"},
        {"adex\\an\\na", adex, NULL, NULL, "an\\na"},
        {"other\\anna", adex, NULL, NULL, NULL},
        {"ade\\anna", adex, NULL, NULL, NULL},
        {"adexx\\anna", adex, NULL, NULL, NULL},
        {"\\anna", adex, NULL, NULL, NULL},
        {"adex\\", adex, NULL, NULL, NULL},
        /* Somewhere this is a name by itself. */
        {"adex\\anna", nothing, NULL, NULL, "adex\\anna"},
        {"a@alias.example", adex, NULL, target, "a@ad.example"},
        {"anna@ad.example", adex, NULL, NULL, "anna@ad.example"},
        {"a.nna@ad.example", adex, address, target, "anna@ad.example"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct directory_settings set = {.windows_domain =
                                             cases[i].windows_domain};
        struct store_found found = {0};
        struct errtext err = {{0}};
        char *searched = NULL;
        enum status status;

        found.account.address = cases[i].mailbox;
        found.domain.name = cases[i].domain;
        status =
            login_search_name(&set, cases[i].name, &found, &searched, &err);
        if (cases[i].searched == NULL) {
            CHECK_CASE(cases[i].name, status == STATUS_NOT_FOUND);
            CHECK_CASE(cases[i].name, strstr(err.text, "ADEX") != NULL);
        } else {
            CHECK_CASE(cases[i].name,
                       status == STATUS_OK &&
                           strcmp(searched, cases[i].searched) == 0);
        }
        free(searched);
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"searches for the name that a directory knows",
         searches_for_the_name_that_a_directory_knows},
        CU_TEST_INFO_NULL,
    };

    return run_tests("login_choice", tests);
}
