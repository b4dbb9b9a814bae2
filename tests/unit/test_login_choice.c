/* test_login_choice - for what name a directory is searched */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "login_choice.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static char nothing[] = "";
static char adex[] = "ADEX";
static char corp_name[] = "corp";
static char adex_name[] = "ad";
static char address[] = "anna@ad.example";
static char target[] = "ad.example";

static void searches_for_the_name_that_a_directory_knows(void)
{
    static struct directory_settings directories[] = {
        {.name = corp_name, .windows_domain = nothing},
        {.name = adex_name, .windows_domain = adex},
    };
    static const struct settings settings = {
        .directories = directories,
        .directory_count = ARRAY_SIZE(directories),
    };
    static const struct {
        const char *name;
        char *mailbox;
        char *domain;
        const char *searched[2]; /* NULL: not in this directory */
    } cases[] = {
        {"anna", NULL, NULL, {"anna", "anna"}},
        {"adex\\anna", NULL, NULL, {NULL, "anna"}},
        {"adex\\an\\na", NULL, NULL, {NULL, "an\\na"}},
        {"adex\\", NULL, NULL, {NULL, NULL}},
        /* Somewhere these may be names by themselves. */
        {"other\\anna", NULL, NULL, {"other\\anna", NULL}},
        {"ade\\anna", NULL, NULL, {"ade\\anna", NULL}},
        {"adexx\\anna", NULL, NULL, {"adexx\\anna", NULL}},
        {"\\anna", NULL, NULL, {"\\anna", NULL}},
        {"a@alias.example", NULL, target, {"a@ad.example", "a@ad.example"}},
        {"anna@ad.example", NULL, NULL, {address, address}},
        {"a.nna@ad.example", address, target, {address, address}},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases) * 2; i++) {
        const struct directory_settings *set = &directories[i % 2];
        const char *wanted = cases[i / 2].searched[i % 2];
        struct store_found found = {0};
        struct errtext err = {{0}};
        char *searched = NULL;
        enum status status;

        found.account.address = cases[i / 2].mailbox;
        found.domain.name = cases[i / 2].domain;
        status = login_search_name(&settings, set, cases[i / 2].name, &found,
                                   &searched, &err);
        if (wanted == NULL) {
            CHECK_CASE(cases[i / 2].name, status == STATUS_NOT_FOUND);
            CHECK_CASE(cases[i / 2].name, strstr(err.text, set->name) != NULL);
        } else {
            CHECK_CASE(cases[i / 2].name,
                       status == STATUS_OK && strcmp(searched, wanted) == 0);
        }
        free(searched);
    }
}

static void chooses_by_the_end_of_a_login_name(void)
{
    static char corp_domain[] = "corp.example";
    static char local_domain[] = "corp.local";
    static char *mail_domains[][1] = {{corp_domain}, {target}};
    static char *login_domains[] = {local_domain};
    static struct directory_settings directories[] = {
        {.name = corp_name,
         .username_field = address,
         .domains = {mail_domains[0], 1}},
        {.name = adex_name,
         .username_field = address,
         .domains = {mail_domains[1], 1},
         .login_domains = {login_domains, 1}},
    };
    static const struct settings settings = {
        .directories = directories,
        .directory_count = ARRAY_SIZE(directories),
    };
    static const struct {
        const char *name;
        char *domain; /* as the store has it; NULL: it is none of ours */
        const char *chosen;
        const char *reason;
    } cases[] = {
        {"anna@ad.example", target, "ad", NULL},
        {"anna@corp.example", corp_domain, "corp", NULL},
        {"anna@corp.local", NULL, "ad", NULL},
        {"anna@corp.local", corp_domain, "corp", NULL},
        {"anna@strange.local", NULL, NULL, "unknown_domain"},
        {"anna@ad.example", NULL, NULL, "unknown_domain"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct store_found found = {0};
        struct login_choice choice;

        found.domain.name = cases[i].domain;
        login_choose(&settings, cases[i].name, &found, &choice);
        if (cases[i].chosen != NULL)
            CHECK_CASE(cases[i].name,
                       choice.set != NULL &&
                           strcmp(choice.set->name, cases[i].chosen) == 0);
        else
            CHECK_CASE(cases[i].name,
                       choice.set == NULL && strcmp(choice.decision.reason,
                                                    cases[i].reason) == 0);
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"searches for the name that a directory knows",
         searches_for_the_name_that_a_directory_knows},
        {"chooses by the end of a login name",
         chooses_by_the_end_of_a_login_name},
        CU_TEST_INFO_NULL,
    };

    return run_tests("login_choice", tests);
}
