/* password_compute - see password_private.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "password_private.h"

#include "secret.h"

#include <crypt.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_LIBSODIUM
#include <sodium.h>
#endif

static enum status verdict(bool same)
{
    return same ? STATUS_OK : STATUS_DENIED;
}

/* Compares without telling where two texts differ. */
static bool same_bytes(const void *a, size_t a_len, const void *b, size_t b_len)
{
    return a_len == b_len && secret_equal(a, b, a_len);
}

static enum status compare_crypt(const char *setting, const char *password,
                                 struct errtext *err)
{
    struct crypt_data *data;
    enum status status = STATUS_TEMPFAIL;
    const char *made;

    /* libxcrypt takes no longer one, so that none was ever stored. */
    if (setting[0] == '!' || setting[0] == '*' ||
        strlen(password) >= CRYPT_MAX_PASSPHRASE_SIZE)
        return STATUS_DENIED;
    data = calloc(1, sizeof(*data));
    if (data == NULL)
        return status_no_memory(err);
    made = crypt_rn(password, setting, data, (int)sizeof(*data));
    if (made == NULL)
        errtext_set(err, "libxcrypt cannot compute the stored hash");
    else
        status =
            verdict(same_bytes(made, strlen(made), setting, strlen(setting)));
    secret_wipe(data, sizeof(*data));
    free(data);
    return status;
}

/* Computes digest(password, salt) in the given library context. */
static bool make_digest(OSSL_LIB_CTX *library, const char *name,
                        const char *password, const unsigned char *salt,
                        size_t salt_len, unsigned char made_r[EVP_MAX_MD_SIZE])
{
    EVP_MD *digest = EVP_MD_fetch(library, name, NULL);
    EVP_MD_CTX *ctx = digest != NULL ? EVP_MD_CTX_new() : NULL;
    bool made = ctx != NULL && EVP_DigestInit_ex(ctx, digest, NULL) == 1 &&
                EVP_DigestUpdate(ctx, password, strlen(password)) == 1 &&
                EVP_DigestUpdate(ctx, salt, salt_len) == 1 &&
                EVP_DigestFinal_ex(ctx, made_r, NULL) == 1;

    EVP_MD_CTX_free(ctx); /* Wipes what it held. */
    EVP_MD_free(digest);
    return made;
}

/*
 * Likewise for MD4, which OpenSSL has put aside: its legacy provider is loaded
 * into a context of our own, so that nothing else in the process sees it.
 */
static bool make_md4(const char *password,
                     unsigned char made_r[EVP_MAX_MD_SIZE])
{
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *legacy =
        library != NULL ? OSSL_PROVIDER_load(library, "legacy") : NULL;
    bool made =
        legacy != NULL && make_digest(library, "MD4", password,
                                      (const unsigned char *)"", 0, made_r);

    if (legacy != NULL)
        (void)OSSL_PROVIDER_unload(legacy);
    OSSL_LIB_CTX_free(library);
    return made;
}

static enum status compare_digest(const struct password_parsed *parsed,
                                  const char *password, struct errtext *err)
{
    const unsigned char *salt = parsed->data + parsed->digest_len;
    size_t salt_len = parsed->len - parsed->digest_len;
    unsigned char made[EVP_MAX_MD_SIZE];
    enum status status = STATUS_TEMPFAIL;
    bool computed;

    if (strcmp(parsed->digest, "MD4") == 0)
        computed = make_md4(password, made);
    else
        computed =
            make_digest(NULL, parsed->digest, password, salt, salt_len, made);
    if (computed)
        status = verdict(secret_equal(made, parsed->data, parsed->digest_len));
    else
        errtext_set(err, "OpenSSL cannot compute %s here", parsed->digest);
    secret_wipe(made, sizeof(made));
    return status;
}

static enum status compare_pbkdf2(const struct password_parsed *parsed,
                                  const char *password, struct errtext *err)
{
    unsigned char made[PASSWORD_HASH_BYTES_MAX];
    EVP_MD *digest = EVP_MD_fetch(NULL, parsed->digest, NULL);
    enum status status = STATUS_TEMPFAIL;

    if (digest != NULL &&
        PKCS5_PBKDF2_HMAC(password, (int)strlen(password), parsed->salt,
                          (int)parsed->salt_len, (int)parsed->rounds, digest,
                          (int)parsed->len, made) == 1)
        status = verdict(secret_equal(made, parsed->data, parsed->len));
    else
        errtext_set(err, "OpenSSL cannot compute PBKDF2 with %s here",
                    parsed->digest);
    secret_wipe(made, sizeof(made));
    EVP_MD_free(digest);
    return status;
}

/* "8-eightbyt" with eight bytes stands for all that begins so. */
static bool same_beginning(const struct password_parsed *parsed,
                           const char *password)
{
    size_t len = strlen(password);

    if (parsed->len == parsed->trunc && len > parsed->trunc)
        len = parsed->trunc;
    return same_bytes(password, len, parsed->data, parsed->len);
}

#ifdef HAVE_LIBSODIUM
static enum status compare_argon2(const char *text, const char *password,
                                  struct errtext *err)
{
    if (sodium_init() < 0) {
        errtext_set(err, "libsodium does not start");
        return STATUS_TEMPFAIL;
    }
    errno = 0;
    if (crypto_pwhash_str_verify(text, password, strlen(password)) == 0)
        return STATUS_OK;
    /* Only a computed and different hash leaves EINVAL behind. */
    if (errno == EINVAL)
        return STATUS_DENIED;
    errtext_set(err, "libsodium cannot compute the stored hash%s",
                errno == ENOMEM ? ": out of memory" : "");
    return STATUS_TEMPFAIL;
}
#else
/* password_parse lets none through. */
static enum status compare_argon2(const char *text, const char *password,
                                  struct errtext *err)
{
    (void)text;
    (void)password;
    errtext_set(err, "built without libsodium");
    return STATUS_TEMPFAIL;
}
#endif

enum status password_compute(const struct password_parsed *parsed,
                             const char *password, struct errtext *err)
{
    const char *text = (const char *)parsed->data;

    switch (parsed->kind) {
    case PASSWORD_PLAIN:
        return verdict(
            same_bytes(password, strlen(password), parsed->data, parsed->len));
    case PASSWORD_TRUNC:
        return verdict(same_beginning(parsed, password));
    case PASSWORD_CRYPT:
        return compare_crypt(text, password, err);
    case PASSWORD_DIGEST:
    case PASSWORD_SALTED:
        return compare_digest(parsed, password, err);
    case PASSWORD_PBKDF2:
        return compare_pbkdf2(parsed, password, err);
    case PASSWORD_SCRAM:
        return password_scram_compare(parsed, password, err);
    case PASSWORD_ARGON2:
        return compare_argon2(text, password, err);
    }
    return STATUS_TEMPFAIL;
}
