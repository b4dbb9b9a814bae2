/* password_scram - see password.h and password_private.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "password_private.h"
#include "secret.h"
#include "strbuf.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SCHEME "{SCRAM-SHA-256}"
#define ROUNDS 15000 /* RFC 7677: 4096 at the least, 15000 recommended */
#define SALT_BYTES 16
#define KEY_BYTES 32
#define ROUNDS_MIN 4096 /* libsasl2 and clients take no fewer */

/* Room for the base64 of len bytes and its end. */
#define BASE64_BYTES(len) (((len) + 2) / 3 * 4 + 1)

/* What stands between the commas of a stored hash; borrowed from it. */
struct fields {
    const char *text[4]; /* rounds, salt, StoredKey, ServerKey */
    size_t len[4];
};

static bool split(const char *text, struct fields *fields)
{
    for (size_t i = 0; i < 4; i++) {
        size_t len = strcspn(text, ",");

        if (len == 0)
            return false;
        fields->text[i] = text;
        fields->len[i] = len;
        text += len;
        if ((*text == ',') != (i < 3))
            return false;
        text += i < 3 ? 1 : 0;
    }
    return true;
}

/* Reads the rounds; 0 for what is no number, or more than are allowed. */
static unsigned read_rounds(const struct fields *fields)
{
    unsigned rounds = 0;

    for (size_t i = 0; i < fields->len[0]; i++) {
        char digit = fields->text[0][i];

        if (digit < '0' || digit > '9' || rounds > PASSWORD_ROUNDS_MAX / 10)
            return 0;
        rounds = rounds * 10 + (unsigned)(digit - '0');
    }
    return rounds <= PASSWORD_ROUNDS_MAX ? rounds : 0;
}

/* Decodes one of the two keys, which is as long as the digest. */
static bool read_key(const struct fields *fields, size_t which,
                     size_t digest_len, unsigned char *key_r)
{
    unsigned char key[PASSWORD_HASH_BYTES_MAX + 1];
    size_t len = 0;

    if (!password_base64(fields->text[which], fields->len[which], key, &len) ||
        len != digest_len)
        return false;
    memcpy(key_r, key, len);
    return true;
}

enum status password_scram_parse(struct password_parsed *parsed,
                                 const char *text, struct errtext *err)
{
    size_t len = parsed->digest_len;
    struct fields fields;

    if (!split(text, &fields) ||
        !password_base64(fields.text[1], fields.len[1], parsed->salt,
                         &parsed->salt_len) ||
        parsed->salt_len == 0 || !read_key(&fields, 2, len, parsed->data) ||
        !read_key(&fields, 3, len, parsed->data + len)) {
        errtext_set(err, "the stored hash is malformed");
        return STATUS_INVALID;
    }
    parsed->len = 2 * len;
    parsed->rounds = read_rounds(&fields);
    if (parsed->rounds > 0)
        return STATUS_OK;
    errtext_set(err, "the stored hash has no number of rounds, or would cost "
                     "too much time");
    return STATUS_INVALID;
}

/* SaltedPassword of RFC 5802, as long as the digest. */
static bool salt_password(const EVP_MD *digest, const char *password,
                          const unsigned char *salt, size_t salt_len,
                          unsigned rounds, unsigned char *salted_r)
{
    return PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt,
                             (int)salt_len, (int)rounds, digest,
                             EVP_MD_get_size(digest), salted_r) == 1;
}

static bool keyed(const EVP_MD *digest, const unsigned char *key,
                  const char *text, unsigned char *out)
{
    unsigned len = 0;

    return HMAC(digest, key, EVP_MD_get_size(digest),
                (const unsigned char *)text, strlen(text), out, &len) != NULL;
}

/* H(HMAC(SaltedPassword, "Client Key")). */
static bool make_stored_key(const EVP_MD *digest, const unsigned char *salted,
                            unsigned char *stored_r)
{
    unsigned char client[EVP_MAX_MD_SIZE];
    size_t len = (size_t)EVP_MD_get_size(digest);
    bool made = keyed(digest, salted, "Client Key", client) &&
                EVP_Digest(client, len, stored_r, NULL, digest, NULL) == 1;

    secret_wipe(client, sizeof(client));
    return made;
}

enum status password_scram_compare(const struct password_parsed *parsed,
                                   const char *password, struct errtext *err)
{
    EVP_MD *digest = EVP_MD_fetch(NULL, parsed->digest, NULL);
    unsigned char salted[EVP_MAX_MD_SIZE];
    unsigned char keys[2 * EVP_MAX_MD_SIZE];
    enum status status = STATUS_TEMPFAIL;

    if (digest != NULL &&
        salt_password(digest, password, parsed->salt, parsed->salt_len,
                      parsed->rounds, salted) &&
        make_stored_key(digest, salted, keys) &&
        keyed(digest, salted, "Server Key", keys + parsed->digest_len))
        status = secret_equal(keys, parsed->data, parsed->len) ? STATUS_OK
                                                               : STATUS_DENIED;
    else
        errtext_set(err, "OpenSSL cannot compute SCRAM with %s here",
                    parsed->digest);
    secret_wipe(salted, sizeof(salted));
    secret_wipe(keys, sizeof(keys));
    EVP_MD_free(digest);
    return status;
}

