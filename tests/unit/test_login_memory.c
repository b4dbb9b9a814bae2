/* test_login_memory - what several attempts remember, count and leave */
/* SPDX-License-Identifier: BSD-2-Clause */

#include "config.h"

#include "login_scene.h"

#include "clock.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static void a_stale_password_costs_one_bind(void)
{
    struct scene scene;

    scene_open(&scene, 0);
    scene_have_mailbox(&scene);
    for (int i = 0; i < 50; i++) {
        struct login_answer answer = {0};

        scene_attempt(&scene, ANNA, "stale", &answer);
        CU_ASSERT_EQUAL(answer.result, LOGIN_WRONG);
        login_answer_clear(&answer);
    }
    CU_ASSERT_EQUAL(fake_world.binds, 1);
    scene_close(&scene);
}

static void too_many_guesses_are_temporary(void)
{
    struct login_answer answer = {0};
    char guess[16];
    struct scene scene;

    scene_open(&scene, 0);
    scene_have_mailbox(&scene);
    for (int i = 0; i < 5; i++) {
        (void)snprintf(guess, sizeof(guess), "guess%d", i);
        scene_attempt(&scene, ANNA, guess, &answer);
        CU_ASSERT_EQUAL(answer.result, LOGIN_WRONG);
        login_answer_clear(&answer);
    }
    scene_attempt(&scene, ANNA, "right", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_TEMPORARY);
    CU_ASSERT_STRING_EQUAL(answer.reason, "throttled");
    CU_ASSERT_EQUAL(fake_world.binds, 5);
    login_answer_clear(&answer);
    scene_close(&scene);
}

static void a_remembered_login_still_reads_the_state(void)
{
    struct login_answer answer = {0};
    struct scene scene;

    scene_open(&scene, 60000);
    scene_have_mailbox(&scene);
    scene_attempt(&scene, ANNA, "right", &answer);
    login_answer_clear(&answer);
    scene_attempt(&scene, ANNA, "right", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_IN);
    CU_ASSERT_STRING_EQUAL(answer.how, "remembered");
    CU_ASSERT_EQUAL(fake_world.binds, 1);
    login_answer_clear(&answer);
    fake_world.mailbox.admin_state = ACCOUNT_BLOCK_LOGIN;
    scene_attempt(&scene, ANNA, "right", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_REFUSED);
    login_answer_clear(&answer);
    fake_world.store_down = true;
    scene_attempt(&scene, ANNA, "right", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_TEMPORARY);
    login_answer_clear(&answer);
    scene_close(&scene);
}

static void a_switched_source_forgets_what_was_remembered(void)
{
    struct login_answer answer = {0};
    struct scene scene;

    scene_open(&scene, 60000);
    scene_have_mailbox(&scene);
    scene_attempt(&scene, ANNA, "right", &answer);
    login_answer_clear(&answer);
    fake_world.mailbox.source = ACCOUNT_LOCAL;
    fake_world.mailbox.password = strdup("{PLAIN}local");
    scene_attempt(&scene, ANNA, "right", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_WRONG);
    login_answer_clear(&answer);
    scene_attempt(&scene, ANNA, "local", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_IN);
    login_answer_clear(&answer);
    scene_close(&scene);
}

static void a_switched_source_forgets_what_was_refused(void)
{
    struct login_answer answer = {0};
    struct scene scene;

    scene_open(&scene, 0);
    scene_have_mailbox(&scene);
    scene_attempt(&scene, ANNA, "local", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_WRONG);
    login_answer_clear(&answer);
    fake_world.mailbox.source = ACCOUNT_LOCAL;
    fake_world.mailbox.password = strdup("{PLAIN}local");
    scene_attempt(&scene, ANNA, "local", &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_IN);
    login_answer_clear(&answer);
    scene_close(&scene);
}

