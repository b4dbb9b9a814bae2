/*
 * password - local hashes and app passwords
 *
 * Verifies every Dovecot "{SCHEME}hash" that libxcrypt, OpenSSL and (built
 * with it) libsodium can compute; the scheme's case does not matter, and
 * ".HEX", ".B64" or ".BASE64" may name the encoding:
 *
 *   ARGON2I ARGON2ID                                      (libsodium)
 *   CRYPT BLF-CRYPT DES-CRYPT MD5-CRYPT SHA256-CRYPT SHA512-CRYPT
 *   MD5 (crypt or digest) LDAP-MD5 PLAIN-MD5 SHA SHA1 SHA256 SHA512
 *   PLAIN-MD4                                 (where OpenSSL still has MD4)
 *   SMD5 SSHA SSHA256 SSHA512 PBKDF2 PBKDF2-SHA512 SCRAM-SHA-1 SCRAM-SHA-256
 *   CLEAR CLEARTEXT PLAIN PLAIN-TRUNC
 *
 * At most a fixed number run at once, because a hash is made to cost CPU and
 * memory; one that would cost more than any sane setting is not begun.
 * Thread-safe. Nothing of a password outlives a call.
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

/* Bounds of what a stored hash may ask for. */
#define PASSWORD_HASH_BYTES_MAX 1024
#define PASSWORD_MEMORY_MIB_MAX 1024
#define PASSWORD_ROUNDS_MAX 10000000

/*
 * Checks, without computing anything, that password_verify could verify this
 * hash. Returns STATUS_OK, or STATUS_INVALID with the reason in err.
 */
enum status password_check(const char *hash, struct errtext *err) MUST_CHECK;

/*
 * Compares password with hash, waiting for a place until deadline_ms.
 *
 * Returns STATUS_OK: it is the password; STATUS_DENIED: it is not, as an empty
 * one never is, and as nothing is where crypt(5) says so ("{CRYPT}!...");
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

/* Of a text of SCRAM-SHA-256 keys, NUL included. */
#define PASSWORD_KEYS_BYTES 256

/*
 * Makes "{SCRAM-SHA-256}..." of password: a hash that password_verify takes and
 * of which password_scram_keys makes keys.
 *
 * Returns STATUS_OK and an owned *hash_r; STATUS_INVALID for a password that
 * is empty, or has other than printable ASCII, of which clients do not make
 * the same; STATUS_TEMPFAIL without memory or randomness.
 */
enum status password_scram(const char *password, char **hash_r,
                           struct errtext *err) MUST_CHECK;

/*
 * Writes the keys of a stored hash as RFC 5803 has them,
 * "SCRAM-SHA-256$rounds:salt$StoredKey:ServerKey": a secret.
 * STATUS_NOT_FOUND: the hash is of another scheme, or malformed.
 */
enum status password_scram_keys(const char *hash,
                                char keys_r[PASSWORD_KEYS_BYTES]) MUST_CHECK;

/*
 * Writes keys that no password fits and that look like those of password_scram;
 * for one secret and name they are always the same. STATUS_TEMPFAIL.
 */
enum status password_scram_decoy(const char *secret, const char *name,
                                 char keys_r[PASSWORD_KEYS_BYTES],
                                 struct errtext *err) MUST_CHECK;

/*
 * True if text has the form of an app password ("pv-" and eight groups of four
 * of a 32-letter alphabet, the last one a check): such a text is never sent to
 * a directory, so that a stale one locks nobody.
 */
bool password_is_app(const char *text);

/* Of "pv-xxxx-xxxx-xxxx-xxxx-xxxx-xxxx-xxxx-xxxx", NUL included. */
#define PASSWORD_APP_BYTES 43

/*
 * Makes a new app password: 140 bits of getrandom(2).
 * STATUS_TEMPFAIL: no randomness.
 */
enum status password_app_new(char text_r[PASSWORD_APP_BYTES],
                             struct errtext *err) MUST_CHECK;

/*
 * Makes "{SSHA256}..." of an app password. It needs no slow hash, because
 * nobody tries 2^140 of them; and a login may have to try a hundred hashes.
 * Returns STATUS_OK and an owned *hash_r, or STATUS_TEMPFAIL.
 */
enum status password_app_hash(const char *text, char **hash_r,
                              struct errtext *err) MUST_CHECK;

#endif
