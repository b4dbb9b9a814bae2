/* test_keys - the auxprop: what it is asked for, and what it answers */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "keys.h"
#include "provost.h"
#include "unit.h"

#include "status.h"

#include <stdarg.h>
#include <string.h>

#define NO_SOCKET "/nonexistent/keys"

/* The program that is played here. */
static struct propval asked[3];
static const char *mechanism;
static const char *auxprop_option;
static const char *path_option;
static int logged;
static int set;

static const struct propval *get_properties(struct propctx *context)
{
    (void)context;
    return asked;
}

static int set_property(struct propctx *context, const char *name,
                        const char *value, int len)
{
    (void)context;
    (void)name;
    (void)value;
    (void)len;
    set++;
    return SASL_OK;
}

static int get_mechanism(sasl_conn_t *conn, int which, const void **value_r)
{
    (void)conn;
    CU_ASSERT_EQUAL(which, SASL_MECHNAME);
    *value_r = mechanism;
    return mechanism != NULL ? SASL_OK : SASL_NOTDONE;
}

static int get_option(void *context, const char *plugin, const char *name,
                      const char **value_r, unsigned *len_r)
{
    (void)context;
    (void)plugin;
    (void)len_r;
    *value_r = NULL;
    if (strcmp(name, "provost_auxprop") == 0)
        *value_r = auxprop_option;
    if (strcmp(name, "provost_keys_path") == 0)
        *value_r = path_option;
    return *value_r != NULL ? SASL_OK : SASL_FAIL;
}

static void note_log(sasl_conn_t *conn, int level, const char *fmt, ...)
{
    (void)conn;
    (void)level;
    (void)fmt;
    logged++;
}

static void note_error(sasl_conn_t *conn, unsigned flags, const char *fmt, ...)
{
    (void)conn;
    (void)flags;
    (void)fmt;
}

static const sasl_utils_t utils = {.getopt = get_option,
                                   .getprop = get_mechanism,
                                   .log = note_log,
                                   .seterror = note_error,
                                   .prop_get = get_properties,
                                   .prop_set = set_property};

/* One look-up for "anna@example.org" at a socket that is not there. */
static int look_up(const char *first, const char *second, unsigned flags)
{
    static const struct options options = {.keys_path = NO_SOCKET,
                                           .timeout_seconds = 1};
    sasl_server_params_t sparams = {.utils = &utils, .service = "smtp"};

    asked[0] = (struct propval){.name = first};
    asked[1] = (struct propval){.name = second};
    asked[2] = (struct propval){.name = NULL};
    set = 0;
    return keys_lookup(&sparams, &options, flags, "anna@example.org", 16);
}

static void asks_nobody_where_nothing_of_it_is_wanted(void)
{
    static const char *values[] = {"x", NULL};
    sasl_server_params_t sparams = {.utils = &utils};
    static const struct options options = {.keys_path = NO_SOCKET};

    mechanism = "SCRAM-SHA-256";
    CU_ASSERT_EQUAL(look_up(NULL, NULL, 0), SASL_OK);
    CU_ASSERT_EQUAL(look_up("*userPassword", "*cmusaslsecretPLAIN", 0),
                    SASL_OK);
    CU_ASSERT_EQUAL(look_up("authPassword", NULL, 0), SASL_OK);
    CU_ASSERT_EQUAL(look_up("*authPassword", NULL, SASL_AUXPROP_AUTHZID),
                    SASL_OK);
    asked[0] = (struct propval){.name = "*authPassword", .values = values};
    CU_ASSERT_EQUAL(keys_lookup(&sparams, &options, 0, "a@b", 3), SASL_OK);
    CU_ASSERT_EQUAL(set, 0);
}

static void no_answer_is_no_refusal(void)
{
    mechanism = "SCRAM-SHA-256";
    CU_ASSERT_EQUAL(look_up("*userPassword", "*authPassword", 0), SASL_UNAVAIL);
    mechanism = NULL;
    CU_ASSERT_EQUAL(look_up("*authPassword", NULL, 0), SASL_UNAVAIL);
    CU_ASSERT_EQUAL(set, 0);
}

