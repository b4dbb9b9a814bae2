/* directory_result - see directory_result.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "directory_result.h"

#include "status.h"

#include <ldap.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * The codes that say something about a person. All others, known or not, are
 * no answer: a server that is busy, shut down, misconfigured or short of a
 * resource has not looked at the password.
 */
static const struct {
    int code;
    enum directory_class bind;
    enum directory_reason reason;
} bind_answers[] = {
    {LDAP_SUCCESS, DIRECTORY_YES, DIRECTORY_NO_REASON},
    {LDAP_INVALID_CREDENTIALS, DIRECTORY_NO, DIRECTORY_BAD_PASSWORD},
    /* The entry has no password (389-DS). */
    {LDAP_INAPPROPRIATE_AUTH, DIRECTORY_NO, DIRECTORY_OTHER_REFUSAL},
    /* This person may not bind. */
    {LDAP_INSUFFICIENT_ACCESS, DIRECTORY_NO, DIRECTORY_OTHER_REFUSAL},
    /* The entry went between search and bind. */
    {LDAP_NO_SUCH_OBJECT, DIRECTORY_NO, DIRECTORY_NO_SUCH_USER},
};

/* Windows error numbers behind "data", in hexadecimal as they are printed. */
static const struct {
    unsigned long code;
    enum directory_class bind;
    enum directory_reason reason;
} sub_codes[] = {
    {0x525, DIRECTORY_NO, DIRECTORY_NO_SUCH_USER},
    {0x52e, DIRECTORY_NO, DIRECTORY_BAD_PASSWORD},
    {0x530, DIRECTORY_NO, DIRECTORY_NOT_NOW},
    {0x531, DIRECTORY_NO, DIRECTORY_NOT_FROM_HERE},
    {0x532, DIRECTORY_NO, DIRECTORY_PASSWORD_EXPIRED},
    {0x533, DIRECTORY_NO, DIRECTORY_ACCOUNT_DISABLED},
    {0x701, DIRECTORY_NO, DIRECTORY_ACCOUNT_EXPIRED},
    {0x773, DIRECTORY_NO, DIRECTORY_MUST_CHANGE},
    {0x775, DIRECTORY_NO, DIRECTORY_ACCOUNT_LOCKED},
    /* No domain controller could be asked. */
    {0x51f, DIRECTORY_NO_ANSWER, DIRECTORY_NO_REASON},
};

/*
 * What password policies write: OpenLDAP's ppolicy (its control's texts),
 * 389-DS and FreeIPA. They come with 49, and with 19 and 53 too, which without
 * such words are no answer.
 */
static const struct {
    const char *words;
    enum directory_reason reason;
} policy_words[] = {
    {"must be changed", DIRECTORY_MUST_CHANGE},
    {"must change", DIRECTORY_MUST_CHANGE},
    {"password expired", DIRECTORY_PASSWORD_EXPIRED},
    {"password is expired", DIRECTORY_PASSWORD_EXPIRED},
    {"password has expired", DIRECTORY_PASSWORD_EXPIRED},
    {"principal is expired", DIRECTORY_ACCOUNT_EXPIRED},
    {"principal) is expired", DIRECTORY_ACCOUNT_EXPIRED},
    {"account expired", DIRECTORY_ACCOUNT_EXPIRED},
    {"account is expired", DIRECTORY_ACCOUNT_EXPIRED},
    {"account has expired", DIRECTORY_ACCOUNT_EXPIRED},
    {"account inactivated", DIRECTORY_ACCOUNT_DISABLED},
    {"account is inactive", DIRECTORY_ACCOUNT_DISABLED},
    {"account disabled", DIRECTORY_ACCOUNT_DISABLED},
    {"account is disabled", DIRECTORY_ACCOUNT_DISABLED},
    {"account locked", DIRECTORY_ACCOUNT_LOCKED},
    {"account is locked", DIRECTORY_ACCOUNT_LOCKED},
    {"entry permanently locked", DIRECTORY_ACCOUNT_LOCKED},
    {"exceed password retry limit", DIRECTORY_ACCOUNT_LOCKED},
    {"too many failed logins", DIRECTORY_ACCOUNT_LOCKED},
};

