/*
 * password - local hashes and app passwords
 *
 * Verifies every Dovecot "{SCHEME}hash" that libxcrypt, OpenSSL and (built
 * with it) libsodium can compute: the list is in reference.md section 7. At
 * most a fixed number run at once, because a hash is made to cost CPU and
 * memory. Thread-safe. Nothing of a password outlives a call.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_PASSWORD_H
#define COMMON_PASSWORD_H

#include "status.h"

#include <stdbool.h>
#include <stdint.h>

struct password_gate;

/* Makes a gate for at_once (1 or more) hashes. NULL without memory. */
struct password_gate *password_gate_new(unsigned at_once);

/* Frees *gate and sets it to NULL; it may be NULL. */
void password_gate_free(struct password_gate **gate);

/*
 * Compares password with hash, waiting for a place until deadline_ms.
 *
 * Returns STATUS_OK: it is the password; STATUS_DENIED: it is not;
 * STATUS_TEMPFAIL: nobody can say (a scheme we cannot verify, a hash without
 * scheme or malformed, no place in time, no memory), with the reason in err.
 */
enum status password_verify(struct password_gate *gate, const char *hash,
                            const char *password, int64_t deadline_ms,
                            struct errtext *err) MUST_CHECK;

/*
 * Makes "{CRYPT}$y$..." (yescrypt) of password.
 * Returns STATUS_OK and an owned *hash_r; STATUS_INVALID for an empty
 * password; STATUS_TEMPFAIL without memory or randomness.
 */
enum status password_hash(struct password_gate *gate, const char *password,
                          char **hash_r, struct errtext *err) MUST_CHECK;

/*
 * True if text has the form of an app password ("pv-" and five groups of four
 * of a 32-letter alphabet, the last one a check): such a text is never sent to
 * a directory, so that a stale one locks nobody.
 */
bool password_is_app(const char *text);

#define PASSWORD_APP_BYTES 28 /* "pv-xxxx-xxxx-xxxx-xxxx-xxxx", NUL included   \
                               */

/* Makes a new app password: 80 random bits. STATUS_TEMPFAIL: no randomness. */
enum status password_app_new(char text_r[PASSWORD_APP_BYTES],
                             struct errtext *err) MUST_CHECK;

#endif
