/* password_parse - see password_private.h */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "password_private.h"

#include <crypt.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define SCHEME_BYTES_MAX 32
#define PBKDF2_KEY_BYTES_MIN 16
#define BCRYPT_COST_MAX 16       /* some seconds */
#define BSDI_COUNT_MAX 1000000   /* likewise */
#define KIB_PASSES_MAX 8388608UL /* memory times passes: likewise */

enum encoding {
    ENCODING_TEXT,
    ENCODING_HEX,
    ENCODING_BASE64
};

struct scheme {
    const char *name;
    enum password_kind kind;
    enum encoding encoding;
    const char *digest;
    size_t digest_len;
};

static const struct scheme schemes[] = {
    {"ARGON2I", PASSWORD_ARGON2, ENCODING_TEXT, NULL, 0},
    {"ARGON2ID", PASSWORD_ARGON2, ENCODING_TEXT, NULL, 0},
    {"BLF-CRYPT", PASSWORD_CRYPT, ENCODING_TEXT, NULL, 0},
    {"CLEAR", PASSWORD_PLAIN, ENCODING_TEXT, NULL, 0},
    {"CLEARTEXT", PASSWORD_PLAIN, ENCODING_TEXT, NULL, 0},
    {"CRYPT", PASSWORD_CRYPT, ENCODING_TEXT, NULL, 0},
    {"DES-CRYPT", PASSWORD_CRYPT, ENCODING_TEXT, NULL, 0},
    {"LDAP-MD5", PASSWORD_DIGEST, ENCODING_BASE64, "MD5", 16},
    {"MD5", PASSWORD_DIGEST, ENCODING_HEX, "MD5", 16}, /* see parse_scheme */
    {"MD5-CRYPT", PASSWORD_CRYPT, ENCODING_TEXT, NULL, 0},
    {"PBKDF2", PASSWORD_PBKDF2, ENCODING_TEXT, "SHA1", 20},
    {"PBKDF2-SHA512", PASSWORD_PBKDF2, ENCODING_TEXT, "SHA512", 64},
    {"PLAIN", PASSWORD_PLAIN, ENCODING_TEXT, NULL, 0},
    {"PLAIN-MD4", PASSWORD_DIGEST, ENCODING_HEX, "MD4", 16},
    {"PLAIN-MD5", PASSWORD_DIGEST, ENCODING_HEX, "MD5", 16},
    {"PLAIN-TRUNC", PASSWORD_TRUNC, ENCODING_TEXT, NULL, 0},
    {"SCRAM-SHA-1", PASSWORD_SCRAM, ENCODING_TEXT, "SHA1", 20},
    {"SCRAM-SHA-256", PASSWORD_SCRAM, ENCODING_TEXT, "SHA256", 32},
    {"SHA", PASSWORD_DIGEST, ENCODING_BASE64, "SHA1", 20},
    {"SHA1", PASSWORD_DIGEST, ENCODING_BASE64, "SHA1", 20},
    {"SHA256", PASSWORD_DIGEST, ENCODING_BASE64, "SHA256", 32},
    {"SHA256-CRYPT", PASSWORD_CRYPT, ENCODING_TEXT, NULL, 0},
    {"SHA512", PASSWORD_DIGEST, ENCODING_BASE64, "SHA512", 64},
    {"SHA512-CRYPT", PASSWORD_CRYPT, ENCODING_TEXT, NULL, 0},
    {"SMD5", PASSWORD_SALTED, ENCODING_BASE64, "MD5", 16},
    {"SSHA", PASSWORD_SALTED, ENCODING_BASE64, "SHA1", 20},
    {"SSHA256", PASSWORD_SALTED, ENCODING_BASE64, "SHA256", 32},
    {"SSHA512", PASSWORD_SALTED, ENCODING_BASE64, "SHA512", 64},
};

static enum status malformed(struct errtext *err)
{
    errtext_set(err, "the stored hash is malformed");
    return STATUS_INVALID;
}

static enum status too_costly(struct errtext *err)
{
    errtext_set(err, "the stored hash would cost too much memory or time");
    return STATUS_INVALID;
}