static const char *const reason_names[] = {
    [DIRECTORY_NO_REASON] = "no_reason",
    [DIRECTORY_BAD_PASSWORD] = "bad_password",
    [DIRECTORY_NO_SUCH_USER] = "no_such_user",
    [DIRECTORY_PASSWORD_EXPIRED] = "password_expired",
    [DIRECTORY_MUST_CHANGE] = "must_change_password",
    [DIRECTORY_ACCOUNT_EXPIRED] = "account_expired",
    [DIRECTORY_ACCOUNT_DISABLED] = "account_disabled",
    [DIRECTORY_ACCOUNT_LOCKED] = "account_locked",
    [DIRECTORY_NOT_NOW] = "not_at_this_time",
    [DIRECTORY_NOT_FROM_HERE] = "not_from_here",
    [DIRECTORY_SEVERAL_ENTRIES] = "several_entries",
    [DIRECTORY_OTHER_REFUSAL] = "other_refusal",
};

const char *directory_reason_name(enum directory_reason reason)
{
    return reason_names[reason];
}

/*
 * Reads "AcceptSecurityContext error, data 52e, v3839". Returns true if there
 * is a sub-code; one we do not know is still a definite no, but not a wrong
 * password.
 */
static bool read_sub_code(const char *diagnostic, enum directory_class *class_r,
                          enum directory_reason *reason_r)
{
    const char *data = strstr(diagnostic, "AcceptSecurityContext error, data ");
    char *end = NULL;
    unsigned long code;

    if (data == NULL)
        return false;
    data += strlen("AcceptSecurityContext error, data ");
    code = strtoul(data, &end, 16);
    if (end == data)
        return false;
    *class_r = DIRECTORY_NO;
    *reason_r = DIRECTORY_OTHER_REFUSAL;
    for (size_t i = 0; i < ARRAY_SIZE(sub_codes); i++) {
        if (sub_codes[i].code == code) {
            *class_r = sub_codes[i].bind;
            *reason_r = sub_codes[i].reason;
        }
    }
    return true;
}

static bool contains(const char *text, const char *words)
{
    size_t len = strlen(words);

    for (; *text != '\0'; text++) {
        if (strncasecmp(text, words, len) == 0)
            return true;
    }
    return false;
}

static bool read_policy(const char *diagnostic, enum directory_reason *reason_r)
{
    for (size_t i = 0; i < ARRAY_SIZE(policy_words); i++) {
        if (contains(diagnostic, policy_words[i].words)) {
            *reason_r = policy_words[i].reason;
            return true;
        }
    }
    return false;
}

enum directory_class directory_bind_class(int code, const char *diagnostic,
                                          enum directory_reason *reason_r)
{
    enum directory_class class = DIRECTORY_NO_ANSWER;
    enum directory_reason reason = DIRECTORY_NO_REASON;

    for (size_t i = 0; i < ARRAY_SIZE(bind_answers); i++) {
        if (bind_answers[i].code == code) {
            class = bind_answers[i].bind;
            reason = bind_answers[i].reason;
        }
    }
    if (code == LDAP_INVALID_CREDENTIALS) {
        if (!read_sub_code(diagnostic, &class, &reason))
            (void)read_policy(diagnostic, &reason);
    } else if (code == LDAP_CONSTRAINT_VIOLATION ||
               code == LDAP_UNWILLING_TO_PERFORM) {
        if (read_policy(diagnostic, &reason))
            class = DIRECTORY_NO;
    }
    *reason_r = reason;
    return class;
}

enum directory_class directory_search_class(int code)
{
    if (code == LDAP_SUCCESS)
        return DIRECTORY_YES;
    return code == LDAP_NO_SUCH_OBJECT ? DIRECTORY_NO : DIRECTORY_NO_ANSWER;
}

const char *directory_code_text(int code)
{
    switch (code) {
    case LDAP_SERVER_DOWN:
        return "connection lost";
    case LDAP_TIMEOUT:
        return "no answer in time";
    case LDAP_SIZELIMIT_EXCEEDED:
        return "size limit exceeded (answer incomplete)";
    case LDAP_ADMINLIMIT_EXCEEDED:
        return "administrative limit exceeded (answer incomplete)";
    default:
        return ldap_err2string(code);
    }
}
