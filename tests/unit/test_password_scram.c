/* test_password_scram - SCRAM keys, and some that nothing fits */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "clock.h"
#include "password.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static enum status verify(const char *hash, const char *password)
{
    struct password_gate *gate = password_gate_new(1);
    enum status status;

    CU_ASSERT_PTR_NOT_NULL_FATAL(gate);
    status = password_verify(gate, hash, password, clock_ms() + 60000, NULL);
    password_gate_free(&gate);
    return status;
}

static void makes_the_keys_of_scram(void)
{
    /* The example of RFC 7677, whose password is "pencil". */
    static const char hash[] = "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,"
                               "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
                               "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
    static const char wanted[] = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
                                 "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
                                 "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
    char keys[PASSWORD_KEYS_BYTES];
    char *made = NULL;
    char *again = NULL;

    CU_ASSERT_EQUAL(verify(hash, "pencil"), STATUS_OK);
    CU_ASSERT_EQUAL(password_scram_keys(hash, keys), STATUS_OK);
    CU_ASSERT_STRING_EQUAL(keys, wanted);
    CU_ASSERT_EQUAL_FATAL(password_scram("a ~Z", &made, NULL), STATUS_OK);
    CU_ASSERT_EQUAL_FATAL(password_scram("a ~Z", &again, NULL), STATUS_OK);
    CU_ASSERT_STRING_NOT_EQUAL(made, again);
    CU_ASSERT_EQUAL(verify(made, "a ~Z"), STATUS_OK);
    CU_ASSERT_EQUAL(verify(made, "a ~z"), STATUS_DENIED);
    CU_ASSERT_EQUAL(password_scram_keys(made, keys), STATUS_OK);
    CU_ASSERT_TRUE(strncmp(keys, "SCRAM-SHA-256$15000:", 20) == 0);
    free(made);
    free(again);
}

static void makes_no_keys_of_what_clients_would_change(void)
{
    static const char *const cases[] = {"", "P\xC3\xA4ss", "a\tb", "a\x7f"};
    char *made = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        CHECK_CASE(cases[i],
                   password_scram(cases[i], &made, NULL) == STATUS_INVALID);
    CU_ASSERT_PTR_NULL(made);
}

static void finds_no_keys_in_other_hashes(void)
{
    static const char *const hashes[] = {
        "{SCRAM-SHA-1}4096,AAEC,AAECAwQFBgcICQoLDA0ODxAREhM=,"
        "AAECAwQFBgcICQoLDA0ODxAREhM=",
        "{PLAIN}secret",
        "{CRYPT}$y$j9T$abcdefghijklmnop$"
        "C3dnr.eSABQtOQwW3ms876guw/PDV3OqMv6z.nH0DL/",
        "{SCRAM-SHA-256}4096,AAEC,AAEC,AAEC",
        "{SCRAM-SHA-256}",
        "{SCRAM-SHA-256.B64}NDA5NixBQUVD",
        "",
    };
    char keys[PASSWORD_KEYS_BYTES] = "kept";

    for (size_t i = 0; i < ARRAY_SIZE(hashes); i++)
        CHECK_CASE(hashes[i],
                   password_scram_keys(hashes[i], keys) == STATUS_NOT_FOUND);
    CU_ASSERT_EQUAL(
        password_scram_keys("{SCRAM-SHA-256}4095,W22ZaJ0SNY7soEsUEjb6gQ==,"
                            "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
                            "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
                            keys),
        STATUS_NOT_FOUND);
}

static void a_decoy_is_always_the_same_and_looks_like_keys(void)
{
    char one[PASSWORD_KEYS_BYTES];
    char two[PASSWORD_KEYS_BYTES];
    char real[PASSWORD_KEYS_BYTES];
    char *made = NULL;

    CU_ASSERT_EQUAL(password_scram_decoy("s", "a@b", one, NULL), STATUS_OK);
    CU_ASSERT_EQUAL(password_scram_decoy("s", "a@b", two, NULL), STATUS_OK);
    CU_ASSERT_STRING_EQUAL(one, two);
    CU_ASSERT_EQUAL(password_scram_decoy("s", "b@b", two, NULL), STATUS_OK);
    CU_ASSERT_STRING_NOT_EQUAL(one, two);
    CU_ASSERT_EQUAL(password_scram_decoy("t", "a@b", two, NULL), STATUS_OK);
    CU_ASSERT_STRING_NOT_EQUAL(one, two);
    CU_ASSERT_EQUAL_FATAL(password_scram("x", &made, NULL), STATUS_OK);
    CU_ASSERT_EQUAL(password_scram_keys(made, real), STATUS_OK);
    CU_ASSERT_EQUAL(strlen(one), strlen(real));
    CU_ASSERT_TRUE(strncmp(one, real, strlen("SCRAM-SHA-256$15000:")) == 0);
    free(made);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"makes the keys of SCRAM", makes_the_keys_of_scram},
        {"makes no keys of what clients would change",
         makes_no_keys_of_what_clients_would_change},
        {"finds no keys in other hashes", finds_no_keys_in_other_hashes},
        {"a decoy is always the same and looks like keys",
         a_decoy_is_always_the_same_and_looks_like_keys},
        CU_TEST_INFO_NULL,
    };

    return run_tests("password_scram", tests);
}