/* One person's keys, not yet as text. */
struct keys {
    unsigned char salt[SALT_BYTES];
    unsigned char stored[KEY_BYTES];
    unsigned char server[KEY_BYTES];
};

/* Writes the three in base64, with what stands before and between them. */
static bool write_keys(const struct keys *keys, const char *form, char *out,
                       size_t size)
{
    char salt[BASE64_BYTES(SALT_BYTES)];
    char stored[BASE64_BYTES(KEY_BYTES)];
    char server[BASE64_BYTES(KEY_BYTES)];
    bool dollars = form[0] != '{';
    int len;

    (void)EVP_EncodeBlock((unsigned char *)salt, keys->salt, SALT_BYTES);
    (void)EVP_EncodeBlock((unsigned char *)stored, keys->stored, KEY_BYTES);
    (void)EVP_EncodeBlock((unsigned char *)server, keys->server, KEY_BYTES);
    len = snprintf(out, size, "%s%d%c%s%c%s%c%s", form, ROUNDS,
                   dollars ? ':' : ',', salt, dollars ? '$' : ',', stored,
                   dollars ? ':' : ',', server);
    secret_wipe(stored, sizeof(stored));
    secret_wipe(server, sizeof(server));
    return len > 0 && (size_t)len < size;
}

static bool is_plain_ascii(const char *password)
{
    for (; *password != '\0'; password++) {
        if (*password < ' ' || *password > '~')
            return false;
    }
    return true;
}

enum status password_scram(const char *password, char **hash_r,
                           struct errtext *err)
{
    unsigned char salted[KEY_BYTES];
    char text[PASSWORD_KEYS_BYTES];
    struct keys keys;
    enum status status = STATUS_TEMPFAIL;

    if (password[0] == '\0' || !is_plain_ascii(password)) {
        errtext_set(err, "SCRAM needs a password of printable ASCII");
        return STATUS_INVALID;
    }
    if (getrandom(keys.salt, SALT_BYTES, 0) == SALT_BYTES &&
        salt_password(EVP_sha256(), password, keys.salt, SALT_BYTES, ROUNDS,
                      salted) &&
        make_stored_key(EVP_sha256(), salted, keys.stored) &&
        keyed(EVP_sha256(), salted, "Server Key", keys.server) &&
        write_keys(&keys, SCHEME, text, sizeof(text))) {
        *hash_r = strdup(text);
        status = *hash_r != NULL ? STATUS_OK : status_no_memory(err);
    } else {
        errtext_set(err, "OpenSSL made no SCRAM keys, or there is no "
                         "randomness");
    }
    secret_wipe(&keys, sizeof(keys));
    secret_wipe(salted, sizeof(salted));
    secret_wipe(text, sizeof(text));
    return status;
}

enum status password_scram_keys(const char *hash,
                                char keys_r[PASSWORD_KEYS_BYTES])
{
    struct password_parsed parsed = {0};
    struct fields fields;
    bool ours = password_parse(hash, &parsed, NULL) == STATUS_OK &&
                parsed.kind == PASSWORD_SCRAM &&
                parsed.digest_len == KEY_BYTES && parsed.rounds >= ROUNDS_MIN;
    int len = 0;

    secret_wipe(&parsed, sizeof(parsed));
    /* Another encoding than the usual one is as good as none. */
    if (!ours || !split(strchr(hash, '}') + 1, &fields))
        return STATUS_NOT_FOUND;
    len = snprintf(
        keys_r, PASSWORD_KEYS_BYTES, "SCRAM-SHA-256$%.*s:%.*s$%.*s:%.*s",
        (int)fields.len[0], fields.text[0], (int)fields.len[1], fields.text[1],
        (int)fields.len[2], fields.text[2], (int)fields.len[3], fields.text[3]);
    if (len > 0 && len < PASSWORD_KEYS_BYTES)
        return STATUS_OK;
    secret_wipe(keys_r, PASSWORD_KEYS_BYTES);
    return STATUS_NOT_FOUND;
}

enum status password_scram_decoy(const char *secret, const char *name,
                                 char keys_r[PASSWORD_KEYS_BYTES],
                                 struct errtext *err)
{
    unsigned char base[KEY_BYTES];
    unsigned char salt[KEY_BYTES];
    struct keys keys;
    enum status status = STATUS_TEMPFAIL;
    unsigned len = 0;

    if (HMAC(EVP_sha256(), secret, (int)strlen(secret),
             (const unsigned char *)name, strlen(name), base, &len) != NULL &&
        keyed(EVP_sha256(), base, "salt", salt) &&
        keyed(EVP_sha256(), base, "stored", keys.stored) &&
        keyed(EVP_sha256(), base, "server", keys.server)) {
        memcpy(keys.salt, salt, SALT_BYTES);
        if (write_keys(&keys, "SCRAM-SHA-256$", keys_r, PASSWORD_KEYS_BYTES))
            status = STATUS_OK;
    }
    if (status != STATUS_OK)
        errtext_set(err, "OpenSSL made no HMAC-SHA-256");
    secret_wipe(base, sizeof(base));
    secret_wipe(&keys, sizeof(keys));
    return status;
}