static void an_app_password_never_reaches_the_directory(void)
{
    char app[PASSWORD_APP_BYTES];
    char stale[PASSWORD_APP_BYTES];
    char hash[64];
    struct login_answer answer = {0};
    struct errtext err = {{0}};
    struct scene scene;

    CU_ASSERT_EQUAL(password_app_new(app, &err), STATUS_OK);
    CU_ASSERT_EQUAL(password_app_new(stale, &err), STATUS_OK);
    (void)snprintf(hash, sizeof(hash), "{PLAIN}%s", app);
    scene_open(&scene, 0);
    scene_have_mailbox(&scene);
    fake_world.app_hash = hash;
    fake_world.app_services = ACCOUNT_SMTP;
    scene_attempt(&scene, ANNA, app, &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_IN);
    CU_ASSERT_STRING_EQUAL(answer.how, "app_password");
    login_answer_clear(&answer);
    scene_attempt(&scene, ANNA, stale, &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_WRONG);
    login_answer_clear(&answer);
    fake_world.app_services = ACCOUNT_IMAP;
    scene_attempt(&scene, ANNA, app, &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_WRONG);
    login_answer_clear(&answer);
    fake_world.app_services = ACCOUNT_SMTP;
    fake_world.mailbox.directory_state = ACCOUNT_DISABLED;
    scene_attempt(&scene, ANNA, app, &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_REFUSED);
    login_answer_clear(&answer);
    CU_ASSERT_EQUAL(fake_world.binds, 0);
    scene_close(&scene);
}

static void an_app_password_is_never_remembered(void)
{
    char app[PASSWORD_APP_BYTES];
    char hash[64];
    struct login_answer answer = {0};
    struct scene scene;

    CU_ASSERT_EQUAL(password_app_new(app, NULL), STATUS_OK);
    (void)snprintf(hash, sizeof(hash), "{PLAIN}%s", app);
    scene_open(&scene, 60000);
    scene_have_mailbox(&scene);
    fake_world.app_hash = hash;
    fake_world.app_services = ACCOUNT_SMTP;
    for (int i = 0; i < 2; i++) {
        scene_attempt(&scene, ANNA, app, &answer);
        CU_ASSERT_EQUAL(answer.result, LOGIN_IN);
        CU_ASSERT_STRING_EQUAL(answer.how, "app_password");
        login_answer_clear(&answer);
    }
    fake_world.app_hash = NULL; /* revoked */
    scene_attempt(&scene, ANNA, app, &answer);
    CU_ASSERT_EQUAL(answer.result, LOGIN_WRONG);
    login_answer_clear(&answer);
    scene_close(&scene);
}

static void last_logins_are_written_behind(void)
{
    struct login_answer answer = {0};
    struct errtext err = {{0}};
    struct scene scene;

    scene_open(&scene, 0);
    scene_have_mailbox(&scene);
    fake_world.logins_written = 0;
    for (int i = 0; i < 3; i++) {
        scene_attempt(&scene, ANNA, "right", &answer);
        login_answer_clear(&answer);
    }
    CU_ASSERT_EQUAL(fake_world.applied, 0);
    CU_ASSERT_EQUAL(fake_world.logins_written, 0);
    fake_world.store_down = true;
    CU_ASSERT_EQUAL(login_write_behind(scene.login, clock_ms() + 1000, &err),
                    STATUS_TEMPFAIL);
    fake_world.store_down = false;
    CU_ASSERT_EQUAL(login_write_behind(scene.login, clock_ms() + 1000, &err),
                    STATUS_OK);
    CU_ASSERT_EQUAL(fake_world.logins_written, 1);
    scene_close(&scene);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"a stale password costs one bind", a_stale_password_costs_one_bind},
        {"too many guesses are temporary", too_many_guesses_are_temporary},
        {"a remembered login still reads the state",
         a_remembered_login_still_reads_the_state},
        {"a switched source forgets what was remembered",
         a_switched_source_forgets_what_was_remembered},
        {"a switched source forgets what was refused",
         a_switched_source_forgets_what_was_refused},
        {"an app password is never remembered",
         an_app_password_is_never_remembered},
        {"an app password never reaches the directory",
         an_app_password_never_reaches_the_directory},
        {"last logins are written behind", last_logins_are_written_behind},
        CU_TEST_INFO_NULL,
    };

    return run_tests("login_memory", tests);
}
