/* password - see password.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "password.h"

#include "password_private.h"
#include "secret.h"
#include "strbuf.h"

#include <crypt.h>
#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

struct password_gate {
    pthread_mutex_t lock;
    pthread_cond_t left;
    unsigned places;
};

struct password_gate *password_gate_new(unsigned at_once)
{
    struct password_gate *gate = calloc(1, sizeof(*gate));
    pthread_condattr_t attributes;

    if (gate == NULL)
        return NULL;
    gate->places = at_once;
    (void)pthread_mutex_init(&gate->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&gate->left, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return gate;
}

void password_gate_free(struct password_gate **gate)
{
    if (*gate == NULL)
        return;
    (void)pthread_cond_destroy(&(*gate)->left);
    (void)pthread_mutex_destroy(&(*gate)->lock);
    free(*gate);
    *gate = NULL;
}

/* Takes a place, or returns false at the deadline. */
static bool enter(struct password_gate *gate, int64_t deadline_ms)
{
    int64_t until_ms = deadline_ms > 0 ? deadline_ms : 0;
    struct timespec until = {
        .tv_sec = (time_t)(until_ms / 1000),
        .tv_nsec = (long)(until_ms % 1000) * 1000000,
    };
    bool entered;

    (void)pthread_mutex_lock(&gate->lock);
    while (gate->places == 0) {
        if (pthread_cond_timedwait(&gate->left, &gate->lock, &until) != 0)
            break;
    }
    entered = gate->places > 0;
    if (entered)
        gate->places--;
    (void)pthread_mutex_unlock(&gate->lock);
    return entered;
}

static void leave(struct password_gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    gate->places++;
    (void)pthread_cond_signal(&gate->left);
    (void)pthread_mutex_unlock(&gate->lock);
}

enum status password_check(const char *hash, struct errtext *err)
{
    struct password_parsed parsed = {0};
    enum status status = password_parse(hash, &parsed, err);

    secret_wipe(&parsed, sizeof(parsed));
    return status;
}

enum status password_verify(struct password_gate *gate, const char *hash,
                            const char *password, int64_t deadline_ms,
                            struct errtext *err)
{
    struct password_parsed parsed = {0};
    enum status status = STATUS_TEMPFAIL;

    if (password[0] == '\0')
        return STATUS_DENIED;
    /* A hash we cannot read is our trouble: it makes no password wrong. */
    if (password_parse(hash, &parsed, err) != STATUS_OK)
        goto out;
    if (!enter(gate, deadline_ms)) {
        errtext_set(err, "too many password hashes at once");
        goto out;
    }
    status = password_compute(&parsed, password, err);
    leave(gate);
out:
    secret_wipe(&parsed, sizeof(parsed));
    return status;
}

/* Makes "{CRYPT}$y$..." with libxcrypt's own cost. */
static enum status make_hash(const char *password, char **hash_r,
                             struct errtext *err)
{
    struct strbuf hash = STRBUF_INIT(PASSWORD_HASH_BYTES_MAX);
    struct crypt_data *data = calloc(1, sizeof(*data));
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    enum status status = STATUS_TEMPFAIL;
    const char *made = NULL;

    if (data == NULL)
        return status_no_memory(err);
    if (crypt_gensalt_rn("$y$", 0, NULL, 0, setting, (int)sizeof(setting)) !=
        NULL)
        made = crypt_rn(password, setting, data, (int)sizeof(*data));
    if (made != NULL) {
        strbuf_append(&hash, "{CRYPT}");
        strbuf_append(&hash, made);
        status = strbuf_take(&hash, hash_r, err);
    } else {
        errtext_set(err, "libxcrypt made no hash");
    }
    strbuf_clear(&hash);
    secret_wipe(data, sizeof(*data));
    free(data);
    return status;
}

enum status password_hash(struct password_gate *gate, const char *password,
                          char **hash_r, struct errtext *err)
{
    enum status status;

    if (password[0] == '\0' || strlen(password) >= CRYPT_MAX_PASSPHRASE_SIZE) {
        errtext_set(err, "a password has 1 to %d bytes",
                    CRYPT_MAX_PASSPHRASE_SIZE - 1);
        return STATUS_INVALID;
    }
    /* Who sets a password waits for his turn, which comes. */
    while (!enter(gate, INT64_MAX))
        continue;
    status = make_hash(password, hash_r, err);
    leave(gate);
    return status;
}

/* 32 letters and digits that are not taken for one another. */
static const char app_alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";
static const char app_prefix[] = "pv-";