static int hex_digit(char digit)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *found = digit != '\0' ? strchr(digits, digit) : NULL;

    return found != NULL ? (int)((found - digits) % 16) : -1;
}

/* Decodes hexadecimal digits into out, which is large enough. */
static bool decode_hex(const char *text, size_t len, unsigned char *out,
                       size_t *len_r)
{
    for (size_t i = 0; i + 1 < len; i += 2) {
        int high = hex_digit(text[i]);
        int low = hex_digit(text[i + 1]);

        if (high < 0 || low < 0)
            return false;
        out[i / 2] = (unsigned char)(high * 16 + low);
    }
    *len_r = len / 2;
    return len % 2 == 0;
}

/* '.' is the '+' of those who may not write one (389-DS, passlib). */
static int base64_digit(char digit)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/.";
    const char *found = digit != '\0' ? strchr(digits, digit) : NULL;

    if (found == NULL)
        return -1;
    return *found == '.' ? 62 : (int)(found - digits);
}

/*
 * Decodes base64, padded or not, into out, which is large enough. Unused bits
 * at the end must be 0: no two texts are one hash.
 */
bool password_base64(const char *text, size_t len, unsigned char *out,
                     size_t *len_r)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t made = 0;
    size_t padding = 0;

    while (padding < 2 && len > 0 && text[len - 1] == '=') {
        padding++;
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        int digit = base64_digit(text[i]);

        if (digit < 0)
            return false;
        bits = (bits << 6 | (uint32_t)digit) & 0xffffU;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[made++] = (unsigned char)(bits >> held);
        }
    }
    *len_r = made;
    return held < 6 && (bits & ((1U << held) - 1)) == 0 &&
           (padding == 0 || (len + padding) % 4 == 0);
}

/* Decodes len bytes of text into out, and terminates it. */
static bool decode(enum encoding encoding, const char *text, size_t len,
                   unsigned char *out, size_t *len_r)
{
    bool decoded = true;

    switch (encoding) {
    case ENCODING_TEXT:
        memcpy(out, text, len);
        *len_r = len;
        break;
    case ENCODING_HEX:
        decoded = decode_hex(text, len, out, len_r);
        break;
    case ENCODING_BASE64:
        decoded = password_base64(text, len, out, len_r);
        break;
    }
    if (decoded)
        out[*len_r] = '\0';
    return decoded;
}

/*
 * Reads a number without sign or blanks; *next_r is what stands behind it.
 * Over max it is max + 1, whatever its size.
 */
static bool read_number(const char *text, unsigned long max,
                        unsigned long *number_r, const char **next_r)
{
    unsigned long number = 0;
    size_t len = strspn(text, "0123456789");

    for (size_t i = 0; i < len && number <= max; i++)
        number = number * 10 + (unsigned long)(text[i] - '0');
    *number_r = number <= max ? number : max + 1;
    *next_r = text + len;
    return len > 0;
}

/* The value of a digit in crypt(5)'s base 64, or 64. */
static unsigned crypt_digit(char digit)
{
    static const char digits[] =
        "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const char *found = digit != '\0' ? strchr(digits, digit) : NULL;

    return found != NULL ? (unsigned)(found - digits) : 64;
}

/* Reads count digits, the least first. False at the end of the text. */
static bool read_crypt_number(const char *text, unsigned count,
                              unsigned long *number_r)
{
    *number_r = 0;
    for (unsigned i = 0; i < count; i++) {
        unsigned digit = crypt_digit(text[i]);

        if (digit > 63)
            return false;
        *number_r |= (unsigned long)digit << (6 * i);
    }
    return true;
}

/* True if 128 * 2^log2_n * r bytes, p times, are affordable. */
static bool scrypt_affordable(unsigned log2_n, unsigned long r, unsigned long p)
{
    const unsigned long memory_kib_max =
        (unsigned long)PASSWORD_MEMORY_MIB_MAX * 1024;
    unsigned long kib;

    if (log2_n > 30 || r > 65536 || p > 65536)
        return false;
    kib = ((1UL << log2_n) * r + 7) / 8;
    return kib <= memory_kib_max && kib * p <= KIB_PASSES_MAX;
}

