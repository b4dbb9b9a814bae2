/*
 * sync_print - digests by which a run knows that nothing changed
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TOOLS_SYNC_PRINT_H
#define TOOLS_SYNC_PRINT_H

#include "directory.h"
#include "settings.h"
#include "status.h"

#include <stdint.h>

#define SYNC_DIGEST_SIZE 65 /* SHA-256 in hexadecimal, and NUL */

struct sync_print;

/*
 * Makes what digests entries of one directory, as its mapping and templates
 * are now. STATUS_OK and an owned *print_r, or STATUS_TEMPFAIL.
 */
enum status sync_print_new(const struct settings *settings,
                           const struct directory_settings *dir,
                           struct sync_print **print_r,
                           struct errtext *err) MUST_CHECK;
void sync_print_free(struct sync_print **print);

/*
 * The digest of an entry together with what is made of it by the settings, so
 * that a new template makes everybody look changed. Never 0, but for a failure
 * of OpenSSL: 0 is equal to nothing.
 */
uint64_t sync_print_entry(struct sync_print *print,
                          const struct directory_entry *entry);

/*
 * What mailbox.sync_print has for an entry and the fingerprint (of provision)
 * it led to; and the way back. A fingerprint that somebody else changed, or
 * none, makes the entry look changed.
 */
uint64_t sync_print_stored(uint64_t entry, const char *fingerprint);

/*
 * Digests of what has to stay the same for removals (host, base_dn, filter,
 * username_field, id_field), and for a cookie (base, filter, attributes,
 * identity). STATUS_OK, or STATUS_TEMPFAIL.
 */
enum status sync_digest_removals(const struct directory_settings *dir,
                                 char out[SYNC_DIGEST_SIZE],
                                 struct errtext *err) MUST_CHECK;
enum status sync_digest_cookie(const struct directory_settings *dir,
                               char out[SYNC_DIGEST_SIZE],
                               struct errtext *err) MUST_CHECK;

#endif
