/*
 * login_choice - which directory is asked about a name, and for what name
 *
 * The login asks these, and `why`, which tells what the login would do: the
 * answer is worked out in one place. Pure; nobody is contacted.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_LOGIN_CHOICE_H
#define COMMON_LOGIN_CHOICE_H

#include "decision.h"
#include "settings.h"
#include "status.h"
#include "store.h"

struct login_choice {
    const struct directory_settings *set; /* borrowed; NULL: none is asked */
    struct decision decision;             /* of a choice of none */
    struct errtext text;                  /* its sentence, "" if none */
};

/*
 * Chooses the directory of name, a login name with a domain: the mailbox's own,
 * else the domain's. found is what the store has of name. A domain that is none
 * of ours has the directory whose login_domains name it, or else one only if
 * people log in by more than the mailbox's address there: it may be a
 * userPrincipalName's.
 */
void login_choose(const struct settings *settings, const char *name,
                  const struct store_found *found,
                  struct login_choice *choice_r);

/*
 * The name to search for in the directory set: the mailbox's address, and in an
 * alias domain that of its target; a bare name itself, but "adex\anna" without
 * what is before it in directories with that windows_domain, and in no others
 * if there is one. found is what the store has of name.
 *
 * STATUS_OK and an owned *searched_r; STATUS_NOT_FOUND: set has no such names;
 * STATUS_TEMPFAIL, no memory.
 */
enum status login_search_name(const struct settings *settings,
                              const struct directory_settings *set,
                              const char *name, const struct store_found *found,
                              char **searched_r,
                              struct errtext *err) MUST_CHECK;

#endif
