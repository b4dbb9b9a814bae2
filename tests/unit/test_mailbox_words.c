/* test_mailbox_words - settings of a mailbox as words of a command */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "unit.h"

#include "ask.h"
#include "mailbox_words.h"
#include "secret.h"
#include "strbuf.h"

#include <stdlib.h>
#include <string.h>

/* The value of a setting as it is listed, in memory of the caller. */
static bool reads_as(const struct account *account,
                     enum account_setting setting, const char *wanted)
{
    struct strbuf buf = STRBUF_INIT(8192);
    bool same;

    account_append_setting(&buf, account, setting);
    same = strcmp(strbuf_text(&buf), wanted) == 0;
    strbuf_clear(&buf);
    return same;
}

static void reads_each_setting(void)
{
    static const struct {
        enum account_setting setting;
        const char *word;
        const char *value;
    } cases[] = {
        {ACCOUNT_SET_NAME, "Ada Lovelace", "Ada Lovelace"},
        {ACCOUNT_SET_NAME, "", ""},
        {ACCOUNT_SET_QUOTA, "5G", "5G"},
        {ACCOUNT_SET_QUOTA, "unlimited", "unlimited"},
        {ACCOUNT_SET_MESSAGE_SIZE, "25M", "25M"},
        {ACCOUNT_SET_RATE_MESSAGES, "200/1h", "200/1h"},
        {ACCOUNT_SET_RATE_RECIPIENTS, "unlimited", "unlimited"},
        {ACCOUNT_SET_SMTP, "yes", "yes"},
        {ACCOUNT_SET_IMAP, "no", "no"},
        {ACCOUNT_SET_POP3, "yes", "yes"},
        {ACCOUNT_SET_SIEVE, "no", "no"},
        {ACCOUNT_SET_TLS_IN, "yes", "yes"},
        {ACCOUNT_SET_TLS_OUT, "no", "no"},
        {ACCOUNT_SET_ACTIVE, "nologin", "nologin"},
        {ACCOUNT_SET_TAGS, "b,a,,b,c", "a,b,c"},
        {ACCOUNT_SET_TAGS, "", ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct mailbox_words words = {{NULL}};
        struct account account = {0};
        struct errtext err = {{0}};
        unsigned bits = 0;

        words.values[cases[i].setting] = cases[i].word;
        CHECK_CASE(cases[i].word, mailbox_words_read(&words, &account, &bits,
                                                     &err) == STATUS_OK);
        CHECK_CASE(cases[i].word, bits == ACCOUNT_SET_BIT(cases[i].setting));
        CHECK_CASE(cases[i].word,
                   reads_as(&account, cases[i].setting, cases[i].value));
        account_clear(&account);
    }
}

static void refuses_what_is_no_value(void)
{
    static char long_name[257];
    static char many_tags[2 * 101 + 1];
    static const struct {
        const char *name;
        enum account_setting setting;
        const char *word;
    } cases[] = {
        {"size", ACCOUNT_SET_QUOTA, "5X"},
        {"negative size", ACCOUNT_SET_QUOTA, "-1"},
        {"empty size", ACCOUNT_SET_MESSAGE_SIZE, ""},
        {"rate", ACCOUNT_SET_RATE_MESSAGES, "200"},
        {"right", ACCOUNT_SET_SMTP, "maybe"},
        {"right in capitals", ACCOUNT_SET_IMAP, "YES"},
        {"tls", ACCOUNT_SET_TLS_IN, "1"},
        {"active", ACCOUNT_SET_ACTIVE, "on"},
        {"name with escape", ACCOUNT_SET_NAME, "a\033[2J"},
        {"name with newline", ACCOUNT_SET_NAME, "a\nb"},
        {"name that is no UTF-8", ACCOUNT_SET_NAME, "a\xff"},
        {"name that is too long", ACCOUNT_SET_NAME, long_name},
        {"tag with newline", ACCOUNT_SET_TAGS, "a,b\n"},
        {"too many tags", ACCOUNT_SET_TAGS, many_tags},
    };

    memset(long_name, 'x', sizeof(long_name) - 1);
    for (size_t i = 0; i < sizeof(many_tags) - 1; i++)
        many_tags[i] = i % 2 == 0 ? 'x' : ',';
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct mailbox_words words = {{NULL}};
        struct account account = {.name = strdup("before")};
        struct errtext err = {{0}};
        unsigned bits = 77;

        words.values[cases[i].setting] = cases[i].word;
        CHECK_CASE(cases[i].name, mailbox_words_read(&words, &account, &bits,
                                                     &err) == STATUS_INVALID);
        CHECK_CASE(cases[i].name, strncmp(err.text, "--", 2) == 0);
        CHECK_CASE(cases[i].name, bits == 77);
        CHECK_CASE(cases[i].name, strcmp(account.name, "before") == 0);
        account_clear(&account);
    }
}

static void a_name_of_255_bytes_fits(void)
{
    struct account account = {0};
    char name[256];

    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    CU_ASSERT_EQUAL(
        account_read_setting(&account, ACCOUNT_SET_NAME, name, NULL),
        STATUS_OK);
    CU_ASSERT_EQUAL(
        account_read_setting(&account, ACCOUNT_SET_ALIASES, "a@b.c", NULL),
        STATUS_INVALID);
    account_clear(&account);
}

