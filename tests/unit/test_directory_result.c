/* test_directory_result - every LDAP result code a row */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_result.h"
#include "unit.h"

#include <ldap.h>
#include <string.h>

#define YES DIRECTORY_YES
#define NO DIRECTORY_NO
#define NONE DIRECTORY_NO_ANSWER

/* Every code of RFC 4511, of its extensions, and of libldap itself. */
static const struct {
    const char *name;
    int code;
    enum directory_class bind;
    enum directory_reason reason;
    enum directory_class search;
} codes[] = {
    {"success", 0, YES, DIRECTORY_NO_REASON, YES},
    {"operationsError", 1, NONE, DIRECTORY_NO_REASON, NONE},
    {"protocolError", 2, NONE, DIRECTORY_NO_REASON, NONE},
    {"timeLimitExceeded", 3, NONE, DIRECTORY_NO_REASON, NONE},
    {"sizeLimitExceeded", 4, NONE, DIRECTORY_NO_REASON, NONE},
    {"compareFalse", 5, NONE, DIRECTORY_NO_REASON, NONE},
    {"compareTrue", 6, NONE, DIRECTORY_NO_REASON, NONE},
    {"authMethodNotSupported", 7, NONE, DIRECTORY_NO_REASON, NONE},
    {"strongerAuthRequired", 8, NONE, DIRECTORY_NO_REASON, NONE},
    {"partialResults", 9, NONE, DIRECTORY_NO_REASON, NONE},
    {"referral", 10, NONE, DIRECTORY_NO_REASON, NONE},
    {"adminLimitExceeded", 11, NONE, DIRECTORY_NO_REASON, NONE},
    {"unavailableCriticalExtension", 12, NONE, DIRECTORY_NO_REASON, NONE},
    {"confidentialityRequired", 13, NONE, DIRECTORY_NO_REASON, NONE},
    {"saslBindInProgress", 14, NONE, DIRECTORY_NO_REASON, NONE},
    {"noSuchAttribute", 16, NONE, DIRECTORY_NO_REASON, NONE},
    {"undefinedAttributeType", 17, NONE, DIRECTORY_NO_REASON, NONE},
    {"inappropriateMatching", 18, NONE, DIRECTORY_NO_REASON, NONE},
    {"constraintViolation", 19, NONE, DIRECTORY_NO_REASON, NONE},
    {"attributeOrValueExists", 20, NONE, DIRECTORY_NO_REASON, NONE},
    {"invalidAttributeSyntax", 21, NONE, DIRECTORY_NO_REASON, NONE},
    {"noSuchObject", 32, NO, DIRECTORY_NO_SUCH_USER, NO},
    {"aliasProblem", 33, NONE, DIRECTORY_NO_REASON, NONE},
    {"invalidDNSyntax", 34, NONE, DIRECTORY_NO_REASON, NONE},
    {"isLeaf", 35, NONE, DIRECTORY_NO_REASON, NONE},
    {"aliasDereferencingProblem", 36, NONE, DIRECTORY_NO_REASON, NONE},
    {"proxyAuthzFailure", 47, NONE, DIRECTORY_NO_REASON, NONE},
    {"inappropriateAuthentication", 48, NO, DIRECTORY_OTHER_REFUSAL, NONE},
    {"invalidCredentials", 49, NO, DIRECTORY_BAD_PASSWORD, NONE},
    {"insufficientAccessRights", 50, NO, DIRECTORY_OTHER_REFUSAL, NONE},
    {"busy", 51, NONE, DIRECTORY_NO_REASON, NONE},
    {"unavailable", 52, NONE, DIRECTORY_NO_REASON, NONE},
    {"unwillingToPerform", 53, NONE, DIRECTORY_NO_REASON, NONE},
    {"loopDetect", 54, NONE, DIRECTORY_NO_REASON, NONE},
    {"sortControlMissing", 60, NONE, DIRECTORY_NO_REASON, NONE},
    {"offsetRangeError", 61, NONE, DIRECTORY_NO_REASON, NONE},
    {"namingViolation", 64, NONE, DIRECTORY_NO_REASON, NONE},
    {"objectClassViolation", 65, NONE, DIRECTORY_NO_REASON, NONE},
    {"notAllowedOnNonLeaf", 66, NONE, DIRECTORY_NO_REASON, NONE},
    {"notAllowedOnRDN", 67, NONE, DIRECTORY_NO_REASON, NONE},
    {"entryAlreadyExists", 68, NONE, DIRECTORY_NO_REASON, NONE},
    {"objectClassModsProhibited", 69, NONE, DIRECTORY_NO_REASON, NONE},
    {"resultsTooLarge", 70, NONE, DIRECTORY_NO_REASON, NONE},
    {"affectsMultipleDSAs", 71, NONE, DIRECTORY_NO_REASON, NONE},
    {"virtualListViewError", 76, NONE, DIRECTORY_NO_REASON, NONE},
    {"other", 80, NONE, DIRECTORY_NO_REASON, NONE},
    {"lcupResourcesExhausted", 113, NONE, DIRECTORY_NO_REASON, NONE},
    {"lcupSecurityViolation", 114, NONE, DIRECTORY_NO_REASON, NONE},
    {"lcupInvalidData", 115, NONE, DIRECTORY_NO_REASON, NONE},
    {"lcupUnsupportedScheme", 116, NONE, DIRECTORY_NO_REASON, NONE},
    {"lcupReloadRequired", 117, NONE, DIRECTORY_NO_REASON, NONE},
    {"canceled", 118, NONE, DIRECTORY_NO_REASON, NONE},
    {"noSuchOperation", 119, NONE, DIRECTORY_NO_REASON, NONE},
    {"tooLate", 120, NONE, DIRECTORY_NO_REASON, NONE},
    {"cannotCancel", 121, NONE, DIRECTORY_NO_REASON, NONE},
    {"assertionFailed", 122, NONE, DIRECTORY_NO_REASON, NONE},
    {"authorizationDenied", 123, NONE, DIRECTORY_NO_REASON, NONE},
    {"syncRefreshRequired", 4096, NONE, DIRECTORY_NO_REASON, NONE},
    {"noOperation", 16654, NONE, DIRECTORY_NO_REASON, NONE},
    {"server down", LDAP_SERVER_DOWN, NONE, DIRECTORY_NO_REASON, NONE},
    {"local error", LDAP_LOCAL_ERROR, NONE, DIRECTORY_NO_REASON, NONE},
    {"encoding", LDAP_ENCODING_ERROR, NONE, DIRECTORY_NO_REASON, NONE},
    {"decoding", LDAP_DECODING_ERROR, NONE, DIRECTORY_NO_REASON, NONE},
    {"time-out", LDAP_TIMEOUT, NONE, DIRECTORY_NO_REASON, NONE},
    {"auth unknown", LDAP_AUTH_UNKNOWN, NONE, DIRECTORY_NO_REASON, NONE},
    {"filter", LDAP_FILTER_ERROR, NONE, DIRECTORY_NO_REASON, NONE},
    {"cancelled", LDAP_USER_CANCELLED, NONE, DIRECTORY_NO_REASON, NONE},
    {"parameter", LDAP_PARAM_ERROR, NONE, DIRECTORY_NO_REASON, NONE},
    {"no memory", LDAP_NO_MEMORY, NONE, DIRECTORY_NO_REASON, NONE},
    {"connect", LDAP_CONNECT_ERROR, NONE, DIRECTORY_NO_REASON, NONE},
    {"unsupported", LDAP_NOT_SUPPORTED, NONE, DIRECTORY_NO_REASON, NONE},
    {"no control", LDAP_CONTROL_NOT_FOUND, NONE, DIRECTORY_NO_REASON, NONE},
    {"none", LDAP_NO_RESULTS_RETURNED, NONE, DIRECTORY_NO_REASON, NONE},
    {"more", LDAP_MORE_RESULTS_TO_RETURN, NONE, DIRECTORY_NO_REASON, NONE},
    {"loop", LDAP_CLIENT_LOOP, NONE, DIRECTORY_NO_REASON, NONE},
    {"hops", LDAP_REFERRAL_LIMIT_EXCEEDED, NONE, DIRECTORY_NO_REASON, NONE},
    {"connecting", LDAP_X_CONNECTING, NONE, DIRECTORY_NO_REASON, NONE},
    {"never heard of", 31337, NONE, DIRECTORY_NO_REASON, NONE},
};

