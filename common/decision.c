/* decision - see decision.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "decision.h"

#include <stddef.h>

const char *login_result_name(enum login_result result)
{
    switch (result) {
    case LOGIN_IN:
        return "ok";
    case LOGIN_WRONG:
        return "wrong";
    case LOGIN_REFUSED:
        return "refused";
    case LOGIN_TEMPORARY:
        return "temporary";
    }
    return "temporary";
}

/*
 * A definite no: only a bad password and a person who is not there are
 * "wrong". The rest means that the person is known and a gate of the directory
 * is closed; most servers say so only after the right password.
 */
static struct decision decision_denied(enum directory_reason reason)
{
    struct decision decision = {LOGIN_REFUSED, directory_reason_name(reason)};

    switch (reason) {
    case DIRECTORY_NO_REASON:
    case DIRECTORY_BAD_PASSWORD:
        decision.result = LOGIN_WRONG;
        decision.reason = "wrong_password";
        break;
    case DIRECTORY_NO_SUCH_USER:
        decision.result = LOGIN_WRONG;
        decision.reason = "unknown_user";
        break;
    case DIRECTORY_PASSWORD_EXPIRED:
    case DIRECTORY_MUST_CHANGE:
    case DIRECTORY_ACCOUNT_EXPIRED:
    case DIRECTORY_ACCOUNT_DISABLED:
    case DIRECTORY_ACCOUNT_LOCKED:
    case DIRECTORY_NOT_NOW:
    case DIRECTORY_NOT_FROM_HERE:
    case DIRECTORY_SEVERAL_ENTRIES:
    case DIRECTORY_OTHER_REFUSAL:
        break;
    }
    return decision;
}

struct decision decision_password(enum status status,
                                  enum directory_reason reason)
{
    struct decision decision = {LOGIN_TEMPORARY, "no_answer"};

    switch (status) {
    case STATUS_OK:
        decision.result = LOGIN_IN;
        decision.reason = "ok";
        break;
    case STATUS_NOT_FOUND:
        decision.result = LOGIN_WRONG;
        decision.reason = "unknown_user";
        break;
    case STATUS_DENIED:
        decision = decision_denied(reason);
        break;
    case STATUS_INVALID:
        decision.result = LOGIN_REFUSED;
        decision.reason = "unusable_entry";
        break;
    case STATUS_TEMPFAIL:
        break;
    }
    return decision;
}

/* Names the strictest of the three states; "" when logins are open. */
static const char *closed_by(const struct account *account)
{
    if (account_access(account) == ACCOUNT_OPEN)
        return "";
    if (account->admin_state != ACCOUNT_UNBLOCKED)
        return "blocked_by_administrator";
    if (account->directory_state == ACCOUNT_DISABLED)
        return "disabled_in_directory";
    if (account->directory_state == ACCOUNT_MISSING ||
        account->directory_state == ACCOUNT_GONE)
        return "missing_in_directory";
    return "closed_by_template";
}

struct decision decision_gates(bool domain_known, bool domain_active,
                               const struct account *account, unsigned service)
{
    struct decision decision = {LOGIN_REFUSED, ""};

    if (!domain_known)
        decision.reason = "unknown_domain";
    else if (!domain_active)
        decision.reason = "domain_inactive";
    else if (account == NULL || account->address == NULL)
        decision.reason = "no_mailbox";
    else if (account_access(account) != ACCOUNT_OPEN)
        decision.reason = closed_by(account);
    else if (service == 0)
        decision.reason = "unknown_service";
    else if ((account->set.services & service) == 0)
        decision.reason = "service_not_allowed";
    else
        decision = (struct decision){LOGIN_IN, "ok"};
    return decision;
}

struct decision decision_delivery(bool domain_known, bool domain_active,
                                  const struct account *account)
{
    struct decision decision = {LOGIN_REFUSED, ""};

    if (!domain_known)
        decision.reason = "unknown_domain";
    else if (!domain_active)
        decision.reason = "domain_inactive";
    else if (account == NULL || account->address == NULL)
        decision.reason = "no_mailbox";
    else if (account_access(account) == ACCOUNT_OFF)
        decision.reason = closed_by(account);
    else
        decision = (struct decision){LOGIN_IN, "ok"};
    return decision;
}

struct decision decision_not_provisioned(enum provisioning_refused choice,
                                         const char *reason)
{
    struct decision decision = {LOGIN_TEMPORARY, reason};

    switch (choice) {
    case REFUSED_TEMPORARY:
        break;
    case REFUSED_REFUSE:
        decision.result = LOGIN_REFUSED;
        break;
    }
    return decision;
}
