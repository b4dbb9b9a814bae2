/* test_decision - what a login is told, row by row */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "decision.h"
#include "unit.h"

#include <string.h>

static void tells_what_a_password_check_means(void)
{
    static const struct {
        const char *name;
        enum status status;
        enum directory_reason reason;
        enum login_result result;
        const char *code;
    } cases[] = {
        {"right", STATUS_OK, DIRECTORY_NO_REASON, LOGIN_IN, "ok"},
        {"wrong", STATUS_DENIED, DIRECTORY_BAD_PASSWORD, LOGIN_WRONG,
         "wrong_password"},
        {"no, without a reason", STATUS_DENIED, DIRECTORY_NO_REASON,
         LOGIN_WRONG, "wrong_password"},
        {"AD says no such user", STATUS_DENIED, DIRECTORY_NO_SUCH_USER,
         LOGIN_WRONG, "unknown_user"},
        {"no entry", STATUS_NOT_FOUND, DIRECTORY_NO_REASON, LOGIN_WRONG,
         "unknown_user"},
        {"password expired", STATUS_DENIED, DIRECTORY_PASSWORD_EXPIRED,
         LOGIN_REFUSED, "password_expired"},
        {"must change", STATUS_DENIED, DIRECTORY_MUST_CHANGE, LOGIN_REFUSED,
         "must_change_password"},
        {"account expired", STATUS_DENIED, DIRECTORY_ACCOUNT_EXPIRED,
         LOGIN_REFUSED, "account_expired"},
        {"disabled", STATUS_DENIED, DIRECTORY_ACCOUNT_DISABLED, LOGIN_REFUSED,
         "account_disabled"},
        {"locked", STATUS_DENIED, DIRECTORY_ACCOUNT_LOCKED, LOGIN_REFUSED,
         "account_locked"},
        {"hours", STATUS_DENIED, DIRECTORY_NOT_NOW, LOGIN_REFUSED,
         "not_at_this_time"},
        {"workstation", STATUS_DENIED, DIRECTORY_NOT_FROM_HERE, LOGIN_REFUSED,
         "not_from_here"},
        {"two entries", STATUS_DENIED, DIRECTORY_SEVERAL_ENTRIES, LOGIN_REFUSED,
         "several_entries"},
        {"another no", STATUS_DENIED, DIRECTORY_OTHER_REFUSAL, LOGIN_REFUSED,
         "other_refusal"},
        {"entry with NUL", STATUS_INVALID, DIRECTORY_NO_REASON, LOGIN_REFUSED,
         "unusable_entry"},
        {"directory down", STATUS_TEMPFAIL, DIRECTORY_NO_REASON,
         LOGIN_TEMPORARY, "no_answer"},
        {"down, whatever reason is left over", STATUS_TEMPFAIL,
         DIRECTORY_BAD_PASSWORD, LOGIN_TEMPORARY, "no_answer"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct decision decision =
            decision_password(cases[i].status, cases[i].reason);

        CHECK_CASE(cases[i].name, decision.result == cases[i].result);
        CHECK_CASE(cases[i].name, strcmp(decision.reason, cases[i].code) == 0);
    }
}

static void lets_in_only_through_every_gate(void)
{
    static const struct {
        const char *name;
        bool known;
        bool active;
        bool mailbox;
        enum account_template_state template_state;
        enum account_directory_state directory;
        enum account_admin_state admin;
        unsigned services;
        unsigned service;
        enum login_result result;
        const char *code;
    } cases[] = {
        {"all open", true, true, true, ACCOUNT_ACTIVE, ACCOUNT_PRESENT,
         ACCOUNT_UNBLOCKED, ACCOUNT_ALL_SERVICES, ACCOUNT_SMTP, LOGIN_IN, "ok"},
        {"no domain", false, false, true, ACCOUNT_ACTIVE, ACCOUNT_PRESENT,
         ACCOUNT_UNBLOCKED, ACCOUNT_ALL_SERVICES, ACCOUNT_SMTP, LOGIN_REFUSED,
         "unknown_domain"},
        {"domain off", true, false, true, ACCOUNT_ACTIVE, ACCOUNT_PRESENT,
         ACCOUNT_UNBLOCKED, ACCOUNT_ALL_SERVICES, ACCOUNT_SMTP, LOGIN_REFUSED,
         "domain_inactive"},
        {"no mailbox", true, true, false, ACCOUNT_ACTIVE, ACCOUNT_PRESENT,
         ACCOUNT_UNBLOCKED, ACCOUNT_ALL_SERVICES, ACCOUNT_SMTP, LOGIN_REFUSED,
         "no_mailbox"},
        {"template nologin", true, true, true, ACCOUNT_NOLOGIN, ACCOUNT_PRESENT,
         ACCOUNT_UNBLOCKED, ACCOUNT_ALL_SERVICES, ACCOUNT_SMTP, LOGIN_REFUSED,
         "closed_by_template"},
        {"template off", true, true, true, ACCOUNT_TEMPLATE_OFF,
         ACCOUNT_PRESENT, ACCOUNT_UNBLOCKED, ACCOUNT_ALL_SERVICES, ACCOUNT_SMTP,
         LOGIN_REFUSED, "closed_by_template"},
        {"disabled", true, true, true, ACCOUNT_ACTIVE, ACCOUNT_DISABLED,
         ACCOUNT_UNBLOCKED, ACCOUNT_ALL_SERVICES, ACCOUNT_SMTP, LOGIN_REFUSED,
         "disabled_in_directory"},
        {"missing", true, true, true, ACCOUNT_ACTIVE, ACCOUNT_MISSING,
         ACCOUNT_UNBLOCKED, ACCOUNT_ALL_SERVICES, ACCOUNT_SMTP, LOGIN_REFUSED,
         "missing_in_directory"},
        {"login blocked", true, true, true, ACCOUNT_ACTIVE, ACCOUNT_PRESENT,
         ACCOUNT_BLOCK_LOGIN, ACCOUNT_ALL_SERVICES, ACCOUNT_SMTP, LOGIN_REFUSED,
         "blocked_by_administrator"},
        {"all blocked, and disabled too", true, true, true, ACCOUNT_ACTIVE,
         ACCOUNT_DISABLED, ACCOUNT_BLOCK_ALL, ACCOUNT_ALL_SERVICES,
         ACCOUNT_SMTP, LOGIN_REFUSED, "blocked_by_administrator"},
        {"protocol off", true, true, true, ACCOUNT_ACTIVE, ACCOUNT_PRESENT,
         ACCOUNT_UNBLOCKED, ACCOUNT_SMTP, ACCOUNT_IMAP, LOGIN_REFUSED,
         "service_not_allowed"},
        {"protocol unknown", true, true, true, ACCOUNT_ACTIVE, ACCOUNT_PRESENT,
         ACCOUNT_UNBLOCKED, ACCOUNT_ALL_SERVICES, 0, LOGIN_REFUSED,
         "unknown_service"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char address[] = "anna@example.org";
        struct account account = {
            .address = cases[i].mailbox ? address : NULL,
            .directory_state = cases[i].directory,
            .admin_state = cases[i].admin,
            .set = {.active = cases[i].template_state,
                    .services = cases[i].services},
        };
        struct decision decision = decision_gates(
            cases[i].known, cases[i].active, &account, cases[i].service);

        CHECK_CASE(cases[i].name, decision.result == cases[i].result);
        CHECK_CASE(cases[i].name, strcmp(decision.reason, cases[i].code) == 0);
    }
    CU_ASSERT_EQUAL(decision_gates(true, true, NULL, ACCOUNT_SMTP).result,
                    LOGIN_REFUSED);
}

static void takes_mail_where_logins_are_closed(void)
{
    static const struct {
        const char *name;
        bool known, active, mailbox;
        enum account_template_state template_state;
        enum account_admin_state admin;
        enum login_result result;
        const char *code;
    } cases[] = {
        {"all well", true, true, true, ACCOUNT_ACTIVE, ACCOUNT_UNBLOCKED,
         LOGIN_IN, "ok"},
        {"logins closed", true, true, true, ACCOUNT_NOLOGIN,
         ACCOUNT_BLOCK_LOGIN, LOGIN_IN, "ok"},
        {"off", true, true, true, ACCOUNT_TEMPLATE_OFF, ACCOUNT_UNBLOCKED,
         LOGIN_REFUSED, "closed_by_template"},
        {"blocked", true, true, true, ACCOUNT_ACTIVE, ACCOUNT_BLOCK_ALL,
         LOGIN_REFUSED, "blocked_by_administrator"},
        {"domain unknown", false, true, true, ACCOUNT_ACTIVE, ACCOUNT_UNBLOCKED,
         LOGIN_REFUSED, "unknown_domain"},
        {"domain off", true, false, true, ACCOUNT_ACTIVE, ACCOUNT_UNBLOCKED,
         LOGIN_REFUSED, "domain_inactive"},
        {"no mailbox", true, true, false, ACCOUNT_ACTIVE, ACCOUNT_UNBLOCKED,
         LOGIN_REFUSED, "no_mailbox"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char address[] = "anna@example.org";
        struct account account = {
            .address = cases[i].mailbox ? address : NULL,
            .admin_state = cases[i].admin,
            .set = {.active = cases[i].template_state},
        };
        struct decision decision =
            decision_delivery(cases[i].known, cases[i].active, &account);

        CHECK_CASE(cases[i].name, decision.result == cases[i].result);
        CHECK_CASE(cases[i].name, strcmp(decision.reason, cases[i].code) == 0);
    }
}

static void answers_a_limit_as_configured(void)
{
    struct decision decision =
        decision_not_provisioned(REFUSED_TEMPORARY, "max_mailboxes");

    CU_ASSERT_EQUAL(decision.result, LOGIN_TEMPORARY);
    CU_ASSERT_STRING_EQUAL(decision.reason, "max_mailboxes");
    CU_ASSERT_EQUAL(decision_not_provisioned(REFUSED_REFUSE, "x").result,
                    LOGIN_REFUSED);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"tells what a password check means",
         tells_what_a_password_check_means},
        {"lets in only through every gate", lets_in_only_through_every_gate},
        {"answers a limit as configured", answers_a_limit_as_configured},
        {"takes mail where logins are closed",
         takes_mail_where_logins_are_closed},
        CU_TEST_INFO_NULL,
    };

    return run_tests("decision", tests);
}
