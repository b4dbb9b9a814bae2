/* test_exchange - the messages of the LOGIN mechanism */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "exchange.h"
#include "unit.h"

#include <string.h>

/* Feeds a text; returns the status; *prompt_r is "" when there was none. */
static enum status feed(struct exchange *exchange, const char *text,
                        const char **prompt_r, struct credentials *found)
{
    const char *prompt = NULL;
    enum status status = exchange_feed(
        exchange, text, text != NULL ? strlen(text) : 0, &prompt, found, NULL);

    *prompt_r = prompt != NULL ? prompt : "";
    return status;
}

static void asks_for_user_and_password(void)
{
    struct exchange exchange = {0};
    struct credentials found = {0};
    const char *prompt;

    CU_ASSERT_EQUAL(feed(&exchange, NULL, &prompt, &found), STATUS_OK);
    CU_ASSERT_STRING_EQUAL(prompt, "Username:");
    CU_ASSERT_EQUAL(feed(&exchange, "ada", &prompt, &found), STATUS_OK);
    CU_ASSERT_STRING_EQUAL(prompt, "Password:");
    CU_ASSERT_EQUAL(feed(&exchange, "s3cret", &prompt, &found), STATUS_OK);
    CU_ASSERT_STRING_EQUAL(prompt, "");
    CU_ASSERT_STRING_EQUAL(found.user.data, "ada");
    CU_ASSERT_EQUAL(found.user.len, 3);
    CU_ASSERT_STRING_EQUAL(found.password.data, "s3cret");
    CU_ASSERT_EQUAL(found.authzid.len, 0);
}

static void takes_an_initial_response_as_the_user(void)
{
    struct exchange exchange = {0};
    struct credentials found = {0};
    const char *prompt;

    CU_ASSERT_EQUAL(feed(&exchange, "ada", &prompt, &found), STATUS_OK);
    CU_ASSERT_STRING_EQUAL(prompt, "Password:");
    CU_ASSERT_EQUAL(feed(&exchange, "pw", &prompt, &found), STATUS_OK);
    CU_ASSERT_STRING_EQUAL(found.user.data, "ada");
}

static void keeps_no_password(void)
{
    struct exchange exchange = {0};
    struct credentials found = {0};
    const char *prompt;

    CU_ASSERT_EQUAL(feed(&exchange, "ada", &prompt, &found), STATUS_OK);
    CU_ASSERT_EQUAL(feed(&exchange, "s3cret", &prompt, &found), STATUS_OK);
    CU_ASSERT_PTR_NULL(memmem(&exchange, sizeof(exchange), "s3cret", 6));
}

static void takes_nothing_after_the_end(void)
{
    struct exchange exchange = {0};
    struct credentials found = {0};
    const char *prompt;

    CU_ASSERT_EQUAL(feed(&exchange, "ada", &prompt, &found), STATUS_OK);
    CU_ASSERT_EQUAL(feed(&exchange, "pw", &prompt, &found), STATUS_OK);
    CU_ASSERT_EQUAL(feed(&exchange, "pw", &prompt, &found), STATUS_INVALID);
    CU_ASSERT_EQUAL(feed(&exchange, NULL, &prompt, &found), STATUS_INVALID);
}

static void is_over_after_a_refusal(void)
{
    struct exchange exchange = {0};
    struct credentials found = {0};
    const char *prompt;

    CU_ASSERT_EQUAL(feed(&exchange, " ", &prompt, &found), STATUS_DENIED);
    CU_ASSERT_EQUAL(feed(&exchange, "ada", &prompt, &found), STATUS_INVALID);
}

/* Each case is one message where the user name, or the password, belongs. */
static void refuses_bad_messages(void)
{
    static char filler[WIRE_PASSWORD_BYTES_MAX + 1];
    static const struct {
        const char *name;
        enum exchange_step step;
        const char *message; /* NULL: that many bytes of filler */
        size_t len;
        enum status status;
    } cases[] = {
        {"empty user", EXCHANGE_USER, "", 0, STATUS_DENIED},
        {"user of blanks", EXCHANGE_USER, " \t", 2, STATUS_DENIED},
        {"NUL in the user", EXCHANGE_USER, "a\0b", 3, STATUS_INVALID},
        {"NUL behind the user", EXCHANGE_USER, "a\0", 2, STATUS_INVALID},
        {"NUL first", EXCHANGE_START, "\0a", 2, STATUS_INVALID},
        {"user one below", EXCHANGE_USER, NULL, WIRE_USER_BYTES_MAX - 1,
         STATUS_OK},
        {"user at the bound", EXCHANGE_USER, NULL, WIRE_USER_BYTES_MAX,
         STATUS_OK},
        {"user one above", EXCHANGE_USER, NULL, WIRE_USER_BYTES_MAX + 1,
         STATUS_INVALID},
        {"empty password", EXCHANGE_PASSWORD, "", 0, STATUS_DENIED},
        {"NUL in the password", EXCHANGE_PASSWORD, "a\0b", 3, STATUS_INVALID},
        {"password of blanks", EXCHANGE_PASSWORD, "  ", 2, STATUS_OK},
        {"password one below", EXCHANGE_PASSWORD, NULL,
         WIRE_PASSWORD_BYTES_MAX - 1, STATUS_OK},
        {"password at the bound", EXCHANGE_PASSWORD, NULL,
         WIRE_PASSWORD_BYTES_MAX, STATUS_OK},
        {"password one above", EXCHANGE_PASSWORD, NULL,
         WIRE_PASSWORD_BYTES_MAX + 1, STATUS_INVALID},
    };

    memset(filler, 'x', sizeof(filler));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct exchange exchange = {.step = cases[i].step, .user = "ada"};
        const char *message = cases[i].message;
        struct credentials found = {0};
        const char *prompt = NULL;

        if (message == NULL)
            message = filler;
        CHECK_CASE(cases[i].name,
                   exchange_feed(&exchange, message, cases[i].len, &prompt,
                                 &found, NULL) == cases[i].status);
        CHECK_CASE(cases[i].name, cases[i].status == STATUS_OK ||
                                      exchange.step == EXCHANGE_OVER);
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"asks for user and password", asks_for_user_and_password},
        {"takes an initial response as the user",
         takes_an_initial_response_as_the_user},
        {"keeps no password", keeps_no_password},
        {"takes nothing after the end", takes_nothing_after_the_end},
        {"is over after a refusal", is_over_after_a_refusal},
        {"refuses bad messages", refuses_bad_messages},
        CU_TEST_INFO_NULL,
    };

    return run_tests("exchange", tests);
}
