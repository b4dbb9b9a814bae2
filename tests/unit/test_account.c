/* test_account - one mailbox */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "account.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static void the_strictest_of_three_states_counts(void)
{
    static const struct {
        const char *name;
        enum account_template_state active;
        enum account_directory_state directory;
        enum account_admin_state admin;
        enum account_access access;
    } cases[] = {
        {"all open", ACCOUNT_ACTIVE, ACCOUNT_PRESENT, ACCOUNT_UNBLOCKED,
         ACCOUNT_OPEN},
        {"template nologin", ACCOUNT_NOLOGIN, ACCOUNT_PRESENT,
         ACCOUNT_UNBLOCKED, ACCOUNT_LOGIN_CLOSED},
        {"template off", ACCOUNT_TEMPLATE_OFF, ACCOUNT_PRESENT,
         ACCOUNT_UNBLOCKED, ACCOUNT_OFF},
        {"directory disabled", ACCOUNT_ACTIVE, ACCOUNT_DISABLED,
         ACCOUNT_UNBLOCKED, ACCOUNT_LOGIN_CLOSED},
        {"directory missing", ACCOUNT_ACTIVE, ACCOUNT_MISSING,
         ACCOUNT_UNBLOCKED, ACCOUNT_LOGIN_CLOSED},
        {"blocked login", ACCOUNT_ACTIVE, ACCOUNT_PRESENT, ACCOUNT_BLOCK_LOGIN,
         ACCOUNT_LOGIN_CLOSED},
        {"blocked", ACCOUNT_ACTIVE, ACCOUNT_PRESENT, ACCOUNT_BLOCK_ALL,
         ACCOUNT_OFF},
        {"blocked and disabled", ACCOUNT_ACTIVE, ACCOUNT_DISABLED,
         ACCOUNT_BLOCK_ALL, ACCOUNT_OFF},
        {"off and only login blocked", ACCOUNT_TEMPLATE_OFF, ACCOUNT_PRESENT,
         ACCOUNT_BLOCK_LOGIN, ACCOUNT_OFF},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct account account = {
            .set = {.active = cases[i].active},
            .directory_state = cases[i].directory,
            .admin_state = cases[i].admin,
        };

        CHECK_CASE(cases[i].name, account_access(&account) == cases[i].access);
    }
}

