/* test_glue - what the program is told, without a program */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "glue.h"
#include "unit.h"

#include <stdbool.h>

#include <string.h>

/* What the plugin said to the program that is played here. */
static int logged_level;
static int canon_calls;
static int canon_answer;

static void note_log(sasl_conn_t *conn, int level, const char *fmt, ...)
{
    (void)conn;
    (void)fmt;
    logged_level = level;
}

static void note_error(sasl_conn_t *conn, unsigned flags, const char *fmt, ...)
{
    (void)conn;
    (void)fmt;
    /* What is set without this flag, Postfix logs a second time. */
    CU_ASSERT_TRUE((flags & SASL_NOLOG) != 0);
}

static int answer_canon(sasl_conn_t *conn, const char *user, unsigned len,
                        unsigned flags, sasl_out_params_t *oparams)
{
    (void)conn;
    (void)flags;
    oparams->user = user;
    oparams->ulen = len;
    canon_calls++;
    return canon_answer;
}

static const sasl_utils_t utils = {.log = note_log, .seterror = note_error};

static void turns_each_status_into_a_code(void)
{
    static const struct {
        const char *name;
        enum status status;
        int code;
        int level;
    } cases[] = {
        {"not found is a refusal", STATUS_NOT_FOUND, SASL_BADAUTH,
         SASL_LOG_NOTE},
        {"denied is a refusal", STATUS_DENIED, SASL_BADAUTH, SASL_LOG_NOTE},
        {"invalid is bad protocol", STATUS_INVALID, SASL_BADPROT,
         SASL_LOG_NOTE},
        {"no answer is unavailable", STATUS_TEMPFAIL, SASL_UNAVAIL,
         SASL_LOG_ERR},
    };
    struct errtext err = {"why"};

    CU_ASSERT_EQUAL(glue_code(STATUS_OK), SASL_OK);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        logged_level = SASL_LOG_NONE;
        CHECK_CASE(cases[i].name, glue_code(cases[i].status) == cases[i].code);
        CHECK_CASE(cases[i].name,
                   glue_fail(&utils, cases[i].status, &err) == cases[i].code);
        CHECK_CASE(cases[i].name, logged_level == cases[i].level);
    }
}

static void outranks_the_stock_modules_of_each_version(void)
{
    static const struct {
        const char *name;
        int version[3];
        bool by_hash;
    } cases[] = {
        {"unknown", {0, 0, 0}, false}, {"1.5.28", {1, 5, 28}, false},
        {"2.0.99", {2, 0, 99}, false}, {"2.1.26", {2, 1, 26}, false},
        {"2.1.27", {2, 1, 27}, false}, {"2.1.28", {2, 1, 28}, true},
        {"2.1.29", {2, 1, 29}, true},  {"2.2.0", {2, 2, 0}, true},
        {"3.0.0", {3, 0, 0}, true},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct glue_rank rank = glue_rank(
            cases[i].version[0], cases[i].version[1], cases[i].version[2]);

        CHECK_CASE(cases[i].name, (rank.flags != 0) == cases[i].by_hash);
        CHECK_CASE(cases[i].name, (rank.max_ssf == 1) == !cases[i].by_hash);
        CHECK_CASE(cases[i].name, (rank.flags & SASL_SEC_MAXIMUM) == 0);
    }
}

/* The program's own rules may refuse a name; its troubles are no refusal. */
static void believes_the_program_about_names(void)
{
    static const struct {
        const char *name;
        int canon;
        int code;
    } cases[] = {
        {"refused", SASL_BADAUTH, SASL_BADAUTH},
        {"no right", SASL_NOAUTHZ, SASL_BADAUTH},
        {"nobody", SASL_NOUSER, SASL_BADAUTH},
        {"disabled is not told", SASL_DISABLED, SASL_BADAUTH},
        {"malformed", SASL_BADPROT, SASL_BADPROT},
        {"too long", SASL_BUFOVER, SASL_BADPROT},
        {"no memory", SASL_NOMEM, SASL_UNAVAIL},
        {"property store down", SASL_FAIL, SASL_UNAVAIL},
        {"canon_user_plugin missing", SASL_NOMECH, SASL_UNAVAIL},
        {"a code of the future", -1000, SASL_UNAVAIL},
    };
    const sasl_server_params_t sparams = {.utils = &utils,
                                          .canon_user = answer_canon};
    const struct options options = {.path = "", .timeout_seconds = 1};
    const struct credentials credentials = {
        .authzid = {"", 0}, .user = {"ada", 3}, .password = {"pw", 2}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        sasl_out_params_t oparams = {0};

        canon_calls = 0;
        canon_answer = cases[i].canon;
        CHECK_CASE(cases[i].name, glue_login(&sparams, &options, &credentials,
                                             &oparams) == cases[i].code);
        CHECK_CASE(cases[i].name, canon_calls == 1);
        CHECK_CASE(cases[i].name, oparams.doneflag == 0);
    }
}

static void names_the_typed_user_even_when_it_fails(void)
{
    const sasl_server_params_t sparams = {.utils = &utils,
                                          .canon_user = answer_canon};
    const struct options options = {.path = "", .timeout_seconds = 1};
    const struct credentials credentials = {
        .authzid = {"", 0}, .user = {"ada", 3}, .password = {"pw", 2}};
    sasl_out_params_t oparams = {0};

    canon_answer = SASL_OK;
    /* An unusable path is no answer, and the program can say who failed. */
    CU_ASSERT_EQUAL(glue_login(&sparams, &options, &credentials, &oparams),
                    SASL_UNAVAIL);
    CU_ASSERT_STRING_EQUAL(oparams.user, "ada");
    CU_ASSERT_EQUAL(oparams.doneflag, 0);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"turns each status into a code", turns_each_status_into_a_code},
        {"outranks the stock modules of each version",
         outranks_the_stock_modules_of_each_version},
        {"believes the program about names", believes_the_program_about_names},
        {"names the typed user even when it fails",
         names_the_typed_user_even_when_it_fails},
        CU_TEST_INFO_NULL,
    };

    return run_tests("glue", tests);
}
