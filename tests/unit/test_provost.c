/* test_provost - the entry point, called as libsasl2 calls it */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "provost.h"
#include "status.h"
#include "unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The program that is played here: its configuration, and what it heard. */
static const char *path_option;
static const char *timeout_option;
static int logged;
static int allocated;

static int get_option(void *context, const char *plugin, const char *name,
                      const char **value_r, unsigned *len_r)
{
    (void)context;
    (void)plugin;
    CU_ASSERT_PTR_NULL(len_r);
    if (strcmp(name, "provost_path") == 0)
        *value_r = path_option;
    else if (strcmp(name, "provost_timeout") == 0)
        *value_r = timeout_option;
    else
        CU_FAIL("an option without our prefix");
    return *value_r != NULL ? SASL_OK : SASL_FAIL;
}

static void note_log(sasl_conn_t *conn, int level, const char *fmt, ...)
{
    (void)conn;
    (void)fmt;
    CU_ASSERT_EQUAL(level, SASL_LOG_ERR);
    logged++;
}

static void *no_memory(size_t size)
{
    (void)size;
    return NULL;
}

static void *count_malloc(size_t size)
{
    allocated++;
    return malloc(size);
}

static void count_free(void *memory)
{
    allocated--;
    free(memory);
}

static const sasl_utils_t utils = {.getopt = get_option,
                                   .malloc = count_malloc,
                                   .free = count_free,
                                   .log = note_log};

/* Starts the plugin with these options; returns the number of mechanisms. */
static int start(const char *path, const char *timeout,
                 sasl_server_plug_t **list_r)
{
    int version = 0;
    int count = -1;

    path_option = path;
    timeout_option = timeout;
    logged = 0;
    CU_ASSERT_EQUAL(sasl_server_plug_init(&utils, SASL_SERVER_PLUG_VERSION,
                                          &version, list_r, &count),
                    SASL_OK);
    CU_ASSERT_EQUAL(version, SASL_SERVER_PLUG_VERSION);
    return count;
}

static void offers_nothing_where_it_is_not_turned_on(void)
{
    static const sasl_utils_t without_options = {.log = note_log};
    sasl_server_plug_t *list = NULL;
    int version = 0;
    int count = -1;

    CU_ASSERT_EQUAL(start(NULL, NULL, &list), 0);
    CU_ASSERT_EQUAL(start("", "5", &list), 0);
    CU_ASSERT_EQUAL(logged, 0);
    CU_ASSERT_EQUAL(sasl_server_plug_init(&without_options,
                                          SASL_SERVER_PLUG_VERSION, &version,
                                          &list, &count),
                    SASL_OK);
    CU_ASSERT_EQUAL(count, 0);
}

static void offers_plain_and_login_where_it_is(void)
{
    static const unsigned flags =
        SASL_SEC_NOANONYMOUS | SASL_SEC_PASS_CREDENTIALS;
    sasl_server_plug_t *list = NULL;

    CU_ASSERT_EQUAL_FATAL(start("/run/x", NULL, &list), 2);
    CU_ASSERT_EQUAL(logged, 0);
    CU_ASSERT_STRING_EQUAL(list[0].mech_name, "PLAIN");
    CU_ASSERT_STRING_EQUAL(list[1].mech_name, "LOGIN");
    CU_ASSERT_EQUAL(list[0].security_flags & SASL_SEC_MAXIMUM, flags);
    CU_ASSERT_EQUAL(list[1].security_flags & SASL_SEC_MAXIMUM, flags);
}

/* There is no libsasl2 in this program to say which version it is. */
static void ranks_as_for_an_old_library_when_in_doubt(void)
{
    sasl_server_plug_t *list = NULL;

    CU_ASSERT_EQUAL_FATAL(start("/run/x", NULL, &list), 2);
    CU_ASSERT_EQUAL(list[0].max_ssf, 1);
    CU_ASSERT_EQUAL(list[1].max_ssf, 1);
}