static void has_nothing_for_other_mechanisms(void)
{
    mechanism = "SCRAM-SHA-1";
    CU_ASSERT_EQUAL(look_up("*userPassword", "*authPassword", 0), SASL_NOUSER);
    mechanism = "SCRAM-SHA-512";
    CU_ASSERT_EQUAL(look_up("*userPassword", "*authPassword", 0), SASL_NOUSER);
    mechanism = "SCRAM-SHA-256-PLUS";
    CU_ASSERT_EQUAL(look_up("*userPassword", "*authPassword", 0), SASL_UNAVAIL);
}

static void names_that_nobody_can_have_are_nobody(void)
{
    static const struct options options = {.keys_path = NO_SOCKET};
    sasl_server_params_t sparams = {.utils = &utils};

    mechanism = "SCRAM-SHA-256";
    asked[0] = (struct propval){.name = "*authPassword"};
    asked[1] = (struct propval){.name = NULL};
    CU_ASSERT_EQUAL(keys_lookup(&sparams, &options, 0, "", 0), SASL_NOUSER);
    CU_ASSERT_EQUAL(keys_lookup(&sparams, &options, 0, "a\0b", 3), SASL_NOUSER);
}

/* Loads the auxprop with these options; returns what a look-up answers. */
static int load(const char *on, const char *path)
{
    sasl_server_params_t sparams = {.utils = &utils};
    sasl_auxprop_plug_t *plug = NULL;
    int version = 0;

    auxprop_option = on;
    path_option = path;
    logged = 0;
    CU_ASSERT_EQUAL_FATAL(sasl_auxprop_plug_init(&utils,
                                                 SASL_AUXPROP_PLUG_VERSION,
                                                 &version, &plug, "provost"),
                          SASL_OK);
    CU_ASSERT_EQUAL(version, SASL_AUXPROP_PLUG_VERSION);
    CU_ASSERT_STRING_EQUAL(plug->name, "provost");
    CU_ASSERT_PTR_NULL(plug->auxprop_store);
    asked[0] = (struct propval){.name = "*authPassword"};
    asked[1] = (struct propval){.name = NULL};
    mechanism = "SCRAM-SHA-256";
    return plug->auxprop_lookup(NULL, &sparams, 0, "a@b", 3);
}

static void says_nothing_where_it_is_not_turned_on(void)
{
    sasl_auxprop_plug_t *plug = NULL;
    int version = 0;

    CU_ASSERT_EQUAL(load(NULL, NULL), SASL_NOMECH);
    CU_ASSERT_EQUAL(load("no", NO_SOCKET), SASL_NOMECH);
    CU_ASSERT_EQUAL(logged, 0);
    CU_ASSERT_EQUAL(sasl_auxprop_plug_init(&utils,
                                           SASL_AUXPROP_PLUG_VERSION - 1,
                                           &version, &plug, "provost"),
                    SASL_BADVERS);
}

static void does_not_step_aside_for_a_bad_path(void)
{
    CU_ASSERT_EQUAL(load("yes", NULL), SASL_UNAVAIL);
    CU_ASSERT_EQUAL(logged, 2); /* at the start, and at the look-up */
    CU_ASSERT_EQUAL(load("yes", NO_SOCKET), SASL_UNAVAIL);
    CU_ASSERT_EQUAL(logged, 1);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"says nothing where it is not turned on",
         says_nothing_where_it_is_not_turned_on},
        {"asks nobody where nothing of it is wanted",
         asks_nobody_where_nothing_of_it_is_wanted},
        {"no answer is no refusal", no_answer_is_no_refusal},
        {"has nothing for other mechanisms", has_nothing_for_other_mechanisms},
        {"names that nobody can have are nobody",
         names_that_nobody_can_have_are_nobody},
        {"does not step aside for a bad path",
         does_not_step_aside_for_a_bad_path},
        CU_TEST_INFO_NULL,
    };

    return run_tests("keys", tests);
}