static void knows_the_services_of_mail_programs(void)
{
    static const struct {
        const char *name;
        unsigned service;
    } cases[] = {
        {"smtp", ACCOUNT_SMTP},
        {"smtpd", ACCOUNT_SMTP},
        {"SMTP", ACCOUNT_SMTP},
        {"submission", ACCOUNT_SMTP},
        {"lmtp", ACCOUNT_SMTP},
        {"imap", ACCOUNT_IMAP},
        {"imaps", ACCOUNT_IMAP},
        {"pop", ACCOUNT_POP3},
        {"pop3", ACCOUNT_POP3},
        {"sieve", ACCOUNT_SIEVE},
        {"", 0},
        {"managesieve", ACCOUNT_SIEVE},
        {"ldap", 0},
        {"smtpx", 0},
        {"smt", 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_CASE(cases[i].name,
                   account_service(cases[i].name) == cases[i].service);
    CU_ASSERT_STRING_EQUAL(account_service_name(ACCOUNT_SMTP), "smtp");
    CU_ASSERT_STRING_EQUAL(account_service_name(ACCOUNT_IMAP), "imap");
    CU_ASSERT_STRING_EQUAL(account_service_name(ACCOUNT_POP3), "pop3");
    CU_ASSERT_STRING_EQUAL(account_service_name(ACCOUNT_SIEVE), "sieve");
    CU_ASSERT_STRING_EQUAL(account_service_name(0), "unknown");
}

static void every_word_finds_its_way_back(void)
{
    for (int i = 0; i < ACCOUNT_SETTING_COUNT; i++) {
        enum account_setting back = ACCOUNT_SETTING_COUNT;
        const char *word = account_setting_name((enum account_setting)i);

        CHECK_CASE(word, account_setting_from(word, &back));
        CHECK_CASE(word, (int)back == i);
    }
    for (int i = 0; i <= ACCOUNT_MISSING; i++) {
        enum account_directory_state back = ACCOUNT_PRESENT;
        const char *word =
            account_directory_state_name((enum account_directory_state)i);

        CHECK_CASE(word, account_directory_state_from(word, &back));
        CHECK_CASE(word, (int)back == i);
    }
    for (int i = 0; i <= ACCOUNT_BLOCK_ALL; i++) {
        enum account_admin_state back = ACCOUNT_UNBLOCKED;
        const char *word =
            account_admin_state_name((enum account_admin_state)i);

        CHECK_CASE(word, account_admin_state_from(word, &back));
        CHECK_CASE(word, (int)back == i);
    }
    for (int i = 0; i <= ACCOUNT_TEMPLATE_OFF; i++) {
        enum account_template_state back = ACCOUNT_ACTIVE;
        const char *word =
            account_template_state_name((enum account_template_state)i);

        CHECK_CASE(word, account_template_state_from(word, &back));
        CHECK_CASE(word, (int)back == i);
    }
    for (int i = 0; i <= ACCOUNT_LDAP; i++) {
        enum account_source back = ACCOUNT_LOCAL;
        const char *word = account_source_name((enum account_source)i);

        CHECK_CASE(word, account_source_from(word, &back));
        CHECK_CASE(word, (int)back == i);
    }
}

static void an_unknown_word_changes_nothing(void)
{
    enum account_source source = ACCOUNT_LDAP;
    enum account_template_state active = ACCOUNT_NOLOGIN;
    enum account_directory_state directory = ACCOUNT_MISSING;
    enum account_admin_state admin = ACCOUNT_BLOCK_ALL;
    enum account_setting setting = ACCOUNT_SET_TAGS;

    CU_ASSERT_FALSE(account_source_from("LDAP", &source));
    CU_ASSERT_FALSE(account_template_state_from("", &active));
    CU_ASSERT_FALSE(account_directory_state_from("left", &directory));
    CU_ASSERT_FALSE(account_admin_state_from("block", &admin));
    CU_ASSERT_FALSE(account_setting_from("quota ", &setting));
    CU_ASSERT_EQUAL(source, ACCOUNT_LDAP);
    CU_ASSERT_EQUAL(active, ACCOUNT_NOLOGIN);
    CU_ASSERT_EQUAL(directory, ACCOUNT_MISSING);
    CU_ASSERT_EQUAL(admin, ACCOUNT_BLOCK_ALL);
    CU_ASSERT_EQUAL(setting, ACCOUNT_SET_TAGS);
}

/* A mailbox in which everything is set; its texts are constants. */
static struct account full_account(void)
{
    static char address[] = "anna@example.org", domain[] = "example.org";
    static char directory[] = "corp", id[] = "id-1", password[] = "{CRYPT}x";
    static char name[] = "Anna", template_name[] = "default";
    static char fingerprint[] = "f00", path[] = "example.org/anna/";
    static char tags[] = "a,b", first[] = "a@example.org",
                second[] = "b@example.org";
    static char *aliases[] = {first, second};

    return (struct account){
        .address = address,
        .domain = domain,
        .source = ACCOUNT_LDAP,
        .directory = directory,
        .directory_id = id,
        .password = password,
        .name = name,
        .template_name = template_name,
        .fingerprint = fingerprint,
        .mail_path = path,
        .set = {.quota_bytes = UINT64_C(5) << 30,
                .message_size_bytes = UINT64_C(10) << 20,
                .rate_messages = {200, 3600},
                .rate_recipients = {1000, 86400},
                .services = ACCOUNT_SMTP | ACCOUNT_POP3,
                .tls_in = true,
                .active = ACCOUNT_NOLOGIN,
                .tags = tags},
        .pinned = ACCOUNT_SET_BIT(ACCOUNT_SET_QUOTA),
        .directory_state = ACCOUNT_DISABLED,
        .admin_state = ACCOUNT_BLOCK_LOGIN,
        .aliases = aliases,
        .alias_count = 2,
        .aliases_known = true,
    };
}

static void a_copy_is_whole_and_its_own(void)
{
    struct account from = full_account();
    struct account copy = {0};

    CU_ASSERT_EQUAL(account_copy(&from, &copy, NULL), STATUS_OK);
    CU_ASSERT_STRING_EQUAL(copy.address, from.address);
    CU_ASSERT_PTR_NOT_EQUAL(copy.address, from.address);
    CU_ASSERT_STRING_EQUAL(copy.domain, from.domain);
    CU_ASSERT_EQUAL(copy.source, from.source);
    CU_ASSERT_STRING_EQUAL(copy.directory, from.directory);
    CU_ASSERT_STRING_EQUAL(copy.directory_id, from.directory_id);
    CU_ASSERT_STRING_EQUAL(copy.password, from.password);
    CU_ASSERT_STRING_EQUAL(copy.name, from.name);
    CU_ASSERT_STRING_EQUAL(copy.template_name, from.template_name);
    CU_ASSERT_STRING_EQUAL(copy.fingerprint, from.fingerprint);
    CU_ASSERT_STRING_EQUAL(copy.mail_path, from.mail_path);
    CU_ASSERT_EQUAL(copy.set.quota_bytes, from.set.quota_bytes);
    CU_ASSERT_STRING_EQUAL(copy.set.tags, from.set.tags);
    CU_ASSERT_PTR_NOT_EQUAL(copy.set.tags, from.set.tags);
    CU_ASSERT_EQUAL(copy.pinned, from.pinned);
    CU_ASSERT_EQUAL(copy.directory_state, from.directory_state);
    CU_ASSERT_EQUAL(copy.admin_state, from.admin_state);
    CU_ASSERT_EQUAL(copy.alias_count, 2);
    CU_ASSERT_STRING_EQUAL(copy.aliases[1], "b@example.org");
    CU_ASSERT_TRUE(copy.aliases_known);
    account_clear(&copy);
    CU_ASSERT_PTR_NULL(copy.address);
    CU_ASSERT_PTR_NULL(copy.aliases);
    CU_ASSERT_EQUAL(copy.source, ACCOUNT_LOCAL);
}

static void an_empty_account_can_be_copied_and_cleared(void)
{
    struct account from = {0};
    struct account copy = full_account();

    CU_ASSERT_EQUAL(account_copy(&from, &copy, NULL), STATUS_OK);
    CU_ASSERT_PTR_NULL(copy.address);
    CU_ASSERT_PTR_NULL(copy.set.tags);
    CU_ASSERT_EQUAL(copy.alias_count, 0);
    account_clear(&copy);
    account_clear(&copy);
}

static void settings_read_as_people_read_them(void)
{
    static const struct {
        const char *text;
        enum account_setting setting;
    } cases[] = {
        {"Anna", ACCOUNT_SET_NAME},
        {"5G", ACCOUNT_SET_QUOTA},
        {"10M", ACCOUNT_SET_MESSAGE_SIZE},
        {"200/1h", ACCOUNT_SET_RATE_MESSAGES},
        {"1000/1d", ACCOUNT_SET_RATE_RECIPIENTS},
        {"yes", ACCOUNT_SET_SMTP},
        {"no", ACCOUNT_SET_IMAP},
        {"yes", ACCOUNT_SET_POP3},
        {"no", ACCOUNT_SET_SIEVE},
        {"yes", ACCOUNT_SET_TLS_IN},
        {"no", ACCOUNT_SET_TLS_OUT},
        {"nologin", ACCOUNT_SET_ACTIVE},
        {"a,b", ACCOUNT_SET_TAGS},
        {"a@example.org,b@example.org", ACCOUNT_SET_ALIASES},
    };
    struct account account = full_account();

    CU_ASSERT_EQUAL(ARRAY_SIZE(cases), ACCOUNT_SETTING_COUNT);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf buf = STRBUF_INIT(100);

        account_append_setting(&buf, &account, cases[i].setting);
        CHECK_CASE(account_setting_name(cases[i].setting),
                   strcmp(strbuf_text(&buf), cases[i].text) == 0);
        strbuf_clear(&buf);
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"the strictest of three states counts",
         the_strictest_of_three_states_counts},
        {"knows the services of mail programs",
         knows_the_services_of_mail_programs},
        {"every word finds its way back", every_word_finds_its_way_back},
        {"an unknown word changes nothing", an_unknown_word_changes_nothing},
        {"a copy is whole and its own", a_copy_is_whole_and_its_own},
        {"an empty account can be copied and cleared",
         an_empty_account_can_be_copied_and_cleared},
        {"settings read as people read them",
         settings_read_as_people_read_them},
        CU_TEST_INFO_NULL,
    };

    return run_tests("account", tests);
}
