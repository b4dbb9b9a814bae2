/* test_request - policy requests are read, or refused, never half read */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "request.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define HEAD "request=smtpd_access_policy\n"

static void test_outcomes(void)
{
    static const struct {
        const char *text;
        size_t len; /* 0: of the text */
        enum status status;
    } cases[] = {
        {HEAD "\n", 0, STATUS_OK},
        {HEAD "protocol_state=RCPT\nunknown_attribute=x\n\n", 0, STATUS_OK},
        {HEAD "sender=\n\n", 0, STATUS_OK},
        {HEAD "a=b=c\n\n", 0, STATUS_OK},
        {"\n", 0, STATUS_NOT_FOUND},
        {"request=something_else\n\n", 0, STATUS_NOT_FOUND},
        {"protocol_state=RCPT\n\n", 0, STATUS_NOT_FOUND},
        {HEAD "no equals sign\n\n", 0, STATUS_INVALID},
        {HEAD "=value\n\n", 0, STATUS_INVALID},
        {HEAD "sender=a\0b\n\n", sizeof(HEAD "sender=a\0b\n\n") - 1,
         STATUS_INVALID},
        {HEAD "sender=a\n", 0, STATUS_INVALID},
        {HEAD "sender=a", 0, STATUS_INVALID},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t len = cases[i].len > 0 ? cases[i].len : strlen(cases[i].text);
        struct policy_request request;
        char text[256];

        memcpy(text, cases[i].text, len);
        CHECK_CASE(cases[i].text,
                   request_parse(text, len, &request, NULL) == cases[i].status);
    }
}

static void test_values(void)
{
    char text[] = HEAD "protocol_state=END-OF-MESSAGE\nsender=<>\n"
                       "sender=a=b@example.org\nrecipient=c@example.org\n"
                       "instance=7.8\nsasl_username=ada\nsize=4294967296\n"
                       "recipient_count=3\nencryption_protocol=TLSv1.3\n\n";
    struct policy_request request;

    CU_ASSERT_EQUAL(request_parse(text, strlen(text), &request, NULL),
                    STATUS_OK);
    CU_ASSERT_STRING_EQUAL(request.state, "END-OF-MESSAGE");
    CU_ASSERT_STRING_EQUAL(request.sender, "a=b@example.org");
    CU_ASSERT_STRING_EQUAL(request.recipient, "c@example.org");
    CU_ASSERT_STRING_EQUAL(request.instance, "7.8");
    CU_ASSERT_STRING_EQUAL(request.sasl_username, "ada");
    CU_ASSERT_EQUAL(request.size, UINT64_C(4294967296));
    CU_ASSERT_EQUAL(request.recipient_count, 3);
    CU_ASSERT_TRUE(request.tls);
}

static void test_numbers(void)
{
    static const struct {
        const char *text;
        uint64_t size;
    } cases[] = {
        {HEAD "size=\n\n", 0},
        {HEAD "size=-1\n\n", 0},
        {HEAD "size=12x\n\n", 0},
        {HEAD "size=18446744073709551616\n\n", 0},
        {HEAD "size=9223372036854775807\n\n", INT64_MAX},
        {HEAD "size=9223372036854775808\n\n", 0},
        {HEAD "size=0\n\n", 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct policy_request request;
        char text[128];

        memcpy(text, cases[i].text, strlen(cases[i].text) + 1);
        CHECK_CASE(cases[i].text, request_parse(text, strlen(text), &request,
                                                NULL) == STATUS_OK &&
                                      request.size == cases[i].size);
    }
}

static void test_limit(void)
{
    for (size_t len = REQUEST_BYTES_MAX - 1; len <= REQUEST_BYTES_MAX + 1;
         len++) {
        char *text = malloc(len);
        struct policy_request request;

        CU_ASSERT_PTR_NOT_NULL_FATAL(text);
        memset(text, 'a', len);
        memcpy(text, HEAD "sender=", strlen(HEAD "sender="));
        memcpy(text + len - 2, "\n\n", 2);
        CU_ASSERT_EQUAL(request_parse(text, len, &request, NULL),
                        len <= REQUEST_BYTES_MAX ? STATUS_OK : STATUS_INVALID);
        free(text);
    }
}

static void test_whole(void)
{
    size_t used = 0;

    CU_ASSERT_FALSE(request_is_whole("a=b\n", 4, &used));
    CU_ASSERT_TRUE(request_is_whole("a=b\n\na=c\n\n", 10, &used));
    CU_ASSERT_EQUAL(used, 5);
    CU_ASSERT_TRUE(request_is_whole("\na", 2, &used));
    CU_ASSERT_EQUAL(used, 1);
    CU_ASSERT_FALSE(request_is_whole("", 0, &used));
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"each form has its outcome", test_outcomes},
        {"values are taken, the last of two counts", test_values},
        {"what is no number is not told", test_numbers},
        {"16 KiB are the limit", test_limit},
        {"an empty line ends a request", test_whole},
        CU_TEST_INFO_NULL,
    };

    return run_tests("request", tests);
}