static void classes_every_code(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        enum directory_reason reason = DIRECTORY_SEVERAL_ENTRIES;

        CHECK_CASE(codes[i].name,
                   directory_bind_class(codes[i].code, "", &reason) ==
                       codes[i].bind);
        CHECK_CASE(codes[i].name, reason == codes[i].reason);
        CHECK_CASE(codes[i].name,
                   directory_search_class(codes[i].code) == codes[i].search);
        CHECK_CASE(codes[i].name,
                   strlen(directory_code_text(codes[i].code)) > 0);
    }
}

static void takes_no_unlisted_code_for_an_answer(void)
{
    for (int code = -200; code < 5000; code++) {
        enum directory_reason reason;
        bool definite = code == 0 || code == 32 || (code >= 48 && code <= 50);

        if (definite)
            continue;
        if (directory_bind_class(code, "", &reason) != NONE)
            CHECK_CASE("bind", code == -9999);
        if (directory_search_class(code) != NONE)
            CHECK_CASE("search", code == -9999);
    }
}

#define AD(data)                                                               \
    "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext "        \
    "error, data " data ", v2580"

/* Texts with 49, 19 and 53, as the servers write them. */
static const struct {
    const char *name;
    int code;
    const char *diagnostic;
    enum directory_class bind;
    enum directory_reason reason;
} texts[] = {
    {"AD no such user", 49, AD("525"), NO, DIRECTORY_NO_SUCH_USER},
    {"AD bad password", 49, AD("52e"), NO, DIRECTORY_BAD_PASSWORD},
    {"AD bad password, capitals", 49, AD("52E"), NO, DIRECTORY_BAD_PASSWORD},
    {"AD restriction", 49, AD("52f"), NO, DIRECTORY_OTHER_REFUSAL},
    {"AD hours", 49, AD("530"), NO, DIRECTORY_NOT_NOW},
    {"AD workstation", 49, AD("531"), NO, DIRECTORY_NOT_FROM_HERE},
    {"AD password expired", 49, AD("532"), NO, DIRECTORY_PASSWORD_EXPIRED},
    {"AD disabled", 49, AD("533"), NO, DIRECTORY_ACCOUNT_DISABLED},
    {"AD expired", 49, AD("701"), NO, DIRECTORY_ACCOUNT_EXPIRED},
    {"AD must change", 49, AD("773"), NO, DIRECTORY_MUST_CHANGE},
    {"AD locked", 49, AD("775"), NO, DIRECTORY_ACCOUNT_LOCKED},
    {"AD no controller", 49, AD("51f"), NONE, DIRECTORY_NO_REASON},
    {"AD unknown sub-code", 49, AD("999"), NO, DIRECTORY_OTHER_REFUSAL},
    {"AD sub-code 0", 49, AD("0"), NO, DIRECTORY_OTHER_REFUSAL},
    {"AD without a number", 49, AD("zz"), NO, DIRECTORY_BAD_PASSWORD},
    {"AD text cut", 49, "AcceptSecurityContext error, data ", NO,
     DIRECTORY_BAD_PASSWORD},
    {"another code with a sub-code", 53, AD("52e"), NONE, DIRECTORY_NO_REASON},
    {"ppolicy expired", 49, "Password expired", NO, DIRECTORY_PASSWORD_EXPIRED},
    {"ppolicy locked", 49, "Account locked", NO, DIRECTORY_ACCOUNT_LOCKED},
    {"ppolicy must change", 49, "Password must be changed", NO,
     DIRECTORY_MUST_CHANGE},
    {"389-DS expired", 49, "password expired!", NO, DIRECTORY_PASSWORD_EXPIRED},
    {"389-DS retry limit", 19, "Exceed password retry limit. Please try later.",
     NO, DIRECTORY_ACCOUNT_LOCKED},
    {"389-DS inactivated", 53,
     "Account inactivated. Contact system administrator.", NO,
     DIRECTORY_ACCOUNT_DISABLED},
    {"FreeIPA locked", 53, "Entry permanently locked.\n", NO,
     DIRECTORY_ACCOUNT_LOCKED},
    {"FreeIPA many failures", 53, "Too many failed logins.\n", NO,
     DIRECTORY_ACCOUNT_LOCKED},
    {"FreeIPA principal", 53, "Account (Kerberos principal) is expired", NO,
     DIRECTORY_ACCOUNT_EXPIRED},
    {"slapd refuses an unauthenticated bind", 53,
     "unauthenticated bind (DN with no password) disallowed", NONE,
     DIRECTORY_NO_REASON},
    {"busy with a policy's words", 51, "Account locked", NONE,
     DIRECTORY_NO_REASON},
    {"any other text", 49, "Invalid Credentials", NO, DIRECTORY_BAD_PASSWORD},
};

static void decodes_diagnostic_texts(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        enum directory_reason reason = DIRECTORY_SEVERAL_ENTRIES;

        CHECK_CASE(texts[i].name,
                   directory_bind_class(texts[i].code, texts[i].diagnostic,
                                        &reason) == texts[i].bind);
        CHECK_CASE(texts[i].name, reason == texts[i].reason);
    }
}

static void names_every_reason(void)
{
    for (int i = 0; i <= DIRECTORY_OTHER_REFUSAL; i++) {
        const char *name = directory_reason_name((enum directory_reason)i);

        CU_ASSERT_PTR_NOT_NULL(name);
    }
    CU_ASSERT_STRING_EQUAL(directory_reason_name(DIRECTORY_ACCOUNT_LOCKED),
                           "account_locked");
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"classes every code", classes_every_code},
        {"takes no unlisted code for an answer",
         takes_no_unlisted_code_for_an_answer},
        {"decodes diagnostic texts", decodes_diagnostic_texts},
        {"names every reason", names_every_reason},
        CU_TEST_INFO_NULL,
    };

    return run_tests("directory_result", tests);
}