static void every_setting_but_aliases_has_its_option(void)
{
    struct tool_option options[MAILBOX_WORDS_OPTIONS + 1] = {
        {NULL, NULL, NULL}};
    struct mailbox_words words = {{NULL}};

    mailbox_words_options(&words, options);
    for (size_t i = 0; i < MAILBOX_WORDS_OPTIONS; i++) {
        CU_ASSERT_PTR_NOT_NULL_FATAL(options[i].name);
        CU_ASSERT_PTR_NOT_NULL(strstr(MAILBOX_WORDS_SYNOPSIS, options[i].name));
        CU_ASSERT_PTR_NOT_NULL(options[i].value);
    }
    CU_ASSERT_PTR_NULL(options[MAILBOX_WORDS_OPTIONS].name);
}

static void reads_lists_of_settings(void)
{
    static const struct {
        const char *text;
        enum status status;
        unsigned bits;
    } cases[] = {
        {"quota", STATUS_OK, ACCOUNT_SET_BIT(ACCOUNT_SET_QUOTA)},
        {"smtp,smtp_access", STATUS_OK, ACCOUNT_SET_BIT(ACCOUNT_SET_SMTP)},
        {"tags,aliases", STATUS_OK,
         ACCOUNT_SET_BIT(ACCOUNT_SET_TAGS) |
             ACCOUNT_SET_BIT(ACCOUNT_SET_ALIASES)},
        {"all", STATUS_OK, ACCOUNT_SET_BIT(ACCOUNT_SETTING_COUNT) - 1},
        {"", STATUS_INVALID, 0},
        {",", STATUS_INVALID, 0},
        {"quota,nonsense", STATUS_INVALID, 0},
        {"quotaquotaquotaquotaquotaquotaquotaquotaquotaquotaquotaquotaquota",
         STATUS_INVALID, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        unsigned bits = 0;

        CHECK_CASE(cases[i].text, mailbox_words_bits(cases[i].text, &bits,
                                                     NULL) == cases[i].status);
        CHECK_CASE(cases[i].text, bits == cases[i].bits);
    }
}

static void reads_lists_of_services(void)
{
    struct strbuf buf = STRBUF_INIT(64);
    unsigned services = 0;

    CU_ASSERT_EQUAL(mailbox_words_services("imap,smtp", &services, NULL),
                    STATUS_OK);
    mailbox_words_append_services(&buf, services);
    CU_ASSERT_STRING_EQUAL(strbuf_text(&buf), "smtp,imap");
    CU_ASSERT_EQUAL(mailbox_words_services("all", &services, NULL), STATUS_OK);
    CU_ASSERT_EQUAL(services, ACCOUNT_ALL_SERVICES);
    CU_ASSERT_EQUAL(mailbox_words_services("telnet", &services, NULL),
                    STATUS_INVALID);
    CU_ASSERT_EQUAL(mailbox_words_services("", &services, NULL),
                    STATUS_INVALID);
    strbuf_clear(&buf);
}

static void a_password_is_what_stands_before_the_line_end(void)
{
    static char longest[ASK_PASSWORD_BYTES_MAX + 1];
    const struct {
        const char *name;
        const char *bytes;
        size_t len;
        enum status status;
        const char *password;
    } cases[] = {
        {"a line", "secret\n", 7, STATUS_OK, "secret"},
        {"no line end", "secret", 6, STATUS_OK, "secret"},
        {"a line of DOS", "secret\r\n", 8, STATUS_OK, "secret"},
        {"blanks are part of it", " a b \n", 6, STATUS_OK, " a b "},
        {"nothing", "", 0, STATUS_INVALID, NULL},
        {"a line end alone", "\n", 1, STATUS_INVALID, NULL},
        {"NUL inside", "a\0b\n", 4, STATUS_INVALID, NULL},
        {"two lines", "a\nb\n", 4, STATUS_INVALID, NULL},
        {"too long by one", longest, ASK_PASSWORD_BYTES_MAX + 1, STATUS_INVALID,
         NULL},
    };
    char *password = NULL;

    memset(longest, 'x', sizeof(longest));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        password = NULL;
        CHECK_CASE(cases[i].name,
                   ask_password_from(cases[i].bytes, cases[i].len, &password,
                                     NULL) == cases[i].status);
        if (cases[i].password != NULL)
            CHECK_CASE(cases[i].name, strcmp(password, cases[i].password) == 0);
        secret_free(&password);
    }
    CU_ASSERT_EQUAL(
        ask_password_from(longest, ASK_PASSWORD_BYTES_MAX, &password, NULL),
        STATUS_OK);
    secret_free(&password);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"reads each setting", reads_each_setting},
        {"refuses what is no value", refuses_what_is_no_value},
        {"a name of 255 bytes fits", a_name_of_255_bytes_fits},
        {"every setting but aliases has its option",
         every_setting_but_aliases_has_its_option},
        {"reads lists of settings", reads_lists_of_settings},
        {"reads lists of services", reads_lists_of_services},
        {"a password is what stands before the line end",
         a_password_is_what_stands_before_the_line_end},
        CU_TEST_INFO_NULL,
    };

    return run_tests("mailbox_words", tests);
}
