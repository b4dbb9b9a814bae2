/*
 * password_private - what the rooms of password share; nobody else includes it
 *
 * password.c holds the gate and the public calls, password_parse.c reads a
 * stored hash and what it would cost, password_compute.c compares;
 * password_scram.c knows SCRAM.
 */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_PASSWORD_PRIVATE_H
#define COMMON_PASSWORD_PRIVATE_H

#include "password.h"

#include <stddef.h>

enum password_kind {
    PASSWORD_PLAIN,
    PASSWORD_TRUNC, /* "8-eightbyt" */
    PASSWORD_CRYPT,
    PASSWORD_DIGEST,
    PASSWORD_SALTED, /* digest(password, salt), salt */
    PASSWORD_PBKDF2,
    PASSWORD_SCRAM, /* StoredKey and ServerKey of RFC 5802 */
    PASSWORD_ARGON2
};

/* A stored hash, read and found computable. */
struct password_parsed {
    enum password_kind kind;
    const char *digest; /* OpenSSL's name */
    size_t digest_len;
    unsigned rounds; /* of PBKDF2 and SCRAM */
    size_t trunc;    /* of PLAIN-TRUNC: so many bytes are compared */
    /* Decoded and terminated; for PBKDF2 and PLAIN-TRUNC the key. */
    unsigned char data[PASSWORD_HASH_BYTES_MAX + 1];
    size_t len;
    unsigned char salt[PASSWORD_HASH_BYTES_MAX + 1]; /* likewise */
    size_t salt_len;
};

/* STATUS_OK, or STATUS_INVALID with the reason. Wipe *parsed_r afterwards. */
enum status password_parse(const char *hash, struct password_parsed *parsed_r,
                           struct errtext *err) MUST_CHECK;

/* STATUS_OK: the same; STATUS_DENIED; STATUS_TEMPFAIL: could not compute. */
enum status password_compute(const struct password_parsed *parsed,
                             const char *password,
                             struct errtext *err) MUST_CHECK;

/*
 * Decodes base64, padded or not, into out, which has len bytes. False for what
 * is none, or has bits at the end that stand for nothing.
 */
bool password_base64(const char *text, size_t len, unsigned char *out,
                     size_t *len_r) MUST_CHECK;

/* Reads "rounds,salt,StoredKey,ServerKey", as Dovecot writes it. */
enum status password_scram_parse(struct password_parsed *parsed,
                                 const char *text,
                                 struct errtext *err) MUST_CHECK;

/* As password_compute. */
enum status password_scram_compare(const struct password_parsed *parsed,
                                   const char *password,
                                   struct errtext *err) MUST_CHECK;

#endif