/* "$7$", then N and five digits each of r and p. */
static bool scrypt_fits(const char *params)
{
    unsigned log2_n = crypt_digit(params[0]);
    unsigned long r;
    unsigned long p;

    return log2_n < 64 && read_crypt_number(params + 1, 5, &r) &&
           read_crypt_number(params + 6, 5, &p) &&
           scrypt_affordable(log2_n, r, p);
}

/*
 * "$y$" and "$gy$", then flavour, N and r. Digits up to 47 stand for their
 * value and one; larger numbers, and parameters behind r, nobody needs.
 */
static bool yescrypt_fits(const char *params)
{
    unsigned log2_n;
    unsigned r;

    if (crypt_digit(params[0]) > 47)
        return false;
    log2_n = crypt_digit(params[1]);
    if (log2_n > 47)
        return false;
    r = crypt_digit(params[2]);
    return r <= 47 && params[3] == '$' &&
           scrypt_affordable(log2_n + 1, r + 1UL, 1);
}

/* "12$..." */
static bool bcrypt_fits(const char *params)
{
    unsigned long cost;

    return read_number(params, BCRYPT_COST_MAX, &cost, &params) &&
           cost <= BCRYPT_COST_MAX;
}

/* "rounds=5000$..." or the salt alone, which means the default. */
static bool rounds_fit(const char *params)
{
    static const char word[] = "rounds=";
    unsigned long rounds;

    if (strncmp(params, word, sizeof(word) - 1) != 0)
        return true;
    return read_number(params + sizeof(word) - 1, PASSWORD_ROUNDS_MAX, &rounds,
                       &params) &&
           rounds <= PASSWORD_ROUNDS_MAX;
}

/* "24680$..." */
static bool count_fits(const char *params)
{
    unsigned long count;

    return read_number(params, PASSWORD_ROUNDS_MAX, &count, &params) &&
           count <= PASSWORD_ROUNDS_MAX;
}

/* "_" and four digits: 24 bits of count. */
static bool bsdi_fits(const char *params)
{
    unsigned long count;

    return read_crypt_number(params, 4, &count) && count <= BSDI_COUNT_MAX;
}

/* The kinds of crypt(5) whose cost can be chosen; the others are cheap. */
static const struct {
    const char *prefix;
    bool (*fits)(const char *params);
} crypt_costs[] = {
    {"$2a$", bcrypt_fits},  {"$2b$", bcrypt_fits},   {"$2x$", bcrypt_fits},
    {"$2y$", bcrypt_fits},  {"$5$", rounds_fit},     {"$6$", rounds_fit},
    {"$md5,", rounds_fit},  {"$sha1$", count_fits},  {"$7$", scrypt_fits},
    {"$y$", yescrypt_fits}, {"$gy$", yescrypt_fits}, {"_", bsdi_fits},
};

static enum status check_crypt(const char *setting, struct errtext *err)
{
    /* crypt(5): nothing matches such a text. It is no mistake. */
    if (setting[0] == '!' || setting[0] == '*')
        return STATUS_OK;
    for (size_t i = 0; i < ARRAY_SIZE(crypt_costs); i++) {
        size_t len = strlen(crypt_costs[i].prefix);

        if (strncmp(setting, crypt_costs[i].prefix, len) == 0 &&
            !crypt_costs[i].fits(setting + len))
            return too_costly(err);
    }
    if (crypt_checksalt(setting) == CRYPT_SALT_INVALID)
        return malformed(err);
    return STATUS_OK;
}

/* "$argon2id$v=19$m=65536,t=3,p=1$salt$key" */
static enum status check_argon2(const char *text, struct errtext *err)
{
    const unsigned long kib_max = (unsigned long)PASSWORD_MEMORY_MIB_MAX * 1024;
    const char *params = strstr(text, "$m=");
    unsigned long kib;
    unsigned long passes;

    if (strncmp(text, "$argon2i", 8) != 0 || params == NULL ||
        !read_number(params + 3, kib_max, &kib, &params) ||
        strncmp(params, ",t=", 3) != 0 ||
        !read_number(params + 3, KIB_PASSES_MAX, &passes, &params))
        return malformed(err);
    if (kib > kib_max || kib * passes > KIB_PASSES_MAX)
        return too_costly(err);
#ifndef HAVE_LIBSODIUM
    errtext_set(err, "this program was built without libsodium, so that it "
                     "cannot verify ARGON2");
    return STATUS_INVALID;
#else
    return STATUS_OK;
#endif
}