#define APP_PREFIX_BYTES (sizeof(app_prefix) - 1)
#define APP_GROUP_BYTES                                                        \
    ((size_t)5) /* four letters and the hyphen before the next */
#define APP_RANDOM_GROUPS ((size_t)7)
#define APP_CHECK_AT (APP_PREFIX_BYTES + APP_RANDOM_GROUPS * APP_GROUP_BYTES)

/*
 * Writes the check group of what stands before it: 20 bits of FNV-1a. It is no
 * secret; it tells an app password from a text that only looks like one.
 */
static void make_app_check(const char *text, char check_r[4])
{
    uint64_t sum = 0xcbf29ce484222325U;

    for (size_t i = 0; i < APP_CHECK_AT; i++)
        sum = (sum ^ (unsigned char)text[i]) * 0x100000001b3U;
    sum ^= sum >> 40 ^ sum >> 20;
    for (size_t i = 0; i < 4; i++)
        check_r[i] = app_alphabet[(sum >> (5 * i)) & 31];
}

static bool app_form(const char *text)
{
    if (strlen(text) != PASSWORD_APP_BYTES - 1 ||
        strncmp(text, app_prefix, APP_PREFIX_BYTES) != 0)
        return false;
    for (size_t i = APP_PREFIX_BYTES; text[i] != '\0'; i++) {
        bool hyphen = (i - APP_PREFIX_BYTES) % APP_GROUP_BYTES == 4;

        if (hyphen ? text[i] != '-' : strchr(app_alphabet, text[i]) == NULL)
            return false;
    }
    return true;
}

bool password_is_app(const char *text)
{
    char check[4];

    if (!app_form(text))
        return false;
    make_app_check(text, check);
    return secret_equal(check, text + APP_CHECK_AT, sizeof(check));
}

/* Fills len bytes, at most 256, which getrandom gives whole or not at all. */
static enum status take_random(unsigned char *bytes_r, size_t len,
                               struct errtext *err)
{
    ssize_t got;

    do
        got = getrandom(bytes_r, len, 0);
    while (got < 0 && errno == EINTR);
    if (got == (ssize_t)len)
        return STATUS_OK;
    errtext_set(err, "no randomness");
    return STATUS_TEMPFAIL;
}

enum status password_app_new(char text_r[PASSWORD_APP_BYTES],
                             struct errtext *err)
{
    unsigned char random[APP_RANDOM_GROUPS * 4];
    size_t used = 0;

    if (take_random(random, sizeof(random), err) != STATUS_OK)
        return STATUS_TEMPFAIL;
    memcpy(text_r, app_prefix, APP_PREFIX_BYTES);
    used = APP_PREFIX_BYTES;
    for (size_t i = 0; i < sizeof(random); i++) {
        text_r[used++] = app_alphabet[random[i] & 31];
        if (i % 4 == 3)
            text_r[used++] = '-';
    }
    make_app_check(text_r, text_r + used);
    text_r[PASSWORD_APP_BYTES - 1] = '\0';
    secret_wipe(random, sizeof(random));
    return STATUS_OK;
}

#define APP_DIGEST_BYTES 32
#define APP_SALT_BYTES 16

enum status password_app_hash(const char *text, char **hash_r,
                              struct errtext *err)
{
    unsigned char bytes[APP_DIGEST_BYTES + APP_SALT_BYTES];
    unsigned char base64[4 * (sizeof(bytes) + 2) / 3 + 1];
    unsigned char *salt = bytes + APP_DIGEST_BYTES;
    struct strbuf hash = STRBUF_INIT(PASSWORD_HASH_BYTES_MAX);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    enum status status = STATUS_TEMPFAIL;

    if (context == NULL)
        return status_no_memory(err);
    if (take_random(salt, APP_SALT_BYTES, err) != STATUS_OK)
        goto out;
    if (EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(context, text, strlen(text)) != 1 ||
        EVP_DigestUpdate(context, salt, APP_SALT_BYTES) != 1 ||
        EVP_DigestFinal_ex(context, bytes, NULL) != 1) {
        errtext_set(err, "OpenSSL made no SHA-256");
        goto out;
    }
    (void)EVP_EncodeBlock(base64, bytes, (int)sizeof(bytes));
    strbuf_append(&hash, "{SSHA256}");
    strbuf_append(&hash, (const char *)base64);
    status = strbuf_take(&hash, hash_r, err);
out:
    EVP_MD_CTX_free(context);
    strbuf_clear(&hash);
    secret_wipe(bytes, sizeof(bytes));
    secret_wipe(base64, sizeof(base64));
    return status;
}
