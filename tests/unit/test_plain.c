/* test_plain - the message of the PLAIN mechanism */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "plain.h"
#include "unit.h"
#include "wire.h"

#include <stdbool.h>
#include <string.h>

static bool is_text(const struct credential *field, const char *text)
{
    return field->len == strlen(text) &&
           memcmp(field->data, text, field->len) == 0;
}

static void takes_a_message_apart(void)
{
    static const struct {
        const char *name;
        const char *message;
        size_t len;
        const char *authzid;
        const char *user;
        const char *password;
    } cases[] = {
        {"no authzid", "\0ada\0pw", 7, "", "ada", "pw"},
        {"an authzid", "bob\0ada\0pw", 10, "bob", "ada", "pw"},
        {"single bytes", "\0a\0b", 4, "", "a", "b"},
        {"UTF-8", "\0\xc3\xa5\0\xc3\xa5", 6, "", "\xc3\xa5", "\xc3\xa5"},
        {"blanks around are kept", "\0 a \0 b ", 8, "", " a ", " b "},
        {"newlines in the password", "\0a\0b\r\n", 6, "", "a", "b\r\n"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct credentials found = {0};

        CHECK_CASE(cases[i].name, plain_parse(cases[i].message, cases[i].len,
                                              &found, NULL) == STATUS_OK);
        CHECK_CASE(cases[i].name, is_text(&found.authzid, cases[i].authzid));
        CHECK_CASE(cases[i].name, is_text(&found.user, cases[i].user));
        CHECK_CASE(cases[i].name, is_text(&found.password, cases[i].password));
        CHECK_CASE(cases[i].name, found.user.data[found.user.len] == '\0');
    }
}

static void refuses_any_other_message(void)
{
    static const struct {
        const char *name;
        const char *message;
        size_t len;
        enum status status;
    } cases[] = {
        {"nothing", NULL, 0, STATUS_INVALID},
        {"an empty message", "", 0, STATUS_INVALID},
        {"one word", "ada", 3, STATUS_INVALID},
        {"one NUL", "\0", 1, STATUS_INVALID},
        {"one NUL and a word", "\0ada", 4, STATUS_INVALID},
        {"NUL in the password", "\0ada\0p\0w", 8, STATUS_INVALID},
        {"NUL behind the password", "\0ada\0pw\0", 8, STATUS_INVALID},
        {"NULs alone", "\0\0\0", 3, STATUS_DENIED},
        {"an empty user", "\0\0pw", 4, STATUS_DENIED},
        {"an empty password", "\0ada\0", 5, STATUS_DENIED},
        {"a user of blanks", "\0 \t \0pw", 7, STATUS_DENIED},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct credentials found = {.user = {"kept", 4}};
        struct errtext err = {{0}};

        CHECK_CASE(cases[i].name, plain_parse(cases[i].message, cases[i].len,
                                              &found, &err) == cases[i].status);
        CHECK_CASE(cases[i].name, err.text[0] != '\0');
        CHECK_CASE(cases[i].name, is_text(&found.user, "kept"));
    }
}

static void bounds_each_field(void)
{
    static const struct {
        const char *name;
        size_t authzid;
        size_t user;
        size_t password;
        enum status status;
    } cases[] = {
        {"user one below", 0, WIRE_USER_BYTES_MAX - 1, 1, STATUS_OK},
        {"user at its bound", 0, WIRE_USER_BYTES_MAX, 1, STATUS_OK},
        {"user one above", 0, WIRE_USER_BYTES_MAX + 1, 1, STATUS_INVALID},
        {"authzid at its bound", WIRE_USER_BYTES_MAX, 1, 1, STATUS_OK},
        {"authzid one above", WIRE_USER_BYTES_MAX + 1, 1, 1, STATUS_INVALID},
        {"password one below", 0, 1, WIRE_PASSWORD_BYTES_MAX - 1, STATUS_OK},
        {"password at its bound", 0, 1, WIRE_PASSWORD_BYTES_MAX, STATUS_OK},
        {"password one above", 0, 1, WIRE_PASSWORD_BYTES_MAX + 1,
         STATUS_INVALID},
        {"everything at its bound", WIRE_USER_BYTES_MAX, WIRE_USER_BYTES_MAX,
         WIRE_PASSWORD_BYTES_MAX, STATUS_OK},
    };
    static char message[2 * WIRE_USER_BYTES_MAX + WIRE_PASSWORD_BYTES_MAX + 8];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t len = cases[i].authzid + cases[i].user + cases[i].password + 2;
        struct credentials found = {0};

        memset(message, 'x', sizeof(message));
        message[cases[i].authzid] = '\0';
        message[cases[i].authzid + 1 + cases[i].user] = '\0';
        CHECK_CASE(cases[i].name,
                   plain_parse(message, len, &found, NULL) == cases[i].status);
        CHECK_CASE(cases[i].name, cases[i].status != STATUS_OK ||
                                      found.password.len == cases[i].password);
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"takes a message apart", takes_a_message_apart},
        {"refuses any other message", refuses_any_other_message},
        {"bounds each field", bounds_each_field},
        CU_TEST_INFO_NULL,
    };

    return run_tests("plain", tests);
}