/* The fields of a PBKDF2 hash, before they are decoded. */
struct pbkdf2_fields {
    const char *salt;
    size_t salt_len;
    unsigned long rounds;
    const char *key;
};

/* Finds the end of a field: false unless a '$' follows. */
static bool take_field(const char *text, size_t *len_r, const char **next_r)
{
    *len_r = strcspn(text, "$");
    *next_r = text + *len_r + 1;
    return text[*len_r] == '$';
}

static bool take_rounds(const char *text, struct pbkdf2_fields *fields,
                        const char **next_r)
{
    const char *end;

    if (!read_number(text, PASSWORD_ROUNDS_MAX, &fields->rounds, &end) ||
        *end != '$')
        return false;
    *next_r = end + 1;
    return fields->rounds > 0;
}

/* Dovecot's "$1$salt$rounds$hex". */
static bool read_dovecot_fields(const char *text, struct pbkdf2_fields *fields)
{
    const char *rounds;

    if (strncmp(text, "$1$", 3) != 0)
        return false;
    fields->salt = text + 3;
    return take_field(fields->salt, &fields->salt_len, &rounds) &&
           take_rounds(rounds, fields, &fields->key);
}

/* "rounds$base64$base64", as 389-DS and FreeIPA write it. */
static bool read_ldap_fields(const char *text, struct pbkdf2_fields *fields)
{
    return take_rounds(text, fields, &fields->salt) &&
           take_field(fields->salt, &fields->salt_len, &fields->key);
}

static enum status parse_pbkdf2(struct password_parsed *parsed,
                                const char *text, struct errtext *err)
{
    bool dovecot = strcmp(parsed->digest, "SHA1") == 0;
    struct pbkdf2_fields fields = {0};

    if (!(dovecot ? read_dovecot_fields(text, &fields)
                  : read_ldap_fields(text, &fields)))
        return malformed(err);
    if (!decode(dovecot ? ENCODING_TEXT : ENCODING_BASE64, fields.salt,
                fields.salt_len, parsed->salt, &parsed->salt_len) ||
        !decode(dovecot ? ENCODING_HEX : ENCODING_BASE64, fields.key,
                strlen(fields.key), parsed->data, &parsed->len) ||
        parsed->len < PBKDF2_KEY_BYTES_MIN)
        return malformed(err);
    if (fields.rounds > PASSWORD_ROUNDS_MAX)
        return too_costly(err);
    parsed->rounds = (unsigned)fields.rounds;
    return STATUS_OK;
}

/* Reads "8-eightbyt": with so many bytes, what follows them is ignored. */
static enum status parse_trunc(struct password_parsed *parsed, const char *text,
                               struct errtext *err)
{
    const char *rest;
    unsigned long trunc;

    if (!read_number(text, PASSWORD_HASH_BYTES_MAX, &trunc, &rest) ||
        *rest++ != '-' || *rest == '\0')
        return malformed(err);
    parsed->trunc = trunc;
    return decode(ENCODING_TEXT, rest, strlen(rest), parsed->data, &parsed->len)
               ? STATUS_OK
               : malformed(err);
}

/* Reads what stands behind "{SCHEME}", once it was decoded if it had to be. */
static enum status parse_text(struct password_parsed *parsed, const char *text,
                              size_t len, struct errtext *err)
{
    if (strlen(text) != len)
        return malformed(err);
    switch (parsed->kind) {
    case PASSWORD_CRYPT:
        return check_crypt(text, err);
    case PASSWORD_ARGON2:
        return check_argon2(text, err);
    case PASSWORD_PBKDF2:
        return parse_pbkdf2(parsed, text, err);
    case PASSWORD_TRUNC:
        return parse_trunc(parsed, text, err);
    case PASSWORD_SCRAM:
        return password_scram_parse(parsed, text, err);
    case PASSWORD_PLAIN:
    case PASSWORD_DIGEST:
    case PASSWORD_SALTED:
        break;
    }
    return STATUS_OK;
}

