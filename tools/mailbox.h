/*
 * mailbox - what the commands about mailboxes share
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_MAILBOX_H
#define TOOLS_MAILBOX_H

#include "account.h"
#include "apply.h"
#include "provision.h"
#include "store.h"
#include "tool.h"

/*
 * Opens the store and reads the mailbox that word names, alias domains
 * resolved. EX_OK and *found_r (store_found_clear), or the exit code, with a
 * message.
 */
int mailbox_read(struct tool *tool, const char *word,
                 struct store_found *found_r);

/*
 * The directory of the settings that serves the domain of an address.
 * EX_OK and a borrowed *set_r, or EX_CONFIG with a message.
 */
int mailbox_directory(const struct tool *tool, const char *address,
                      const struct directory_settings **set_r);

/*
 * Carries a plan out. EX_OK; EX_NOPERM with the limit that said no, in
 * numbers; EX_TEMPFAIL; and *again_r where somebody else was faster and the
 * mailbox is to be read again.
 */
int mailbox_apply(struct tool *tool, const struct plan *plan, bool *again_r);

/*
 * Hashes a local password, so that SCRAM keys can be made of it where some
 * socket of authd gives them away; tells if that cannot be.
 * STATUS_OK and an owned *hash_r, a secret; or as password_hash.
 */
enum status mailbox_hash(const struct tool *tool, const char *password,
                         char **hash_r, struct errtext *err) MUST_CHECK;

/* Prints "quota: 5G -> 10G" for each of the settings in bits. */
void mailbox_print_changes(const struct account *before,
                           const struct account *after, unsigned bits);

/* Plans made again because somebody else was faster. */
#define MAILBOX_PLANS_MAX 5

#endif
