/* test_generation - what a reload changes, and what goes on */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "clock.h"
#include "generation.h"
#include "memory.h"
#include "throttle.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[64];

/* Writes the settings file with these auth settings. */
static void write_settings(const char *auth)
{
    FILE *file = fopen(path, "we");

    if (file == NULL)
        abort();
    (void)fprintf(file,
                  "store = { socket = \"/run/s\"; user = \"u\"; "
                  "database = \"d\"; };\n"
                  "directories = ( { name = \"corp\"; "
                  "host = \"ldapi:///run/l\"; base_dn = \"dc=x\"; "
                  "username_field = \"mail\"; "
                  "default_template = \"t\"; } );\n"
                  "templates = ( { name = \"t\"; quota = \"1G\"; } );\n"
                  "auth = { %s };\n",
                  auth);
    (void)fclose(file);
}

/* Loads the file; prints the faults when that is not what is wanted. */
static enum status load(struct generations *generations, enum status wanted)
{
    struct strbuf faults = STRBUF_INIT(16384);
    enum status status = generations_load(generations, path, &faults);

    if (status != wanted)
        (void)printf("\n    %s", strbuf_text(&faults));
    CU_ASSERT_EQUAL(faults.len > 0, status != STATUS_OK);
    strbuf_clear(&faults);
    return status;
}

/* The memories of the current generation. */
static const struct login_shared *shared_now(struct generations *generations)
{
    struct generation *held = generations_hold(generations);
    const struct login_shared *shared = held->shared;

    generations_release(generations, &held);
    CU_ASSERT_PTR_NULL(held);
    return shared;
}

static void keeps_what_was_learned(void)
{
    static const struct {
        const char *name;
        const char *auth;
        bool kept;
    } cases[] = {
        {"nothing changed", "", true},
        {"something else", "workers = 5; queue_age = \"1s\";", true},
        {"cache_ttl", "cache_ttl = \"60s\";", false},
        {"cache_max", "cache_max = 7;", false},
        {"refused_ttl", "refused_ttl = \"1s\";", false},
        {"refused_max", "refused_max = 7;", false},
        {"throttle_failures", "throttle_failures = 7;", false},
        {"per client", "throttle_failures_per_client = 7;", false},
        {"throttle_period", "throttle_period = \"1s\";", false},
        {"throttle_max", "throttle_max = 7;", false},
        {"trusted_clients", "trusted_clients = [ \"192.0.2.1\" ];", false},
        {"hash_workers", "hash_workers = 7;", false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct generations *generations = generations_new();
        const struct login_shared *first;

        CU_ASSERT_PTR_NOT_NULL_FATAL(generations);
        write_settings("");
        CHECK_CASE(cases[i].name, load(generations, STATUS_OK) == STATUS_OK);
        first = shared_now(generations);
        throttle_failure(first->throttle, "ada", "192.0.2.7", 1000);
        write_settings(cases[i].auth);
        CHECK_CASE(cases[i].name, load(generations, STATUS_OK) == STATUS_OK);
        CHECK_CASE(cases[i].name,
                   throttle_count(shared_now(generations)->throttle) ==
                       (cases[i].kept ? 2U : 0U));
        CHECK_CASE(cases[i].name,
                   (shared_now(generations) == first) == cases[i].kept);
        generations_free(&generations);
    }
}

static void keeps_the_old_settings_when_new_ones_are_bad(void)
{
    struct generations *generations = generations_new();
    struct generation *before;
    struct generation *after;

    CU_ASSERT_PTR_NOT_NULL_FATAL(generations);
    write_settings("");
    CU_ASSERT_EQUAL(load(generations, STATUS_OK), STATUS_OK);
    before = generations_hold(generations);
    write_settings("workers = \"many\";");
    CU_ASSERT_EQUAL(load(generations, STATUS_INVALID), STATUS_INVALID);
    after = generations_hold(generations);
    CU_ASSERT_PTR_EQUAL(before, after);
    generations_release(generations, &after);
    generations_release(generations, &before);
    CU_ASSERT_EQUAL(generations_bury(generations), 0);
    generations_free(&generations);
}

static void closes_an_old_one_when_its_last_holder_lets_go(void)
{
    struct generations *generations = generations_new();
    struct generation *first;
    struct generation *second;

    CU_ASSERT_PTR_NOT_NULL_FATAL(generations);
    write_settings("cache_ttl = \"1s\";");
    CU_ASSERT_EQUAL(load(generations, STATUS_OK), STATUS_OK);
    first = generations_hold(generations);
    second = generations_hold(generations);
    write_settings("cache_ttl = \"2s\";");
    CU_ASSERT_EQUAL(load(generations, STATUS_OK), STATUS_OK);
    CU_ASSERT_EQUAL(generations_bury(generations), 0);
    CU_ASSERT_EQUAL(first->settings->auth.cache_ttl_ms, 1000);
    generations_release(generations, &first);
    CU_ASSERT_EQUAL(generations_bury(generations), 0);
    CU_ASSERT_EQUAL(memory_flush(second->shared->memory, NULL), 0);
    generations_release(generations, &second);
    CU_ASSERT_EQUAL(generations_bury(generations), 1);
    CU_ASSERT_EQUAL(generations_bury(generations), 0);
    first = generations_hold(generations);
    CU_ASSERT_EQUAL(first->settings->auth.cache_ttl_ms, 2000);
    generations_release(generations, &first);
    generations_free(&generations);
    CU_ASSERT_PTR_NULL(generations);
    generations_free(&generations);
}

static void has_none_when_the_first_settings_are_bad(void)
{
    struct generations *generations = generations_new();

    CU_ASSERT_PTR_NOT_NULL_FATAL(generations);
    write_settings("nonsense = 1;");
    CU_ASSERT_EQUAL(load(generations, STATUS_INVALID), STATUS_INVALID);
    (void)unlink(path);
    CU_ASSERT_NOT_EQUAL(load(generations, STATUS_INVALID), STATUS_OK);
    generations_free(&generations);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"keeps what was learned", keeps_what_was_learned},
        {"keeps the old settings when new ones are bad",
         keeps_the_old_settings_when_new_ones_are_bad},
        {"closes an old one when its last holder lets go",
         closes_an_old_one_when_its_last_holder_lets_go},
        {"has none when the first settings are bad",
         has_none_when_the_first_settings_are_bad},
        CU_TEST_INFO_NULL,
    };
    char folder[] = "/tmp/test_generation.XXXXXX"; /* it has no conf.d */
    int rc;

    if (mkdtemp(folder) == NULL)
        return EXIT_FAILURE;
    (void)snprintf(path, sizeof(path), "%s/provost.conf", folder);
    rc = run_tests("generation", tests);
    (void)unlink(path);
    (void)rmdir(folder);
    return rc;
}
