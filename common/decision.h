/*
 * decision - what one login attempt is told (pure)
 *
 * The table of decision.c is the specification: every way an attempt can go,
 * and its one answer. A failure of ours is temporary; a wrong password is
 * wrong; a right password at a closed gate is refused.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DECISION_H
#define COMMON_DECISION_H

#include "account.h"
#include "directory.h"
#include "settings.h"
#include "status.h"

#include <stdbool.h>

enum login_result {
    LOGIN_IN,       /* 235 */
    LOGIN_WRONG,    /* 535; the only one that fail2ban and throttle count */
    LOGIN_REFUSED,  /* 535; right password, or nothing to compare it with */
    LOGIN_TEMPORARY /* 454 */
};

/* Constant word for logs: "ok", "wrong", "refused", "temporary". */
const char *login_result_name(enum login_result result);

struct decision {
    enum login_result result;
    const char *reason; /* constant code ("wrong_password", "limit", ...) */
};

/*
 * What verifying a password said: status as from directory_verify,
 * password_verify or directory_find (NOT_FOUND: no such person), with the
 * directory's reason. STATUS_OK: LOGIN_IN for now, the gates come next.
 */
struct decision decision_password(enum status status,
                                  enum directory_reason reason);

/*
 * The gates behind a right password: domain, mailbox, state, protocol.
 * account is the mailbox as it is or is about to be; service is one
 * enum account_service bit; 0, a service that is none of ours, is refused.
 */
struct decision decision_gates(bool domain_known, bool domain_active,
                               const struct account *account, unsigned service);

/*
 * The gates for mail that comes in, before a mailbox is made for it: as above,
 * but logins may be closed, and no protocol is asked for.
 */
struct decision decision_delivery(bool domain_known, bool domain_active,
                                  const struct account *account);

/*
 * A right password for which the mailbox could not be made (a limit, no
 * template, address taken): as on_provisioning_refused says.
 */
struct decision decision_not_provisioned(enum provisioning_refused choice,
                                         const char *reason);

#endif
