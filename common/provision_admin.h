/*
 * provision_admin - plans that an administrator makes, not a directory
 *
 * Pure, as provision is. apply carries them out by the same rules: the limits
 * of the domain, one transaction, one event.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_PROVISION_ADMIN_H
#define COMMON_PROVISION_ADMIN_H

#include "account.h"
#include "provision.h"
#include "settings.h"
#include "status.h"

/* A mailbox to be made; everything borrowed. */
struct provision_new {
    const char *address; /* canonical */
    enum account_source source;
    const struct directory_settings *dir; /* NULL for ACCOUNT_LOCAL */
    const struct template_settings *template;
    const char *hash; /* local password, or NULL */
};

/*
 * Makes the plan of a new mailbox from its template. It has no directory id
 * and no fingerprint: the first login of its person adopts it.
 * Returns STATUS_OK and *plan_r (plan_clear), or STATUS_TEMPFAIL.
 */
enum status provision_add(const struct settings *settings,
                          const struct provision_new *wanted,
                          struct plan *plan_r, struct errtext *err) MUST_CHECK;

/*
 * Makes the plan that gives a local mailbox what template says, but for what
 * is pinned. Returns STATUS_OK and *plan_r, or STATUS_TEMPFAIL.
 */
enum status provision_retemplate(const struct account *current,
                                 const struct template_settings *template,
                                 struct plan *plan_r,
                                 struct errtext *err) MUST_CHECK;

/*
 * Gives plan the values that wanted has of the settings in bits, and pins
 * them. plan is one that was made by provision_add or provision_retemplate
 * (current is NULL then), or {0}, and then becomes the change of current;
 * PLAN_NOTHING where all is so already.
 *
 * Returns STATUS_OK, or STATUS_TEMPFAIL; plan is to be cleared either way.
 */
enum status provision_edit(const struct account *current,
                           const struct account *wanted, unsigned bits,
                           struct plan *plan, struct errtext *err) MUST_CHECK;

/*
 * Makes the plan that moves current to another canonical address.
 * Returns STATUS_OK and *plan_r, PLAN_NOTHING if it is there; STATUS_TEMPFAIL.
 */
enum status provision_rename(const struct account *current, const char *address,
                             struct plan *plan_r,
                             struct errtext *err) MUST_CHECK;

/*
 * Which settings of account would change if template were applied to it, and
 * *target_r (account_clear), the mailbox as it would be. What is pinned stays.
 * dir (NULL: none) tells whether the directory may have given the quota:
 * account's own is taken for the directory's where the fingerprint says so.
 *
 * Returns STATUS_OK, *bits_r (ACCOUNT_SET_BIT()s; 0: nothing) and *target_r;
 * STATUS_TEMPFAIL without memory.
 */
enum status provision_affected(const struct account *account,
                               const struct template_settings *template,
                               const struct directory_settings *dir,
                               unsigned *bits_r, struct account *target_r,
                               struct errtext *err) MUST_CHECK;

/* ACCOUNT_SET_BIT()s of what reads differently in a and b. */
enum status provision_differences(const struct account *a,
                                  const struct account *b, unsigned *bits_r,
                                  struct errtext *err) MUST_CHECK;

#endif