static enum status check_digest(const struct password_parsed *parsed,
                                struct errtext *err)
{
    bool right = parsed->kind == PASSWORD_SALTED
                     ? parsed->len > parsed->digest_len
                     : parsed->len == parsed->digest_len;

    return right ? STATUS_OK : malformed(err);
}

/* Reads the text of a hash whose scheme and encoding are known. */
static enum status parse_rest(struct password_parsed *parsed,
                              enum encoding encoding, const char *rest,
                              struct errtext *err)
{
    unsigned char text[PASSWORD_HASH_BYTES_MAX + 1];
    size_t rest_len = strlen(rest);
    size_t len = 0;

    if (!decode(encoding, rest, rest_len, text, &len))
        return malformed(err);
    memcpy(parsed->data, text, len + 1);
    parsed->len = len;
    if (parsed->kind == PASSWORD_DIGEST || parsed->kind == PASSWORD_SALTED)
        return check_digest(parsed, err);
    return parse_text(parsed, (const char *)text, len, err);
}

static const struct scheme *find_scheme(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
        if (strcasecmp(schemes[i].name, name) == 0)
            return &schemes[i];
    }
    return NULL;
}

/* Takes ".HEX" or ".B64" off the name. False for an unknown suffix. */
static bool take_encoding(char *name, enum encoding *encoding_r, bool *named_r)
{
    char *dot = strchr(name, '.');

    *named_r = dot != NULL;
    if (dot == NULL)
        return true;
    *dot++ = '\0';
    *encoding_r = strcasecmp(dot, "HEX") == 0 ? ENCODING_HEX : ENCODING_BASE64;
    return strcasecmp(dot, "HEX") == 0 || strcasecmp(dot, "B64") == 0 ||
           strcasecmp(dot, "BASE64") == 0;
}

/* The encoding of a digest that does not name it shows in its length. */
static enum encoding usual_encoding(const struct scheme *scheme,
                                    const char *rest)
{
    if (scheme->kind != PASSWORD_DIGEST)
        return scheme->encoding;
    return strlen(rest) == 2 * scheme->digest_len ? ENCODING_HEX
                                                  : ENCODING_BASE64;
}

/* Copies NAME of "{NAME}rest" and finds rest. False without a scheme. */
static bool split(const char *hash, char name[SCHEME_BYTES_MAX + 1],
                  const char **rest_r)
{
    size_t len;

    if (hash[0] != '{')
        return false;
    len = strcspn(hash + 1, "}");
    if (len == 0 || len > SCHEME_BYTES_MAX || hash[1 + len] == '\0')
        return false;
    memcpy(name, hash + 1, len);
    name[len] = '\0';
    *rest_r = hash + len + 2;
    return true;
}

enum status password_parse(const char *hash, struct password_parsed *parsed_r,
                           struct errtext *err)
{
    enum encoding encoding = ENCODING_TEXT;
    char name[SCHEME_BYTES_MAX + 1];
    const struct scheme *scheme = NULL;
    const char *rest = NULL;
    bool named = false;

    if (strlen(hash) > PASSWORD_HASH_BYTES_MAX || !split(hash, name, &rest)) {
        errtext_set(err, "the stored hash has no {SCHEME}, or is too long");
        return STATUS_INVALID;
    }
    if (take_encoding(name, &encoding, &named))
        scheme = find_scheme(name);
    if (scheme == NULL) {
        errtext_set(err, "the scheme {%s} of the stored hash is unknown", name);
        return STATUS_INVALID;
    }
    parsed_r->kind = scheme->kind;
    parsed_r->digest = scheme->digest;
    parsed_r->digest_len = scheme->digest_len;
    if (!named)
        encoding = usual_encoding(scheme, rest);
    /* {MD5} is both: Dovecot makes MD5-CRYPT of it, others a digest. */
    if (!named && strcmp(scheme->name, "MD5") == 0 &&
        strncmp(rest, "$1$", 3) == 0) {
        parsed_r->kind = PASSWORD_CRYPT;
        encoding = ENCODING_TEXT;
    }
    return parse_rest(parsed_r, encoding, rest, err);
}