static void does_not_step_aside_for_a_bad_option(void)
{
    char long_path[200];
    sasl_server_plug_t *list = NULL;

    memset(long_path, 'x', sizeof(long_path));
    long_path[sizeof(long_path) - 1] = '\0';
    CU_ASSERT_EQUAL(start(long_path, NULL, &list), 2);
    CU_ASSERT_EQUAL(logged, 1);
    CU_ASSERT_EQUAL(start("/run/x", "soon", &list), 2);
    CU_ASSERT_EQUAL(logged, 1);
}

/* max_ssf may be 1 for the rank's sake: what is asked for is not there. */
static void is_not_available_below_the_strength_asked_for(void)
{
    static const struct {
        const char *name;
        sasl_ssf_t wanted;
        sasl_ssf_t below;
        bool available;
    } cases[] = {
        {"nothing asked", 0, 0, true},
        {"TLS, nothing asked", 0, 256, true},
        {"one asked", 1, 0, false},
        {"one asked, TLS", 1, 256, true},
        {"as much as there is", 56, 56, true},
        {"one more", 57, 56, false},
    };
    sasl_server_plug_t *list = NULL;

    CU_ASSERT_EQUAL_FATAL(start("/run/x", NULL, &list), 2);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        sasl_server_params_t sparams = {.utils = &utils,
                                        .props = {.min_ssf = cases[i].wanted},
                                        .external_ssf = cases[i].below};
        void *context = NULL;

        for (int m = 0; m < 2; m++)
            CHECK_CASE(cases[i].name,
                       list[m].mech_avail(NULL, &sparams, &context) ==
                           (cases[i].available ? SASL_OK : SASL_NOTDONE));
        CHECK_CASE(cases[i].name, context == NULL);
    }
}

static void refuses_a_library_too_old_for_it(void)
{
    sasl_server_plug_t *list = NULL;
    int version = 0;
    int count = -1;

    CU_ASSERT_EQUAL(sasl_server_plug_init(&utils, SASL_SERVER_PLUG_VERSION - 1,
                                          &version, &list, &count),
                    SASL_BADVERS);
}

static void gives_back_what_it_took(void)
{
    sasl_server_params_t sparams = {.utils = &utils};
    sasl_server_plug_t *list = NULL;
    const char *out = NULL;
    unsigned out_len = 0;
    void *context = NULL;
    sasl_out_params_t oparams = {0};

    CU_ASSERT_EQUAL_FATAL(start("/run/x", NULL, &list), 2);
    allocated = 0;
    CU_ASSERT_EQUAL(list[1].mech_new(NULL, &sparams, NULL, 0, &context),
                    SASL_OK);
    CU_ASSERT_EQUAL(allocated, 1);
    CU_ASSERT_EQUAL(
        list[1].mech_step(context, &sparams, NULL, 0, &out, &out_len, &oparams),
        SASL_CONTINUE);
    CU_ASSERT_EQUAL(out_len, 9);
    list[1].mech_dispose(context, &utils);
    CU_ASSERT_EQUAL(allocated, 0);
    list[1].mech_dispose(NULL, &utils);
    CU_ASSERT_EQUAL(allocated, 0);
}

static void says_when_there_is_no_memory(void)
{
    static const sasl_utils_t poor = {.malloc = no_memory};
    sasl_server_params_t sparams = {.utils = &poor};
    sasl_server_plug_t *list = NULL;
    void *context = NULL;

    CU_ASSERT_EQUAL_FATAL(start("/run/x", NULL, &list), 2);
    CU_ASSERT_EQUAL(list[1].mech_new(NULL, &sparams, NULL, 0, &context),
                    SASL_NOMEM);
    CU_ASSERT_PTR_NULL(context);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"offers nothing where it is not turned on",
         offers_nothing_where_it_is_not_turned_on},
        {"offers PLAIN and LOGIN where it is",
         offers_plain_and_login_where_it_is},
        {"ranks as for an old library when in doubt",
         ranks_as_for_an_old_library_when_in_doubt},
        {"does not step aside for a bad option",
         does_not_step_aside_for_a_bad_option},
        {"is not available below the strength asked for",
         is_not_available_below_the_strength_asked_for},
        {"refuses a library too old for it", refuses_a_library_too_old_for_it},
        {"gives back what it took", gives_back_what_it_took},
        {"says when there is no memory", says_when_there_is_no_memory},
        CU_TEST_INFO_NULL,
    };

    return run_tests("provost", tests);
}
