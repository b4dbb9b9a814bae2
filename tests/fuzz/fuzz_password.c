/* fuzz_password - a stored hash is read within its bounds, or refused */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "fuzz.h"
#include "password_private.h"

#include <stdbool.h>

static bool cheap(const struct password_parsed *parsed)
{
    return parsed->kind != PASSWORD_CRYPT && parsed->kind != PASSWORD_PBKDF2 &&
           parsed->kind != PASSWORD_ARGON2;
}

static void check_parsed(const struct password_parsed *parsed,
                         const char *password)
{
    FUZZ_CHECK(parsed->len <= PASSWORD_HASH_BYTES_MAX);
    FUZZ_CHECK(parsed->salt_len <= PASSWORD_HASH_BYTES_MAX);
    FUZZ_CHECK(parsed->data[parsed->len] == '\0');
    FUZZ_CHECK(parsed->kind != PASSWORD_PBKDF2 ||
               (parsed->rounds > 0 && parsed->rounds <= PASSWORD_ROUNDS_MAX));
    FUZZ_CHECK(parsed->kind != PASSWORD_SALTED ||
               parsed->len > parsed->digest_len);
    if (cheap(parsed) && parsed->digest == NULL)
        FUZZ_CHECK(password_compute(parsed, password, NULL) != STATUS_TEMPFAIL);
    else if (cheap(parsed) && strcmp(parsed->digest, "MD4") != 0)
        FUZZ_CHECK(password_compute(parsed, password, NULL) != STATUS_TEMPFAIL);
}

/* What is stored in clear is its own password, whatever bytes it holds. */
static void check_plain(struct password_gate *gate, const char *password)
{
    char hash[PASSWORD_HASH_BYTES_MAX + 32];
    int len = snprintf(hash, sizeof(hash), "{PLAIN}%s", password);

    if (len > PASSWORD_HASH_BYTES_MAX)
        return;
    FUZZ_CHECK(password_verify(gate, hash, password, INT64_MAX, NULL) ==
               (password[0] != '\0' ? STATUS_OK : STATUS_DENIED));
}

/* The input is a stored hash, and after a NUL byte a password. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct password_gate *gate = password_gate_new(1);
    struct password_parsed parsed = {0};
    char *hash = fuzz_text(data, size);
    size_t len = strlen(hash);
    const char *password = len < size ? hash + len + 1 : "";
    struct errtext err = {{0}};
    enum status status = password_parse(hash, &parsed, &err);

    FUZZ_CHECK(gate != NULL);
    FUZZ_CHECK(status == STATUS_OK || status == STATUS_INVALID);
    FUZZ_CHECK((status == STATUS_OK) == (err.text[0] == '\0'));
    FUZZ_CHECK(status == password_check(hash, NULL));
    if (status == STATUS_OK)
        check_parsed(&parsed, password);
    else
        FUZZ_CHECK(password_verify(gate, hash, "x", INT64_MAX, NULL) ==
                   STATUS_TEMPFAIL);
    FUZZ_CHECK(password_verify(gate, hash, "", INT64_MAX, NULL) ==
               STATUS_DENIED);
    check_plain(gate, password);
    (void)password_is_app(password);
    free(hash);
    password_gate_free(&gate);
    return 0;
}
